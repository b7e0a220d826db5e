/* opts.c - the known keys of options and details: one table, one walk over a dict, and
 * the rules of URIs, which depend on options.
 *
 * A row of the table is a key, its type and the messages it is known in. A key is
 * known only there: {"timeout": "x"} is a violation in a CALL and of no interest in a
 * SUBSCRIBE (WAMP: receivers ignore unknown keys). A new key is a row here and an enum
 * opt in opts.h, in the same order.
 *
 * No key may come twice, known or not: two readers of one dict must not read two
 * messages. To say so the names of unknown keys are kept while the dict is read, which
 * is why there is a limit to them.
 *
 * What it does not know: what an option does, who may use it, and the value of a list
 * or dict beyond the types in it. */
#include "wamp/opts.h"

#include "wamp/ids.h"

#define VIOLATION "wamp.error.protocol_violation"

enum kind { BOOL, INTEGER, ID, STRING, IDS, STRINGS, DICT };

static const char *const kind_names[] = { "true or false",
                                          "an integer that is not negative",
                                          "an integer from 1 to 9007199254740992",
                                          "a string",
                                          "a list of ids",
                                          "a list of strings",
                                          "a dict" };

/* Sets of messages. Codes end at 70; 64 to 70 take the place of 40 to 46, which are
 * not used. */
#define IN(message) (1ULL << (MSG_##message < 64 ? MSG_##message : MSG_##message - 24))
#define PAYLOADS                                                                    \
    (IN(PUBLISH) | IN(EVENT) | IN(CALL) | IN(INVOCATION) | IN(YIELD) | IN(RESULT) | \
     IN(ERROR))
#define PROGRESSIVE (IN(CALL) | IN(INVOCATION) | IN(YIELD) | IN(RESULT))
#define REVOCATIONS (IN(UNSUBSCRIBED) | IN(UNREGISTERED))

