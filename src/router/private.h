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

#include <limits.h>

#include "base/list.h"
#include "base/map.h"
#include "router/match.h"
#include "router/router.h"
#include "wamp/limits.h"
#include "wamp/opts.h"
#include "wamp/roles.h"

/* ---- inquiry.c: what others decide ------------------------------------------------- */

struct inquiries {
    struct map asked;      /* id -> owned inquiry of the code above */
    struct list questions; /* of those: not yet handed out */
    uint64_t last_id;
    struct heap deadlines; /* of all inquiries */
};

struct inquiry;

/* Somebody's decision about a peer: his attempt to join, or what he asks for as a
 * member. */
struct asking {
    struct peer *peer;
    struct realm *realm;
    const char *whom; /* a procedure's URI, or DECIDES_ABOVE */
};

void inquiries_init(struct inquiries *qs);
void inquiries_fini(struct inquiries *qs); /* nobody waits for any */

/* Asks; `args` is a list as JSON, which is taken. The answer is given to attempt_decided
 * or authorize_decided, never from inside this call. */
struct inquiry *inquiry_new(const struct asking *a, struct buf *args);
void inquiry_drop(struct inquiry *q); /* nobody wants the answer; NULL is ignored */
void inquiry_expire(struct inquiry *q);
struct inquiry *inquiry_of(struct timer *t);

/* Writes a session's transport as its authenticator or authorizer is told of it. */
void inquiry_transport(const struct peer *p, struct writer *w);

/* The router's own session in a realm, which calls procedures that decide. */
struct service;
void service_free(struct service *s);                    /* NULL is ignored */
void service_receive(struct peer *p, struct buf *bytes); /* taken */

/* ---- strikes.c: failed attempts to join -------------------------------------------- */

struct strikes {
    struct map addresses; /* address -> owned strike */
    struct list strikes;  /* the one that is forgotten first is first */
};

void strikes_init(struct strikes *s);
void strikes_fini(struct strikes *s);
void strikes_note(struct strikes *s, const char *address, uint64_t now);

/* ms that an address has to wait; 0 = none. The address may be NULL. */
uint64_t strikes_wait(const struct strikes *s, const char *address, uint64_t now);

/* ---- router.c: peers, clock, output queue ------------------------------------------ */

struct outputs { /* a ring */
    struct output *at;
    size_t head, count, cap; /* cap is 0 or a power of two */
};

/* The ways in, and who may join by each (doors.c). */
struct doors {
    struct door_config *at; /* owned */
    size_t count;
    struct principals **stores; /* owned, and each */
    size_t store_count;
};

struct router {
    struct map realms; /* name -> owned realm */
    struct doors doors;
    struct rng rng;
    const char *agent; /* borrowed; may be NULL */
    bool strict_ids, strict_uris, closing;
    size_t max_queue;      /* bytes that may wait for one peer */
    uint64_t now;          /* ms, of the input that is being worked on */
    uint64_t epoch;        /* ms since 1970 when `now` was 0 */
    uint64_t last_id;      /* of a subscription or registration */
    struct list peers;     /* owned until router_closed */
    struct heap deadlines; /* of peers */
    struct heap calls;     /* of calls */
    struct outputs out;
    struct found found; /* scratch of searches */
    struct inquiries inquiries;
    struct strikes strikes;
    struct router_stats stats;
    bool noting;
    struct list notes; /* of struct note; owned */
};

/* Queue something for a peer, unless it is closing its transport already. `bytes` is
 * taken. An event that the peer has no room for is dropped; anything else may go some
 * way beyond its limit, past which it is cut off. */
void output_push(struct peer *p, enum output_kind kind, struct buf *bytes);

/* Whether `n` bytes more may wait for this peer. */
bool output_fits(const struct peer *p, size_t n);
void output_close(struct peer *p, int code);
void output_forget(struct peer *p); /* what a peer will not get any more */

/* A transport that is not in router.peers yet. */
struct peer *peer_new(struct router *r, const struct wire *wire, void *user);

/* A realm that is not there yet. Afterwards, router_offer. */
void router_add_realm(struct router *r, const struct realm_config *config);
void router_offer(struct router *r); /* finds anew by what methods each can be joined */

/* What a configuration says of all realms and peers. */
void router_set_limits(struct router *r, const struct router_config *config);

/* ---- doors.c ----------------------------------------------------------------------- */

