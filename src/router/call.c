/* call.c - calls: from CALL to INVOCATION, from YIELD or ERROR back to RESULT or
 * ERROR.
 *
 * A call is found by its caller's request id among the caller's calls, and by our
 * invocation id among what the callee is to answer; so nobody can touch another's. It
 * ends once, with what its caller is told. An answer that comes later finds nothing
 * and is dropped: the callee could not know. Only an invocation id that was never sent
 * is a violation (WAMP: protocol violations). */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "router/private.h"

static struct call *call_new(struct member *caller, uint64_t request)
{
    struct call *c = xcalloc(1, sizeof *c);

    c->caller = caller;
    c->request = request;
    c->discloses = caller->discloses;
    list_init(&c->link);
    map_put(&caller->calls, c->request, c);
    caller->realm->router->stats.invocations++;
    return c;
}

/* The maps have let go of it already. Its place may go to another call. */
static void call_release(struct call *c)
{
    heap_clear(&c->caller->realm->router->calls, &c->timer);
    c->caller->realm->router->stats.invocations--;
    waiting_remove(c);
    deferred_drop(c);
    parts_free(c->parts);
    seat_leave(c);
    free(c);
}

/* Ends a call: whoever still answers it or asks for it finds nothing. */
static void call_free(struct call *c)
{
    map_del(&c->caller->calls, c->request);
    if (c->callee)
        map_del(&c->callee->invocations, c->invocation);
    call_release(c);
}

