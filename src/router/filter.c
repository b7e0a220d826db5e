/* filter.c - black and white lists of a PUBLISH (WAMP: subscriber black- and
 * whitelisting).
 *
 * The lists become sets once a publication, so that asking costs the same however long
 * they are. A receiver must be in every white list that is there and in no black list.
 * A white list that is there but empty lets nobody through: an application that
 * computes its list and finds nobody must not tell everybody. */
#include "router/private.h"

static bool is_white(enum opt key)
{
    return key == OPT_ELIGIBLE || key == OPT_ELIGIBLE_AUTHID ||
           key == OPT_ELIGIBLE_AUTHROLE;
}

static void set_put(struct map *set, struct reader *r, enum token t)
{
    struct buf *scratch = NULL;

    if (t == TOKEN_INT)
        map_put(set, (uint64_t)r->integer, set);
    else
        map_put_bytes(set, reader_text(r, &scratch), set);
    buf_unref(scratch);
}

static void set_read(struct map *set, const struct wire *wire, struct slice list)
{
    struct reader r;
    enum token t;

    reader_init(&r, wire, list);
    reader_next(&r);
    while ((t = reader_next(&r)) == TOKEN_INT || t == TOKEN_STRING)
        set_put(set, &r, t);
}

void filter_init(struct filter *f, const struct msg *publish, const struct opts *o)
{
    *f = (struct filter){ 0 };
    for (unsigned i = 0; i < FILTER_LISTS; i++) {
        enum opt key = FILTER_FIRST + i;

        if (!opt_has(o, key))
            continue;
        f->lists |= 1u << i;
        set_read(&f->set[i], publish->wire, opt_text(o, key));
    }
}

void filter_fini(struct filter *f)
{
    for (unsigned i = 0; f->lists && i < FILTER_LISTS; i++)
        map_fini(&f->set[i]);
}

static bool set_has(const struct map *set, enum opt key, const struct member *m)
{
    switch (key) {
    case OPT_EXCLUDE:
    case OPT_ELIGIBLE:
        return map_get(set, m->id);
    case OPT_EXCLUDE_AUTHID:
    case OPT_ELIGIBLE_AUTHID:
        return map_get_bytes(set, slice_of(m->authid));
    default:
        return map_get_bytes(set, slice_of(m->role->name));
    }
}

bool filter_passes(const struct filter *f, const struct member *m)
{
    for (unsigned i = 0; f->lists && i < FILTER_LISTS; i++) {
        enum opt key = FILTER_FIRST + i;

        if (f->lists >> i & 1 && set_has(&f->set[i], key, m) != is_white(key))
            return false;
    }
    return true;
}
