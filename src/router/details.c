/* details.c - the details dicts of messages that the router writes, and their payload.
 *
 * Payload between peers that speak the same format is spliced as it came, never parsed;
 * only where they do not is it written anew (transcode.h). */
#include <assert.h>

#include "router/private.h"
#include "wamp/transcode.h"

static struct detail *details_add(struct details *d, enum opt key, enum token type)
{
    struct detail *at = &d->at[d->count];

    assert(d->count < DETAILS_MAX);
    d->count++;
    at->key = key;
    at->type = type;
    return at;
}

void details_true(struct details *d, enum opt key)
{
    details_add(d, key, TOKEN_TRUE);
}

void details_int(struct details *d, enum opt key, uint64_t value)
{
    details_add(d, key, TOKEN_INT)->integer = value;
}

void details_text(struct details *d, enum opt key, struct slice text)
{
    details_add(d, key, TOKEN_STRING)->text = text;
}

void details_caller(struct details *d, const struct member *m)
{
    details_int(d, OPT_CALLER, m->id);
    details_text(d, OPT_CALLER_AUTHID, slice_of(m->authid));
    details_text(d, OPT_CALLER_AUTHROLE, slice_of(m->role->name));
}

void details_passthru(struct details *d, const struct opts *o)
{
    for (enum opt key = OPT_PPT_SCHEME; key <= OPT_ENC_SERIALIZER; key++)
        if (opt_has(o, key))
            details_text(d, key, opt_text(o, key));
}

struct buf *details_encode(const struct details *d, const struct wire *wire)
{
    struct writer w;

    if (!d->count)
        return NULL;
    writer_init(&w, wire, 128);
    writer_dict(&w, d->count);
    for (size_t i = 0; i < d->count; i++) {
        const struct detail *at = &d->at[i];

        writer_key(&w, slice_of(opt_name(at->key)));
        if (at->type == TOKEN_TRUE)
            writer_bool(&w, true);
        else if (at->type == TOKEN_INT)
            writer_int(&w, (int64_t)at->integer);
        else
            writer_string(&w, at->text);
    }
    writer_dict_end(&w);
    return writer_take(&w);
}

void value_carry(struct writer *w, struct slice value, const struct wire *wire)
{
    struct buf *b;

    if (w->wire == wire) {
        writer_raw(w, value);
        return;
    }
    b = transcode(value, wire, w->wire);
    if (b)
        writer_raw(w, slice_buf(b));
    else
        writer_null(w);
    buf_unref(b);
}

/* Writes a list or dict of `in` anew behind what `out` owns already. Its slices are set
 * when all is there, because a buf may move. */
static bool rewrite(struct msg *out, const struct msg *in, struct slice value, size_t *n)
{
    struct buf *b = value.p ? transcode(value, in->wire, out->wire) : NULL;

    *n = b ? b->len : 0;
    if (value.p && !b)
        return false;
    if (!out->bytes)
        out->bytes = buf_ref(b);
    else if (b)
        buf_append(&out->bytes, b->data, b->len);
    buf_unref(b);
    return true;
}

bool payload_carry(struct msg *out, const struct msg *in, const struct wire *wire)
{
    size_t args, kwargs;

    out->wire = wire;
    if (in->wire == wire) {
        out->args = in->args;
        out->kwargs = in->kwargs;
        return true;
    }
    if (!rewrite(out, in, in->args, &args) || !rewrite(out, in, in->kwargs, &kwargs))
        return false;
    if (args)
        out->args = (struct slice){ out->bytes->data, args };
    if (kwargs)
        out->kwargs = (struct slice){ out->bytes->data + args, kwargs };
    return true;
}
