/* meta_history.c - wamp.subscription.get_events: what the history of a subscription has
 * (WAMP: event history).
 *
 * Who asks needs the right to subscribe, to the pattern and to each topic, and gets what
 * the black and white lists would have let through to him. Events are told in the order
 * of their publication, of which their ids say nothing: bounds by publication are places
 * in that order. */
#include <stdlib.h>

#include "base/mem.h"
#include "router/meta.h"

/* What is selected of a history. */
struct selection {
    struct query *q;
    const struct subscription *subscription;
    size_t first, end; /* places of the records in question */
    bool reverse;
    size_t limit;
    const struct kept **at; /* owned */
    size_t count;
};

static const struct kept *kept_of(const struct list *node)
{
    return list_entry(node, struct record, link)->kept;
}

/* ---- bounds ------------------------------------------------------------------------ */

/* The place of the publication that a keyword argument names. */
static bool place_of(const struct selection *s, enum keyword key, size_t *place)
{
    const struct history *h = s->subscription->history;
    uint64_t id = (uint64_t)s->q->keywords[key].integer;
    struct list *node, *tmp;

    *place = 0;
    list_each (node, tmp, &h->records) {
        if (kept_of(node)->publication.id == id)
            return true;
        ++*place;
    }
    fault_set(&s->q->fault, "wamp.error.invalid_argument",
              "%s: publication %llu is not in the history, or no longer",
              s->q->procedure->name, (unsigned long long)id);
    return false;
}

/* Lets the selection begin at (after 0) or behind (1) a publication, if one is named. */
static bool begin_at(struct selection *s, enum keyword key, size_t after)
{
    size_t place;

    if (!s->q->keywords[key].present)
        return true;
    if (!place_of(s, key, &place))
        return false;
    if (place + after > s->first)
        s->first = place + after;
    return true;
}

static bool end_at(struct selection *s, enum keyword key, size_t after)
{
    size_t place;

    if (!s->q->keywords[key].present)
        return true;
    if (!place_of(s, key, &place))
        return false;
    if (place + after < s->end)
        s->end = place + after;
    return true;
}

static bool bound(struct selection *s)
{
    s->end = s->subscription->history->count;
    return begin_at(s, KW_FROM_PUBLICATION, 0) && begin_at(s, KW_AFTER_PUBLICATION, 1) &&
           end_at(s, KW_BEFORE_PUBLICATION, 0) && end_at(s, KW_UNTIL_PUBLICATION, 1);
}

/* ---- filters ----------------------------------------------------------------------- */

static bool in_time(const struct query *q, int64_t time)
{
    const struct keyword_value *k = q->keywords;

    return !(k[KW_FROM_TIME].present && time < k[KW_FROM_TIME].integer) &&
           !(k[KW_AFTER_TIME].present && time <= k[KW_AFTER_TIME].integer) &&
           !(k[KW_BEFORE_TIME].present && time >= k[KW_BEFORE_TIME].integer) &&
           !(k[KW_UNTIL_TIME].present && time > k[KW_UNTIL_TIME].integer);
}

static bool may_have(const struct member *m, const struct kept *k)
{
    struct reading reading;
    bool passes;

    if (!role_allows(m->role, ALLOW_SUBSCRIBE, k->message.uri, MATCH_EXACT))
        return false;
    kept_open(k, &reading);
    passes = filter_passes(&reading.filter, m);
    reading_close(&reading);
    return passes;
}

static bool is_wanted(const struct query *q, const struct kept *k)
{
    struct slice topic = query_text(q, KW_TOPIC);

    return in_time(q, (int64_t)k->publication.time) &&
           (!topic.p || slice_eq(topic, k->message.uri)) && may_have(q->caller, k);
}

static void select_records(struct selection *s)
{
    const struct history *h = s->subscription->history;
    const struct list *node = s->reverse ? h->records.prev : h->records.next;

    s->at = xcalloc(h->count, sizeof(struct kept *));
    for (size_t i = 0; i < h->count && s->count < s->limit; i++) {
        size_t place = s->reverse ? h->count - 1 - i : i;

        if (place >= s->first && place < s->end && is_wanted(s->q, kept_of(node)))
            s->at[s->count++] = kept_of(node);
        node = s->reverse ? node->prev : node->next;
    }
}

