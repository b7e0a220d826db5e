/* session_ask.c - the requests of a session: sent, answered, timed out, cancelled,
 * forgotten.
 *
 * Every request takes the next id and waits as a struct pending until its answer comes,
 * its timer runs out, or the session ends: whichever is first settles it with one event,
 * and only one. What comes for an id that nobody waits for any more is late: counted and
 * dropped.
 *
 * A SUBSCRIBE or REGISTER that nobody waits for any more still has its answer coming, and
 * with it a subscription or registration that nobody wants. So it stays, forgotten, until
 * the answer says what to give back.
 *
 * Not known here: the subscriptions and invocations themselves (session_serve.c). */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "wamp/session_private.h"

/* ---- pending requests -------------------------------------------------------------- */

bool session_is_full(struct session *s)
{
    if (s->pending.count < LIMIT_PENDING)
        return false;
    session_refuse(s, SESSION_BUSY, "%d requests are under way", LIMIT_PENDING);
    return true;
}

struct pending *session_pend(struct session *s, const struct msg_row *row)
{
    struct pending *p = xcalloc(1, sizeof *p);

    p->row = row;
    p->id = s->last_request;
    map_put(&s->pending, p->id, p);
    list_push(&s->asked, &p->node);
    s->subscribing += row->code == MSG_SUBSCRIBE;
    return p;
}

static void pending_free(struct session *s, struct pending *p)
{
    map_del(&s->pending, p->id);
    list_remove(&p->node);
    heap_clear(&s->timers, &p->timer);
    session_close_parts(p);
    if (p->row->code == MSG_SUBSCRIBE && --s->subscribing == 0)
        session_on_subscribing_done(s);
    free(p);
}

void session_start_timer(struct session *s, struct pending *p)
{
    if (p->timeout)
        heap_set(&s->timers, &p->timer, session_after(s, p->timeout));
}

static struct pending *find_call(const struct session *s, uint64_t id)
{
    struct pending *p = map_get(&s->pending, id);

    return p && p->row->code == MSG_CALL ? p : NULL;
}

/* The event that tells the app about `p`, to be filled in; NULL when nobody waits. */
static struct event *tell(struct session *s, const struct pending *p,
                          enum event_kind kind)
{
    struct event *e;

    if (p->forgotten)
        return NULL;
    e = session_event(s, kind);
    e->request = p->id;
    e->tag = p->tag;
    e->hand = p->hand;
    return e;
}

static void tell_error(struct session *s, const struct pending *p,
                       enum session_error error)
{
    struct event *e = tell(s, p, EVENT_ERROR);

    if (e)
        e->error = error;
}

/* Tells with the answer `m`, which is moved to the event. */
static struct event *tell_answer(struct session *s, const struct pending *p,
                                 enum event_kind kind, struct msg *m)
{
    struct event *e = tell(s, p, kind);

    if (e)
        msg_move(&e->m, m);
    else
        s->late++;
    return e;
}

void session_drop_pending(struct session *s)
{
    struct list *node;

    while ((node = list_pop(&s->asked)))
        pending_free(s, list_entry(node, struct pending, node));
    map_fini(&s->pending);
}

void session_lose_pending(struct session *s)
{
    struct list *node, *tmp;

    list_each (node, tmp, &s->asked)
        tell_error(s, list_entry(node, struct pending, node), SESSION_LOST);
    session_drop_pending(s);
}

/* ---- sending ----------------------------------------------------------------------- */

/* Sends `m` under the next request id. The id is used up only if it went out. */
static int send_next(struct session *s, struct msg *m)
{
    int error;

    m->request = id_next(s->last_request);
    error = session_send(s, m);
    if (!error)
        s->last_request = m->request;
    return error;
}

static int64_t ask(struct session *s, enum msg_code code, const struct request *q,
                   uint64_t now)
{
    struct msg m = { .row = msg_row(code),
                     .wire = s->wire,
                     .uri = q->uri,
                     .dict = q->options,
                     .args = q->args,
                     .kwargs = q->kwargs };
    struct pending *p;
    struct asked asked;
    int error;

    assert(!s->busy);
    s->now = now;
    error = session_check(s, &m, &asked);
    if (error)
        return error;
    if (code == MSG_PUBLISH && !asked.acknowledge)
        return send_next(s, &m);
    if (session_is_full(s))
        return SESSION_BUSY;
    error = send_next(s, &m);
    if (error)
        return error;
    p = session_pend(s, m.row);
    p->tag = q->tag;
    p->timeout = q->timeout;
    session_start_timer(s, p);
    if (asked.parts)
        session_open_parts(p, &m);
    return (int64_t)p->id;
}