/* clang-format off */
static const struct key {
    struct slice name;
    enum kind kind;
    uint64_t in;
} keys[OPT_COUNT] = {
#define KEY(opt, name, kind, in) [OPT_##opt] = { { name, sizeof name - 1 }, kind, in }
    KEY(ACKNOWLEDGE,        "acknowledge",        BOOL,    IN(PUBLISH)),
    KEY(EXCLUDE_ME,         "exclude_me",         BOOL,    IN(PUBLISH)),
    KEY(DISCLOSE_ME,        "disclose_me",        BOOL,    IN(PUBLISH) | IN(CALL)),
    KEY(RETAIN,             "retain",             BOOL,    IN(PUBLISH)),
    KEY(GET_RETAINED,       "get_retained",       BOOL,    IN(SUBSCRIBE)),
    KEY(RETAINED,           "retained",           BOOL,    IN(EVENT)),
    KEY(RECEIVE_PROGRESS,   "receive_progress",   BOOL,    IN(CALL) | IN(INVOCATION)),
    KEY(PROGRESS,           "progress",           BOOL,    PROGRESSIVE),
    KEY(DISCLOSE_CALLER,    "disclose_caller",    BOOL,    IN(REGISTER)),
    KEY(FORWARD_TIMEOUT,    "forward_timeout",    BOOL,    IN(REGISTER)),
    KEY(FORCE_REREGISTER,   "force_reregister",   BOOL,    IN(REGISTER)),

    KEY(TIMEOUT,            "timeout",            INTEGER, IN(CALL) | IN(INVOCATION)),
    KEY(CONCURRENCY,        "concurrency",        INTEGER, IN(REGISTER)),
    KEY(TRUSTLEVEL,         "trustlevel",         INTEGER, IN(EVENT) | IN(INVOCATION)),
    KEY(CALLER,             "caller",             ID,      IN(INVOCATION)),
    KEY(PUBLISHER,          "publisher",          ID,      IN(EVENT)),
    KEY(SUBSCRIPTION,       "subscription",       ID,      IN(UNSUBSCRIBED)),
    KEY(REGISTRATION,       "registration",       ID,      IN(UNREGISTERED)),

    KEY(MATCH,              "match",              STRING,  IN(SUBSCRIBE) | IN(REGISTER)),
    KEY(INVOKE,             "invoke",             STRING,  IN(REGISTER)),
    KEY(MODE,               "mode",               STRING,  IN(CANCEL) | IN(INTERRUPT)),
    KEY(TOPIC,              "topic",              STRING,  IN(EVENT)),
    KEY(PROCEDURE,          "procedure",          STRING,  IN(INVOCATION)),
    KEY(REASON,             "reason",             STRING,  IN(INTERRUPT) | REVOCATIONS),
    KEY(MESSAGE,            "message",            STRING,  IN(ABORT) | IN(GOODBYE)),
    KEY(CALLER_AUTHID,      "caller_authid",      STRING,  IN(INVOCATION)),
    KEY(CALLER_AUTHROLE,    "caller_authrole",    STRING,  IN(INVOCATION)),
    KEY(PUBLISHER_AUTHID,   "publisher_authid",   STRING,  IN(EVENT)),
    KEY(PUBLISHER_AUTHROLE, "publisher_authrole", STRING,  IN(EVENT)),
    KEY(PPT_SCHEME,         "ppt_scheme",         STRING,  PAYLOADS),
    KEY(PPT_SERIALIZER,     "ppt_serializer",     STRING,  PAYLOADS),
    KEY(PPT_CIPHER,         "ppt_cipher",         STRING,  PAYLOADS),
    KEY(PPT_KEYID,          "ppt_keyid",          STRING,  PAYLOADS),
    KEY(ENC_ALGO,           "enc_algo",           STRING,  PAYLOADS),
    KEY(ENC_KEY,            "enc_key",            STRING,  PAYLOADS),
    KEY(ENC_SERIALIZER,     "enc_serializer",     STRING,  PAYLOADS),
    KEY(AUTHID,             "authid",             STRING,  IN(HELLO) | IN(WELCOME)),
    KEY(AUTHROLE,           "authrole",           STRING,  IN(HELLO) | IN(WELCOME)),
    KEY(AUTHMETHOD,         "authmethod",         STRING,  IN(WELCOME)),
    KEY(AUTHPROVIDER,       "authprovider",       STRING,  IN(WELCOME)),
    KEY(AGENT,              "agent",              STRING,  IN(HELLO) | IN(WELCOME)),
    KEY(REALM,              "realm",              STRING,  IN(WELCOME)),

    KEY(EXCLUDE,            "exclude",            IDS,     IN(PUBLISH)),
    KEY(ELIGIBLE,           "eligible",           IDS,     IN(PUBLISH)),
    KEY(EXCLUDE_AUTHID,     "exclude_authid",     STRINGS, IN(PUBLISH)),
    KEY(EXCLUDE_AUTHROLE,   "exclude_authrole",   STRINGS, IN(PUBLISH)),
    KEY(ELIGIBLE_AUTHID,    "eligible_authid",    STRINGS, IN(PUBLISH)),
    KEY(ELIGIBLE_AUTHROLE,  "eligible_authrole",  STRINGS, IN(PUBLISH)),
    KEY(AUTHMETHODS,        "authmethods",        STRINGS, IN(HELLO)),

    KEY(ROLES,              "roles",              DICT,    IN(HELLO) | IN(WELCOME)),
    KEY(AUTHEXTRA,          "authextra",          DICT,    IN(HELLO) | IN(WELCOME)),
#undef KEY
};
/* clang-format on */

_Static_assert(OPT_COUNT <= 64, "struct opts has a bit for each key");

/* One dict being read. */
struct walk {
    struct opts *o;
    const struct msg *m;
    struct fault *f;
    struct reader r;
    uint64_t in;   /* the message's bit */
    uint64_t seen; /* known keys that were there, null or not */
    size_t others; /* and unknown ones */
    struct slice names[LIMIT_UNKNOWN_KEYS];
};

const char *opt_name(enum opt key)
{
    return keys[key].name.p;
}

/* ---- values ------------------------------------------------------------------------ */

