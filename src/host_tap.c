/* host_tap.c - the tap of a client: its messages stop on their way, for a hook that looks
 * at them, changes them, and lets them go on or not.
 *
 * The idea: what came is kept in the inbox, what the session wants sent stays in the
 * session's own queue, and the pump gives both to the hook in order, as long as it holds
 * fewer than LIMIT_TAPPED. The hook works on them as it likes, even while others pass it;
 * client_process and client_transmit are where a message enters the session or the
 * transport after all.
 *
 * When the transport is gone there may be messages left that came before: the session
 * hears of the end behind them, or LIMIT_GOODBYE_MS later.
 *
 * Not known here: what is in a message, and who looks at it. */
#include <stdlib.h>

#include "base/mem.h"
#include "host_private.h"

/* A message that came. */
struct tapped {
    struct list link;  /* in client->inbox */
    struct buf *bytes; /* owned: one reference */
};

bool client_is_tapped(const struct client *c, unsigned way)
{
    return (c->taps & way) && !c->retired && session_state(c->session) != SESSION_CLOSED;
}

bool tap_has_room(const struct client *c, unsigned way)
{
    if (!client_is_tapped(c, way))
        return true;
    return (way == TAP_IN ? c->tapped_in : c->tapped_out) < LIMIT_TAPPED;
}

size_t tap_queued(const struct client *c)
{
    return c->tapped_bytes;
}

/* The next message of the inbox; the reference passes. NULL when it is empty. */
static struct buf *take(struct client *c)
{
    struct list *node = list_pop(&c->inbox);
    struct tapped *t;
    struct buf *bytes;

    if (!node)
        return NULL;
    t = list_entry(node, struct tapped, link);
    bytes = t->bytes;
    c->inbox_bytes -= bytes->len;
    free(t);
    return bytes;
}

void tap_keep(struct client *c, struct buf *message)
{
    struct tapped *t;

    if (c->inbox_bytes > c->max_queue) {
        session_abort(c->session, "wamp.error.unavailable",
                      "the message handler does not keep up with what comes",
                      c->host->now);
        return;
    }
    t = xcalloc(1, sizeof *t);
    t->bytes = buf_ref(message);
    c->inbox_bytes += message->len;
    list_push(&c->inbox, &t->link);
}

void tap_out(struct client *c, struct buf *message)
{
    c->tapped_out++;
    c->tapped_bytes += message->len;
    c->host->hooks.tap(c->user, message, TAP_OUT);
}

/* Whether messages that came are still on their way to the session. */
static bool is_busy(const struct client *c)
{
    return client_is_tapped(c, TAP_IN) && (!list_empty(&c->inbox) || c->tapped_in);
}

static void close_session(struct client *c)
{
    c->close_by = NEVER;
    session_closed(c->session, c->end.text, host_clock(c->host));
}

void tap_closed(struct client *c)
{
    if (is_busy(c))
        c->close_by = host_clock(c->host) + LIMIT_GOODBYE_MS;
    else
        close_session(c);
}

void tap_pump(struct client *c)
{
    struct buf *message;

    while (tap_has_room(c, TAP_IN) && (message = take(c))) {
        if (client_is_tapped(c, TAP_IN)) {
            c->tapped_in++;
            c->host->hooks.tap(c->user, message, TAP_IN);
        } else {
            buf_unref(message);
        }
    }
    if (c->close_by != NEVER && (!is_busy(c) || c->host->now >= c->close_by))
        close_session(c);
}

void client_process(struct client *c, struct buf *message)
{
    if (session_state(c->session) == SESSION_NEW)
        return;
    session_feed(c->session, message, c->host->now);
    client_touch(c);
}

void client_transmit(struct client *c, struct buf *message)
{
    if (c->conn && session_state(c->session) != SESSION_CLOSED)
        client_put(c, message);
    else
        buf_unref(message);
}

void client_tap_done(struct client *c, unsigned way, size_t bytes)
{
    if (way == TAP_IN) {
        c->tapped_in--;
    } else {
        c->tapped_out--;
        c->tapped_bytes -= bytes;
    }
    client_touch(c);
}

void tap_fini(struct client *c)
{
    struct buf *message;

    while ((message = take(c)))
        buf_unref(message);
}
