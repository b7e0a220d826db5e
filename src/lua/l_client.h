/* l_client.h - the client userdata: what ties Lua objects to one session. Shared by
 * l_client.c (life), l_event.c (what happens to it), l_request.c (requests), l_stream.c
 * and l_upload.c (calls in parts), l_message.c (messages made by hand), reply.c (who
 * waits for an answer), serve.c (handlers), l_job.c (what they may ask) and tap.c (the
 * message handler). */
#ifndef LUA_L_CLIENT_H
#define LUA_L_CLIENT_H

#include "base/map.h"
#include "lua/state.h"

struct inbox;
struct payload;

/* User values of the client userdata. */
enum {
    CLIENT_REGISTRATIONS = 1, /* registration id -> handler */
    CLIENT_SUBSCRIPTIONS,     /* subscription id -> list of handlers */
    CLIENT_OBJECT,            /* the app's Client: its hooks are called */
    CLIENT_VALUES = 3
};

struct l_client {
    struct state *S;
    struct client *c;    /* NULL while not connected */
    struct list link;    /* in S->clients while connected */
    struct list replies; /* struct reply: all that are not freed */
    struct list waiting; /* tasks that wait for room in the queue */
    struct reply *join;  /* who waits for WELCOME; NULL otherwise */
    struct reply *leave; /* who waits for the end */
    struct map jobs;     /* invocation id -> task */
    lua_Integer serving; /* handlers of invocations and events that run */
    struct list unread;  /* struct letter: what came for what was sent by hand */
    size_t unread_count, unread_bytes;
    struct list readers;     /* tasks that wait for a letter */
    struct list passings;    /* struct passing: messages with the message handler */
    uint64_t tap_failures;   /* of the message handler */
    const char *end_class;   /* error class of how the last session ended (static) */
    struct conn_end end;     /* and of its transport */
    uint64_t call_timeout;   /* ms, default of every request; 0 = none */
    bool codecs;             /* the object has some: codec.c */
    const struct wire *wire; /* that is spoken, as of the last event or tap */
};

struct l_client *check_client(lua_State *L, int idx);

/* The same, connected; raises ConnectionError otherwise. */
struct l_client *check_joined(lua_State *L, int idx);

/* Pushes the userdata of a connected client. */
void push_client(lua_State *L, struct l_client *lc);

/* Raises what a negative result of an intent means. */
int raise_refusal(lua_State *L, struct l_client *lc, int64_t error);

/* A field of seconds in the table at `table`, as ms; 0 for 0. */
uint64_t milliseconds(lua_State *L, int table, const char *field, double absent);

/* l_event.c: the host's hooks. */
void on_event(void *user, struct event *e);
void on_room(void *user);

/* Pushes what ended the session: class, reason, text, transport's error, transport's
 * code. Returns 5. */
int push_end(lua_State *L, const struct l_client *lc, const struct event *e);

extern const luaL_Reg client_requests[]; /* l_request.c: methods of the userdata */
extern const luaL_Reg client_streams[];  /* l_stream.c: likewise */
extern const luaL_Reg client_uploads[];  /* l_upload.c: likewise */
void stream_open(lua_State *L, struct state *S);
void upload_open(lua_State *L, struct state *S);

enum { UPLOAD_CLIENT = 1, UPLOAD_KEYS }; /* user values: the client, the first options */

/* l_request.c: raises where nobody can wait. Comes first, before anything is sent. */
void need_wait(lua_State *L);

/* l_request.c: sends the CALL of the URI at 2 that check_call has encoded from 3 on. */
struct reply *put_call(lua_State *L, const struct payload *p);
extern const luaL_Reg client_auth[]; /* l_auth.c: likewise */

/* l_auth.c: the router has sent CHALLENGE. */
void challenged(struct l_client *lc, struct event *e);

/* ---- l_message.c ------------------------------------------------------------------- */

extern const luaL_Reg client_messages[]; /* methods of the userdata */

/* Keeps the message of an event for whoever calls recv_message. */
void unread_put(struct l_client *lc, struct event *e);
void unread_drop(struct l_client *lc); /* all; whoever waits is woken */