/* From behind the `[` of a list to its end: whether all elements are of the kind. */
static bool is_list_of(struct reader *r, enum kind kind)
{
    enum token token = reader_next(r);

    for (; token != TOKEN_LIST_END; token = reader_next(r)) {
        if (kind == IDS ? token != TOKEN_INT || !id_ok(r->integer)
                        : token != TOKEN_STRING)
            return false;
    }
    return true;
}

/* Decoded strings must not move when the next one comes, so there is room for all from
 * the start: none is longer decoded than it is in the dict. */
static struct slice decoded(struct walk *k, const struct reader *r)
{
    if (r->escaped && !k->o->scratch)
        k->o->scratch = buf_new(k->m->dict.n);
    return reader_text(r, &k->o->scratch);
}

/* Puts the value in `raw` in its place; false when it is not of the key's kind. */
static bool set(struct walk *k, enum opt key, struct slice raw)
{
    struct opts *o = k->o;
    struct reader r;
    enum token token;

    reader_init(&r, k->m->wire, raw);
    token = reader_next(&r);
    o->value[key].text = raw;
    switch (keys[key].kind) {
    case BOOL:
        o->truth |= (uint64_t)(token == TOKEN_TRUE) << key;
        return token == TOKEN_TRUE || token == TOKEN_FALSE;
    case INTEGER:
        o->value[key].integer = r.integer;
        return token == TOKEN_INT && r.integer >= 0;
    case ID:
        o->value[key].integer = r.integer;
        return token == TOKEN_INT && id_ok(r.integer);
    case STRING:
        if (token == TOKEN_STRING)
            o->value[key].text = decoded(k, &r);
        return token == TOKEN_STRING;
    case DICT:
        return token == TOKEN_DICT;
    default:
        return token == TOKEN_LIST && is_list_of(&r, keys[key].kind);
    }
}

/* Clients write null for what they do not know when they join (autobahn-js: authid,
 * authextra), and where they subscribe and the format has a word for undefined
 * (wampy.js in MsgPack and CBOR: match, get_retained). Nowhere else: a list of who may
 * have an event that is null must not mean everybody. */
static bool may_be_null(const struct walk *k)
{
    return k->in & (IN(HELLO) | IN(WELCOME) | IN(CHALLENGE) | IN(SUBSCRIBE));
}

static bool is_null(const struct wire *wire, struct slice raw)
{
    struct reader r;

    reader_init(&r, wire, raw);
    return reader_next(&r) == TOKEN_NULL;
}

/* ---- keys -------------------------------------------------------------------------- */

static bool find(const struct walk *k, struct slice name, enum opt *key)
{
    for (int i = 0; i < OPT_COUNT; i++) {
        if ((keys[i].in & k->in) && slice_eq(keys[i].name, name)) {
            *key = (enum opt)i;
            return true;
        }
    }
    return false;
}

static bool bad_format(struct walk *k)
{
    fault_set(k->f, VIOLATION, "%s: options or details: %s", k->m->row->name,
              k->r.error ? k->r.error : "must be a dict");
    return false;
}

static bool twice(struct walk *k, struct slice name)
{
    fault_set(k->f, VIOLATION, "%s: '%.*s' is there twice", k->m->row->name,
              (int)(name.n < 64 ? name.n : 64), name.p);
    return false;
}

static bool known(struct walk *k, enum opt key)
{
    uint64_t bit = 1ULL << key;
    struct slice raw;

    if (k->seen & bit)
        return twice(k, keys[key].name);
    k->seen |= bit;
    if (!reader_skip(&k->r, &raw))
        return bad_format(k);
    if (set(k, key, raw)) {
        k->o->present |= bit;
    } else if (!may_be_null(k) || !is_null(k->m->wire, raw)) {
        fault_set(k->f, VIOLATION, "%s: %s must be %s", k->m->row->name, opt_name(key),
                  kind_names[keys[key].kind]);
        return false;
    }
    return true;
}

static bool unknown(struct walk *k, struct slice name)
{
    struct slice raw;

    for (size_t i = 0; i < k->others; i++)
        if (slice_eq(k->names[i], name))
            return twice(k, name);
    if (k->others == LIMIT_UNKNOWN_KEYS) {
        fault_set(k->f, VIOLATION, "%s: more than %d unknown options or details",
                  k->m->row->name, LIMIT_UNKNOWN_KEYS);
        return false;
    }
    k->names[k->others++] = name;
    return reader_skip(&k->r, &raw) || bad_format(k);
}

