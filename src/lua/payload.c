/* payload.c - what an app gives with a call, publication or answer, on its way into a
 * message: arguments, kwargs{} and options{}. See payload.h.
 *
 * Options are of two kinds: those of the message, which are sent as they are named in
 * WAMP, and our own, which say what we are to do. */
#include "lua/payload.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lua/errors.h"
#include "lua/state.h"

/* ---- scratch ----------------------------------------------------------------------- */

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

/* ---- options ----------------------------------------------------------------------- */

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
    write_nested(L, w, -1, path);
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

/* ---- all of it --------------------------------------------------------------------- */

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
