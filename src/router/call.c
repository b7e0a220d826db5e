/* call.c - calls: from CALL to INVOCATION, from YIELD or ERROR back to RESULT or
 * ERROR.
 *
 * A call is found by its caller's request id among the caller's calls, and by our
 * invocation id among what the callee is to answer; so nobody can touch another's. It
 * ends once, with what its caller is told. An answer that comes later finds nothing
 * and is dropped: the callee could not know. Only an invocation id that was never sent
 * is a violation (WAMP: protocol violations). */
#include <stdlib.h>

#include "base/mem.h"
#include "router/private.h"

static struct call *call_new(struct member *caller, uint64_t request,
                             struct member *callee)
{
    struct call *c = xcalloc(1, sizeof *c);

    c->caller = caller;
    c->callee = callee;
    c->request = request;
    c->invocation = callee->last_invocation = id_next(callee->last_invocation);
    map_put(&caller->calls, c->request, c);
    map_put(&callee->invocations, c->invocation, c);
    caller->realm->router->stats.invocations++;
    return c;
}

static void call_release(struct call *c)
{
    heap_clear(&c->caller->realm->router->calls, &c->timer);
    c->caller->realm->router->stats.invocations--;
    free(c);
}

/* Ends a call: whoever still answers it or asks for it finds nothing. */
static void call_free(struct call *c)
{
    map_del(&c->caller->calls, c->request);
    map_del(&c->callee->invocations, c->invocation);
    call_release(c);
}

/* Tells the caller an error of our own. */
static void call_tell(struct call *c, const char *uri, const char *text)
{
    struct fault f;

    fault_set(&f, uri, "%s", text);
    member_error(c->caller, MSG_CALL, c->request, &f);
}

void call_fail(struct call *c, const char *uri, const char *text)
{
    call_tell(c, uri, text);
    call_free(c);
}

/* A kill has a bound of its own. */
void call_rearm(struct call *c)
{
    struct router *r = c->caller->realm->router;

    if (c->timeout && !c->killed)
        heap_set(&r->calls, &c->timer, r->now + c->timeout);
}

/* ---- CALL -------------------------------------------------------------------------- */

/* Who is to answer a CALL; NULL fills `f`. */
static struct callee *route(struct member *m, const struct msg *message,
                            const struct opts *o, struct fault *f)
{
    struct callee *c;

    if (!member_may(m, message, o, ALLOW_CALL, f))
        return NULL;
    c = dealer_pick(m->realm, message->uri);
    if (!c)
        fault_set(f, "wamp.error.no_such_procedure", "no callee for this procedure");
    else if (m->calls.count >= LIMIT_PENDING)
        fault_set(f, "wamp.error.unavailable", "too many calls are waiting");
    else
        return c;
    return NULL;
}

static struct buf *invocation_details(const struct call *call, const struct callee *c,
                                      const struct msg *message, const struct opts *o)
{
    struct details d = { 0 };

    if (c->holder.held->pattern.match != MATCH_EXACT)
        details_text(&d, OPT_PROCEDURE, message->uri);
    if (c->wants_caller || opt_is(o, OPT_DISCLOSE_ME, false))
        details_caller(&d, call->caller);
    if (call->progressive)
        details_true(&d, OPT_RECEIVE_PROGRESS);
    details_passthru(&d, o);
    return details_encode(&d, c->holder.member->peer->wire);
}

/* A message that a transport cannot carry (WAMP: RawSocket, maximum length) is the end of
 * the call, not of the session. */
static void call_outgrow(struct call *c, const char *text)
{
    call_fail(c, "wamp.error.payload_size_exceeded", text);
}

/* An invocation that is not sent has not taken its id. */
static void invoke(struct call *call, const struct callee *c, const struct msg *message,
                   const struct opts *o)
{
    struct buf *details = invocation_details(call, c, message, o);
    struct msg i = { .row = msg_row(MSG_INVOCATION),
                     .request = call->invocation,
                     .id = c->holder.held->id };

    if (details)
        i.dict = slice_buf(details);
    if (!payload_carry(&i, message, c->holder.member->peer->wire) ||
        !member_send(c->holder.member, &i)) {
        call->callee->last_invocation = i.request - 1;
        call_outgrow(call, "the callee's transport does not take a message of this size");
    }
    msg_fini(&i);
    buf_unref(details);
}

