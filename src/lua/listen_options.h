/* listen_options.h - where and how a router listens, out of Lua tables that the prelude
 * makes. */
#ifndef LUA_LISTEN_OPTIONS_H
#define LUA_LISTEN_OPTIONS_H

#include <lua.h>

#include "host.h"

/* Copies { serializers = {name...}, max_message_size = bytes, tls = as tls_options_read
 * reads it, ping_interval, ping_timeout, connect_timeout, close_timeout = ms, origins =
 * {pattern...}, null_origin, any_subprotocol, delay, compress, max_connections, routes =
 * { { kind = "websocket", "files" or "report", path, directory, index, max_age = s, part
 * }... }, door, parts = { the same for each part... }, raw_part } at `idx`, each of which
 * may be nil, as may the table. net/options.h says what they are. Raises nothing; to be
 * freed by listen_options_fini. */
void listen_options_read(lua_State *L, int idx, struct net_options *o);
void listen_options_fini(struct net_options *o);

/* The same for a list of places: { listen = LISTEN, and these options }... at `idx`. */
void place_list_read(lua_State *L, int idx, struct place_list *list);
void place_list_fini(struct place_list *list);

#endif
