/* host.c - the pump, and what it connects.
 *
 * The idea: input is noted as it comes (conn handlers feed a machine and mark it dirty);
 * nothing else happens until the loop has returned. Then host_pump takes what dirty
 * machines want sent and what they have to tell, again and again until nobody is dirty
 * and nobody can run. So no code ever runs half way through another machine's
 * transition, and everything that one turn produced for a connection is queued before
 * its first byte is written (frames coalesce).
 *
 * Not known here: what an event means (the hooks do), how bytes travel (net/ does). */
#include "host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"

/* Rounds of one pump before the loop gets its turn, so that two tasks that talk over a
 * link for ever cannot starve sockets and signals. */
#define PUMP_ROUNDS 64

struct host {
    struct loop *loop;   /* owned */
    struct links *links; /* owned */
    struct heap timers;
    struct list dirty_clients, dirty_servers;
    struct host_hooks hooks;
    uint64_t now;
    size_t retired; /* clients given to the host */
    bool more;      /* the last pump stopped with work left */
};

struct client {
    struct host *host;
    struct session *session; /* owned */
    struct conn *conn;       /* NULL once closed */
    struct list dirty;
    struct host_timer deadline;
    struct conn_end end;
    uint64_t started; /* ms: when connecting began; the time to join counts from here */
    size_t max_queue;
    bool retired; /* the host's: freed when conn has closed */
    void *user;
};

struct server {
    struct host *host;
    struct router *router; /* owned */
    struct list dirty, conns;
    struct listener **listeners; /* owned */
    size_t listener_count;
    struct host_timer deadline;
    size_t max_queue;
    uint64_t dropped;
};

/* One accepted connection: what the router's outputs are addressed to. */
struct server_conn {
    struct server *server;
    struct conn *conn;
    struct peer *peer; /* NULL until opened */
    struct list link;  /* in server->conns */
};

/* ---- randomness -------------------------------------------------------------------- */

/* The system's generator, a block at a time: an id costs no system call. */
static uint64_t system_random(void *ctx)
{
    static uint64_t pool[64];
    static size_t left;

    (void)ctx;
    if (!left) {
        if (getrandom(pool, sizeof pool, 0) != (ssize_t)sizeof pool)
            abort();
        left = sizeof pool / sizeof *pool;
    }
    return pool[--left];
}

const struct rng *host_rng(void)
{
    static const struct rng rng = { system_random, NULL };

    return &rng;
}

/* ---- clients ----------------------------------------------------------------------- */

void client_touch(struct client *c)
{
    if (!list_linked(&c->dirty))
        list_push(&c->host->dirty_clients, &c->dirty);
}

static void client_opened(struct conn *conn, struct slice subprotocol)
{
    struct client *c = conn->user;

    (void)subprotocol; /* the one that was offered; ws.c checks */
    session_opened(c->session, c->started);
    client_touch(c);
}

static void client_message(struct conn *conn, struct buf *message)
{
    struct client *c = conn->user;

    session_feed(c->session, message, c->host->now);
    client_touch(c);
}

static void client_closed(struct conn *conn, const struct conn_end *end)
{
    struct client *c = conn->user;

    c->conn = NULL;
    c->end = *end;
    session_closed(c->session, end->text, loop_now());
    client_touch(c);
}

static void client_drained(struct conn *conn)
{
    struct client *c = conn->user;

    client_touch(c);
}

static const struct conn_handler client_handler = { client_opened, client_message,
                                                    client_closed, client_drained };

/* After client_free: nobody is interested any more. */
static void ignore_opened(struct conn *conn, struct slice subprotocol)
{
    (void)conn;
    (void)subprotocol;
}

static void ignore_message(struct conn *conn, struct buf *message)
{
    (void)conn;
    (void)message;
}

static void ignore_closed(struct conn *conn, const struct conn_end *end)
{
    (void)conn;
    (void)end;
}

static const struct conn_handler nobody = { ignore_opened, ignore_message, ignore_closed,
                                            NULL };

static void client_fire(struct host_timer *t)
{
    struct client *c =
        (struct client *)(void *)((char *)t - offsetof(struct client, deadline));

    session_tick(c->session, c->host->now);
    client_touch(c);
}

static struct client *client_new(struct host *h, const struct client_config *config,
                                 void *user)
{
    struct client *c = xcalloc(1, sizeof *c);

    c->host = h;
    c->user = user;
    c->session = session_new(config->wire, &config->session, host_rng());
    c->deadline.fire = client_fire;
    c->started = loop_now();
    c->max_queue = config->ws.max_queue ? config->ws.max_queue : LIMIT_QUEUE;
    list_init(&c->dirty);
    return c;
}

struct client *client_connect(struct host *h, const struct url *url,
                              const struct client_config *config, void *user)
{
    struct client *c = client_new(h, config, user);

    c->conn = ws_connect(h->loop, url, &config->ws, &client_handler, c);
    return c;
}

void client_free(struct client *c)
{
    if (!c)
        return;
    if (c->retired)
        c->host->retired--;
    if (c->conn) {
        c->conn->handler = &nobody;
        c->conn->user = NULL;
        conn_close(c->conn, 1001, NULL);
    }
    host_timer_clear(c->host, &c->deadline);
    list_remove(&c->dirty);
    session_free(c->session);
    free(c);
}

