/* broker.c - topics: who subscribed to what, and events to them (WAMP: publish and
 * subscribe).
 *
 * One subscription a pattern and policy, shared by all its subscribers, gone with the
 * last. An event is encoded once a subscription and format, and every subscriber gets a
 * reference on the same bytes; so all that an EVENT says must be true for all of them. */
#include <stdlib.h>

#include "base/mem.h"
#include "router/private.h"

struct subscription {
    struct held held; /* first: the index finds it by this */
    bool listens;     /* a meta event may match it */
};

/* ---- subscriptions ----------------------------------------------------------------- */

/* Whether some name that begins with "wamp." matches. */
static bool may_match_meta(struct slice uri, enum uri_match match)
{
    if (match == MATCH_PREFIX && slice_has_prefix(SLICE("wamp."), uri))
        return true;
    return uri_reserved(uri) || (match == MATCH_WILDCARD && uri.n && *uri.p == '.');
}

static struct subscription *subscription_new(struct realm *realm, struct slice uri,
                                             enum uri_match match)
{
    struct subscription *s = xcalloc(1, sizeof *s);

    held_init(&s->held, &realm->topics, uri, match);
    s->listens = may_match_meta(uri, match);
    realm->listeners += s->listens;
    realm->router->stats.subscriptions++;
    return s;
}

static void subscription_free(struct subscription *s)
{
    struct realm *realm = s->held.catalog->realm;

    realm->listeners -= s->listens;
    realm->router->stats.subscriptions--;
    held_fini(&s->held);
    free(s);
}

static void subscriber_add(struct member *m, struct subscription *s)
{
    struct holder *sub = xcalloc(1, sizeof *sub);

    holder_init(sub, &s->held, m);
    map_put(&m->subscriptions, s->held.id, sub);
}

/* The member's map has let go of it already. */
static void subscriber_free(struct holder *sub)
{
    struct subscription *s = (struct subscription *)sub->held;
    struct member *m = sub->member;

    holder_fini(sub);
    free(sub);
    meta_removed(m, &s->held);
    if (!s->held.count)
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
    bool fresh;

    if (!member_may(m, message, o, ALLOW_SUBSCRIBE, &f)) {
        member_error(m, MSG_SUBSCRIBE, message->request, &f);
        return;
    }
    match = opt_match(o);
    s = (struct subscription *)patterns_get(&m->realm->topics.patterns, message->uri,
                                            match);
    fresh = !s || !map_get(&m->subscriptions, s->held.id);
    if (fresh) {
        if (m->subscriptions.count >= LIMIT_SUBSCRIPTIONS) {
            fault_set(&f, "wamp.error.unavailable", "too many subscriptions");
            member_error(m, MSG_SUBSCRIBE, message->request, &f);
            return;
        }
        if (!s)
            s = subscription_new(m->realm, message->uri, match);
        subscriber_add(m, s);
    }
    answer(m, MSG_SUBSCRIBED, message, s->held.id);
    if (fresh)
        meta_added(m, &s->held);
}

void broker_unsubscribe(struct member *m, struct msg *message)
{
    struct holder *sub = map_del(&m->subscriptions, message->id);
    struct fault f;

    if (!sub) {
        fault_set(&f, "wamp.error.no_such_subscription", "not subscribed");
        member_error(m, MSG_UNSUBSCRIBE, message->request, &f);
        return;
    }
    answer(m, MSG_UNSUBSCRIBED, message, 0);
    subscriber_free(sub);
}

void broker_leave(struct member *m)
{
    struct holder *sub;
    size_t at = 0;

    while ((sub = map_next(&m->subscriptions, &at, NULL, NULL)))
        subscriber_free(sub);
    map_fini(&m->subscriptions);
}

/* ---- events ------------------------------------------------------------------------ */

struct publication {
    uint64_t id;
    struct member *publisher; /* NULL: the router itself */
    const struct msg *message;
    const struct opts *o;
    struct filter filter;
    const struct role_rules *role; /* asked last whether it may have the topic */
    bool allowed;                  /* and the answer */
};

