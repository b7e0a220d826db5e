/* match.h - a set of URI patterns, and which of them match a URI (WAMP: pattern-based
 * subscriptions, pattern-based registrations).
 *
 * Three indexes, one a policy: a hash for exact URIs, a hash a length for prefixes, a
 * tree of components for wildcards. Looking up costs by the length of the URI, not by
 * the number of patterns. A prefix is one of characters, not of components. Not known
 * here: what a pattern stands for; topics, procedures and permissions embed one. */
#ifndef ROUTER_MATCH_H
#define ROUTER_MATCH_H

#include "base/map.h"
#include "wamp/limits.h"
#include "wamp/uri.h"

struct pattern {
    char *uri; /* owned; NUL-terminated */
    size_t n;
    enum uri_match match;
};

struct branch; /* of the tree of wildcards */

struct patterns {                    /* zero-initialised = empty */
    struct map exact, prefix;        /* URI -> borrowed pattern */
    unsigned lengths[LIMIT_URI + 1]; /* prefixes of each length */
    size_t longest;                  /* no prefix is longer than this */
    struct branch *wildcard;         /* root; owned; NULL while there is none */
};

struct found { /* zero-initialised = empty; reused from one search to the next */
    struct pattern **at;
    size_t count, cap;
};

void pattern_init(struct pattern *p, struct slice uri, enum uri_match match);
void pattern_fini(struct pattern *p);

static inline struct slice pattern_uri(const struct pattern *p)
{
    return (struct slice){ p->uri, p->n };
}

/* Whether a URI (not a pattern) is one that `p` stands for. */
bool pattern_matches(const struct pattern *p, struct slice uri);

/* The set borrows its patterns: remove one before it goes. */
void patterns_add(struct patterns *ps, struct pattern *p);
void patterns_remove(struct patterns *ps, struct pattern *p);
void patterns_fini(struct patterns *ps);

/* The very pattern, NULL when it is not in the set. */
struct pattern *patterns_get(const struct patterns *ps, struct slice uri,
                             enum uri_match match);

/* All that match a URI (not a pattern), in place of what `found` had. */
void patterns_find(const struct patterns *ps, struct slice uri, struct found *found);

/* The most specific one that matches everything which `uri` with policy `match` stands
 * for: exact before the longest prefix before the wildcard with the longest first run
 * of components (ties: the next run). NULL when there is none. */
struct pattern *patterns_best(const struct patterns *ps, struct slice uri,
                              enum uri_match match);

#endif
