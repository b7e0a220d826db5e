/* errors.h - raising the error objects of the prelude (lua/wampy/errors.lua) from C, and
 * turning what a handler raised into the URI and arguments of an ERROR. */
#ifndef LUA_ERRORS_H
#define LUA_ERRORS_H

#include <lua.h>

struct event;
struct state;

#if defined(__GNUC__)
#define ERROR_PRINTF __attribute__((format(printf, 3, 4)))
#else
#define ERROR_PRINTF
#endif

/* Raises an error of `class` ("TimeoutError", ...) with a formatted message; never
 * returns. push_error leaves it on the stack instead. */
int raise_error(lua_State *L, const char *class, const char *fmt, ...) ERROR_PRINTF;
void push_error(lua_State *L, const char *class, const char *fmt, ...) ERROR_PRINTF;

/* For a message handler: pushes how the error on top came there, a text for errors.told
 * of the prelude. Raises nothing. */
void push_trace(lua_State *L);

/* Pushes a RemoteError made from an ERROR message. `procedure` may be NULL. */
void push_remote_error(lua_State *L, const struct event *e, const char *procedure);

/* Pushes, for the error value on top (which it replaces): URI, args table, kwargs
 * table. */
void error_to_wire(lua_State *L);

#endif
