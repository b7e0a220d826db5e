/* walk.h - ways through a value of some format that tests and fuzz targets compare with
 * each other: token by token, by skip, by both at random; copied through a writer; two
 * texts side by side.
 *
 * Not known here: what is right. Whoever uses these says which results must agree. */
#ifndef WALK_H
#define WALK_H

#include <string.h>

#include "wamp/wire.h"

/* xorshift64*: the same numbers on every machine. The state must not be 0. */
static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545F4914F6CDD1DULL;
}

static inline unsigned random_below(uint64_t *state, unsigned n)
{
    return (unsigned)((random_next(state) >> 33) % n);
}

/* The end of a walk: how it ended and where. */
struct outcome {
    const char *error; /* NULL: accepted */
    size_t at;
};

static inline struct outcome outcome_of(const struct reader *r, enum token last)
{
    return (struct outcome){ last == TOKEN_END ? NULL
                             : r->error        ? r->error
                                               : "no error",
                             (size_t)(r->p - r->start) };
}

static inline bool outcome_eq(struct outcome a, struct outcome b)
{
    if (!a.error || !b.error)
        return a.error == b.error && a.at == b.at;
    return !strcmp(a.error, b.error) && a.at == b.at;
}

static inline struct outcome walk_next(const struct wire *wire, struct slice text)
{
    struct reader r;
    enum token t;

    reader_init(&r, wire, text);
    do
        t = reader_next(&r);
    while (t != TOKEN_END && t != TOKEN_ERROR);
    return outcome_of(&r, t);
}

static inline struct outcome walk_skip(const struct wire *wire, struct slice text)
{
    struct reader r;
    struct slice value;

    reader_init(&r, wire, text);
    reader_skip(&r, &value);
    return outcome_of(&r, reader_next(&r));
}

/* Writes what the token just read stands for. A binary whose base64 is bad has no value
 * and is written as it stands, quotes and all. */
static inline void copy_token(struct writer *w, const struct reader *r, enum token t)
{
    struct buf *scratch = NULL;
    struct slice text = { 0 };

    if (t == TOKEN_STRING || t == TOKEN_BINARY || t == TOKEN_KEY)
        text = reader_text(r, &scratch);
    if (t == TOKEN_NULL)
        writer_null(w);
    else if (t == TOKEN_FALSE || t == TOKEN_TRUE)
        writer_bool(w, t == TOKEN_TRUE);
    else if (t == TOKEN_INT)
        writer_int(w, r->integer);
    else if (t == TOKEN_FLOAT)
        writer_float(w, r->number);
    else if (t == TOKEN_STRING)
        writer_string(w, text);
    else if (t == TOKEN_BINARY && text.p)
        writer_binary(w, text);
    else if (t == TOKEN_BINARY)
        writer_raw(w, (struct slice){ r->text.p - 1, r->text.n + 2 });
    else if (t == TOKEN_LIST)
        writer_list(w, 0);
    else if (t == TOKEN_LIST_END)
        writer_list_end(w);
    else if (t == TOKEN_DICT)
        writer_dict(w, 0);
    else if (t == TOKEN_DICT_END)
        writer_dict_end(w);
    else if (t == TOKEN_KEY)
        writer_key(w, text);
    buf_unref(scratch);
}

/* Reads `text` and writes it again; with a seed that is not 0, some values are skipped
 * and spliced. The caller owns *copy. Not for formats that count. */
static inline struct outcome walk_copy(const struct wire *wire, struct slice text,
                                       uint64_t seed, struct buf **copy)
{
    struct reader r;
    struct writer w;
    struct slice value;
    enum token t = TOKEN_NULL;

    reader_init(&r, wire, text);
    writer_init(&w, wire, text.n);
    while (t != TOKEN_END && t != TOKEN_ERROR) {
        if (seed && random_below(&seed, 3) == 0 && reader_skip(&r, &value)) {
            writer_raw(&w, value);
            continue;
        }
        t = reader_next(&r);
        copy_token(&w, &r, t);
    }
    *copy = writer_take(&w);
    return outcome_of(&r, t);
}

/* Whether the tokens just read by `a` and `b` are the same, with the same value. */
static inline bool token_eq(const struct reader *a, const struct reader *b, enum token t)
{
    struct buf *scratch[2] = { NULL, NULL };
    struct slice x, y;
    bool eq;

    if (t == TOKEN_INT)
        return a->integer == b->integer;
    if (t == TOKEN_FLOAT)
        return !memcmp(&a->number, &b->number, sizeof a->number);
    if (t != TOKEN_STRING && t != TOKEN_BINARY && t != TOKEN_KEY)
        return true;
    x = reader_text(a, &scratch[0]);
    y = reader_text(b, &scratch[1]);
    eq = slice_eq(x, y) && !x.p == !y.p;
    buf_unref(scratch[0]);
    buf_unref(scratch[1]);
    return eq;
}

/* Whether two texts are accepted and have the same tokens. */
static inline bool walk_same(const struct wire *wire, struct slice text,
                             struct slice other)
{
    struct reader a, b;

    reader_init(&a, wire, text);
    reader_init(&b, wire, other);
    for (;;) {
        enum token t = reader_next(&a);

        if (t != reader_next(&b) || t == TOKEN_ERROR || !token_eq(&a, &b, t))
            return false;
        if (t == TOKEN_END)
            return true;
    }
}

#endif
