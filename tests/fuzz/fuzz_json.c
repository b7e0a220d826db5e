/* fuzz_json.c - libFuzzer target for the JSON reader and writer, seeded by tests/json.
 * covers: src/wamp/json.c src/wamp/json_scan.c
 * covers: src/wamp/json_number.c src/wamp/json_write.c
 *
 * Whatever the bytes are: token by token and skip end alike, with the same error at the
 * same place. What is accepted is also copied through the writer, once token by token and
 * once with some values spliced, and both copies have the tokens of the original. The
 * bytes are also written as a binary and read back, and as a string if they are UTF-8. */
#include <stdint.h>
#include <stdlib.h>

#include "../unit/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* Other texts splice at other places, the same text always at the same. */
static uint64_t seed_of(struct slice text)
{
    uint64_t seed = 0xCBF29CE484222325ULL;

    for (size_t i = 0; i < text.n; i++)
        seed = (seed ^ (unsigned char)text.p[i]) * 0x100000001B3ULL;
    return seed | 1;
}

static void check_copy(struct slice text, uint64_t seed)
{
    struct buf *copy;

    must(!walk_copy(&wire_json, text, seed, &copy).error);
    must(walk_same(&wire_json, text, slice_buf(copy)));
    buf_unref(copy);
}

static void check_written(struct slice bytes, bool binary)
{
    struct buf *scratch = NULL;
    struct writer w;
    struct reader r;

    writer_init(&w, &wire_json, 0);
    binary ? writer_binary(&w, bytes) : writer_string(&w, bytes);
    reader_init(&r, &wire_json, slice_buf(w.buf));
    must(reader_next(&r) == (binary ? TOKEN_BINARY : TOKEN_STRING));
    must(slice_eq(reader_text(&r, &scratch), bytes));
    must(reader_next(&r) == TOKEN_END);
    buf_unref(scratch);
    writer_fini(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = { (const char *)data, size };
    struct outcome next = walk_next(&wire_json, text);

    must(outcome_eq(next, walk_skip(&wire_json, text)));
    if (!next.error) {
        check_copy(text, 0);
        check_copy(text, seed_of(text));
    }
    check_written(text, true);
    if (utf8_ok(text) && (!size || data[0])) /* U+0000 in front would read as binary */
        check_written(text, false);
    return 0;
}
