/* authorize.c - members whose role has an authorizer: what they ask for waits until it
 * has answered (docs/AUTH.md: dynamic authorizers).
 *
 * One request of a member is asked about at a time, and those behind it wait their turn,
 * whatever they are about: so nothing overtakes (WAMP: ordering guarantees). Only what
 * answers others, YIELD and ERROR, goes through, and what ends something: GOODBYE, and
 * CANCEL, which finds its call wherever it is.
 *
 * A waiting request is kept as it came, and read again when its turn comes; its id has
 * been judged before. What the authorizer wants kept is a verdict of the role, found by
 * action, match policy and URI; taking a procedure from others is an action of its
 * own. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "router/private.h"

/* ---- verdicts ---------------------------------------------------------------------- */

struct ruling {
    bool allow, disclose, keep;
};

struct verdict {
    struct list link;
    struct buf *key; /* owned */
    struct ruling ruling;
};

struct verdicts {
    struct map keys;    /* key -> owned verdict */
    struct list oldest; /* which goes first is first */
};

static struct buf *key_of(const struct msg *message, const struct opts *o)
{
    bool pattern =
        message->row->code == MSG_SUBSCRIBE || message->row->code == MSG_REGISTER;
    char head[3] = { (char)message->row->code,
                     (char)(pattern ? opt_match(o) : MATCH_EXACT),
                     (char)opt_is(o, OPT_FORCE_REREGISTER, false) };
    struct buf *key = buf_from(head, sizeof head);

    buf_append(&key, message->uri.p, message->uri.n);
    return key;
}

static void verdict_free(struct verdicts *vs, struct verdict *v)
{
    map_del_bytes(&vs->keys, slice_buf(v->key));
    list_remove(&v->link);
    buf_unref(v->key);
    free(v);
}

static void verdict_put(struct role_rules *role, struct buf *key,
                        const struct ruling *ruling)
{
    struct verdicts *vs = role->verdicts;
    struct verdict *v;

    if (!vs) {
        vs = role->verdicts = xcalloc(1, sizeof *vs);
        list_init(&vs->oldest);
    }
    if (vs->keys.count >= LIMIT_VERDICTS)
        verdict_free(vs, list_entry(vs->oldest.next, struct verdict, link));
    v = xcalloc(1, sizeof *v);
    v->key = buf_ref(key);
    v->ruling = *ruling;
    map_put_bytes(&vs->keys, slice_buf(key), v);
    list_push(&vs->oldest, &v->link);
}

/* Another session of the role may have been answered meanwhile; the last word counts. */
static void verdict_note(struct role_rules *role, const struct msg *message,
                         const struct opts *o, const struct ruling *ruling)
{
    struct buf *key = key_of(message, o);
    struct verdict *old =
        role->verdicts ? map_get_bytes(&role->verdicts->keys, slice_buf(key)) : NULL;

    if (old)
        verdict_free(role->verdicts, old);
    if (ruling->keep)
        verdict_put(role, key, ruling);
    buf_unref(key);
}

static const struct ruling *verdict_find(const struct role_rules *role,
                                         const struct msg *message, const struct opts *o)
{
    struct verdict *v;
    struct buf *key;

    if (!role->verdicts)
        return NULL;
    key = key_of(message, o);
    v = map_get_bytes(&role->verdicts->keys, slice_buf(key));
    buf_unref(key);
    return v ? &v->ruling : NULL;
}

void verdicts_free(struct verdicts *vs)
{
    if (!vs)
        return;
    while (!list_empty(&vs->oldest))
        verdict_free(vs, list_entry(vs->oldest.next, struct verdict, link));
    map_fini(&vs->keys);
    free(vs);
}

/* ---- what waits -------------------------------------------------------------------- */

struct waiter {
    struct list link;
    struct buf *bytes; /* owned; the message */
    uint64_t call;     /* request id, if it is a CALL; else 0 */
    bool in_parts;     /* a CALL of which more parts are to come, under the same id */
};

struct parked {
    struct inquiry *inquiry; /* owned; about the first of them */
    struct list queue;       /* of owned struct waiter */
    size_t count, bytes;
};

static void waiter_free(struct parked *parked, struct waiter *w)
{
    list_remove(&w->link);
    parked->count--;
    parked->bytes -= w->bytes->len;
    buf_unref(w->bytes);
    free(w);
}

