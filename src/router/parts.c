/* parts.c - calls whose arguments come in parts (WAMP: progressive call invocations).
 *
 *     alice > CALL 7 {progress}     bob < INVOCATION 1 {progress}
 *     alice > CALL 7 {progress}     bob < INVOCATION 1 {progress}
 *     alice > CALL 7 {}             bob < INVOCATION 1 {}
 *
 * The first part picks the callee; the others follow it, whatever becomes of the
 * registration. All options but `progress` are those of the first part, so the details
 * are made then, once with it and once without. A part may come when the call is over
 * already, and its caller could not know: an id up to the highest one that the caller
 * has used, and of no call under way, is such a part and dropped. That rule holds from a
 * session's first call in parts on; other sessions may use ids in any order. */
#include <stdlib.h>

#include "base/mem.h"
#include "router/private.h"

bool parts_taken_by(const struct member *m)
{
    return roles_can(&m->roles, ROLE_CALLEE, FEATURE_PROGRESSIVE_CALL_INVOCATIONS) &&
           roles_can(&m->roles, ROLE_CALLEE, FEATURE_CALL_CANCELING);
}

struct parts *parts_new(const struct call *c, const struct callee *callee,
                        const struct msg *message, const struct opts *o)
{
    struct parts *parts = xcalloc(1, sizeof *parts);

    parts->open = true;
    parts->procedure = buf_from(message->uri.p, message->uri.n);
    parts->more = call_details(c, callee, message, o, true);
    parts->last = call_details(c, callee, message, o, false);
    return parts;
}

void parts_free(struct parts *parts)
{
    if (!parts)
        return;
    buf_unref(parts->procedure);
    buf_unref(parts->more);
    buf_unref(parts->last);
    free(parts);
}

bool parts_later(const struct member *m, uint64_t request)
{
    const struct call *c;

    if (!m->in_parts || request > m->last_call)
        return false;
    c = map_get(&m->calls, request);
    return !c || (c->parts && c->parts->open);
}

void parts_forward(struct member *m, const struct msg *message, const struct opts *o)
{
    struct call *c = map_get(&m->calls, message->request);
    struct fault f;

    if (!c)
        return;
    if (!slice_eq(message->uri, slice_buf(c->parts->procedure))) {
        fault_set(&f, "wamp.error.protocol_violation",
                  "CALL.Procedure differs from that of the call's first part");
        peer_violate(m->peer, &f);
        return;
    }
    c->parts->open = opt_is(o, OPT_PROGRESS, false);
    if (c->killed ||
        call_send(c, c->parts->open ? c->parts->more : c->parts->last, message))
        return;
    cancel_interrupt(c, "killnowait");
    call_refused(c, c->callee->peer);
}
