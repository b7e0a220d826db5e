/* fuzz_raw.c - RawSocket's handshakes and frames. covers: src/net/raw_frame.c
 *
 * The first octet is the limit's length code and how the rest is cut into pieces; then
 * comes a handshake, then frames. Read piece by piece and in one go, the same frames
 * must be found and the same violation; no payload is over the limit, none takes more
 * room than what has come allows, and what is written back is read as the same. */
#include <stdlib.h>
#include <string.h>

#include "net/raw_frame.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void fuzz_handshake(const unsigned char in[RAW_HEAD])
{
    struct raw_hello h, again;
    unsigned char out[RAW_HEAD];
    enum raw_refusal refusal = raw_hello_read(&h, in);
    char name[20] = "wamp.2.";

    memcpy(name + 7, in, RAW_HEAD);
    check(raw_serializer_of(name) == 0 || in[0] >= 'a');
    if (refusal == RAW_ACCEPTED) {
        raw_hello_write(&h, out);
        check(!memcmp(in, out, RAW_HEAD));
        check(raw_answer_read(&again, in) == RAW_ACCEPTED && again.takes == h.takes);
    } else if (refusal > RAW_ACCEPTED) {
        raw_refusal_write(refusal, out);
        check(raw_answer_read(&again, out) == (int)refusal);
    }
    check(raw_answer_read(&again, in) <= 15);
}

/* A sum over what was found, in order. */
struct sum {
    unsigned long long value;
    enum raw_found end;
};

static void add(struct sum *s, unsigned long long value)
{
    s->value = s->value * 1000003 + value;
}

static void add_frame(struct sum *s, enum raw_type type, struct buf *payload, size_t max)
{
    unsigned char head[RAW_HEAD];

    check(payload->len <= max && type <= RAW_PONG);
    raw_head_write(type, payload->len, head);
    for (unsigned i = 0; i < RAW_HEAD; i++)
        add(s, head[i]);
    for (size_t i = 0; i < payload->len; i++)
        add(s, (unsigned char)payload->data[i]);
    buf_unref(payload);
}

static struct sum read_all(struct slice in, size_t step, size_t max)
{
    struct raw_reader r = { .max = max };
    struct sum s = { 0, RAW_MORE };

    while (in.n && s.end == RAW_MORE) {
        struct slice piece = { in.p, step < in.n ? step : in.n };
        struct buf *payload;
        enum raw_type type;

        in.p += piece.n;
        in.n -= piece.n;
        while ((s.end = raw_read(&r, &piece, &type, &payload)) == RAW_FRAME)
            add_frame(&s, type, payload, max);
        check(s.end != RAW_MORE || piece.n == 0);
        check(!r.payload || r.payload->cap <= 65536 + 2 * r.payload->len);
    }
    add(&s, s.end == RAW_MORE ? raw_missing(&r) : 0);
    raw_reader_fini(&r);
    return s;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    size_t max, step;
    struct slice rest;
    struct sum whole, pieces;

    if (size < 1 + RAW_HEAD)
        return 0;
    max = raw_announced((size_t)512 << (data[0] >> 4));
    step = 1 + (data[0] & 0x0f);
    fuzz_handshake(data + 1);
    rest = (struct slice){ (const char *)data + 1 + RAW_HEAD, size - 1 - RAW_HEAD };
    whole = read_all(rest, size, max);
    pieces = read_all(rest, step, max);
    check(whole.value == pieces.value && whole.end == pieces.end);
    return 0;
}
