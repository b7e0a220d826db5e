/* l_router.h - the embedded router as a Lua object: core.router. */
#ifndef LUA_L_ROUTER_H
#define LUA_L_ROUTER_H

#include <lua.h>

#include "host.h"

struct state;

struct l_router {
    struct server *server;     /* owned; NULL once closed */
    struct places places;      /* where it listens */
    struct access_log *access; /* owned; NULL: none */
    struct state *S;
};

/* l_decide.c: what the router at the top asks goes to its user value 1, a function; if
 * that is nil the answer is no. */
void decide_open(lua_State *L, struct l_router *r);

/* The server of a started router userdata; raises otherwise. */
struct server *check_server(lua_State *L, int idx);

/* Reads { realms = { { name =, roles = { { name =, authorizer =, permissions = { { uri =,
 * match =, call =, register =, publish =, subscribe =, disclose_caller =,
 * disclose_publisher = } } } }, histories = { { uri =, match =, limit = } }, strict_uris
 * =, no_meta = } }, strict_ids =, strict_uris =, principals = { { method
 * =, authid =, role =, realm =, secret =, salt =, iterations =, keylen =, memory =,
 * authenticator =, store = } }, doors = { { name =, store = } } } into `c`; router.h says
 * what they are. Raises for what is not of that form. End with router_config_fini. */
void check_router_config(lua_State *L, int idx, struct router_config *c);
void router_config_fini(struct router_config *c);

/* Its part in l_principals.c, principals and doors; the table is at the top. */
void check_principals(lua_State *L, struct router_config *c);
void principals_fini(struct router_config *c);

#endif
