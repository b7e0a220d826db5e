/* held.c - what a subscription and a registration have in common: a pattern with an id,
 * in the catalog of its realm, and the members that hold it.
 *
 * Who makes it with the first holder frees it after the last (broker.c, dealer.c). Not
 * known here: what holding it means. */
#include "router/private.h"

void held_init(struct held *h, struct catalog *c, struct slice uri, enum uri_match match)
{
    struct router *r = c->realm->router;

    pattern_init(&h->pattern, uri, match);
    h->catalog = c;
    h->id = r->last_id = id_next(r->last_id);
    h->created = r->epoch + r->now;
    list_init(&h->holders);
    patterns_add(&c->patterns, &h->pattern);
    map_put(&c->ids, h->id, h);
}

void held_fini(struct held *h)
{
    map_del(&h->catalog->ids, h->id);
    patterns_remove(&h->catalog->patterns, &h->pattern);
    pattern_fini(&h->pattern);
}

void held_tell_revoked(const struct held *h, struct member *m, struct slice reason)
{
    bool topic = h->catalog == &h->catalog->realm->topics;
    struct msg u = { .row = msg_row(topic ? MSG_UNSUBSCRIBED : MSG_UNREGISTERED),
                     .wire = m->peer->wire };
    struct details d = { 0 };
    struct buf *details;

    if (!roles_can(&m->roles, topic ? ROLE_SUBSCRIBER : ROLE_CALLEE,
                   topic ? FEATURE_SUBSCRIPTION_REVOCATION
                         : FEATURE_REGISTRATION_REVOCATION))
        return;
    details_int(&d, topic ? OPT_SUBSCRIPTION : OPT_REGISTRATION, h->id);
    if (!reason.p)
        reason =
            topic ? SLICE("wamp.error.unsubscribed") : SLICE("wamp.error.unregistered");
    details_text(&d, OPT_REASON, reason);
    details = details_encode(&d, u.wire);
    u.dict = slice_buf(details);
    member_send(m, &u);
    buf_unref(details);
}

void holder_init(struct holder *o, struct held *h, struct member *m)
{
    o->held = h;
    o->member = m;
    list_push(&h->holders, &o->link);
    h->count++;
}

void holder_fini(struct holder *o)
{
    list_remove(&o->link);
    o->held->count--;
}
