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
#include "net/link.h"
#include "net/listener.h"
#include "net/raw.h"
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
    /* A client's queue has room (said again and again). `user` is client_user. */
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
const struct rng *host_rng(void);        /* the system's random source */

/* One turn: waits for input up to `timeout_ms` (negative: no limit) or until a timer is
 * due, then pumps. */
void host_turn(struct host *h, int64_t timeout_ms);

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
    const struct wire *wire;
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
/* How the transport ended; error CONN_OK while it is up. */
const struct conn_end *client_end(const struct client *c);
void client_break(struct client *c); /* cuts an in-memory link, for tests */

/* ---- servers ----------------------------------------------------------------------- */

struct server *server_new(struct host *h, const struct router_config *config);

/* Adds a listener; returns its port (0 for a unix socket), or -1 with `end` filled. */
int server_listen(struct server *s, const struct url *url, const struct net_options *o,
                  struct conn_end *end);

/* Stops accepting and says GOODBYE to everybody. */
void server_shutdown(struct server *s);
bool server_idle(const struct server *s); /* no connection is left */
void server_free(struct server *s);       /* what is left is cut */
struct router_stats server_stats(const struct server *s);
/* Events dropped because a queue was full, or they were longer than a peer takes. */
uint64_t server_dropped(const struct server *s);

#endif