#define NO_DOOR UINT_MAX /* of a peer whose door is no more */

void doors_init(struct doors *d, const struct router_config *config,
                const struct rng *rng);
void doors_fini(struct doors *d);

/* Who may join by a door; NULL: there is no such door. */
const struct principals *doors_store(const struct doors *d, unsigned door);

/* The number that a door of an older configuration has now; NO_DOOR: none. */
unsigned doors_follow(const struct doors *d, const struct doors *old, unsigned door);

/* ---- peer.c: HELLO ... GOODBYE ----------------------------------------------------- */

enum {
    CLOSE_NORMAL = 1000,
    CLOSE_GOING_AWAY = 1001,
    CLOSE_PROTOCOL = 1002,
    CLOSE_POLICY = 1008
};

struct peer {
    struct router *router;
    const struct wire *wire;
    void *user;
    struct member *member;   /* owned; NULL unless joined */
    struct attempt *attempt; /* owned; NULL unless challenged */
    unsigned state;          /* STATE_...; 0 = sends and gets nothing any more */
    bool said_hello;         /* it has been a member */
    bool service;            /* the router's own: what it gets goes to service_receive */
    unsigned door;           /* in router.doors, or NO_DOOR */
    char *address;           /* owned; NULL: none */
    size_t queued;           /* outputs in the queue */
    size_t unsent;           /* their bytes */
    size_t refused;          /* bytes of the message that peer_send did not take */
    const size_t *backlog;   /* bytes its transport still has; borrowed; NULL: none */
    size_t takes;            /* bytes of the longest message that its transport takes */
    struct timer timer;      /* until HELLO, AUTHENTICATE, or the answer to GOODBYE */
    struct list link;        /* in router.peers */
};

void peer_open(struct peer *p);
void peer_feed(struct peer *p, struct buf *bytes);
void peer_expire(struct peer *p);

/* An attempt to join that it may be at ends. */
void peer_interrupt(struct peer *p);

/* It is no member any more, nor on its way to become one. */
void peer_leave(struct peer *p, struct slice reason);

/* GOODBYE to a member; `text` may be absent. */
void peer_goodbye(struct peer *p, struct slice reason, struct slice text);

/* False when its transport does not take a message of this size, or when what carries
 * payload on its behalf (INVOCATION, RESULT) has no room in its queue; nothing is sent
 * then, and peer_refusal says why. */
bool peer_send(struct peer *p, const struct msg *m);

/* Why peer_send was false. */
void peer_refusal(const struct peer *p, struct fault *f);

/* ABORT and the end of the transport: the peer broke the protocol. */
void peer_violate(struct peer *p, const struct fault *f);

/* Does what a member asks for, whose right to it has been settled. */
void peer_perform(struct peer *p, struct msg *m, const struct opts *o);

/* The answer to an inquiry about its attempt to join; the absent slice for none. */
void peer_identified(struct peer *p, const struct wire *wire, struct slice answer);
/* ---- notes.c ----------------------------------------------------------------------- */

/* Each is also counted. A peer that has become a member; one that is to be none any
 * more; one that is not to become one. */
void note_joined(struct peer *p);
void note_left(struct peer *p, struct slice reason);
void note_refused(struct peer *p, const char *reason);

/* ---- realm.c: who has joined, and what they may do --------------------------------- */

struct rule {
    struct pattern pattern; /* first: the index finds it by this */
    unsigned allow;         /* ALLOW_... */
    unsigned disclose;      /* ALLOW_... whose doer is told */
    int64_t trust;          /* -1: says nothing of it */
};

