/* session_serve.c - what the router starts: EVENT, INVOCATION, INTERRUPT and revocations.
 *
 * A subscription counts its handlers; an EVENT becomes one event however many there are.
 * EVENTs for an id nobody knows are kept while some SUBSCRIBE is under way, because some
 * routers send them before SUBSCRIBED (WAMP: the order is the other way round), and
 * dropped otherwise.
 *
 * An invocation is open from INVOCATION until our last YIELD or ERROR, also when its
 * registration is gone by then.
 *
 * Not known here: who handles them. */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "wamp/session_private.h"

/* ---- subscriptions and their events ------------------------------------------------ */

static void deliver(struct session *s, const struct subscription *sub, struct msg *m)
{
    struct event *e = session_event(s, EVENT_EVENT);

    e->hand = sub->hand > 0;
    msg_move(&e->m, m);
}

static void keep_early(struct session *s, struct msg *m)
{
    if (s->early_count == LIMIT_EARLY_EVENTS || s->early_bytes >= s->max_message) {
        s->late++;
        return;
    }
    if (s->early_count == s->early_cap) {
        s->early_cap = s->early_cap ? s->early_cap * 2 : 8;
        s->early = xrealloc(s->early, s->early_cap * sizeof *s->early);
    }
    s->early_bytes += m->bytes->len;
    msg_move(&s->early[s->early_count++], m);
}

/* Delivers what was kept for a subscription, in the order in which it came. */
static void deliver_early(struct session *s, const struct subscription *sub)
{
    size_t left = 0;

    for (size_t i = 0; i < s->early_count; i++) {
        struct msg *m = &s->early[i];

        if (m->id == sub->id) {
            s->early_bytes -= m->bytes->len;
            deliver(s, sub, m);
        } else if (left++ != i) {
            msg_move(&s->early[left - 1], m);
        }
    }
    s->early_count = left;
}

static void drop_early(struct session *s)
{
    for (size_t i = 0; i < s->early_count; i++)
        msg_fini(&s->early[i]);
    s->late += s->early_count;
    s->early_count = s->early_bytes = 0;
}

void session_on_event(struct session *s, struct msg *m)
{
    const struct subscription *sub = map_get(&s->subscriptions, m->id);

    if (sub && sub->handlers)
        deliver(s, sub, m);
    else if (!sub && s->subscribing)
        keep_early(s, m);
    else
        s->late++;
}

static struct subscription *subscription_new(struct session *s, uint64_t id)
{
    struct subscription *sub = xcalloc(1, sizeof *sub);

    sub->id = id;
    list_push(&s->idle, &sub->node);
    map_put(&s->subscriptions, id, sub);
    return sub;
}

static void subscription_free(struct session *s, struct subscription *sub)
{
    map_del(&s->subscriptions, sub->id);
    list_remove(&sub->node);
    free(sub);
}

void session_on_subscribed(struct session *s, uint64_t id, bool wanted, bool hand)
{
    struct subscription *sub = map_get(&s->subscriptions, id);

    if (!sub)
        sub = subscription_new(s, id);
    if (!wanted)
        return;
    sub->handlers++;
    sub->hand += hand;
    list_remove(&sub->node);
    deliver_early(s, sub);
}

void session_on_subscribing_done(struct session *s)
{
    struct list *node;

    drop_early(s);
    if (s->state != SESSION_JOINED)
        return;
    while ((node = list_pop(&s->idle)))
        session_give_up(s, MSG_UNSUBSCRIBE,
                        list_entry(node, struct subscription, node)->id, NULL, true);
}

void session_forget_subscription(struct session *s, uint64_t id)
{
    struct subscription *sub = map_get(&s->subscriptions, id);

    if (sub && !sub->handlers)
        subscription_free(s, sub);
}

/* ---- revocations ------------------------------------------------------------------- */

/* Forgets what the router takes away: HELD if we held it, BY_HAND if by hand. */
static unsigned forget_revoked(struct session *s, enum event_kind kind, uint64_t id)
{
    struct subscription *sub;
    unsigned held;

    if (kind == EVENT_UNREGISTERED)
        return bits_get(map_del(&s->registrations, id));
    sub = map_get(&s->subscriptions, id);
    if (!sub)
        return 0;
    held = (sub->handlers ? HELD : 0) | (sub->hand ? BY_HAND : 0);
    subscription_free(s, sub);
    return held;
}

