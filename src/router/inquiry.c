/* inquiry.c - what others decide for the router: who somebody is (attempt.c), and what he
 * may do (authorize.c).
 *
 * An inquiry is a list of arguments and somebody who waits. It goes to a procedure in the
 * realm, or to the code above the router; whoever it is gets the same arguments and may
 * give the same answers. It ends once: with the answer, with an error in its place, or
 * after LIMIT_DECISION_MS.
 *
 * Procedures are called by a session of the router's own, one in each realm where any is
 * called. It is a member that nobody sees, and its peer is a transport that leads back
 * here: what the dealer sends it is taken out of the queue of outputs (router_next_out),
 * when no step is under way. So a call of the router is a call like any other. Not known
 * here: what an answer means. */
#include <stdlib.h>

#include "base/mem.h"
#include "router/private.h"

struct inquiry {
    struct asking about;
    bool who;         /* about an attempt to join */
    uint64_t id;      /* in `book` */
    struct map *book; /* where it is found: inquiries.asked, or a service's */
    struct buf *args; /* owned; JSON; NULL once it has been handed out */
    struct list link; /* in inquiries.questions, or not */
    struct timer timer;
};

struct service {
    struct peer *peer;      /* owned; its member, too */
    struct role_rules role; /* allowed everything */
    struct map calls;       /* id of a CALL -> owned inquiry */
};

/* ---- the router's own session ------------------------------------------------------ */

static struct service *service_new(struct realm *realm)
{
    static char name[] = "router";
    struct service *s = xcalloc(1, sizeof *s);
    const struct identity who = { .role = &s->role,
                                  .authid = name,
                                  .authmethod = "internal",
                                  .authprovider = "static",
                                  .session = realm_free_id(realm) };

    s->role = (struct role_rules){ .name = name, .all = true };
    s->peer = peer_new(realm->router, &wire_json, s);
    s->peer->service = true;
    s->peer->state = STATE_JOINED;
    s->peer->member = member_new(s->peer, realm, &who);
    return s;
}

void service_free(struct service *s)
{
    if (!s)
        return;
    call_leave(s->peer->member);
    member_free(s->peer->member);
    output_forget(s->peer);
    map_fini(&s->calls);
    free(s->peer);
    free(s);
}

static void service_say(struct service *s, const struct msg *m)
{
    struct buf *bytes = msg_encode(m, &wire_json);

    peer_feed(s->peer, bytes);
    buf_unref(bytes);
}

static void service_call(struct inquiry *q)
{
    struct realm *realm = q->about.realm;
    struct msg call = { .row = msg_row(MSG_CALL), .wire = &wire_json };

    if (!realm->service)
        realm->service = service_new(realm);
    q->book = &realm->service->calls;
    q->id = call.request = id_next(realm->service->peer->member->last_request);
    map_put(q->book, q->id, q);
    call.uri = slice_of(q->about.whom);
    call.args = slice_buf(q->args);
    service_say(realm->service, &call);
    buf_unref(q->args);
    q->args = NULL;
}

/* The callee may still be at it. Nothing is to cancel when it was he who answered. */
static void service_cancel(const struct inquiry *q)
{
    struct msg cancel = { .row = msg_row(MSG_CANCEL),
                          .wire = &wire_json,
                          .request = q->id,
                          .dict = SLICE("{\"mode\":\"killnowait\"}") };

    service_say(q->about.realm->service, &cancel);
}

/* ---- life -------------------------------------------------------------------------- */

void inquiries_init(struct inquiries *qs)
{
    list_init(&qs->questions);
}

void inquiries_fini(struct inquiries *qs)
{
    map_fini(&qs->asked);
    heap_fini(&qs->deadlines);
}

static struct inquiries *inquiries_of(const struct inquiry *q)
{
    return &q->about.realm->router->inquiries;
}

static void ask_above(struct inquiry *q)
{
    struct inquiries *qs = inquiries_of(q);

    q->book = &qs->asked;
    q->id = ++qs->last_id;
    map_put(q->book, q->id, q);
    list_push(&qs->questions, &q->link);
}

struct inquiry *inquiry_new(const struct asking *a, struct buf *args)
{
    struct inquiry *q = xcalloc(1, sizeof *q);
    struct router *r = a->realm->router;

    q->about = *a;
    q->who = !a->peer->member;
    q->args = args;
    list_init(&q->link);
    if (*a->whom)
        service_call(q);
    else
        ask_above(q);
    heap_set(&r->inquiries.deadlines, &q->timer, r->now + LIMIT_DECISION_MS);
    return q;
}

static void inquiry_free(struct inquiry *q)
{
    map_del(q->book, q->id);
    heap_clear(&inquiries_of(q)->deadlines, &q->timer);
    list_remove(&q->link);
    buf_unref(q->args);
    free(q);
}

void inquiry_drop(struct inquiry *q)
{
    if (!q)
        return;
    if (*q->about.whom)
        service_cancel(q);
    inquiry_free(q);
}

/* Ends it before anybody hears of it: who gets the answer may ask the next. */
static void settle(struct inquiry *q, const struct wire *wire, struct slice answer)
{
    struct peer *p = q->about.peer;
    bool who = q->who;

    inquiry_free(q);
    if (who)
        peer_identified(p, wire, answer);
    else
        authorize_decided(p, wire, answer);
}

struct inquiry *inquiry_of(struct timer *t)
{
    return timer_entry(t, struct inquiry, timer);
}

void inquiry_expire(struct inquiry *q)
{
    if (*q->about.whom)
        service_cancel(q);
    settle(q, &wire_json, (struct slice){ 0 });
}

/* ---- answers ----------------------------------------------------------------------- */

/* The first argument of a result; absent when there is none. */
static struct slice first_of(const struct msg *result)
{
    struct slice value = { 0 };
    struct reader r;

    if (!result->args.p || result->opaque)
        return value;
    reader_init(&r, result->wire, result->args);
    reader_next(&r);
    return reader_skip(&r, &value) ? value : (struct slice){ 0 };
}

/* RESULT or ERROR of a call; it may have been given up meanwhile. */
void service_receive(struct peer *p, struct buf *bytes)
{
    struct service *s = p->user;
    struct inquiry *q;
    struct fault f;
    struct msg m;

    if (bytes && msg_decode(&m, &wire_json, bytes, &f)) {
        q = map_get(&s->calls, m.request);
        if (q)
            settle(q, &wire_json,
                   m.row->code == MSG_RESULT ? first_of(&m) : (struct slice){ 0 });
        msg_fini(&m);
    }
    buf_unref(bytes);
}

bool router_next_question(struct router *r, struct question *out)
{
    struct list *node = list_pop(&r->inquiries.questions);
    struct inquiry *q;

    if (!node)
        return false;
    q = list_entry(node, struct inquiry, link);
    *out = (struct question){ .id = q->id, .who = q->who, .args = q->args };
    q->args = NULL;
    return true;
}

void router_answer(struct router *r, uint64_t id, struct slice json, uint64_t now)
{
    struct inquiry *q = map_get(&r->inquiries.asked, id);

    r->now = now;
    if (q)
        settle(q, &wire_json, json);
}

void inquiry_transport(const struct peer *p, struct writer *w)
{
    writer_key(w, SLICE("transport"));
    writer_dict(w, 2);
    writer_key(w, SLICE("channel_serializer"));
    writer_string(w, slice_of(p->wire->name));
    writer_key(w, SLICE("peer"));
    if (p->address)
        writer_string(w, slice_of(p->address));
    else
        writer_null(w);
    writer_dict_end(w);
}
