/* transcode.c - from a reader to a writer. See transcode.h.
 *
 * The formats that count want the number of elements in front of them, which a JSON text
 * does not say. So such a value is read twice: first its containers are counted, in the
 * order in which they begin, then it is written. Reading twice is linear, whatever the
 * nesting; there is one number for each container that is really there. */
#include "wamp/transcode.h"

#include <string.h>

/* How many elements (entries of a dict) each container has. */
struct counts {
    struct buf *n; /* of uint32_t; owned */
    size_t at;     /* bytes of them that have been used */
};

static uint32_t *count_at(const struct counts *c, size_t at)
{
    return (uint32_t *)(void *)(c->n->data + at);
}

static void count_all(struct counts *c, struct slice value, const struct wire *from)
{
    size_t open[LIMIT_DEPTH + 1] = { 0 }; /* places in c->n */
    static const uint32_t none = 0;
    struct reader r;
    enum token token;

    reader_init(&r, from, value);
    while ((token = reader_next(&r)) != TOKEN_END && token != TOKEN_ERROR) {
        bool opens = token == TOKEN_LIST || token == TOKEN_DICT;
        unsigned around = r.depth - opens; /* containers that the token stands in */

        if (token == TOKEN_LIST_END || token == TOKEN_DICT_END)
            continue;
        if (around && token != TOKEN_KEY)
            ++*count_at(c, open[around]);
        if (opens) {
            open[r.depth] = c->n->len;
            buf_append(&c->n, &none, sizeof none);
        }
    }
}

static size_t next_count(struct counts *c)
{
    size_t n = c->n ? *count_at(c, c->at) : 0;

    c->at += sizeof(uint32_t);
    return n;
}

static void put_text(const struct reader *r, struct writer *w, struct buf **scratch)
{
    struct slice text = reader_text(r, scratch);

    if (w->wire->text && text.n && !*text.p)
        writer_binary(w, text);
    else
        writer_string(w, text);
}

static void put_bytes(const struct reader *r, struct writer *w, struct buf **scratch)
{
    struct slice bytes = reader_text(r, scratch);

    writer_binary(w, bytes.p ? bytes : r->text);
}

static void put(const struct reader *r, enum token token, struct writer *w,
                struct counts *c, struct buf **scratch)
{
    switch (token) {
    case TOKEN_FALSE:
    case TOKEN_TRUE:
        writer_bool(w, token == TOKEN_TRUE);
        break;
    case TOKEN_INT:
        writer_int(w, r->integer);
        break;
    case TOKEN_FLOAT:
        writer_float(w, r->number);
        break;
    case TOKEN_STRING:
        put_text(r, w, scratch);
        break;
    case TOKEN_BINARY:
        put_bytes(r, w, scratch);
        break;
    case TOKEN_LIST:
        writer_list(w, next_count(c));
        break;
    case TOKEN_LIST_END:
        writer_list_end(w);
        break;
    case TOKEN_DICT:
        writer_dict(w, next_count(c));
        break;
    case TOKEN_DICT_END:
        writer_dict_end(w);
        break;
    case TOKEN_KEY:
        writer_key(w, reader_text(r, scratch));
        break;
    default:
        writer_null(w);
    }
}

void transcode_token(const struct reader *r, enum token token, struct writer *w,
                     struct buf **scratch)
{
    struct counts none = { 0 };

    put(r, token, w, &none, scratch);
}

struct buf *transcode(struct slice value, const struct wire *from, const struct wire *to)
{
    struct counts c = { 0 };
    struct buf *scratch = NULL;
    struct reader r;
    struct writer w;
    enum token token;

    if (!to->text) {
        c.n = buf_new(64);
        count_all(&c, value, from);
    }
    reader_init(&r, from, value);
    writer_init(&w, to, value.n + value.n / 4 + 16);
    while ((token = reader_next(&r)) != TOKEN_END && token != TOKEN_ERROR &&
           w.buf->len <= LIMIT_MESSAGE_SIZE) {
        put(&r, token, &w, &c, &scratch);
        if (scratch)
            scratch->len = 0;
    }
    buf_unref(scratch);
    buf_unref(c.n);
    if (token != TOKEN_END || w.buf->len > LIMIT_MESSAGE_SIZE) {
        writer_fini(&w);
        return NULL;
    }
    return writer_take(&w);
}
