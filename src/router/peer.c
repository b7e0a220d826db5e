/* peer.c - walks a peer through HELLO ... GOODBYE, and hands what a member says to
 * broker and dealer.
 *
 * Every message passes the same gates in the same order: does it decode (types,
 * lengths, ids), may a client send it in this state, are its options of the right
 * type, is its request id right. Failing one is a protocol violation: ABORT, and the
 * transport closes. What comes behind the gates is a matter between the request and
 * its answer.
 *
 * Between HELLO and WELCOME stands an attempt to join, which CHALLENGE puts to the test
 * (attempt.h). */
#include <stdio.h>

#include "router/attempt.h"

static const unsigned client_roles =
    1u << ROLE_PUBLISHER | 1u << ROLE_SUBSCRIBER | 1u << ROLE_CALLER | 1u << ROLE_CALLEE;

/* What WELCOME announces: exactly what broker.c, dealer.c and meta.c do. */
/* clang-format off */
static const struct roles router_roles = {
    .roles = 1u << ROLE_BROKER | 1u << ROLE_DEALER,
    .features = { [ROLE_BROKER] = 1u << FEATURE_PUBLISHER_EXCLUSION |
                                  1u << FEATURE_SUBSCRIBER_BLACKWHITE_LISTING |
                                  1u << FEATURE_PUBLISHER_IDENTIFICATION |
                                  1u << FEATURE_PATTERN_BASED_SUBSCRIPTION |
                                  1u << FEATURE_PAYLOAD_PASSTHRU_MODE |
                                  1u << FEATURE_PAYLOAD_TRANSPARENCY |
                                  1u << FEATURE_PAYLOAD_ENCRYPTION_CRYPTOBOX |
                                  1u << FEATURE_PUBLICATION_TRUSTLEVELS |
                                  1u << FEATURE_EVENT_RETENTION |
                                  1u << FEATURE_EVENT_HISTORY |
                                  1u << FEATURE_SUBSCRIPTION_REVOCATION |
                                  1u << FEATURE_SESSION_META_API |
                                  1u << FEATURE_SUBSCRIPTION_META_API,
                  [ROLE_DEALER] = 1u << FEATURE_CALLER_IDENTIFICATION |
                                  1u << FEATURE_CALL_CANCELING |
                                  1u << FEATURE_CALL_TIMEOUT |
                                  1u << FEATURE_PROGRESSIVE_CALL_RESULTS |
                                  1u << FEATURE_PROGRESSIVE_CALL_INVOCATIONS |
                                  1u << FEATURE_CALL_REROUTE |
                                  1u << FEATURE_PAYLOAD_PASSTHRU_MODE |
                                  1u << FEATURE_PAYLOAD_TRANSPARENCY |
                                  1u << FEATURE_PAYLOAD_ENCRYPTION_CRYPTOBOX |
                                  1u << FEATURE_PATTERN_BASED_REGISTRATION |
                                  1u << FEATURE_SHARED_REGISTRATION |
                                  1u << FEATURE_REGISTRATION_REVOCATION |
                                  1u << FEATURE_CALL_TRUSTLEVELS |
                                  1u << FEATURE_TESTAMENT_META_API |
                                  1u << FEATURE_SESSION_META_API |
                                  1u << FEATURE_REGISTRATION_META_API },
};
/* clang-format on */

#define OWN_ERROR 4096 /* bytes: no ERROR of the router's own is longer */

/* What somebody else said, and can be told an error for in its place. */
static bool is_refusable(const struct msg *m, size_t n)
{
    return m->row->code == MSG_INVOCATION || m->row->code == MSG_RESULT ||
           (m->row->code == MSG_ERROR && n > OWN_ERROR);
}

