/* host_client.c - a client: a session machine on one conn.
 *
 * What comes in is fed to the machine and marks the client dirty; what the machine wants
 * is carried on by pump_client, from the pump. See host.h. */
#include <stddef.h>
#include <stdlib.h>

#include "base/mem.h"
#include "host_private.h"

#define EVENTS_A_TURN 64

void client_touch(struct client *c)
{
    if (!list_linked(&c->dirty))
        list_push(&c->host->dirty_clients, &c->dirty);
}

static void client_opened(struct conn *conn, struct slice subprotocol)
{
    struct client *c = conn->user;

    session_speak(c->session, wire_of_subprotocol(subprotocol)); /* one of our offer */
    if (conn->takes)
        session_limit(c->session, conn->takes);
    session_opened(c->session, c->started);
    client_touch(c);
}

static void client_message(struct conn *conn, struct buf *message)
{
    struct client *c = conn->user;

    if (c->trace)
        trace_show(c->trace, '<', session_wire(c->session), message);
    if (client_is_tapped(c, TAP_IN))
        tap_keep(c, message);
    else
        session_feed(c->session, message, c->host->now);
    client_touch(c);
}

static void client_closed(struct conn *conn, const struct conn_end *end)
{
    struct client *c = conn->user;

    c->conn = NULL;
    c->end = *end;
    tap_closed(c);
    client_touch(c);
}

/* The loop may be about to wait: it writes what is queued just before. */
static void client_drained(struct conn *conn)
{
    struct client *c = conn->user;

    client_touch(c);
    loop_wake(c->host->loop);
}

const struct conn_handler client_handler = { client_opened, client_message, client_closed,
                                             client_drained };

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

const struct conn_handler nobody_handler = { ignore_opened, ignore_message, ignore_closed,
                                             NULL };

static void client_fire(struct host_timer *t)
{
    struct client *c =
        (struct client *)(void *)((char *)t - offsetof(struct client, deadline));

    session_tick(c->session, c->host->now);
    client_touch(c); /* and tap_pump looks at close_by */
}

struct client *client_new(struct host *h, const struct client_config *config, void *user)
{
    struct client *c = xcalloc(1, sizeof *c);

    c->host = h;
    c->user = user;
    c->session = session_new(config->wire, &config->session, host_rng());
    c->deadline.fire = client_fire;
    c->started = host_clock(h);
    c->max_queue = config->net.max_queue ? config->net.max_queue : LIMIT_QUEUE;
    c->taps = config->taps;
    c->trace = trace_new();
    c->close_by = NEVER;
    list_init(&c->inbox);
    list_init(&c->dirty);
    return c;
}

struct client *client_connect(struct host *h, const struct url *url,
                              const struct client_config *config, void *user)
{
    struct client *c = client_new(h, config, user);

    c->conn = connect_url(h->loop, url, &config->net, &client_handler, c);
    return c;
}

void client_free(struct client *c)
{
    if (!c)
        return;
    if (c->retired)
        c->host->retired--;
    if (c->conn) {
        c->conn->handler = &nobody_handler;
        c->conn->user = NULL;
        conn_close(c->conn, 1001, NULL);
    }
    host_timer_clear(c->host, &c->deadline);
    list_remove(&c->dirty);
    tap_fini(c);
    trace_free(c->trace);
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
    return session_queued(c->session) + tap_queued(c) + (c->conn ? c->conn->queued : 0);
}

bool client_full(const struct client *c)
{
    return client_queued(c) > c->max_queue;
}

void client_await_room(struct client *c, size_t bytes)
{
    if (c->room < bytes)
        c->room = bytes;
    if (c->conn)
        conn_await(c->conn, bytes);
    client_touch(c); /* it may be in the session's queue alone */
}

static void tell_room(struct client *c)
{
    if (!c->room)
        return;
    if (client_queued(c) > c->room) { /* its conn may have told already */
        if (c->conn)
            conn_await(c->conn, c->room);
        return;
    }
    c->room = 0;
    c->host->hooks.room(c->user);
}

const struct conn_end *client_end(const struct client *c)
{
    return &c->end;
}

const char *client_cookies(const struct client *c)
{
    return c->conn ? c->conn->cookies : NULL;
}

struct conn *client_link_end(const struct client *c)
{
    return c->conn && link_is(c->conn) ? c->conn : NULL;
}

void client_put(struct client *c, struct buf *message)
{
    if (c->trace)
        trace_show(c->trace, '>', session_wire(c->session), message);
    conn_send(c->conn, message);
}

static void send_all(struct client *c)
{
    struct buf *out;

    while (tap_has_room(c, TAP_OUT) && (out = session_next_out(c->session))) {
        if (client_is_tapped(c, TAP_OUT))
            tap_out(c, out);
        else if (c->conn)
            client_put(c, out);
        else
            buf_unref(out);
    }
    if (session_wants_close(c->session) && c->conn)
        conn_close(c->conn, 1000, NULL);
}

/* Tells what has happened; not all at once, for others have their turn, too. A hook may
 * give the client away. */
static void tell_events(struct client *c)
{
    struct event e;
    int left = EVENTS_A_TURN;

    for (; left && !c->retired && session_next_event(c->session, &e); left--) {
        c->host->hooks.event(c->user, &e);
        event_done(&e);
    }
    if (!left)
        client_touch(c); /* there may be more */
}

/* Carries on what one client's session wants. */
void pump_client(struct client *c)
{
    struct host *h = c->host;
    uint64_t deadline;

    tap_pump(c);
    send_all(c);
    deadline = session_deadline(c->session);
    host_timer_set(h, &c->deadline, deadline < c->close_by ? deadline : c->close_by);
    if (c->retired) {
        if (!c->conn)
            client_free(c);
        return;
    }
    tell_room(c);
    tell_events(c);
}
