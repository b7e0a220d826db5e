/* test_roles.c - what peers announce: which feature counts for which role, what is
 * ignored, and what is no announcement at all. */
#include "check.h"
#include "wamp/roles.h"

void test_roles(void);

#define CLIENT_ROLES \
    (1u << ROLE_PUBLISHER | 1u << ROLE_SUBSCRIBER | 1u << ROLE_CALLER | 1u << ROLE_CALLEE)
#define ROUTER_ROLES (1u << ROLE_BROKER | 1u << ROLE_DEALER)
#define ALL_ROLES (CLIENT_ROLES | ROUTER_ROLES)

/* The specification's table of features: publisher, subscriber, caller, callee,
 * broker, dealer; and two of an older draft. */
static const struct {
    const char *name, *roles;
} facts[] = {
    { "progressive_call_results", "--xx-x" },
    { "progressive_call_invocations", "--xx-x" },
    { "call_timeout", "--xx-x" },
    { "call_canceling", "--xx-x" },
    { "caller_identification", "--xx-x" },
    { "call_trustlevels", "---x-x" },
    { "registration_meta_api", "-----x" },
    { "pattern_based_registration", "---x-x" },
    { "shared_registration", "---x-x" },
    { "registration_revocation", "---x-x" },
    { "call_reroute", "---x-x" },
    { "testament_meta_api", "-----x" },
    { "session_meta_api", "----xx" },
    { "subscriber_blackwhite_listing", "x---x-" },
    { "publisher_exclusion", "x---x-" },
    { "publisher_identification", "xx--x-" },
    { "publication_trustlevels", "-x--x-" },
    { "subscription_meta_api", "----x-" },
    { "pattern_based_subscription", "-x--x-" },
    { "event_history", "----x-" },
    { "event_retention", "----x-" },
    { "subscription_revocation", "-x--x-" },
    { "payload_passthru_mode", "xxxxxx" },
    { "payload_transparency", "xxxxxx" },
    { "payload_encryption_cryptobox", "xxxxxx" },
};

static const char *const names[] = { "publisher", "subscriber", "caller",
                                     "callee",    "broker",     "dealer" };

static bool read(struct roles *r, const char *text, unsigned wanted)
{
    struct fault f = { .uri = "", .text = "" };
    bool ok = roles_decode(r, &wire_json, slice_of(text), wanted, &f);

    CHECK(ok || !strcmp(f.uri, "wamp.error.protocol_violation"));
    return ok;
}

static void truth(void)
{
    char text[200];

    TEST("roles and features have the names of the specification");
    CHECK_INT(sizeof facts / sizeof *facts, FEATURE_COUNT);
    for (int i = 0; i < FEATURE_COUNT; i++)
        CHECK_STR(feature_name((enum feature)i), facts[i].name);
    for (int i = 0; i < ROLE_COUNT; i++)
        CHECK_STR(role_name((enum role)i), names[i]);

    TEST("a feature counts for the roles that may announce it, and for no other");
    for (int role = 0; role < ROLE_COUNT; role++) {
        for (int i = 0; i < FEATURE_COUNT; i++) {
            struct roles r;
            uint32_t bit = facts[i].roles[role] == 'x' ? 1u << i : 0;

            snprintf(text, sizeof text, "{\"%s\":{\"features\":{\"%s\":true}}}",
                     names[role], facts[i].name);
            CHECK(read(&r, text, ALL_ROLES));
            CHECK_INT(r.roles, 1u << role);
            CHECK_INT(r.features[role], bit);
            CHECK_INT(roles_can(&r, (enum role)role, (enum feature)i), bit != 0);
            CHECK(!roles_can(&r, (enum role)((role + 1) % ROLE_COUNT), (enum feature)i));
        }
    }
}