bool peer_send(struct peer *p, const struct msg *m)
{
    struct buf *bytes;

    if (!p->state)
        return true;
    bytes = msg_encode(m, p->wire);
    if (bytes->len <= p->takes &&
        (!is_refusable(m, bytes->len) || output_fits(p, bytes->len))) {
        output_push(p, OUTPUT_SEND, bytes);
        return true;
    }
    p->refused = bytes->len;
    buf_unref(bytes);
    return false;
}

void peer_refusal(const struct peer *p, struct fault *f)
{
    if (p->refused > p->takes)
        fault_set(f, "wamp.error.payload_size_exceeded",
                  "the message is longer than the other side takes");
    else
        fault_set(f, "wamp.error.unavailable",
                  "too much is queued for the other side, which does not read");
}

/* A dict with one string, or none when `text` is absent. The caller frees it. */
static struct buf *message_dict(const struct peer *p, struct slice text)
{
    struct details d = { 0 };

    if (text.p)
        details_text(&d, OPT_MESSAGE, text);
    return details_encode(&d, p->wire);
}

/* Sends a message that has a dict with a human text and a reason: ABORT, GOODBYE. */
static void send_reason(struct peer *p, enum msg_code code, struct slice reason,
                        struct slice text)
{
    struct buf *dict = message_dict(p, text);
    struct msg m = { .row = msg_row(code), .wire = p->wire, .uri = reason };

    if (dict)
        m.dict = slice_buf(dict);
    peer_send(p, &m);
    buf_unref(dict);
}

void peer_leave(struct peer *p, struct slice reason)
{
    attempt_free(p->attempt);
    p->attempt = NULL;
    if (!p->member)
        return;
    note_left(p, reason);
    member_leave(p->member);
    p->member = NULL;
}

static void peer_abort(struct peer *p, const char *reason, const char *text, int code)
{
    if (!p->member)
        note_refused(p, reason);
    peer_leave(p, slice_of(reason));
    send_reason(p, MSG_ABORT, slice_of(reason), slice_of(text));
    output_close(p, code);
}

void peer_violate(struct peer *p, const struct fault *f)
{
    peer_abort(p, f->uri, f->text, CLOSE_PROTOCOL);
}

static void violate(struct peer *p, const char *text)
{
    peer_abort(p, "wamp.error.protocol_violation", text, CLOSE_PROTOCOL);
}

/* ---- life -------------------------------------------------------------------------- */

/* Comes before what is sent then: that may be the end of a peer that does not read. */
static void await(struct peer *p, unsigned state, uint64_t ms)
{
    p->state = state;
    heap_set(&p->router->deadlines, &p->timer, p->router->now + ms);
}

static void await_hello(struct peer *p)
{
    await(p, STATE_OPENING, LIMIT_HELLO_MS);
}

void peer_open(struct peer *p)
{
    await_hello(p);
}

void peer_expire(struct peer *p)
{
    int code;

    if (p->state == STATE_CHALLENGING) {
        peer_abort(p, "wamp.error.authentication_failed", "no AUTHENTICATE came in time",
                   CLOSE_NORMAL);
        return;
    }
    code = p->state == STATE_CLOSING ? CLOSE_GOING_AWAY
           : p->said_hello           ? CLOSE_NORMAL
                                     : CLOSE_PROTOCOL;

    peer_leave(p, (struct slice){ 0 });
    output_close(p, code);
}

void peer_goodbye(struct peer *p, struct slice reason, struct slice text)
{
    if (p->state == STATE_OPENING || p->state == STATE_CHALLENGING) {
        peer_leave(p, reason);
        output_close(p, CLOSE_GOING_AWAY);
    } else if (p->state == STATE_JOINED) {
        peer_leave(p, reason);
        await(p, STATE_CLOSING, LIMIT_GOODBYE_MS);
        send_reason(p, MSG_GOODBYE, reason, text);
    }
}

void peer_interrupt(struct peer *p)
{
    if (p->attempt)
        peer_abort(p, "wamp.error.unavailable",
                   "the router's configuration has changed; try again", CLOSE_NORMAL);
}

