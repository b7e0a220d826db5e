/* link.c - two conns joined in memory. See link.h.
 *
 * Everything that is under way, of all pairs of a set, stands in one queue in the order
 * in which it happened, so both ends of a pair see what two sockets would show them: the
 * greeting, the messages in order, and the end behind the last message.
 *
 * Not known here: sockets, or what the messages say. Time is told and means nothing to
 * a cable without faults (link_fault.c has those). A message is handed on as it is, by
 * reference; nobody may change it. The ends of a pair die one by one: `peer`
 * is NULL once the other one is gone, and nothing in the queue is meant for an end
 * that is gone. */
#include "net/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/link_private.h"
#include "wamp/limits.h"

#define REASON_SIZE 124 /* a close reason has at most 123 bytes (RFC 6455, 5.5) */

struct event *link_post(struct end *to, enum event_type type, const char *reason)
{
    size_t n = reason ? strnlen(reason, REASON_SIZE - 1) : 0;
    struct event *e = xcalloc(1, sizeof *e + n + 1);

    e->to = to;
    e->type = type;
    e->due = to->links->now + to->cable->delay;
    if (n)
        memcpy(e->reason, reason, n);
    list_push(&to->links->queue, &e->node);
    return e;
}

void link_event_free(struct event *e)
{
    buf_unref(e->message);
    free(e);
}

/* ---- the conn interface ------------------------------------------------------------ */

static void end_send(struct conn *c, struct buf *message)
{
    struct end *end = end_of(c);

    if (end->parted || !end->peer) {
        buf_unref(message);
        return;
    }
    c->queued += message->len;
    if (c->queued > LIMIT_QUEUE)
        conn_await(c, LIMIT_QUEUE / 2);
    link_post(end->peer, MESSAGE, NULL)->message = message;
}

static void end_close(struct conn *c, int code, const char *reason)
{
    struct end *end = end_of(c);

    if (!end->parted && end->peer) {
        end->parted = true;
        link_post(end->peer, GOODBYE, reason)->code = code;
    }
    end_watch(end);
}

static const struct conn_ops end_ops = { end_send, end_close, NULL };

/* ---- delivery ---------------------------------------------------------------------- */

void link_end_finish(struct end *end, const struct conn_end *how)
{
    if (end->peer)
        end->peer->peer = NULL;
    end->peer = NULL;
    end->conn.handler->closed(&end->conn, how);
    heap_clear(&end->links->alarms, &end->alarm.timer);
    list_remove(&end->node);
    cable_drop(end->cable);
    free(end);
}

static void settle(struct end *sender, size_t n)
{
    sender->conn.queued -= n;
    conn_settled(&sender->conn);
}

static void deliver_message(struct end *to, struct buf *message)
{
    if (to->peer)
        settle(to->peer, message->len);
    end_heard(to);
    if (end_cuts(to, message))
        return;
    if (!to->conn.closing)
        to->conn.handler->message(&to->conn, message);
}

/* The peer said goodbye. Who has not done so answers; the answer finds the peer
 * waiting. */
static void deliver_goodbye(struct end *to, const struct event *e)
{
    struct conn_end how = { CONN_CLOSED, e->code, "" };

    if (to->conn.closing)
        how = (struct conn_end){ CONN_OK, e->code, "closed" };
    else
        snprintf(how.text, sizeof how.text, "closed by the other end of the link: %d%s%s",
                 e->code, *e->reason ? " " : "", e->reason);
    if (!to->parted && to->peer)
        link_post(to->peer, GOODBYE, e->reason)->code = e->code;
    link_end_finish(to, &how);
}

static void deliver_broken(struct end *to)
{
    struct conn_end how = { CONN_LOST, 0, "the link broke" };

    if (to->conn.closing)
        how = (struct conn_end){ CONN_OK, 0, "closed" };
    link_end_finish(to, &how);
}

