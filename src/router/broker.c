/* broker.c - topics: who subscribed to what, and events to them (WAMP: publish and
 * subscribe).
 *
 * One subscription a pattern and policy, shared by all its subscribers, gone with the
 * last. An event is encoded once a subscription, and every subscriber gets a reference
 * on the same bytes; so all that an EVENT says must be true for all of them. */
#include <stdlib.h>

#include "base/mem.h"
#include "router/private.h"

struct subscription {
    struct pattern pattern; /* first: the index finds it by this */
    struct realm *realm;    /* borrowed */
    uint64_t id;
    struct list subscribers;
};

struct subscriber {
    struct subscription *subscription;
    struct member *member;
    struct list link; /* in subscription.subscribers */
};

/* ---- subscriptions ----------------------------------------------------------------- */

static struct subscription *subscription_new(struct realm *realm, struct slice uri,
                                             enum uri_match match)
{
    struct subscription *s = xcalloc(1, sizeof *s);

    pattern_init(&s->pattern, uri, match);
    s->realm = realm;
    s->id = realm->router->last_id = id_next(realm->router->last_id);
    list_init(&s->subscribers);
    patterns_add(&realm->topics, &s->pattern);
    realm->router->stats.subscriptions++;
    return s;
}

static void subscription_free(struct subscription *s)
{
    patterns_remove(&s->realm->topics, &s->pattern);
    pattern_fini(&s->pattern);
    s->realm->router->stats.subscriptions--;
    free(s);
}

static void subscriber_add(struct member *m, struct subscription *s)
{
    struct subscriber *sub = xcalloc(1, sizeof *sub);

    sub->subscription = s;
    sub->member = m;
    list_push(&s->subscribers, &sub->link);
    map_put(&m->subscriptions, s->id, sub);
}

/* The member's map has let go of it already. */
static void subscriber_free(struct subscriber *sub)
{
    struct subscription *s = sub->subscription;

    list_remove(&sub->link);
    free(sub);
    if (list_empty(&s->subscribers))
        subscription_free(s);
}

static void answer(struct member *m, enum msg_code code, const struct msg *request,
                   uint64_t id)
{
    struct msg a = {
        .row = msg_row(code), .wire = m->peer->wire, .request = request->request, .id = id
    };

    member_send(m, &a);
}

void broker_subscribe(struct member *m, struct msg *message, const struct opts *o)
{
    struct subscription *s;
    enum uri_match match;
    struct fault f;

    if (!member_may(m, message, o, ALLOW_SUBSCRIBE, &f)) {
        member_error(m, MSG_SUBSCRIBE, message->request, &f);
        return;
    }
    match = opt_match(o);
    s = (struct subscription *)patterns_get(&m->realm->topics, message->uri, match);
    if (!s || !map_get(&m->subscriptions, s->id)) {
        if (m->subscriptions.count >= LIMIT_SUBSCRIPTIONS) {
            fault_set(&f, "wamp.error.unavailable", "too many subscriptions");
            member_error(m, MSG_SUBSCRIBE, message->request, &f);
            return;
        }
        if (!s)
            s = subscription_new(m->realm, message->uri, match);
        subscriber_add(m, s);
    }
    answer(m, MSG_SUBSCRIBED, message, s->id);
}

void broker_unsubscribe(struct member *m, struct msg *message)
{
    struct subscriber *sub = map_del(&m->subscriptions, message->id);
    struct fault f;

    if (!sub) {
        fault_set(&f, "wamp.error.no_such_subscription", "not subscribed");
        member_error(m, MSG_UNSUBSCRIBE, message->request, &f);
        return;
    }
    subscriber_free(sub);
    answer(m, MSG_UNSUBSCRIBED, message, 0);
}

void broker_leave(struct member *m)
{
    struct subscriber *sub;
    size_t at = 0;

    while ((sub = map_next(&m->subscriptions, &at, NULL, NULL)))
        subscriber_free(sub);
    map_fini(&m->subscriptions);
}

/* ---- events ------------------------------------------------------------------------ */

struct publication {
    uint64_t id;
    struct member *publisher;
    const struct msg *message;
    const struct opts *o;
    struct filter filter;
    const struct role_rules *role; /* asked last whether it may have the topic */
    bool allowed;                  /* and the answer */
};

static struct buf *event_encode(const struct publication *p, const struct subscription *s,
                                const struct wire *wire)
{
    struct details d = { 0 };
    struct buf *details, *bytes;
    struct msg e = { .row = msg_row(MSG_EVENT), .id = s->id, .publication = p->id };

    if (s->pattern.match != MATCH_EXACT)
        details_text(&d, OPT_TOPIC, p->message->uri);
    if (opt_is(p->o, OPT_DISCLOSE_ME, false))
        details_publisher(&d, p->publisher);
    details_passthru(&d, p->o);
    details = details_encode(&d, wire);
    if (details)
        e.dict = slice_buf(details);
    payload_carry(&e, p->message, wire);
    bytes = msg_encode(&e, wire);
    buf_unref(details);
    return bytes;
}

/* A pattern was allowed as a whole; a more specific permission may still take single
 * topics out of it. Neighbours in the list have the same role, mostly. */
static bool role_receives(struct publication *p, const struct role_rules *role)
{
    if (p->role != role) {
        p->role = role;
        p->allowed = role_allows(role, ALLOW_SUBSCRIBE, p->message->uri, MATCH_EXACT);
    }
    return p->allowed;
}

static bool receives(struct publication *p, const struct subscription *s,
                     const struct member *m)
{
    if (m == p->publisher && opt_is(p->o, OPT_EXCLUDE_ME, true))
        return false;
    if (!filter_passes(&p->filter, m))
        return false;
    return s->pattern.match == MATCH_EXACT || role_receives(p, m->role);
}

static void deliver(struct publication *p, const struct subscription *s)
{
    const struct wire *wire = NULL; /* of bytes */
    struct buf *bytes = NULL;
    struct list *node, *tmp;

    list_each (node, tmp, &s->subscribers) {
        struct member *m = list_entry(node, struct subscriber, link)->member;

        if (!receives(p, s, m))
            continue;
        if (m->peer->wire != wire) {
            buf_unref(bytes);
            wire = m->peer->wire;
            bytes = event_encode(p, s, wire);
        }
        output_push(m->peer, OUTPUT_EVENT, buf_ref(bytes));
    }
    buf_unref(bytes);
}

static void acknowledge(const struct publication *p)
{
    struct msg a = { .row = msg_row(MSG_PUBLISHED),
                     .wire = p->publisher->peer->wire,
                     .request = p->message->request,
                     .publication = p->id };

    member_send(p->publisher, &a);
}

void broker_publish(struct member *m, struct msg *message, const struct opts *o)
{
    struct router *r = m->realm->router;
    struct publication p = { .publisher = m, .message = message, .o = o };
    bool wanted = opt_is(o, OPT_ACKNOWLEDGE, false);
    struct fault f;

    if (!member_may(m, message, o, ALLOW_PUBLISH, &f)) {
        if (wanted)
            member_error(m, MSG_PUBLISH, message->request, &f);
        return;
    }
    p.id = id_random(&r->rng);
    if (wanted)
        acknowledge(&p);
    filter_init(&p.filter, message, o);
    patterns_find(&m->realm->topics, message->uri, &r->found);
    for (size_t i = 0; i < r->found.count; i++)
        deliver(&p, (struct subscription *)r->found.at[i]);
    filter_fini(&p.filter);
}
