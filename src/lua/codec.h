/* codec.h - payload passthru: the app's codecs, between messages and Lua (WAMP: payload
 * passthru mode). */
#ifndef LUA_CODEC_H
#define LUA_CODEC_H

#include "lua/job.h"

/* The ERROR for a call whose payload cannot be opened, or whose answer cannot be
 * sealed. */
#define PAYLOAD_ERROR "wampy.error.payload"

/* Where the options of a "call" or "event" among first..top name a scheme that the client
 * has a codec for: one sealed argument and options stand in their place afterwards. */
void codec_seal(lua_State *L, struct l_client *lc, const char *kind, int first);

/* The same for a part of a call's arguments, whose upload is at 1: sealed as the first
 * one was. */
void codec_seal_part(lua_State *L, const struct reply *call, int first);

/* The same for a "result" or "error" of a job: sealed as its call was, unless the options
 * of its registration, or its own, say otherwise. */
void codec_seal_answer(lua_State *L, const struct job *j, const char *kind, int first);

/* Opens the payload of what came, if it is sealed by a scheme that the client has a codec
 * for. What cannot be opened becomes a failed request for who waits for it, an ERROR for
 * who has called, or is dropped: then false, and nothing is left to do. */
bool codec_open(struct l_client *lc, struct event *e);

extern const luaL_Reg client_codecs[]; /* methods of the client userdata */

#endif
