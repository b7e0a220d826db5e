/* fuzz_msgpack.c - libFuzzer target for MsgPack: see packed.h.
 * covers: src/wamp/msgpack.c src/wamp/packed.c src/wamp/transcode.c */
#include <stdint.h>

#include "packed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_packed((struct slice){ (const char *)data, size }, &wire_msgpack);
    return 0;
}
