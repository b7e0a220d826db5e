/* meta_take.c - the arguments of the meta procedures, positional and by keyword.
 *
 * A procedure says in its row (meta.c) what it takes. Null stands for an argument that is
 * absent. What is not as the row says is wamp.error.invalid_argument: a keyword that
 * nobody knows, too, as a filter that is misspelt must not select everything. */
#include "router/meta.h"

/* ---- arguments --------------------------------------------------------------------- */

static bool refuse(struct query *q, const char *what)
{
    fault_set(&q->fault, "wamp.error.invalid_argument", "%s: %s", q->procedure->name,
              what);
    return false;
}

static bool take_id(struct query *q, struct reader *r)
{
    if (reader_next(r) != TOKEN_INT || !id_ok(r->integer))
        return refuse(q, "argument 1 must be an id");
    q->id = (uint64_t)r->integer;
    return true;
}

/* The second argument of two ids, or a limit: both are integers from 1. */
static bool take_other(struct query *q, enum token t, int64_t integer)
{
    if (t != TOKEN_INT || !id_ok(integer))
        return refuse(q, "argument 2 must be an integer from 1");
    q->other = (uint64_t)integer;
    return true;
}

static bool take_two_ids(struct query *q, struct reader *r)
{
    enum token t;

    if (!take_id(q, r))
        return false;
    t = reader_next(r);
    return take_other(q, t, r->integer);
}

/* An id, and an integer that may be absent. */
static bool take_id_and_limit(struct query *q, struct reader *r, enum token *t)
{
    if (!take_id(q, r))
        return false;
    *t = reader_next(r);
    return *t == TOKEN_LIST_END || *t == TOKEN_NULL || take_other(q, *t, r->integer);
}

static bool take_name(struct query *q, struct reader *r)
{
    if (reader_next(r) != TOKEN_STRING)
        return refuse(q, "argument 1 must be a string");
    q->text = reader_text(r, &q->scratch);
    return true;
}

/* The value of one key of the second argument of a lookup. */
static bool take_match(struct query *q, struct reader *r)
{
    struct buf *scratch = NULL;
    bool ok = reader_next(r) == TOKEN_STRING &&
              uri_match_of(reader_text(r, &scratch), &q->match);

    buf_unref(scratch);
    return ok || refuse(q, "match must be \"exact\", \"prefix\" or \"wildcard\"");
}

/* Whether the KEY just read is `name`. */
static bool key_is(const struct reader *r, const char *name)
{
    struct buf *scratch = NULL;
    bool is = slice_is(reader_text(r, &scratch), name);

    buf_unref(scratch);
    return is;
}

/* A dict of options, null, or the end of the arguments, which *t then says. */
static bool take_options(struct query *q, struct reader *r, enum token *t)
{
    struct slice value;

    *t = reader_next(r);
    if (*t == TOKEN_LIST_END || *t == TOKEN_NULL)
        return true;
    if (*t != TOKEN_DICT)
        return refuse(q, "argument 2 must be a dict, if it is there");
    while (reader_next(r) == TOKEN_KEY) {
        if (!key_is(r, "match"))
            reader_skip(r, &value);
        else if (!take_match(q, r))
            return false;
    }
    return true;
}

static bool take_uri(struct query *q, struct reader *r, enum token *t)
{
    if (!take_name(q, r))
        return false;
    if (q->procedure->takes == TAKES_URI_AND_MATCH && !take_options(q, r, t))
        return false;
    return uri_ok(q->text, q->match, q->caller->realm->strict_uris) ||
           refuse(q, "argument 1 must be a URI");
}