void call_withdraw(struct call *c)
{
    map_del(&c->callee->invocations, c->invocation);
    c->callee = NULL;
    seat_leave(c);
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

/* ---- timeout ----------------------------------------------------------------------- */

/* A callee that keeps the time itself is given some more, to say so. A kill has a bound
 * of its own. */
static void call_watch(struct call *c)
{
    struct router *r = c->caller->realm->router;

    if (c->timeout && !c->killed)
        heap_set(&r->calls, &c->timer, c->due + (c->forwarded ? LIMIT_KILL_MS : 0));
}

/* Starts the clock of the timeout, if there is one, anew. */
static void call_rearm(struct call *c)
{
    c->due = c->caller->realm->router->now + c->timeout;
    call_watch(c);
}

/* What is left of the timeout for the callee to keep. */
static uint64_t time_left(const struct call *c)
{
    uint64_t now = c->caller->realm->router->now;

    return c->due > now ? c->due - now : 1;
}

/* ---- CALL -------------------------------------------------------------------------- */

/* Where a CALL goes. */
struct target {
    struct registration *registration;
    struct callee *callee; /* NULL: it has to wait */
};

/* Whether this member can be sent a call with these options; false fills `f`. */
static bool can_take(const struct member *m, const struct opts *o, struct fault *f)
{
    if (opt_is(o, OPT_PROGRESS, false) && !parts_taken_by(m))
        fault_set(f, "wamp.error.feature_not_supported",
                  "the callee does not take arguments in parts");
    else if (!passthru_fits(m, ROLE_CALLEE, o))
        fault_set(f, "wamp.error.feature_not_supported", "the callee did not announce %s",
                  passthru_feature(o));
    else if (m->invocations.count >= LIMIT_INVOCATIONS)
        fault_set(f, "wamp.error.unavailable", "the callee has too many calls");
    else
        return true;
    return false;
}

/* Whether a CALL may wait for a callee with room. One in parts may not: what comes
 * behind it would have to wait with it. */
static bool can_wait(const struct member *m, const struct registration *reg,
                     const struct msg *message, const struct opts *o, struct fault *f)
{
    if (waiting_admits(reg) && deferred_admits(m, message) &&
        !opt_is(o, OPT_PROGRESS, false))
        return true;
    fault_set(f, "wamp.error.unavailable",
              "all callees have as many calls as they take at a time");
    return false;
}

/* Finds out where a CALL goes; false fills `f`. */
static bool route(struct member *m, const struct msg *message, const struct opts *o,
                  struct target *t, struct fault *f)
{
    bool busy = false;

    if (!member_may(m, message, o, ALLOW_CALL, f))
        return false;
    t->registration = dealer_find(m->realm, message->uri);
    t->callee = NULL;
    if (t->registration)
        t->callee = dealer_pick(t->registration, message->uri, NULL, &busy);
    if (!t->callee && !busy)
        fault_set(f, "wamp.error.no_such_procedure", "no callee for this procedure");
    else if (m->calls.count >= LIMIT_PENDING)
        fault_set(f, "wamp.error.unavailable", "too many calls are waiting");
    else if (t->callee)
        return can_take(t->callee->holder.member, o, f);
    else
        return can_wait(m, t->registration, message, o, f);
    return false;
}

struct buf *call_details(const struct call *c, const struct callee *callee,
                         const struct msg *message, const struct opts *o, bool progress)
{
    struct details d = { 0 };
    int64_t trust = role_trust(c->caller->role, message->uri);

    if (callee->holder.held->pattern.match != MATCH_EXACT)
        details_text(&d, OPT_PROCEDURE, message->uri);
    if (callee->wants_caller || c->discloses || opt_is(o, OPT_DISCLOSE_ME, false))
        details_caller(&d, c->caller);
    if (c->progressive)
        details_true(&d, OPT_RECEIVE_PROGRESS);
    if (c->forwarded)
        details_int(&d, OPT_TIMEOUT, time_left(c));
    if (progress)
        details_true(&d, OPT_PROGRESS);
    if (trust >= 0)
        details_int(&d, OPT_TRUSTLEVEL, (uint64_t)trust);
    details_passthru(&d, o);
    return details_encode(&d, callee->holder.member->peer->wire);
}

void call_refused(struct call *c, const struct peer *by)
{
    struct fault f;

    peer_refusal(by, &f);
    call_fail(c, f.uri, f.text);
}

/* Sends a message with the payload of another; false, and peer_refusal says why, when it
 * cannot be had. */
static bool pass_on(struct member *to, struct msg *m, const struct msg *payload)
{
    if (payload_carry(m, payload, to->peer->wire))
        return member_send(to, m);
    to->peer->refused = SIZE_MAX; /* there is no telling how long it would have been */
    return false;
}

bool call_send(const struct call *c, const struct buf *details, const struct msg *message)
{
    struct msg i = { .row = msg_row(MSG_INVOCATION),
                     .request = c->invocation,
                     .id = c->registration };
    bool sent;

    if (details)
        i.dict = slice_buf(details);
    sent = pass_on(c->callee, &i, message);
    msg_fini(&i);
    return sent;
}

static bool invoke(struct call *c, const struct callee *callee, const struct msg *message,
                   const struct opts *o)
{
    struct buf *details;
    bool sent;

    if (opt_is(o, OPT_PROGRESS, false)) {
        c->parts = parts_new(c, callee, message, o);
        return call_send(c, c->parts->more, message);
    }
    details = call_details(c, callee, message, o, false);
    sent = call_send(c, details, message);
    buf_unref(details);
    return sent;
}

/* Gives a call to a callee. False: he could not be sent it, and it has ended. */
static bool assign(struct call *c, struct callee *callee, const struct msg *message,
                   const struct opts *o)
{
    struct member *m = callee->holder.member;

    c->callee = m;
    c->registration = callee->holder.held->id;
    c->invocation = m->last_invocation = id_next(m->last_invocation);
    map_put(&m->invocations, c->invocation, c);
    seat_take(c, callee);
    c->progressive = opt_is(o, OPT_RECEIVE_PROGRESS, false) &&
                     roles_can(&m->roles, ROLE_CALLEE, FEATURE_PROGRESSIVE_CALL_RESULTS);
    c->forwarded = c->timeout && callee->keeps_time;
    call_watch(c);
    if (invoke(c, callee, message, o))
        return true;
    m->last_invocation = c->invocation - 1; /* what is not sent has not taken its id */
    call_refused(c, m->peer);
    return false;
}

void call_resume(struct call *c, struct callee *callee)
{
    struct opts o;
    struct fault f;

    if (!callee) {
        call_fail(c, "wamp.error.no_available_callee", "no callee can take the call");
        return;
    }
    if (!opts_decode(&o, &c->deferred->message, &f) ||
        !can_take(callee->holder.member, &o, &f)) {
        call_fail(c, f.uri, f.text);
    } else if (assign(c, callee, &c->deferred->message, &o) && !deferred_for(callee)) {
        deferred_drop(c);
    }
    opts_fini(&o);
}

static void start(struct member *m, struct msg *message, const struct opts *o,
                  const struct target *t)
{
    struct call *c = call_new(m, message->request);

    c->timeout = (uint64_t)opt_int(o, OPT_TIMEOUT);
    call_rearm(c);
    if (!t->callee) {
        deferred_take(c, message);
        waiting_push(t->registration, c);
        return;
    }
    if (!assign(c, t->callee, message, o))
        return;
    if (deferred_for(t->callee) && !c->parts && deferred_admits(m, message))
        deferred_take(c, message);
}

/* Notes the id, for those of later parts. False when the caller calls in parts but did
 * not announce it: fills `f`. */
static bool announced(struct member *m, const struct msg *message, const struct opts *o,
                      struct fault *f)
{
    if (message->request > m->last_call)
        m->last_call = message->request;
    if (!opt_is(o, OPT_PROGRESS, false))
        return true;
    m->in_parts = roles_can(&m->roles, ROLE_CALLER, FEATURE_PROGRESSIVE_CALL_INVOCATIONS);
    if (!m->in_parts)
        fault_set(f, "wamp.error.protocol_violation",
                  "CALL.Options.progress: the caller did not announce "
                  "progressive_call_invocations");
    return m->in_parts;
}

/* A CALL that is not a later part. */
static void begin(struct member *m, struct msg *message, const struct opts *o)
{
    struct target t;
    struct fault f;

    m->realm->router->stats.calls++;
    if (meta_owns(message->uri))
        meta_call(m, message, o);
    else if (route(m, message, o, &t, &f))
        start(m, message, o, &t);
    else
        member_error(m, MSG_CALL, message->request, &f);
}

void call_begin(struct member *m, struct msg *message, const struct opts *o)
{
    struct fault f;

    if (parts_later(m, message->request))
        parts_forward(m, message, o);
    else if (announced(m, message, o, &f))
        begin(m, message, o);
    else
        peer_violate(m->peer, &f);
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

/* Passes an answer on to the caller: RESULT, or ERROR with its URI; unless he cannot be
 * sent it, which ends the call (false). */
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
    sent = pass_on(c->caller, answer, message);
    msg_fini(answer);
    buf_unref(details);
    if (sent)
        return true;
    if (progress)
        cancel_interrupt(c, "killnowait");
    call_refused(c, c->caller->peer);
    return false;
}

/* Ends a call whose caller would not understand the payload of its result. */
static void spoil(struct call *c, const struct opts *o)
{
    char text[80];

    snprintf(text, sizeof text, "the result needs %s, which the caller did not announce",
             passthru_feature(o));
    cancel_interrupt(c, "killnowait");
    call_fail(c, "wamp.error.feature_not_supported", text);
}

/* A part of a result goes through only to a caller that asked for parts. */
void call_yield(struct member *m, struct msg *message, const struct opts *o)
{
    struct call *c = answered(m, message);
    struct msg result = { .row = msg_row(MSG_RESULT) };
    bool progress = opt_is(o, OPT_PROGRESS, false);

    if (!c || (progress && !c->progressive))
        return;
    if (!passthru_fits(c->caller, ROLE_CALLER, o)) {
        spoil(c, o);
        return;
    }
    if (!settle(c, &result, message, o, progress))
        return;
    c->answered = true;
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
    if (slice_is(message->uri, "wamp.error.unavailable") && deferred_reroute(c))
        return;
    if (!passthru_fits(c->caller, ROLE_CALLER, o)) {
        spoil(c, o);
        return;
    }
    error.uri = message->uri;
    if (settle(c, &error, message, o, false))
        call_free(c);
}

/* ---- leaving ----------------------------------------------------------------------- */

/* Calls that `m` made and that wait are nobody's turn any more. */
static void stop_waiting(const struct member *m)
{
    struct call *c;
    size_t at = 0;

    while ((c = map_next(&m->calls, &at, NULL, NULL)))
        waiting_remove(c);
}

/* Both walks take calls out of the other side's map only; its own go as a whole. A
 * call to itself is in both: the first walk takes it out of the second's map. What
 * waits for the places that become free may be sent to others meanwhile, never to who
 * leaves. */
void call_leave(struct member *m)
{
    struct call *c;
    size_t at = 0;

    stop_waiting(m);
    while ((c = map_next(&m->invocations, &at, NULL, NULL))) {
        call_tell(c, "wamp.error.canceled", "the callee left");
        map_del(&c->caller->calls, c->request);
        call_release(c);
    }
    at = 0;
    while ((c = map_next(&m->calls, &at, NULL, NULL))) {
        cancel_interrupt(c, "killnowait");
        if (c->callee)
            map_del(&c->callee->invocations, c->invocation);
        call_release(c);
    }
    map_fini(&m->invocations);
    map_fini(&m->calls);
}