static void ignored(void)
{
    struct roles r;

    TEST("what is not known is ignored, and no value but true announces");
    CHECK(
        read(&r,
             "{\"x_role\":[1],\"caller\":{\"x\":1,\"features\":{\"x_new\":true,"
             "\"call_timeout\":false,\"call_canceling\":1,\"caller_identification\":null,"
             "\"progressive_call_results\":\"true\",\"event_history\":true}}}",
             CLIENT_ROLES));
    CHECK_INT(r.roles, 1u << ROLE_CALLER);
    CHECK_INT(r.features[ROLE_CALLER], 0);

    TEST("a role without features, or with null for them, has none");
    CHECK(read(&r, "{\"broker\":{},\"dealer\":{\"features\":null}}", ROUTER_ROLES));
    CHECK(roles_has(&r, ROLE_BROKER) && roles_has(&r, ROLE_DEALER));
    CHECK(!roles_has(&r, ROLE_CALLER));
    CHECK_INT(r.features[ROLE_BROKER] | r.features[ROLE_DEALER], 0);

    TEST("both spellings of call_canceling are taken, and escaped names");
    CHECK(
        read(&r, "{\"dealer\":{\"features\":{\"call_cancelling\":true}}}", ROUTER_ROLES));
    CHECK(roles_can(&r, ROLE_DEALER, FEATURE_CALL_CANCELING));
    CHECK(read(&r,
               "{\"d\\u0065aler\":{\"\\u0066eatures\":{\"call_tim\\u0065out\":true}}"
               "}",
               ROUTER_ROLES));
    CHECK(roles_can(&r, ROLE_DEALER, FEATURE_CALL_TIMEOUT));
}

static void refused(void)
{
    static const char *const bad[] = {
        "",
        "null",
        "true",
        "[]",
        "[\"caller\"]",
        "\"caller\"",
        "{}",
        "{\"x_role\":{}}",
        "{\"broker\":{},\"dealer\":{}}",
        "{\"caller\":null}",
        "{\"caller\":true}",
        "{\"caller\":[]}",
        "{\"caller\":{\"features\":[]}}",
        "{\"caller\":{\"features\":true}}",
        "{\"caller\":{},\"callee\":1}",
        "{\"caller\":{\"features\":{\"call_timeout\":}}}",
        "{\"caller\":{\"features\":{}}",
        "{\"caller\":{}",
        "{\"caller\":{},\"c\\u0061ller\":{}}",
        "{\"caller\":{\"features\":{\"call_timeout\":true,\"call_timeout\":false}}}",
    };
    struct roles r;
    struct fault f;

    TEST("roles must be a dict of dicts with one that the other side can have");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (read(&r, bad[i], CLIENT_ROLES))
            check_fail(__FILE__, __LINE__, bad[i]);
    CHECK(!roles_decode(&r, &wire_json, (struct slice){ NULL, 0 }, CLIENT_ROLES, &f));
    CHECK_STR(f.text, "roles must be a dict of dicts, each once");
    CHECK(!roles_decode(&r, &wire_json, SLICE("{\"callee\":[]}"), CLIENT_ROLES, &f));
    CHECK_STR(f.text, "roles must be a dict of dicts, each once: callee");

    TEST("roles of both sides in one announcement are all remembered");
    CHECK(read(&r, "{\"caller\":{},\"broker\":{}}", CLIENT_ROLES));
    CHECK(roles_has(&r, ROLE_CALLER) && roles_has(&r, ROLE_BROKER));
}

static void written(void)
{
    struct roles r = { 0 }, back;
    struct writer w;
    struct buf *b;

    TEST("roles are written with a features dict each");
    r.roles = 1u << ROLE_PUBLISHER | 1u << ROLE_CALLEE;
    r.features[ROLE_CALLEE] = 1u << FEATURE_CALL_TIMEOUT | 1u << FEATURE_CALL_CANCELING;
    writer_init(&w, &wire_json, 0);
    roles_encode(&r, &w);
    b = writer_take(&w);
    CHECK(slice_is(slice_buf(b),
                   "{\"publisher\":{\"features\":{}},\"callee\":{\"features\":"
                   "{\"call_timeout\":true,\"call_canceling\":true}}}"));
    buf_unref(b);

    TEST("everything that can be announced comes back as it was written");
    r.roles = ALL_ROLES;
    for (int role = 0; role < ROLE_COUNT; role++)
        for (int i = 0; i < FEATURE_COUNT; i++)
            r.features[role] |= facts[i].roles[role] == 'x' ? 1u << i : 0;
    writer_init(&w, &wire_json, 0);
    roles_encode(&r, &w);
    b = writer_take(&w);
    buf_append(&b, "", 1);
    CHECK(read(&back, b->data, ALL_ROLES));
    CHECK_INT(back.roles, r.roles);
    for (int role = 0; role < ROLE_COUNT; role++)
        CHECK_INT(back.features[role], r.features[role]);
    buf_unref(b);
}

void test_roles(void)
{
    truth();
    ignored();
    refused();
    written();
}
