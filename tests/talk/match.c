/* match.c - walking a pattern and a text at the same time. See match.h.
 *
 * The text is read by our own strict reader, so whatever comes out of a machine must
 * also be well-formed. The pattern is not JSON (it has holes): it is walked by hand,
 * and only its scalars go through the reader. No tree is built: looking up a dict
 * entry copies the reader. */
#include "match.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wamp/wire.h"

/* ---- variables --------------------------------------------------------------------- */

static size_t name_length(const char *p)
{
    size_t n = 0;

    while (isalnum((unsigned char)p[n]) || p[n] == '_')
        n++;
    return n;
}

static const char *vars_get(const struct vars *v, const char *name, size_t n)
{
    for (size_t i = 0; i < v->count; i++)
        if (strlen(v->name[i]) == n && !memcmp(v->name[i], name, n))
            return v->value[i];
    return NULL;
}

/* Binds, or compares with what is bound already. */
static bool vars_meet(struct vars *v, const char *name, size_t n, struct slice value)
{
    const char *old = vars_get(v, name, n);

    if (old)
        return slice_is(value, old);
    if (v->count == VARS_MAX)
        return false;
    v->name[v->count] = xstrndup(name, n);
    v->value[v->count++] = xstrndup(value.p, value.n);
    return true;
}

void vars_fini(struct vars *v)
{
    for (size_t i = 0; i < v->count; i++) {
        free(v->name[i]);
        free(v->value[i]);
    }
    *v = (struct vars){ 0 };
}

/* Behind the string that opens at `p`. */
static const char *string_end(const char *p)
{
    for (p++; *p && *p != '"'; p++)
        if (*p == '\\' && p[1])
            p++;
    return *p ? p + 1 : p;
}

char *vars_expand(const struct vars *v, const char *text)
{
    struct buf *out = buf_new(strlen(text) + 64);
    const char *p = text;
    char *s = NULL;

    while (*p) {
        const char *from = p, *value = NULL;

        if (*p == '$') {
            p += 1 + name_length(p + 1);
            value = vars_get(v, from + 1, (size_t)(p - from - 1));
            if (!value)
                goto out;
            buf_append(&out, value, strlen(value));
            continue;
        }
        p = *p == '"' ? string_end(p) : p + 1;
        buf_append(&out, from, (size_t)(p - from));
    }
    s = xstrndup(out->data, out->len);
out:
    buf_unref(out);
    return s;
}

/* ---- JSON -------------------------------------------------------------------------- */

struct match {
    struct vars *vars;
    const char *p; /* what comes next in the pattern */
};

static void blanks(struct match *m)
{
    while (isspace((unsigned char)*m->p))
        m->p++;
}

static bool take(struct match *m, const char *word)
{
    size_t n = strlen(word);

    blanks(m);
    if (strncmp(m->p, word, n) != 0)
        return false;
    m->p += n;
    return true;
}

/* Passes over the value whose first token is `t`. */
static bool pass(struct reader *r, enum token t)
{
    unsigned open = 0;

    for (;; t = reader_next(r)) {
        if (t == TOKEN_ERROR || t == TOKEN_END)
            return false;
        if (t == TOKEN_LIST || t == TOKEN_DICT)
            open++;
        else if (t == TOKEN_LIST_END || t == TOKEN_DICT_END)
            open--;
        if (!open && t != TOKEN_KEY)
            return true;
    }
}

static bool is_text(enum token t)
{
    return t == TOKEN_STRING || t == TOKEN_KEY || t == TOKEN_BINARY;
}

static bool text_same(const struct reader *a, const struct reader *b)
{
    struct buf *sa = NULL, *sb = NULL;
    bool same = slice_eq(reader_text(a, &sa), reader_text(b, &sb));

    buf_unref(sa);
    buf_unref(sb);
    return same;
}

static bool scalar_same(const struct reader *a, enum token ta, const struct reader *b,
                        enum token tb)
{
    if (is_text(ta) && is_text(tb))
        return text_same(a, b);
    if (ta != tb)
        return false;
    if (ta == TOKEN_INT)
        return a->integer == b->integer;
    if (ta == TOKEN_FLOAT) /* exactly the bytes that were expected */
        return !memcmp(&a->number, &b->number, sizeof a->number);
    return ta == TOKEN_NULL || ta == TOKEN_TRUE || ta == TOKEN_FALSE;
}

/* The scalar that comes next in the pattern, read. */
static enum token pattern_scalar(struct match *m, struct reader *r)
{
    const char *from = m->p;

    if (*m->p == '"')
        m->p = string_end(m->p);
    else
        m->p += strcspn(m->p, " \t,:]}");
    reader_init(r, &wire_json, (struct slice){ from, (size_t)(m->p - from) });
    return reader_next(r);
}