/* ---- HELLO ------------------------------------------------------------------------- */

static void announce_roles(const struct realm *realm, struct writer *w)
{
    static const unsigned meta =
        1u << FEATURE_SESSION_META_API | 1u << FEATURE_SUBSCRIPTION_META_API |
        1u << FEATURE_REGISTRATION_META_API | 1u << FEATURE_TESTAMENT_META_API |
        1u << FEATURE_EVENT_HISTORY;
    struct roles roles = router_roles;

    if (realm->no_meta) {
        roles.features[ROLE_BROKER] &= ~meta;
        roles.features[ROLE_DEALER] &= ~meta;
    }
    roles_encode(&roles, w);
}

static struct buf *welcome_details(const struct member *m, const struct buf *verifier)
{
    struct writer w;
    const char *agent = m->realm->router->agent;
    bool extra = verifier || m->authextra;

    writer_init(&w, m->peer->wire, 512);
    writer_dict(&w, MEMBER_DETAILS + 2u + (agent ? 1 : 0) + (extra ? 1 : 0));
    writer_key(&w, SLICE("roles"));
    announce_roles(m->realm, &w);
    writer_key(&w, SLICE("realm"));
    writer_string(&w, slice_of(m->realm->name));
    member_describe(m, &w);
    if (agent) {
        writer_key(&w, SLICE("agent"));
        writer_string(&w, slice_of(agent));
    }
    if (verifier) {
        writer_key(&w, SLICE("authextra"));
        writer_dict(&w, 1);
        attempt_text(&w, SLICE("verifier"), slice_buf(verifier));
        writer_dict_end(&w);
    } else if (extra) {
        writer_key(&w, SLICE("authextra"));
        value_carry(&w, slice_buf(m->authextra), &wire_json);
    }
    writer_dict_end(&w);
    return writer_take(&w);
}

static void welcome(struct peer *p, const struct buf *verifier)
{
    struct buf *details = welcome_details(p->member, verifier);
    struct msg m = { .row = msg_row(MSG_WELCOME),
                     .wire = p->wire,
                     .id = p->member->id,
                     .dict = slice_buf(details) };

    peer_send(p, &m);
    buf_unref(details);
}

/* The attempt has succeeded, and ends. */
static void join(struct peer *p)
{
    struct attempt *a = p->attempt;
    const struct identity who = { .role = realm_role(a->realm, a->principal->role),
                                  .authid = a->principal->authid,
                                  .authmethod = a->method->name,
                                  .authprovider = attempt_provider(a),
                                  .session = a->session };

    p->attempt = NULL;
    p->member = member_join(p, a->realm, &who);
    p->member->roles = a->roles;
    p->member->authextra = buf_ref(a->welcome);
    p->said_hello = true;
    p->state = STATE_JOINED;
    heap_clear(&p->router->deadlines, &p->timer);
    welcome(p, a->verifier);
    attempt_free(a);
    note_joined(p);
    meta_joined(p->member);
}

static void challenge(struct peer *p, const struct buf *extra)
{
    struct msg m = { .row = msg_row(MSG_CHALLENGE),
                     .wire = p->wire,
                     .text = slice_of(p->attempt->method->name),
                     .dict = slice_buf(extra) };

    await(p, STATE_CHALLENGING, LIMIT_AUTHENTICATE_MS);
    peer_send(p, &m);
}

/* The authenticator has the word. */
static void ask(struct peer *p)
{
    p->state = STATE_CHALLENGING;
    heap_clear(&p->router->deadlines, &p->timer);
    attempt_ask(p->attempt, p);
}

static void deny(struct peer *p)
{
    strikes_note(&p->router->strikes, p->address, p->router->now);
    peer_abort(p, "wamp.error.authentication_failed", "authentication failed",
               CLOSE_NORMAL);
}

