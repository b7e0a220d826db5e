/* connect_options.c - the options of a client's connection out of a Lua table. See
 * connect_options.h.
 *
 * The prelude has checked names and types. */
#include "lua/connect_options.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lua/state.h"
#include "lua/tls_options.h"
#include "wamp/base64.h"

#define HEADERS 32 /* the 31 that a client may have, and one for cookies */

static char *copy_of(lua_State *L, int idx)
{
    return lua_type(L, idx) == LUA_TSTRING ? xstrdup(lua_tostring(L, idx)) : NULL;
}

/* Of the list at the top. */
static const char *const *read_headers(lua_State *L)
{
    const char **list = xcalloc(HEADERS + 1, sizeof *list);

    for (int i = 0; i < HEADERS; i++) {
        lua_rawgeti(L, -1, i + 1);
        list[i] = copy_of(L, -1);
        lua_pop(L, 1);
        if (!list[i])
            break;
    }
    return list;
}

/* "Basic " and what is at the top, in base64; NULL when that is no text. */
static char *authorization(lua_State *L)
{
    static const char word[] = "Basic ";
    size_t n, at = sizeof word - 1;
    const char *user = lua_tolstring(L, -1, &n);
    char *text;

    if (!user)
        return NULL;
    text = xcalloc(at + BASE64_SIZE(n) + 1, 1);
    memcpy(text, word, at);
    base64_encode(text + at, (struct slice){ user, n });
    return text;
}

/* Of the table at the top. */
static struct net_proxy read_proxy(lua_State *L)
{
    struct net_proxy proxy = { 0 };

    lua_getfield(L, -1, "host");
    proxy.host = copy_of(L, -1);
    lua_getfield(L, -2, "port");
    proxy.port = (int)lua_tointeger(L, -1);
    lua_getfield(L, -3, "user");
    proxy.authorization = authorization(L);
    lua_pop(L, 3);
    return proxy;
}

void connect_options_read(lua_State *L, int idx, struct net_options *o)
{
    idx = lua_absindex(L, idx);
    o->headers = NULL;
    o->proxy = (struct net_proxy){ 0 };
    if (lua_getfield(L, idx, "headers") == LUA_TTABLE)
        o->headers = read_headers(L);
    if (lua_getfield(L, idx, "proxy") == LUA_TTABLE)
        o->proxy = read_proxy(L);
    lua_getfield(L, idx, "compress");
    o->compress = lua_toboolean(L, -1);
    lua_getfield(L, idx, "tls");
    tls_options_read(L, -1, &o->tls);
    lua_pop(L, 4);
}

static void drop(const void *p)
{
    free((void *)(uintptr_t)p);
}

void connect_options_fini(struct net_options *o)
{
    for (const char *const *p = o->headers; p && *p; p++)
        drop(*p);
    drop(o->headers);
    drop(o->proxy.host);
    drop(o->proxy.authorization);
    tls_options_fini(&o->tls);
}
