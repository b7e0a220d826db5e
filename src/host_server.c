/* host_server.c - a server: a router machine, its listeners, and the conns that they
 * accepted or that a client of this host was linked by.
 *
 * Who does not read is the router's business (router.c); that all together do not fill
 * the memory is seen to here. See host.h. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "host_private.h"

#define LINK_PING_MS 10000 /* when a server misses the other end of a paused link */

static void server_touch(struct server *s)
{
    if (!list_linked(&s->dirty))
        list_push(&s->host->dirty_servers, &s->dirty);
}

/* "1.2.3.4:80" without the port; absent where there is no address. */
static struct slice address_of(const struct conn *conn)
{
    const char *colon = conn->where ? strrchr(conn->where, ':') : NULL;

    if (!colon)
        return (struct slice){ 0 };
    return (struct slice){ conn->where, (size_t)(colon - conn->where) };
}

static void server_opened(struct conn *conn, struct slice subprotocol)
{
    struct server_conn *sc = conn->user;
    struct server *s = sc->server;

    sc->wire = wire_of_subprotocol(subprotocol);
    sc->peer = router_open(s->router, sc->wire, sc, host_clock(s->host));
    router_backlog(sc->peer, &conn->queued);
    if (conn->takes)
        router_limit(sc->peer, conn->takes);
    router_origin(sc->peer, address_of(conn));
    router_door(sc->peer, conn->door);
    access_opened(sc);
    server_touch(s);
}

static void server_message(struct conn *conn, struct buf *message)
{
    struct server_conn *sc = conn->user;

    if (sc->server->spy)
        spy_note(sc->server->spy, sc, message);
    if (sc->trace)
        trace_show(sc->trace, '<', sc->wire, message);
    sc->traffic.messages_in++;
    sc->traffic.bytes_in += message->len;
    router_feed(sc->server->router, sc->peer, message, sc->server->host->now);
    server_touch(sc->server);
}

static void server_closed(struct conn *conn, const struct conn_end *end)
{
    struct server_conn *sc = conn->user;

    log_debug("router: connection ended: %s", end->text);
    if (sc->peer)
        router_closed(sc->server->router, sc->peer, host_clock(sc->server->host));
    access_closed(sc, end->text);
    server_touch(sc->server);
    list_remove(&sc->link);
    trace_free(sc->trace);
    free(sc);
}

static const struct conn_handler server_handler = { server_opened, server_message,
                                                    server_closed, NULL };

static struct server_conn *server_conn_new(struct server *s, struct conn *conn)
{
    struct server_conn *sc = xcalloc(1, sizeof *sc);

    sc->server = s;
    sc->trace = s->traced ? trace_new() : NULL;
    sc->conn = conn;
    sc->since = host_clock(s->host);
    list_push(&s->conns, &sc->link);
    return sc;
}

static void server_accepted(struct conn *conn, void *user)
{
    conn->handler = &server_handler;
    conn->user = server_conn_new(user, conn);
}

struct conn *server_link(struct server *s, struct slice subprotocol,
                         const struct conn_handler *handler, void *user)
{
    struct server_conn *sc = server_conn_new(s, NULL);
    struct conn *conn;

    link_pair(s->host->links, subprotocol, handler, user, &server_handler, sc, &conn,
              &sc->conn);
    link_pings(sc->conn, LINK_PING_MS, LINK_PING_MS);
    return conn;
}

struct client *client_link(struct host *h, struct server *server,
                           const struct client_config *config, void *user)
{
    struct client *c = client_new(h, config, user);

    c->conn =
        server_link(server, slice_of(config->wire->subprotocol), &client_handler, c);
    link_pings(c->conn, config->net.ping_interval, config->net.ping_timeout);
    return c;
}

void server_heal(struct server *s)
{
    for (struct list *node = s->conns.next; node != &s->conns; node = node->next) {
        struct server_conn *sc = list_entry(node, struct server_conn, link);

        if (link_is(sc->conn))
            link_heal(sc->conn);
    }
}

static void server_fire(struct host_timer *t)
{
    struct server *s =
        (struct server *)(void *)((char *)t - offsetof(struct server, deadline));

    router_tick(s->router, s->host->now);
    server_touch(s);
}

/* What the clock of the day said when the host's was 0, in ms since 1970. */
static uint64_t epoch(const struct host *h)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 - host_clock(h);
}

struct server *server_new(struct host *h, const struct router_config *config)
{
    struct router_config dated = *config;
    struct server *s = xcalloc(1, sizeof *s);

    s->host = h;
    dated.epoch = epoch(h);
    s->router = router_new(&dated, host_rng());
    s->deadline.fire = server_fire;
    s->max_memory = config->max_memory ? config->max_memory : LIMIT_MEMORY;
    s->spare_at = s->max_memory;
    list_push(&h->servers, &s->link);
    list_init(&s->dirty);
    list_init(&s->conns);
    return s;
}

static struct buf *report(void *user)
{
    return server_metrics(user);
}

/* What is the server's own of a listener's options. */
static struct net_options completed(const struct net_options *o)
{
    struct net_options own = *o;

