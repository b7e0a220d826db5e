/* roles.c - roles and features: what peers say in HELLO and WELCOME that they can do.
 *
 * One table of features says which roles may announce each (WAMP: feature
 * announcement). What is not in it is ignored: roles and features that we do not know,
 * a feature of the wrong role, and any value of a feature but true.
 *
 * What it does not know: which of them we have (session.c, router/peer.c), what they
 * mean. */
#include "wamp/roles.h"

#define VIOLATION "wamp.error.protocol_violation"

static const char *const role_names[ROLE_COUNT] = { "publisher", "subscriber", "caller",
                                                    "callee",    "broker",     "dealer" };

#define PUB (1u << ROLE_PUBLISHER)
#define SUB (1u << ROLE_SUBSCRIBER)
#define CALLER (1u << ROLE_CALLER)
#define CALLEE (1u << ROLE_CALLEE)
#define BROKER (1u << ROLE_BROKER)
#define DEALER (1u << ROLE_DEALER)
#define CALLS (CALLER | CALLEE | DEALER)
#define EVERYBODY ((1u << ROLE_COUNT) - 1)

/* clang-format off */
static const struct {
    const char *name;
    unsigned roles; /* bits: who may announce it */
} features[FEATURE_COUNT] = {
#define ROW(feature, name, roles) [FEATURE_##feature] = { name, roles }
    ROW(PROGRESSIVE_CALL_RESULTS, "progressive_call_results", CALLS),
    ROW(PROGRESSIVE_CALL_INVOCATIONS, "progressive_call_invocations", CALLS),
    ROW(CALL_TIMEOUT, "call_timeout", CALLS),
    ROW(CALL_CANCELING, "call_canceling", CALLS),
    ROW(CALLER_IDENTIFICATION, "caller_identification", CALLS),
    ROW(CALL_TRUSTLEVELS, "call_trustlevels", CALLEE | DEALER),
    ROW(REGISTRATION_META_API, "registration_meta_api", DEALER),
    ROW(PATTERN_BASED_REGISTRATION, "pattern_based_registration", CALLEE | DEALER),
    ROW(SHARED_REGISTRATION, "shared_registration", CALLEE | DEALER),
    ROW(REGISTRATION_REVOCATION, "registration_revocation", CALLEE | DEALER),
    ROW(CALL_REROUTE, "call_reroute", CALLEE | DEALER),
    ROW(TESTAMENT_META_API, "testament_meta_api", DEALER),
    ROW(SESSION_META_API, "session_meta_api", BROKER | DEALER),
    ROW(SUBSCRIBER_BLACKWHITE_LISTING, "subscriber_blackwhite_listing", PUB | BROKER),
    ROW(PUBLISHER_EXCLUSION, "publisher_exclusion", PUB | BROKER),
    ROW(PUBLISHER_IDENTIFICATION, "publisher_identification", PUB | SUB | BROKER),
    ROW(PUBLICATION_TRUSTLEVELS, "publication_trustlevels", SUB | BROKER),
    ROW(SUBSCRIPTION_META_API, "subscription_meta_api", BROKER),
    ROW(PATTERN_BASED_SUBSCRIPTION, "pattern_based_subscription", SUB | BROKER),
    ROW(EVENT_HISTORY, "event_history", BROKER),
    ROW(EVENT_RETENTION, "event_retention", BROKER),
    ROW(SUBSCRIPTION_REVOCATION, "subscription_revocation", SUB | BROKER),
    ROW(PAYLOAD_PASSTHRU_MODE, "payload_passthru_mode", EVERYBODY),
    ROW(PAYLOAD_TRANSPARENCY, "payload_transparency", EVERYBODY),
    ROW(PAYLOAD_ENCRYPTION_CRYPTOBOX, "payload_encryption_cryptobox", EVERYBODY),
#undef ROW
};
/* clang-format on */

const char *role_name(enum role role)
{
    return role_names[role];
}

const char *feature_name(enum feature feature)
{
    return features[feature].name;
}

_Static_assert(FEATURE_COUNT < 32, "a bit for each feature, and for one spelling more");

/* ---- reading ----------------------------------------------------------------------- */

/* The next key of the dict being read, in *key: its place among `count` names, -1 when
 * it is none of them. False at the end of the dict, and at an error. */
