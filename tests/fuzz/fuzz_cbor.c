/* fuzz_cbor.c - libFuzzer target for CBOR: see packed.h.
 * covers: src/wamp/cbor.c src/wamp/packed.c src/wamp/transcode.c */
#include <stdint.h>

#include "packed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_packed((struct slice){ (const char *)data, size }, &wire_cbor);
    return 0;
}
