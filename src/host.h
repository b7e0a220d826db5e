/* host.h - wires transports to machines, and pumps.
 *
 * A client is a session machine on one conn; a server is a router machine with listeners
 * and the conns they accepted. The host owns the loop, the timers and both kinds.
 * host_pump is the only place where what the machines want (bytes out, events up) is
 * carried on, until all is quiet. Handlers of conns only feed bytes in. No Lua here, no
 * libwebsockets. */
#ifndef HOST_H
#define HOST_H

#include "base/heap.h"
#include "base/list.h"
#include "net/connect.h"
#include "net/link.h"
#include "net/listener.h"
#include "router/router.h"
#include "wamp/session.h"

struct host;
struct client;
struct server;

/* Called from host_pump only, so each may do anything except free the host. */
struct host_hooks {
    /* Something happened to a client. The event is ended by the host afterwards, unless
     * the hook has moved it away (e->m.row NULLed by msg_move). `user` is client_user. */
    void (*event)(void *user, struct event *e);
    /* A message of a tapped client stands here on its way (TAP_IN or TAP_OUT); the
     * reference passes. It travels on by client_process or client_transmit, or not at
     * all; client_tap_done follows in any case, later. */
    void (*tap)(void *user, struct buf *message, unsigned way);
    /* A client's queue has fallen to what client_await_room asked for. */
    void (*room)(void *user);
    /* Run what is ready to run; true when there was anything. `user` is hooks.user. */
    bool (*run)(void *user);
    void *user;
};

struct host *host_new(enum loop_backend backend);
void host_free(struct host *h); /* clients and servers must be gone */
void host_set_hooks(struct host *h, const struct host_hooks *hooks);
struct loop *host_loop(struct host *h);
uint64_t host_now(const struct host *h); /* ms; as of the last turn */

/* The clock of everything in a host, ms: the system's monotonic one, and what
 * host_advance has put it forward by (host_ahead). Sockets keep to the system's. */
uint64_t host_clock(const struct host *h);
int64_t host_ahead(const struct host *h);
const struct rng *host_rng(void); /* the system's random source, unless seeded */

/* One turn: waits for input up to `timeout_ms` (negative: no limit) or until a timer is
 * due, then pumps. */
void host_turn(struct host *h, int64_t timeout_ms);

/* For tests. Puts the clock forward, step by step: whatever falls due on the way runs at
 * its own time, with all that follows from it in memory, before the clock goes on. Not
 * from inside a turn. */
void host_advance(struct host *h, uint64_t ms);

/* For tests. From now on host_rng repeats what it gave after the same seed. */
void host_seed(uint64_t seed);

/* A timer in the host's heap. `fire` is called from the pump. */
struct host_timer { /* zero-initialised = not set */
    struct timer timer;
    void (*fire)(struct host_timer *t);
};
void host_timer_set(struct host *h, struct host_timer *t, uint64_t when);
void host_timer_clear(struct host *h, struct host_timer *t);

/* ---- clients ----------------------------------------------------------------------- */

struct client_config {
    struct session_config session;
    struct net_options net;
    /* of session.hello; what is spoken when net.subprotocols is not set, or in memory */
    const struct wire *wire;
    unsigned taps; /* TAP_IN, TAP_OUT: what the hook `tap` wants to see; usually 0 */
};

/* Starts connecting to a URL, or joined in memory to a server of the same host. The end
 * comes as EVENT_LEFT. Intents go to client_session(); after each, client_touch. */
struct client *client_connect(struct host *h, const struct url *url,
                              const struct client_config *config, void *user);
struct client *client_link(struct host *h, struct server *server,
                           const struct client_config *config, void *user);
void client_free(struct client *c); /* without GOODBYE; at once, no event follows */

/* Gives the client to the host, which frees it when its transport has closed. No event
 * follows. host_retired counts those that are left. */
void client_retire(struct client *c);
size_t host_retired(const struct host *h);

struct session *client_session(struct client *c);
void client_touch(struct client *c);
size_t client_queued(const struct client *c); /* bytes not yet handed to the transport */
bool client_full(const struct client *c); /* the queue is over its limit: wait for room */
/* Once no more than `bytes` are queued, the hook `room` is called; sooner, if somebody
 * else asked for more. Who waits looks again. */
void client_await_room(struct client *c, size_t bytes);
/* How the transport ended; error CONN_OK while it is up. */
const struct conn_end *client_end(const struct client *c);
/* What the router's Set-Cookie headers said, a line each; NULL: nothing. */
const char *client_cookies(const struct client *c);
/* Its end of an in-memory link, for tests; NULL for a socket, and when it is closed. */
struct conn *client_link_end(const struct client *c);

/* ---- the tap ----------------------------------------------------------------------- *
 * A tapped client's messages do not travel by themselves: each goes to the hook first, in
 * order. What the hook holds is bounded by LIMIT_TAPPED; what came meanwhile by the limit
 * of the queue, past which the session is aborted. Once the session is over nothing is
 * tapped: the last words (ABORT, the answer to GOODBYE) go out by themselves. */

