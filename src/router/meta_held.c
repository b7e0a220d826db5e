/* meta_held.c - the procedures wamp.registration.* and wamp.subscription.* (WAMP:
 * registration meta API, subscription meta API).
 *
 * The two are one: each function asks the catalog that its call is about. Subscriptions
 * to the router's own names are not shown: neither in lists nor by their id. */
#include "router/meta.h"

bool held_hidden(const struct held *h)
{
    return uri_reserved(pattern_uri(&h->pattern));
}

bool held_is_registration(const struct held *h)
{
    return h->catalog == &h->catalog->realm->procedures;
}

/* ---- details ----------------------------------------------------------------------- */

void held_write(const struct held *h, struct writer *w)
{
    bool registration = held_is_registration(h);

    writer_dict(w, registration ? 5 : 4);
    writer_key(w, SLICE("id"));
    writer_int(w, (int64_t)h->id);
    writer_key(w, SLICE("created"));
    date_write(h->created, w);
    writer_key(w, SLICE("uri"));
    writer_string(w, pattern_uri(&h->pattern));
    writer_key(w, SLICE("match"));
    writer_string(w, slice_of(uri_match_name(h->pattern.match)));
    if (registration) {
        writer_key(w, SLICE("invoke"));
        writer_string(w, slice_of(invoke_name(((const struct registration *)h)->invoke)));
    }
    writer_dict_end(w);
}

/* ---- by URI ------------------------------------------------------------------------ */

static void write_id(struct query *q, const struct pattern *p)
{
    const struct held *h = (const struct held *)p;

    if (h && !held_hidden(h))
        writer_int(&q->w, (int64_t)h->id);
    else
        writer_null(&q->w);
}

/* The ids of one policy. */
static void write_policy(struct query *q, enum uri_match match)
{
    struct ids ids = { 0 };
    struct held *h;
    size_t at = 0;

    while ((h = map_next(&q->catalog->ids, &at, NULL, NULL)))
        if (h->pattern.match == match && !held_hidden(h))
            ids_add(&ids, h->id);
    writer_key(&q->w, slice_of(uri_match_name(match)));
    ids_write(&ids, &q->w);
    ids_fini(&ids);
}

bool held_list(struct query *q)
{
    if (!query_fits(q, q->catalog->ids.count))
        return false;
    writer_dict(&q->w, 3);
    write_policy(q, MATCH_EXACT);
    write_policy(q, MATCH_PREFIX);
    write_policy(q, MATCH_WILDCARD);
    writer_dict_end(&q->w);
    return true;
}

bool held_lookup(struct query *q)
{
    write_id(q, patterns_get(&q->catalog->patterns, q->text, q->match));
    return true;
}

/* All subscriptions that an event of this topic goes to, null for none. */
static void match_topic(struct query *q)
{
    struct found *found = &q->caller->realm->router->found;
    struct ids ids = { 0 };

    patterns_find(&q->catalog->patterns, q->text, found);
    for (size_t i = 0; i < found->count; i++) {
        const struct held *h = (const struct held *)found->at[i];

        if (!held_hidden(h))
            ids_add(&ids, h->id);
    }
    if (ids.count)
        ids_write(&ids, &q->w);
    else
        writer_null(&q->w);
    ids_fini(&ids);
}

/* The registration that a call of this procedure goes to, null for none. No call of a
 * name of the router's own goes to one. */
static void match_procedure(struct query *q)
{
    const struct pattern *p = NULL;

    if (!uri_reserved(q->text))
        p = patterns_best(&q->catalog->patterns, q->text, MATCH_EXACT);
    write_id(q, p);
}

bool held_match(struct query *q)
{
    if (q->catalog == &q->caller->realm->procedures)
        match_procedure(q);
    else
        match_topic(q);
    return true;
}

/* ---- by id ------------------------------------------------------------------------- */

const struct held *held_find(struct query *q)
{
    const struct held *h = map_get(&q->catalog->ids, q->id);

    if (h && !held_hidden(h))
        return h;
    query_unknown(q);
    return NULL;
}

bool held_get(struct query *q)
{
    const struct held *h = held_find(q);

    if (h)
        held_write(h, &q->w);
    return h;
}

bool held_holders(struct query *q)
{
    const struct held *h = held_find(q);
    struct ids ids = { 0 };
    struct list *node, *tmp;

    if (!h || !query_fits(q, h->count))
        return false;
    list_each (node, tmp, &h->holders)
        ids_add(&ids, list_entry(node, struct holder, link)->member->id);
    ids_write(&ids, &q->w);
    ids_fini(&ids);
    return true;
}

bool held_count(struct query *q)
{
    const struct held *h = held_find(q);

    if (h)
        writer_int(&q->w, (int64_t)h->count);
    return h;
}

/* ---- revoking ---------------------------------------------------------------------- */

bool held_remove(struct query *q)
{
    const struct held *h = held_find(q);
    struct member *m = map_get(&q->caller->realm->members, q->other);
    struct slice reason = query_text(q, KW_REASON);

    if (!h)
        return false;
    if (!m) {
        fault_set(&q->fault, "wamp.error.no_such_session", "there is no session %llu",
                  (unsigned long long)q->other);
        return false;
    }
    if (held_is_registration(h) ? dealer_revoke(m, h->id, reason)
                                : broker_revoke(m, h->id, reason))
        return true;
    return query_unknown(q);
}
