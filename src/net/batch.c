/* batch.c - WAMP messages within a WebSocket message. See batch.h.
 *
 * A record separator never stands inside of JSON, where it would have to be escaped: so
 * a batch of JSON is cut at each of them, and who has put one into a message has made two
 * broken ones of it.
 *
 * Not known here: what messages say, and frames. */
#include "net/batch.h"

#include <string.h>

#define SEPARATOR 0x1e

enum batch batch_of(const char *subprotocol)
{
    size_t n = strlen(subprotocol), suffix = strlen(BATCH_SUFFIX);

    if (n < suffix || strcmp(subprotocol + n - suffix, BATCH_SUFFIX) != 0)
        return BATCH_NONE;
    return strstr(subprotocol, "json") ? BATCH_SEPARATED : BATCH_COUNTED;
}

/* ---- writing ----------------------------------------------------------------------- */

size_t batch_size(enum batch kind, size_t message)
{
    return message + (kind == BATCH_COUNTED ? BATCH_HEAD : 1);
}

void batch_add(enum batch kind, struct buf **batch, struct slice message)
{
    size_t size = batch_size(kind, message.n);
    char *at = buf_reserve(batch, size);

    if (kind == BATCH_COUNTED)
        for (unsigned i = BATCH_HEAD; i-- > 0;)
            *at++ = (char)(message.n >> 8 * i);
    if (message.n)
        memcpy(at, message.p, message.n);
    if (kind == BATCH_SEPARATED)
        at[message.n] = SEPARATOR;
    (*batch)->len += size;
}

/* ---- reading ----------------------------------------------------------------------- */

static void skip(struct slice *in, size_t n)
{
    in->p += n;
    in->n -= n;
}

/* The first `n` bytes are the rest of the message. */
static enum batch_found complete(struct batch_reader *r, struct slice *in, size_t n,
                                 struct buf **message)
{
    if (r->part)
        buf_append(&r->part, in->p, n);
    *message = r->part ? r->part : buf_from(in->p, n);
    r->part = NULL;
    r->have = 0;
    r->any = true;
    skip(in, n);
    return BATCH_MESSAGE;
}

/* All there is belongs to the message, and more will. */
static enum batch_found keep(struct batch_reader *r, struct slice *in)
{
    if (!in->n)
        return BATCH_MORE;
    if (!r->part)
        r->part = buf_new(in->n);
    buf_append(&r->part, in->p, in->n);
    skip(in, in->n);
    return BATCH_MORE;
}

static enum batch_found read_separated(struct batch_reader *r, struct slice *in,
                                       struct buf **message)
{
    const char *end = in->n ? memchr(in->p, SEPARATOR, in->n) : NULL;
    size_t n = end ? (size_t)(end - in->p) : in->n, have = r->part ? r->part->len : 0;

    if (have + n > r->max)
        return BATCH_TOO_LONG;
    if (!end)
        return keep(r, in);
    complete(r, in, n, message);
    skip(in, 1);
    return BATCH_MESSAGE;
}

/* False when more is needed. */
static bool read_head(struct batch_reader *r, struct slice *in)
{
    while (r->have < BATCH_HEAD && in->n) {
        r->length = (r->have ? r->length << 8 : 0) | (unsigned char)*in->p;
        r->have++;
        skip(in, 1);
    }
    return r->have == BATCH_HEAD;
}

static enum batch_found read_counted(struct batch_reader *r, struct slice *in,
                                     struct buf **message)
{
    size_t rest;

    if (!read_head(r, in))
        return BATCH_MORE;
    if (r->length > r->max)
        return BATCH_TOO_LONG;
    rest = r->length - (r->part ? r->part->len : 0);
    return in->n < rest ? keep(r, in) : complete(r, in, rest, message);
}

enum batch_found batch_read(struct batch_reader *r, struct slice *in,
                            struct buf **message)
{
    return r->kind == BATCH_COUNTED ? read_counted(r, in, message)
                                    : read_separated(r, in, message);
}

const char *batch_end(struct batch_reader *r)
{
    if (r->part || r->have)
        return r->kind == BATCH_COUNTED ? "a length beyond the end of its batch"
                                        : "a batch without a separator at its end";
    if (!r->any)
        return "an empty batch";
    r->any = false;
    return NULL;
}

void batch_reader_fini(struct batch_reader *r)
{
    buf_unref(r->part);
    r->part = NULL;
}