/* The message object at `idx` as bytes, for the caller to unref. A request without an id
 * gets *next; then *next is the id that stands in it. NULL: it must have one. */
struct buf *check_message(lua_State *L, struct l_client *lc, int idx, uint64_t *next);

/* ---- tap.c ------------------------------------------------------------------------- */

extern const luaL_Reg client_passing[];                     /* methods of the userdata */
void on_tap(void *user, struct buf *message, unsigned way); /* the host's hook */
void tap_forget(struct l_client *lc); /* the session is over: passings end in nothing */
void tap_free(struct l_client *lc);   /* the universe closes */

/* An INVOCATION that the message handler works on is answered by hand. */
void tap_answer(struct l_client *lc, uint64_t invocation);

/* ---- reply.c ----------------------------------------------------------------------- */

/* An answer that somebody waits for, or will. */
struct reply {
    struct l_client *lc;
    struct list link;    /* in lc->replies */
    struct list waiters; /* tasks */
    struct event e;      /* when done */
    int64_t request;
    char *uri;    /* owned; what was asked, for errors */
    char *scheme; /* owned; ppt_scheme of a call with codecs; NULL otherwise */
    bool done;
    bool kept;           /* registry[reply] is its handler, or its on_progress function */
    struct inbox *inbox; /* borrowed; for progressive results; NULL: not a stream */
};

struct reply *reply_new(struct l_client *lc, const char *uri);
void reply_free(lua_State *L, struct reply *r);
void reply_settle(struct reply *r,
                  struct event *e); /* moves the event in; wakes the waiters */

/* Waits until `r` is done, then goes on in `k`. */
int reply_wait(lua_State *L, struct reply *r, uint64_t limit, lua_KFunction k);

/* First thing in each `k`: raises when the wait was cancelled (the request is then
 * cancelled, too, and r freed if `own`). True when r is done; false when its limit
 * passed. */
bool reply_check(lua_State *L, struct reply *r, bool own);

/* Cancels the call, unless it is over. */
void reply_cancel(struct reply *r, const char *mode);

/* The mode of a cancel at `idx`: "killnowait" when there is none. */
const char *check_mode(lua_State *L, int idx);

/* Pushes the results of a call, or the id of another request, or raises its error. Frees
 * r in either case if `own`. */
int reply_push(lua_State *L, struct reply *r, bool own);

void reply_open(lua_State *L, struct state *S); /* futures: core.future_* */
void push_future(lua_State *L, struct reply *r);

/* Pushes positional values, and keyword ones, if any, as one kwargs table; how many. */
int push_payload(lua_State *L, const struct wire *wire, struct slice args,
                 struct slice kwargs);

/* Whether the next part of a stream has to wait for room in the link's queue. Where
 * nobody can wait only a full queue counts. */
bool stream_waits(lua_State *L, const struct l_client *lc);

/* Waits until no more than `bytes` are queued, or the session is over, then goes on in
 * `k`, where room_check comes first. Raises QueueFull where nobody can wait. */
int room_wait(lua_State *L, struct l_client *lc, size_t bytes, lua_KContext ctx,
              lua_KFunction k);
void room_check(lua_State *L, struct state *S);

/* ---- serve.c ----------------------------------------------------------------------- */

void serve_open(lua_State *L, struct state *S); /* core.observe */

/* Answers an invocation for which no handler runs. */
void serve_refuse(struct l_client *lc, uint64_t invocation, const char *uri,
                  const char *why);

/* Answers the invocation that a part is for, whose handler is cancelled. */
void serve_give_up(struct l_client *lc, const struct event *part, const char *uri,
                   const char *why);
void serve_invocation(struct l_client *lc, struct event *e);
void serve_part(struct l_client *lc, struct event *e);
void serve_event(struct l_client *lc, struct event *e);
void serve_interrupt(struct l_client *lc, struct event *e);
void serve_lost(struct l_client *lc); /* the session is over: no handler answers it */

/* Calls object:method(args...) in a task of its own; `n` arguments are on S->L's top, and
 * are popped. False when there is no task for it. */
bool serve_hook(struct l_client *lc, const char *method, int n);

#endif
