/* message.h - how a WAMP message looks in Lua: an object of a class of wampy.messages.
 *
 * The grammar (wamp/msg.c) goes up as core.messages; the classes, which add the names of
 * the fields, come down by core.set_messages. */
#ifndef LUA_MESSAGE_H
#define LUA_MESSAGE_H

#include "lua/payload.h"
#include "lua/state.h"
#include "wamp/msg.h"

/* Pushes the object of a decoded message. */
void push_decoded(lua_State *L, const struct msg *m);

/* Pushes the object of a message that is known to be good. */
void push_message(lua_State *L, const struct wire *wire, struct slice bytes);

/* Encodes the message object at `idx`; the bytes are in S->scratch. Where a request has
 * no id it gets *next (null when there is no `next`), and *next becomes the id that
 * stands in it. Raises for what is not a message, and for fields missing or wrong. */
struct slice check_object(lua_State *L, struct state *S, const struct wire *wire, int idx,
                          uint64_t *next);

void message_open(lua_State *L, struct state *S); /* core.messages, core.set_messages */

#endif
