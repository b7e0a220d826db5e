/* roles.h - the roles and features that peers announce to each other, as bits.
 *
 * HELLO and WELCOME carry {"roles": {ROLE: {"features": {NAME: true}}}}. One table of
 * features says which roles may announce each (WAMP: feature announcement); absent means
 * no. */
#ifndef WAMP_ROLES_H
#define WAMP_ROLES_H

#include "wamp/msg.h"

enum role {
    ROLE_PUBLISHER,
    ROLE_SUBSCRIBER,
    ROLE_CALLER,
    ROLE_CALLEE,
    ROLE_BROKER,
    ROLE_DEALER,
    ROLE_COUNT
};

enum feature {
    FEATURE_PROGRESSIVE_CALL_RESULTS,
    FEATURE_PROGRESSIVE_CALL_INVOCATIONS,
    FEATURE_CALL_TIMEOUT,
    FEATURE_CALL_CANCELING,
    FEATURE_CALLER_IDENTIFICATION,
    FEATURE_CALL_TRUSTLEVELS,
    FEATURE_REGISTRATION_META_API,
    FEATURE_PATTERN_BASED_REGISTRATION,
    FEATURE_SHARED_REGISTRATION,
    FEATURE_REGISTRATION_REVOCATION,
    FEATURE_CALL_REROUTE,
    FEATURE_TESTAMENT_META_API,
    FEATURE_SESSION_META_API,
    FEATURE_SUBSCRIBER_BLACKWHITE_LISTING,
    FEATURE_PUBLISHER_EXCLUSION,
    FEATURE_PUBLISHER_IDENTIFICATION,
    FEATURE_PUBLICATION_TRUSTLEVELS,
    FEATURE_SUBSCRIPTION_META_API,
    FEATURE_PATTERN_BASED_SUBSCRIPTION,
    FEATURE_EVENT_HISTORY,
    FEATURE_EVENT_RETENTION,
    FEATURE_SUBSCRIPTION_REVOCATION,
    FEATURE_PAYLOAD_PASSTHRU_MODE,
    FEATURE_PAYLOAD_TRANSPARENCY,
    FEATURE_PAYLOAD_ENCRYPTION_CRYPTOBOX,
    FEATURE_COUNT
};

struct roles {
    unsigned roles;                /* bit per enum role that was announced */
    uint32_t features[ROLE_COUNT]; /* bit per enum feature */
};

static inline bool roles_has(const struct roles *r, enum role role)
{
    return r->roles >> role & 1;
}

static inline bool roles_can(const struct roles *r, enum role role, enum feature feature)
{
    return r->features[role] >> feature & 1;
}

/* Reads the value of the "roles" key. Unknown roles and features are ignored; false
 * (with `f` filled) when it is not a dict of dicts, or names none of the roles in
 * `wanted` (bits). Both spellings of call_canceling are taken (WAMP-proto issue 545). */
bool roles_decode(struct roles *r, const struct wire *wire, struct slice dict,
                  unsigned wanted, struct fault *f);

/* Writes the value of the "roles" key. Every role gets a "features" dict (autobahn-js
 * reads it without asking). */
void roles_encode(const struct roles *r, struct writer *w);

const char *role_name(enum role role);
const char *feature_name(enum feature feature);

#endif
