/* test_json.c - which texts are JSON, and that every way through a text comes to the same
 * result.
 *
 * The texts are the files of tests/json (or of the folder that $JSON_DIR names): y_ must
 * be accepted, n_ rejected, i_ either, where RFC 8259 leaves the choice. The name says
 * the rule. Each file is read as a whole and cut off behind each of its first bytes,
 * token by token and by skip; texts lie at the very end of their allocation, so that the
 * address sanitizer sees a reader that goes too far. Values of strings and numbers are
 * tested in test_json_string.c and test_json_number.c. */
#include <dirent.h>
#include <stdlib.h>

#include "base/mem.h"
#include "check.h"
#include "walk.h"

void test_json(void);

#define FILES_MIN 250
#define CUT_MAX 2000 /* bytes behind which a file is cut off */

/* ---- files ------------------------------------------------------------------------- */

static void complain(const char *name, size_t n, const char *what)
{
    char text[800];

    snprintf(text, sizeof text, "%.500s, first %zu bytes: %s", name, n, what);
    check_fail(__FILE__, __LINE__, text);
}

/* Whether the text is accepted. Complains when two ways disagree, in words or place. */
static bool accepted(const char *name, struct slice text)
{
    struct outcome next = walk_next(&wire_json, text), skip = walk_skip(&wire_json, text),
                   again = walk_next(&wire_json, text);

    if (!outcome_eq(next, skip)) {
        complain(name, text.n, "next and skip disagree");
        complain(name, next.at, next.error ? next.error : "next accepts");
        complain(name, skip.at, skip.error ? skip.error : "skip accepts");
    }
    if (!outcome_eq(next, again))
        complain(name, text.n, "the second time is different");
    return !next.error;
}

/* What is accepted survives being written, with and without splicing. */
static void check_copy(const char *name, struct slice text)
{
    for (uint64_t seed = 0; seed < 9; seed++) {
        struct buf *copy;

        if (walk_copy(&wire_json, text, seed * 0x9E3779B97F4A7C15ULL, &copy).error)
            complain(name, text.n, "skipping here and there rejects it");
        if (!walk_same(&wire_json, text, slice_buf(copy)))
            complain(name, text.n, "its copy is something else");
        buf_unref(copy);
    }
}

/* Where the value of an accepted text ends. */
static size_t value_end(struct slice text)
{
    struct reader r;
    struct slice value;

    reader_init(&r, &wire_json, text);
    return reader_skip(&r, &value) ? (size_t)(value.p + value.n - text.p) : 0;
}

/* Cut off, a good text is bad, unless only white space went or it is a number. */
static void check_cut(const char *name, struct slice text)
{
    bool good = name[0] == 'y';
    size_t end = good ? value_end(text) : 0;
    bool number = good && end && text.p[end - 1] >= '0' && text.p[end - 1] <= '9';

    for (size_t n = 0; n < text.n && n < CUT_MAX; n++) {
        char *cut = xmalloc(n);
        bool ok;

        memcpy(cut, text.p, n);
        ok = accepted(name, (struct slice){ cut, n });
        if (good && !number && ok != (n >= end))
            complain(name, n, ok ? "accepted" : "rejected");
        free(cut);
    }
}

static void check_file(const char *name, struct slice text)
{
    bool ok = accepted(name, text);

    if (name[0] == 'y' && !ok)
        complain(name, text.n, "rejected");
    if (name[0] == 'n' && ok)
        complain(name, text.n, "accepted");
    if (ok)
        check_copy(name, text);
    check_cut(name, text);
}

static bool read_file(const char *dir, const char *name)
{
    char path[600], *bytes;
    long n;
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) || (n = ftell(f)) < 0) {
        complain(path, 0, "cannot be read");
        return false;
    }
    rewind(f);
    bytes = xmalloc((size_t)n);
    if (fread(bytes, 1, (size_t)n, f) != (size_t)n)
        complain(path, 0, "cannot be read");
    fclose(f);
    check_file(name, (struct slice){ bytes, (size_t)n });
    free(bytes);
    return true;
}

static void files(void)
{
    const char *dir = getenv("JSON_DIR");
    struct dirent *e;
    int n = 0;
    DIR *d;

    TEST("accepts and rejects the files of tests/json as their names say");
    dir = dir ? dir : "tests/json";
    d = opendir(dir);
    while (d && (e = readdir(d)))
        if (strchr("yni", e->d_name[0]) && e->d_name[1] == '_')
            n += read_file(dir, e->d_name);
    if (d)
        closedir(d);
    if (n < FILES_MIN)
        complain(dir, 0, "too few files found");
}

/* ---- errors ------------------------------------------------------------------------ */