void client_retire(struct client *c)
{
    c->retired = true;
    c->host->retired++;
    client_touch(c);
}

size_t host_retired(const struct host *h)
{
    return h->retired;
}

struct session *client_session(struct client *c)
{
    return c->session;
}

size_t client_queued(const struct client *c)
{
    return session_queued(c->session) + (c->conn ? c->conn->queued : 0);
}

bool client_full(const struct client *c)
{
    return client_queued(c) > c->max_queue;
}

const struct conn_end *client_end(const struct client *c)
{
    return &c->end;
}

void client_break(struct client *c)
{
    if (c->conn)
        link_break(c->conn);
}

static void send_all(struct client *c)
{
    struct buf *out;

    while ((out = session_next_out(c->session))) {
        if (c->conn)
            conn_send(c->conn, out);
        else
            buf_unref(out);
    }
    if (session_wants_close(c->session) && c->conn)
        conn_close(c->conn, 1000, NULL);
}

/* Carries on what one client's session wants; one event at a time, because a hook may
 * free the client. */
static void pump_client(struct client *c)
{
    struct host *h = c->host;
    struct event e;

    send_all(c);
    host_timer_set(h, &c->deadline, session_deadline(c->session));
    if (c->retired) {
        if (!c->conn)
            client_free(c);
        return;
    }
    if (!client_full(c))
        h->hooks.room(c->user);
    if (session_next_event(c->session, &e)) {
        client_touch(c); /* there may be more */
        h->hooks.event(c->user, &e);
        event_done(&e);
    }
}

/* ---- servers ----------------------------------------------------------------------- */

static void server_touch(struct server *s)
{
    if (!list_linked(&s->dirty))
        list_push(&s->host->dirty_servers, &s->dirty);
}

static void server_opened(struct conn *conn, struct slice subprotocol)
{
    struct server_conn *sc = conn->user;
    struct server *s = sc->server;

    sc->peer = router_open(s->router, wire_of_subprotocol(subprotocol), sc, loop_now());
    server_touch(s);
}

static void server_message(struct conn *conn, struct buf *message)
{
    struct server_conn *sc = conn->user;

    router_feed(sc->server->router, sc->peer, message, sc->server->host->now);
    server_touch(sc->server);
}

static void server_closed(struct conn *conn, const struct conn_end *end)
{
    struct server_conn *sc = conn->user;

    log_debug("router: connection ended: %s", end->text);
    if (sc->peer)
        router_closed(sc->server->router, sc->peer, loop_now());
    server_touch(sc->server);
    list_remove(&sc->link);
    free(sc);
}

static const struct conn_handler server_handler = { server_opened, server_message,
                                                    server_closed, NULL };

static struct server_conn *server_conn_new(struct server *s, struct conn *conn)
{
    struct server_conn *sc = xcalloc(1, sizeof *sc);

    sc->server = s;
    sc->conn = conn;
    list_push(&s->conns, &sc->link);
    return sc;
}

static void server_accepted(struct conn *conn, void *user)
{
    conn->handler = &server_handler;
    conn->user = server_conn_new(user, conn);
}

struct client *client_link(struct host *h, struct server *server,
                           const struct client_config *config, void *user)
{
    struct client *c = client_new(h, config, user);
    struct server_conn *sc = server_conn_new(server, NULL);

    link_pair(h->links, slice_of(config->wire->subprotocol), &client_handler, c,
              &server_handler, sc, &c->conn, &sc->conn);
    return c;
}

static void server_fire(struct host_timer *t)
{
    struct server *s =
        (struct server *)(void *)((char *)t - offsetof(struct server, deadline));

    router_tick(s->router, s->host->now);
    server_touch(s);
}

struct server *server_new(struct host *h, const struct router_config *config)
{
    struct server *s = xcalloc(1, sizeof *s);

    s->host = h;
    s->router = router_new(config, host_rng());
    s->deadline.fire = server_fire;
    s->max_queue = LIMIT_QUEUE;
    list_init(&s->dirty);
    list_init(&s->conns);
    return s;
}

int server_listen(struct server *s, const struct url *url, const struct ws_options *o,
                  struct conn_end *end)
{
    struct listener *ln = ws_listen(s->host->loop, url, o, server_accepted, s, end);

    if (!ln)
        return -1;
    s->listeners =
        xrealloc(s->listeners, (s->listener_count + 1) * sizeof(struct listener *));
    s->listeners[s->listener_count++] = ln;
    return listener_port(ln);
}

static void close_listeners(struct server *s)
{
    while (s->listener_count)
        listener_close(s->listeners[--s->listener_count]);
}

void server_shutdown(struct server *s)
{
    close_listeners(s);
    router_shutdown(s->router, s->host->now);
    server_touch(s);
}

bool server_idle(const struct server *s)
{
    return list_empty(&s->conns);
}

