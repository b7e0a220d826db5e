/* meta_held.c - the procedures wamp.registration.* and wamp.subscription.* (WAMP:
 * registration meta API, subscription meta API).
 *
 * The two are one: each function asks the catalog that its call is about. Subscriptions
 * to the router's own names are not shown: neither in lists nor by their id. */
#include <stdio.h>

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

#define DAY_MS 86400000u

/* A date of the Gregorian calendar. Years are counted from March, in eras of 400: then
 * the day that some years have more is the last of its year. */
static void date_of(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    uint64_t since = days + 719468; /* from 1 March of year 0 */
    unsigned in_era = (unsigned)(since % 146097);
    unsigned of_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    unsigned in_year = in_era - (365 * of_era + of_era / 4 - of_era / 100);
    unsigned from_march = (5 * in_year + 2) / 153;

    *day = in_year - (153 * from_march + 2) / 5 + 1;
    *month = from_march < 10 ? from_march + 3 : from_march - 9;
    *year = (unsigned)(since / 146097) * 400 + of_era + (*month <= 2);
}

/* ISO 8601, UTC. */
static void time_write(uint64_t ms, struct writer *w)
{
    unsigned year, month, day, rest = (unsigned)(ms % DAY_MS);
    char text[80];

    date_of(ms / DAY_MS, &year, &month, &day);
    snprintf(text, sizeof text, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", year, month, day,
             rest / 3600000, rest / 60000 % 60, rest / 1000 % 60, rest % 1000);
    writer_string(w, slice_of(text));
}

void held_write(const struct held *h, struct writer *w)
{
    bool registration = held_is_registration(h);

    writer_dict(w, registration ? 5 : 4);
    writer_key(w, SLICE("id"));
    writer_int(w, (int64_t)h->id);
    writer_key(w, SLICE("created"));
    time_write(h->created, w);
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

/* NULL fills the fault. */
static const struct held *find(struct query *q)
{
    const struct held *h = map_get(&q->catalog->ids, q->id);

    if (h && !held_hidden(h))
        return h;
    query_unknown(q);
    return NULL;
}

bool held_get(struct query *q)
{
    const struct held *h = find(q);

    if (h)
        held_write(h, &q->w);
    return h;
}

bool held_holders(struct query *q)
{
    const struct held *h = find(q);
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
    const struct held *h = find(q);

    if (h)
        writer_int(&q->w, (int64_t)h->count);
    return h;
}
