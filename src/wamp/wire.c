/* wire.c - what all serializations share: choosing one, setting up readers and
 * writers, UTF-8. */
#include "wamp/wire.h"

#include <assert.h>
#include <string.h>

static const struct wire *const wires[] = { &wire_json, &wire_msgpack, &wire_cbor };

#define WIRES (sizeof wires / sizeof *wires)
#define PLAIN(name) WIRE_PREFIX name
#define BATCHED(name) WIRE_PREFIX name ".batched"

/* Twice in the order of `wires`. */
const char *const wire_subprotocols[] = {
    PLAIN("json"),      PLAIN("msgpack"), PLAIN("cbor"), BATCHED("json"),
    BATCHED("msgpack"), BATCHED("cbor"),  NULL
};

static_assert(sizeof wire_subprotocols / sizeof *wire_subprotocols == 2 * WIRES + 1 &&
                  2 * WIRES == WIRE_SUBPROTOCOLS,
              "each format has two");

const struct wire *wire_of_subprotocol(struct slice subprotocol)
{
    for (size_t i = 0; i < WIRE_SUBPROTOCOLS; i++)
        if (slice_is(subprotocol, wire_subprotocols[i]))
            return wires[i % WIRES];
    return NULL;
}

const struct wire *wire_of_name(struct slice name)
{
    for (size_t i = 0; i < WIRES; i++)
        if (slice_is(name, wires[i]->name))
            return wires[i];
    return NULL;
}

const char *wire_subprotocol_of(struct slice serializer)
{
    for (size_t i = 0; i < WIRE_SUBPROTOCOLS; i++)
        if (slice_is(serializer, wire_serializer(wire_subprotocols[i])))
            return wire_subprotocols[i];
    return NULL;
}

const char *wire_serializer(const char *subprotocol)
{
    return subprotocol + sizeof WIRE_PREFIX - 1;
}

void reader_init(struct reader *r, const struct wire *wire, struct slice input)
{
    r->wire = wire;
    r->start = r->p = input.p;
    r->end = input.p ? input.p + input.n : NULL;
    r->error = NULL;
    r->integer = 0;
    r->number = 0;
    r->text = (struct slice){ 0 };
    r->escaped = false;
    r->depth = 0;
    memset(r->dicts, 0, sizeof r->dicts);
    r->state = 0;
}

const char *reader_fail(struct reader *r, const char *p, const char *what)
{
    r->error = p == r->end ? "unexpected end" : what;
    r->p = p;
    return NULL;
}

void writer_init(struct writer *w, const struct wire *wire, size_t reserve)
{
    w->wire = wire;
    w->buf = buf_new(reserve);
}

struct buf *writer_take(struct writer *w)
{
    struct buf *b = w->buf;

    w->buf = NULL;
    return b;
}

void writer_fini(struct writer *w)
{
    buf_unref(w->buf);
    w->buf = NULL;
}

/* Unicode, table 3-7: the first byte gives the length and the range of the second. */
size_t utf8_length(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    unsigned char lo = 0x80, hi = 0xBF;
    size_t len;

    if (n && p[0] < 0x80)
        return 1;
    if (!n || p[0] < 0xC2 || p[0] > 0xF4)
        return 0;
    len = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    if (p[0] == 0xE0)
        lo = 0xA0;
    else if (p[0] == 0xED)
        hi = 0x9F;
    else if (p[0] == 0xF0)
        lo = 0x90;
    else if (p[0] == 0xF4)
        hi = 0x8F;
    if (n < len || p[1] < lo || p[1] > hi)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

bool utf8_ok(struct slice s)
{
    size_t i = 0;

    while (i < s.n) {
        size_t len;
        uint64_t w;

        if (i + 8 <= s.n) { /* eight ASCII bytes at a time */
            memcpy(&w, s.p + i, 8);
            if (!(w & 0x8080808080808080ULL)) {
                i += 8;
                continue;
            }
        }
        len = utf8_length(s.p + i, s.n - i);
        if (!len)
            return false;
        i += len;
    }
    return true;
}
