/* match.c - the three indexes of URI patterns. See match.h.
 *
 * Prefixes: for each length that some prefix has, the URI's first so many bytes are
 * looked up. Wildcards: a tree with one level a component, where an empty component is
 * the edge `any`. A search follows the edge of the URI's own component and then `any`.
 * Trying the concrete edge first yields WAMP's order of precedence: at the first
 * component where two matching patterns differ, the one that is concrete there has the
 * longer run. */
#include "router/match.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct branch {
    struct map edges;        /* component -> owned branch */
    struct branch *any;      /* owned; the edge of an empty component */
    struct branch *parent;   /* borrowed */
    struct pattern *pattern; /* borrowed; the one that ends here */
};

void pattern_init(struct pattern *p, struct slice uri, enum uri_match match)
{
    p->uri = xstrndup(uri.n ? uri.p : "", uri.n);
    p->n = uri.n;
    p->match = match;
}

void pattern_fini(struct pattern *p)
{
    free(p->uri);
    p->uri = NULL;
}

/* ---- wildcards --------------------------------------------------------------------- */

/* Cuts the first component off; false when nothing is left. `rest` absent = all was
 * read. */
static bool component_next(struct slice *rest, struct slice *component)
{
    const char *dot;

    if (!rest->p)
        return false;
    dot = rest->n ? memchr(rest->p, '.', rest->n) : NULL;
    if (!dot) {
        *component = *rest;
        *rest = (struct slice){ 0 };
        return true;
    }
    *component = (struct slice){ rest->p, (size_t)(dot - rest->p) };
    *rest = (struct slice){ dot + 1, rest->n - component->n - 1 };
    return true;
}

static bool wildcard_matches(struct slice pattern, struct slice uri)
{
    struct slice want, have;
    bool more, other;

    for (;;) {
        more = component_next(&pattern, &want);
        other = component_next(&uri, &have);
        if (!more || !other)
            return more == other;
        if (want.n && !slice_eq(want, have))
            return false;
    }
}

bool pattern_matches(const struct pattern *p, struct slice uri)
{
    switch (p->match) {
    case MATCH_EXACT:
        return slice_eq(pattern_uri(p), uri);
    case MATCH_PREFIX:
        return slice_has_prefix(uri, pattern_uri(p));
    default:
        return wildcard_matches(pattern_uri(p), uri);
    }
}

static struct branch *edge(const struct branch *b, struct slice component)
{
    return component.n ? map_get_bytes(&b->edges, component) : b->any;
}

static struct branch *edge_make(struct branch *b, struct slice component)
{
    struct branch *to = edge(b, component);

    if (to)
        return to;
    to = xcalloc(1, sizeof *to);
    to->parent = b;
    if (component.n)
        map_put_bytes(&b->edges, component, to);
    else
        b->any = to;
    return to;
}

static struct branch *branch_of(const struct patterns *ps, struct slice uri)
{
    struct branch *b = ps->wildcard;
    struct slice c;

    while (b && component_next(&uri, &c))
        b = edge(b, c);
    return b;
}

static void wildcard_add(struct patterns *ps, struct pattern *p)
{
    struct slice rest = pattern_uri(p), c;
    struct branch *b;

    if (!ps->wildcard)
        ps->wildcard = xcalloc(1, sizeof *ps->wildcard);
    b = ps->wildcard;
    while (component_next(&rest, &c))
        b = edge_make(b, c);
    b->pattern = p;
}

static bool branch_empty(const struct branch *b)
{
    return !b->pattern && !b->any && !b->edges.count;
}

static struct slice last_component(struct slice uri)
{
    const char *dot = uri.n ? memrchr(uri.p, '.', uri.n) : NULL;

    return dot ? (struct slice){ dot + 1, uri.n - (size_t)(dot + 1 - uri.p) } : uri;
}

/* Frees `b`, the branch at the end of `uri`, and those above it that are left with
 * nothing. */
static void prune(struct patterns *ps, struct branch *b, struct slice uri)
{
    while (branch_empty(b)) {
        struct branch *parent = b->parent;
        struct slice c = last_component(uri);

        map_fini(&b->edges);
        free(b);
        if (!parent) {
            ps->wildcard = NULL;
            return;
        }
        if (c.n)
            map_del_bytes(&parent->edges, c);
        else
            parent->any = NULL;
        uri.n -= uri.n > c.n ? c.n + 1 : c.n;
        b = parent;
    }
}