int64_t session_call(struct session *s, const struct request *q, uint64_t now)
{
    return ask(s, MSG_CALL, q, now);
}

int64_t session_publish(struct session *s, const struct request *q, uint64_t now)
{
    return ask(s, MSG_PUBLISH, q, now);
}

int64_t session_register(struct session *s, const struct request *q, uint64_t now)
{
    return ask(s, MSG_REGISTER, q, now);
}

int64_t session_subscribe(struct session *s, const struct request *q, uint64_t now)
{
    return ask(s, MSG_SUBSCRIBE, q, now);
}

int64_t session_give_up(struct session *s, enum msg_code code, uint64_t target, void *tag,
                        bool forgotten)
{
    struct msg m = { .row = msg_row(code), .wire = s->wire, .id = target };
    struct pending *p;
    int error = send_next(s, &m);

    if (error)
        return error;
    p = session_pend(s, m.row);
    p->tag = tag;
    p->target = target;
    p->forgotten = forgotten;
    return (int64_t)p->id;
}

int64_t session_unregister(struct session *s, uint64_t registration, void *tag,
                           uint64_t now)
{
    assert(!s->busy);
    s->now = now;
    if (s->state != SESSION_JOINED)
        return session_refuse(s, SESSION_NOT_JOINED, "not joined");
    if (bits_get(map_get(&s->registrations, registration)) != HELD)
        return session_refuse(s, SESSION_UNKNOWN, "no such registration");
    if (session_is_full(s))
        return SESSION_BUSY;
    map_put(&s->registrations, registration, bits_put(HELD | LEAVING));
    return session_give_up(s, MSG_UNREGISTER, registration, tag, false);
}

int64_t session_unsubscribe(struct session *s, uint64_t subscription, void *tag,
                            uint64_t now)
{
    struct subscription *sub = map_get(&s->subscriptions, subscription);

    assert(!s->busy);
    s->now = now;
    if (s->state != SESSION_JOINED)
        return session_refuse(s, SESSION_NOT_JOINED, "not joined");
    if (!sub || !sub->handlers)
        return session_refuse(s, SESSION_UNKNOWN, "no such subscription");
    if (sub->handlers == 1 && !s->subscribing && session_is_full(s))
        return SESSION_BUSY;
    if (--sub->handlers)
        return 0;
    if (!s->subscribing)
        return session_give_up(s, MSG_UNSUBSCRIBE, subscription, tag, false);
    list_push(&s->idle, &sub->node);
    return 0;
}

/* ---- answers ----------------------------------------------------------------------- */

/* Whether more will follow a RESULT; false with `f` filled for bad details. Nearly all
 * that say so say nothing else, and as we would: streams are long. */
static bool read_progress(const struct session *s, const struct msg *m, bool *progress,
                          struct fault *f)
{
    struct opts o;

    *progress = slice_eq(m->dict, slice_buf(s->progress));
    if (*progress)
        return true;
    if (!opts_decode(&o, m, f))
        return false;
    *progress = opt_is(&o, OPT_PROGRESS, false);
    opts_fini(&o);
    return true;
}

/* RESULT. More may follow it; every other answer is the last one. */
static void on_result(struct session *s, struct pending *p, struct msg *m)
{
    struct fault f;
    struct event *e;
    bool progress;

    if (!read_progress(s, m, &progress, &f)) {
        session_violated(s, &f);
        return;
    }
    e = tell_answer(s, p, EVENT_RESULT, m);
    if (e)
        e->progress = progress;
    if (progress)
        session_start_timer(s, p);
    else
        pending_free(s, p);
}

static void on_registered(struct session *s, struct pending *p, struct msg *m)
{
    uint64_t id = m->id;

    if (tell_answer(s, p, EVENT_REGISTERED, m))
        map_put(&s->registrations, id, bits_put(p->hand ? HELD | BY_HAND : HELD));
    else if (!map_get(&s->registrations, id))
        session_give_up(s, MSG_UNREGISTER, id, NULL, true);
    pending_free(s, p);
}

static void on_subscribed(struct session *s, struct pending *p, struct msg *m)
{
    uint64_t id = m->id;

    session_on_subscribed(s, id, tell_answer(s, p, EVENT_SUBSCRIBED, m) != NULL, p->hand);
    pending_free(s, p);
}

/* What an UNREGISTER or UNSUBSCRIBE asked for is done, or cannot be done. */
static void gave_up(struct session *s, const struct pending *p, bool done)
{
    if (p->row->code == MSG_UNSUBSCRIBE)
        session_forget_subscription(s, p->target);
    else if (done)
        map_del(&s->registrations, p->target);
    else if (map_get(&s->registrations, p->target))
        map_put(&s->registrations, p->target, bits_put(p->hand ? HELD | BY_HAND : HELD));
}

