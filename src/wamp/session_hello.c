/* session_hello.c - what a client says about itself: HELLO, with the roles and features
 * that this session and an app above it really have, and whatever the app adds.
 *
 * Not known here: when it is sent, and what the router makes of it. */
#include "wamp/session_private.h"

#define BIT(name) (1u << FEATURE_##name)
#define CARRIES (BIT(PAYLOAD_PASSTHRU_MODE) | BIT(PAYLOAD_TRANSPARENCY))

/* What this session, with an app above it, can do. */
static const struct roles all_roles = {
    .roles = 1u << ROLE_PUBLISHER | 1u << ROLE_SUBSCRIBER | 1u << ROLE_CALLER |
             1u << ROLE_CALLEE,
    .features = {
        [ROLE_PUBLISHER] = BIT(PUBLISHER_EXCLUSION) | BIT(PUBLISHER_IDENTIFICATION) |
                           BIT(SUBSCRIBER_BLACKWHITE_LISTING) |
                           CARRIES,
        [ROLE_SUBSCRIBER] = BIT(PATTERN_BASED_SUBSCRIPTION) |
                            BIT(PUBLISHER_IDENTIFICATION) |
                            BIT(SUBSCRIPTION_REVOCATION) |
                            CARRIES,
        [ROLE_CALLER] = BIT(CALL_CANCELING) | BIT(CALL_TIMEOUT) |
                        BIT(CALLER_IDENTIFICATION) |
                        BIT(PROGRESSIVE_CALL_RESULTS) |
                        BIT(PROGRESSIVE_CALL_INVOCATIONS) | CARRIES,
        [ROLE_CALLEE] = BIT(CALL_CANCELING) | BIT(CALL_TIMEOUT) |
                        BIT(CALLER_IDENTIFICATION) | BIT(PROGRESSIVE_CALL_RESULTS) |
                        BIT(PROGRESSIVE_CALL_INVOCATIONS) |
                        BIT(PATTERN_BASED_REGISTRATION) |
                        BIT(SHARED_REGISTRATION) | BIT(REGISTRATION_REVOCATION) |
                        CARRIES,
    },
};

const struct roles *session_client_roles(void)
{
    return &all_roles;
}

static bool is_ours(struct slice key, const struct session_config *config)
{
    return slice_is(key, "roles") || (config->agent && slice_is(key, "agent"));
}

/* Copies the members of the raw dict `more` (one level) into the dict being written, but
 * for those that we write ourselves. With `w` NULL only counts them. */
static size_t splice(struct writer *w, const struct wire *wire,
                     const struct session_config *config)
{
    struct reader r;
    struct slice value;
    size_t n = 0;

    if (!config->hello.p)
        return 0;
    reader_init(&r, wire, config->hello);
    reader_next(&r);
    while (reader_next(&r) == TOKEN_KEY) {
        struct buf *scratch = NULL;
        struct slice key = reader_text(&r, &scratch);
        bool ours = is_ours(key, config);

        if (w && !ours)
            writer_key(w, key);
        if (reader_skip(&r, &value) && w && !ours)
            writer_raw(w, value);
        buf_unref(scratch);
        n += !ours;
    }
    return n;
}

struct buf *session_make_hello(const struct wire *wire,
                               const struct session_config *config)
{
    struct msg m = { .row = msg_row(MSG_HELLO), .uri = slice_of(config->realm) };
    struct writer w;
    struct buf *hello;

    writer_init(&w, wire, 1024);
    writer_dict(&w, splice(NULL, wire, config) + (config->agent ? 2 : 1));
    writer_key(&w, SLICE("roles"));
    roles_encode(config->roles.roles ? &config->roles : &all_roles, &w);
    if (config->agent) {
        writer_key(&w, SLICE("agent"));
        writer_string(&w, slice_of(config->agent));
    }
    splice(&w, wire, config);
    writer_dict_end(&w);
    m.wire = wire;
    m.dict = slice_buf(w.buf);
    hello = msg_encode(&m, wire);
    writer_fini(&w);
    return hello;
}

struct buf *session_make_progress(const struct wire *wire)
{
    struct writer w;

    writer_init(&w, wire, 32);
    writer_dict(&w, 1);
    writer_key(&w, SLICE("progress"));
    writer_bool(&w, true);
    writer_dict_end(&w);
    return writer_take(&w);
}
