/* listen_options.h - how a router listens, out of a Lua table that the prelude makes. */
#ifndef LUA_LISTEN_OPTIONS_H
#define LUA_LISTEN_OPTIONS_H

#include <lua.h>

#include "net/options.h"

/* Copies { serializers = {name...}, max_message_size = bytes, tls = as tls_options_read
 * reads it, ping_interval, ping_timeout, connect_timeout, close_timeout = ms, origins =
 * {pattern...}, null_origin, any_subprotocol, delay, compress, max_connections, routes =
 * { { kind = "websocket", "files" or "report", path, directory, index, max_age = s, part
 * }... }, door, parts = { the same for each part... }, raw_part } at `idx`, each of which
 * may be nil, as may the table. net/options.h says what they are. Raises nothing; to be
 * freed by listen_options_fini. */
void listen_options_read(lua_State *L, int idx, struct net_options *o);
void listen_options_fini(struct net_options *o);

#endif
