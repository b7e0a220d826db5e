/* l_router.h - the embedded router as a Lua object: core.router. */
#ifndef LUA_L_ROUTER_H
#define LUA_L_ROUTER_H

#include <lua.h>

#include "host.h"

/* The server of a started router userdata; raises otherwise. */
struct server *check_server(lua_State *L, int idx);

/* Reads { realms = { { name =, roles = { { name =, permissions = { { uri =, match =,
 * call =, register =, publish =, subscribe = } } } } } }, strict_ids =, strict_uris = }
 * into `c`. Raises for what is not of that form. End with router_config_fini. */
void check_router_config(lua_State *L, int idx, struct router_config *c);
void router_config_fini(struct router_config *c);

#endif
