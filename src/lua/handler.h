/* handler.h - a Lua function that serves calls or events, and how wire arguments bind to
 * its parameters (lua-api.md §3).
 *
 * A handler is a userdata made once, at registration: the signature (names, what is
 * special) is worked out then, so that binding a message needs no debug library. */
#ifndef LUA_HANDLER_H
#define LUA_HANDLER_H

#include <lua.h>

#include "wamp/msg.h"

struct state;
struct l_client;

struct handler {
    int params;                         /* named parameters, without self */
    int kwargs_at, details_at, meta_at; /* which of them is special, 1-based; 0 none */
    bool vararg, method, callee, nameless;
    /* a subscriber that takes an event's lone keyword `message` first */
    bool only_message;
    bool pattern;    /* its URI stands for others */
    bool ppt;        /* has options of payload passthru: HANDLER_PPT */
    bool warned;     /* of an event whose keywords fit no parameter: said once */
    int concurrency; /* 0 = no limit */
    size_t buffer;   /* parts of one call's arguments that wait to be read */
    int active;      /* its tasks under way */
};

/* User values of the userdata. */
enum {
    HANDLER_FN = 1,
    HANDLER_SELF,
    HANDLER_NAMES,
    HANDLER_LABEL,
    HANDLER_URI,
    HANDLER_PPT, /* { ppt_scheme = ... }, or nil */
    HANDLER_VALUES = 6
};

/* How many positional arguments go to the parameters; all of them for `...`. */
int handler_takes(const struct handler *h);

/* core.handler { fn =, self =, params = { names } | nil, vararg =, method =, callee =,
 * label =, uri =, concurrency =, buffer =, pattern =, ppt = { ppt_... } | nil } */
int l_handler(lua_State *L);

/* core.handler_renew(handler, other): from now on `handler` is what `other` is. Its calls
 * under way go on, and still count for its concurrency */
int l_handler_renew(lua_State *L);

/* Pushes the function, self and the arguments of the INVOCATION or EVENT `m` for the
 * handler at `idx`; returns how many values were pushed behind the function. Raises
 * wamp.error.invalid_argument for a callee whose parameters do not fit; but positional
 * arguments that are the first part of more are left for details:chunks(). `session` is
 * its id, for `meta`. */
int handler_bind(lua_State *L, int idx, const struct msg *m, uint64_t session);

void handler_open(lua_State *L);

#endif
