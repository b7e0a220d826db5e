/* cancel.c - calls that end early: CANCEL, timeouts, and the INTERRUPTs they cause
 * (WAMP: call canceling, call timeout).
 *
 *     mode        INTERRUPT   the caller gets               what the callee answers then
 *     skip        no          ERROR canceled at once        is dropped
 *     kill        yes         what the callee answers       is the answer
 *     killnowait  yes         ERROR canceled at once        is dropped
 *
 * No mode, an unknown one, or a callee that did not announce call_canceling: skip. A
 * kill whose callee does not answer ends after LIMIT_KILL_MS. A call that waits for a
 * callee has nobody to interrupt. One whose arguments are still coming is never skipped
 * silently: its callee hears killnowait. */
#include "router/private.h"

static bool interruptible(const struct call *c)
{
    return c->callee && roles_can(&c->callee->roles, ROLE_CALLEE, FEATURE_CALL_CANCELING);
}

/* Whether the callee would wait for more arguments, for ever. */
static bool is_open(const struct call *c)
{
    return c->parts && c->parts->open;
}

bool cancel_interrupt(struct call *c, const char *mode)
{
    struct details d = { 0 };
    struct buf *details;
    struct msg i = { .row = msg_row(MSG_INTERRUPT), .request = c->invocation };

    if (!interruptible(c))
        return false;
    details_text(&d, OPT_MODE, slice_of(mode));
    details = details_encode(&d, c->callee->peer->wire);
    i.dict = slice_buf(details);
    member_send(c->callee, &i);
    buf_unref(details);
    return true;
}

static void kill_call(struct call *c)
{
    struct router *r = c->caller->realm->router;

    if (c->killed)
        return;
    c->killed = true;
    cancel_interrupt(c, "kill");
    heap_set(&r->calls, &c->timer, r->now + LIMIT_KILL_MS);
}

/* A CANCEL for a call that has ended crossed its answer: nothing to do. */
void cancel_request(struct member *m, struct msg *message, const struct opts *o)
{
    struct call *c = map_get(&m->calls, message->request);
    struct slice mode = opt_text(o, OPT_MODE);

    if (!c)
        return;
    if (slice_is(mode, "kill") && interruptible(c)) {
        kill_call(c);
        return;
    }
    if (slice_is(mode, "killnowait") || is_open(c))
        cancel_interrupt(c, "killnowait");
    call_fail(c, "wamp.error.canceled", "the caller canceled the call");
}

void cancel_expire(struct call *c)
{
    if (c->killed) {
        call_fail(c, "wamp.error.canceled", "the callee did not answer in time");
        return;
    }
    cancel_interrupt(c, "killnowait");
    call_fail(c, "wamp.error.timeout", "the call took too long");
}
