/* uri.h - WAMP URIs: dot-separated components, checked by one linear scan (WAMP: URIs).
 *
 * Two rules (loose: no white space, no '#'; strict: only [0-9a-z_]) and three ways to
 * treat empty components, which depend on where the URI stands and on its match policy.
 */
#ifndef WAMP_URI_H
#define WAMP_URI_H

#include <stdbool.h>

#include "base/buf.h"

enum uri_match { MATCH_EXACT, MATCH_PREFIX, MATCH_WILDCARD };

/* Whether `uri` may be used with `match`: exact wants no empty component, prefix allows
 * the last one to be empty (and so the empty URI), wildcard allows any. Also false over
 * LIMIT_URI bytes. */
bool uri_ok(struct slice uri, enum uri_match match, bool strict);

/* Whether the first component is "wamp", which belongs to the router (WAMP: reserved
 * URIs). */
bool uri_reserved(struct slice uri);

/* The policy named "exact", "prefix" or "wildcard"; false for anything else. */
bool uri_match_of(struct slice name, enum uri_match *match);
const char *uri_match_name(enum uri_match match);

#endif