static void revoke(struct session *s, struct msg *m, const struct opts *o)
{
    bool topic = m->row->code == MSG_UNSUBSCRIBED;
    enum event_kind kind = topic ? EVENT_UNSUBSCRIBED : EVENT_UNREGISTERED;
    int64_t id = opt_int(o, topic ? OPT_SUBSCRIPTION : OPT_REGISTRATION);
    struct slice reason = opt_text(o, OPT_REASON);
    struct event *e;
    struct fault f;
    unsigned held;

    if (!id_ok(id)) {
        fault_set(&f, "wamp.error.protocol_violation", "%s revokes without an id",
                  m->row->name);
        session_violated(s, &f);
        return;
    }
    held = forget_revoked(s, kind, (uint64_t)id);
    if (!held) {
        s->late++;
    } else {
        e = session_event(s, kind);
        e->hand = held & BY_HAND;
        e->reason = reason.p ? xstrndup(reason.p, reason.n) : NULL;
        msg_move(&e->m, m);
        e->m.id = (uint64_t)id;
    }
}

void session_on_revoked(struct session *s, struct msg *m)
{
    struct opts o;
    struct fault f;

    if (!opts_decode(&o, m, &f)) {
        session_violated(s, &f);
        return;
    }
    revoke(s, m, &o);
    opts_fini(&o);
}

/* ---- invocations ------------------------------------------------------------------- */

/* Queues YIELD or ERROR for an invocation. */
static int answer(struct session *s, struct msg *m, enum msg_code code,
                  uint64_t invocation)
{
    m->row = msg_row(code);
    m->wire = s->wire;
    m->request = invocation;
    m->type = MSG_INVOCATION;
    return session_send(s, m);
}

/* The same with the app's own options, which may be wrong. */
static int answer_checked(struct session *s, struct msg *m, enum msg_code code,
                          uint64_t invocation)
{
    struct asked unused;
    int error = SESSION_OK;

    m->row = msg_row(code);
    if (m->dict.p)
        error = session_check(s, m, &unused);
    return error ? error : answer(s, m, code, invocation);
}

static void reject(struct session *s, uint64_t invocation, struct slice uri)
{
    struct msg m = { .uri = uri };

    answer(s, &m, MSG_ERROR, invocation);
}

/* False with `f` filled for bad details. */
static bool read_details(const struct msg *m, struct wishes *w, struct fault *f)
{
    struct opts o;

    if (!opts_decode(&o, m, f))
        return false;
    w->progressive = opt_is(&o, OPT_RECEIVE_PROGRESS, false);
    w->parts = opt_is(&o, OPT_PROGRESS, false);
    w->timeout = (uint64_t)opt_int(&o, OPT_TIMEOUT);
    opts_fini(&o);
    return true;
}

/* Opens an invocation, for its registration's BY_HAND or 0. */
static void open_invocation(struct session *s, uint64_t id, unsigned hand,
                            const struct wishes *w)
{
    unsigned state = HELD | hand | (w->progressive ? PROGRESSIVE : 0);

    map_put(&s->invocations, id, bits_put(state | (w->parts ? IN_PARTS : 0)));
}

/* An INVOCATION for one that is not open. */
static void begin(struct session *s, struct msg *m, const struct wishes *w)
{
    unsigned held = bits_get(map_get(&s->registrations, m->id));
    struct event *e;

    if (session_is_late_part(s, m, w)) {
        s->late++;
    } else if (!held) {
        reject(s, m->request, SLICE("wamp.error.no_such_registration"));
    } else if (s->invocations.count >= LIMIT_PENDING) {
        reject(s, m->request, SLICE("wamp.error.unavailable"));
    } else {
        open_invocation(s, m->request, held & BY_HAND, w);
        e = session_event(s, EVENT_INVOCATION);
        e->hand = held & BY_HAND;
        e->progress = w->parts;
        e->timeout = w->timeout;
        msg_move(&e->m, m);
    }
}

