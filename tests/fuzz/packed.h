/* packed.h - what the fuzz targets of MsgPack and CBOR do with bytes.
 *
 * Whatever they are: token by token and skip end alike, with the same error at the same
 * place. What is accepted is written again in the same format, with the same tokens, and
 * in each of the others, where it must be accepted, too. The bytes are also read as JSON,
 * and what that is must be a value of the format. */
#ifndef FUZZ_PACKED_H
#define FUZZ_PACKED_H

#include <stdlib.h>

#include "../unit/walk.h"
#include "wamp/transcode.h"

static inline void must(bool ok)
{
    if (!ok)
        abort();
}

static inline void must_carry(struct slice value, const struct wire *from,
                              const struct wire *to)
{
    struct buf *there = transcode(value, from, to);

    must(there && !walk_next(to, slice_buf(there)).error);
    must(from != to || walk_same(to, value, slice_buf(there)));
    buf_unref(there);
}

static inline void fuzz_packed(struct slice bytes, const struct wire *wire)
{
    struct outcome next = walk_next(wire, bytes);

    must(outcome_eq(next, walk_skip(wire, bytes)));
    if (!next.error) {
        must_carry(bytes, wire, wire);
        must_carry(bytes, wire, &wire_json);
        must_carry(bytes, wire, &wire_msgpack);
        must_carry(bytes, wire, &wire_cbor);
    }
    if (!walk_next(&wire_json, bytes).error)
        must_carry(bytes, &wire_json, wire);
}

#endif
