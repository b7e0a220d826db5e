/* test_json_cjson.c - our reader against lua-cjson, where lua-cjson is right.
 *
 * Random texts (fixed seeds) are decoded by lua-cjson, and our tokens compared with the
 * Lua value; then lua-cjson encodes that value, and our tokens of its text are compared
 * with it again. Without the module the test says so and passes.
 *
 * Left out, because there the disagreement is lua-cjson's (2.1.0): it makes every number
 * a float, so integers are compared as numbers and stay below 2^53 (10^14 where it
 * encodes: it prints 14 digits); it makes [] an empty table and writes it as {}, so empty
 * containers are only compared as empty; it accepts NaN, Infinity, hexadecimal numbers,
 * leading zeros and invalid UTF-8, so only good texts are compared; it keeps the last of
 * duplicate keys, so there are none; it does not know binary, so no string begins with
 * U+0000; null as a dict's value is kept by its own mark, which is what is compared. */
#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>

#include "check.h"
#include "walk.h"

void test_json_cjson(void);

struct text {
    struct buf *b;
    uint64_t seed;
    unsigned keys;
    uint64_t integers; /* all are below */
};

/* ---- random texts ------------------------------------------------------------------ */

static void add(struct text *t, const char *s)
{
    buf_append(&t->b, s, strlen(s));
}

static void add_space(struct text *t)
{
    static const char *const some[] = { " ", "\n", "\t", "\r\n  " };

    if (random_below(&t->seed, 6) == 0)
        add(t, some[random_below(&t->seed, 4)]);
}

static void add_characters(struct text *t)
{
    static const char *const some[] = { "\\\"",
                                        "\\\\",
                                        "\\/",
                                        "\\b",
                                        "\\f",
                                        "\\n",
                                        "\\r",
                                        "\\t",
                                        "\\u0000",
                                        "\\u001f",
                                        "\\u007f",
                                        "\\u00e9",
                                        "\\u20AC",
                                        "\\ud83d\\ude00",
                                        "\\uFFFF",
                                        "\\ud800\\udc00",
                                        "\\udbff\\udfff",
                                        "/",
                                        "'",
                                        "\x7f",
                                        "\xc3\xa9",
                                        "\xd0\xb6",
                                        "\xe2\x82\xac",
                                        "\xf0\x9f\x98\x80",
                                        "abcdefghijkl" };
    char c[2] = { (char)('a' + random_below(&t->seed, 26)), 0 };
    unsigned pick = random_below(&t->seed, 60);

    add(t, pick < sizeof some / sizeof *some ? some[pick] : c);
}

static void add_string(struct text *t, const char *first)
{
    add(t, "\"");
    add(t, first);
    for (unsigned n = random_below(&t->seed, 20); n > 0; n--)
        add_characters(t);
    add(t, "\"");
}

static void add_number(struct text *t)
{
    uint64_t i = random_next(&t->seed) % t->integers;
    const char *sign = random_below(&t->seed, 3) ? "" : "-";
    char s[80];

    i >>= random_below(&t->seed, 40);
    if (random_below(&t->seed, 2))
        snprintf(s, sizeof s, "%s%llu", sign, (unsigned long long)i);
    else if (random_below(&t->seed, 2))
        snprintf(s, sizeof s, "%s%u.%u", sign, random_below(&t->seed, 100000),
                 random_below(&t->seed, 1000000));
    else
        snprintf(s, sizeof s, "%s%u.%uE%d", sign, random_below(&t->seed, 10),
                 random_below(&t->seed, 100000), (int)random_below(&t->seed, 600) - 300);
    add(t, s);
}

static void add_value(struct text *t, unsigned depth);

static void add_container(struct text *t, unsigned depth, bool dict)
{
    char key[24];

    add(t, dict ? "{" : "[");
    for (unsigned n = random_below(&t->seed, 5), i = 0; i < n; i++) {
        add(t, i ? "," : "");
        add_space(t);
        if (dict) {
            snprintf(key, sizeof key, "k%u.", t->keys++);
            add_string(t, key);
            add_space(t);
            add(t, ":");
        }
        add_space(t);
        add_value(t, depth + 1);
        add_space(t);
    }
    add(t, dict ? "}" : "]");
}

static void add_value(struct text *t, unsigned depth)
{
    static const char *const literals[] = { "null", "true", "false" };
    unsigned pick = random_below(&t->seed, depth < 12 ? 10 : 4);

    if (pick == 0)
        add(t, literals[random_below(&t->seed, 3)]);
    else if (pick == 1)
        add_string(t, random_below(&t->seed, 3) ? "x" : "\\u00fc");
    else if (pick < 4)
        add_number(t);
    else
        add_container(t, depth, pick % 2);
}

/* ---- comparing --------------------------------------------------------------------- */

static bool same_string(lua_State *L, const struct reader *r)
{
    struct buf *scratch = NULL;
    struct slice theirs;
    bool same;

    theirs.p = lua_tolstring(L, -1, &theirs.n);
    same = lua_type(L, -1) == LUA_TSTRING && slice_eq(theirs, reader_text(r, &scratch));
    buf_unref(scratch);
    return same;
}

static bool same_value(lua_State *L, struct reader *r, enum token t);

