/* session.c - the life of a client session: HELLO to GOODBYE.
 *
 * A session moves through NEW, JOINING, JOINED, LEAVING to CLOSED and never back. Each
 * message that comes in is decoded, checked against the state and handed to one function;
 * each ends in messages and events at the end of the queues (session_queue.c). Whatever
 * ends the session goes through end(): first every request under way gets its error, then
 * comes EVENT_LEFT, then nothing.
 *
 * HELLO is made in session_hello.c; requests are in session_ask.c, what the router starts
 * in session_serve.c. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wamp/session_private.h"
#include "wamp/transcode.h"

/* ---- the end ----------------------------------------------------------------------- */

static char *copy(struct slice s)
{
    return s.p ? xstrndup(s.p, s.n) : NULL;
}

/* Ends the session. `m` (may be NULL) is the message that ended it, and is moved. */
static void end(struct session *s, int error, struct slice reason, struct slice text,
                struct msg *m)
{
    struct event *e;

    if (s->state == SESSION_CLOSED)
        return;
    s->state = SESSION_CLOSED;
    session_lose_pending(s);
    session_serve_nothing(s);
    heap_clear(&s->timers, &s->limit);
    e = session_event(s, EVENT_LEFT);
    e->error = error;
    e->reason = copy(reason);
    e->text = copy(text);
    if (m)
        msg_move(&e->m, m);
}

/* Queues ABORT or GOODBYE, whatever max_message says. The words are left out unless they
 * can be written. */
static void send_farewell(struct session *s, enum msg_code code, struct slice reason,
                          struct slice text)
{
    struct msg m = { .row = msg_row(code), .wire = s->wire, .uri = reason };
    struct writer w;

    writer_init(&w, s->wire, 256);
    if (text.p && utf8_ok(text)) {
        writer_dict(&w, 1);
        writer_key(&w, SLICE("message"));
        writer_string(&w, text);
        writer_dict_end(&w);
        m.dict = slice_buf(w.buf);
    }
    session_push(s, msg_encode(&m, s->wire));
    writer_fini(&w);
}

void session_violated(struct session *s, const struct fault *f)
{
    struct slice reason = slice_of(f->uri), text = slice_of(f->text);

    send_farewell(s, MSG_ABORT, reason, text);
    end(s, SESSION_LOST, reason, text, NULL);
}

/* The first of the arguments, if it is a string: where some routers put the words of
 * ABORT. */
static struct slice first_string(const struct msg *m, struct buf **scratch)
{
    struct reader r;

    if (!m->args.p)
        return (struct slice){ 0 };
    reader_init(&r, m->wire, m->args);
    if (reader_next(&r) != TOKEN_LIST || reader_next(&r) != TOKEN_STRING)
        return (struct slice){ 0 };
    return reader_text(&r, scratch);
}

/* The session ends by a message of the router, whose details are read as far as they can
 * be. */
static void end_by(struct session *s, int error, struct msg *m)
{
    struct opts o;
    struct fault f;
    struct buf *scratch = NULL;
    struct slice text = { 0 };
    bool readable = opts_decode(&o, m, &f);

    if (readable)
        text = opt_text(&o, OPT_MESSAGE);
    if (!text.p)
        text = first_string(m, &scratch);
    end(s, error, m->uri, text, m);
    if (readable)
        opts_fini(&o);
    buf_unref(scratch);
}

/* ---- messages about the session itself --------------------------------------------- */

static void on_welcome(struct session *s, struct msg *m)
{
    const unsigned wanted = 1u << ROLE_BROKER | 1u << ROLE_DEALER;
    struct opts o;
    struct fault f;
    bool ok;

    if (!opts_decode(&o, m, &f)) {
        session_violated(s, &f);
        return;
    }
    ok = roles_decode(&s->router, s->wire, opt_text(&o, OPT_ROLES), wanted, &f);
    opts_fini(&o);
    if (!ok) {
        session_violated(s, &f);
        return;
    }
    s->state = SESSION_JOINED;
    s->id = m->id;
    heap_clear(&s->timers, &s->limit);
    msg_move(&session_event(s, EVENT_JOINED)->m, m);
}

static void on_challenge(struct session *s, struct msg *m)
{
    s->challenge = CHALLENGE_OPEN;
    msg_move(&session_event(s, EVENT_CHALLENGE)->m, m);
}

static void on_goodbye(struct session *s, struct msg *m)
{
    if (s->state == SESSION_JOINED)
        send_farewell(s, MSG_GOODBYE, SLICE("wamp.close.goodbye_and_out"),
                      (struct slice){ 0 });
    end_by(s, SESSION_OK, m);
}