/* A list of strings, null, or the end of the arguments, which *t then says. */
static bool take_roles(struct query *q, struct reader *r, enum token *t)
{
    struct buf *scratch = NULL;
    enum token item;

    *t = reader_next(r);
    if (*t == TOKEN_LIST_END || *t == TOKEN_NULL)
        return true;
    q->filtered = true;
    item = *t == TOKEN_LIST ? reader_next(r) : TOKEN_ERROR;
    for (; item == TOKEN_STRING; item = reader_next(r)) {
        map_put_bytes(&q->authroles, reader_text(r, &scratch), q);
        buf_unref(scratch);
        scratch = NULL;
    }
    return item == TOKEN_LIST_END ||
           refuse(q, "argument 1 must be a list of authroles, if it is there");
}

/* The next argument as it stands, where it is a `kind`; absent where it is null, or the
 * arguments have ended, which *t then says. */
static bool take_raw(struct query *q, struct reader *r, enum token kind, enum token *t,
                     struct slice *value)
{
    struct reader inner;

    if (*t == TOKEN_LIST_END)
        return true;
    if (!reader_skip(r, value)) {
        *t = reader_next(r);
        return true;
    }
    reader_init(&inner, r->wire, *value);
    *t = reader_next(&inner);
    if (*t == TOKEN_NULL)
        *value = (struct slice){ 0 };
    return *t == TOKEN_NULL || *t == kind ||
           refuse(q, "arguments are a topic, a list and a dict");
}

static bool take_payload(struct query *q, struct reader *r, enum token *t)
{
    return take_name(q, r) && take_raw(q, r, TOKEN_LIST, t, &q->args) &&
           take_raw(q, r, TOKEN_DICT, t, &q->kwargs);
}

/* Takes the arguments of the list that `r` has opened, to its end. */
static bool take_args(struct query *q, struct reader *r)
{
    enum token t = TOKEN_NULL; /* the last one that was read */
    bool ok = true;

    switch (q->procedure->takes) {
    case TAKES_NOTHING:
        break;
    case TAKES_ID:
        ok = take_id(q, r);
        break;
    case TAKES_TWO_IDS:
        ok = take_two_ids(q, r);
        break;
    case TAKES_ID_AND_LIMIT:
        ok = take_id_and_limit(q, r, &t);
        break;
    case TAKES_PAYLOAD:
        ok = take_payload(q, r, &t);
        break;
    case TAKES_URI:
    case TAKES_URI_AND_MATCH:
        ok = take_uri(q, r, &t);
        break;
    case TAKES_ROLES:
        ok = take_roles(q, r, &t);
        break;
    case TAKES_NAME:
        ok = take_name(q, r);
        break;
    }
    if (!ok)
        return false;
    return t == TOKEN_LIST_END || reader_next(r) == TOKEN_LIST_END ||
           refuse(q, "too many arguments");
}

/* ---- by keyword -------------------------------------------------------------------- */

enum kind { TEXT, URI, BOOL, COUNT, ID, TIME, DICT };

static const struct {
    const char *name;
    enum kind kind;
    const char *is;
} keywords[KEYWORDS] = {
    [KW_REASON] = { "reason", URI, "a string of 1024 bytes at most" },
    [KW_MESSAGE] = { "message", TEXT, "a string of 1024 bytes at most" },
    [KW_SCOPE] = { "scope", TEXT, "a string of 1024 bytes at most" },
    [KW_PUBLISH_OPTIONS] = { "publish_options", DICT, "a dict" },
    [KW_REVERSE] = { "reverse", BOOL, "true or false" },
    [KW_LIMIT] = { "limit", COUNT, "an integer from 1" },
    [KW_FROM_TIME] = { "from_time", TIME, "a time as 2026-01-31T23:59:59Z" },
    [KW_AFTER_TIME] = { "after_time", TIME, "a time as 2026-01-31T23:59:59Z" },
    [KW_BEFORE_TIME] = { "before_time", TIME, "a time as 2026-01-31T23:59:59Z" },
    [KW_UNTIL_TIME] = { "until_time", TIME, "a time as 2026-01-31T23:59:59Z" },
    [KW_TOPIC] = { "topic", URI, "a string of 1024 bytes at most" },
    [KW_FROM_PUBLICATION] = { "from_publication", ID, "an id" },
    [KW_AFTER_PUBLICATION] = { "after_publication", ID, "an id" },
    [KW_BEFORE_PUBLICATION] = { "before_publication", ID, "an id" },
    [KW_UNTIL_PUBLICATION] = { "until_publication", ID, "an id" },
};

