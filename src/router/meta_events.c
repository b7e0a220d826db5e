/* meta_events.c - meta events: the router tells who subscribed what becomes of sessions,
 * subscriptions and registrations (WAMP: meta APIs).
 *
 * Each is an event like any other, published by nobody. Where no subscription of the
 * realm can match one, saying so costs a test (realm.listeners). Subscriptions to the
 * router's own names cause none: who listens to on_subscribe must not hear himself. */
#include "router/meta.h"

static bool anybody_listens(const struct realm *realm)
{
    return realm->listeners && !realm->muted && !realm->no_meta;
}

/* Publishes what has been written. */
static void announce(struct realm *realm, struct slice topic, struct writer *w)
{
    struct buf *args;

    writer_list_end(w);
    args = writer_take(w);
    broker_announce(realm, topic, args);
    buf_unref(args);
}

/* ---- sessions ---------------------------------------------------------------------- */

void meta_joined(const struct member *m)
{
    struct writer w;

    if (!anybody_listens(m->realm))
        return;
    writer_init(&w, &wire_json, 256);
    writer_list(&w, 1);
    session_write(m, &w);
    announce(m->realm, SLICE("wamp.session.on_join"), &w);
}

void meta_left(const struct member *m)
{
    struct writer w;

    if (!anybody_listens(m->realm))
        return;
    writer_init(&w, &wire_json, 256);
    writer_list(&w, 3);
    writer_int(&w, (int64_t)m->id);
    writer_string(&w, slice_of(m->authid));
    writer_string(&w, slice_of(m->role->name));
    announce(m->realm, SLICE("wamp.session.on_leave"), &w);
}

/* ---- subscriptions and registrations ----------------------------------------------- */

enum change { CREATED, ADDED, REMOVED, DELETED };

static struct slice topic_of(const struct held *h, enum change change)
{
    static const char *const topics[][2] = {
        [CREATED] = { "wamp.subscription.on_create", "wamp.registration.on_create" },
        [ADDED] = { "wamp.subscription.on_subscribe", "wamp.registration.on_register" },
        [REMOVED] = { "wamp.subscription.on_unsubscribe",
                      "wamp.registration.on_unregister" },
        [DELETED] = { "wamp.subscription.on_delete", "wamp.registration.on_delete" },
    };

    return slice_of(topics[change][held_is_registration(h)]);
}

static void tell(const struct member *m, const struct held *h, enum change change)
{
    struct writer w;

    writer_init(&w, &wire_json, 256);
    writer_list(&w, 2);
    writer_int(&w, (int64_t)m->id);
    if (change == CREATED)
        held_write(h, &w);
    else
        writer_int(&w, (int64_t)h->id);
    announce(m->realm, topic_of(h, change), &w);
}

void meta_added(const struct member *m, const struct held *h)
{
    if (!anybody_listens(m->realm) || held_hidden(h))
        return;
    if (h->count == 1 && !h->permanent)
        tell(m, h, CREATED);
    tell(m, h, ADDED);
}

void meta_removed(const struct member *m, const struct held *h)
{
    if (!anybody_listens(m->realm) || held_hidden(h))
        return;
    tell(m, h, REMOVED);
    if (!h->count && !h->permanent)
        tell(m, h, DELETED);
}