static bool meet_variable(struct match *m, struct reader *r, enum token t)
{
    const char *name = ++m->p;
    size_t n = name_length(name);
    char number[24];

    m->p += n;
    if (t == TOKEN_STRING) /* its bytes and the quotes around them */
        return vars_meet(m->vars, name, n,
                         (struct slice){ r->text.p - 1, r->text.n + 2 });
    if (t != TOKEN_INT)
        return false;
    snprintf(number, sizeof number, "%lld", (long long)r->integer);
    return vars_meet(m->vars, name, n, slice_of(number));
}

static bool match_value(struct match *m, struct reader *r, enum token t);

static bool match_list(struct match *m, struct reader *r)
{
    enum token t = reader_next(r);

    while (!take(m, "]")) {
        if (take(m, "...")) {
            while (t != TOKEN_LIST_END) {
                if (!pass(r, t))
                    return false;
                t = reader_next(r);
            }
            continue;
        }
        if (t == TOKEN_LIST_END || !match_value(m, r, t))
            return false;
        t = reader_next(r);
        take(m, ",");
    }
    return t == TOKEN_LIST_END;
}

/* Matches the pattern's next entry against the entry of the dict that `r`, just behind
 * its opening, has of that name. */
static bool match_entry(struct match *m, struct reader r)
{
    struct reader key;
    enum token t = pattern_scalar(m, &key);

    if (t != TOKEN_STRING || !take(m, ":"))
        return false;
    while (reader_next(&r) == TOKEN_KEY) {
        if (text_same(&key, &r))
            return match_value(m, &r, reader_next(&r));
        if (!pass(&r, reader_next(&r)))
            return false;
    }
    return false;
}

static bool match_dict(struct match *m, struct reader *r)
{
    struct reader opening = *r;
    size_t expected = 0, entries = 0;
    bool rest = false;
    enum token t;

    while (!take(m, "}")) {
        if (take(m, "...")) {
            rest = true;
            continue;
        }
        if (!match_entry(m, opening))
            return false;
        expected++;
        take(m, ",");
        blanks(m);
    }
    while ((t = reader_next(r)) == TOKEN_KEY) {
        if (!pass(r, reader_next(r)))
            return false;
        entries++;
    }
    return t == TOKEN_DICT_END && (rest ? entries >= expected : entries == expected);
}

static bool match_value(struct match *m, struct reader *r, enum token t)
{
    struct reader scalar;
    enum token st;

    blanks(m);
    if (t == TOKEN_ERROR)
        return false;
    if (take(m, "*"))
        return pass(r, t);
    if (*m->p == '$')
        return meet_variable(m, r, t);
    if (*m->p == '[')
        return m->p++, t == TOKEN_LIST && match_list(m, r);
    if (*m->p == '{')
        return m->p++, t == TOKEN_DICT && match_dict(m, r);
    st = pattern_scalar(m, &scalar);
    return scalar_same(&scalar, st, r, t);
}

static bool match_json(struct vars *v, const char *pattern, struct slice actual)
{
    struct match m = { v, pattern };
    struct reader r;

    reader_init(&r, &wire_json, actual);
    if (!match_value(&m, &r, reader_next(&r)))
        return false;
    blanks(&m);
    return !*m.p && reader_next(&r) == TOKEN_END;
}

/* ---- rows of items ----------------------------------------------------------------- */

/* The next item of a row: a JSON list, dict or string, or a word. Empty at the end. */
static struct slice item_next(const char **at)
{
    const char *p = *at + strspn(*at, " \t"), *from = p;
    int open = 0;

    while (*p && (open || (*p != ' ' && *p != '\t'))) {
        if (*p == '"') {
            p = string_end(p);
            continue;
        }
        open += (*p == '[' || *p == '{') - (*p == ']' || *p == '}');
        p++;
    }
    *at = p;
    return (struct slice){ from, (size_t)(p - from) };
}

static bool match_item(struct vars *v, struct slice pattern, struct slice actual)
{
    char *text;
    bool ok;

    if (slice_is(pattern, "*"))
        return actual.n > 0;
    if (pattern.n > 1 && pattern.p[0] == '$' && actual.n)
        return vars_meet(v, pattern.p + 1, pattern.n - 1, actual);
    if (!pattern.n || !strchr("[{\"", pattern.p[0]))
        return slice_eq(pattern, actual);
    text = xstrndup(pattern.p, pattern.n);
    ok = match_json(v, text, actual);
    free(text);
    return ok;
}

bool match_text(struct vars *v, const char *pattern, const char *actual)
{
    for (;;) {
        struct slice p = item_next(&pattern), a = item_next(&actual);

        if (slice_is(p, "..."))
            return true;
        if (!p.n && !a.n)
            return true;
        if (!match_item(v, p, a))
            return false;
    }
}