unsigned session_grammar_state(const struct session *s)
{
    if (s->state == SESSION_JOINED)
        return STATE_JOINED;
    if (s->state == SESSION_LEAVING)
        return STATE_CLOSING;
    return s->challenge ? STATE_CHALLENGING : STATE_OPENING;
}

/* Whether `m` may come now. What msg_allowed does not know: nothing but ABORT may come
 * while the app works on the answer to a challenge. */
static bool is_expected(const struct session *s, const struct msg *m, struct fault *f)
{
    if (!msg_allowed(m, FROM_ROUTER, session_grammar_state(s), f))
        return false;
    if (s->challenge != CHALLENGE_OPEN || m->row->code != MSG_WELCOME)
        return true;
    fault_set(f, "wamp.error.protocol_violation",
              "WELCOME before CHALLENGE was answered");
    return false;
}

static void dispatch(struct session *s, struct msg *m)
{
    switch (m->row->code) {
    case MSG_WELCOME:
        on_welcome(s, m);
        break;
    case MSG_CHALLENGE:
        on_challenge(s, m);
        break;
    case MSG_GOODBYE:
        on_goodbye(s, m);
        break;
    case MSG_ABORT:
        end_by(s, SESSION_LOST, m);
        break;
    case MSG_EVENT:
        session_on_event(s, m);
        break;
    case MSG_INVOCATION:
        session_on_invocation(s, m);
        break;
    case MSG_INTERRUPT:
        session_on_interrupt(s, m);
        break;
    default:
        session_on_answer(s, m);
        break;
    }
}

/* After our GOODBYE only its answer counts (WAMP: session closing). */
static bool is_too_late(const struct session *s, const struct msg *m)
{
    return s->state == SESSION_LEAVING && m->row->code != MSG_GOODBYE &&
           m->row->code != MSG_ABORT;
}

static void receive(struct session *s, struct buf *message)
{
    struct msg m;
    struct fault f;

    if (!msg_decode(&m, s->wire, message, &f)) {
        if (s->state != SESSION_LEAVING)
            session_violated(s, &f);
        return;
    }
    if (!is_too_late(s, &m)) {
        if (is_expected(s, &m, &f))
            dispatch(s, &m);
        else
            session_violated(s, &f);
    }
    msg_fini(&m);
}

/* ---- input ------------------------------------------------------------------------- */

static void enter(struct session *s, uint64_t now)
{
    assert(!s->busy);
    s->busy = true;
    s->now = now;
}

uint64_t session_after(const struct session *s, uint64_t ms)
{
    return ms < NEVER - s->now ? s->now + ms : NEVER - 1;
}

void session_limit(struct session *s, size_t size)
{
    if (size < s->max_send)
        s->max_send = size;
}

void session_speak(struct session *s, const struct wire *wire)
{
    struct buf *hello;

    if (s->state != SESSION_NEW || wire == s->wire)
        return;
    hello = transcode(slice_buf(s->hello), s->wire, wire);
    if (!hello)
        return; /* too long in any format */
    buf_unref(s->hello);
    buf_unref(s->progress);
    s->hello = hello;
    s->progress = session_make_progress(wire);
    s->wire = wire;
}

const struct wire *session_wire(const struct session *s)
{
    return s->wire;
}

void session_opened(struct session *s, uint64_t now)
{
    if (s->state != SESSION_NEW)
        return;
    s->now = now;
    s->state = SESSION_JOINING;
    session_push(s, s->hello);
    s->hello = NULL;
    if (s->join_timeout)
        heap_set(&s->timers, &s->limit, session_after(s, s->join_timeout));
}

void session_feed(struct session *s, struct buf *message, uint64_t now)
{
    assert(s->state != SESSION_NEW);
    if (s->state == SESSION_CLOSED)
        return;
    enter(s, now);
    receive(s, message);
    s->busy = false;
}

void session_closed(struct session *s, const char *why, uint64_t now)
{
    enter(s, now);
    end(s, s->state == SESSION_LEAVING ? SESSION_OK : SESSION_LOST,
        SLICE("wamp.close.transport_lost"), slice_of(why), NULL);
    s->busy = false;
}

static void on_limit(struct session *s)
{
    if (s->state == SESSION_JOINING)
        end(s, SESSION_TIMEOUT, SLICE("wamp.error.timeout"),
            SLICE("the router did not answer HELLO in time"), NULL);
    else
        end(s, SESSION_OK, SLICE("wamp.error.timeout"),
            SLICE("the router did not answer GOODBYE in time"), NULL);
}

