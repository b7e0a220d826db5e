/* raw_frame.c - RawSocket's handshake and frames. See raw_frame.h.
 *
 * Of 24 bits of length and one of extension, exactly the combination 2^24 is valid
 * beyond 24 bits: so the length is read as 25 bits and must not be more than 2^24.
 *
 * Not known here: sockets, and which serializers exist beside their numbers. */
#include "net/raw_frame.h"

#include <assert.h>
#include <string.h>

#include "net/batch.h"

#define LEAST 512u        /* 2^9: length code 0 */
#define CODES 16          /* length codes: 512 bytes to 16 MiB */
#define EXTENDED 0x08     /* the length's 25th bit, in the first octet of a head */
#define MOST (1u << 24)   /* the longest payload */
#define FIRST_PIECE 65536 /* reserved at once for a payload that declared more */

/* ---- the handshake ----------------------------------------------------------------- */

static unsigned length_code(size_t max)
{
    unsigned code = 0;

    while (code < CODES - 1 && (LEAST << code) < max)
        code++;
    return code;
}

size_t raw_announced(size_t max)
{
    return LEAST << length_code(max);
}

void raw_hello_write(const struct raw_hello *h, unsigned char out[RAW_HEAD])
{
    assert(h->serializer && h->serializer < 16 && h->takes == raw_announced(h->takes));
    out[0] = RAW_MAGIC;
    out[1] = (unsigned char)(length_code(h->takes) << 4 | h->serializer);
    out[2] = out[3] = 0;
}

void raw_refusal_write(enum raw_refusal why, unsigned char out[RAW_HEAD])
{
    assert(why > RAW_ACCEPTED);
    out[0] = RAW_MAGIC;
    out[1] = (unsigned char)(why << 4);
    out[2] = out[3] = 0;
}

/* What client and server say in the same way. */
static void read_second(struct raw_hello *h, unsigned char octet)
{
    h->serializer = octet & 0x0f;
    h->takes = (size_t)LEAST << (octet >> 4);
}

enum raw_refusal raw_hello_read(struct raw_hello *h, const unsigned char in[RAW_HEAD])
{
    if (in[0] != RAW_MAGIC)
        return RAW_FOREIGN;
    if (in[2] || in[3])
        return RAW_RESERVED;
    if (!(in[1] & 0x0f)) /* the illegal number */
        return RAW_SERIALIZER;
    read_second(h, in[1]);
    return RAW_ACCEPTED;
}

int raw_answer_read(struct raw_hello *h, const unsigned char in[RAW_HEAD])
{
    if (in[0] != RAW_MAGIC)
        return RAW_FOREIGN;
    if (in[2] || in[3])
        return RAW_ILLEGAL;
    if (in[1] & 0x0f)
        read_second(h, in[1]);
    else
        return in[1] ? in[1] >> 4 : RAW_ILLEGAL;
    return RAW_ACCEPTED;
}

unsigned raw_serializer_of(const char *subprotocol)
{
    static const char *const names[] = { "wamp.2.json", "wamp.2.msgpack", "wamp.2.cbor",
                                         "wamp.2.ubjson", "wamp.2.flatbuffers" };

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = strlen(names[i]);

        if (!strncmp(subprotocol, names[i], n) &&
            (!subprotocol[n] || !strcmp(subprotocol + n, BATCH_SUFFIX)))
            return i + 1;
    }
    return 0;
}

/* ---- frames ------------------------------------------------------------------------ */

void raw_head_write(enum raw_type type, size_t n, unsigned char out[RAW_HEAD])
{
    assert(n <= MOST);
    out[0] = (unsigned char)(type | (n == MOST ? EXTENDED : 0));
    out[1] = (unsigned char)(n >> 16);
    out[2] = (unsigned char)(n >> 8);
    out[3] = (unsigned char)n;
}

static enum raw_found judge_head(struct raw_reader *r)
{
    const unsigned char *h = r->head;
    size_t n = (size_t)h[1] << 16 | (size_t)h[2] << 8 | h[3];

    if (h[0] & 0xf0 || (h[0] & EXTENDED && n))
        return RAW_RESERVED_BITS;
    if ((h[0] & 0x07) > RAW_PONG)
        return RAW_RESERVED_TYPE;
    r->type = h[0] & 0x07;
    r->length = h[0] & EXTENDED ? MOST : n;
    return r->length > r->max ? RAW_TOO_LONG : RAW_FRAME;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void take(struct slice *in, size_t n)
{
    in->p += n;
    in->n -= n;
}

/* RAW_FRAME when the head is whole and good. */
static enum raw_found read_head(struct raw_reader *r, struct slice *in)
{
    size_t n = least(RAW_HEAD - r->have, in->n);
    enum raw_found found;

    if (n)
        memcpy(r->head + r->have, in->p, n);
    r->have += (unsigned)n;
    take(in, n);
    if (r->have < RAW_HEAD)
        return RAW_MORE;
    found = judge_head(r);
    if (found == RAW_FRAME)
        r->payload = buf_new(least(r->length, FIRST_PIECE));
    return found;
}

enum raw_found raw_read(struct raw_reader *r, struct slice *in, enum raw_type *type,
                        struct buf **payload)
{
    enum raw_found found = r->payload ? RAW_FRAME : read_head(r, in);
    size_t n;

    if (found != RAW_FRAME)
        return found;
    n = least(r->length - r->payload->len, in->n);
    buf_append(&r->payload, in->p, n);
    take(in, n);
    if (r->payload->len < r->length)
        return RAW_MORE;
    *type = r->type;
    *payload = r->payload;
    r->payload = NULL;
    r->have = 0;
    return RAW_FRAME;
}

size_t raw_missing(const struct raw_reader *r)
{
    if (r->payload)
        return r->length - r->payload->len;
    return r->have ? RAW_HEAD - r->have : 0;
}

void raw_reader_fini(struct raw_reader *r)
{
    buf_unref(r->payload);
    r->payload = NULL;
}