enum { TAP_IN = 1, TAP_OUT = 2 };

void client_process(struct client *c, struct buf *message); /* to the session; borrowed */
void client_transmit(struct client *c,
                     struct buf *message); /* out; the reference passes */
void client_tap_done(struct client *c, unsigned way, size_t bytes); /* of the message */

/* ---- servers ----------------------------------------------------------------------- */

struct server *server_new(struct host *h, const struct router_config *config);

/* Adds a listener, for all formats unless `o` names some; NULL with `end` filled when it
 * cannot be had. It is the server's, and ends with server_unlisten; its connections live
 * on. An HTTP_REPORT is server_metrics. */
struct listener *server_listen(struct server *s, const struct url *url,
                               const struct net_options *o, struct conn_end *end);
void server_unlisten(struct server *s, struct listener *ln);
/* As listener_renew; what is wrong goes into the log. */
void server_renew(struct listener *ln, const struct url *url,
                  const struct net_options *o);

/* Takes a new configuration (router_reload). */
void server_reload(struct server *s, const struct router_config *config);

/* Joins something else than a client to a server in memory, as client_link does. */
struct conn *server_link(struct server *s, struct slice subprotocol,
                         const struct conn_handler *handler, void *user);

/* Ends the faults of all its in-memory links (net/link.h), for tests. */
void server_heal(struct server *s);

/* Who decides what the server's router asks (router.h). `ask` is called from the pump; it
 * owns the question's bytes. Without it everything is answered by no. */
void server_asks(struct server *s, void (*ask)(void *user, struct question *q),
                 void *user);
void server_answer(struct server *s, uint64_t id, struct slice json);

/* Stops accepting and says GOODBYE to everybody. */
void server_shutdown(struct server *s);
bool server_idle(const struct server *s); /* no connection is left */
void server_free(struct server *s);       /* what is left is cut */
struct router_stats server_stats(const struct server *s);
struct buf *server_metrics(const struct server *s); /* its numbers, for Prometheus */
/* From now on the messages of new connections are shown, where any are (wamp/trace.h). */
void server_trace(struct server *s);
void server_dump(const struct server *s); /* its sessions, into the log at level info */

/* ---- who comes and goes (host_access.c) -------------------------------------------- */

struct traffic {
    uint64_t messages_in, messages_out, bytes_in, bytes_out;
};

/* Something that happened at a server; texts are borrowed, and NULL where there is none.
 * What peers say stands in them as they said it. */
struct access {
    const char *what; /* "connect", "join", "refuse", "leave", "disconnect" */
    const char *peer; /* its address */
    const char *protocol;
    uint64_t session; /* 0: none */
    const char *realm, *authid, *role, *method, *reason;
    struct traffic traffic; /* of the connection so far */
    uint64_t ms;            /* since it came */
};

struct access_hook {
    void (*tell)(const struct access *a, void *user); /* must not touch the server */
    void *user;
};

void server_access(struct server *s, const struct access_hook *hook);

/* ---- the access log (host_access_log.c): a line for each of them ------------------- */

struct access_log;

/* NULL with errno set when the file cannot be written; "-" is stdout. */
struct access_log *access_log_open(const char *path, bool json);
void access_log_reopen(struct access_log *log); /* somebody may have moved the file */
void access_log_close(struct access_log *log);  /* NULL is ignored */
void access_log_tell(const struct access *a, void *log);

/* ---- where a server listens (host_places.c) ---------------------------------------- */

struct place {
    char *listen; /* owned; a LISTEN argument */
    struct net_options options;
};

struct place_list {
    struct place *at; /* owned */
    size_t count;
};

struct place_listener {
    struct url url;            /* with the port that it has */
    char *listen;              /* owned; as it was asked for */
    struct listener *listener; /* the server's */
};

struct places {                /* zero-initialised = none */
    struct place_listener *at; /* owned */
    size_t count;
};

/* Listens at the places of the list, and nowhere else: what is there already is kept,
 * with new options. False fills `end`, and leaves everything as it was. */
bool places_take(struct places *p, struct server *server, const struct place_list *list,
                 struct conn_end *end);
void places_fini(struct places *p); /* the listeners are the server's */

/* ---- listening in, for tests (host_spy.c) ------------------------------------------ */

/* One message that a peer sent to a server that is spied on. */
struct overheard {
    struct list link;
    struct buf *message; /* owned */
    const struct wire *wire;
    uint64_t session; /* of its sender; 0 before it joined */
};

#define SPY_LIMIT 10000 /* messages kept: who does not look loses the oldest */

void server_spy(struct server *s); /* from now on; harmless twice */
/* The oldest; NULL when there is none. Passes to the caller: end with overheard_free. */
struct overheard *server_overheard(struct server *s);
uint64_t server_spy_lost(const struct server *s); /* over SPY_LIMIT */
void overheard_free(struct overheard *t);

#endif
