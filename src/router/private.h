/* private.h - what the files of the router know of each other, and nobody else does.
 *
 * A peer is a transport; a member is a peer that has joined a realm. Everything a
 * member holds hangs on it (subscriptions, registrations, the calls it made and those
 * it is to answer), so that leaving costs what it held and nothing more. A call hangs
 * on its caller and on its callee; it is gone as soon as its answer is settled, and
 * late answers find nothing.
 *
 * The members of a realm know each other only through their realm, never by address. */
#ifndef ROUTER_PRIVATE_H
#define ROUTER_PRIVATE_H

#include "base/list.h"
#include "base/map.h"
#include "router/match.h"
#include "router/router.h"
#include "wamp/limits.h"
#include "wamp/opts.h"
#include "wamp/roles.h"

/* ---- router.c: peers, clock, output queue ------------------------------------------ */

struct outputs { /* a ring */
    struct output *at;
    size_t head, count, cap; /* cap is 0 or a power of two */
};

struct router {
    struct map realms;             /* name -> owned realm */
    struct principals *principals; /* owned */
    struct rng rng;
    const char *agent; /* borrowed; may be NULL */
    bool strict_ids, strict_uris, closing;
    uint64_t now;          /* ms, of the input that is being worked on */
    uint64_t epoch;        /* ms since 1970 when `now` was 0 */
    uint64_t last_id;      /* of a subscription or registration */
    struct list peers;     /* owned until router_closed */
    struct heap deadlines; /* of peers */
    struct heap calls;     /* of calls */
    struct outputs out;
    struct found found; /* scratch of searches */
    struct router_stats stats;
};

/* Queue something for a peer, unless it is closing its transport already. `bytes` is
 * taken. */
void output_push(struct peer *p, enum output_kind kind, struct buf *bytes);
void output_close(struct peer *p, int code);

/* ---- peer.c: HELLO ... GOODBYE ----------------------------------------------------- */

enum { CLOSE_NORMAL = 1000, CLOSE_GOING_AWAY = 1001, CLOSE_PROTOCOL = 1002 };

struct peer {
    struct router *router;
    const struct wire *wire;
    void *user;
    struct member *member;   /* owned; NULL unless joined */
    struct attempt *attempt; /* owned; NULL unless challenged */
    unsigned state;          /* STATE_...; 0 = sends and gets nothing any more */
    bool said_hello;         /* it has been a member */
    size_t queued;           /* outputs in the queue */
    size_t takes;            /* bytes of the longest message that its transport takes */
    struct timer timer;      /* until HELLO, AUTHENTICATE, or the answer to GOODBYE */
    struct list link;        /* in router.peers */
};

void peer_open(struct peer *p);
void peer_feed(struct peer *p, struct buf *bytes);
void peer_expire(struct peer *p);

/* GOODBYE to a member; `text` may be absent. */
void peer_goodbye(struct peer *p, struct slice reason, struct slice text);

/* False when its transport does not take a message of this size; nothing is sent then. */
bool peer_send(struct peer *p, const struct msg *m);

/* ABORT and the end of the transport: the peer broke the protocol. */
void peer_violate(struct peer *p, const struct fault *f);

/* ---- realm.c: who has joined, and what they may do --------------------------------- */

struct rule {
    struct pattern pattern; /* first: the index finds it by this */
    unsigned allow;         /* ALLOW_... */
};

struct role_rules {
    char *name; /* owned */
    bool all;   /* everything is allowed */
    struct patterns permissions;
    struct rule *rules; /* owned */
    size_t count;
};

/* All subscriptions of a realm, or all its registrations. */
struct catalog {
    struct realm *realm; /* borrowed */
    struct patterns patterns;
    struct map ids; /* id -> struct held */
};

struct realm {
    char *name; /* owned */
    struct router *router;
    struct map members;       /* session id -> member, owned by its peer */
    struct role_rules *roles; /* owned */
    size_t role_count;
    unsigned offer;            /* bit per enum auth_method by which somebody may join */
    struct catalog topics;     /* of struct subscription */
    struct catalog procedures; /* of struct registration */
    size_t listeners;          /* subscriptions that a meta event may match */
    bool muted;                /* no meta events now */
};

