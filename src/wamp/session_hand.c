/* session_hand.c - messages that the app made itself, sent by hand.
 *
 * Such a message is held against the same rules as the session's own, before anything is
 * sent: the grammar, who may send it and when, its options, its URI, features of the
 * router. Then it is booked as if the session had asked: a request waits as a struct
 * pending, marked, and so is what it obtains. So whatever comes for it becomes an event
 * with `hand` set, and the rest of the session stays right.
 *
 * An id cannot be chosen: WAMP wants requests counted from 1 without a gap, and a router
 * may end a session over one that is not the next.
 *
 * Not known here: who reads the answers. */
#include <assert.h>
#include <inttypes.h>

#include "wamp/session_private.h"

uint64_t session_next_request(const struct session *s)
{
    return id_next(s->last_request);
}

/* ---- requests ---------------------------------------------------------------------- */

static int check_id(struct session *s, const struct msg *m)
{
    uint64_t next = session_next_request(s);

    if (m->request == next)
        return SESSION_OK;
    return session_refuse(s, SESSION_BAD_OPTION,
                          "%s: request id %" PRIu64 ", but the next one is %" PRIu64,
                          m->row->name, m->request, next);
}

/* Sends a request, whose answer is awaited if it has one. */
static int64_t ask(struct session *s, struct msg *m, bool answered)
{
    struct pending *p;
    int error = check_id(s, m);

    if (error)
        return error;
    if (answered && session_is_full(s))
        return SESSION_BUSY;
    error = session_send(s, m);
    if (error)
        return error;
    s->last_request = m->request;
    if (!answered)
        return 0;
    p = session_pend(s, m->row);
    p->hand = true;
    p->target = m->id;
    return (int64_t)p->id;
}

static int64_t request(struct session *s, struct msg *m)
{
    struct asked asked = { 0 };
    struct pending *part = session_call_of_part(s, m);
    int error = session_check(s, m, &asked);
    int64_t id;

    if (error)
        return error;
    if (part && part->hand) {
        error = session_send_part(s, part, m, !asked.parts);
        return error ? error : (int64_t)m->request;
    }
    id = ask(s, m, asked.acknowledge || m->row->code != MSG_PUBLISH);
    if (id > 0 && asked.parts)
        session_open_parts(map_get(&s->pending, (uint64_t)id), m);
    return id;
}

static int64_t unregister(struct session *s, struct msg *m)
{
    int64_t id;

    if (bits_get(map_get(&s->registrations, m->id)) != (HELD | BY_HAND))
        return session_refuse(s, SESSION_UNKNOWN,
                              "UNREGISTER: no registration %" PRIu64 " was made by hand",
                              m->id);
    id = ask(s, m, true);
    if (id > 0)
        map_put(&s->registrations, m->id, bits_put(HELD | LEAVING | BY_HAND));
    return id;
}

/* Ends a subscription that nobody but the app's hand has. Not while a SUBSCRIBE is under
 * way, which may be for the same topic (session_private.h). */
static int64_t unsubscribe(struct session *s, struct msg *m)
{
    struct subscription *sub = map_get(&s->subscriptions, m->id);
    int64_t id;

    if (!sub || !sub->hand)
        return session_refuse(s, SESSION_UNKNOWN,
                              "UNSUBSCRIBE: no subscription %" PRIu64 " was made by hand",
                              m->id);
    if (sub->hand != sub->handlers || s->subscribing)
        return session_refuse(
            s, SESSION_UNKNOWN, "UNSUBSCRIBE: subscription %" PRIu64 " has %s", m->id,
            s->subscribing ? "a SUBSCRIBE beside it under way" : "handlers besides");
    id = ask(s, m, true);
    if (id > 0)
        sub->handlers = sub->hand = 0;
    return id;
}

/* ---- what has no answer ------------------------------------------------------------ */

static int cancel(struct session *s, struct msg *m, const struct opts *o)
{
    struct pending *p = map_get(&s->pending, m->request);

    if (!p || !p->hand || p->row->code != MSG_CALL)
        return session_refuse(s, SESSION_UNKNOWN,
                              "CANCEL: no call %" PRIu64 " sent by hand is under way",
                              m->request);
    if (opt_has(o, OPT_MODE) && !session_is_mode(opt_text(o, OPT_MODE)))
        return session_refuse(s, SESSION_BAD_OPTION, "CANCEL: no such mode");
    if (!session_can_cancel(s))
        return session_refuse(s, SESSION_NO_FEATURE,
                              "the router did not announce call_canceling");
    session_close_parts(p);
    return session_send(s, m);
}

/* YIELD or ERROR for an invocation that came by hand. */
static int answer(struct session *s, struct msg *m, const struct opts *o)
{
    unsigned state = bits_get(map_get(&s->invocations, m->request));
    bool progress = m->row->code == MSG_YIELD && opt_is(o, OPT_PROGRESS, false);
    int error;

    if (!(state & BY_HAND))
        return session_refuse(s, SESSION_UNKNOWN,
                              "%s: no invocation %" PRIu64
                              " waits to be answered by hand",
                              m->row->name, m->request);
    if (progress && !(state & PROGRESSIVE))
        return session_refuse(s, SESSION_NO_FEATURE,
                              "the caller did not ask for progressive results");
    error = session_send(s, m);
    if (!error && !progress)
        map_del(&s->invocations, m->request);
    return error;
}

static int64_t dispatch(struct session *s, struct msg *m, const struct opts *o)
{
    switch (m->row->code) {
    case MSG_UNREGISTER:
        return unregister(s, m);
    case MSG_UNSUBSCRIBE:
        return unsubscribe(s, m);
    case MSG_CANCEL:
        return cancel(s, m, o);
    case MSG_YIELD:
    case MSG_ERROR:
        return answer(s, m, o);
    case MSG_GOODBYE:
    case MSG_ABORT:
        return session_depart(s, m);
    default:
        return request(s, m);
    }
}

/* ---- all of them ------------------------------------------------------------------- */

static int64_t send_checked(struct session *s, struct msg *m)
{
    struct opts o;
    struct fault f;
    int64_t result;

    if (!msg_allowed(m, FROM_CLIENT, session_grammar_state(s), &f) ||
        !opts_decode(&o, m, &f))
        return session_refuse(s, SESSION_BAD_OPTION, "%s", f.text);
    if (msg_uri_ok(m, &o, false, &f))
        result = dispatch(s, m, &o);
    else
        result = session_refuse(s, SESSION_BAD_URI, "%s", f.text);
    opts_fini(&o);
    return result;
}

int64_t session_hand(struct session *s, struct buf *message, uint64_t now)
{
    struct msg m;
    struct fault f;
    int64_t result;

    assert(!s->busy);
    s->now = now;
    if (s->state != SESSION_JOINED)
        return session_refuse(s, SESSION_NOT_JOINED, "not joined");
    if (!msg_decode(&m, s->wire, message, &f))
        return session_refuse(s, SESSION_BAD_OPTION, "%s", f.text);
    result = send_checked(s, &m);
    msg_fini(&m);
    return result;
}
