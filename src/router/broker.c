/* broker.c - topics: who subscribed to what, and events to them (WAMP: publish and
 * subscribe).
 *
 * One subscription a pattern and policy, shared by all its subscribers, gone with the
 * last. An event is encoded once a subscription and format, and every subscriber gets a
 * reference on the same bytes; so all that an EVENT says must be true for all of them.
 * What an EVENT says is in event.c; what outlives the moment goes to retained.c and
 * history.c. */
#include <stdlib.h>

#include "base/mem.h"
#include "router/private.h"

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
    realm->router->stats.subscriptions++;
    return s;
}

static void subscription_free(struct subscription *s)
{
    struct realm *realm = s->held.catalog->realm;

    realm->router->stats.subscriptions--;
    held_fini(&s->held);
    history_free(s->history);
    free(s);
}

static void subscriber_add(struct member *m, struct subscription *s)
{
    struct holder *sub = xcalloc(1, sizeof *sub);

    holder_init(sub, &s->held, m);
    if (s->held.count == 1)
        m->realm->listeners += s->listens;
    map_put(&m->subscriptions, s->held.id, sub);
}

/* The member's map has let go of it already. */
static void subscriber_free(struct holder *sub)
{
    struct subscription *s = (struct subscription *)sub->held;
    struct member *m = sub->member;

    holder_fini(sub);
    free(sub);
    if (!s->held.count)
        m->realm->listeners -= s->listens;
    meta_removed(m, &s->held);
    if (!s->held.count && !s->held.permanent)
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
    if (opt_is(o, OPT_GET_RETAINED, false))
        retained_send(&m->realm->retained, m, &s->held);
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

bool broker_revoke(struct member *m, uint64_t id, struct slice reason)
{
    struct holder *sub = map_del(&m->subscriptions, id);

    if (!sub)
        return false;
    held_tell_revoked(sub->held, m, reason);
    subscriber_free(sub);
    return true;
}

void broker_leave(struct member *m)
{
    struct holder *sub;
    size_t at = 0;

    while ((sub = map_next(&m->subscriptions, &at, NULL, NULL)))
        subscriber_free(sub);
    map_fini(&m->subscriptions);
}

/* ---- histories --------------------------------------------------------------------- */

static const struct history_config *history_of(const struct subscription *s,
                                               const struct realm_config *config)
{
    struct slice uri = pattern_uri(&s->held.pattern);

    for (size_t i = config->history_count; i > 0; i--) /* the last word counts */
        if (config->histories[i - 1].match == s->held.pattern.match &&
            slice_is(uri, config->histories[i - 1].uri))
            return &config->histories[i - 1];
    return NULL;
}

/* One that keeps events and is not to, by the configuration; NULL: none. */
static struct subscription *outdated(const struct realm *realm,
                                     const struct realm_config *config)
{
    struct subscription *s;
    size_t at = 0;

    while ((s = map_next(&realm->topics.ids, &at, NULL, NULL)))
        if (s->history && !history_of(s, config))
            return s;
    return NULL;
}

static void forget_history(struct subscription *s)
{
    history_free(s->history);
    s->history = NULL;
    s->held.permanent = false;
    if (!s->held.count)
        subscription_free(s);
}

static void open_history(struct realm *realm, const struct history_config *c)
{
    struct slice uri = slice_of(c->uri);
    size_t limit = c->limit < LIMIT_HISTORY ? c->limit : LIMIT_HISTORY;
    struct subscription *s =
        (struct subscription *)patterns_get(&realm->topics.patterns, uri, c->match);

    if (!s)
        s = subscription_new(realm, uri, c->match);
    s->held.permanent = true;
    if (s->history && s->history->limit == limit)
        return;
    history_free(s->history);
    s->history = history_new(limit);
}

void broker_open(struct realm *realm, const struct realm_config *config)
{
    struct subscription *s;

    while ((s = outdated(realm, config)))
        forget_history(s);
    for (size_t i = 0; i < config->history_count; i++)
        open_history(realm, &config->histories[i]);
    realm->histories = config->history_count > 0;
}

void broker_close(struct realm *realm)
{
    struct held *h;
    size_t at = 0;

    while (realm->topics.ids.count) {
        at = 0;
        h = map_next(&realm->topics.ids, &at, NULL, NULL);
        subscription_free((struct subscription *)h);
    }
}

/* ---- events ------------------------------------------------------------------------ */

/* A publication on its way to its subscribers. */
struct spread {
    struct publication publication;
    struct filter filter;
    const struct role_rules *role; /* asked last whether it may have the topic */
    bool allowed;                  /* and the answer */
};

/* A pattern was allowed as a whole; a more specific permission may still take single
 * topics out of it. Neighbours in the list have the same role, mostly. */
static bool role_receives(struct spread *s, const struct role_rules *role)
{
    if (s->role != role) {
        s->role = role;
        s->allowed =
            role_allows_within(role, ALLOW_SUBSCRIBE, s->publication.message->uri);
    }
    return s->allowed;
}

static bool receives(struct spread *s, const struct held *h, const struct member *m)
{
    return publication_reaches(&s->publication, &s->filter, m) &&
           (h->pattern.match == MATCH_EXACT || role_receives(s, m->role));
}

/* An EVENT in each format that somebody wanted it in. */
struct event_bytes {
    bool made[WIRE_ID_COUNT];
    struct buf *in[WIRE_ID_COUNT]; /* owned; NULL: too long */
};

static void deliver_to(const struct spread *s, const struct held *h,
                       struct event_bytes *e, const struct member *m)
{
    const struct wire *wire = m->peer->wire;

    if (!e->made[wire->id])
        e->in[wire->id] = publication_event(&s->publication, h, wire);
    e->made[wire->id] = true;
    event_push(m, buf_ref(e->in[wire->id]));
}

static void deliver(struct spread *s, const struct held *h)
{
    struct event_bytes e = { 0 };
    struct list *node, *tmp;

    list_each (node, tmp, &h->holders) {
        const struct member *m = list_entry(node, struct holder, link)->member;

        if (receives(s, h, m))
            deliver_to(s, h, &e, m);
    }
    for (size_t i = 0; i < WIRE_ID_COUNT; i++)
        buf_unref(e.in[i]);
}

static void spread(struct spread *s, const struct realm *realm)
{
    struct found *found = &realm->router->found;

    filter_init(&s->filter, s->publication.message, s->publication.o);
    patterns_find(&realm->topics.patterns, s->publication.message->uri, found);
    for (size_t i = 0; i < found->count; i++)
        deliver(s, (struct held *)found->at[i]);
    filter_fini(&s->filter);
}

/* What outlives the moment: the router has just found who is subscribed. */
static void keep(struct realm *realm, const struct publication *p)
{
    bool retain = opt_is(p->o, OPT_RETAIN, false);
    const struct found *found = &realm->router->found;
    struct kept *k;

    if (!retain && (!realm->histories || !history_takes(p)))
        return;
    k = kept_new(p);
    if (retain)
        retained_put(&realm->retained, p, k);
    for (size_t i = 0; history_takes(p) && i < found->count; i++) {
        struct subscription *s = (struct subscription *)found->at[i];

        if (s->history)
            history_put(s->history, k);
    }
    kept_unref(k);
}

void broker_announce(struct realm *realm, struct slice topic, const struct buf *args)
{
    static const struct opts none;
    const struct msg message = { .row = msg_row(MSG_PUBLISH),
                                 .wire = &wire_json,
                                 .uri = topic,
                                 .args = slice_buf(args) };
    struct spread s = { 0 };

    publication_init(&s.publication, realm, &message, &none);
    spread(&s, realm);
}

static void acknowledge(struct member *m, const struct publication *p)
{
    struct msg a = { .row = msg_row(MSG_PUBLISHED),
                     .wire = m->peer->wire,
                     .request = p->message->request,
                     .publication = p->id };

    member_send(m, &a);
}

static void publish(struct member *m, struct publication *p)
{
    struct spread s;

    publication_sign(p, m);
    s = (struct spread){ .publication = *p };
    spread(&s, m->realm);
    keep(m->realm, p);
}

void broker_publish(struct member *m, const struct msg *message, const struct opts *o)
{
    struct publication p;
    bool wanted = opt_is(o, OPT_ACKNOWLEDGE, false);
    struct fault f;

    if (!member_may(m, message, o, ALLOW_PUBLISH, &f)) {
        if (wanted)
            member_error(m, MSG_PUBLISH, message->request, &f);
        return;
    }
    m->realm->router->stats.publications++;
    publication_init(&p, m->realm, message, o);
    if (wanted)
        acknowledge(m, &p);
    publish(m, &p);
}

void broker_testify(struct member *m, const struct msg *message, const struct opts *o,
                    uint64_t id)
{
    struct publication p;
    struct fault f;

    if (!member_may(m, message, o, ALLOW_PUBLISH, &f))
        return;
    publication_init(&p, m->realm, message, o);
    p.id = id;
    publish(m, &p);
}