struct member {
    struct peer *peer;   /* borrowed */
    struct realm *realm; /* borrowed */
    const struct role_rules *role;
    uint64_t id;
    char *authid;           /* owned */
    const char *authmethod; /* by which it joined; static text */
    bool gone;              /* leaving: nothing is sent to it */
    struct roles roles;
    uint64_t last_request;    /* of its requests */
    uint64_t last_invocation; /* of ours to it */
    struct map subscriptions; /* id -> owned struct holder */
    struct map registrations; /* id -> owned struct callee */
    struct map calls;         /* its request id -> call, that it waits for */
    struct map invocations;   /* our request id -> call, that it is to answer */
};

struct realm *realm_new(struct router *r, const struct realm_config *config);
void realm_free(struct realm *realm);
const struct role_rules *realm_role(const struct realm *realm, const char *name);

/* A session id that nobody in the realm has. */
uint64_t realm_free_id(const struct realm *realm);

/* Who somebody is, as the router has found. */
struct identity {
    const struct role_rules *role;
    const char *authid;     /* NULL: one is made up */
    const char *authmethod; /* static text */
    uint64_t session;       /* an id from realm_free_id */
};

struct member *member_join(struct peer *p, struct realm *realm,
                           const struct identity *who);
void member_leave(struct member *m);

/* Whether the role allows an ALLOW_... action on a URI, or on all that a pattern
 * stands for. */
bool role_allows(const struct role_rules *role, unsigned action, struct slice uri,
                 enum uri_match match);

/* Whether the rule that decides about `uri` was written for names of the router's own:
 * its pattern begins with "wamp.". What it says is asked by role_allows. A realm that
 * allows everything has no such rule. */
bool role_grants_meta(const struct role_rules *role, struct slice uri);

/* The entries of a dict that say who a member is, without its session id. */
#define MEMBER_DETAILS 4
void member_describe(const struct member *m, struct writer *w);

/* Sends, unless the member is leaving. False as of peer_send. */
bool member_send(struct member *m, const struct msg *message);

/* An ERROR that answers a request: of type `type` with id `request`. */
void member_error(struct member *m, int type, uint64_t request, const struct fault *f);

/* Checks the URI of a request and the right to `action`; false fills `f`. */
bool member_may(struct member *m, const struct msg *message, const struct opts *o,
                unsigned action, struct fault *f);

/* ---- held.c ------------------------------------------------------------------------ */

/* What members hold together, a subscription or a registration: a pattern that is there
 * from its first holder to its last. */
struct held {
    struct pattern pattern;  /* first: the index finds it by this */
    struct catalog *catalog; /* borrowed */
    uint64_t id;
    uint64_t created;    /* ms since 1970 */
    struct list holders; /* of struct holder; the earliest first, or whose turn it is */
    size_t count;        /* of holders */
};

struct holder {
    struct held *held;
    struct member *member;
    struct list link; /* in held.holders */
};

void held_init(struct held *h, struct catalog *c, struct slice uri, enum uri_match match);
void held_fini(struct held *h); /* nobody holds it any more */

void holder_init(struct holder *o, struct held *h, struct member *m);
void holder_fini(struct holder *o);

/* ---- broker.c ---------------------------------------------------------------------- */

void broker_subscribe(struct member *m, struct msg *message, const struct opts *o);
void broker_unsubscribe(struct member *m, struct msg *message);
void broker_publish(struct member *m, struct msg *message, const struct opts *o);
void broker_leave(struct member *m);

/* An event of the router's own; `args` is JSON. */
void broker_announce(struct realm *realm, struct slice topic, const struct buf *args);

/* ---- filter.c ---------------------------------------------------------------------- */

#define FILTER_FIRST OPT_EXCLUDE
#define FILTER_LISTS (OPT_ELIGIBLE_AUTHROLE - OPT_EXCLUDE + 1)

struct filter {
    unsigned lists; /* bit i: the list of option FILTER_FIRST + i is there */
    struct map set[FILTER_LISTS];
};

void filter_init(struct filter *f, const struct msg *publish, const struct opts *o);
void filter_fini(struct filter *f);
bool filter_passes(const struct filter *f, const struct member *m);

/* ---- dealer.c ---------------------------------------------------------------------- */

