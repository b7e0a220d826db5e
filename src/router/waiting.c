/* waiting.c - callees that take a number of calls at once, REGISTER.Options.concurrency,
 * and calls that wait for one of them.
 *
 * A callee with a limit has as many seats. A call sits on one from its INVOCATION to its
 * end; the seats of callees without a limit are not counted. Calls wait in the order in
 * which they came, and who waits is waited for by nobody but its caller: a timeout runs,
 * a CANCEL ends it at once.
 *
 * A call waits only while each callee that could have it is busy with calls that are
 * counted; each of these serves the line at its end (seat_leave), and so does whoever
 * joins or leaves the registration (dealer.c). So no call is forgotten. */
#include "router/private.h"

/* ---- seats ------------------------------------------------------------------------- */

void seat_take(struct call *c, struct callee *callee)
{
    if (!callee->concurrency)
        return;
    c->seat = callee;
    callee->busy++;
    list_push(&callee->calls, &c->link);
}

void seat_leave(struct call *c)
{
    struct callee *callee = c->seat;

    if (!callee)
        return;
    c->seat = NULL;
    list_remove(&c->link);
    callee->busy--;
    waiting_serve((struct registration *)callee->holder.held);
}

void seat_close(struct callee *callee)
{
    struct list *node;

    while ((node = list_pop(&callee->calls)))
        list_entry(node, struct call, link)->seat = NULL;
}

/* ---- the line ---------------------------------------------------------------------- */

bool waiting_admits(const struct registration *reg)
{
    return reg->waiting_count < LIMIT_WAITING;
}

void waiting_push(struct registration *reg, struct call *c)
{
    c->deferred->registration = reg;
    list_push(&reg->waiting, &c->link);
    reg->waiting_count++;
}

void waiting_remove(struct call *c)
{
    if (!c->deferred || !c->deferred->registration)
        return;
    c->deferred->registration->waiting_count--;
    c->deferred->registration = NULL;
    list_remove(&c->link);
}

void waiting_serve(struct registration *reg)
{
    bool busy = false;

    while (!busy && reg->waiting_count) {
        struct call *c = list_entry(reg->waiting.next, struct call, link);
        const struct deferred *deferred = c->deferred;
        struct callee *callee =
            dealer_pick(reg, deferred->message.uri, &deferred->tried, &busy);

        if (callee || !busy) {
            waiting_remove(c);
            call_resume(c, callee);
        }
    }
}

void waiting_fail(struct registration *reg)
{
    while (reg->waiting_count) {
        struct call *c = list_entry(reg->waiting.next, struct call, link);

        waiting_remove(c);
        call_fail(c, "wamp.error.canceled", "the callee left");
    }
}
