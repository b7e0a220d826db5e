/* packed_rows.h - what tests of MsgPack and CBOR say in hexadecimal: bytes that are a
 * value, which is shown as JSON, and bytes that are none. */
#ifndef PACKED_ROWS_H
#define PACKED_ROWS_H

#include <stdlib.h>

#include "message.h"
#include "walk.h"
#include "wamp/transcode.h"

struct packed_row {
    const struct wire *wire;
    const char *hex;
    const char *expected; /* JSON, or "words at byte" */
};

static inline unsigned hex_digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Bytes of hexadecimal digits; the caller unrefs them. */
static inline struct buf *from_hex(struct slice hex)
{
    struct buf *b = buf_new(hex.n / 2);

    for (; b->len < hex.n / 2; b->len++)
        b->data[b->len] =
            (char)(hex_digit(hex.p[2 * b->len]) << 4 | hex_digit(hex.p[2 * b->len + 1]));
    return b;
}

/* The value of JSON in a format, and the other way round. */
static inline struct buf *from_json(const struct wire *wire, const char *json)
{
    return transcode(slice_of(json), &wire_json, wire);
}

static inline struct buf *to_json(const struct wire *wire, struct slice bytes)
{
    return transcode(bytes, wire, &wire_json);
}

/* The value in an allocation of just its size, so that the address sanitizer sees a
 * reader that goes too far: whether token by token and by skip are of one mind, and
 * the outcome. */
static inline struct outcome judge(const struct wire *wire, struct slice bytes)
{
    char *copy = malloc(bytes.n ? bytes.n : 1);
    struct slice exact = { copy, bytes.n };
    struct outcome next, skip;

    memcpy(copy, bytes.p, bytes.n);
    next = walk_next(wire, exact);
    skip = walk_skip(wire, exact);
    if (!outcome_eq(next, skip))
        complain(wire->name, "next and skip disagree");
    free(copy);
    return next;
}

/* Accepted, this value, and refused when cut off behind any of its bytes. */
static inline void check_value(const struct packed_row *row)
{
    struct buf *bytes = from_hex(slice_of(row->hex));
    struct outcome o = judge(row->wire, slice_buf(bytes));
    struct buf *json = o.error ? NULL : to_json(row->wire, slice_buf(bytes));

    if (o.error)
        complain(row->hex, o.error);
    else if (!walk_same(&wire_json, slice_buf(json), slice_of(row->expected)))
        complain(row->hex, "another value");
    for (size_t n = 0; n < bytes->len; n++)
        if (!judge(row->wire, (struct slice){ bytes->data, n }).error)
            complain(row->hex, "accepted when cut off");
    buf_unref(json);
    buf_unref(bytes);
}

static inline void check_refused(const struct packed_row *row)
{
    struct buf *bytes = from_hex(slice_of(row->hex));
    struct outcome o = judge(row->wire, slice_buf(bytes));
    char text[200] = "accepted";

    if (o.error)
        snprintf(text, sizeof text, "%s at %zu", o.error, o.at);
    if (strcmp(text, row->expected) != 0)
        complain(row->hex, text);
    buf_unref(bytes);
}

/* The value of JSON is written in these bytes, and read from them. */
static inline void check_written(const struct packed_row *row)
{
    struct buf *bytes = from_hex(slice_of(row->hex));
    struct buf *made = from_json(row->wire, row->expected);

    if (!slice_eq(slice_buf(made), slice_buf(bytes)))
        complain(row->expected, "written otherwise");
    buf_unref(made);
    buf_unref(bytes);
    check_value(row);
}

#endif
