/* session_check.c - what an intent is refused for before anything is sent.
 *
 * A request with a URI that the router would reject, an option of the wrong type, or an
 * option whose feature the router did not announce (WAMP: feature announcement) fails
 * here, at the line of the app that is wrong, with words that name it. A router that does
 * not know an option ignores it silently, which is worse.
 *
 * Not known here: what happens to a request that passes. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wamp/session_private.h"

/* The value of an option that says the same as leaving it out: it needs no feature. */
enum idle { IDLE_NONE, IDLE_FALSE, IDLE_TRUE, IDLE_ZERO, IDLE_EXACT, IDLE_SINGLE };

struct need {
    enum msg_code code;
    enum opt option;
    enum idle idle;
    enum role role;
    enum feature feature;
};

/* clang-format off */
#define NEED(code, option, idle, role, feature) \
    { MSG_##code, OPT_##option, IDLE_##idle, ROLE_##role, FEATURE_##feature }

static const struct need needs[] = {
    NEED(SUBSCRIBE, MATCH,             EXACT,  BROKER, PATTERN_BASED_SUBSCRIPTION),
    NEED(SUBSCRIBE, GET_RETAINED,      FALSE,  BROKER, EVENT_RETENTION),
    NEED(PUBLISH,   RETAIN,            FALSE,  BROKER, EVENT_RETENTION),
    NEED(PUBLISH,   EXCLUDE_ME,        TRUE,   BROKER, PUBLISHER_EXCLUSION),
    NEED(PUBLISH,   DISCLOSE_ME,       FALSE,  BROKER, PUBLISHER_IDENTIFICATION),
    NEED(PUBLISH,   EXCLUDE,           NONE,   BROKER, SUBSCRIBER_BLACKWHITE_LISTING),
    NEED(PUBLISH,   EXCLUDE_AUTHID,    NONE,   BROKER, SUBSCRIBER_BLACKWHITE_LISTING),
    NEED(PUBLISH,   EXCLUDE_AUTHROLE,  NONE,   BROKER, SUBSCRIBER_BLACKWHITE_LISTING),
    NEED(PUBLISH,   ELIGIBLE,          NONE,   BROKER, SUBSCRIBER_BLACKWHITE_LISTING),
    NEED(PUBLISH,   ELIGIBLE_AUTHID,   NONE,   BROKER, SUBSCRIBER_BLACKWHITE_LISTING),
    NEED(PUBLISH,   ELIGIBLE_AUTHROLE, NONE,   BROKER, SUBSCRIBER_BLACKWHITE_LISTING),
    NEED(PUBLISH,   PPT_SCHEME,        NONE,   BROKER, PAYLOAD_PASSTHRU_MODE),
    NEED(PUBLISH,   ENC_ALGO,          NONE,   BROKER, PAYLOAD_TRANSPARENCY),
    NEED(REGISTER,  MATCH,             EXACT,  DEALER, PATTERN_BASED_REGISTRATION),
    NEED(REGISTER,  INVOKE,            SINGLE, DEALER, SHARED_REGISTRATION),
    NEED(REGISTER,  DISCLOSE_CALLER,   FALSE,  DEALER, CALLER_IDENTIFICATION),
    NEED(REGISTER,  FORWARD_TIMEOUT,   FALSE,  DEALER, CALL_TIMEOUT),
    NEED(CALL,      DISCLOSE_ME,       FALSE,  DEALER, CALLER_IDENTIFICATION),
    NEED(CALL,      RECEIVE_PROGRESS,  FALSE,  DEALER, PROGRESSIVE_CALL_RESULTS),
    NEED(CALL,      PROGRESS,          FALSE,  DEALER, PROGRESSIVE_CALL_INVOCATIONS),
    NEED(CALL,      TIMEOUT,           ZERO,   DEALER, CALL_TIMEOUT),
    NEED(CALL,      PPT_SCHEME,        NONE,   DEALER, PAYLOAD_PASSTHRU_MODE),
    NEED(CALL,      ENC_ALGO,          NONE,   DEALER, PAYLOAD_TRANSPARENCY),
    NEED(YIELD,     PPT_SCHEME,        NONE,   DEALER, PAYLOAD_PASSTHRU_MODE),
    NEED(ERROR,     PPT_SCHEME,        NONE,   DEALER, PAYLOAD_PASSTHRU_MODE),
    NEED(YIELD,     ENC_ALGO,          NONE,   DEALER, PAYLOAD_TRANSPARENCY),
    NEED(ERROR,     ENC_ALGO,          NONE,   DEALER, PAYLOAD_TRANSPARENCY),
};
/* clang-format on */

int session_refuse(struct session *s, enum session_error error, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(s->refusal, sizeof s->refusal, fmt, args);
    va_end(args);
    return error;
}

static bool is_idle(const struct opts *o, const struct need *need)
{
    switch (need->idle) {
    case IDLE_FALSE:
        return !opt_is(o, need->option, false);
    case IDLE_TRUE:
        return opt_is(o, need->option, true);
    case IDLE_ZERO:
        return opt_int(o, need->option) == 0;
    case IDLE_EXACT:
        return slice_is(opt_text(o, need->option), "exact");
    case IDLE_SINGLE:
        return slice_is(opt_text(o, need->option), "single");
    case IDLE_NONE:
        break;
    }
    return false;
}

static int check_features(struct session *s, const struct msg *m, const struct opts *o)
{
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        const struct need *need = &needs[i];

        if (need->code != m->row->code || !opt_has(o, need->option) || is_idle(o, need) ||
            roles_can(&s->router, need->role, need->feature))
            continue;
        return session_refuse(s, SESSION_NO_FEATURE,
                              "the router did not announce %s (needed by %s)",
                              feature_name(need->feature), opt_name(need->option));
    }
    return SESSION_OK;
}

