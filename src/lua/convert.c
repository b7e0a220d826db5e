/* convert.c - Lua values to wire bytes and back. See convert.h.
 *
 * The idea: reading walks tokens straight onto the Lua stack, writing walks the Lua
 * value straight into a writer; there is no tree in between. What a table is (list or
 * dict) is decided by its marker metatable, else by its keys. A path of what is being
 * encoded hangs on the C stack, one frame a level, and is spelled out only when
 * something cannot be encoded.
 *
 * Not known here: messages, clients. */
#include "lua/convert.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lua/errors.h"
#include "lua/state.h"

const char KEY_ARRAY_MT, KEY_KWARGS_MT, KEY_OPTIONS_MT, KEY_BINARY_MT;

/* ---- reading ----------------------------------------------------------------------- */

static void push_text(lua_State *L, const struct reader *r)
{
    struct buf *scratch = NULL;
    struct slice s = reader_text(r, &scratch);

    lua_pushlstring(L, s.p ? s.p : "", s.n);
    buf_unref(scratch);
}

static void push_binary(lua_State *L, const struct reader *r)
{
    lua_createtable(L, 1, 0);
    push_text(L, r);
    lua_rawseti(L, -2, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_BINARY_MT);
    lua_setmetatable(L, -2);
}

static void push_list_value(lua_State *L, struct reader *r)
{
    enum token t;

    luaL_checkstack(L, 4, "nested too deep");
    lua_newtable(L); /* list */
    for (lua_Integer i = 1; (t = reader_next(r)) != TOKEN_LIST_END && t != TOKEN_ERROR;
         i++) {
        push_token(L, r, t);
        lua_rawseti(L, -2, i);
    }
    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_ARRAY_MT);
    lua_setmetatable(L, -2);
}

static void push_dict_value(lua_State *L, struct reader *r)
{
    luaL_checkstack(L, 4, "nested too deep");
    lua_newtable(L); /* dict */
    while (reader_next(r) == TOKEN_KEY) {
        push_text(L, r);
        push_token(L, r, reader_next(r));
        lua_rawset(L, -3);
    }
}

void push_token(lua_State *L, struct reader *r, enum token token)
{
    switch (token) {
    case TOKEN_INT:
        lua_pushinteger(L, (lua_Integer)r->integer);
        break;
    case TOKEN_FLOAT:
        lua_pushnumber(L, r->number);
        break;
    case TOKEN_STRING:
        push_text(L, r);
        break;
    case TOKEN_BINARY:
        push_binary(L, r);
        break;
    case TOKEN_TRUE:
    case TOKEN_FALSE:
        lua_pushboolean(L, token == TOKEN_TRUE);
        break;
    case TOKEN_LIST:
        push_list_value(L, r);
        break;
    case TOKEN_DICT:
        push_dict_value(L, r);
        break;
    default:
        lua_pushlightuserdata(L, NULL); /* wampy.null; nothing else can stand here */
    }
}

void push_value(lua_State *L, const struct wire *wire, struct slice bytes)
{
    struct reader r;

    reader_init(&r, wire, bytes);
    push_token(L, &r, reader_next(&r));
}

int push_elements(lua_State *L, const struct wire *wire, struct slice bytes)
{
    struct reader r;
    enum token t;
    int n = 0;

    if (!bytes.p)
        return 0;
    reader_init(&r, wire, bytes);
    t = reader_next(&r); /* the list begins */
    if (t != TOKEN_LIST) {
        push_token(L, &r, t);
        return 1;
    }
    while ((t = reader_next(&r)) != TOKEN_LIST_END && t != TOKEN_ERROR) {
        luaL_checkstack(L, 4, "too many arguments");
        if (t == TOKEN_NULL)
            lua_pushnil(L);
        else
            push_token(L, &r, t);
        n++;
    }
    return n;
}

void push_dict(lua_State *L, const struct wire *wire, struct slice bytes)
{
    if (bytes.p)
        push_value(L, wire, bytes);
    else
        lua_newtable(L);
}

/* ---- writing ----------------------------------------------------------------------- */

struct frame { /* one step of the path to what is being encoded */
    const struct frame *up;
    const char *key; /* NULL: an index */
    lua_Integer index;
};

struct encoder {
    lua_State *L;
    struct writer *w;
    const char *root;
    int depth;
};

