/* convert.h - Lua values to bytes of a wire format and back, exactly (lua-api.md §6).
 *
 * Integers stay integers, floats floats, [] is not {}, null is wampy.null, byte strings
 * are wampy.binary. Encoding uses raw access only, so no metamethod (and no finalizer's
 * client) can run half way. */
#ifndef LUA_CONVERT_H
#define LUA_CONVERT_H

#include <lua.h>

#include "wamp/wire.h"

/* Pushes the value in `bytes`, which must be well-formed. */
void push_value(lua_State *L, const struct wire *wire, struct slice bytes);

/* Pushes the elements of the list in `bytes` one by one (null as nil) and returns how
 * many; 0 for the absent slice. What is no list, but an opaque payload, is one value. */
int push_elements(lua_State *L, const struct wire *wire, struct slice bytes);

/* Pushes a table: the dict in `bytes`, or an empty one for the absent slice. */
void push_dict(lua_State *L, const struct wire *wire, struct slice bytes);

/* The value of the token just read; containers are read to their end. */
void push_token(lua_State *L, struct reader *r, enum token token);

/* Encodes the value at `idx`; `root` opens the path in error messages. Raises for what
 * cannot be encoded. */
void write_value(lua_State *L, struct writer *w, int idx, const char *root);

/* The same for a value that stands in a payload or in options: a whole message nests
 * LIMIT_DEPTH deep, and they are in it. */
void write_nested(lua_State *L, struct writer *w, int idx, const char *root);

/* The slots first..last as a list, trailing nils left off; absent when none is left. */
struct slice write_args(lua_State *L, struct writer *w, int first, int last);

/* The table at `idx` as a dict; absent when it is empty. */
struct slice write_kwargs(lua_State *L, struct writer *w, int idx);

/* Whether the value at `idx` has this marker metatable, &KEY_KWARGS_MT ... */
bool has_mt(lua_State *L, int idx, const char *key);

/* A string argument as a slice. */
struct slice check_slice(lua_State *L, int idx);

void convert_open(lua_State *L); /* creates the marker metatables */

#endif