static void errors(void)
{
    static const struct {
        const char *text, *error;
        size_t at;
    } cases[] = {
        { "", "unexpected end", 0 },
        { "  ", "unexpected end", 2 },
        { "[1", "unexpected end", 2 },
        { "\"abc", "unexpected end", 4 },
        { "{\"a\"", "unexpected end", 4 },
        { "tru", "unexpected end", 3 },
        { "-", "unexpected end", 1 },
        { "x", "expected a value", 0 },
        { "[1,]", "expected a value", 3 },
        { "[}", "expected a value", 1 },
        { "[1 2]", "expected ',' or ']'", 3 },
        { "{\"a\":1]", "expected ',' or '}'", 6 },
        { "{\"a\":1,}", "expected a key", 7 },
        { "{1:2}", "expected a key", 1 },
        { "{\"a\" 1}", "expected ':'", 5 },
        { "[nul]", "expected null, true or false", 4 },
        { "[-x]", "expected a digit", 2 },
        { "[1.]", "expected a digit", 3 },
        { "[1e+]", "expected a digit", 4 },
        { "[01]", "digit behind a leading 0", 2 },
        { "[1,1e400]", "number out of range", 3 },
        { "\"a\tb\"", "control character in a string", 2 },
        { "\"ab\\x\"", "invalid escape", 3 },
        { "\"\\ud800\"", "invalid escape", 1 },
        { "\"abcdefghi\xff\"", "invalid UTF-8", 10 },
        { "[] []", "text behind the value", 3 },
    };

    TEST("says what is wrong and where");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome o = walk_next(&wire_json, slice_of(cases[i].text));

        CHECK_STR(o.error, cases[i].error);
        CHECK_INT(o.at, cases[i].at);
        CHECK(outcome_eq(o, walk_skip(&wire_json, slice_of(cases[i].text))));
    }
}

static void absorbing(void)
{
    struct reader r;
    struct slice value;

    TEST("stays in error after the first one, and at the end after the end");
    reader_init(&r, &wire_json, SLICE("[x,1]"));
    CHECK(reader_next(&r) == TOKEN_LIST);
    CHECK(reader_next(&r) == TOKEN_ERROR);
    CHECK(reader_next(&r) == TOKEN_ERROR && !reader_skip(&r, &value));
    CHECK_INT(r.p - r.start, 1);
    reader_init(&r, &wire_json, SLICE("1 "));
    CHECK(reader_next(&r) == TOKEN_INT);
    CHECK(reader_next(&r) == TOKEN_END && reader_next(&r) == TOKEN_END);
    CHECK(!reader_skip(&r, &value) && !r.error);

    TEST("an absent slice is an empty text");
    CHECK_STR(walk_next(&wire_json, (struct slice){ 0 }).error, "unexpected end");
    CHECK_STR(walk_skip(&wire_json, (struct slice){ 0 }).error, "unexpected end");
}

/* ---- depth and skip ---------------------------------------------------------------- */

static void depth(void)
{
    char text[400], expected[40];
    struct outcome o;

    TEST("the limit of depth is the one of limits.h, and named in the error");
    memset(text, '[', LIMIT_DEPTH);
    memset(text + LIMIT_DEPTH, ']', LIMIT_DEPTH);
    CHECK(!walk_next(&wire_json, (struct slice){ text, 2 * LIMIT_DEPTH }).error);
    memset(text, '[', LIMIT_DEPTH + 1);
    o = walk_skip(&wire_json, (struct slice){ text, LIMIT_DEPTH + 1 });
    snprintf(expected, sizeof expected, "nested deeper than %d", LIMIT_DEPTH);
    CHECK_STR(o.error, expected);
    CHECK_INT(o.at, LIMIT_DEPTH);

    TEST("skip counts the containers that next has opened");
    for (int opened = 0; opened <= LIMIT_DEPTH; opened++) {
        struct reader r;
        struct slice value;

        reader_init(&r, &wire_json, (struct slice){ text, LIMIT_DEPTH + 1 });
        for (int i = 0; i < opened; i++)
            reader_next(&r);
        CHECK(!reader_skip(&r, &value));
        CHECK_STR(r.error, expected);
    }
}

static void skip(void)
{
    struct reader r;
    struct slice v;

    TEST("skip gives a value's bytes without the white space around");
    reader_init(&r, &wire_json,
                SLICE(" [ 48 , { \"a\" : [ ] } ,\"x\", {\"k\" : -1e5 } ] "));
    CHECK(reader_next(&r) == TOKEN_LIST);
    CHECK(reader_next(&r) == TOKEN_INT);
    CHECK(reader_skip(&r, &v) && slice_is(v, "{ \"a\" : [ ] }"));
    CHECK(reader_skip(&r, &v) && slice_is(v, "\"x\""));
    CHECK(reader_next(&r) == TOKEN_DICT);

    TEST("skip takes a dict's values and leaves its keys and ends to next");
    CHECK(!reader_skip(&r, &v) && !r.error);
    CHECK(reader_next(&r) == TOKEN_KEY);
    CHECK(reader_skip(&r, &v) && slice_is(v, "-1e5"));
    CHECK(!reader_skip(&r, &v) && !r.error);
    CHECK(reader_next(&r) == TOKEN_DICT_END);
    CHECK(!reader_skip(&r, &v) && !r.error);
    CHECK(reader_next(&r) == TOKEN_LIST_END && reader_next(&r) == TOKEN_END);

    TEST("skip in an empty list finds no value, and behind a comma must find one");
    reader_init(&r, &wire_json, SLICE("[ ]"));
    CHECK(reader_next(&r) == TOKEN_LIST);
    CHECK(!reader_skip(&r, &v) && !r.error);
    CHECK(reader_next(&r) == TOKEN_LIST_END);
    reader_init(&r, &wire_json, SLICE("[1 , ]"));
    CHECK(reader_next(&r) == TOKEN_LIST);
    CHECK(reader_skip(&r, &v) && slice_is(v, "1"));
    CHECK(!reader_skip(&r, &v));
    CHECK_STR(r.error, "expected a value");
}

void test_json(void)
{
    files();
    errors();
    absorbing();
    depth();
    skip();
}