static size_t spell(const struct frame *f, const char *root, char *out, size_t size)
{
    size_t n;

    if (!f)
        return (size_t)snprintf(out, size, "%s", root);
    n = spell(f->up, root, out, size);
    if (n >= size)
        return n;
    if (f->key)
        return n +
               (size_t)snprintf(out + n, size - n, *root || f->up ? ".%s" : "%s", f->key);
    return n + (size_t)snprintf(out + n, size - n, "[%lld]", (long long)f->index);
}

static void refuse(const struct encoder *e, const struct frame *f, const char *what)
{
    char path[200];

    spell(f, e->root, path, sizeof path);
    raise_error(e->L, "WampyError", "%s: %s", path, what);
}

static void write_at(struct encoder *e, int idx, const struct frame *f);

bool has_mt(lua_State *L, int idx, const char *key)
{
    bool yes;

    if (!lua_getmetatable(L, idx))
        return false;
    lua_rawgetp(L, LUA_REGISTRYINDEX, key);
    yes = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return yes;
}

static void write_text(struct encoder *e, int idx, const struct frame *f)
{
    struct slice s;

    s.p = lua_tolstring(e->L, idx, &s.n);
    if (!utf8_ok(s))
        refuse(e, f, "invalid UTF-8 (wampy.binary sends bytes)");
    if (s.n && !s.p[0] && e->w->wire->text)
        refuse(e, f,
               "text that begins with U+0000 would be read as bytes (use wampy.binary)");
    writer_string(e->w, s);
}

static void write_number(struct encoder *e, int idx, const struct frame *f)
{
    double d;

    if (lua_isinteger(e->L, idx)) {
        writer_int(e->w, lua_tointeger(e->L, idx));
        return;
    }
    d = lua_tonumber(e->L, idx);
    if (!isfinite(d))
        refuse(e, f, isnan(d) ? "not a number (NaN)" : "an infinite number");
    writer_float(e->w, d);
}

/* What the keys say: -1 mixed or sparse, otherwise the number of entries; *list when
 * they are exactly 1..n. An empty table is a dict. */
static lua_Integer measure(lua_State *L, int idx, bool *list)
{
    lua_Integer n = 0, length = (lua_Integer)lua_rawlen(L, idx);
    bool strings = true, indexes = true;

    lua_pushnil(L);
    while (lua_next(L, idx)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            strings = false;
        if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) < 1 ||
            lua_tointeger(L, -1) > length)
            indexes = false;
        n++;
    }
    *list = n && indexes && n == length;
    return strings || *list ? n : -1;
}

static void write_list(struct encoder *e, int idx, const struct frame *f, lua_Integer n)
{
    writer_list(e->w, (size_t)n);
    for (lua_Integer i = 1; i <= n; i++) {
        struct frame at = { f, NULL, i };

        lua_rawgeti(e->L, idx, i);
        write_at(e, lua_gettop(e->L), &at);
        lua_pop(e->L, 1);
    }
    writer_list_end(e->w);
}

static void write_dict(struct encoder *e, int idx, const struct frame *f, lua_Integer n)
{
    lua_State *L = e->L;

    writer_dict(e->w, (size_t)n);
    lua_pushnil(L);
    while (lua_next(L, idx)) { /* key value */
        struct frame at = { f, lua_tostring(L, -2), 0 };
        struct slice key;

        key.p = lua_tolstring(L, -2, &key.n);
        if (!utf8_ok(key))
            refuse(e, &at, "the key is invalid UTF-8");
        writer_key(e->w, key);
        write_at(e, lua_gettop(L), &at);
        lua_pop(L, 1);
    }
    writer_dict_end(e->w);
}

/* Marked by cjson: cjson.array_mt, cjson.empty_array_mt (where the installed cjson has
 * them). */
static bool cjson_list(lua_State *L, int idx)
{
    bool yes = false;

    if (!lua_getmetatable(L, idx))
        return false;
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE); /* mt loaded */
    if (lua_getfield(L, -1, "cjson") == LUA_TTABLE) {
        lua_getfield(L, -1, "array_mt");       /* mt loaded cjson array_mt */
        lua_getfield(L, -2, "empty_array_mt"); /* mt loaded cjson array_mt empty_mt */
        yes = lua_rawequal(L, -2, -5) || (lua_rawequal(L, -1, -5) && !lua_rawlen(L, idx));
        lua_pop(L, 2);
    }
    lua_pop(L, 3);
    return yes;
}

