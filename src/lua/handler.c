/* handler.c - binding the arguments of a message to the parameters of a Lua function.
 *
 * The idea: the parameters' slots are pushed first, filled with nil; positional
 * arguments then go into the ordinary ones in order, keywords into the one of their
 * name, special parameters get their tables, and what is left over goes behind them if
 * the function takes `...`. */
#include "lua/handler.h"

#include <lauxlib.h>
#include <limits.h>
#include <string.h>

#include "base/log.h"
#include "lua/convert.h"
#include "lua/errors.h"
#include "lua/state.h"
#include "wamp/opts.h"

static const char HANDLER[] = "wampy.handler";
const char KEY_DETAILS_MT; /* metatable of a call's details: details:progress(...) */

/* ---- making one -------------------------------------------------------------------- */

static bool flag(lua_State *L, const char *name)
{
    bool yes;

    lua_getfield(L, 1, name);
    yes = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return yes;
}

static void keep(lua_State *L, const char *field, int value)
{
    lua_getfield(L, 1, field);
    lua_setiuservalue(L, 2, value);
}

/* Turns the list of names at the top into name -> position, noting the special ones. */
static void read_names(lua_State *L, struct handler *h, bool special)
{
    lua_newtable(L);                                          /* names map */
    for (int i = 1; lua_rawgeti(L, -2, i) != LUA_TNIL; i++) { /* names map name */
        const char *name = luaL_checkstring(L, -1);

        h->params = i;
        if (special && !strcmp(name, "kwargs"))
            h->kwargs_at = i;
        else if (special && !strcmp(name, "details"))
            h->details_at = i;
        else if (special && !strcmp(name, "meta"))
            h->meta_at = i;
        else {
            if (!strcmp(name, "message"))
                h->only_message = false;
            lua_pushinteger(L, i); /* names map name i */
            lua_rawset(L, -3);     /* names map */
            continue;
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1); /* names map */
    if (h->kwargs_at)
        h->only_message = false;
    lua_remove(L, -2); /* map */
}

int l_handler(lua_State *L)
{
    struct handler *h;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    h = lua_newuserdatauv(L, sizeof *h, HANDLER_VALUES); /* t h */
    memset(h, 0, sizeof *h);
    luaL_setmetatable(L, HANDLER);
    h->vararg = flag(L, "vararg");
    h->method = flag(L, "method");
    h->callee = flag(L, "callee");
    h->pattern = flag(L, "pattern");
    h->ppt = flag(L, "ppt");
    h->only_message = !h->callee;
    lua_getfield(L, 1, "concurrency");
    h->concurrency = (int)lua_tointeger(L, -1);
    lua_getfield(L, 1, "buffer");
    h->buffer = lua_isnil(L, -1) ? LIMIT_STREAM_BUFFER : (size_t)lua_tointeger(L, -1);
    lua_pop(L, 2);
    keep(L, "fn", HANDLER_FN);
    keep(L, "self", HANDLER_SELF);
    keep(L, "label", HANDLER_LABEL);
    keep(L, "uri", HANDLER_URI);
    keep(L, "ppt", HANDLER_PPT);
    if (lua_getfield(L, 1, "params") == LUA_TTABLE)
        read_names(L, h, !flag(L, "stated"));
    else
        h->nameless = h->vararg = true;
    lua_setiuservalue(L, 2, HANDLER_NAMES);
    return 1;
}

int l_handler_renew(lua_State *L)
{
    struct handler *h = luaL_checkudata(L, 1, HANDLER);
    int active = h->active;

    *h = *(struct handler *)luaL_checkudata(L, 2, HANDLER);
    h->active = active;
    for (int i = 1; i <= HANDLER_VALUES; i++) {
        lua_getiuservalue(L, 2, i);
        lua_setiuservalue(L, 1, i);
    }
    return 0;
}

/* ---- binding ----------------------------------------------------------------------- */

struct binding {
    lua_State *L;
    struct handler *h;
    int handler; /* stack index */
    int first;   /* stack index of the first parameter's slot */
    const struct msg *m;
    int kwargs; /* stack index of the table of unbound keywords; 0 while there is none */
    int taken;  /* parameters filled by position */
    bool named; /* a keyword has found its parameter */
};

static const char *user_text(const struct binding *b, int value)
{
    const char *s;

    lua_getiuservalue(b->L, b->handler, value);
    s = lua_tostring(b->L, -1);
    lua_pop(b->L, 1);
    return s ? s : "?"; /* anchored by the handler */
}

static int invalid(const struct binding *b, const char *fmt, const char *what)
{
    lua_State *L = b->L;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_ERRORS);
    lua_getfield(L, -1, "error");
    lua_pushliteral(L, "wamp.error.invalid_argument");
    lua_pushfstring(L, fmt, what);
    lua_call(L, 2, 1);
    return lua_error(L);
}

static bool is_special(const struct handler *h, int i)
{
    return i == h->kwargs_at || i == h->details_at || i == h->meta_at;
}

