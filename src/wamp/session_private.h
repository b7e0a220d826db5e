/* session_private.h - what the files of the session share, and nobody else sees.
 *
 * session.c        life: HELLO to GOODBYE, dispatch of what comes
 * session_queue.c  the two output queues
 * session_hello.c  what we say about ourselves
 * session_check.c  what is refused before it is sent: URIs, options, features not
 *                  announced
 * session_ask.c    our requests: sending, answers, time-outs, cancelling
 * session_parts.c  calls whose arguments come in parts, those we make and those we serve
 * session_serve.c  what the router starts: EVENT, INVOCATION, INTERRUPT, revocations
 * session_hand.c   messages that the app made itself
 *
 * All of it is one machine: a function here may queue messages and events, never call
 * out. */
#ifndef WAMP_SESSION_PRIVATE_H
#define WAMP_SESSION_PRIVATE_H

#include "base/list.h"
#include "base/map.h"
#include "wamp/session.h"

/* A request of ours that has not been answered. */
struct pending {
    const struct msg_row *row; /* of the request */
    uint64_t id;
    uint64_t timeout; /* ms; 0 = none. Each progressive result starts it again */
    uint64_t target;  /* UNSUBSCRIBE, UNREGISTER: the id that is given up */
    void *tag;        /* the app's; not ours to free */
    bool forgotten;   /* nobody waits: the answer gives no event */
    bool hand;        /* sent by hand: so are its answers */
    /* Owned; of a call in parts that has not had its last one: CALL.Procedure again. */
    struct buf *procedure;
    struct timer timer;
    struct list node; /* in session.asked */
};

/* A subscription that the router counts as ours. One without handlers is either on its
 * way out (UNSUBSCRIBE sent) or idle: UNSUBSCRIBE waits until no SUBSCRIBE is under way,
 * because one for the same topic, answered meanwhile, would lose its events to the
 * UNSUBSCRIBE behind it. */
struct subscription {
    uint64_t id;
    unsigned handlers;
    unsigned hand;    /* how many of them are subscriptions made by hand */
    struct list node; /* in session.idle, or unlinked */
};

/* Values of the maps `registrations` and `invocations`: bits in place of a pointer. */
enum { HELD = 1, LEAVING = 2, PROGRESSIVE = 4, BY_HAND = 8, IN_PARTS = 16 };

static inline void *bits_put(unsigned bits)
{
    return (void *)(uintptr_t)bits;
}

static inline unsigned bits_get(const void *value)
{
    return (unsigned)(uintptr_t)value;
}

enum challenge { CHALLENGE_NONE, CHALLENGE_OPEN, CHALLENGE_ANSWERED };

struct ring { /* zero-initialised = empty */
    char *at;
    size_t head, count, cap; /* in elements; cap is a power of two, or 0 */
};

struct session {
    const struct wire *wire; /* borrowed, static */
    enum session_state state;
    enum challenge challenge;
    bool busy;
    uint64_t now; /* of the latest input */
    uint64_t id;
    uint64_t last_request;
    uint64_t late;
    uint64_t join_timeout; /* ms */
    size_t max_message;    /* bytes that we take at once, or keep */
    size_t max_send;       /* bytes of the longest message that is sent */
    struct roles router, own;
    struct buf *hello;    /* owned; the whole message, until it is sent */
    struct buf *progress; /* owned; {"progress": true} in our format */

    struct heap timers;
    struct timer limit; /* of joining and of leaving */

    struct map pending;       /* request id -> struct pending, owned */
    struct list asked;        /* the same, oldest first */
    unsigned subscribing;     /* how many of them are SUBSCRIBE */
    struct map subscriptions; /* id -> struct subscription, owned */
    struct list idle;
    struct map registrations; /* id -> HELD, LEAVING, BY_HAND */
    struct map invocations;   /* request id -> HELD, PROGRESSIVE, BY_HAND, IN_PARTS */
    uint64_t last_invocation; /* highest id that came */
    bool served_parts;        /* some INVOCATION came in parts */

    struct msg *early; /* owned; EVENTs that came before their SUBSCRIBED */
    size_t early_count, early_cap, early_bytes;

    struct ring out;    /* of struct buf *, owned */
    size_t queued;      /* bytes in out */
    struct ring events; /* of struct event, owned */
    char refusal[sizeof((struct fault *)0)->text];
};

/* session_queue.c */