static bool walk(struct walk *k)
{
    enum token token;
    enum opt key;

    if (reader_next(&k->r) != TOKEN_DICT)
        return bad_format(k);
    while ((token = reader_next(&k->r)) == TOKEN_KEY) {
        struct slice name = decoded(k, &k->r);

        if (!(find(k, name, &key) ? known(k, key) : unknown(k, name)))
            return false;
    }
    if (token == TOKEN_DICT_END)
        token = reader_next(&k->r);
    return token == TOKEN_END || bad_format(k);
}

/* Most dicts are {}; no format has a dict with something in it in two bytes. */
static bool is_empty(const struct msg *m)
{
    struct reader r;

    reader_init(&r, m->wire, m->dict);
    return m->dict.n <= 2 && reader_next(&r) == TOKEN_DICT;
}

bool opts_decode(struct opts *o, const struct msg *m, struct fault *f)
{
    struct walk k;
    enum msg_code code = m->row->code;

    o->present = o->truth = 0;
    o->scratch = NULL;
    if (m->dict.n == 0 || is_empty(m))
        return true;
    k.o = o;
    k.m = m;
    k.f = f;
    k.in = 1ULL << (code < 64 ? code : code - 24);
    k.seen = k.others = 0;
    reader_init(&k.r, m->wire, m->dict);
    if (walk(&k))
        return true;
    opts_fini(o);
    return false;
}

void opts_fini(struct opts *o)
{
    buf_unref(o->scratch);
    o->scratch = NULL;
}

/* ---- URIs -------------------------------------------------------------------------- */

enum uri_match opt_match(const struct opts *o)
{
    enum uri_match match = MATCH_EXACT;

    if (opt_has(o, OPT_MATCH))
        uri_match_of(opt_text(o, OPT_MATCH), &match);
    return match;
}

static bool match_ok(const struct msg *m, const struct opts *o, struct fault *f)
{
    struct slice name = opt_text(o, OPT_MATCH);
    enum uri_match match;

    if (!opt_has(o, OPT_MATCH) || uri_match_of(name, &match))
        return true;
    fault_set(f, "wamp.error.invalid_argument",
              "%s: match must be exact, prefix or wildcard, not '%.*s'", m->row->name,
              (int)(name.n < 64 ? name.n : 64), name.p);
    return false;
}

static bool bad_uri(const struct msg *m, enum uri_match match, struct fault *f)
{
    bool exact = match == MATCH_EXACT;

    fault_set(f, "wamp.error.invalid_uri", "%s: '%.*s' is not a valid URI%s%s",
              m->row->name, (int)(m->uri.n < 64 ? m->uri.n : 64), m->uri.p,
              exact ? "" : " to match by ", exact ? "" : uri_match_name(match));
    return false;
}

/* Realms, errors and reasons come from anywhere and are loose; names of topics and
 * procedures are as strict as the router wants, and not the router's own for who
 * publishes or registers; only who registers or subscribes may leave parts empty. */
bool msg_uri_ok(const struct msg *m, const struct opts *o, bool strict, struct fault *f)
{
    enum msg_code code = m->row->code;
    enum uri_match match = MATCH_EXACT;

    switch (code) {
    case MSG_HELLO:
    case MSG_ABORT:
    case MSG_GOODBYE:
    case MSG_ERROR:
        strict = false;
        break;
    case MSG_SUBSCRIBE:
    case MSG_REGISTER:
        if (!match_ok(m, o, f))
            return false;
        match = opt_match(o);
        break;
    case MSG_PUBLISH:
    case MSG_CALL:
        break;
    default:
        return true;
    }
    if (!uri_ok(m->uri, match, strict))
        return bad_uri(m, match, f);
    if ((code == MSG_PUBLISH || code == MSG_REGISTER) && uri_reserved(m->uri)) {
        fault_set(f, "wamp.error.invalid_uri",
                  "%s: names under wamp. belong to the router", m->row->name);
        return false;
    }
    return true;
}