/* NULL when it is too long in this format. */
static struct buf *event_encode(const struct publication *p, const struct subscription *s,
                                const struct wire *wire)
{
    struct details d = { 0 };
    struct buf *details, *bytes = NULL;
    struct msg e = { .row = msg_row(MSG_EVENT), .id = s->held.id, .publication = p->id };

    if (s->held.pattern.match != MATCH_EXACT)
        details_text(&d, OPT_TOPIC, p->message->uri);
    if (opt_is(p->o, OPT_DISCLOSE_ME, false))
        details_publisher(&d, p->publisher);
    details_passthru(&d, p->o);
    details = details_encode(&d, wire);
    if (details)
        e.dict = slice_buf(details);
    if (payload_carry(&e, p->message, wire))
        bytes = msg_encode(&e, wire);
    msg_fini(&e);
    buf_unref(details);
    if (!bytes || bytes->len <= LIMIT_MESSAGE_SIZE)
        return bytes;
    buf_unref(bytes);
    return NULL;
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
    if (m->gone)
        return false;
    if (m == p->publisher && opt_is(p->o, OPT_EXCLUDE_ME, true))
        return false;
    if (!filter_passes(&p->filter, m))
        return false;
    return s->held.pattern.match == MATCH_EXACT || role_receives(p, m->role);
}

/* An EVENT in each format that somebody wanted it in. */
struct event_bytes {
    bool made[WIRE_ID_COUNT];
    struct buf *in[WIRE_ID_COUNT]; /* owned; NULL: too long */
};

static void deliver_to(struct publication *p, const struct subscription *s,
                       struct event_bytes *e, const struct member *m)
{
    const struct wire *wire = m->peer->wire;

    if (!e->made[wire->id])
        e->in[wire->id] = event_encode(p, s, wire);
    e->made[wire->id] = true;
    if (e->in[wire->id])
        output_push(m->peer, OUTPUT_EVENT, buf_ref(e->in[wire->id]));
    else
        m->realm->router->stats.dropped++;
}

static void deliver(struct publication *p, const struct subscription *s)
{
    struct event_bytes e = { 0 };
    struct list *node, *tmp;

    list_each (node, tmp, &s->held.holders) {
        const struct member *m = list_entry(node, struct holder, link)->member;

        if (receives(p, s, m))
            deliver_to(p, s, &e, m);
    }
    for (size_t i = 0; i < WIRE_ID_COUNT; i++)
        buf_unref(e.in[i]);
}

static void acknowledge(const struct publication *p)
{
    struct msg a = { .row = msg_row(MSG_PUBLISHED),
                     .wire = p->publisher->peer->wire,
                     .request = p->message->request,
                     .publication = p->id };

    member_send(p->publisher, &a);
}

static void spread(struct publication *p, const struct realm *realm)
{
    struct found *found = &realm->router->found;

    filter_init(&p->filter, p->message, p->o);
    patterns_find(&realm->topics.patterns, p->message->uri, found);
    for (size_t i = 0; i < found->count; i++)
        deliver(p, (struct subscription *)found->at[i]);
    filter_fini(&p->filter);
}

void broker_announce(struct realm *realm, struct slice topic, const struct buf *args)
{
    static const struct opts none;
    const struct msg message = { .row = msg_row(MSG_PUBLISH),
                                 .wire = &wire_json,
                                 .uri = topic,
                                 .args = slice_buf(args) };
    struct publication p = { .message = &message, .o = &none };

    p.id = id_random(&realm->router->rng);
    spread(&p, realm);
}

void broker_publish(struct member *m, struct msg *message, const struct opts *o)
{
    struct publication p = { .publisher = m, .message = message, .o = o };
    bool wanted = opt_is(o, OPT_ACKNOWLEDGE, false);
    struct fault f;

    if (!member_may(m, message, o, ALLOW_PUBLISH, &f)) {
        if (wanted)
            member_error(m, MSG_PUBLISH, message->request, &f);
        return;
    }
    p.id = id_random(&m->realm->router->rng);
    if (wanted)
        acknowledge(&p);
    spread(&p, m->realm);
}
