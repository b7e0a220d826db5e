/* meta.c - calls of the router's own procedures (WAMP: meta APIs): which there are, who
 * may call them, what they take, and how the answer goes out.
 *
 * The answer is written in the caller's format at once; no call is kept. What is not as
 * the table says is wamp.error.invalid_argument. Ending sessions takes more than a
 * realm that allows everything: a permission that was written for wamp. names
 * (role_grants_meta). */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "router/meta.h"

/* clang-format off */
static const struct procedure procedures[] = {
    { "wamp.session.count", TAKES_ROLES, 0, session_count },
    { "wamp.session.list", TAKES_ROLES, 0, session_list },
    { "wamp.session.get", TAKES_ID, 0, session_get },
    { "wamp.session.kill", TAKES_ID, KILLS | MUTE, session_kill },
    { "wamp.session.kill_by_authid", TAKES_NAME, KILLS, session_kill_by_authid },
    { "wamp.session.kill_by_authrole", TAKES_NAME, KILLS, session_kill_by_authrole },
    { "wamp.session.kill_all", TAKES_NOTHING, KILLS, session_kill_all },
    { "wamp.registration.list", TAKES_NOTHING, 0, held_list },
    { "wamp.registration.lookup", TAKES_URI_AND_MATCH, 0, held_lookup },
    { "wamp.registration.match", TAKES_URI, 0, held_match },
    { "wamp.registration.get", TAKES_ID, 0, held_get },
    { "wamp.registration.list_callees", TAKES_ID, 0, held_holders },
    { "wamp.registration.count_callees", TAKES_ID, 0, held_count },
    { "wamp.subscription.list", TAKES_NOTHING, 0, held_list },
    { "wamp.subscription.lookup", TAKES_URI_AND_MATCH, 0, held_lookup },
    { "wamp.subscription.match", TAKES_URI, 0, held_match },
    { "wamp.subscription.get", TAKES_ID, 0, held_get },
    { "wamp.subscription.list_subscribers", TAKES_ID, 0, held_holders },
    { "wamp.subscription.count_subscribers", TAKES_ID, 0, held_count },
};
/* clang-format on */

static const struct procedure *procedure_of(struct slice uri)
{
    for (size_t i = 0; i < sizeof procedures / sizeof *procedures; i++)
        if (slice_is(uri, procedures[i].name))
            return &procedures[i];
    return NULL;
}

static struct catalog *catalog_of(struct realm *realm, const char *procedure)
{
    if (!strncmp(procedure, "wamp.registration.", 18))
        return &realm->procedures;
    return !strncmp(procedure, "wamp.subscription.", 18) ? &realm->topics : NULL;
}

/* ---- ids --------------------------------------------------------------------------- */