static bool same_list(lua_State *L, struct reader *r)
{
    lua_Unsigned n = 0;
    enum token t;
    bool same = lua_istable(L, -1);

    while (same && (t = reader_next(r)) != TOKEN_LIST_END) {
        lua_rawgeti(L, -1, (lua_Integer)++n); /* list value */
        same = same_value(L, r, t);
        lua_pop(L, 1); /* list */
    }
    return same && lua_rawlen(L, -1) == n;
}

static int count(lua_State *L)
{
    int n = 0;

    for (lua_pushnil(L); lua_next(L, -2); n++) /* dict key value */
        lua_pop(L, 1);                         /* dict key */
    return n;
}

static bool same_dict(lua_State *L, struct reader *r)
{
    bool same = lua_istable(L, -1);
    int n = 0;

    while (same && reader_next(r) == TOKEN_KEY) {
        struct buf *scratch = NULL;
        struct slice key = reader_text(r, &scratch);

        lua_pushlstring(L, key.p, key.n); /* dict key */
        lua_rawget(L, -2);                /* dict value */
        buf_unref(scratch);
        same = same_value(L, r, reader_next(r));
        lua_pop(L, 1); /* dict */
        n++;
    }
    return same && count(L) == n;
}

/* Compares the value that token `t` begins with the Lua value on top. */
static bool same_value(lua_State *L, struct reader *r, enum token t)
{
    switch (t) {
    case TOKEN_NULL:
        return lua_islightuserdata(L, -1) && !lua_touserdata(L, -1);
    case TOKEN_TRUE:
    case TOKEN_FALSE:
        return lua_isboolean(L, -1) && lua_toboolean(L, -1) == (t == TOKEN_TRUE);
    case TOKEN_INT:
        return lua_type(L, -1) == LUA_TNUMBER &&
               lua_tonumber(L, -1) == (double)r->integer;
    case TOKEN_FLOAT:
        return lua_type(L, -1) == LUA_TNUMBER && lua_tonumber(L, -1) == r->number;
    case TOKEN_STRING:
        return same_string(L, r);
    case TOKEN_LIST:
        return same_list(L, r);
    case TOKEN_DICT:
        return same_dict(L, r);
    default:
        return false;
    }
}

static bool same(lua_State *L, struct slice text)
{
    struct reader r;

    reader_init(&r, &wire_json, text);
    return same_value(L, &r, reader_next(&r)) && reader_next(&r) == TOKEN_END;
}

/* ---- the tests --------------------------------------------------------------------- */

/* cjson[verb](top) replaces the top. False when it raises. */
static bool apply(lua_State *L, const char *verb)
{
    lua_getfield(L, 1, verb); /* value function */
    lua_insert(L, -2);        /* function value */
    return lua_pcall(L, 1, 1, 0) == LUA_OK;
}

static void complain(struct slice text, const char *what)
{
    char s[500];

    snprintf(s, sizeof s, "%s: %.*s", what, (int)(text.n < 400 ? text.n : 400), text.p);
    check_fail(__FILE__, __LINE__, s);
}

/* Lets lua-cjson encode the value on top, and compares our tokens of its text with the
 * value. */
static void check_encoded(lua_State *L, struct slice text)
{
    struct slice theirs;

    lua_pushvalue(L, -1); /* value value */
    if (!apply(L, "encode")) {
        complain(text, lua_tostring(L, -1));
        return;
    }
    theirs.p = lua_tolstring(L, -1, &theirs.n); /* value encoded */
    lua_insert(L, -2);                          /* encoded value */
    if (!same(L, theirs))
        complain(theirs, "written by lua-cjson and read differently");
}

static void check_text(lua_State *L, struct slice text, bool encode)
{
    lua_pushlstring(L, text.p, text.n); /* cjson text */
    if (!apply(L, "decode"))            /* cjson value */
        complain(text, lua_tostring(L, -1));
    else if (!same(L, text))
        complain(text, "read differently");
    else if (encode)
        check_encoded(L, text);
    lua_settop(L, 1);
}

/* With `encode`, lua-cjson's 14 digits must be enough, also for floats: those written
 * here have at most 11. */
static void check_texts(lua_State *L, uint64_t seeds, uint64_t integers, bool encode)
{
    size_t bytes = 0;

    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct text t = { .seed = seed * 0x9E3779B97F4A7C15ULL, .integers = integers };

        t.b = buf_new(1000);
        add_container(&t, 0, seed % 2);
        check_text(L, slice_buf(t.b), encode);
        bytes += t.b->len;
        buf_unref(t.b);
    }
    CHECK(bytes > 100 * seeds);
}

void test_json_cjson(void)
{
    lua_State *L = luaL_newstate();

    luaL_openlibs(L);
    lua_getglobal(L, "require"); /* require */
    lua_pushliteral(L, "cjson"); /* require "cjson" */
    if (lua_pcall(L, 1, 1, 0)) { /* cjson */
        printf("unit: no lua-cjson here, JSON is not compared with it\n");
        lua_close(L);
        return;
    }
    TEST("reads what lua-cjson reads, integers below 2^53");
    check_texts(L, 2000, 1ULL << 53, false);
    TEST("reads what lua-cjson writes");
    check_texts(L, 2000, 100000000000000ULL, true);
    lua_close(L);
}
