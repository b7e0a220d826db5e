/* event.c - a publication, what its EVENTs say, and what is kept of it when its PUBLISH
 * has long been worked on.
 *
 * Who published is written down when he publishes: an event that is retained or in the
 * history outlives his session. What is kept is the PUBLISH as it came, options and
 * lists included; whoever looks at it again reads them again. */
#include <stdlib.h>

#include "base/mem.h"
#include "router/private.h"

void publication_init(struct publication *p, struct realm *realm,
                      const struct msg *message, const struct opts *o)
{
    struct router *r = realm->router;

    *p = (struct publication){ .id = id_random(&r->rng),
                               .time = r->epoch + r->now,
                               .trust = -1,
                               .message = message,
                               .o = o };
}

void publication_sign(struct publication *p, const struct member *m)
{
    p->author.session = m->id;
    p->author.authid = m->authid;
    p->author.authrole = m->role->name;
    p->trust = role_trust(m->role, p->message->uri);
    p->disclosed = m->discloses || opt_is(p->o, OPT_DISCLOSE_ME, false);
}

bool publication_restricted(const struct publication *p)
{
    for (enum opt key = FILTER_FIRST; key < FILTER_FIRST + FILTER_LISTS; key++)
        if (opt_has(p->o, key))
            return true;
    return false;
}

bool publication_reaches(const struct publication *p, const struct filter *f,
                         const struct member *m)
{
    if (m->gone)
        return false;
    if (m->id == p->author.session && opt_is(p->o, OPT_EXCLUDE_ME, true))
        return false;
    return filter_passes(f, m) && passthru_fits(m, ROLE_SUBSCRIBER, p->o);
}

void publication_describe(const struct publication *p, struct details *d)
{
    if (p->disclosed) {
        details_int(d, OPT_PUBLISHER, p->author.session);
        details_text(d, OPT_PUBLISHER_AUTHID, slice_of(p->author.authid));
        details_text(d, OPT_PUBLISHER_AUTHROLE, slice_of(p->author.authrole));
    }
    if (p->trust >= 0)
        details_int(d, OPT_TRUSTLEVEL, (uint64_t)p->trust);
    if (p->retained)
        details_true(d, OPT_RETAINED);
    details_passthru(d, p->o);
}

struct buf *publication_event(const struct publication *p, const struct held *h,
                              const struct wire *wire)
{
    struct details d = { 0 };
    struct buf *details, *bytes = NULL;
    struct msg e = { .row = msg_row(MSG_EVENT), .id = h->id, .publication = p->id };

    if (h->pattern.match != MATCH_EXACT)
        details_text(&d, OPT_TOPIC, p->message->uri);
    publication_describe(p, &d);
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

void event_push(const struct member *m, struct buf *bytes)
{
    if (bytes)
        output_push(m->peer, OUTPUT_EVENT, bytes);
    else
        m->realm->router->stats.dropped++;
}

/* ---- keeping ----------------------------------------------------------------------- */

struct kept *kept_new(const struct publication *p)
{
    struct kept *k = xcalloc(1, sizeof *k);

    k->refs = 1;
    k->publication = *p;
    k->publication.message = &k->message;
    k->publication.o = NULL;
    msg_keep(&k->message, p->message);
    k->authid = xstrdup(p->author.authid);
    k->authrole = xstrdup(p->author.authrole);
    k->publication.author.authid = k->authid;
    k->publication.author.authrole = k->authrole;
    return k;
}

struct kept *kept_ref(struct kept *k)
{
    k->refs++;
    return k;
}

void kept_unref(struct kept *k)
{
    if (--k->refs)
        return;
    msg_fini(&k->message);
    free(k->authid);
    free(k->authrole);
    free(k);
}

size_t kept_size(const struct kept *k)
{
    return sizeof *k + k->message.bytes->cap;
}

void kept_open(const struct kept *k, struct reading *r)
{
    struct fault f; /* none: the options were good when they came */

    r->publication = k->publication;
    opts_decode(&r->o, &k->message, &f);
    r->publication.o = &r->o;
    filter_init(&r->filter, &k->message, &r->o);
}

void reading_close(struct reading *r)
{
    filter_fini(&r->filter);
    opts_fini(&r->o);
}