void session_push(struct session *s, struct buf *b); /* queues; the reference passes */

/* Queues a message. SESSION_TOO_LARGE (and nothing queued) when it is over the limit. */
int session_send(struct session *s, const struct msg *m);

/* A new event at the end of the queue, to be filled in before the next one is made. */
struct event *session_event(struct session *s, enum event_kind kind);

/* Events of this request that wait to be pulled lose their tag. */
void session_forget_events(struct session *s, uint64_t request);

/* session.c */

/* The router broke the protocol: ABORT, and the end. */
void session_violated(struct session *s, const struct fault *f);

/* The app's own GOODBYE or ABORT: it goes out, and the session leaves or ends. */
int session_depart(struct session *s, struct msg *m);

/* The STATE_... of the grammar. */
unsigned session_grammar_state(const struct session *s);

/* ms from now, on the session's clock. */
uint64_t session_after(const struct session *s, uint64_t ms);

/* session_hello.c */

struct buf *session_make_hello(const struct wire *wire,
                               const struct session_config *config);
struct buf *session_make_progress(const struct wire *wire); /* {"progress": true} */

/* session_check.c */

/* Notes why an intent is refused; returns `error`. */
int session_refuse(struct session *s, enum session_error error, const char *fmt, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 3, 4)))
#endif
    ;

/* What the options of a request say about what follows it. */
struct asked {
    bool acknowledge; /* PUBLISH: there will be an answer */
    bool parts;       /* CALL: more of its arguments will follow */
};

/* Whether the request `m` may be sent: SESSION_OK, or why not. */
int session_check(struct session *s, const struct msg *m, struct asked *asked);

/* session_ask.c */

void session_on_answer(struct session *s, struct msg *m); /* also ERROR and revocations */
void session_on_timer(struct session *s, struct timer *t);      /* of a pending request */
void session_start_timer(struct session *s, struct pending *p); /* anew, if it has one */
void session_lose_pending(struct session *s); /* all end with SESSION_LOST */
void session_drop_pending(struct session *s); /* all end without events */

/* A request that waits for its answer; its id is the latest one. */
struct pending *session_pend(struct session *s, const struct msg_row *row);
bool session_is_full(struct session *s); /* LIMIT_PENDING: refused */
bool session_is_mode(struct slice mode); /* of CANCEL */
bool session_can_cancel(const struct session *s);

/* UNSUBSCRIBE or UNREGISTER for `target`. Returns the request id. */
int64_t session_give_up(struct session *s, enum msg_code code, uint64_t target, void *tag,
                        bool forgotten);

/* session_parts.c */

/* More of the arguments of the call `p`, whose CALL `m` was the first part, will come. */
void session_open_parts(struct pending *p, const struct msg *m);
void session_close_parts(struct pending *p); /* none will come; harmless twice */

/* The call under way that `m`, a CALL, is a later part of; NULL when there is none. */
struct pending *session_call_of_part(const struct session *s, const struct msg *m);

/* Sends a later part. */
int session_send_part(struct session *s, struct pending *p, struct msg *m, bool last);

/* What the details of an INVOCATION say. */
struct wishes {
    bool progressive; /* the caller wants progressive results */
    bool parts;       /* more arguments will follow */
    uint64_t timeout; /* ms that the callee has; 0 = no limit */
};

/* An INVOCATION for one that is open, whose state is `state`: a later part. False: it is
 * a violation. */
bool session_on_part(struct session *s, struct msg *m, unsigned state,
                     const struct wishes *w);

/* Whether an INVOCATION is a part of one that is over already; otherwise its id is noted.
 */
bool session_is_late_part(struct session *s, const struct msg *m, const struct wishes *w);

/* session_serve.c */

void session_on_event(struct session *s, struct msg *m);
void session_on_invocation(struct session *s, struct msg *m);
void session_on_interrupt(struct session *s, struct msg *m);
void session_on_subscribed(struct session *s, uint64_t id, bool wanted, bool hand);
void session_on_subscribing_done(
    struct session *s); /* the last SUBSCRIBE under way ended */
void session_on_revoked(struct session *s, struct msg *m);
void session_forget_subscription(struct session *s,
                                 uint64_t id); /* if it has no handlers */
void session_decline_open(struct session *s);  /* ERROR for each open invocation */
void session_serve_nothing(struct session *s); /* forgets all of it */

#endif
