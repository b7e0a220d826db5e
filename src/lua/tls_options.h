/* tls_options.h - TLS settings out of a Lua table, as wampy/tls.lua makes it. */
#ifndef LUA_TLS_OPTIONS_H
#define LUA_TLS_OPTIONS_H

#include <lua.h>

#include "net/tls.h"

/* Copies { cas = {path...}, cert, key, chain = {path...}, server_name, insecure } at
 * `idx`; nil is none. Raises nothing; to be freed by tls_options_fini. */
void tls_options_read(lua_State *L, int idx, struct tls_options *o);
void tls_options_fini(struct tls_options *o);

#endif
