/* session.h - the client's half of a WAMP session, as a machine without input or output.
 *
 * Inputs are calls: the transport opened, one whole message, the transport closed, the
 * time is now, and intents (call, publish, register ...). Outputs are pulled:
 * session_next_out gives bytes to send, session_next_event what happened,
 * session_deadline when session_tick is wanted. Nothing is called back, so nothing above
 * can re-enter it half way (session->busy is asserted).
 *
 * What it keeps: requests under way by id, subscriptions with a count of handlers,
 * registrations, invocations being worked on. What it does not know: sockets, Lua, how
 * values are encoded (its payloads are slices in the session's wire format), reconnecting
 * (a session joins once; a new connection is a new session).
 *
 * Time is milliseconds on any monotonic clock, given with each input. */
#ifndef WAMP_SESSION_H
#define WAMP_SESSION_H

#include "base/heap.h"
#include "wamp/ids.h"
#include "wamp/msg.h"
#include "wamp/opts.h"
#include "wamp/roles.h"

enum session_state {
    SESSION_NEW,     /* transport not up yet */
    SESSION_JOINING, /* HELLO sent (or AUTHENTICATE); no WELCOME yet */
    SESSION_JOINED,
    SESSION_LEAVING, /* our GOODBYE sent */
    SESSION_CLOSED   /* for good: left, aborted, refused or the transport is gone */
};

struct session_config {
    const char *realm;
    struct roles roles;    /* announced in HELLO; 0: all that we implement */
    struct slice hello;    /* further members of HELLO.Details (authid, authmethods,
                              authextra ...): a raw dict, copied; may be absent */
    const char *agent;     /* HELLO agent, may be NULL */
    uint64_t join_timeout; /* ms from session_opened to WELCOME; 0 = none */
    uint64_t max_message;  /* bytes; larger ones are not sent. 0 = LIMIT_MESSAGE_SIZE */
};

/* Why an intent was not taken, or why a request ended without the router's answer. */
enum session_error {
    SESSION_OK = 0,
    SESSION_NOT_JOINED = -1, /* no session to do it in */
    SESSION_BAD_URI = -2,    /* URI breaks the rule of its place */
    SESSION_NO_FEATURE = -3, /* the router did not announce what an option needs */
    SESSION_TOO_LARGE = -4,  /* message over max_message */
    SESSION_BUSY = -5,       /* LIMIT_PENDING requests under way */
    SESSION_UNKNOWN = -6,    /* no such subscription, registration, invocation */
    SESSION_TIMEOUT = -7,    /* local timer ran out */
    SESSION_LOST = -8,       /* the session ended before the answer came */
    SESSION_BAD_OPTION = -9  /* an option of the wrong type */
};

enum event_kind {
    EVENT_JOINED,       /* m: WELCOME */
    EVENT_CHALLENGE,    /* m: CHALLENGE. Wants session_authenticate or session_abort */
    EVENT_LEFT,         /* the end, always the last event. error: SESSION_OK after GOODBYE
                           (m: that of the router, if any), otherwise why;
                           reason, text: URI and words */
    EVENT_RESULT,       /* answers a call; progress: more will follow */
    EVENT_ERROR,        /* a request failed. m: ERROR, or m.row NULL and `error` is why */
    EVENT_PUBLISHED,    /* m.publication */
    EVENT_REGISTERED,   /* m.id */
    EVENT_UNREGISTERED, /* request 0: revoked by the router, m.id, reason */
    EVENT_SUBSCRIBED,   /* m.id */
    EVENT_UNSUBSCRIBED, /* likewise */
    EVENT_EVENT,        /* m: EVENT; m.id is a subscription with at least one handler */
    EVENT_INVOCATION,   /* m: INVOCATION; answer m.request with session_yield or _fail.
                           progress: more parts of its arguments will follow */
    EVENT_PART,         /* m: INVOCATION; the next part of the arguments of m.request.
                           progress: there will be another */
    EVENT_INTERRUPT     /* m: INTERRUPT; the caller wants invocation m.request stopped */
};