void session_on_invocation(struct session *s, struct msg *m)
{
    unsigned state = bits_get(map_get(&s->invocations, m->request));
    struct wishes w;
    struct fault f;

    if (!read_details(m, &w, &f)) {
        session_violated(s, &f);
    } else if (!state) {
        begin(s, m, &w);
    } else if (!session_on_part(s, m, state, &w)) {
        fault_set(&f, "wamp.error.protocol_violation", "INVOCATION %llu is still open",
                  (unsigned long long)m->request);
        session_violated(s, &f);
    }
}

void session_adopt(struct session *s, const struct msg *invocation)
{
    struct fault f;
    struct wishes w = { 0 };

    if (s->state != SESSION_JOINED || s->invocations.count >= LIMIT_PENDING ||
        map_get(&s->invocations, invocation->request))
        return;
    read_details(invocation, &w, &f);
    if (!session_is_late_part(s, invocation, &w))
        open_invocation(s, invocation->request, BY_HAND, &w);
}

void session_on_interrupt(struct session *s, struct msg *m)
{
    unsigned state = bits_get(map_get(&s->invocations, m->request));
    struct event *e;

    if (!state) {
        s->late++;
        return;
    }
    e = session_event(s, EVENT_INTERRUPT);
    e->hand = state & BY_HAND;
    msg_move(&e->m, m);
}

/* The state of an open invocation, 0 when it is over. */
static unsigned invocation_state(struct session *s, uint64_t invocation)
{
    unsigned state = bits_get(map_get(&s->invocations, invocation));

    assert(!s->busy);
    if (state && s->state == SESSION_JOINED)
        return state;
    session_refuse(s, SESSION_UNKNOWN, "the invocation is over");
    return 0;
}

int session_yield(struct session *s, uint64_t invocation, bool progress,
                  const struct answer *a)
{
    struct msg m = {
        .wire = s->wire, .dict = a->options, .args = a->args, .kwargs = a->kwargs
    };
    unsigned state = invocation_state(s, invocation);
    int error;

    if (!state)
        return SESSION_UNKNOWN;
    if (progress && !(state & PROGRESSIVE))
        return session_refuse(s, SESSION_NO_FEATURE,
                              "the caller did not ask for progressive results");
    if (progress && !m.dict.p) {
        m.dict = slice_buf(s->progress);
        return answer(s, &m, MSG_YIELD, invocation);
    }
    error = answer_checked(s, &m, MSG_YIELD, invocation);
    if (!error && !progress)
        map_del(&s->invocations, invocation);
    return error;
}

int session_fail(struct session *s, uint64_t invocation, struct slice uri,
                 const struct answer *a)
{
    struct msg m = { .wire = s->wire,
                     .uri = uri,
                     .dict = a->options,
                     .args = a->args,
                     .kwargs = a->kwargs };
    int error;

    if (!invocation_state(s, invocation))
        return SESSION_UNKNOWN;
    if (!uri_ok(uri, MATCH_EXACT, false) || !utf8_ok(uri))
        return session_refuse(s, SESSION_BAD_URI, "ERROR: invalid URI");
    error = answer_checked(s, &m, MSG_ERROR, invocation);
    if (!error)
        map_del(&s->invocations, invocation);
    return error;
}

/* ---- the end ----------------------------------------------------------------------- */

/* The router would tell the callers, too; but Crossbar.io (26.10) keeps a registration
 * for ever when its callee leaves while one of them is closing. */
void session_decline_open(struct session *s)
{
    size_t at = 0;
    uint64_t id;
    struct writer w;

    writer_init(&w, s->wire, 32);
    writer_list(&w, 1);
    writer_string(&w, SLICE("the callee left"));
    writer_list_end(&w);
    while (map_next(&s->invocations, &at, &id, NULL)) {
        struct msg m = { .uri = SLICE("wamp.error.canceled"), .args = slice_buf(w.buf) };

        answer(s, &m, MSG_ERROR, id);
    }
    writer_fini(&w);
}

void session_serve_nothing(struct session *s)
{
    struct subscription *sub;
    size_t at = 0;

    while ((sub = map_next(&s->subscriptions, &at, NULL, NULL)))
        free(sub);
    list_init(&s->idle);
    map_fini(&s->subscriptions);
    map_fini(&s->registrations);
    map_fini(&s->invocations);
    free(s->early); /* empty since the last SUBSCRIBE ended */
    s->early = NULL;
    s->early_cap = 0;
}