/* How a shared registration picks its callee. */
enum invoke {
    INVOKE_SINGLE,
    INVOKE_ROUNDROBIN,
    INVOKE_RANDOM,
    INVOKE_FIRST,
    INVOKE_LAST
};

struct registration {
    struct held held; /* first: the index finds it by this */
    enum invoke invoke;
};

struct callee {
    struct holder holder; /* of a struct registration */
    bool wants_caller;    /* disclose_caller */
};

const char *invoke_name(enum invoke invoke);

void dealer_register(struct member *m, struct msg *message, const struct opts *o);
void dealer_unregister(struct member *m, struct msg *message);
void dealer_leave(struct member *m);

/* Who is to answer a call of `uri`; NULL when nobody can. */
struct callee *dealer_pick(struct realm *realm, struct slice uri);

/* ---- meta.c, meta_events.c --------------------------------------------------------- */

/* Answers a CALL of a name that begins with "wamp". */
void meta_call(struct member *m, const struct msg *message, const struct opts *o);

/* Meta events: of a session that can be used, or has left; of a subscription or
 * registration that `m` has come to hold, or holds no longer. */
void meta_joined(const struct member *m);
void meta_left(const struct member *m);
void meta_added(const struct member *m, const struct held *h);
void meta_removed(const struct member *m, const struct held *h);

/* ---- call.c ------------------------------------------------------------------------ */

struct call {
    struct member *caller, *callee;
    uint64_t request;    /* the caller's id */
    uint64_t invocation; /* the callee's */
    uint64_t timeout;    /* ms until the first result, and between results; 0 = none */
    bool progressive;    /* results may come in parts */
    bool killed; /* INTERRUPT kill was sent: what the callee answers is the answer */
    struct timer timer; /* of the timeout, or of the kill */
};

void call_begin(struct member *m, struct msg *message, const struct opts *o);
void call_yield(struct member *m, struct msg *message, const struct opts *o);
void call_error(struct member *m, struct msg *message, const struct opts *o);
void call_leave(struct member *m);

/* Ends a call, telling its caller this error. */
void call_fail(struct call *c, const char *uri, const char *text);

/* Starts the clock of the call's timeout, if it has one, anew. */
void call_rearm(struct call *c);

/* ---- cancel.c ---------------------------------------------------------------------- */

void cancel_request(struct member *m, struct msg *message, const struct opts *o);
void cancel_expire(struct call *c); /* its timer is due */

/* INTERRUPT to the callee, unless it cannot be interrupted (false). */
bool cancel_interrupt(struct call *c, const char *mode);

/* ---- date.c ------------------------------------------------------------------------ */

/* A time in ms since 1970, as text. */
void date_write(uint64_t ms, struct writer *w);

/* ---- details.c --------------------------------------------------------------------- */

/* A details dict in the making: entries first, because some formats want their number. */
#define DETAILS_MAX 12

struct details { /* zero-initialised = empty */
    struct detail {
        enum opt key;
        enum token type; /* TOKEN_TRUE, TOKEN_INT, TOKEN_STRING */
        uint64_t integer;
        struct slice text; /* borrowed until details_encode */
    } at[DETAILS_MAX];
    size_t count;
};

void details_true(struct details *d, enum opt key);
void details_int(struct details *d, enum opt key, uint64_t value);
void details_text(struct details *d, enum opt key, struct slice text);

/* Who a member is: session id, authid and authrole, under the keys that disclose them. */
void details_caller(struct details *d, const struct member *m);
void details_publisher(struct details *d, const struct member *m);

/* Payload passthru: the sender's ppt_... keys as they are. */
void details_passthru(struct details *d, const struct opts *o);

/* The dict in `wire`; NULL when it is empty. */
struct buf *details_encode(const struct details *d, const struct wire *wire);

/* Lets `out`, a message to a peer that speaks `wire`, carry the arguments of `in`: as
 * they came, or in the other format, which `out` then owns: end it with msg_fini.
 * False when they are longer in that format than a message may be. */
bool payload_carry(struct msg *out, const struct msg *in, const struct wire *wire)
#if defined(__GNUC__)
    __attribute__((warn_unused_result))
#endif
    ;

#endif
