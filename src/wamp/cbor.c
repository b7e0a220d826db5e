/* cbor.c - CBOR (RFC 8949) as a wire format: heads, strings in pieces, writing, and the
 * table of the whole format. See wire.h; packed.c walks.
 *
 * Read: every width, containers and strings of open length, `undefined` as null. Tags
 * are passed over, for they only say how somebody might like to see a value; but a
 * bignum is the number that it is, or bytes would come in the place of an integer.
 * Refused: other simple values, codes that are reserved, keys that are no strings
 * (WAMP: dicts). Written: definite lengths, the shortest head there is, floats in 64
 * bits, no tags. */
#include <assert.h>
#include <math.h>

#include "wamp/packed.h"

/* The upper three bits of a head: its major type. */
enum { UNSIGNED, NEGATIVE, BYTES, TEXT, LIST, DICT, TAG, OTHER };

/* What the lower five say when they are no number. */
enum { IN_1_BYTE = 24, IN_8_BYTES = 27, IS_OPEN = 31 };

enum {
    IS_FALSE = 20,
    IS_TRUE,
    IS_NULL,
    IS_UNDEFINED,
    IS_HALF = 25,
    IS_SINGLE,
    IS_DOUBLE
};

enum { TAG_BIGNUM = 2, TAG_NEGATIVE_BIGNUM = 3 };

struct item {
    const char *start;
    unsigned major, info;
    uint64_t n; /* the number in the head, PACKED_OPEN when the length is open */
};

static enum token fail(struct reader *r, const char *p, const char *what)
{
    reader_fail(r, p, what);
    return TOKEN_ERROR;
}

/* ---- heads ------------------------------------------------------------------------- */

static bool read_item(struct reader *r, struct item *i)
{
    unsigned char byte;

    i->start = r->p;
    if (r->p == r->end)
        return reader_fail(r, r->p, NULL);
    byte = (unsigned char)*r->p++;
    i->major = byte >> 5;
    i->info = byte & 31;
    i->n = i->info;
    if (i->info < IN_1_BYTE || i->major == OTHER)
        return true;
    if (i->info <= IN_8_BYTES)
        return packed_number(r, 1u << (i->info - IN_1_BYTE), &i->n);
    i->n = PACKED_OPEN;
    if (i->info == IS_OPEN && i->major >= BYTES && i->major <= DICT)
        return true;
    return reader_fail(r, i->start, "a reserved code");
}

/* A container of PACKED_OPEN elements whose length is not open: more than there are. */
static bool is_open(const struct item *i)
{
    return i->info == IS_OPEN;
}

static bool read_length(struct reader *r, const struct item *i)
{
    return is_open(i) || i->n < PACKED_OPEN ||
           reader_fail(r, i->start, "more elements than bytes");
}

static enum token other(struct reader *r, const struct item *i)
{
    switch (i->info) {
    case IS_FALSE:
        return TOKEN_FALSE;
    case IS_TRUE:
        return TOKEN_TRUE;
    case IS_NULL:
    case IS_UNDEFINED:
        return TOKEN_NULL;
    case IS_HALF:
    case IS_SINGLE:
    case IS_DOUBLE:
        return packed_float(r, 2u << (i->info - IS_HALF));
    case IS_OPEN:
        return fail(r, i->start, "unexpected break");
    default:
        return fail(r, i->start, "an unknown simple value");
    }
}

/* ---- strings ----------------------------------------------------------------------- */

/* The pieces of a string of open length, up to the break; each is of the same kind, and
 * whole UTF-8 in itself. They stay in pieces until somebody wants the text. */
static enum token pieces(struct reader *r, unsigned major, enum token token)
{
    const char *start = r->p;
    struct item piece;

    while (r->p < r->end && *r->p != PACKED_BREAK) {
        if (!read_item(r, &piece))
            return TOKEN_ERROR;
        if (piece.major != major || is_open(&piece))
            return fail(r, piece.start, "a piece of a string of another kind");
        if (packed_bytes(r, piece.n, token) == TOKEN_ERROR)
            return TOKEN_ERROR;
    }
    if (r->p == r->end)
        return fail(r, r->p, NULL);
    r->text = (struct slice){ start, (size_t)(r->p - start) };
    r->escaped = true;
    r->p++;
    return token;
}

static enum token string(struct reader *r, const struct item *i, enum token token)
{
    return is_open(i) ? pieces(r, i->major, token) : packed_bytes(r, i->n, token);
}

static struct slice text_of(const struct reader *r, struct buf **scratch)
{
    struct reader pieces_of;
    struct item piece;
    size_t start;

    if (!r->escaped)
        return r->text;
    if (!*scratch)
        *scratch = buf_new(r->text.n);
    start = (*scratch)->len;
    reader_init(&pieces_of, &wire_cbor, r->text);
    while (pieces_of.p < pieces_of.end && read_item(&pieces_of, &piece)) {
        buf_append(scratch, pieces_of.p, (size_t)piece.n);
        pieces_of.p += piece.n;
    }
    return (struct slice){ (*scratch)->data + start, (*scratch)->len - start };
}

