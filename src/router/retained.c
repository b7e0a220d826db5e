/* retained.c - events that wait for subscribers who are not there yet (WAMP: event
 * retention).
 *
 * A topic has the latest event that is for everybody, and those that came later and are
 * not: with black or white lists. A new subscriber gets the latest that he would have got
 * had he been there. All events of a realm are in one list by age as well: from its far
 * end they are forgotten when there are too many, and from its near end a subscriber by a
 * pattern finds his. */
#include <stdlib.h>

#include "base/mem.h"
#include "router/private.h"

struct retained_topic {
    struct list events; /* of struct retained_event; the earliest first */
    size_t count;
    uint64_t answered; /* the last search that found one of its events */
};

struct retained_event {
    struct list by_age, in_topic;
    struct retained_topic *topic; /* borrowed; owned by retained.topics */
    struct kept *kept;            /* a reference */
    bool restricted;              /* not for everybody */
};

void retained_init(struct retained *r)
{
    *r = (struct retained){ 0 };
    list_init(&r->events);
}

static void forget(struct retained *r, struct retained_event *e)
{
    struct retained_topic *t = e->topic;

    list_remove(&e->by_age);
    list_remove(&e->in_topic);
    r->count--;
    r->bytes -= kept_size(e->kept);
    if (!--t->count) {
        map_del_bytes(&r->topics, e->kept->message.uri);
        free(t);
    }
    kept_unref(e->kept);
    free(e);
}

static struct retained_event *by_age(struct list *node)
{
    return list_entry(node, struct retained_event, by_age);
}

static struct retained_event *in_topic(struct list *node)
{
    return list_entry(node, struct retained_event, in_topic);
}

void retained_fini(struct retained *r)
{
    while (r->count)
        forget(r, by_age(r->events.next));
    map_fini(&r->topics);
}

/* ---- PUBLISH ----------------------------------------------------------------------- */

static struct retained_topic *topic_of(struct retained *r, struct slice uri)
{
    struct retained_topic *t = map_get_bytes(&r->topics, uri);

    if (t)
        return t;
    t = xcalloc(1, sizeof *t);
    list_init(&t->events);
    map_put_bytes(&r->topics, uri, t);
    return t;
}

/* What the latest event of a topic makes worthless, and what is too much. */
static void clear_behind(struct retained *r, const struct retained_event *latest)
{
    struct retained_topic *t = latest->topic;
    struct retained_event *first = in_topic(t->events.next);

    if (!latest->restricted) {
        while (t->count > 1)
            forget(r, in_topic(t->events.next));
    } else if (!first->restricted && t->count > LIMIT_RETAINED_RESTRICTED + 1) {
        forget(r, in_topic(first->in_topic.next));
    } else if (first->restricted && t->count > LIMIT_RETAINED_RESTRICTED) {
        forget(r, first);
    }
}

_Static_assert(LIMIT_MESSAGE_SIZE < LIMIT_RETAINED_BYTES / 2, "the latest stays");

void retained_put(struct retained *r, const struct publication *p, struct kept *k)
{
    struct retained_event *e = xcalloc(1, sizeof *e);

    e->kept = kept_ref(k);
    e->restricted = publication_restricted(p);
    e->topic = topic_of(r, p->message->uri);
    list_push(&e->topic->events, &e->in_topic);
    list_push(&r->events, &e->by_age);
    e->topic->count++;
    r->count++;
    r->bytes += kept_size(k);
    clear_behind(r, e);
    while (r->count > LIMIT_RETAINED || r->bytes > LIMIT_RETAINED_BYTES)
        forget(r, by_age(r->events.next));
}

/* ---- SUBSCRIBE --------------------------------------------------------------------- */

static bool is_for(const struct kept *k, const struct member *m)
{
    struct reading reading;
    bool reaches;

    kept_open(k, &reading);
    reaches = publication_reaches(&reading.publication, &reading.filter, m);
    reading_close(&reading);
    return reaches;
}

static void send(struct member *m, const struct held *h, const struct kept *k)
{
    struct reading reading;

    kept_open(k, &reading);
    reading.publication.retained = true;
    event_push(m, publication_event(&reading.publication, h, m->peer->wire));
    reading_close(&reading);
}

static void send_latest(const struct retained *r, struct member *m, const struct held *h)
{
    struct retained_topic *t = map_get_bytes(&r->topics, pattern_uri(&h->pattern));
    struct list *node;

    if (!t)
        return;
    for (node = t->events.prev; node != &t->events; node = node->prev) {
        if (is_for(in_topic(node)->kept, m)) {
            send(m, h, in_topic(node)->kept);
            return;
        }
    }
}

/* A pattern was allowed as a whole; its topics are asked for one by one. */
static bool is_match(const struct retained_event *e, const struct member *m,
                     const struct held *h)
{
    struct slice topic = e->kept->message.uri;

    return pattern_matches(&h->pattern, topic) &&
           role_allows_within(m->role, ALLOW_SUBSCRIBE, topic) && is_for(e->kept, m);
}

/* One event a topic, found from the latest on, sent in the order of publication. */
static void send_matching(struct retained *r, struct member *m, const struct held *h)
{
    const struct kept *found[LIMIT_RETAINED_ANSWER];
    size_t n = 0;
    struct list *node;

    r->searches++;
    for (node = r->events.prev; node != &r->events && n < LIMIT_RETAINED_ANSWER;
         node = node->prev) {
        struct retained_event *e = by_age(node);

        if (e->topic->answered == r->searches || !is_match(e, m, h))
            continue;
        e->topic->answered = r->searches;
        found[n++] = e->kept;
    }
    while (n)
        send(m, h, found[--n]);
}

void retained_send(struct retained *r, struct member *m, const struct held *h)
{
    if (h->pattern.match == MATCH_EXACT)
        send_latest(r, m, h);
    else
        send_matching(r, m, h);
}