/* Slices in `m` live until event_done: the event holds a reference on the message. */
struct event {
    enum event_kind kind;
    uint64_t request; /* ours, for answers; 0 for events nobody asked for */
    void *tag;        /* as given with the request */
    int error;        /* enum session_error */
    bool progress;    /* more will follow */
    uint64_t timeout; /* ms; INVOCATION: how long the callee has; 0 = no limit */
    bool hand; /* of something sent by hand: m holds the whole message, for whoever reads
                  those. An EVENT is for handlers of its subscription as well */
    struct msg m;
    char *reason; /* owned; LEFT, revocation, cancelled call: URI; may be NULL */
    char *text;   /* owned; LEFT: words for people; ERROR: for whoever opens payloads, why
                     he could not (then m.row is NULL); may be NULL */
};

void event_done(struct event *e);

struct session;

/* The roles and features of a client that says nothing else: all that we implement. */
const struct roles *session_client_roles(void);

/* `rng` is copied. */
struct session *session_new(const struct wire *wire, const struct session_config *config,
                            const struct rng *rng);
void session_free(struct session *s); /* pending requests are dropped without events */

/* ---- input from the transport ------------------------------------------------------ */

/* The format that the transport agreed on, if it is not that of session_new. Before
 * session_opened. */
void session_speak(struct session *s, const struct wire *wire);
const struct wire *session_wire(const struct session *s);

void session_opened(struct session *s, uint64_t now); /* queues HELLO */

/* The other side takes messages of up to `size` bytes: longer ones are not sent. */
void session_limit(struct session *s, size_t size);

/* One whole message, borrowed. */
void session_feed(struct session *s, struct buf *message, uint64_t now);

/* The transport is gone; `why` (may be NULL) becomes EVENT_LEFT's text. Every pending
 * request gets EVENT_ERROR with SESSION_LOST first. Harmless after the end. */
void session_closed(struct session *s, const char *why, uint64_t now);
void session_tick(struct session *s, uint64_t now);
uint64_t session_deadline(const struct session *s); /* NEVER when no tick is wanted */

/* ---- output ------------------------------------------------------------------------ */

struct buf *session_next_out(struct session *s); /* the reference passes; NULL: none */
bool session_next_event(struct session *s, struct event *e); /* end with event_done */

/* True when all has been sent that ever will be, and the transport should be closed. */
bool session_wants_close(const struct session *s);

/* ---- intents ----------------------------------------------------------------------- *
 * `options` is a raw dict in the wire format, or absent; args and kwargs likewise; all
 * are copied. Requests return their id (> 0) and are answered by one event with `tag`, or
 * return a negative enum session_error and nothing is sent. */

struct request {
    struct slice uri;
    struct slice options, args, kwargs;
    uint64_t timeout; /* ms, our own timer; 0 = none. Each progressive result starts it
                         again. A call that times out is cancelled */
    void *tag;
};

int64_t session_call(struct session *s, const struct request *q, uint64_t now);

/* The next part of the arguments of a call that began with {"progress": true} in its
 * options (WAMP: progressive call invocations); `last`: there will be no other. Starts
 * the call's timer again. SESSION_UNKNOWN when the call is over, cancelled or has had its
 * last part. */
int session_part(struct session *s, uint64_t call, bool last, struct slice args,
                 struct slice kwargs, uint64_t now);

/* Without {"acknowledge": true} returns 0 when queued: no event will follow. */
int64_t session_publish(struct session *s, const struct request *q, uint64_t now);
int64_t session_register(struct session *s, const struct request *q, uint64_t now);

/* Invocations may come until EVENT_UNREGISTERED; those that came are still answered after
 * it. */
int64_t session_unregister(struct session *s, uint64_t registration, void *tag,
                           uint64_t now);

