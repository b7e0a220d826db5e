/* link.c - two conns joined in memory. See link.h.
 *
 * Everything that is under way, of all pairs of a set, stands in one queue in the order
 * in which it happened, so both ends of a pair see what two sockets would show them: the
 * greeting, the messages in order, and the end behind the last message.
 *
 * Not known here: sockets, time, or what the messages say. A message is handed on as
 * it is, by reference; nobody may change it. The ends of a pair die one by one: `peer`
 * is NULL once the other one is gone, and nothing in the queue is meant for an end
 * that is gone. */
#include "net/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wamp/limits.h"

#define REASON_SIZE 124 /* a close reason has at most 123 bytes (RFC 6455, 5.5) */

struct links {
    struct list queue; /* of struct event: what is under way */
    struct list ends;  /* of struct end */
};

struct end {
    struct conn conn;
    struct links *links; /* borrowed */
    struct end *peer;    /* borrowed; NULL once it is gone */
    struct list node;    /* in links->ends */
    struct slice subprotocol;
    bool parted; /* its goodbye to the peer is in the queue, or the pair is broken */
    bool above;  /* more than LIMIT_QUEUE was queued and `drained` is owed */
};

enum event_type { OPENED, MESSAGE, GOODBYE, BROKEN };

struct event {
    struct list node;
    struct end *to; /* borrowed */
    enum event_type type;
    struct buf *message; /* owned; MESSAGE */
    int code;            /* GOODBYE: the close code */
    char reason[];       /* GOODBYE; NUL-terminated */
};

static struct end *end_of(struct conn *c)
{
    return (struct end *)(void *)((char *)c - offsetof(struct end, conn));
}

static struct event *post(struct end *to, enum event_type type, const char *reason)
{
    size_t n = reason ? strnlen(reason, REASON_SIZE - 1) : 0;
    struct event *e = xcalloc(1, sizeof *e + n + 1);

    e->to = to;
    e->type = type;
    if (n)
        memcpy(e->reason, reason, n);
    list_push(&to->links->queue, &e->node);
    return e;
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
        end->above = true;
    post(end->peer, MESSAGE, NULL)->message = message;
}

static void end_close(struct conn *c, int code, const char *reason)
{
    struct end *end = end_of(c);

    if (end->parted || !end->peer)
        return;
    end->parted = true;
    post(end->peer, GOODBYE, reason)->code = code;
}

static const struct conn_ops end_ops = { end_send, end_close };

/* ---- delivery ---------------------------------------------------------------------- */

static void end_finish(struct end *end, const struct conn_end *how)
{
    if (end->peer)
        end->peer->peer = NULL;
    end->peer = NULL;
    end->conn.handler->closed(&end->conn, how);
    list_remove(&end->node);
    free(end);
}

static void settle(struct end *sender, size_t n)
{
    sender->conn.queued -= n;
    if (!sender->above || sender->conn.queued >= LIMIT_QUEUE / 2)
        return;
    sender->above = false;
    if (sender->conn.handler->drained)
        sender->conn.handler->drained(&sender->conn);
}

static void deliver_message(struct end *to, struct buf *message)
{
    if (to->peer)
        settle(to->peer, message->len);
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
        post(to->peer, GOODBYE, e->reason)->code = e->code;
    end_finish(to, &how);
}

static void deliver_broken(struct end *to)
{
    struct conn_end how = { CONN_LOST, 0, "the link broke" };

    if (to->conn.closing)
        how = (struct conn_end){ CONN_OK, 0, "closed" };
    end_finish(to, &how);
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
    case GOODBYE:
        deliver_goodbye(e->to, e);
        break;
    case BROKEN:
        deliver_broken(e->to);
        break;
    }
    buf_unref(e->message);
    free(e);
}

/* What was under way to this end is lost. */
static void end_forget(struct end *end)
{
    struct list *node, *tmp;

    list_each (node, tmp, &end->links->queue) {
        struct event *e = list_entry(node, struct event, node);

        if (e->to != end)
            continue;
        list_remove(node);
        buf_unref(e->message);
        free(e);
    }
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
    list_each (node, tmp, &ls->ends)
        conn_close(&list_entry(node, struct end, node)->conn, 1001, "going away");
    links_pump(ls);
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
    list_push(&ls->ends, &end->node);
    return end;
}

void link_pair(struct links *ls, struct slice subprotocol, const struct conn_handler *a,
               void *a_user, const struct conn_handler *b, void *b_user,
               struct conn **a_out, struct conn **b_out)
{
    struct end *ends[2] = { end_new(ls, subprotocol, a, a_user),
                            end_new(ls, subprotocol, b, b_user) };

    ends[0]->peer = ends[1];
    ends[1]->peer = ends[0];
    post(ends[0], OPENED, NULL);
    post(ends[1], OPENED, NULL);
    *a_out = &ends[0]->conn;
    *b_out = &ends[1]->conn;
}

bool links_pump(struct links *ls)
{
    struct list *node;
    bool any = false;

    while ((node = list_pop(&ls->queue)) != NULL) {
        deliver(list_entry(node, struct event, node));
        any = true;
    }
    return any;
}

bool links_idle(const struct links *ls)
{
    return list_empty(&ls->queue);
}

static void end_break(struct end *end)
{
    if (!end)
        return;
    end_forget(end);
    end->parted = true;
    post(end, BROKEN, NULL);
}

void link_break(struct conn *c)
{
    struct end *end = end_of(c), *peer = end->peer;

    end_break(end);
    end_break(peer);
}