void ids_add(struct ids *ids, uint64_t id)
{
    if (ids->count == ids->cap) {
        ids->cap = ids->cap ? ids->cap * 2 : 16;
        ids->at = xrealloc(ids->at, ids->cap * sizeof *ids->at);
    }
    ids->at[ids->count++] = id;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

void ids_sort(struct ids *ids)
{
    if (ids->count)
        qsort(ids->at, ids->count, sizeof *ids->at, compare);
}

void ids_write(struct ids *ids, struct writer *w)
{
    ids_sort(ids);
    writer_list(w, ids->count);
    for (size_t i = 0; i < ids->count; i++)
        writer_int(w, (int64_t)ids->at[i]);
    writer_list_end(w);
}

void ids_fini(struct ids *ids)
{
    free(ids->at);
}

_Static_assert(LIMIT_META_IDS * 17 + 4096 < LIMIT_MESSAGE_SIZE, "16 digits and a comma");

bool query_fits(struct query *q, size_t ids)
{
    if (ids <= LIMIT_META_IDS)
        return true;
    fault_set(&q->fault, "wamp.error.payload_size_exceeded",
              "%s: there are %zu, and an answer has room for %d", q->procedure->name, ids,
              LIMIT_META_IDS);
    return false;
}

bool query_unknown(struct query *q)
{
    const struct realm *realm = q->caller->realm;
    const char *what = !q->catalog                        ? "session"
                       : q->catalog == &realm->procedures ? "registration"
                                                          : "subscription";
    const char *uri = !q->catalog ? "wamp.error.no_such_session"
                      : q->catalog == &realm->procedures
                          ? "wamp.error.no_such_registration"
                          : "wamp.error.no_such_subscription";

    fault_set(&q->fault, uri, "there is no %s %llu", what, (unsigned long long)q->id);
    return false;
}

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

static bool take_name(struct query *q, struct reader *r)
{
    if (reader_next(r) != TOKEN_STRING)
        return refuse(q, "argument 1 must be a string");
    q->text = reader_text(r, &q->scratch[0]);
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
    return uri_ok(q->text, q->match, q->caller->realm->router->strict_uris) ||
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

/* A keyword argument of a kill: a string or null. */
static bool take_text(struct query *q, struct reader *r, struct slice *text,
                      struct buf **scratch)
{
    enum token t = reader_next(r);

    if (t == TOKEN_STRING)
        *text = reader_text(r, scratch);
    return t == TOKEN_NULL || (t == TOKEN_STRING && text->n <= LIMIT_KILL_TEXT) ||
           refuse(q, "reason and message must be strings of 1024 bytes at most");
}

static bool take_kwargs(struct query *q, struct slice kwargs)
{
    struct reader r;
    struct slice value;
    bool ok = true;

    reader_init(&r, q->caller->peer->wire, kwargs);
    reader_next(&r);
    while (ok && reader_next(&r) == TOKEN_KEY) {
        if (key_is(&r, "reason"))
            ok = take_text(q, &r, &q->reason, &q->scratch[1]);
        else if (key_is(&r, "message"))
            ok = take_text(q, &r, &q->farewell, &q->scratch[2]);
        else
            reader_skip(&r, &value);
    }
    if (ok && q->reason.p &&
        !uri_ok(q->reason, MATCH_EXACT, q->caller->realm->router->strict_uris)) {
        fault_set(&q->fault, "wamp.error.invalid_uri", "%s: reason is not a URI",
                  q->procedure->name);
        return false;
    }
    return ok;
}

static bool take(struct query *q, const struct msg *message)
{
    struct reader r;

    reader_init(&r, message->args.p ? message->wire : &wire_json,
                message->args.p ? message->args : SLICE("[]"));
    reader_next(&r);
    if (!take_args(q, &r))
        return false;
    return !(q->procedure->traits & KILLS) || !message->kwargs.p ||
           take_kwargs(q, message->kwargs);
}

/* ---- the call ---------------------------------------------------------------------- */

/* Whether the caller may call it, and whether it is there: in this order. */
static bool admit(struct query *q, const struct msg *message, const struct opts *o)
{
    struct member *m = q->caller;

    if (!member_may(m, message, o, ALLOW_CALL, &q->fault))
        return false;
    q->procedure = procedure_of(message->uri);
    if (!q->procedure) {
        fault_set(&q->fault, "wamp.error.no_such_procedure",
                  "the router has no such procedure");
        return false;
    }
    if (q->procedure->traits & KILLS && !role_grants_meta(m->role, message->uri)) {
        fault_set(&q->fault, "wamp.error.not_authorized",
                  "%s: no permission of this role is for it", q->procedure->name);
        return false;
    }
    q->catalog = catalog_of(m->realm, q->procedure->name);
    return true;
}

static void send_result(struct query *q, uint64_t request)
{
    struct buf *args = writer_take(&q->w);
    struct msg result = { .row = msg_row(MSG_RESULT),
                          .wire = q->caller->peer->wire,
                          .request = request };

    if (!(q->procedure->traits & MUTE))
        result.args = slice_buf(args);
    if (!member_send(q->caller, &result)) {
        fault_set(&q->fault, "wamp.error.payload_size_exceeded",
                  "%s: the caller's transport does not take an answer of this size",
                  q->procedure->name);
        member_error(q->caller, MSG_CALL, request, &q->fault);
    }
    buf_unref(args);
}

static bool answer(struct query *q, const struct msg *message)
{
    writer_init(&q->w, q->caller->peer->wire, 256);
    writer_list(&q->w, !(q->procedure->traits & MUTE));
    if (!q->procedure->answer(q)) {
        writer_fini(&q->w);
        return false;
    }
    writer_list_end(&q->w);
    send_result(q, message->request);
    return true;
}

static void query_fini(struct query *q)
{
    map_fini(&q->authroles);
    for (size_t i = 0; i < sizeof q->scratch / sizeof *q->scratch; i++)
        buf_unref(q->scratch[i]);
}

void meta_call(struct member *m, const struct msg *message, const struct opts *o)
{
    struct query q = { .caller = m };

    if (!admit(&q, message, o) || !take(&q, message) || !answer(&q, message))
        member_error(m, MSG_CALL, message->request, &q.fault);
    query_fini(&q);
}
