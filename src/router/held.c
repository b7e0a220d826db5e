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