/* Whether he has to wait before he may try to prove anything. */
static bool barred(struct peer *p)
{
    uint64_t wait = strikes_wait(&p->router->strikes, p->address, p->router->now);
    char text[80];

    if (!wait)
        return false;
    snprintf(text, sizeof text, "too many failed attempts; try again in %llu s",
             (unsigned long long)(wait + 999) / 1000);
    peer_abort(p, "wamp.error.authentication_failed", text, CLOSE_NORMAL);
    return true;
}

static void begin(struct peer *p, struct realm *realm, const struct roles *roles,
                  const struct opts *o)
{
    const struct entry e = { realm, doors_store(&p->router->doors, p->door), p->wire };
    struct buf *extra;
    struct fault f;

    if (!e.principals) {
        peer_abort(p, "wamp.error.unavailable", "this way in is no more",
                   CLOSE_GOING_AWAY);
        return;
    }
    p->attempt = attempt_new(&e, o, &extra, &f);
    if (!p->attempt) {
        peer_abort(p, f.uri, f.text, CLOSE_NORMAL);
        return;
    }
    p->attempt->roles = *roles;
    if (!extra && !attempt_asks_first(p->attempt))
        join(p);
    else if (barred(p))
        ;
    else if (extra)
        challenge(p, extra);
    else
        ask(p);
    buf_unref(extra);
}

void peer_identified(struct peer *p, const struct wire *wire, struct slice answer)
{
    struct attempt *a = p->attempt;
    struct buf *extra;
    struct fault f;

    a->inquiry = NULL;
    attempt_learn(a, wire, answer);
    if (attempt_settled(a)) {
        join(p);
    } else if (a->ticket || !a->method->begin) {
        deny(p);
    } else if ((extra = attempt_challenge(a, &f))) {
        challenge(p, extra);
        buf_unref(extra);
    } else {
        peer_abort(p, f.uri, f.text, CLOSE_NORMAL);
    }
}

static void authenticate(struct peer *p, const struct msg *m)
{
    struct attempt *a = p->attempt;

    if (a->inquiry) {
        violate(p, "AUTHENTICATE without a CHALLENGE that asks for it");
    } else if (attempt_wants_ticket(a)) {
        attempt_keep_ticket(a, m->text);
        ask(p);
    } else if (attempt_check(a, m)) {
        join(p);
    } else {
        deny(p);
    }
}

static void abort_no_realm(struct peer *p, struct slice realm)
{
    char text[240] = "there is no realm of this name";

    if (realm.n < 200)
        snprintf(text, sizeof text, "there is no realm %.*s", (int)realm.n, realm.p);
    peer_abort(p, "wamp.error.no_such_realm", text, CLOSE_NORMAL);
}

static void hello(struct peer *p, struct msg *m, const struct opts *o)
{
    struct router *r = p->router;
    struct realm *realm;
    struct roles roles;
    struct fault f;

    if (!opt_has(o, OPT_ROLES)) {
        violate(p, "HELLO without roles");
    } else if (!roles_decode(&roles, p->wire, opt_text(o, OPT_ROLES), client_roles, &f)) {
        peer_violate(p, &f);
    } else if (!msg_uri_ok(m, o, r->strict_uris, &f)) {
        peer_violate(p, &f);
    } else if (r->closing) {
        peer_abort(p, "wamp.close.system_shutdown", NULL, CLOSE_GOING_AWAY);
    } else if (!(realm = map_get_bytes(&r->realms, m->uri))) {
        abort_no_realm(p, m->uri);
    } else {
        begin(p, realm, &roles, o);
    }
}

/* ---- GOODBYE, ABORT ---------------------------------------------------------------- */

/* The peer says GOODBYE, or answers ours; when both cross, each is the other's answer. */
static void goodbye(struct peer *p, const struct msg *m)
{
    if (p->state == STATE_CLOSING) {
        output_close(p, CLOSE_GOING_AWAY);
        return;
    }
    peer_leave(p, m->uri);
    await_hello(p);
    send_reason(p, MSG_GOODBYE, SLICE("wamp.close.goodbye_and_out"), (struct slice){ 0 });
}