/* ---- the answer -------------------------------------------------------------------- */

static void write_details(const struct kept *k, struct writer *w)
{
    struct reading reading;
    struct details d = { 0 };
    struct buf *details;

    kept_open(k, &reading);
    details_text(&d, OPT_TOPIC, k->message.uri);
    publication_describe(&reading.publication, &d);
    details = details_encode(&d, w->wire);
    writer_key(w, SLICE("details"));
    writer_raw(w, slice_buf(details));
    buf_unref(details);
    reading_close(&reading);
}

static void write_payload(const struct kept *k, struct writer *w)
{
    const struct msg *m = &k->message;

    if (m->args.p) {
        writer_key(w, SLICE("args"));
        value_carry(w, m->args, m->wire);
    }
    if (m->kwargs.p) {
        writer_key(w, SLICE("kwargs"));
        value_carry(w, m->kwargs, m->wire);
    }
}

static void write_record(const struct selection *s, const struct kept *k)
{
    struct writer *w = &s->q->w;

    writer_dict(w, 4u + (k->message.args.p ? 1 : 0) + (k->message.kwargs.p ? 1 : 0));
    writer_key(w, SLICE("timestamp"));
    date_write(k->publication.time, w);
    writer_key(w, SLICE("subscription"));
    writer_int(w, (int64_t)s->subscription->held.id);
    writer_key(w, SLICE("publication"));
    writer_int(w, (int64_t)k->publication.id);
    write_details(k, w);
    write_payload(k, w);
    writer_dict_end(w);
}

/* False when it does not fit a message. */
static bool write_records(struct selection *s)
{
    struct query *q = s->q;

    writer_list(&q->w, s->count);
    for (size_t i = 0; i < s->count; i++) {
        write_record(s, s->at[i]);
        if (q->w.buf->len > LIMIT_MESSAGE_SIZE - 4096) {
            fault_set(&q->fault, "wamp.error.payload_size_exceeded",
                      "%s: the events do not fit one message; ask for fewer, with limit",
                      q->procedure->name);
            return false;
        }
    }
    writer_list_end(&q->w);
    return true;
}

/* The subscription that is asked for, if it has a history and the caller may hear of it.
 * NULL fills the fault. */
static const struct subscription *find(struct query *q)
{
    const struct held *h = held_find(q);
    const struct subscription *s = (const struct subscription *)h;

    if (!h)
        return NULL;
    if (!role_allows(q->caller->role, ALLOW_SUBSCRIBE, pattern_uri(&h->pattern),
                     h->pattern.match)) {
        fault_set(&q->fault, "wamp.error.not_authorized",
                  "%s: this role may not subscribe to it", q->procedure->name);
        return NULL;
    }
    if (s->history)
        return s;
    fault_set(&q->fault, "wamp.error.history_unavailable",
              "%s: no history is kept of subscription %llu", q->procedure->name,
              (unsigned long long)h->id);
    return NULL;
}

/* With a limit as second argument it is asked as Crossbar.io has it: the answer is one
 * list, the latest first. */
bool history_get(struct query *q)
{
    const struct keyword_value *limit = &q->keywords[KW_LIMIT];
    struct selection s = { .q = q, .subscription = find(q) };
    bool ok;

    if (!s.subscription || !bound(&s))
        return false;
    s.reverse =
        q->other || (q->keywords[KW_REVERSE].present && q->keywords[KW_REVERSE].integer);
    s.limit = q->other         ? (size_t)q->other
              : limit->present ? (size_t)limit->integer
                               : SIZE_MAX;
    select_records(&s);
    if (q->other)
        writer_list(&q->w, 1);
    ok = write_records(&s);
    if (ok && q->other)
        writer_list_end(&q->w);
    free(s.at);
    return ok;
}