/* Later parts of a CALL that has been refused are nobody's. */
static void drop_parts(struct parked *parked, uint64_t call)
{
    struct list *node, *tmp;

    list_each (node, tmp, &parked->queue) {
        struct waiter *w = list_entry(node, struct waiter, link);

        if (w->call == call)
            waiter_free(parked, w);
    }
}

static void parked_free(struct member *m)
{
    free(m->parked);
    m->parked = NULL;
}

void authorize_leave(struct member *m)
{
    struct parked *parked = m->parked;

    m->granted = 0;
    if (!parked)
        return;
    inquiry_drop(parked->inquiry);
    while (!list_empty(&parked->queue))
        waiter_free(parked, list_entry(parked->queue.next, struct waiter, link));
    parked_free(m);
}

/* An answer that the request gets in place of what it asks for. Nobody waits for that of
 * a PUBLISH that is not acknowledged. */
static void refuse(struct member *m, const struct msg *message, const struct opts *o,
                   const struct fault *f)
{
    if (message->row->code != MSG_PUBLISH || opt_is(o, OPT_ACKNOWLEDGE, false))
        member_error(m, (int)message->row->code, message->request, f);
}

static void violate_id(struct member *m, const struct msg *message)
{
    struct fault f;

    fault_set(&f, "wamp.error.protocol_violation", "CALL.Request %llu is in use",
              (unsigned long long)message->request);
    peer_violate(m->peer, &f);
}

/* One message is always taken, however large. */
static bool has_room(const struct parked *parked, const struct msg *message)
{
    return !parked->count || (parked->count < LIMIT_PARKED &&
                              parked->bytes + message->bytes->len <= LIMIT_PARKED_BYTES);
}

/* Whether a CALL has the id of one that waits, and is not a later part of it. */
static bool id_taken(const struct parked *parked, const struct msg *message)
{
    bool taken = false;

    if (message->row->code != MSG_CALL)
        return false;
    for (struct list *node = parked->queue.next; node != &parked->queue;
         node = node->next) {
        const struct waiter *w = list_entry(node, struct waiter, link);

        if (w->call == message->request)
            taken = !w->in_parts;
    }
    return taken;
}

static bool park(struct member *m, const struct msg *message, const struct opts *o)
{
    struct waiter *w;
    struct fault f;

    if (!m->parked) {
        m->parked = xcalloc(1, sizeof *m->parked);
        list_init(&m->parked->queue);
    }
    if (id_taken(m->parked, message)) {
        violate_id(m, message);
        return false;
    }
    if (!has_room(m->parked, message)) {
        fault_set(&f, "wamp.error.unavailable",
                  "too many requests wait for an authorizer");
        refuse(m, message, o, &f);
        return false;
    }
    w = xcalloc(1, sizeof *w);
    w->bytes = buf_ref(message->bytes);
    w->call = message->row->code == MSG_CALL ? message->request : 0;
    w->in_parts = opt_is(o, OPT_PROGRESS, false);
    list_push(&m->parked->queue, &w->link);
    m->parked->count++;
    m->parked->bytes += w->bytes->len;
    return true;
}

/* ---- asking ------------------------------------------------------------------------ */

/* What an authorizer allows. It has seen the options, so that REGISTER may have all of
 * them. */
static unsigned right_of(const struct msg *message)
{
    switch (message->row->code) {
    case MSG_CALL:
        return ALLOW_CALL;
    case MSG_REGISTER:
        return ALLOW_REGISTER | ALLOW_FORCE;
    case MSG_PUBLISH:
        return ALLOW_PUBLISH;
    default:
        return ALLOW_SUBSCRIBE;
    }
}

static const char *action_of(const struct msg *message)
{
    switch (message->row->code) {
    case MSG_CALL:
        return "call";
    case MSG_REGISTER:
        return "register";
    case MSG_PUBLISH:
        return "publish";
    case MSG_SUBSCRIBE:
        return "subscribe";
    default:
        return NULL;
    }
}

static void write_session(const struct member *m, struct writer *w)
{
    writer_dict(w, MEMBER_DETAILS + 4);
    writer_key(w, SLICE("session"));
    writer_int(w, (int64_t)m->id);
    writer_key(w, SLICE("realm"));
    writer_string(w, slice_of(m->realm->name));
    member_describe(m, w);
    writer_key(w, SLICE("authextra"));
    if (m->authextra)
        value_carry(w, slice_buf(m->authextra), &wire_json);
    else
        writer_null(w);
    inquiry_transport(m->peer, w);
    writer_dict_end(w);
}

