/* msgpack.c - MsgPack as a wire format: heads, writing, and the table of the whole
 * format. See wire.h; packed.c walks.
 *
 * Read: every width of integers, floats, strings, bytes, lists and dicts; keys are
 * strings (WAMP: dicts). Refused: the byte that is reserved, and extension types,
 * which WAMP has no meaning for and the other formats no word; but `undefined` is
 * null. Written: the shortest head there is, integers that are not negative as
 * unsigned, floats in 64 bits. */
#include <assert.h>
#include <string.h>

#include "wamp/packed.h"

/* ---- reading ----------------------------------------------------------------------- */

/* The signed number of `width` bytes. */
static enum token signed_integer(struct reader *r, unsigned width)
{
    unsigned bits = 8 * width;
    uint64_t n;

    if (!packed_number(r, width, &n))
        return TOKEN_ERROR;
    if (!(n >> (bits - 1)))
        return packed_integer(r, n, false);
    return packed_integer(r, ~n & (UINT64_MAX >> (64 - bits)), true);
}

static enum token unsigned_integer(struct reader *r, unsigned width)
{
    uint64_t n;

    return packed_number(r, width, &n) ? packed_integer(r, n, false) : TOKEN_ERROR;
}

/* A string or bytes whose length has `width` bytes. */
static enum token sized(struct reader *r, unsigned width, enum token token)
{
    uint64_t n;

    return packed_number(r, width, &n) ? packed_bytes(r, n, token) : TOKEN_ERROR;
}

static enum token container(struct reader *r, unsigned width, enum token token,
                            uint64_t *count)
{
    return packed_number(r, width, count) ? token : TOKEN_ERROR;
}

/* What the libraries of JavaScript write for `undefined`: an extension of type 0 that
 * holds a 0. */
static bool is_undefined(const struct reader *r)
{
    return r->end - r->p >= 3 && !memcmp(r->p, "\xD4\0\0", 3);
}

static enum token other(struct reader *r)
{
    bool reserved = *--r->p == (char)0xC1;

    if (is_undefined(r)) {
        r->p += 3;
        return TOKEN_NULL;
    }
    reader_fail(r, r->p, reserved ? "the reserved byte 0xC1" : "an extension type");
    return TOKEN_ERROR;
}

/* 0xC0 to 0xDF, the byte itself passed over. */
static enum token wide_head(struct reader *r, unsigned char byte, uint64_t *count)
{
    switch (byte) {
    case 0xC0:
        return TOKEN_NULL;
    case 0xC2:
        return TOKEN_FALSE;
    case 0xC3:
        return TOKEN_TRUE;
    case 0xC4:
    case 0xC5:
    case 0xC6:
        return sized(r, 1u << (byte - 0xC4), TOKEN_BINARY);
    case 0xCA:
        return packed_float(r, 4);
    case 0xCB:
        return packed_float(r, 8);
    case 0xCC:
    case 0xCD:
    case 0xCE:
    case 0xCF:
        return unsigned_integer(r, 1u << (byte - 0xCC));
    case 0xD0:
    case 0xD1:
    case 0xD2:
    case 0xD3:
        return signed_integer(r, 1u << (byte - 0xD0));
    case 0xD9:
    case 0xDA:
    case 0xDB:
        return sized(r, 1u << (byte - 0xD9), TOKEN_STRING);
    case 0xDC:
    case 0xDD:
        return container(r, 2u << (byte - 0xDC), TOKEN_LIST, count);
    case 0xDE:
    case 0xDF:
        return container(r, 2u << (byte - 0xDE), TOKEN_DICT, count);
    default:
        return other(r);
    }
}

static enum token head(struct reader *r, uint64_t *count)
{
    unsigned char byte;

    if (r->p == r->end)
        return reader_fail(r, r->p, NULL), TOKEN_ERROR;
    byte = (unsigned char)*r->p++;
    if (byte < 0x80)
        return packed_integer(r, byte, false);
    if (byte >= 0xE0)
        return packed_integer(r, 0xFFu - byte, true);
    if (byte >= 0xC0)
        return wide_head(r, byte, count);
    if (byte >= 0xA0)
        return packed_bytes(r, byte & 31, TOKEN_STRING);
    *count = byte & 15;
    return byte >= 0x90 ? TOKEN_LIST : TOKEN_DICT;
}

static enum token next(struct reader *r)
{
    return packed_next(r, head);
}

static bool skip(struct reader *r, struct slice *value)
{
    return packed_skip(r, value, head);
}

/* ---- writing ----------------------------------------------------------------------- */

static void write_null(struct writer *w)
{
    packed_put(w, 0xC0, 0, 0);
}

static void write_boolean(struct writer *w, bool b)
{
    packed_put(w, b ? 0xC3 : 0xC2, 0, 0);
}

static void write_integer(struct writer *w, int64_t i)
{
    uint64_t n = (uint64_t)i;

    if (i >= -32 && i <= 127)
        packed_put(w, (unsigned char)i, 0, 0);
    else if (i > 0)
        packed_put_sized(w, 0xCC, n);
    else if (i >= INT8_MIN)
        packed_put(w, 0xD0, n, 1);
    else if (i >= INT16_MIN)
        packed_put(w, 0xD1, n, 2);
    else if (i >= INT32_MIN)
        packed_put(w, 0xD2, n, 4);
    else
        packed_put(w, 0xD3, n, 8);
}

static void write_number(struct writer *w, double f)
{
    packed_put_float(w, 0xCB, f);
}

static void write_string(struct writer *w, struct slice utf8)
{
    assert(utf8_ok(utf8) && utf8.n <= UINT32_MAX);
    if (utf8.n < 32)
        packed_put(w, (unsigned char)(0xA0 | utf8.n), 0, 0);
    else
        packed_put_sized(w, 0xD9, utf8.n);
    packed_raw(w, utf8);
}

static void write_binary(struct writer *w, struct slice bytes)
{
    assert(bytes.n <= UINT32_MAX);
    packed_put_sized(w, 0xC4, bytes.n);
    packed_raw(w, bytes);
}

static void put_container(struct writer *w, unsigned char small, unsigned char large,
                          size_t n)
{
    bool wide = n > UINT16_MAX;

    assert(n <= UINT32_MAX);
    if (n < 16)
        packed_put(w, (unsigned char)(small | n), 0, 0);
    else
        packed_put(w, (unsigned char)(large + wide), n, wide ? 4 : 2);
}

static void write_list(struct writer *w, size_t n)
{
    put_container(w, 0x90, 0xDC, n);
}

static void write_dict(struct writer *w, size_t n)
{
    put_container(w, 0x80, 0xDE, n);
}

const struct wire wire_msgpack = { .id = WIRE_MSGPACK,
                                   .name = "msgpack",
                                   .subprotocol = "wamp.2.msgpack",
                                   .next = next,
                                   .skip = skip,
                                   .text_of = packed_text,
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
