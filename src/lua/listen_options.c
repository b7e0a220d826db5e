/* listen_options.c - the options of a listener out of a Lua table. See listen_options.h.
 *
 * The prelude has checked names and types. */
#include "lua/listen_options.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lua/state.h"
#include "lua/tls_options.h"

#define PING 10000 /* ms, both of silence and for an answer */

/* NULL, for all that there are, when the table has no list. */
static const char *const *subprotocols_of(lua_State *L, int table)
{
    const char **list = NULL;
    size_t count, n = 0;

    if (lua_getfield(L, table, "serializers") == LUA_TTABLE) {
        count = (size_t)lua_rawlen(L, -1);
        list = xcalloc(count + 1, sizeof *list);
        for (size_t i = 0; i < count; i++) {
            const struct wire *wire;

            lua_rawgeti(L, -1, (lua_Integer)i + 1);
            wire = wire_of_name(slice_of(lua_tostring(L, -1)));
            if (wire)
                list[n++] = wire->subprotocol;
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
    return list;
}

void listen_options_read(lua_State *L, int idx, struct net_options *o)
{
    *o = (struct net_options){ .ping_interval = PING, .ping_timeout = PING };
    if (!lua_istable(L, idx))
        return;
    idx = lua_absindex(L, idx);
    o->subprotocols = subprotocols_of(L, idx);
    lua_getfield(L, idx, "max_message_size");
    o->max_message = (size_t)lua_tointeger(L, -1);
    if (o->max_message > LIMIT_MESSAGE_SIZE)
        o->max_message = LIMIT_MESSAGE_SIZE;
    lua_getfield(L, idx, "tls");
    tls_options_read(L, -1, &o->tls);
    lua_pop(L, 2);
}

void listen_options_fini(struct net_options *o)
{
    free((void *)(uintptr_t)o->subprotocols);
    tls_options_fini(&o->tls);
}
