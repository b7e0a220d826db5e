/* l_router.h - the embedded router as a Lua object: core.router. */
#ifndef LUA_L_ROUTER_H
#define LUA_L_ROUTER_H

#include <lua.h>

#include "host.h"

/* The server of a started router userdata; raises otherwise. */
struct server *check_server(lua_State *L, int idx);

/* Reads { realms = { { name =, roles = { { name =, permissions = { { uri =, match =,
 * call =, register =, publish =, subscribe = } } } } } }, strict_ids =, strict_uris =,
 * principals = { { method =, authid =, role =, realm =, secret =, salt =, iterations =,
 * keylen =, memory = } } } into `c`; router.h says what they are. Raises for what is not
 * of that form. End with router_config_fini. */
void check_router_config(lua_State *L, int idx, struct router_config *c);
void router_config_fini(struct router_config *c);

/* Its part in l_principals.c; the table is at the top. */
void check_principals(lua_State *L, struct router_config *c);
void principals_fini(struct router_config *c);

#endif
