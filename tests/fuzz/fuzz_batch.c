/* fuzz_batch.c - batches of messages. covers: src/net/batch.c
 *
 * The first octet is the kind, the limit and how the rest is cut into pieces. Read piece
 * by piece and in one go, the same messages must be found and the same end; none is over
 * the limit or takes more room than what has come allows, and a batch that is right is
 * what writing its messages gives. */
#include <stdlib.h>
#include <string.h>

#include "net/batch.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

struct outcome {
    struct buf *again; /* owned: what was found, written as a batch */
    enum batch_found last;
    const char *wrong;
};

static struct outcome read_all(struct batch_reader r, struct slice in, size_t step)
{
    struct outcome o = { buf_new(0), BATCH_MORE, NULL };
    struct buf *message;

    while (in.n && o.last == BATCH_MORE) {
        struct slice piece = { in.p, step < in.n ? step : in.n };

        in.p += piece.n;
        in.n -= piece.n;
        while ((o.last = batch_read(&r, &piece, &message)) == BATCH_MESSAGE) {
            check(message->len <= r.max);
            batch_add(r.kind, &o.again, slice_buf(message));
            buf_unref(message);
        }
        check(o.last != BATCH_MORE || piece.n == 0);
        check(!r.part || (r.part->len <= r.max && r.part->cap <= 128 + 2 * r.part->len));
    }
    if (o.last == BATCH_MORE) {
        o.wrong = batch_end(&r);
        check(o.wrong || (!r.part && !r.have && !r.any));
    }
    batch_reader_fini(&r);
    return o;
}

static void fuzz_name(struct slice in)
{
    char name[] = "wamp.2.json.batched";

    memcpy(name + 7, in.p, in.n < 12 ? in.n : 12);
    check(batch_of(name) == BATCH_NONE || strstr(name, BATCH_SUFFIX));
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct batch_reader r = { 0 };
    struct outcome whole, pieces;
    struct slice in;

    if (!size)
        return 0;
    r.kind = data[0] & 1 ? BATCH_COUNTED : BATCH_SEPARATED;
    r.max = (size_t)1 << (data[0] >> 1 & 15);
    in = (struct slice){ (const char *)data + 1, size - 1 };
    fuzz_name(in);
    whole = read_all(r, in, size);
    pieces = read_all(r, in, 1 + (data[0] >> 5));
    check(whole.last == pieces.last && whole.wrong == pieces.wrong);
    check(slice_eq(slice_buf(whole.again), slice_buf(pieces.again)));
    if (whole.last == BATCH_MORE && !whole.wrong)
        check(slice_eq(slice_buf(whole.again), in));
    buf_unref(whole.again);
    buf_unref(pieces.again);
    return 0;
}
