/* call.c - calls: from CALL to INVOCATION, from YIELD or ERROR back to RESULT or ERROR.
 *
 * A call is found by its caller's request id among the caller's calls, and by our invocation id
 * among what the callee is to answer; so nobody can touch another's. It ends once, with what
 * its caller is told. An answer that comes later finds nothing and is dropped: the callee could
 * not know. Only an invocation id that was never sent is a violation (WAMP: protocol
 * violations). */
#include <stdlib.h>

#include "base/mem.h"
#include "router/private.h"

static struct call *call_new(struct member *caller, uint64_t request, struct member *callee)
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

static void call_fail(struct call *c, const char *uri, const char *text)
{
    call_tell(c, uri, text);
    call_free(c);
}

/* ---- CALL -------------------------------------------------------------------------- */

/* Whether the callee may answer for this very procedure: a pattern was allowed as a whole, a
 * more specific permission may still take single procedures out of it. */
static bool answers_for(const struct registration *reg, const struct callee *c, struct slice uri)
{
    return reg->pattern.match == MATCH_EXACT ||
           role_allows(c->member->role, ALLOW_REGISTER, uri, MATCH_EXACT);
}

/* Who is to answer a CALL; NULL fills `f`. Nobody answers for the router's own names. */
static struct callee *route(struct member *m, const struct msg *message, const struct opts *o,
                            struct fault *f)
{
    struct registration *reg = NULL;
    struct callee *c;

    if (!member_may(m, message, o, ALLOW_CALL, f))
        return NULL;
    if (!uri_reserved(message->uri))
        reg = (struct registration *)patterns_best(&m->realm->procedures, message->uri,
                                                   MATCH_EXACT);
    if (reg) {
        c = list_entry(reg->callees.next, struct callee, link);
        if (answers_for(reg, c, message->uri))
            return c;
    }
    fault_set(f, "wamp.error.no_such_procedure", "no callee for this procedure");
    return NULL;
}

static void invoke(struct call *c, const struct registration *reg, const struct msg *message)
{
    struct member *callee = c->callee;
    struct details d = { 0 };
    struct buf *details;
    struct msg i = { .row = msg_row(MSG_INVOCATION), .request = c->invocation, .id = reg->id };

    if (reg->pattern.match != MATCH_EXACT)
        details_text(&d, OPT_PROCEDURE, message->uri);
    details = details_encode(&d, callee->peer->wire);
    if (details)
        i.dict = slice_buf(details);
    payload_carry(&i, message, callee->peer->wire);
    member_send(callee, &i);
    buf_unref(details);
}

void call_begin(struct member *m, struct msg *message, const struct opts *o)
{
    struct callee *callee;
    struct fault f;

    callee = route(m, message, o, &f);
    if (callee && m->calls.count >= LIMIT_PENDING) {
        fault_set(&f, "wamp.error.unavailable", "too many calls are waiting");
        callee = NULL;
    }
    if (!callee) {
        member_error(m, MSG_CALL, message->request, &f);
        return;
    }
    invoke(call_new(m, message->request, callee->member), callee->registration, message);
}

/* A CANCEL for a call that has ended crossed its answer: nothing to do. */
void call_cancel(struct member *m, struct msg *message, const struct opts *o)
{
    struct call *c = map_get(&m->calls, message->request);

    (void)o;
    if (c)
        call_fail(c, "wamp.error.canceled", "the caller canceled the call");
}

/* ---- answers ----------------------------------------------------------------------- */

/* The call that a YIELD or ERROR answers. NULL when there is none any more; that, or an id that
 * was never sent, which is a violation. */
static struct call *answered(struct member *m, const struct msg *message)
{
    struct fault f;

    if (message->request > m->last_invocation) {
        fault_set(&f, "wamp.error.protocol_violation", "%s for INVOCATION %llu, never sent",
                  message->row->name, (unsigned long long)message->request);
        peer_violate(m->peer, &f);
        return NULL;
    }
    return map_get(&m->invocations, message->request);
}

void call_yield(struct member *m, struct msg *message, const struct opts *o)
{
    struct call *c = answered(m, message);
    struct msg result = { .row = msg_row(MSG_RESULT) };

    if (!c || opt_is(o, OPT_PROGRESS, false))
        return;
    result.request = c->request;
    payload_carry(&result, message, c->caller->peer->wire);
    member_send(c->caller, &result);
    call_free(c);
}

void call_error(struct member *m, struct msg *message, const struct opts *o)
{
    struct msg error = { .row = msg_row(MSG_ERROR), .type = MSG_CALL };
    struct call *c;
    struct fault f;

    if (message->type != MSG_INVOCATION) {
        fault_set(&f, "wamp.error.protocol_violation", "ERROR.REQUEST.Type: only 68 is for a callee");
        peer_violate(m->peer, &f);
        return;
    }
    c = answered(m, message);
    if (!c)
        return;
    if (!msg_uri_ok(message, o, false, &f)) {
        call_fail(c, f.uri, "the callee answered with an error that is not a URI");
        return;
    }
    error.request = c->request;
    error.uri = message->uri;
    payload_carry(&error, message, c->caller->peer->wire);
    member_send(c->caller, &error);
    call_free(c);
}

/* ---- leaving ----------------------------------------------------------------------- */

/* Both walks take calls out of the other side's map only; its own go as a whole. A call to
 * itself is in both: the first walk takes it out of the second's map. */
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
        map_del(&c->callee->invocations, c->invocation);
        call_release(c);
    }
    map_fini(&m->invocations);
    map_fini(&m->calls);
}