static bool next_key(struct reader *r, int *key, int count, const char *(*name_of)(int))
{
    struct buf *scratch = NULL;
    struct slice name;

    if (reader_next(r) != TOKEN_KEY)
        return false;
    name = reader_text(r, &scratch);
    *key = -1;
    for (int i = 0; i < count && *key < 0; i++)
        if (slice_is(name, name_of(i)))
            *key = i;
    buf_unref(scratch);
    return true;
}

/* One place more than there are features: the other spelling of call_canceling. */
static const char *spelling(int i)
{
    return i == FEATURE_COUNT ? "call_cancelling" : features[i].name;
}

static const char *role_at(int i)
{
    return role_names[i];
}

static const char *features_at(int i)
{
    (void)i;
    return "features";
}

/* False when a feature comes twice. */
static bool read_features(struct roles *r, enum role role, struct reader *d)
{
    uint32_t seen = 0;
    struct slice value;
    int key;

    while (next_key(d, &key, FEATURE_COUNT + 1, spelling)) {
        struct reader v;

        if (!reader_skip(d, &value))
            return false;
        if (key < 0)
            continue;
        if (seen >> key & 1)
            return false;
        seen |= 1u << key;
        if (key == FEATURE_COUNT)
            key = FEATURE_CALL_CANCELING;
        reader_init(&v, d->wire, value);
        if (reader_next(&v) == TOKEN_TRUE && (features[key].roles >> role & 1))
            r->features[role] |= 1u << key;
    }
    return true;
}

/* The value of one role: a dict, in which "features" is a dict if it is there (or
 * null). A role comes once. */
static bool read_role(struct roles *r, enum role role, struct reader *d)
{
    struct slice value;
    enum token token;
    int key;

    if (roles_has(r, role) || reader_next(d) != TOKEN_DICT)
        return false;
    while (next_key(d, &key, 1, features_at)) {
        struct reader v;

        if (!reader_skip(d, &value))
            return false;
        if (key < 0)
            continue;
        reader_init(&v, d->wire, value);
        token = reader_next(&v);
        if (token != TOKEN_DICT && token != TOKEN_NULL)
            return false;
        if (token == TOKEN_DICT && !read_features(r, role, &v))
            return false;
    }
    r->roles |= 1u << role;
    return true;
}

static bool bad(struct fault *f, const char *what)
{
    fault_set(f, VIOLATION, "roles must be a dict of dicts, each once%s%s",
              *what ? ": " : "", what);
    return false;
}

bool roles_decode(struct roles *r, const struct wire *wire, struct slice dict,
                  unsigned wanted, struct fault *f)
{
    struct reader d;
    struct slice value;
    int key;

    *r = (struct roles){ 0 };
    reader_init(&d, wire, dict);
    if (!dict.n || reader_next(&d) != TOKEN_DICT)
        return bad(f, "");
    while (next_key(&d, &key, ROLE_COUNT, role_at)) {
        if (key < 0 ? !reader_skip(&d, &value) : !read_role(r, (enum role)key, &d))
            return bad(f, key < 0 ? "" : role_names[key]);
    }
    if (d.error)
        return bad(f, d.error);
    if (r->roles & wanted)
        return true;
    fault_set(f, VIOLATION, "roles names none that the other side can have");
    return false;
}

/* ---- writing ----------------------------------------------------------------------- */

static size_t bits(uint32_t set)
{
    size_t n = 0;

    for (; set; set &= set - 1)
        n++;
    return n;
}

static void write_features(uint32_t set, struct writer *w)
{
    writer_dict(w, bits(set));
    for (int i = 0; i < FEATURE_COUNT; i++) {
        if (!(set >> i & 1))
            continue;
        writer_key(w, slice_of(features[i].name));
        writer_bool(w, true);
    }
    writer_dict_end(w);
}

void roles_encode(const struct roles *r, struct writer *w)
{
    writer_dict(w, bits(r->roles));
    for (int i = 0; i < ROLE_COUNT; i++) {
        if (!(r->roles >> i & 1))
            continue;
        writer_key(w, slice_of(role_names[i]));
        writer_dict(w, 1);
        writer_key(w, SLICE("features"));
        write_features(r->features[i], w);
        writer_dict_end(w);
    }
    writer_dict_end(w);
}