static void write_options(const struct msg *message, struct writer *w)
{
    if (message->dict.p) {
        value_carry(w, message->dict, message->wire);
        return;
    }
    writer_dict(w, 0);
    writer_dict_end(w);
}

/* About the first that waits. */
static void ask(struct member *m, const struct msg *message)
{
    const struct asking about = { m->peer, m->realm, m->role->authorizer };
    struct writer w;

    writer_init(&w, &wire_json, 512);
    writer_list(&w, 4);
    write_session(m, &w);
    writer_string(&w, message->uri);
    writer_string(&w, slice_of(action_of(message)));
    write_options(message, &w);
    writer_list_end(&w);
    m->parked->inquiry = inquiry_new(&about, writer_take(&w));
}

/* ---- ruling ------------------------------------------------------------------------ */

static bool apply(struct member *m, const struct msg *message, const struct opts *o,
                  const struct ruling *ruling)
{
    struct fault f;

    m->granted = ruling->allow ? right_of(message) : 0;
    m->discloses = ruling->disclose;
    if (ruling->allow)
        return true;
    fault_set(&f, "wamp.error.not_authorized", "%s: not allowed for this role",
              message->row->name);
    refuse(m, message, o, &f);
    return false;
}

/* Whether a request may go on without anybody being asked: nothing is to be decided, or
 * its answer has been `settled`, good or bad. */
static bool decided(struct member *m, const struct msg *message, const struct opts *o,
                    bool *settled)
{
    const struct ruling *ruling;
    struct fault f;

    m->granted = 0;
    m->discloses = false;
    *settled = true;
    if (!m->role->authorizer) /* any more: its rules decide */
        return true;
    if (!action_of(message) || !msg_uri_ok(message, o, m->realm->strict_uris, &f))
        return true;
    ruling = verdict_find(m->role, message, o);
    if (ruling)
        return apply(m, message, o, ruling);
    *settled = false;
    return false;
}

static void go_on(struct peer *p);

/* The CALL may wait here: then it ends here. */
static bool cancel_parked(struct member *m, const struct msg *cancel)
{
    struct peer *p = m->peer;
    struct list *node, *tmp;
    struct fault f;

    list_each (node, tmp, &m->parked->queue) {
        struct waiter *w = list_entry(node, struct waiter, link);
        bool first = m->parked->queue.next == node;

        if (w->call != cancel->request)
            continue;
        fault_set(&f, "wamp.error.canceled", "the caller canceled the call");
        member_error(m, MSG_CALL, w->call, &f);
        drop_parts(m->parked, cancel->request);
        if (first) {
            inquiry_drop(m->parked->inquiry);
            m->parked->inquiry = NULL;
            go_on(p);
        }
        return true;
    }
    return false;
}

/* What goes through, whoever waits. */
static bool passes(enum msg_code code)
{
    return code == MSG_YIELD || code == MSG_ERROR || code == MSG_GOODBYE ||
           code == MSG_ABORT;
}

bool authorize_pass(struct member *m, struct msg *message, const struct opts *o)
{
    bool settled, pass;

    if (passes(message->row->code))
        return true;
    if (message->row->code == MSG_CANCEL)
        return !m->parked || !cancel_parked(m, message);
    if (m->parked) {
        park(m, message, o);
        return false;
    }
    pass = decided(m, message, o, &settled);
    if (!settled && park(m, message, o))
        ask(m, message);
    return pass;
}

/* ---- going on ---------------------------------------------------------------------- */

/* An id that was free when a CALL came may have been taken by one that waited. */
static void perform(struct member *m, struct msg *message, const struct opts *o)
{
    if (message->row->code == MSG_CALL && map_get(&m->calls, message->request) &&
        !parts_later(m, message->request))
        violate_id(m, message);
    else
        peer_perform(m->peer, message, o);
}

/* What has been decided about a request that waited: it is done, or later parts of it are
 * nobody's. */
static void conclude(struct member *m, struct msg *message, const struct opts *o,
                     bool pass)
{
    if (pass)
        perform(m, message, o);
    else if (message->row->code == MSG_CALL)
        drop_parts(m->parked, message->request);
}

/* Takes the first that waits out of the queue, or asks about it (false). */
static bool serve(struct member *m, struct msg *message, const struct opts *o)
{
    struct waiter *w = list_entry(m->parked->queue.next, struct waiter, link);
    bool settled, pass = decided(m, message, o, &settled);

    if (!settled) {
        ask(m, message);
        return false;
    }
    waiter_free(m->parked, w);
    conclude(m, message, o, pass);
    return true;
}