static void aborted(struct peer *p, const struct msg *m)
{
    peer_leave(p, m->uri);
    output_close(p, CLOSE_NORMAL);
}

/* ---- what a member says ------------------------------------------------------------ */

/* The id of a new request: the next one when the router is strict about it (WAMP:
 * session scope ids), otherwise any but that of a call still waiting. A later part of a
 * call is none. */
static bool request_ok(struct member *m, const struct msg *message, struct fault *f)
{
    bool call = message->row->code == MSG_CALL;

    if (message->row->code < MSG_PUBLISH || !message->row->answer)
        return true;
    if (call && parts_later(m, message->request))
        return true;
    if (m->realm->router->strict_ids && message->request != id_next(m->last_request)) {
        fault_set(f, "wamp.error.protocol_violation",
                  "%s.Request is %llu, the next request id is %llu", message->row->name,
                  (unsigned long long)message->request,
                  (unsigned long long)id_next(m->last_request));
        return false;
    }
    if (call && map_get(&m->calls, message->request)) {
        fault_set(f, "wamp.error.protocol_violation", "CALL.Request %llu is in use",
                  (unsigned long long)message->request);
        return false;
    }
    m->last_request = message->request;
    return true;
}

static void dispatch(struct peer *p, struct msg *m, const struct opts *o)
{
    struct member *member = p->member;
    struct fault f;

    if (member && (!request_ok(member, m, &f) || !passthru_ok(member, m, o, &f)))
        peer_violate(p, &f);
    else if (!member || !member->role->authorizer || authorize_pass(member, m, o))
        peer_perform(p, m, o);
}

void peer_perform(struct peer *p, struct msg *m, const struct opts *o)
{
    struct member *member = p->member;

    switch (m->row->code) {
    case MSG_HELLO:
        hello(p, m, o);
        break;
    case MSG_AUTHENTICATE:
        authenticate(p, m);
        break;
    case MSG_GOODBYE:
        goodbye(p, m);
        break;
    case MSG_ABORT:
        aborted(p, m);
        break;
    case MSG_SUBSCRIBE:
        broker_subscribe(member, m, o);
        break;
    case MSG_UNSUBSCRIBE:
        broker_unsubscribe(member, m);
        break;
    case MSG_PUBLISH:
        broker_publish(member, m, o);
        break;
    case MSG_REGISTER:
        dealer_register(member, m, o);
        break;
    case MSG_UNREGISTER:
        dealer_unregister(member, m);
        break;
    case MSG_CALL:
        call_begin(member, m, o);
        break;
    case MSG_CANCEL:
        cancel_request(member, m, o);
        break;
    case MSG_YIELD:
        call_yield(member, m, o);
        break;
    case MSG_ERROR:
        call_error(member, m, o);
        break;
    default: /* msg_allowed lets nothing else through */
        break;
    }
}

/* After our GOODBYE everything but its answer is ignored: it was on its way already. */
static bool is_late(const struct peer *p, const struct msg *m)
{
    return p->state == STATE_CLOSING && m->row->code != MSG_GOODBYE &&
           m->row->code != MSG_ABORT;
}

static void receive(struct peer *p, struct msg *m)
{
    struct opts o;
    struct fault f;

    if (is_late(p, m))
        return;
    if (!msg_allowed(m, FROM_CLIENT, p->state, &f)) {
        peer_violate(p, &f);
    } else if (!opts_decode(&o, m, &f)) {
        peer_violate(p, &f);
    } else {
        dispatch(p, m, &o);
        opts_fini(&o);
    }
}

void peer_feed(struct peer *p, struct buf *bytes)
{
    struct msg m;
    struct fault f;

    if (!msg_decode(&m, p->wire, bytes, &f)) {
        peer_violate(p, &f);
        return;
    }
    receive(p, &m);
    msg_fini(&m);
}
