/* errors.c - error objects from C. The classes are the prelude's (lua/wampy/errors.lua),
 * which hands in its constructors when it is loaded; C only calls them. */
#include "lua/errors.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>

#include "lua/convert.h"
#include "lua/state.h"

const char KEY_ERRORS;

/* Pushes errors[name]; false (nothing pushed) before the prelude is loaded. */
static bool push_hook(lua_State *L, const char *name)
{
    int top = lua_gettop(L);

    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_ERRORS) == LUA_TTABLE &&
        lua_getfield(L, -1, name) == LUA_TFUNCTION) {
        lua_remove(L, -2);
        return true;
    }
    lua_settop(L, top);
    return false;
}

static void push_formatted(lua_State *L, const char *class, const char *fmt, va_list ap)
{
    char text[512];

    vsnprintf(text, sizeof text, fmt, ap);
    luaL_checkstack(L, 6, "error");
    if (!push_hook(L, "new")) {
        luaL_where(L, 1);
        lua_pushstring(L, text);
        lua_concat(L, 2);
        return;
    }
    lua_pushstring(L, class);
    lua_pushstring(L, text);
    lua_call(L, 2, 1);
}

void push_error(lua_State *L, const char *class, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    push_formatted(L, class, fmt, ap);
    va_end(ap);
}

int raise_error(lua_State *L, const char *class, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    push_formatted(L, class, fmt, ap);
    va_end(ap);
    return lua_error(L);
}

/* Pushes the list of arguments; an opaque payload is the only one in it. */
static void push_args(lua_State *L, const struct msg *m)
{
    if (m->args.p && !m->opaque) {
        push_value(L, m->wire, m->args);
        return;
    }
    lua_newtable(L);
    if (push_elements(L, m->wire, m->args))
        lua_rawseti(L, -2, 1);
}

void push_trace(lua_State *L)
{
    int top = lua_gettop(L);

    if (lua_checkstack(L, 8) && push_hook(L, "trace")) {
        lua_pushvalue(L, top);
        if (lua_pcall(L, 1, 1, 0) == LUA_OK && lua_type(L, -1) == LUA_TSTRING)
            return;
        lua_settop(L, top);
    }
    luaL_traceback(L, L, "", 1);
}

void push_remote_error(lua_State *L, const struct event *e, const char *procedure)
{
    luaL_checkstack(L, 10, "error");
    push_hook(L, "remote");
    lua_pushlstring(L, e->m.uri.p, e->m.uri.n);
    push_args(L, &e->m);
    push_dict(L, e->m.wire, e->m.kwargs);
    push_dict(L, e->m.wire, e->m.dict);
    lua_pushstring(L, procedure);
    lua_pushinteger(L, (lua_Integer)e->request);
    lua_call(L, 6, 1);
}

void error_to_wire(lua_State *L)
{
    push_hook(L, "to_wire"); /* err f */
    lua_insert(L, -2);
    lua_call(L, 1, 3);
}