static int ordinary(const struct handler *h)
{
    return h->params - (h->kwargs_at > 0) - (h->details_at > 0) - (h->meta_at > 0);
}

int handler_takes(const struct handler *h)
{
    return h->vararg ? INT_MAX : ordinary(h);
}

/* Whether the arguments are the first part of more, and the handler can read the rest. */
static bool is_streamed(const struct binding *b)
{
    struct opts o;
    struct fault f;
    bool parts;

    if (!b->h->details_at || !opts_decode(&o, b->m, &f))
        return false;
    parts = opt_is(&o, OPT_PROGRESS, false);
    opts_fini(&o);
    return parts;
}

/* A callee got `n` positional arguments, which are too many. */
static void surplus(const struct binding *b, int n)
{
    char text[80];

    if (is_streamed(b))
        return;
    snprintf(text, sizeof text, "takes %d positional argument%s, got %d", ordinary(b->h),
             ordinary(b->h) == 1 ? "" : "s", n);
    invalid(b, "%s", text);
}

/* The common case: no keywords, nothing special. The values are the arguments as they
 * come. */
static int bind_plain(struct binding *b)
{
    int n = push_elements(b->L, b->m->wire, b->m->args);

    if (n <= b->h->params || b->h->vararg)
        return n;
    if (b->h->callee)
        surplus(b, n);
    lua_pop(b->L, n - b->h->params);
    return b->h->params;
}

/* Positional values fill the ordinary slots in order; what is left over stays behind the
 * slots for `...`, or is dropped (subscriber), or is an error (callee). */
static void bind_positional(struct binding *b)
{
    lua_State *L = b->L;
    struct handler *h = b->h;
    int base = lua_gettop(L), n = push_elements(L, b->m->wire, b->m->args);
    int place = n < ordinary(h) ? n : ordinary(h), slot = 0;

    for (int i = 1; i <= place; i++) {
        do
            slot++;
        while (is_special(h, slot));
        lua_pushvalue(L, base + i);
        lua_replace(L, b->first + slot - 1);
    }
    b->taken = slot;
    if (n > place && !h->vararg && h->callee)
        surplus(b, n);
    if (n > place && h->vararg) {
        lua_rotate(L, base + 1, -place);
        lua_pop(L, place);
    } else {
        lua_settop(L, base);
    }
}

static void unbound(struct binding *b)
{
    lua_State *L = b->L;
    struct handler *h = b->h;

    /* ... key value, on top */
    if (!h->kwargs_at && !h->vararg && h->callee)
        invalid(b, "got an unexpected keyword '%s'", lua_tostring(L, -2));
    if (h->nameless && h->callee)
        invalid(b, "has no parameter names; give params = {...} (keyword '%s')",
                lua_tostring(L, -2));
    if (!b->kwargs) {
        lua_pop(L, 2);
        return;
    }
    lua_rawset(L, b->kwargs);
}

static void bind_keyword(struct binding *b)
{
    lua_State *L = b->L;
    int at;

    lua_getiuservalue(L, b->handler, HANDLER_NAMES); /* key value names */
    at = 0;
    if (lua_istable(L, -1)) {
        lua_pushvalue(L, -3);
        lua_rawget(L, -2); /* key value names position */
        at = (int)lua_tointeger(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1); /* key value */
    if (!at) {
        unbound(b);
        return;
    }
    if (at <= b->taken && b->h->callee)
        invalid(b, "got '%s' twice, by position and by keyword", lua_tostring(L, -2));
    if (lua_islightuserdata(L, -1) && !lua_touserdata(L, -1)) {
        lua_pop(L, 1);
        lua_pushnil(L);
    }
    lua_replace(L, b->first + at - 1);
    lua_pop(L, 1);
    b->named = true;
}

static bool lone_message(const struct binding *b)
{
    struct reader r;
    struct buf *scratch = NULL;
    struct slice key, value;
    bool lone;

    if (!b->h->only_message || !ordinary(b->h) || !b->m->kwargs.p ||
        (b->m->args.p && b->m->args.n > 2))
        return false;
    reader_init(&r, b->m->wire, b->m->kwargs);
    reader_next(&r);
    lone = reader_next(&r) == TOKEN_KEY;
    key = lone ? reader_text(&r, &scratch) : SLICE("");
    lone = slice_is(key, "message") && reader_skip(&r, &value) &&
           reader_next(&r) == TOKEN_DICT_END;
    buf_unref(scratch);
    return lone;
}

/* Says once per handler that no keyword of an event fits any of its parameters. The table
 * of keywords is on top. */
static void warn_unfit(struct binding *b)
{
    lua_State *L = b->L;

    b->h->warned = true;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_ERRORS);
    lua_getfield(L, -1, "unfit"); /* all errors unfit */
    lua_pushstring(L, user_text(b, HANDLER_URI));
    lua_pushstring(L, user_text(b, HANDLER_LABEL));
    lua_pushvalue(L, -5);
    lua_getiuservalue(L, b->handler, HANDLER_NAMES);
    lua_call(L, 4, 0);
    lua_pop(L, 1);
}

