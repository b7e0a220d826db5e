/* tls_options.c - TLS settings out of a Lua table. See tls_options.h.
 *
 * The prelude has checked names and types; paths are copied, because the table may be
 * gone (and its Lua closed) when they are used. */
#include "lua/tls_options.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lua/state.h"

/* The string at the top, which is popped; NULL when it is none. */
static const char *take_string(lua_State *L)
{
    const char *s = lua_tostring(L, -1);

    s = s ? xstrdup(s) : NULL;
    lua_pop(L, 1);
    return s;
}

static const char *string_of(lua_State *L, int table, const char *name)
{
    lua_getfield(L, table, name);
    return take_string(L);
}

static void list_of(lua_State *L, int table, const char *name, const char **list)
{
    if (lua_getfield(L, table, name) == LUA_TTABLE)
        for (int i = 0; i < TLS_FILES - 1; i++) {
            lua_rawgeti(L, -1, i + 1);
            list[i] = take_string(L);
            if (!list[i])
                break;
        }
    lua_pop(L, 1);
}

void tls_options_read(lua_State *L, int idx, struct tls_options *o)
{
    *o = (struct tls_options){ 0 };
    if (!lua_istable(L, idx))
        return;
    idx = lua_absindex(L, idx);
    list_of(L, idx, "cas", o->cas);
    list_of(L, idx, "chain", o->chain);
    o->cert = string_of(L, idx, "cert");
    o->key = string_of(L, idx, "key");
    o->server_name = string_of(L, idx, "server_name");
    lua_getfield(L, idx, "insecure");
    o->insecure = lua_toboolean(L, -1);
    lua_pop(L, 1);
}

static void drop(const char *s)
{
    free((char *)(uintptr_t)s);
}

void tls_options_fini(struct tls_options *o)
{
    for (int i = 0; i < TLS_FILES; i++) {
        drop(o->cas[i]);
        drop(o->chain[i]);
    }
    drop(o->cert);
    drop(o->key);
    drop(o->server_name);
    *o = (struct tls_options){ 0 };
}