/* ---- tags -------------------------------------------------------------------------- */

/* The number whose bytes are in r->text, highest first, rounded once: its 64 highest
 * bits, the last of which says whether anything but zeros follows. */
static double bignum(struct slice bytes)
{
    uint64_t high = 0;
    size_t i = 0;
    int dropped = 0;

    for (; i < bytes.n && !(high >> 56); i++)
        high = high << 8 | (unsigned char)bytes.p[i];
    for (; i < bytes.n && dropped < 2048; i++, dropped += 8)
        high |= bytes.p[i] != 0;
    return ldexp((double)high, dropped);
}

/* -1 - n for a negative one. */
static enum token big_integer(struct reader *r, const struct item *tag)
{
    bool negative = tag->n == TAG_NEGATIVE_BIGNUM;
    struct buf *scratch = NULL;
    struct slice bytes = text_of(r, &scratch);
    enum token token;
    uint64_t n = 0;

    for (; bytes.n && !*bytes.p; bytes.n--)
        bytes.p++;
    for (size_t i = 0; i < bytes.n && i < 8; i++)
        n = n << 8 | (unsigned char)bytes.p[i];
    token = packed_integer(r, n, negative);
    if (bytes.n > 8) {
        r->number = negative ? -bignum(bytes) : bignum(bytes);
        token = isfinite(r->number) ? TOKEN_FLOAT
                                    : fail(r, tag->start, "number out of range");
    }
    buf_unref(scratch);
    return token;
}

static bool is_bignum(const struct item *tag)
{
    return tag->major == TAG && (tag->n == TAG_BIGNUM || tag->n == TAG_NEGATIVE_BIGNUM);
}

/* ---- reading ----------------------------------------------------------------------- */

static enum token value(struct reader *r, const struct item *i, uint64_t *count)
{
    switch (i->major) {
    case UNSIGNED:
    case NEGATIVE:
        return packed_integer(r, i->n, i->major == NEGATIVE);
    case BYTES:
        return string(r, i, TOKEN_BINARY);
    case TEXT:
        return string(r, i, TOKEN_STRING);
    case OTHER:
        return other(r, i);
    default:
        *count = i->n;
        if (!read_length(r, i))
            return TOKEN_ERROR;
        return i->major == LIST ? TOKEN_LIST : TOKEN_DICT;
    }
}

static enum token head(struct reader *r, uint64_t *count)
{
    struct item tag = { 0 }, i;
    enum token token;

    if (!read_item(r, &i))
        return TOKEN_ERROR;
    while (i.major == TAG) {
        tag = i;
        if (!read_item(r, &i))
            return TOKEN_ERROR;
    }
    token = value(r, &i, count);
    return token == TOKEN_BINARY && is_bignum(&tag) ? big_integer(r, &tag) : token;
}

static enum token next(struct reader *r)
{
    return packed_next(r, head);
}

static bool skip(struct reader *r, struct slice *raw)
{
    return packed_skip(r, raw, head);
}

/* ---- writing ----------------------------------------------------------------------- */

static void put(struct writer *w, unsigned major, uint64_t n)
{
    if (n < IN_1_BYTE)
        packed_put(w, (unsigned char)(major << 5 | n), 0, 0);
    else
        packed_put_sized(w, (unsigned char)(major << 5 | IN_1_BYTE), n);
}

static void write_null(struct writer *w)
{
    put(w, OTHER, IS_NULL);
}

static void write_boolean(struct writer *w, bool b)
{
    put(w, OTHER, b ? IS_TRUE : IS_FALSE);
}

static void write_integer(struct writer *w, int64_t i)
{
    put(w, i < 0 ? NEGATIVE : UNSIGNED, i < 0 ? ~(uint64_t)i : (uint64_t)i);
}

static void write_number(struct writer *w, double f)
{
    packed_put_float(w, OTHER << 5 | IS_DOUBLE, f);
}

static void write_string(struct writer *w, struct slice utf8)
{
    assert(utf8_ok(utf8));
    put(w, TEXT, utf8.n);
    packed_raw(w, utf8);
}

static void write_binary(struct writer *w, struct slice bytes)
{
    put(w, BYTES, bytes.n);
    packed_raw(w, bytes);
}

static void write_list(struct writer *w, size_t n)
{
    put(w, LIST, n);
}

static void write_dict(struct writer *w, size_t n)
{
    put(w, DICT, n);
}

const struct wire wire_cbor = { .id = WIRE_CBOR,
                                .name = "cbor",
                                .subprotocol = "wamp.2.cbor",
                                .next = next,
                                .skip = skip,
                                .text_of = text_of,
                                .null = write_null,
                                .boolean = write_boolean,
                                .integer = write_integer,
                                .number = write_number,
                                .string = write_string,
                                .binary = write_binary,
                                .list = write_list,
                                .list_end = packed_end,
                                .dict = write_dict,
                                .key = write_string,
                                .dict_end = packed_end,
                                .raw = packed_raw };
