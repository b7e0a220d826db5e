/* vectors.c - reading test vectors. See vectors.h.
 *
 * Slow on purpose: each question about a JSON value reads it from its beginning. */
#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wamp/wire.h"

struct buf *vectors_read(const char *name)
{
    const char *folder = getenv("VECTORS");
    char path[1000];
    struct buf *b;
    FILE *file;
    size_t n;

    snprintf(path, sizeof path, "%s/%s", folder ? folder : "", name);
    file = folder ? fopen(path, "rb") : NULL;
    if (!file)
        return NULL;
    b = buf_new(0);
    do {
        n = fread(buf_reserve(&b, 65536), 1, 65536, file);
        b->len += n;
    } while (n);
    fclose(file);
    return b;
}

void vectors_absent(const char *what)
{
    printf("unit: no vectors here ($VECTORS), not tested with them: %s\n", what);
}

static enum token open(struct reader *r, struct slice value)
{
    if (!value.p)
        return TOKEN_ERROR;
    reader_init(r, &wire_json, value);
    return reader_next(r);
}

struct slice json_member(struct slice dict, const char *key)
{
    struct reader r;
    struct slice value = { 0 };

    if (open(&r, dict) != TOKEN_DICT)
        return (struct slice){ 0 };
    while (reader_next(&r) == TOKEN_KEY) {
        bool found = slice_is(r.text, key);

        if (reader_skip(&r, &value) && found)
            return value;
    }
    return (struct slice){ 0 };
}

struct slice json_element(struct slice list, size_t *at)
{
    struct reader r;
    struct slice value = { 0 };

    if (open(&r, list) != TOKEN_LIST)
        return (struct slice){ 0 };
    for (size_t i = 0; reader_skip(&r, &value); i++) {
        if (i == *at) {
            ++*at;
            return value;
        }
    }
    return (struct slice){ 0 };
}

const char *json_string(struct slice value)
{
    static char texts[8][2000];
    static unsigned next;
    char *text = texts[next++ % 8];
    struct buf *scratch = NULL;
    struct reader r;
    struct slice s;

    if (open(&r, value) != TOKEN_STRING)
        return NULL;
    s = reader_text(&r, &scratch);
    snprintf(text, sizeof texts[0], "%.*s", (int)s.n, s.p);
    buf_unref(scratch);
    return text;
}

static size_t count(struct slice dict)
{
    struct reader r;
    struct slice value;
    size_t n = 0;

    for (open(&r, dict); reader_next(&r) == TOKEN_KEY; n++)
        reader_skip(&r, &value);
    return n;
}

static bool same_dict(struct slice a, struct slice b)
{
    struct reader r;
    struct slice value;
    char key[200];

    if (count(a) != count(b))
        return false;
    for (open(&r, a); reader_next(&r) == TOKEN_KEY;) {
        snprintf(key, sizeof key, "%.*s", (int)r.text.n, r.text.p);
        if (!reader_skip(&r, &value) || !json_same(value, json_member(b, key)))
            return false;
    }
    return true;
}

static bool same_list(struct slice a, struct slice b)
{
    for (size_t i = 0, k = 0;;) {
        struct slice x = json_element(a, &i), y = json_element(b, &k);

        if (!x.p || !y.p)
            return !x.p && !y.p;
        if (!json_same(x, y))
            return false;
    }
}

static bool same_string(struct slice a, struct slice b)
{
    const char *s = json_string(a), *t = json_string(b);

    return s && t && !strcmp(s, t);
}

bool json_same(struct slice a, struct slice b)
{
    struct reader x, y;
    enum token token = open(&x, a);

    if (token == TOKEN_ERROR || token != open(&y, b))
        return false;
    switch (token) {
    case TOKEN_DICT:
        return same_dict(a, b);
    case TOKEN_LIST:
        return same_list(a, b);
    case TOKEN_STRING:
        return same_string(a, b);
    default:
        return slice_eq(a, b);
    }
}
