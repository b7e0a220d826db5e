/* uri.c - checking WAMP URIs without a regular expression engine. See uri.h. */
#include "wamp/uri.h"

#include <string.h>

#include "wamp/limits.h"

static const char *const match_names[] = { "exact", "prefix", "wildcard" };

/* White space as `\s` of the usual engines: ASCII and the Unicode spaces. Returns the
 * number of bytes it takes at p, 0 when there is none. */
static size_t space_at(const unsigned char *p, size_t n)
{
    if (*p == ' ' || (*p >= 0x09 && *p <= 0x0D) || (*p >= 0x1C && *p <= 0x1F) || !*p)
        return 1;
    if (n >= 2 && p[0] == 0xC2 && (p[1] == 0x85 || p[1] == 0xA0)) /* NEL, NBSP */
        return 2;
    if (n < 3)
        return 0;
    if (!memcmp(p, "\xE1\x9A\x80", 3) || !memcmp(p, "\xE2\x81\x9F", 3) ||
        !memcmp(p, "\xE3\x80\x80", 3)) /* U+1680, U+205F, U+3000 */
        return 3;
    if (p[0] == 0xE2 && p[1] == 0x80 && /* U+2000-200A, 2028, 2029, 202F */
        (p[2] <= 0x8A || p[2] == 0xA8 || p[2] == 0xA9 || p[2] == 0xAF))
        return 3;
    return 0;
}

static bool char_ok(const unsigned char *p, size_t n, bool strict)
{
    if (strict)
        return (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '_';
    return *p != '#' && !space_at(p, n);
}

bool uri_ok(struct slice uri, enum uri_match match, bool strict)
{
    const unsigned char *p = (const unsigned char *)uri.p;
    bool empty = true; /* the component that is being read has no character yet */

    if (uri.n > LIMIT_URI)
        return false;
    for (size_t i = 0; i < uri.n; i++) {
        if (p[i] == '.') {
            if (empty && match != MATCH_WILDCARD)
                return false;
            empty = true;
        } else if (!char_ok(p + i, uri.n - i, strict)) {
            return false;
        } else {
            empty = false;
        }
    }
    return !empty || match != MATCH_EXACT;
}

bool uri_reserved(struct slice uri)
{
    return slice_is(uri, "wamp") || slice_has_prefix(uri, SLICE("wamp."));
}

bool uri_match_of(struct slice name, enum uri_match *match)
{
    for (int i = 0; i < 3; i++) {
        if (slice_is(name, match_names[i])) {
            *match = (enum uri_match)i;
            return true;
        }
    }
    return false;
}

const char *uri_match_name(enum uri_match match)
{
    return match_names[match];
}