    own.report = report;
    if (!own.subprotocols)
        own.subprotocols = wire_subprotocols;
    return own;
}

struct listener *server_listen(struct server *s, const struct url *url,
                               const struct net_options *o, struct conn_end *end)
{
    struct net_options own = completed(o);
    struct listener *ln =
        listener_open(s->host->loop, url, &own, server_accepted, s, end);

    if (!ln)
        return NULL;
    s->listeners =
        xrealloc(s->listeners, (s->listener_count + 1) * sizeof(struct listener *));
    s->listeners[s->listener_count++] = ln;
    return ln;
}

void server_renew(struct listener *ln, const struct url *url, const struct net_options *o)
{
    struct net_options own = completed(o);
    struct conn_end end = { 0 };

    if (!listener_renew(ln, url, &own, &end))
        log_error("%s [W411]", end.text);
}

void server_unlisten(struct server *s, struct listener *ln)
{
    for (size_t i = 0; i < s->listener_count; i++)
        if (s->listeners[i] == ln)
            s->listeners[i] = s->listeners[--s->listener_count];
    listener_close(ln);
}

static void close_listeners(struct server *s)
{
    while (s->listener_count)
        listener_close(s->listeners[--s->listener_count]);
}

void server_reload(struct server *s, const struct router_config *config)
{
    router_reload(s->router, config, host_clock(s->host));
    server_touch(s);
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

        sc->conn->handler = &nobody_handler;
        conn_close(sc->conn, 1001, NULL);
        list_remove(&sc->link);
        trace_free(sc->trace);
        free(sc);
    }
    host_timer_clear(s->host, &s->deadline);
    list_remove(&s->dirty);
    list_remove(&s->link);
    router_free(s->router);
    spy_free(s->spy);
    free(s->listeners);
    free(s);
}

struct router_stats server_stats(const struct server *s)
{
    return router_stats(s->router);
}

static void deliver(struct output *out)
{
    struct server_conn *sc = out->user;

    if (out->kind == OUTPUT_CLOSE)
        conn_close(sc->conn, out->close_code, NULL);
    else if (out->kind == OUTPUT_CUT)
        conn_cut(sc->conn, out->close_code, "queue full");
    else {
        sc->traffic.messages_out++;
        sc->traffic.bytes_out += out->bytes->len;
        if (sc->trace)
            trace_show(sc->trace, '>', sc->wire, out->bytes);
        conn_send(sc->conn, out->bytes);
    }
}

void server_trace(struct server *s)
{
    s->traced = true;
}

void server_asks(struct server *s, void (*ask)(void *user, struct question *q),
                 void *user)
{
    s->ask = ask;
    s->ask_user = user;
}

void server_answer(struct server *s, uint64_t id, struct slice json)
{
    router_answer(s->router, id, json, host_clock(s->host));
    server_touch(s);
}

static void ask_all(struct server *s)
{
    struct question q;

    while (router_next_question(s->router, &q)) {
        if (s->ask) {
            s->ask(s->ask_user, &q);
            continue;
        }
        buf_unref(q.args);
        server_answer(s, q.id, (struct slice){ 0 });
    }
}

void pump_server(struct server *s)
{
    struct output out;

    while (router_next_out(s->router, &out))
        deliver(&out);
    access_notes(s);
    ask_all(s);
    host_timer_set(s->host, &s->deadline, router_deadline(s->router));
}

/* ---- memory ------------------------------------------------------------------------ */

static size_t holds(const struct server_conn *sc)
{
    return sc->conn->queued + sc->conn->coming;
}

/* Who holds most, of those that are not being closed; NULL when nobody holds much. */
static struct server_conn *greediest(const struct server *s)
{
    struct server_conn *most = NULL;
    size_t least = LIMIT_MEMORY_FAIR;

    for (struct list *node = s->conns.next; node != &s->conns; node = node->next) {
        struct server_conn *sc = list_entry(node, struct server_conn, link);

        if (sc->conn->closing || holds(sc) < least)
            continue;
        least = holds(sc);
        most = sc;
    }
    return most;
}

/* Bytes that will go with the connections that are being closed. */
static size_t leaving(const struct server *s)
{
    size_t sum = 0;

    for (struct list *node = s->conns.next; node != &s->conns; node = node->next) {
        struct server_conn *sc = list_entry(node, struct server_conn, link);

        sum += sc->conn->closing ? holds(sc) : 0;
    }
    return sum;
}

/* An event that many do not read is in the memory once and in all their queues: so it is
 * the memory that is asked, after each cut, and not the sum of queues. */
void server_spare(struct server *s)
{
    struct server_conn *sc;

    if (buf_held() <= s->spare_at) {
        s->spare_at = s->max_memory;
        return;
    }
    while (buf_held() > s->max_memory + leaving(s) && (sc = greediest(s))) {
        log_warn("router: %zu bytes of messages are held, %zu for one connection; "
                 "closing it [W913]",
                 buf_held(), holds(sc));
        conn_cut(sc->conn, 1008, "out of memory");
    }
    /* what is left nobody can be blamed for: no need to look again before it grows */
    s->spare_at = buf_held() + s->max_memory / 16;
}
