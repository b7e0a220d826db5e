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

static bool has_mt(lua_State *L, int idx, const char *key)
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

static void write_nested(lua_State *L, struct writer *w, int idx, const char *root,
                         int depth)
{
    struct encoder e = { L, w, root, depth };

    write_at(&e, lua_absindex(L, idx), NULL);
}

void write_value(lua_State *L, struct writer *w, int idx, const char *root)
{
    write_nested(L, w, idx, root, 0);
}

/* ---- payloads ---------------------------------------------------------------------- */

#define GIANT (1024 * 1024) /* bytes of scratch that are not kept for the next message */

void scratch_spare(struct state *S)
{
    for (size_t i = 0; i < sizeof S->scratch / sizeof *S->scratch; i++)
        if (S->scratch[i].buf && S->scratch[i].buf->cap > GIANT)
            writer_fini(&S->scratch[i]);
}

static struct writer *fresh(struct writer *w, const struct wire *wire)
{
    if (!w->buf)
        w->buf = buf_new(512);
    w->buf->len = 0;
    w->wire = wire;
    return w;
}

struct writer *scratch_writer(struct state *S, const struct wire *wire)
{
    return fresh(&S->scratch[0], wire);
}

/* An option's value: integral floats go out as integers. */
static void write_option(lua_State *L, struct writer *w, const char *key)
{
    lua_Integer i;
    char path[64];

    if (lua_type(L, -1) == LUA_TNUMBER && lua_isinteger(L, -1) == 0 &&
        lua_tonumber(L, -1) == floor(lua_tonumber(L, -1)) &&
        fabs(lua_tonumber(L, -1)) < 9007199254740992.0) {
        i = (lua_Integer)lua_tonumber(L, -1);
        writer_int(w, i);
        return;
    }
    snprintf(path, sizeof path, "options.%s", key);
    write_nested(L, w, -1, path, PAYLOAD_DEPTH);
}

/* Options that are ours and not sent. True when `key` is one; p may be NULL where
 * there are none. */
static bool own_option(lua_State *L, const char *key, struct payload *p)
{
    if (!p)
        return false;
    if (!strcmp(key, "timeout")) {
        p->timeout = lua_tonumber(L, -1);
        if (lua_type(L, -1) != LUA_TNUMBER || !(p->timeout >= 0))
            raise_error(L, "WampyError",
                        "options.timeout: expected seconds (a number >= 0)");
        return true;
    }
    if (!strcmp(key, "on_progress")) {
        if (lua_type(L, -1) != LUA_TFUNCTION)
            raise_error(L, "WampyError", "options.on_progress: expected a function");
        p->form |= CALL_RESULTS;
        return true;
    }
    if (!strcmp(key, "buffer")) {
        if (lua_type(L, -1) != LUA_TNUMBER || lua_tointeger(L, -1) < 1)
            raise_error(L, "WampyError", "options.buffer: expected an integer >= 1");
        p->buffer = (size_t)lua_tointeger(L, -1);
        return true;
    }
    if (!strcmp(key, "progress") && lua_toboolean(L, -1))
        raise_error(L, "WampyError",
                    "options.progress: client:open makes calls whose arguments come in "
                    "parts");
    return false;
}

/* How many options are sent. */
static size_t count_options(lua_State *L, int idx, struct payload *p)
{
    size_t n = 0;

    lua_pushnil(L);
    while (lua_next(L, idx)) { /* key value */
        if (lua_type(L, -2) != LUA_TSTRING)
            raise_error(L, "WampyError", "options: keys must be strings");
        n += !own_option(L, lua_tostring(L, -2), p);
        lua_pop(L, 1);
    }
    return n;
}

static void write_given(lua_State *L, struct writer *w, int idx, struct payload *p)
{
    lua_pushnil(L);
    while (lua_next(L, idx)) { /* key value */
        const char *key = lua_tostring(L, -2);

        if (!own_option(L, key, p)) {
            writer_key(w, slice_of(p && !strcmp(key, "timeout_ms") ? "timeout" : key));
            write_option(L, w, key);
        }
        lua_pop(L, 1);
    }
}

static void write_true(struct writer *w, struct slice key)
{
    writer_key(w, key);
    writer_bool(w, true);
}

/* Without a table (idx 0) what the form says is all. */
static void write_options(lua_State *L, struct writer *w, int idx, struct payload *p)
{
    size_t n = idx ? count_options(L, idx, p) : 0;
    bool results = p && p->form & CALL_RESULTS, parts = p && p->form & CALL_PARTS;

    writer_dict(w, n + results + parts);
    if (idx)
        write_given(L, w, idx, p);
    if (results)
        write_true(w, SLICE("receive_progress"));
    if (parts)
        write_true(w, SLICE("progress"));
    writer_dict_end(w);
}

struct slice check_options(lua_State *L, struct state *S, const struct wire *wire,
                           int idx)
{
    struct writer *w = fresh(&S->scratch[2], wire);

    if (lua_isnoneornil(L, idx))
        return (struct slice){ 0 };
    luaL_checktype(L, idx, LUA_TTABLE);
    write_options(L, w, lua_absindex(L, idx), NULL);
    return slice_buf(w->buf);
}

/* Encodes the positional arguments first..last, trailing nils left off. */
static struct slice write_args(lua_State *L, struct writer *w, int first, int last)
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

static struct slice write_kwargs(lua_State *L, struct writer *w, int idx)
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

bool has_options(lua_State *L, int first)
{
    int last = lua_gettop(L);

    for (int i = last; i >= first && i > last - 2; i--)
        if (has_mt(L, i, &KEY_OPTIONS_MT))
            return true;
    return false;
}

void check_payload(lua_State *L, struct state *S, const struct wire *wire, int first,
                   struct payload *p)
{
    p->form = 0;
    check_call(L, S, wire, first, p);
}

void check_call(lua_State *L, struct state *S, const struct wire *wire, int first,
                struct payload *p)
{
    int last = lua_gettop(L), kwargs = 0, options = 0;

    for (; last >= first && lua_istable(L, last); last--) {
        if (!kwargs && has_mt(L, last, &KEY_KWARGS_MT))
            kwargs = last;
        else if (!options && has_mt(L, last, &KEY_OPTIONS_MT))
            options = last;
        else
            break;
    }
    *p =
        (struct payload){ .form = p->form, .timeout = -1, .buffer = LIMIT_STREAM_BUFFER };
    if (options || p->form) {
        write_options(L, fresh(&S->scratch[2], wire), options, p);
        p->options = slice_buf(S->scratch[2].buf);
    }
    p->given = options;
    if (options) {
        lua_getfield(L, options, "acknowledge");
        p->acknowledge = lua_toboolean(L, -1);
        lua_pop(L, 1);
        lua_getfield(L, options, "on_progress");
        p->on_progress = lua_isnil(L, -1) ? 0 : lua_gettop(L);
    }
    if (kwargs)
        p->kwargs = write_kwargs(L, fresh(&S->scratch[1], wire), kwargs);
    p->args = write_args(L, fresh(&S->scratch[0], wire), first, last);
}

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