static void on_answer(struct session *s, struct pending *p, struct msg *m)
{
    switch (m->row->code) {
    case MSG_RESULT:
        on_result(s, p, m);
        return;
    case MSG_REGISTERED:
        on_registered(s, p, m);
        return;
    case MSG_SUBSCRIBED:
        on_subscribed(s, p, m);
        return;
    case MSG_UNREGISTERED:
        tell_answer(s, p, EVENT_UNREGISTERED, m);
        gave_up(s, p, true);
        break;
    case MSG_UNSUBSCRIBED:
        tell_answer(s, p, EVENT_UNSUBSCRIBED, m);
        gave_up(s, p, true);
        break;
    default:
        tell_answer(s, p, EVENT_PUBLISHED, m);
        break;
    }
    pending_free(s, p);
}

static void on_error(struct session *s, struct pending *p, struct msg *m)
{
    bool gone = slice_is(m->uri, "wamp.error.no_such_registration");

    if (p->target)
        gave_up(s, p, gone);
    tell_answer(s, p, EVENT_ERROR, m);
    pending_free(s, p);
}

/* Whether `m` can be the answer to `p`. */
static bool fits(const struct pending *p, const struct msg *m, struct fault *f)
{
    bool error = m->row->code == MSG_ERROR;

    if (error ? m->type == (int)p->row->code : p->row->answer == (int)m->row->code)
        return true;
    fault_set(f, "wamp.error.protocol_violation", "%s%s%s does not answer %s %llu",
              m->row->name, error ? " for " : "", error ? msg_name(m->type) : "",
              p->row->name, (unsigned long long)m->request);
    return false;
}

void session_on_answer(struct session *s, struct msg *m)
{
    bool error = m->row->code == MSG_ERROR;
    struct pending *p;
    struct fault f;

    if (!error && !m->request) {
        session_on_revoked(s, m);
        return;
    }
    p = map_get(&s->pending, m->request);
    if (!p)
        s->late++;
    else if (!fits(p, m, &f))
        session_violated(s, &f);
    else if (error)
        on_error(s, p, m);
    else
        on_answer(s, p, m);
}

/* ---- time-outs, cancelling, forgetting --------------------------------------------- */

bool session_can_cancel(const struct session *s)
{
    return s->state == SESSION_JOINED &&
           roles_can(&s->router, ROLE_DEALER, FEATURE_CALL_CANCELING);
}

static void send_cancel(struct session *s, uint64_t call, const char *mode)
{
    struct msg m = { .row = msg_row(MSG_CANCEL), .wire = s->wire, .request = call };
    struct writer w;

    writer_init(&w, s->wire, 32);
    writer_dict(&w, mode ? 1 : 0);
    if (mode) {
        writer_key(&w, SLICE("mode"));
        writer_string(&w, slice_of(mode));
    }
    writer_dict_end(&w);
    m.dict = slice_buf(w.buf);
    session_send(s, &m);
    writer_fini(&w);
}

void session_on_timer(struct session *s, struct timer *t)
{
    struct pending *p = timer_entry(t, struct pending, timer);
    enum msg_code code = p->row->code;

    if (code == MSG_CALL && session_can_cancel(s))
        send_cancel(s, p->id, "killnowait");
    tell_error(s, p, SESSION_TIMEOUT);
    if (code == MSG_SUBSCRIBE || code == MSG_REGISTER)
        p->forgotten = true;
    else
        pending_free(s, p);
}

bool session_is_mode(struct slice mode)
{
    return slice_is(mode, "skip") || slice_is(mode, "kill") ||
           slice_is(mode, "killnowait");
}

int session_cancel(struct session *s, uint64_t call, const char *mode, uint64_t now)
{
    struct pending *p = find_call(s, call);
    struct event *e;

    assert(!s->busy);
    s->now = now;
    if (!p)
        return session_refuse(s, SESSION_UNKNOWN, "no such call");
    if (mode && !session_is_mode(slice_of(mode)))
        return session_refuse(s, SESSION_BAD_OPTION, "no such cancel mode");
    session_close_parts(p);
    if (session_can_cancel(s)) {
        send_cancel(s, call, mode);
        if (slice_is(slice_of(mode), "kill"))
            return SESSION_OK;
    }
    e = tell(s, p, EVENT_ERROR);
    if (e)
        e->reason = xstrdup("wamp.error.canceled");
    pending_free(s, p);
    return SESSION_OK;
}

void session_forget(struct session *s, uint64_t request)
{
    struct pending *p = map_get(&s->pending, request);

    if (p)
        p->forgotten = true;
    session_forget_events(s, request); /* or it was answered already */
}