/* The options of messages that came are a dict: they were decoded. Ours were not. */
static bool is_a(const struct wire *wire, struct slice value, enum token kind)
{
    struct reader r;

    reader_init(&r, wire, value);
    return reader_next(&r) == kind;
}

static int check_uri(struct session *s, const struct msg *m, const struct opts *o)
{
    struct fault f;

    if (msg_uri_ok(m, o, false, &f))
        return SESSION_OK;
    return session_refuse(
        s, strcmp(f.uri, "wamp.error.invalid_uri") ? SESSION_BAD_OPTION : SESSION_BAD_URI,
        "%s", f.text);
}

static int check_options(struct session *s, const struct msg *m, const struct opts *o)
{
    const enum feature parts = FEATURE_PROGRESSIVE_CALL_INVOCATIONS;

    /* A router ends the session of who uses this without having announced it. */
    if (m->row->code == MSG_CALL && opt_is(o, OPT_PROGRESS, false) &&
        !roles_can(&s->own, ROLE_CALLER, parts))
        return session_refuse(s, SESSION_NO_FEATURE,
                              "this client did not announce %s (needed by progress)",
                              feature_name(parts));
    if (opt_has(o, OPT_ENC_ALGO) && (!m->args.p || is_a(s->wire, m->args, TOKEN_LIST)))
        return session_refuse(s, SESSION_BAD_OPTION,
                              "%s: enc_algo is for a message made by hand, whose args "
                              "are a wampy.binary",
                              m->row->name);
    return o->present ? check_features(s, m, o) : SESSION_OK;
}

int session_check(struct session *s, const struct msg *m, struct asked *asked)
{
    struct opts o;
    struct fault f;
    int error;

    if (s->state != SESSION_JOINED)
        return session_refuse(s, SESSION_NOT_JOINED, "not joined");
    if (!utf8_ok(m->uri))
        return session_refuse(s, SESSION_BAD_URI, "%s: the URI is not UTF-8",
                              m->row->name);
    if (m->dict.p && !is_a(s->wire, m->dict, TOKEN_DICT))
        return session_refuse(s, SESSION_BAD_OPTION, "%s: options must be a dict",
                              m->row->name);
    if (!opts_decode(&o, m, &f))
        return session_refuse(s, SESSION_BAD_OPTION, "%s", f.text);
    error = check_uri(s, m, &o);
    if (!error)
        error = check_options(s, m, &o);
    asked->acknowledge = opt_is(&o, OPT_ACKNOWLEDGE, false);
    asked->parts = m->row->code == MSG_CALL && opt_is(&o, OPT_PROGRESS, false);
    opts_fini(&o);
    return error;
}

const char *session_last_error(const struct session *s)
{
    return s->refusal;
}