void call_begin(struct member *m, struct msg *message, const struct opts *o)
{
    struct callee *callee;
    struct call *call;
    struct fault f;

    if (opt_is(o, OPT_PROGRESS, false)) {
        fault_set(
            &f, "wamp.error.protocol_violation",
            "CALL.Options.progress: progressive_call_invocations was not announced");
        peer_violate(m->peer, &f);
        return;
    }
    if (uri_reserved(message->uri)) {
        meta_call(m, message, o);
        return;
    }
    callee = route(m, message, o, &f);
    if (!callee) {
        member_error(m, MSG_CALL, message->request, &f);
        return;
    }
    call = call_new(m, message->request, callee->holder.member);
    call->progressive =
        opt_is(o, OPT_RECEIVE_PROGRESS, false) &&
        roles_can(&call->callee->roles, ROLE_CALLEE, FEATURE_PROGRESSIVE_CALL_RESULTS);
    call->timeout = (uint64_t)opt_int(o, OPT_TIMEOUT);
    call_rearm(call);
    invoke(call, callee, message, o);
}

/* ---- answers ----------------------------------------------------------------------- */

/* The call that a YIELD or ERROR answers. NULL when there is none any more; that, or
 * an id that was never sent, which is a violation. */
static struct call *answered(struct member *m, const struct msg *message)
{
    struct fault f;

    if (message->request > m->last_invocation) {
        fault_set(&f, "wamp.error.protocol_violation",
                  "%s for INVOCATION %llu, never sent", message->row->name,
                  (unsigned long long)message->request);
        peer_violate(m->peer, &f);
        return NULL;
    }
    return map_get(&m->invocations, message->request);
}

/* Passes an answer on to the caller: RESULT, or ERROR with its URI; unless it is too
 * large for him, which ends the call (false). */
static bool settle(struct call *c, struct msg *answer, const struct msg *message,
                   const struct opts *o, bool progress)
{
    const struct wire *wire = c->caller->peer->wire;
    struct details d = { 0 };
    struct buf *details;
    bool sent;

    if (progress)
        details_true(&d, OPT_PROGRESS);
    details_passthru(&d, o);
    details = details_encode(&d, wire);
    if (details)
        answer->dict = slice_buf(details);
    answer->request = c->request;
    sent = payload_carry(answer, message, wire) && member_send(c->caller, answer);
    msg_fini(answer);
    buf_unref(details);
    if (sent)
        return true;
    if (progress)
        cancel_interrupt(c, "killnowait");
    call_outgrow(c, "the caller's transport does not take an answer of this size");
    return false;
}

/* A part of a result goes through only to a caller that asked for parts. */
void call_yield(struct member *m, struct msg *message, const struct opts *o)
{
    struct call *c = answered(m, message);
    struct msg result = { .row = msg_row(MSG_RESULT) };
    bool progress = opt_is(o, OPT_PROGRESS, false);

    if (!c || (progress && !c->progressive))
        return;
    if (!settle(c, &result, message, o, progress))
        return;
    if (progress)
        call_rearm(c);
    else
        call_free(c);
}

void call_error(struct member *m, struct msg *message, const struct opts *o)
{
    struct msg error = { .row = msg_row(MSG_ERROR), .type = MSG_CALL };
    struct call *c;
    struct fault f;

    c = answered(m, message);
    if (!c)
        return;
    if (!msg_uri_ok(message, o, false, &f)) {
        call_fail(c, f.uri, "the callee answered with an error that is not a URI");
        return;
    }
    error.uri = message->uri;
    if (settle(c, &error, message, o, false))
        call_free(c);
}

/* ---- leaving ----------------------------------------------------------------------- */

/* Both walks take calls out of the other side's map only; its own go as a whole. A
 * call to itself is in both: the first walk takes it out of the second's map. */
void call_leave(struct member *m)
{
    struct call *c;
    size_t at = 0;

    while ((c = map_next(&m->invocations, &at, NULL, NULL))) {
        call_tell(c, "wamp.error.canceled", "the callee left");
        map_del(&c->caller->calls, c->request);
        call_release(c);
    }
    at = 0;
    while ((c = map_next(&m->calls, &at, NULL, NULL))) {
        cancel_interrupt(c, "killnowait");
        map_del(&c->callee->invocations, c->invocation);
        call_release(c);
    }
    map_fini(&m->invocations);
    map_fini(&m->calls);
}