/* Reads the first that waits, as it was read when it came. */
static void first_read(const struct member *m, struct msg *message, struct opts *o)
{
    const struct waiter *w = list_entry(m->parked->queue.next, struct waiter, link);
    struct fault f;

    msg_decode(message, m->peer->wire, w->bytes, &f);
    opts_decode(o, message, &f);
}

/* Carries on with what waits, until somebody has to be asked, or the member has gone. */
static void go_on(struct peer *p)
{
    struct member *m = p->member;
    struct msg message;
    struct opts o;
    bool more = true;

    while (more && p->member == m && !list_empty(&m->parked->queue)) {
        first_read(m, &message, &o);
        more = serve(m, &message, &o);
        opts_fini(&o);
        msg_fini(&message);
    }
    if (p->member == m && list_empty(&m->parked->queue))
        parked_free(m);
}

void authorize_pause(struct member *m)
{
    if (!m->parked)
        return;
    inquiry_drop(m->parked->inquiry);
    m->parked->inquiry = NULL;
}

void authorize_resume(struct member *m)
{
    if (m->parked && !m->parked->inquiry)
        go_on(m->peer);
}

/* ---- answers ----------------------------------------------------------------------- */

static bool read_flag(struct ruling *ruling, struct slice key, enum token token)
{
    bool *flag = slice_is(key, "allow")      ? &ruling->allow
                 : slice_is(key, "disclose") ? &ruling->disclose
                 : slice_is(key, "cache")    ? &ruling->keep
                                             : NULL;

    if (slice_is(key, "validate")) /* Crossbar.io's; we could not keep to it */
        return token == TOKEN_NULL;
    if (flag)
        *flag = token == TOKEN_TRUE;
    return flag && (token == TOKEN_TRUE || token == TOKEN_FALSE);
}

/* A dict of flags, of which `allow` must be there. */
static bool read_dict(struct ruling *ruling, struct reader *r)
{
    struct buf *scratch = NULL;
    bool ok = true, found = false;

    while (ok && reader_next(r) == TOKEN_KEY) {
        struct slice key = reader_text(r, &scratch);

        found = found || slice_is(key, "allow");
        ok = read_flag(ruling, key, reader_next(r));
    }
    buf_unref(scratch);
    return ok && found;
}

static bool ruling_read(struct ruling *ruling, const struct wire *wire,
                        struct slice answer)
{
    struct reader r;
    enum token token;

    *ruling = (struct ruling){ 0 };
    if (!answer.p)
        return false;
    reader_init(&r, wire, answer);
    token = reader_next(&r);
    if (token == TOKEN_DICT)
        return read_dict(ruling, &r);
    ruling->allow = token == TOKEN_TRUE;
    return token == TOKEN_TRUE || token == TOKEN_FALSE;
}

/* Nobody has decided: no. */
static bool fail(struct member *m, const struct msg *message, const struct opts *o)
{
    struct fault f;

    fault_set(&f, "wamp.error.authorization_failed",
              "%s: the authorizer has not given an answer", message->row->name);
    refuse(m, message, o, &f);
    return false;
}

/* Nothing was answered, or nonsense, which its author should hear of. */
static void complain(const struct member *m, struct slice answer)
{
    const char *uri = m->role->authorizer;

    if (answer.p)
        log_warn("router: authorizer %s: expected a boolean, or a dict with allow, and "
                 "disclose and cache at most [W904]",
                 *uri ? uri : "(function)");
}

static bool judge(struct member *m, const struct msg *message, const struct opts *o,
                  const struct ruling *ruling)
{
    if (!ruling)
        return fail(m, message, o);
    verdict_note((struct role_rules *)m->role, message, o, ruling);
    return apply(m, message, o, ruling);
}

void authorize_decided(struct peer *p, const struct wire *wire, struct slice answer)
{
    struct member *m = p->member;
    struct ruling ruling;
    struct msg message;
    struct opts o;
    bool known = ruling_read(&ruling, wire, answer);

    if (!known)
        complain(m, answer);
    m->parked->inquiry = NULL;
    first_read(m, &message, &o);
    waiter_free(m->parked, list_entry(m->parked->queue.next, struct waiter, link));
    conclude(m, &message, &o, judge(m, &message, &o, known ? &ruling : NULL));
    opts_fini(&o);
    msg_fini(&message);
    if (p->member == m)
        go_on(p);
}
