/* opts.h - the known keys of options and details dicts, as one table.
 *
 * A dict is parsed once, into a struct opts: a bit for each known key that was there,
 * and its value. Unknown keys are skipped (WAMP: receivers ignore them); a known key of
 * the wrong type, or one given twice, is a protocol violation. Lists and dicts stay
 * slices of the message. */
#ifndef WAMP_OPTS_H
#define WAMP_OPTS_H

#include "wamp/msg.h"
#include "wamp/uri.h"

enum opt {
    /* booleans */
    OPT_ACKNOWLEDGE,
    OPT_EXCLUDE_ME,
    OPT_DISCLOSE_ME,
    OPT_RETAIN,
    OPT_GET_RETAINED,
    OPT_RETAINED,
    OPT_RECEIVE_PROGRESS,
    OPT_PROGRESS,
    OPT_DISCLOSE_CALLER,
    OPT_FORWARD_TIMEOUT,
    OPT_FORCE_REREGISTER,
    /* integers >= 0 */
    OPT_TIMEOUT,
    OPT_CONCURRENCY,
    OPT_TRUSTLEVEL,
    OPT_CALLER,
    OPT_PUBLISHER,
    OPT_SUBSCRIPTION, /* in revocations */
    OPT_REGISTRATION,
    /* strings */
    OPT_MATCH,
    OPT_INVOKE,
    OPT_MODE,
    OPT_TOPIC,
    OPT_PROCEDURE,
    OPT_REASON,
    OPT_MESSAGE,
    OPT_CALLER_AUTHID,
    OPT_CALLER_AUTHROLE,
    OPT_PUBLISHER_AUTHID,
    OPT_PUBLISHER_AUTHROLE,
    OPT_PPT_SCHEME,
    OPT_PPT_SERIALIZER,
    OPT_PPT_CIPHER,
    OPT_PPT_KEYID,
    OPT_ENC_ALGO,
    OPT_ENC_KEY,
    OPT_ENC_SERIALIZER,
    OPT_AUTHID,
    OPT_AUTHROLE,
    OPT_AUTHMETHOD,
    OPT_AUTHPROVIDER,
    OPT_AGENT,
    OPT_REALM,
    /* lists of ids, lists of strings */
    OPT_EXCLUDE,
    OPT_ELIGIBLE,
    OPT_EXCLUDE_AUTHID,
    OPT_EXCLUDE_AUTHROLE,
    OPT_ELIGIBLE_AUTHID,
    OPT_ELIGIBLE_AUTHROLE,
    OPT_AUTHMETHODS,
    /* dicts */
    OPT_ROLES,
    OPT_AUTHEXTRA,
    OPT_COUNT
};

struct opts {
    uint64_t present; /* bit per enum opt */
    uint64_t truth;   /* the value of each boolean */
    union {
        int64_t integer;
        struct slice text; /* a string decoded; a list or dict as raw bytes */
    } value[OPT_COUNT];
    struct buf *scratch; /* owned; NULL unless some string was escaped */
};

/* Parses the dict of `m` (an absent one is empty). False fills `f`, naming message, key
 * and what was expected. End with opts_fini; the slices live as long as `m` and `o`. */
bool opts_decode(struct opts *o, const struct msg *m, struct fault *f);
void opts_fini(struct opts *o);

static inline bool opt_has(const struct opts *o, enum opt key)
{
    return o->present >> key & 1;
}

/* A boolean, `absent` when it is not there. */
static inline bool opt_is(const struct opts *o, enum opt key, bool absent)
{
    return opt_has(o, key) ? o->truth >> key & 1 : absent;
}

/* A string, list or dict; the absent slice when it is not there. */
static inline struct slice opt_text(const struct opts *o, enum opt key)
{
    return opt_has(o, key) ? o->value[key].text : (struct slice){ 0 };
}

/* An integer, 0 when it is not there. */
static inline int64_t opt_int(const struct opts *o, enum opt key)
{
    return opt_has(o, key) ? o->value[key].integer : 0;
}

const char *opt_name(enum opt key); /* as on the wire */

/* Whether the URI of `m` obeys the rule of its place (WAMP: URIs; the match option
 * decides for REGISTER and SUBSCRIBE). False fills `f` with wamp.error.invalid_uri, or
 * with wamp.error.invalid_argument for a match policy that does not exist. */
bool msg_uri_ok(const struct msg *m, const struct opts *o, bool strict, struct fault *f);

/* The match policy of a SUBSCRIBE or REGISTER that passed msg_uri_ok. */
enum uri_match opt_match(const struct opts *o);

#endif