static void deliver(struct event *e)
{
    switch (e->type) {
    case OPENED:
        if (!e->to->conn.closing)
            e->to->conn.handler->opened(&e->to->conn, e->to->subprotocol);
        break;
    case MESSAGE:
        deliver_message(e->to, e->message);
        break;
    case PING:
        if (e->to->peer && !e->to->parted)
            link_post(e->to->peer, PONG, NULL);
        break;
    case PONG:
        end_heard(e->to);
        break;
    case GOODBYE:
        deliver_goodbye(e->to, e);
        break;
    case BROKEN:
        deliver_broken(e->to);
        break;
    }
    link_event_free(e);
}

static void forget(struct end *end, struct list *events)
{
    struct list *node, *tmp;

    list_each (node, tmp, events) {
        struct event *e = list_entry(node, struct event, node);

        if (e->to != end)
            continue;
        list_remove(node);
        link_event_free(e);
    }
}

void link_end_forget(struct end *end)
{
    forget(end, &end->links->queue);
    forget(end, &end->cable->held);
}

/* ---- public ------------------------------------------------------------------------ */

struct links *links_new(void)
{
    struct links *ls = xcalloc(1, sizeof *ls);

    list_init(&ls->queue);
    list_init(&ls->ends);
    return ls;
}

void links_free(struct links *ls)
{
    struct list *node, *tmp;

    if (!ls)
        return;
    list_each (node, tmp, &ls->ends) {
        struct conn *c = &list_entry(node, struct end, node)->conn;

        link_heal(c);
        conn_close(c, 1001, "going away");
    }
    links_pump(ls);
    heap_fini(&ls->alarms);
    free(ls);
}

static struct end *end_new(struct links *ls, struct slice subprotocol,
                           const struct conn_handler *handler, void *user)
{
    struct end *end = xcalloc(1, sizeof *end);

    end->conn.ops = &end_ops;
    end->conn.handler = handler;
    end->conn.user = user;
    end->links = ls;
    end->subprotocol = subprotocol;
    end->alarm.ring = end_ring;
    list_push(&ls->ends, &end->node);
    return end;
}

void link_pair(struct links *ls, struct slice subprotocol, const struct conn_handler *a,
               void *a_user, const struct conn_handler *b, void *b_user,
               struct conn **a_out, struct conn **b_out)
{
    struct end *ends[2] = { end_new(ls, subprotocol, a, a_user),
                            end_new(ls, subprotocol, b, b_user) };

    ends[0]->cable = ends[1]->cable = cable_new(ls);
    ends[0]->peer = ends[1];
    ends[1]->peer = ends[0];
    link_post(ends[0], OPENED, NULL);
    link_post(ends[1], OPENED, NULL);
    *a_out = &ends[0]->conn;
    *b_out = &ends[1]->conn;
}

bool links_pump(struct links *ls)
{
    struct list *node;
    bool any = false;

    while ((node = list_pop(&ls->queue)) != NULL) {
        struct event *e = list_entry(node, struct event, node);

        if (!cable_holds(e))
            deliver(e);
        any = true;
    }
    return any;
}

void links_tick(struct links *ls, uint64_t now)
{
    struct timer *t;

    ls->now = now;
    while ((t = heap_due(&ls->alarms, now)) != NULL) {
        struct alarm *a = timer_entry(t, struct alarm, timer);

        a->ring(a);
    }
}

uint64_t links_deadline(const struct links *ls)
{
    return heap_deadline(&ls->alarms);
}

bool links_idle(const struct links *ls)
{
    return list_empty(&ls->queue);
}

static void end_break(struct end *end)
{
    if (!end)
        return;
    link_end_forget(end);
    end->parted = true;
    link_post(end, BROKEN, NULL);
}

bool link_is(const struct conn *c)
{
    return c->ops == &end_ops;
}

void link_break(struct conn *c)
{
    struct end *end = end_of(c), *peer = end->peer;

    link_heal(c);
    end_break(end);
    end_break(peer);
}