static void wildcard_remove(struct patterns *ps, struct pattern *p)
{
    struct branch *b = branch_of(ps, pattern_uri(p));

    b->pattern = NULL;
    prune(ps, b, pattern_uri(p));
}

static void found_push(struct found *f, struct pattern *p)
{
    if (f->count == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 16;
        f->at = xrealloc(f->at, f->cap * sizeof *f->at);
    }
    f->at[f->count++] = p;
}

/* The search below `b`, at most one call deep for each component of a URI. With `all`
 * it goes on after a hit; without, the first is the best. */
static struct pattern *wildcard_search(const struct branch *b, struct slice rest,
                                       struct found *all)
{
    struct branch *to;
    struct pattern *hit;
    struct slice c;

    if (!component_next(&rest, &c)) {
        if (all && b->pattern)
            found_push(all, b->pattern);
        return b->pattern;
    }
    to = c.n ? map_get_bytes(&b->edges, c) : NULL;
    hit = to ? wildcard_search(to, rest, all) : NULL;
    if (b->any && (!hit || all))
        hit = wildcard_search(b->any, rest, all);
    return hit;
}

/* ---- the set ----------------------------------------------------------------------- */

void patterns_add(struct patterns *ps, struct pattern *p)
{
    switch (p->match) {
    case MATCH_EXACT:
        map_put_bytes(&ps->exact, pattern_uri(p), p);
        break;
    case MATCH_PREFIX:
        map_put_bytes(&ps->prefix, pattern_uri(p), p);
        ps->lengths[p->n]++;
        if (p->n > ps->longest)
            ps->longest = p->n;
        break;
    case MATCH_WILDCARD:
        wildcard_add(ps, p);
        break;
    }
}

void patterns_remove(struct patterns *ps, struct pattern *p)
{
    switch (p->match) {
    case MATCH_EXACT:
        map_del_bytes(&ps->exact, pattern_uri(p));
        break;
    case MATCH_PREFIX:
        map_del_bytes(&ps->prefix, pattern_uri(p));
        ps->lengths[p->n]--;
        while (ps->longest && !ps->lengths[ps->longest])
            ps->longest--;
        break;
    case MATCH_WILDCARD:
        wildcard_remove(ps, p);
        break;
    }
}

void patterns_fini(struct patterns *ps)
{
    map_fini(&ps->exact);
    map_fini(&ps->prefix);
}

struct pattern *patterns_get(const struct patterns *ps, struct slice uri,
                             enum uri_match match)
{
    struct branch *b;

    if (match == MATCH_EXACT)
        return map_get_bytes(&ps->exact, uri);
    if (match == MATCH_PREFIX)
        return map_get_bytes(&ps->prefix, uri);
    b = branch_of(ps, (struct slice){ uri.n ? uri.p : "", uri.n });
    return b ? b->pattern : NULL;
}

/* The longest prefix of `uri` in the set that has at most *n bytes; *n becomes its
 * length. */
static struct pattern *prefix_at_most(const struct patterns *ps, struct slice uri,
                                      size_t *n)
{
    if (*n > ps->longest)
        *n = ps->longest;
    for (; ps->prefix.count; --*n) {
        struct pattern *p = NULL;

        if (ps->lengths[*n])
            p = map_get_bytes(&ps->prefix, (struct slice){ uri.p, *n });
        if (p || !*n)
            return p;
    }
    return NULL;
}

void patterns_find(const struct patterns *ps, struct slice uri, struct found *found)
{
    struct pattern *p = map_get_bytes(&ps->exact, uri);
    size_t n = uri.n;

    found->count = 0;
    if (p)
        found_push(found, p);
    while ((p = prefix_at_most(ps, uri, &n))) {
        found_push(found, p);
        if (!n--)
            break;
    }
    if (ps->wildcard)
        wildcard_search(ps->wildcard, uri, found);
}

struct pattern *patterns_best(const struct patterns *ps, struct slice uri,
                              enum uri_match match)
{
    struct pattern *p = match == MATCH_EXACT ? map_get_bytes(&ps->exact, uri) : NULL;
    size_t n = uri.n;

    if (!p)
        p = prefix_at_most(ps, uri, &n);
    if (!p && ps->wildcard && match != MATCH_PREFIX)
        p = wildcard_search(ps->wildcard, (struct slice){ uri.n ? uri.p : "", uri.n },
                            NULL);
    return p;
}
