/* link_fault.c - what can go wrong between two ends: a cable that stands still, is slow,
 * or breaks inside a message. See link.h; for tests.
 *
 * A held event waits in its cable, in order, and goes back into the queue when it is due
 * and the cable moves. A real socket finds out that its cable stands still by pings and,
 * while it closes, by a time limit; so here both run while a cable is disturbed, and only
 * then: pings are events like others, so a pause holds them, too. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "net/link_private.h"

#define CLOSE_WAIT 1000 /* ms that a closing end waits on a disturbed cable */

static bool disturbed(const struct cable *c)
{
    return c->paused || c->delay;
}

/* ---- the cable --------------------------------------------------------------------- */

static void alarm_set(struct links *ls, struct alarm *a, uint64_t when)
{
    heap_set(&ls->alarms, &a->timer, when);
}

/* Lets through what may pass, and waits for the next. */
static void release(struct cable *c)
{
    struct list *node, *tmp;

    heap_clear(&c->links->alarms, &c->alarm.timer);
    if (c->paused)
        return;
    list_each (node, tmp, &c->held) {
        struct event *e = list_entry(node, struct event, node);

        if (e->due > c->links->now) {
            alarm_set(c->links, &c->alarm, e->due);
            return;
        }
        e->released = true;
        list_remove(node);
        list_push(&c->links->queue, node);
    }
}

static void cable_ring(struct alarm *a)
{
    release((struct cable *)(void *)((char *)a - offsetof(struct cable, alarm)));
}

struct cable *cable_new(struct links *ls)
{
    struct cable *c = xcalloc(1, sizeof *c);

    c->links = ls;
    c->ends = 2;
    c->alarm.ring = cable_ring;
    list_init(&c->held);
    return c;
}

void cable_drop(struct cable *c)
{
    struct list *node;

    if (--c->ends)
        return;
    heap_clear(&c->links->alarms, &c->alarm.timer);
    while ((node = list_pop(&c->held)) != NULL)
        link_event_free(list_entry(node, struct event, node));
    free(c);
}

void cable_heal(struct cable *c)
{
    c->paused = false;
    c->delay = 0;
    for (struct list *node = c->held.next; node != &c->held; node = node->next)
        list_entry(node, struct event, node)->due = 0;
    release(c);
}

bool cable_holds(struct event *e)
{
    struct cable *c = e->to->cable;

    if (e->released || (!c->paused && list_empty(&c->held) && e->due <= c->links->now))
        return false;
    list_push(&c->held, &e->node);
    release(c);
    return true;
}

/* ---- an end on a disturbed cable --------------------------------------------------- */

/* The end is over by its own judgement; the peer hears of it when the cable lets it. */
static void end_die(struct end *end, const struct conn_end *how)
{
    link_end_forget(end);
    if (end->peer && !end->parted)
        link_post(end->peer, BROKEN, NULL);
    link_end_finish(end, how);
}

static void ping(struct end *end)
{
    end->pinged = true;
    if (end->peer && !end->parted)
        link_post(end->peer, PING, NULL);
    alarm_set(end->links, &end->alarm, end->links->now + end->ping_timeout);
}

void end_ring(struct alarm *a)
{
    struct end *end = (struct end *)(void *)((char *)a - offsetof(struct end, alarm));
    struct conn_end how = { CONN_TIMEOUT, 0, "" };

    if (end->conn.closing)
        how = (struct conn_end){ CONN_OK, 0, "closed" };
    else if (!end->pinged && !disturbed(end->cable))
        return;
    else if (!end->pinged) {
        ping(end);
        return;
    } else
        snprintf(how.text, sizeof how.text, "the link: no answer to a ping within %g s",
                 (double)end->ping_timeout / 1000);
    end_die(end, &how);
}

void end_watch(struct end *end)
{
    struct links *ls = end->links;

    if (!disturbed(end->cable))
        return;
    if (end->conn.closing)
        alarm_set(ls, &end->alarm, ls->now + CLOSE_WAIT);
    else if (end->ping_interval && !end->alarm.timer.position)
        alarm_set(ls, &end->alarm, ls->now + end->ping_interval);
}

void end_heard(struct end *end)
{
    end->pinged = false;
    if (end->alarm.timer.position && !end->conn.closing)
        alarm_set(end->links, &end->alarm, end->links->now + end->ping_interval);
}

bool end_cuts(struct end *to, const struct buf *message)
{
    struct conn_end how = { CONN_LOST, 0, "the link broke" };

    if (!to->cutting)
        return false;
    if (to->cut_after > message->len) {
        to->cut_after -= message->len;
        return false;
    }
    if (to->cut_after == message->len) { /* it still gets here */
        link_break(&to->conn);
        return false;
    }
    if (to->cut_after)
        how = (struct conn_end){ CONN_TRUNCATED, (int)(message->len - to->cut_after),
                                 "the link was lost in the middle of a message" };
    if (to->conn.closing)
        how = (struct conn_end){ CONN_OK, 0, "closed" };
    end_die(to, &how);
    return true;
}

/* ---- public ------------------------------------------------------------------------ */

static void disturb(struct conn *c)
{
    struct end *end = end_of(c);

    release(end->cable);
    end_watch(end);
    if (end->peer)
        end_watch(end->peer);
}

void link_pings(struct conn *c, uint64_t interval, uint64_t timeout)
{
    end_of(c)->ping_interval = interval;
    end_of(c)->ping_timeout = timeout;
}

void link_pause(struct conn *c, bool on)
{
    end_of(c)->cable->paused = on;
    disturb(c);
}

void link_delay(struct conn *c, uint64_t ms)
{
    end_of(c)->cable->delay = ms;
    disturb(c);
}

void link_cut_after(struct conn *c, size_t bytes)
{
    struct end *end = end_of(c);

    if (!bytes) {
        link_break(c);
        return;
    }
    end->cutting = true;
    end->cut_after = bytes;
}

void link_heal(struct conn *c)
{
    end_of(c)->cutting = false;
    cable_heal(end_of(c)->cable);
}