void session_tick(struct session *s, uint64_t now)
{
    struct timer *t;

    enter(s, now);
    while ((t = heap_due(&s->timers, now))) {
        if (t == &s->limit)
            on_limit(s);
        else
            session_on_timer(s, t);
    }
    s->busy = false;
}

uint64_t session_deadline(const struct session *s)
{
    return heap_deadline(&s->timers);
}

bool session_wants_close(const struct session *s)
{
    return s->state == SESSION_CLOSED && !s->out.count;
}

/* ---- intents about the session itself ---------------------------------------------- */

int session_authenticate(struct session *s, struct slice signature, struct slice extra)
{
    struct msg m = { .row = msg_row(MSG_AUTHENTICATE),
                     .wire = s->wire,
                     .text = signature,
                     .dict = extra };
    int error;

    assert(!s->busy);
    if (s->state != SESSION_JOINING || s->challenge != CHALLENGE_OPEN)
        return session_refuse(s, SESSION_UNKNOWN, "no challenge to answer");
    if (!utf8_ok(signature))
        return session_refuse(s, SESSION_BAD_OPTION, "the signature is not UTF-8");
    error = session_send(s, &m);
    if (!error)
        s->challenge = CHALLENGE_ANSWERED;
    return error;
}

void session_leave(struct session *s, const char *reason, const char *text, uint64_t now)
{
    struct slice uri = slice_of(reason ? reason : "wamp.close.normal");

    if (s->state == SESSION_LEAVING)
        return;
    enter(s, now);
    if (s->state == SESSION_JOINED) {
        session_decline_open(s);
        send_farewell(s, MSG_GOODBYE, uri, slice_of(text));
        s->state = SESSION_LEAVING;
        heap_set(&s->timers, &s->limit, session_after(s, LIMIT_GOODBYE_MS));
    } else {
        end(s, SESSION_OK, uri, slice_of(text), NULL);
    }
    s->busy = false;
}

int session_depart(struct session *s, struct msg *m)
{
    int error = session_send(s, m);

    if (error)
        return error;
    if (m->row->code == MSG_ABORT) {
        end(s, SESSION_LOST, m->uri, (struct slice){ 0 }, NULL);
    } else {
        s->state = SESSION_LEAVING;
        heap_set(&s->timers, &s->limit, session_after(s, LIMIT_GOODBYE_MS));
    }
    return SESSION_OK;
}

void session_abort(struct session *s, const char *reason, const char *text, uint64_t now)
{
    enter(s, now);
    if (s->state == SESSION_JOINING || s->state == SESSION_JOINED)
        send_farewell(s, MSG_ABORT, slice_of(reason), slice_of(text));
    end(s, SESSION_LOST, slice_of(reason), slice_of(text), NULL);
    s->busy = false;
}

/* ---- made and freed ---------------------------------------------------------------- */

struct session *session_new(const struct wire *wire, const struct session_config *config,
                            const struct rng *rng)
{
    struct session *s = xcalloc(1, sizeof *s);

    (void)rng; /* a client draws no random ids */
    s->wire = wire;
    s->join_timeout = config->join_timeout;
    s->max_message = config->max_message ? config->max_message : LIMIT_MESSAGE_SIZE;
    s->max_send = s->max_message;
    s->own = config->roles.roles ? config->roles : *session_client_roles();
    s->hello = session_make_hello(wire, config);
    s->progress = session_make_progress(wire);
    list_init(&s->asked);
    list_init(&s->idle);
    return s;
}

void session_free(struct session *s)
{
    struct event e;
    struct buf *b;

    if (!s)
        return;
    s->state = SESSION_CLOSED;
    session_drop_pending(s);
    session_serve_nothing(s);
    while (session_next_event(s, &e))
        event_done(&e);
    while ((b = session_next_out(s)))
        buf_unref(b);
    free(s->events.at);
    free(s->out.at);
    buf_unref(s->hello);
    buf_unref(s->progress);
    heap_fini(&s->timers);
    free(s);
}

/* ---- looking ----------------------------------------------------------------------- */

enum session_state session_state(const struct session *s)
{
    return s->state;
}

uint64_t session_id(const struct session *s)
{
    return s->state == SESSION_JOINED ? s->id : 0;
}

const struct roles *session_router_roles(const struct session *s)
{
    return &s->router;
}

size_t session_pending(const struct session *s)
{
    return s->pending.count;
}

size_t session_max_message(const struct session *s)
{
    return s->max_message;
}

uint64_t session_late(const struct session *s)
{
    return s->late;
}