static void write_table(struct encoder *e, int idx, const struct frame *f)
{
    lua_State *L = e->L;
    bool list;
    lua_Integer n;

    if (++e->depth > LIMIT_DEPTH)
        refuse(e, f, "the message would nest deeper than 128, or a cycle");
    luaL_checkstack(L, 8, "nested too deep");
    n = measure(L, idx, &list);
    if (has_mt(L, idx, &KEY_ARRAY_MT) || (!list && cjson_list(L, idx))) {
        if (!list && n != 0)
            refuse(e, f, "marked as a list, but has other keys than 1 to n");
        list = true;
    }
    if (n < 0)
        refuse(e, f,
               "a table must be a list (keys 1 to n, no holes) or a dict (string keys)");
    if (list)
        write_list(e, idx, f, n);
    else
        write_dict(e, idx, f, n);
    e->depth--;
}

static void write_at(struct encoder *e, int idx, const struct frame *f)
{
    lua_State *L = e->L;

    switch (lua_type(L, idx)) {
    case LUA_TNIL:
        writer_null(e->w);
        return;
    case LUA_TBOOLEAN:
        writer_bool(e->w, lua_toboolean(L, idx));
        return;
    case LUA_TNUMBER:
        write_number(e, idx, f);
        return;
    case LUA_TSTRING:
        write_text(e, idx, f);
        return;
    case LUA_TTABLE:
        if (has_mt(L, idx, &KEY_BINARY_MT)) {
            struct slice s = { 0 };

            lua_rawgeti(L, idx, 1);
            s.p = lua_tolstring(L, -1, &s.n);
            if (!s.p)
                refuse(e, f, "a wampy.binary without its string");
            writer_binary(e->w, s);
            lua_pop(L, 1);
        } else {
            write_table(e, idx, f);
        }
        return;
    case LUA_TLIGHTUSERDATA:
        if (!lua_touserdata(L, idx)) {
            writer_null(e->w);
            return;
        }
        lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
        if (lua_getfield(L, -1, "cjson") == LUA_TTABLE) {
            lua_getfield(L, -1, "empty_array");
            if (lua_rawequal(L, -1, idx)) {
                lua_pop(L, 3);
                writer_list(e->w, 0);
                writer_list_end(e->w);
                return;
            }
        }
        /* fall through */
    default:
        refuse(e, f, lua_pushfstring(L, "a %s cannot be sent", luaL_typename(L, idx)));
    }
}

/* What a value of a payload stands in: the message's list, and the list or dict of the
 * payload. A whole message nests LIMIT_DEPTH deep, or the receiver ends the session over
 * it. */
#define PAYLOAD_DEPTH 2

void write_value(lua_State *L, struct writer *w, int idx, const char *root)
{
    struct encoder e = { L, w, root, 0 };

    write_at(&e, lua_absindex(L, idx), NULL);
}

void write_nested(lua_State *L, struct writer *w, int idx, const char *root)
{
    struct encoder e = { L, w, root, PAYLOAD_DEPTH };

    write_at(&e, lua_absindex(L, idx), NULL);
}

struct slice write_args(lua_State *L, struct writer *w, int first, int last)
{
    struct encoder e = { L, w, "args", PAYLOAD_DEPTH };

    while (last >= first && lua_isnil(L, last))
        last--;
    if (last < first)
        return (struct slice){ 0 };
    writer_list(w, (size_t)(last - first + 1));
    for (int i = first; i <= last; i++) {
        struct frame at = { NULL, NULL, i - first + 1 };

        write_at(&e, i, &at);
    }
    writer_list_end(w);
    return slice_buf(w->buf);
}

struct slice write_kwargs(lua_State *L, struct writer *w, int idx)
{
    struct encoder e = { L, w, "kwargs", PAYLOAD_DEPTH };
    bool list;
    lua_Integer n = measure(L, idx, &list);

    if (n < 0 || list)
        raise_error(L, "WampyError", "kwargs: keys must be strings");
    if (n == 0)
        return (struct slice){ 0 };
    write_dict(&e, idx, NULL, n);
    return slice_buf(w->buf);
}

/* ---- the rest ---------------------------------------------------------------------- */

struct slice check_slice(lua_State *L, int idx)
{
    struct slice s;

    s.p = luaL_checklstring(L, idx, &s.n);
    return s;
}

void convert_open(lua_State *L)
{
    static const char *const keys[] = { &KEY_ARRAY_MT, &KEY_KWARGS_MT, &KEY_OPTIONS_MT,
                                        &KEY_BINARY_MT };

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        lua_newtable(L);
        lua_rawsetp(L, LUA_REGISTRYINDEX, keys[i]);
    }
}
