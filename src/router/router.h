/* router.h - a WAMP router as a machine without input or output.
 *
 * Peers are opened, fed whole messages and closed; what the router wants sent comes
 * out of one queue (router_next_out) in the order it must go out. It knows nothing of
 * sockets, Lua or clocks, and nothing of the client's session.h: both speak struct
 * msg, neither knows the other.
 *
 * realm.c keeps who has joined, broker.c topics, dealer.c procedures, call.c calls;
 * meta.c answers for what the router itself is asked; peer.c walks a peer through
 * HELLO ... GOODBYE and hands what a joined one says to the others. */
#ifndef ROUTER_ROUTER_H
#define ROUTER_ROUTER_H

#include "base/heap.h"
#include "base/list.h"
#include "wamp/ids.h"
#include "wamp/msg.h"
#include "wamp/uri.h"

enum {
    ALLOW_CALL = 1,
    ALLOW_REGISTER = 2,
    ALLOW_PUBLISH = 4,
    ALLOW_SUBSCRIBE = 8,
    ALLOW_FORCE = 16, /* REGISTER force_reregister: taking a procedure from others */
    ALLOW_ALL = 31
};

struct permission {
    char *uri; /* owned by the config */
    enum uri_match match;
    unsigned allow;    /* ALLOW_... */
    unsigned disclose; /* ALLOW_CALL, ALLOW_PUBLISH: who does it is told to the others */
    bool trusted;      /* calls and events by it say `trust` */
    uint32_t trust;
};

/* Events that are kept for wamp.subscription.get_events. */
struct history_config {
    char *uri; /* owned by the config */
    enum uri_match match;
    size_t limit; /* events; LIMIT_HISTORY at most */
};

struct role_config {
    char *name;
    struct permission *permissions; /* the most specific that matches decides; none: no */
    size_t count;
    char *authorizer; /* who decides in place of permissions (see below); NULL: they do */
};

struct realm_config {
    char *name;
    struct role_config *roles; /* no role at all: "anonymous", everything allowed */
    size_t count;
    struct history_config *histories;
    size_t history_count;
    bool strict_uris; /* strict URI rule in this realm, whatever the router's */
    bool no_meta;     /* no meta procedures, and no meta events */
};

/* How a client proves who it is. */
enum auth_method {
    AUTH_ANONYMOUS, /* not at all */
    AUTH_TICKET,
    AUTH_WAMPCRA,
    AUTH_CRYPTOSIGN,
    AUTH_SCRAM,
    AUTH_METHODS
};

/* One who may join, by one method. */
struct principal_config {
    enum auth_method method;
    char *authid; /* NULL: "anonymous" makes one up for each session */
    char *role;
    char *realm; /* the only one he may join; NULL: all that have the role */
    /* owned by the config: the ticket; the secret of wampcra; public keys of 32 bytes,
     * one behind the other; StoredKey and ServerKey of wamp-scram */
    struct buf *secret;
    struct buf *salt; /* wampcra: text, NULL for none; wamp-scram: bytes */
    uint32_t iterations, keylen, memory; /* keylen: bytes; memory: KiB */
    bool argon2;                         /* wamp-scram: not PBKDF2 but Argon2id */
    /* Who says who somebody is that comes by this method (see below); NULL: this
     * principal does. Then `realm` is where it is asked (NULL: where somebody wants to
     * join), and all else but the method is absent. */
    char *authenticator;
    unsigned store; /* which one he is in (struct door_config) */
};

/* A way in, and the store of those who may join by it: of several doors, perhaps. */
struct door_config {
    char *name; /* owned by the config; the same door has it in another configuration */
    unsigned store;
};

/* An authenticator or authorizer is the URI of a procedure, or this: the code above, by
 * router_next_question. */
#define DECIDES_ABOVE ""

struct router_config {
    struct realm_config *realms;
    size_t count;
    struct principal_config *principals; /* a store without: everybody is "anonymous" */
    size_t principal_count;
    struct door_config *doors; /* none: one, to store 0 */
    size_t door_count;
    bool strict_ids;   /* refuse request ids that are not exactly the next one */
    bool strict_uris;  /* strict URI rule in place of the loose one */
    size_t max_queue;  /* bytes that may wait for one peer; 0 = LIMIT_QUEUE */
    size_t max_memory; /* bytes of messages; 0 = LIMIT_MEMORY (kept by the host) */
    const char *agent; /* WELCOME agent; may be NULL */
    uint64_t epoch;    /* ms since 1970 when the router's `now` is 0 */
};

struct router;
struct peer;

/* Copies what it needs from `config`, except `agent`, which must outlive it. `rng` is
 * copied. */
struct router *router_new(const struct router_config *config, const struct rng *rng);
void router_free(struct router *r);

/* A transport came up that speaks `wire`; `user` is handed back with each output. The
 * peer exists until router_closed, whatever it does meanwhile. */