void server_free(struct server *s)
{
    struct list *node, *tmp;

    close_listeners(s);
    list_each (node, tmp, &s->conns) {
        struct server_conn *sc = list_entry(node, struct server_conn, link);

        sc->conn->handler = &nobody;
        conn_close(sc->conn, 1001, NULL);
        list_remove(&sc->link);
        free(sc);
    }
    host_timer_clear(s->host, &s->deadline);
    list_remove(&s->dirty);
    router_free(s->router);
    free(s->listeners);
    free(s);
}

struct router_stats server_stats(const struct server *s)
{
    return router_stats(s->router);
}

uint64_t server_dropped(const struct server *s)
{
    return s->dropped;
}

/* The policy for slow readers: events are dropped first, anything else closes the
 * connection. */
static void deliver(struct server *s, struct output *out)
{
    struct server_conn *sc = out->user;

    if (out->kind == OUTPUT_CLOSE) {
        conn_close(sc->conn, out->close_code, NULL);
    } else if (sc->conn->queued <= s->max_queue) {
        conn_send(sc->conn, out->bytes);
        return;
    } else if (out->kind == OUTPUT_EVENT) {
        s->dropped++;
    } else {
        log_warn("router: a peer does not read; %zu bytes are queued for it; closing",
                 sc->conn->queued);
        conn_close(sc->conn, 1008, "queue full");
    }
    buf_unref(out->bytes);
}

static void pump_server(struct server *s)
{
    struct output out;

    while (router_next_out(s->router, &out))
        deliver(s, &out);
    host_timer_set(s->host, &s->deadline, router_deadline(s->router));
}

/* ---- the host ---------------------------------------------------------------------- */

static void no_event(void *user, struct event *e)
{
    (void)user;
    (void)e;
}

static void no_room(void *user)
{
    (void)user;
}

static bool no_run(void *user)
{
    (void)user;
    return false;
}

struct host *host_new(enum loop_backend backend)
{
    struct loop *loop = loop_new(backend);
    struct host *h;

    if (!loop)
        return NULL;
    h = xcalloc(1, sizeof *h);
    h->loop = loop;
    h->links = links_new();
    h->hooks = (struct host_hooks){ no_event, no_room, no_run, NULL };
    h->now = loop_now();
    list_init(&h->dirty_clients);
    list_init(&h->dirty_servers);
    map_seed(system_random(NULL), system_random(NULL));
    return h;
}

void host_free(struct host *h)
{
    if (!h)
        return;
    assert(list_empty(&h->dirty_clients) && list_empty(&h->dirty_servers));
    links_free(h->links);
    loop_free(h->loop);
    heap_fini(&h->timers);
    free(h);
}

void host_set_hooks(struct host *h, const struct host_hooks *hooks)
{
    h->hooks = *hooks;
}

struct loop *host_loop(struct host *h)
{
    return h->loop;
}

uint64_t host_now(const struct host *h)
{
    return h->now;
}

void host_timer_set(struct host *h, struct host_timer *t, uint64_t when)
{
    if (when == NEVER)
        heap_clear(&h->timers, &t->timer);
    else if (!t->timer.position || t->timer.when != when)
        heap_set(&h->timers, &t->timer, when);
}

void host_timer_clear(struct host *h, struct host_timer *t)
{
    heap_clear(&h->timers, &t->timer);
}

static void fire_timers(struct host *h)
{
    struct timer *t;
    uint64_t due = h->now; /* timers set by these for "now" wait for the next turn */

    while ((t = heap_due(&h->timers, due))) {
        struct host_timer *ht = timer_entry(t, struct host_timer, timer);

        ht->fire(ht);
    }
}

/* One round: everybody who is dirty is carried on once. True when anything was done. */
static bool pump_round(struct host *h)
{
    bool any = false;
    struct list *node;

    while ((node = list_pop(&h->dirty_servers))) {
        any = true;
        pump_server(list_entry(node, struct server, dirty));
    }
    for (unsigned left = 10000; left && (node = list_pop(&h->dirty_clients)); left--) {
        any = true;
        pump_client(list_entry(node, struct client, dirty));
    }
    if (links_pump(h->links))
        any = true;
    if (h->hooks.run(h->hooks.user))
        any = true;
    return any;
}

static void host_pump(struct host *h)
{
    fire_timers(h);
    h->more = true;
    for (int i = 0; i < PUMP_ROUNDS; i++) {
        if (!pump_round(h)) {
            h->more = false;
            break;
        }
    }
}

/* Whether something was put in outside of the pump (an intent of the main chunk). */
static bool has_work(const struct host *h)
{
    return h->more || !list_empty(&h->dirty_clients) || !list_empty(&h->dirty_servers) ||
           !links_idle(h->links);
}

void host_turn(struct host *h, int64_t timeout_ms)
{
    uint64_t deadline = heap_deadline(&h->timers);

    h->now = loop_now();
    if (has_work(h) || deadline <= h->now)
        timeout_ms = 0;
    else if (deadline != NEVER &&
             (timeout_ms < 0 || deadline - h->now < (uint64_t)timeout_ms))
        timeout_ms = (int64_t)(deadline - h->now);
    loop_run_once(h->loop, timeout_ms);
    h->now = loop_now();
    host_pump(h);
}
