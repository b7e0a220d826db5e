/* connect_options.h - how a client connects, out of a Lua table that the prelude
 * makes. */
#ifndef LUA_CONNECT_OPTIONS_H
#define LUA_CONNECT_OPTIONS_H

#include <lua.h>

#include "net/options.h"

/* Copies { headers = { "Name: value"... }, compress = boolean, proxy = { host, port,
 * user = "user:password" }, tls = as tls_options_read reads it } at `idx`, each of which
 * may be nil, into `o`, whose other fields are left alone. Raises nothing; to be freed by
 * connect_options_fini. */
void connect_options_read(lua_State *L, int idx, struct net_options *o);
void connect_options_fini(struct net_options *o);

#endif