struct peer *router_open(struct router *r, const struct wire *wire, void *user,
                         uint64_t now);

/* Its transport takes messages of up to `size` bytes, not LIMIT_MESSAGE_SIZE. What a
 * longer one answers, or asks for, ends in wamp.error.payload_size_exceeded; events
 * are not looked at. */
void router_limit(struct peer *p, size_t size);

/* Where its transport says how many bytes it has been given and not handed on yet;
 * borrowed until router_closed. Without it the peer is taken to read all at once. */
void router_backlog(struct peer *p, const size_t *queued);
void router_feed(struct router *r, struct peer *p, struct buf *message, uint64_t now);
void router_closed(struct router *r, struct peer *p, uint64_t now); /* frees the peer */
uint64_t router_session(const struct peer *p); /* its session id; 0 unless joined */

/* The address that its transport comes from, without a port; not said: none that failed
 * attempts to join would be counted by. */
void router_origin(struct peer *p, struct slice address);

/* The door that its transport came in by, by its place in the configuration; not said:
 * the first. A door that there is not lets nobody join. */
void router_door(struct peer *p, unsigned door);

/* Who has joined by this transport; borrowed texts. False unless somebody has. */
struct who {
    uint64_t session;
    const char *realm, *authid, *role, *method;
};
bool router_who(const struct peer *p, struct who *who);

/* Takes a new configuration while it runs (reload.c says who may stay). Copied as by
 * router_new; `agent` and `epoch` are not looked at. */
void router_reload(struct router *r, const struct router_config *config, uint64_t now);

void router_tick(struct router *r, uint64_t now); /* deadlines: HELLO, GOODBYE */
uint64_t router_deadline(const struct router *r);

/* Says GOODBYE wamp.close.system_shutdown to everybody; peers close as they answer. */
void router_shutdown(struct router *r, uint64_t now);

enum output_kind {
    OUTPUT_SEND,  /* bytes to send */
    OUTPUT_EVENT, /* the same: an EVENT */
    OUTPUT_CLOSE, /* close the transport, once everything before this has been sent */
    OUTPUT_CUT    /* close it at once: the peer does not read */
};

struct output {
    enum output_kind kind;
    struct peer *peer;
    void *user;        /* of router_open */
    struct buf *bytes; /* a reference that passes to the caller; shared: read only */
    int close_code;    /* WebSocket close code of OUTPUT_CLOSE and OUTPUT_CUT */
};

/* The next thing to do. Never gives output for a peer that has been closed. */
bool router_next_out(struct router *r, struct output *out);

/* ---- decisions ---------------------------------------------------------------------
 * What the code above has to decide: who somebody is (the arguments are realm, authid and
 * details), or whether a session may do something (session, URI, action and options). The
 * peer waits meanwhile, LIMIT_DECISION_MS at most; docs/AUTH.md has what an answer is. */

struct question {
    uint64_t id;
    bool who;         /* who somebody is; else: whether he may */
    struct buf *args; /* a list, as JSON; the reference passes to the caller */
};

bool router_next_question(struct router *r, struct question *q);

/* Puts in the answer to a question, one value as JSON; the absent slice: there is none,
 * which is a no. A question that nobody waits for any more is ignored. */
void router_answer(struct router *r, uint64_t id, struct slice json, uint64_t now);

/* ---- what it counts (stats.c) ------------------------------------------------------ */

struct router_stats {
    uint64_t peers, sessions, subscriptions, registrations,
        invocations;                                            /* there are now */
    uint64_t connections, joins, refusals, calls, publications; /* there were so far */
    uint64_t events, dropped, messages_in, messages_out, bytes_in, bytes_out;
};
struct router_stats router_stats(const struct router *r);

/* One row for each of the numbers. */
#define STATS_ROWS (sizeof(struct router_stats) / sizeof(uint64_t))
struct stats_row {
    const char *name, *help;
    bool counter; /* it only grows */
    size_t offset;
};
extern const struct stats_row stats_rows[STATS_ROWS];
uint64_t stats_value(const struct router_stats *s, const struct stats_row *row);

/* ---- who came and went (notes.c) --------------------------------------------------- */

enum note_kind { NOTE_JOINED, NOTE_LEFT, NOTE_REFUSED };

struct note {
    struct list link;
    enum note_kind kind;
    void *user;       /* of router_open */
    uint64_t session; /* 0 when refused */
    /* owned; of who was refused some may be NULL. Whatever a peer has said is in them. */
    char *realm, *authid, *role, *method, *reason;
};

/* From now on notes are kept. Who has asked takes them before he closes a peer's
 * transport for good (router_closed), which makes the last note about it. */
void router_take_notes(struct router *r);
struct note *router_next_note(struct router *r); /* NULL: no more; ends by note_free */
void note_free(struct note *n);

#endif