/* The value in `raw`; false when it is not of the keyword's kind. */
static bool set(struct query *q, enum keyword key, struct slice raw)
{
    struct keyword_value *v = &q->keywords[key];
    struct reader r;
    enum token t;

    reader_init(&r, q->caller->peer->wire, raw);
    t = reader_next(&r);
    v->text = raw;
    v->integer = r.integer;
    v->present = t != TOKEN_NULL;
    if (t == TOKEN_STRING)
        v->text = reader_text(&r, &v->scratch);
    switch (keywords[key].kind) {
    case TEXT:
    case URI:
        return !v->present || (t == TOKEN_STRING && v->text.n <= LIMIT_META_TEXT);
    case BOOL:
        v->integer = t == TOKEN_TRUE;
        return !v->present || t == TOKEN_TRUE || t == TOKEN_FALSE;
    case COUNT:
    case ID:
        return !v->present || (t == TOKEN_INT && id_ok(r.integer));
    case TIME:
        return !v->present || (t == TOKEN_STRING && date_read(v->text, &v->integer));
    default:
        return !v->present || t == TOKEN_DICT;
    }
}

static bool is_bad_uri(const struct query *q, enum keyword key)
{
    const struct keyword_value *v = &q->keywords[key];

    return keywords[key].kind == URI && v->present &&
           !uri_ok(v->text, MATCH_EXACT, q->caller->realm->strict_uris);
}

static bool take_keyword(struct query *q, enum keyword key, struct reader *r)
{
    struct slice raw;

    if (!reader_skip(r, &raw) || !set(q, key, raw)) {
        fault_set(&q->fault, "wamp.error.invalid_argument", "%s: %s must be %s",
                  q->procedure->name, keywords[key].name, keywords[key].is);
        return false;
    }
    if (is_bad_uri(q, key)) {
        fault_set(&q->fault, "wamp.error.invalid_uri", "%s: %s is not a URI",
                  q->procedure->name, keywords[key].name);
        return false;
    }
    return true;
}

static bool find_keyword(const struct query *q, const struct reader *r, enum keyword *key)
{
    struct buf *scratch = NULL;
    struct slice name = reader_text(r, &scratch);
    int i = KEYWORDS;

    while (i-- && !(q->procedure->keywords >> i & 1 && slice_is(name, keywords[i].name)))
        ;
    buf_unref(scratch);
    *key = (enum keyword)i;
    return i >= 0;
}

static bool take_keywords(struct query *q, struct slice dict)
{
    struct reader r;
    enum keyword key;

    reader_init(&r, q->caller->peer->wire, dict);
    reader_next(&r);
    while (reader_next(&r) == TOKEN_KEY) {
        if (!find_keyword(q, &r, &key))
            return refuse(q, "there is a keyword argument that it does not take");
        if (!take_keyword(q, key, &r))
            return false;
    }
    return true;
}

/* ---- all --------------------------------------------------------------------------- */

bool query_take(struct query *q, const struct msg *message)
{
    struct reader r;

    if (message->opaque)
        return refuse(q, "arguments must be a list");
    reader_init(&r, message->args.p ? message->wire : &wire_json,
                message->args.p ? message->args : SLICE("[]"));
    reader_next(&r);
    return take_args(q, &r) && (!message->kwargs.p || take_keywords(q, message->kwargs));
}

void query_fini(struct query *q)
{
    map_fini(&q->authroles);
    buf_unref(q->scratch);
    for (size_t i = 0; i < KEYWORDS; i++)
        buf_unref(q->keywords[i].scratch);
}