/* Each SUBSCRIBED counts one handler of its subscription id; a session_unsubscribe takes
 * one away and sends UNSUBSCRIBE with the last, otherwise it returns 0: done, no event
 * follows. Also 0 for the last while a SUBSCRIBE is under way, which may be for the same
 * topic: UNSUBSCRIBE then goes out, if still wanted, behind its answer. */
int64_t session_subscribe(struct session *s, const struct request *q, uint64_t now);
int64_t session_unsubscribe(struct session *s, uint64_t subscription, void *tag,
                            uint64_t now);

/* Cancels a call. `mode` is "skip", "kill", "killnowait" or NULL (router's default).
 * CANCEL goes out only where the router announced call_canceling; except for kill with
 * such a router the call is settled here and now with EVENT_ERROR wamp.error.canceled
 * (error 0, m.row NULL, that URI in `reason`). */
int session_cancel(struct session *s, uint64_t call, const char *mode, uint64_t now);

/* Forgets who waits for a request: its answer, when it comes, gives no event, and an
 * event that waits to be pulled loses its tag. What a forgotten (or timed out) SUBSCRIBE
 * or REGISTER obtains is given back at once. */
void session_forget(struct session *s, uint64_t request);

/* Answers to invocations. SESSION_UNKNOWN when the invocation is over (left, answered,
 * interrupted and already answered); SESSION_TOO_LARGE leaves it open for another answer,
 * as does SESSION_NO_FEATURE: progress for a caller who did not ask for it. */
struct answer {
    struct slice args, kwargs, options; /* as of struct request. With options, those of a
                                           progressive result say so themselves */
};
int session_yield(struct session *s, uint64_t invocation, bool progress,
                  const struct answer *a);
int session_fail(struct session *s, uint64_t invocation, struct slice uri,
                 const struct answer *a);

/* SESSION_UNKNOWN when no challenge waits. `extra` is a raw dict, or absent. */
int session_authenticate(struct session *s, struct slice signature, struct slice extra);

/* GOODBYE, behind an ERROR for each open invocation; EVENT_LEFT follows with the answer,
 * or after LIMIT_GOODBYE_MS without one. `reason` NULL means wamp.close.normal. In other
 * states the session just ends. */
void session_leave(struct session *s, const char *reason, const char *text, uint64_t now);
void session_abort(struct session *s, const char *reason, const char *text, uint64_t now);

/* ---- by hand ----------------------------------------------------------------------- *
 * A message that the app made itself is held against the same rules as any other before
 * it is sent: grammar, direction, state, options, URI, features. A request must have the
 * next id (session_next_request), or is refused; but a later part of a call sent by hand
 * has the call's. What answers it, and what comes for a
 * subscription or registration that it obtained, are events with `hand` set. */

/* Sends one whole message, borrowed. The id of a request that will be answered; 0 for
 * what has no answer; or a negative enum session_error, and nothing is sent. GOODBYE
 * leaves, ABORT ends the session. YIELD and ERROR answer what came for a registration
 * made by hand. */
int64_t session_hand(struct session *s, struct buf *message, uint64_t now);

/* The id that the next request will have. */
uint64_t session_next_request(const struct session *s);

/* Takes over an INVOCATION that is not fed to the session: session_hand may answer it. */
void session_adopt(struct session *s, const struct msg *invocation);

/* ---- looking ----------------------------------------------------------------------- */

enum session_state session_state(const struct session *s);
uint64_t session_id(const struct session *s); /* 0 while not joined */
/* Bytes that session_next_out has not given yet. */
size_t session_queued(const struct session *s);
size_t session_pending(const struct session *s);     /* requests under way */
size_t session_max_message(const struct session *s); /* bytes of one */
uint64_t session_late(const struct session *s);      /* answers and events for nobody */

/* As announced in WELCOME. */
const struct roles *session_router_roles(const struct session *s);

/* Why the latest refused intent was refused, for people: names the URI, option or
 * feature, as in "the router did not announce pattern_based_registration (needed by
 * match)". "" before that. */
const char *session_last_error(const struct session *s);

#endif