struct role_rules {
    char *name;                /* owned */
    bool all;                  /* everything is allowed */
    bool trusts;               /* some rule says a trust level */
    char *authorizer;          /* owned; who decides in place of rules; NULL: nobody */
    struct verdicts *verdicts; /* owned; his answers that are kept; NULL: none */
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

/* Events that wait for subscribers (retained.c). */
struct retained {
    struct map topics;  /* topic -> owned struct retained_topic */
    struct list events; /* of owned struct retained_event; the earliest first */
    size_t count, bytes;
    uint64_t searches; /* by pattern, so far */
};

struct realm {
    char *name; /* owned */
    struct router *router;
    struct map members;       /* session id -> member, owned by its peer */
    struct role_rules *roles; /* owned */
    size_t role_count;
    unsigned *offers;          /* owned; of each store: bit per enum auth_method */
    struct catalog topics;     /* of struct subscription */
    struct catalog procedures; /* of struct registration */
    struct service *service;   /* owned; NULL until somebody is asked */
    size_t listeners;          /* held subscriptions that a meta event may match */
    bool muted;                /* no meta events and no testaments now */
    bool strict_uris, no_meta; /* as in struct realm_config */
    struct retained retained;
    bool histories; /* some subscription has one */
};

struct member {
    struct peer *peer;   /* borrowed */
    struct realm *realm; /* borrowed */
    const struct role_rules *role;
    uint64_t id;
    char *authid;             /* owned */
    const char *authmethod;   /* by which it joined; static text */
    const char *authprovider; /* who knew it; static text */
    struct buf *authextra;    /* owned; JSON: what WELCOME says of it; NULL: nothing */
    struct parked *parked;    /* owned; what waits for an authorizer; NULL: nothing */
    unsigned granted; /* ALLOW_..., by an authorizer, to the request that is worked on */
    bool discloses;   /* that request tells who made it */
    bool gone;        /* leaving: nothing is sent to it */
    struct roles roles;
    uint64_t last_request;    /* of its requests */
    uint64_t last_call;       /* the highest of its CALLs */
    uint64_t last_invocation; /* of ours to it */
    size_t deferred;          /* bytes of its calls that are kept (deferred.c) */
    bool in_parts;            /* it has called in parts */
    struct map subscriptions; /* id -> owned struct holder */
    struct map registrations; /* id -> owned struct callee */
    struct map calls;         /* its request id -> call, that it waits for */
    struct map invocations;   /* our request id -> call, that it is to answer */
    struct list testaments;   /* of owned struct testament; the earliest first */
    size_t testament_count, testament_bytes;
};

/* The roles of a realm, when it has got others (realm_set_roles). */
struct realm_roles {
    struct role_rules *at; /* owned */
    size_t count;
};

/* Roles and options as the configuration has them. Gives the old roles, to which members
 * still point. */
struct realm_roles realm_set_roles(struct realm *realm,
                                   const struct realm_config *config);
void realm_roles_free(struct realm_roles *roles);

struct realm *realm_new(struct router *r, const struct realm_config *config);
void realm_free(struct realm *realm);
const struct role_rules *realm_role(const struct realm *realm, const char *name);

/* A session id that nobody in the realm has. */
uint64_t realm_free_id(const struct realm *realm);

/* Who somebody is, as the router has found. */
struct identity {
    const struct role_rules *role;
    const char *authid;       /* NULL: one is made up */
    const char *authmethod;   /* static text */
    const char *authprovider; /* static text */
    uint64_t session;         /* an id from realm_free_id */
};

/* One that nobody in the realm knows. */
struct member *member_new(struct peer *p, struct realm *realm,
                          const struct identity *who);
void member_free(struct member *m);

struct member *member_join(struct peer *p, struct realm *realm,
                           const struct identity *who);
void member_leave(struct member *m);

/* Whether the role allows an ALLOW_... action on a URI, or on all that a pattern
 * stands for. */
bool role_allows(const struct role_rules *role, unsigned action, struct slice uri,
                 enum uri_match match);

/* The same for a name within a pattern that the role was allowed: an authorizer is asked
 * for the pattern only. */
bool role_allows_within(const struct role_rules *role, unsigned action, struct slice uri);

/* Whether the rule that decides about `uri` was written for names of the router's own:
 * its pattern begins with "wamp." or "wampy.router.". What it says is asked by
 * role_allows. A realm that allows everything has no such rule. */
bool role_grants_meta(const struct role_rules *role, struct slice uri);

/* The trust level that the role has for this procedure or topic, -1 for none. */
int64_t role_trust(const struct role_rules *role, struct slice uri);

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

/* ---- authorize.c ------------------------------------------------------------------- */

/* Whether a member whose role has an authorizer may go on with a request now. False: it
 * waits, or has been answered. */
bool authorize_pass(struct member *m, struct msg *message, const struct opts *o);

/* The answer to an inquiry about a member's request; the absent slice for none. */
void authorize_decided(struct peer *p, const struct wire *wire, struct slice answer);
void authorize_leave(struct member *m);

/* The role of a member changes: before, whoever is asked need not answer; after, what
 * waits goes on under the new one. */
void authorize_pause(struct member *m);
void authorize_resume(struct member *m);
void verdicts_free(struct verdicts *v); /* NULL is ignored */

/* ---- held.c ------------------------------------------------------------------------ */

/* What members hold together, a subscription or a registration: a pattern that is there
 * from its first holder to its last, unless it is permanent. */
struct held {
    struct pattern pattern;  /* first: the index finds it by this */
    struct catalog *catalog; /* borrowed */
    uint64_t id;
    uint64_t created;    /* ms since 1970 */
    bool permanent;      /* there without holders too */
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

/* Tells who understands it that he holds `h` no longer: UNSUBSCRIBED or UNREGISTERED with
 * request 0 (WAMP: subscription revocation, registration revocation). `reason` may be
 * absent. */
void held_tell_revoked(const struct held *h, struct member *m, struct slice reason);

/* ---- broker.c ---------------------------------------------------------------------- */

void broker_subscribe(struct member *m, struct msg *message, const struct opts *o);
void broker_unsubscribe(struct member *m, struct msg *message);
void broker_publish(struct member *m, const struct msg *message, const struct opts *o);
void broker_leave(struct member *m);

/* Publishes a testament of a member that leaves, under an id that he knows. */
void broker_testify(struct member *m, const struct msg *message, const struct opts *o,
                    uint64_t id);

/* Takes the subscription `id` from a member, and tells him. False when he has none. */
bool broker_revoke(struct member *m, uint64_t id, struct slice reason);

struct subscription {
    struct held held;        /* first: the index finds it by this */
    bool listens;            /* a meta event may match it */
    struct history *history; /* owned; NULL where none is kept */
};

/* The subscriptions of a realm that keep a history, from its start, or from a new
 * configuration on, to its end. */
void broker_open(struct realm *realm, const struct realm_config *config);
void broker_close(struct realm *realm);

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

/* ---- details.c --------------------------------------------------------------------- */

/* A details dict in the making: entries first, because some formats want their number. */
#define DETAILS_MAX 15

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

/* Who a caller is: session id, authid and authrole. */
void details_caller(struct details *d, const struct member *m);

/* Payload passthru: the sender's ppt_... and enc_... keys as they are. */
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

/* Writes a value that stands in `wire`; null in place of one that is too long in the
 * writer's format. */
void value_carry(struct writer *w, struct slice value, const struct wire *wire);

/* ---- event.c ----------------------------------------------------------------------- */

/* One PUBLISH and what its EVENTs say. */
struct publication {
    uint64_t id;
    uint64_t time; /* ms since 1970 */
    struct {
        uint64_t session; /* 0: the router itself */
        const char *authid, *authrole;
    } author;                  /* borrowed */
    int64_t trust;             /* -1: nothing is said */
    bool retained;             /* it is sent to who came later */
    bool disclosed;            /* its author is told */
    const struct msg *message; /* borrowed */
    const struct opts *o;      /* borrowed */
};

void publication_init(struct publication *p, struct realm *realm,
                      const struct msg *message, const struct opts *o);
void publication_sign(struct publication *p, const struct member *m); /* he published */

/* Whether it has black or white lists. */
bool publication_restricted(const struct publication *p);

/* Whether a member may have it who is subscribed; `f` is its filter. */
bool publication_reaches(const struct publication *p, const struct filter *f,
                         const struct member *m);

/* The details of its EVENTs, but topic. */
void publication_describe(const struct publication *p, struct details *d);

/* An EVENT; NULL when it is too long in this format. */
struct buf *publication_event(const struct publication *p, const struct held *h,
                              const struct wire *wire);

/* Lets a subscriber have it; the reference passes. NULL is counted. */
void event_push(const struct member *m, struct buf *bytes);

/* A publication that outlives its PUBLISH. */
struct kept {
    unsigned refs;
    struct publication publication; /* without options */
    struct msg message;             /* owned, as the next two */
    char *authid, *authrole;
};

struct kept *kept_new(const struct publication *p); /* one by a member */
struct kept *kept_ref(struct kept *k);
void kept_unref(struct kept *k);
size_t kept_size(const struct kept *k); /* bytes */

/* A kept publication with its options and lists. */
struct reading {
    struct publication publication;
    struct opts o;
    struct filter filter;
};

void kept_open(const struct kept *k, struct reading *r);
void reading_close(struct reading *r);

/* ---- retained.c -------------------------------------------------------------------- */

void retained_init(struct retained *r);
void retained_fini(struct retained *r);
void retained_put(struct retained *r, const struct publication *p, struct kept *k);

/* To a new subscriber, what he would have got. */
void retained_send(struct retained *r, struct member *m, const struct held *h);

/* ---- history.c --------------------------------------------------------------------- */

struct record {
    struct list link;
    struct kept *kept; /* a reference */
};

struct history {
    size_t limit;
    size_t count, bytes; /* of records */
    struct list records; /* owned; the earliest first */
};

struct history *history_new(size_t limit);
void history_free(struct history *h); /* NULL is ignored */

/* Whether a publication is for histories at all. */
bool history_takes(const struct publication *p);
void history_put(struct history *h, struct kept *k);

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
    struct list waiting; /* of struct call: those who could answer have no room */
    size_t waiting_count;
};

struct callee {
    struct holder holder; /* of a struct registration */
    bool wants_caller;    /* disclose_caller */
    bool keeps_time;      /* forward_timeout, and it announced call_timeout */
    uint64_t concurrency; /* calls at a time; 0 = any number */
    uint64_t busy;        /* calls under way, counted where there is a limit */
    struct list calls;    /* of struct call: these */
};

const char *invoke_name(enum invoke invoke);

void dealer_register(struct member *m, struct msg *message, const struct opts *o);
void dealer_unregister(struct member *m, struct msg *message);
void dealer_leave(struct member *m);

/* Takes the registration `id` from a member, and tells him. False when he has none. */
bool dealer_revoke(struct member *m, uint64_t id, struct slice reason);

/* The registration that a call of `uri` goes to; NULL when there is none. */
struct registration *dealer_find(struct realm *realm, struct slice uri);

/* Who of its callees is to answer a call of `uri`, none of those that `tried` has (by
 * session id; may be NULL). NULL when nobody can; `busy` says whether that is for now
 * only: all who could have as many calls as they want at a time. */
struct callee *dealer_pick(struct registration *reg, struct slice uri,
                           const struct map *tried, bool *busy);

/* ---- meta.c, meta_events.c --------------------------------------------------------- */

/* Whether a procedure is the router's own: "wamp." or "wampy.router." begins it. */
bool meta_owns(struct slice uri);

/* Answers a CALL of such a procedure. */
void meta_call(struct member *m, const struct msg *message, const struct opts *o);

/* Meta events: of a session that can be used, or has left; of a subscription or
 * registration that `m` has come to hold, or holds no longer. */
void meta_joined(const struct member *m);
void meta_left(const struct member *m);
void meta_added(const struct member *m, const struct held *h);
void meta_removed(const struct member *m, const struct held *h);

/* ---- meta_testament.c -------------------------------------------------------------- */

/* Publishes the testaments of a member that leaves, and frees them. */
void testaments_leave(struct member *m);

/* ---- call.c ------------------------------------------------------------------------ */

struct call {
    struct member *caller;
    struct member *callee; /* NULL while it waits for one */
    uint64_t request;      /* the caller's id */
    uint64_t invocation;   /* the callee's */
    uint64_t registration; /* its id; it may have gone */
    uint64_t timeout;      /* ms until the first result, and between results; 0 = none */
    uint64_t due;          /* ms: the end of the timeout that runs */
    bool progressive;      /* results may come in parts */
    bool answered;         /* one has */
    bool discloses;        /* the callee is told who calls, by rule */
    bool forwarded;        /* the callee keeps the time, and we only if it does not */
    bool killed; /* INTERRUPT kill was sent: what the callee answers is the answer */
    struct timer timer;        /* of the timeout, or of the kill */
    struct callee *seat;       /* borrowed: whose concurrency counts it; mostly NULL */
    struct list link;          /* in seat->calls, or in deferred->registration->waiting */
    struct parts *parts;       /* owned: NULL unless its arguments come in parts */
    struct deferred *deferred; /* owned: NULL unless it may be sent to another callee */
};

void call_begin(struct member *m, struct msg *message, const struct opts *o);
void call_yield(struct member *m, struct msg *message, const struct opts *o);
void call_error(struct member *m, struct msg *message, const struct opts *o);
void call_leave(struct member *m);

/* Ends a call, telling its caller this error. */
void call_fail(struct call *c, const char *uri, const char *text);

/* Gives a call that no callee has to `callee`; NULL: there is none left, it fails. Its
 * CALL is kept. */
void call_resume(struct call *c, struct callee *callee);

/* Takes a call away from its callee, as if it had never been sent there. */
void call_withdraw(struct call *c);

/* The details of a call's INVOCATION; NULL for none. */
struct buf *call_details(const struct call *c, const struct callee *callee,
                         const struct msg *message, const struct opts *o, bool progress);

/* INVOCATION with the arguments of `message`; false when the callee cannot be sent it. */
bool call_send(const struct call *c, const struct buf *details,
               const struct msg *message);

/* A message that a transport cannot carry (WAMP: RawSocket, maximum length), or that is
 * one too many for who does not read, is the end of the call, not of the session: tells
 * the caller why, and frees the call. */
void call_refused(struct call *c, const struct peer *by);

/* ---- parts.c ----------------------------------------------------------------------- */

/* A call whose arguments come in parts. */
struct parts {
    bool open;               /* more are to come */
    struct buf *procedure;   /* owned */
    struct buf *more, *last; /* owned: details of an INVOCATION, of the last one */
};

/* The first part has been routed to `callee`. */
struct parts *parts_new(const struct call *c, const struct callee *callee,
                        const struct msg *message, const struct opts *o);
void parts_free(struct parts *parts);

/* Whether a CALL with this id is a later part: of a call under way, or of one that has
 * ended and whose caller could not know. */
bool parts_later(const struct member *m, uint64_t request);
void parts_forward(struct member *m, const struct msg *message, const struct opts *o);

/* Whether a member, as callee, takes calls in parts. */
bool parts_taken_by(const struct member *m);

/* ---- deferred.c -------------------------------------------------------------------- */

/* A CALL that may have to be sent to another callee: it waits, or its callee may turn it
 * down. */
struct deferred {
    struct msg message;
    struct map tried;                  /* session ids of those who have turned it down */
    struct registration *registration; /* where it waits; NULL while a callee has it */
};

/* Whether a call that this callee gets is one to keep: it may turn it down. */
bool deferred_for(const struct callee *callee);

/* Whether one more message of this size may be kept for its caller. */
bool deferred_admits(const struct member *caller, const struct msg *message);

/* Keeps the call's message, which is moved away. */
void deferred_take(struct call *c, struct msg *message);
void deferred_drop(struct call *c); /* harmless when nothing is kept */

/* The callee turned the call down (WAMP: call re-routing): it goes to another, or fails.
 * False when it must end with what the callee answered. */
bool deferred_reroute(struct call *c);

/* ---- waiting.c --------------------------------------------------------------------- */

/* The places that a callee has for calls, where it has a number of them. */
void seat_take(struct call *c, struct callee *callee);
void seat_leave(struct call *c);        /* and the next call that waits gets it */
void seat_close(struct callee *callee); /* it goes: nothing counts any more */

bool waiting_admits(const struct registration *reg);
void waiting_push(struct registration *reg, struct call *c); /* its CALL is kept */
void waiting_remove(struct call *c); /* harmless when it does not wait */
void waiting_serve(struct registration *reg);
void waiting_fail(struct registration *reg); /* it has no callee any more */

/* ---- passthru.c -------------------------------------------------------------------- */

/* Whether the sender may use the ppt_... and enc_... keys of a message as it does; false
 * fills `f`. */
bool passthru_ok(const struct member *sender, const struct msg *message,
                 const struct opts *o, struct fault *f);

/* Whether a member in this role may get a message with these options. */
bool passthru_fits(const struct member *receiver, enum role role, const struct opts *o);

/* What such a member did not announce: the name of a feature. */
const char *passthru_feature(const struct opts *o);

/* ---- cancel.c ---------------------------------------------------------------------- */

void cancel_request(struct member *m, struct msg *message, const struct opts *o);
void cancel_expire(struct call *c); /* its timer is due */

/* INTERRUPT to the callee, unless it cannot be interrupted (false). */
bool cancel_interrupt(struct call *c, const char *mode);

/* ---- date.c ------------------------------------------------------------------------ */

/* A time in ms since 1970, as text. */
void date_write(uint64_t ms, struct writer *w);

/* The time in ms since 1970 that a text says as RFC 3339 has it; what is finer is cut
 * off. False when it says none. */
bool date_read(struct slice text, int64_t *ms);

#endif