static void bind_keywords(struct binding *b)
{
    lua_State *L = b->L;

    push_dict(L, b->m->wire, b->m->kwargs); /* ... all */
    if (lone_message(b)) {
        int slot = 1;

        while (is_special(b->h, slot))
            slot++;
        lua_getfield(L, -1, "message");
        lua_replace(L, b->first + slot - 1);
        lua_pop(L, 1);
        return;
    }
    lua_pushnil(L);
    while (lua_next(L, -2)) { /* all key value */
        lua_pushvalue(L, -2);
        lua_insert(L, -2); /* all key key value */
        bind_keyword(b);   /* all key */
    }
    if (!b->named && !b->kwargs && !b->h->callee && !b->h->warned)
        warn_unfit(b);
    lua_pop(L, 1);
}

static void push_unbound_table(struct binding *b)
{
    lua_State *L = b->L;

    if (!b->h->kwargs_at && !b->h->vararg)
        return;
    lua_newtable(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_KWARGS_MT);
    lua_setmetatable(L, -2);
    b->kwargs = lua_gettop(L);
}

/* The table of unbound keywords goes to its parameter, or to the end of `...` if not
 * empty. */
static void place_unbound(struct binding *b)
{
    lua_State *L = b->L;

    if (!b->kwargs)
        return;
    lua_settop(L, b->kwargs);
    if (b->h->kwargs_at) {
        lua_replace(L, b->first + b->h->kwargs_at - 1);
        return;
    }
    lua_pushnil(L);
    if (lua_next(L, b->kwargs))
        lua_pop(L, 2);
    else
        lua_pop(L, 1);
}

static void set_uri(const struct binding *b, const char *field)
{
    lua_getfield(b->L, -1, field);
    if (lua_isnil(b->L, -1)) {
        lua_pushstring(b->L, user_text(b, HANDLER_URI));
        lua_setfield(b->L, -3, field);
    }
    lua_pop(b->L, 1);
}

static void push_details(const struct binding *b)
{
    lua_State *L = b->L;

    push_dict(L, b->m->wire, b->m->dict);
    set_uri(b, b->h->callee ? "procedure" : "topic");
    if (b->h->callee) {
        lua_pushnil(L); /* it would hide the method of that name */
        lua_setfield(L, -2, "progress");
        lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_DETAILS_MT);
        lua_setmetatable(L, -2);
        return;
    }
    lua_pushinteger(L, (lua_Integer)b->m->publication);
    lua_setfield(L, -2, "publication");
}

static void push_meta(const struct binding *b, uint64_t session)
{
    lua_State *L = b->L;

    lua_createtable(L, 0, 3);
    lua_pushstring(L, user_text(b, HANDLER_URI));
    lua_setfield(L, -2, b->h->callee ? "procedure_name" : "topic");
    if (!b->h->callee) {
        lua_pushinteger(L, (lua_Integer)b->m->id);
        lua_setfield(L, -2, "subscription_id");
        return;
    }
    lua_pushinteger(L, (lua_Integer)session);
    lua_setfield(L, -2, "session_id");
    lua_pushinteger(L, (lua_Integer)b->m->request);
    lua_setfield(L, -2, "request_id");
}

static bool has_entries(const struct msg *m)
{
    struct reader r;

    if (!m->kwargs.p)
        return false;
    reader_init(&r, m->wire, m->kwargs);
    return reader_next(&r) == TOKEN_DICT && reader_next(&r) == TOKEN_KEY;
}

int handler_bind(lua_State *L, int idx, const struct msg *m, uint64_t session)
{
    struct handler *h = lua_touserdata(L, idx);
    struct binding b = { .L = L, .h = h, .handler = idx, .m = m };
    bool keywords = has_entries(m);
    int self = h->method;

    luaL_checkstack(L, h->params + 12, "too many parameters");
    lua_getiuservalue(L, idx, HANDLER_FN);
    if (self)
        lua_getiuservalue(L, idx, HANDLER_SELF);
    if (!keywords && ordinary(h) == h->params)
        return self + bind_plain(&b);
    b.first = lua_gettop(L) + 1;
    lua_settop(L, b.first + h->params - 1);
    bind_positional(&b);
    push_unbound_table(&b);
    if (keywords)
        bind_keywords(&b);
    place_unbound(&b);
    if (h->details_at) {
        push_details(&b);
        lua_replace(L, b.first + h->details_at - 1);
    }
    if (h->meta_at) {
        push_meta(&b, session);
        lua_replace(L, b.first + h->meta_at - 1);
    }
    return self + lua_gettop(L) - b.first + 1;
}

void handler_open(lua_State *L)
{
    luaL_newmetatable(L, HANDLER);
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &KEY_DETAILS_MT);
    lua_setfield(L, -2, "details_mt"); /* of core: the prelude fills it */
}
