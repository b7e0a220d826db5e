/* fuzz_session.c - the input is a program of intents, messages (whole, mutated, or any
 * bytes), ticks and endings, run against one session.
 *
 * What must hold whatever happens: every request that was taken is settled by at most one
 * event, and by exactly one when the session has ended, unless it was forgotten, which
 * gives none; EVENT_LEFT comes once and last; all that goes out is what a client may
 * send, under ids that count up by one, but for later parts of a call in parts.
 *
 * covers: src/wamp/session.c src/wamp/session_ask.c src/wamp/session_check.c
 * covers: src/wamp/session_hello.c src/wamp/session_serve.c src/wamp/session_hand.c
 * covers: src/wamp/session_parts.c src/wamp/session_queue.c
 *
 * Not known here: which reaction is the right one (tests/talk/session). */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wamp/session.h"

#define REQUIRE(cond) ((cond) ? (void)0 : failed(__LINE__, #cond))

#define SLOTS 1024

enum slot_state { SLOT_FREE, SLOT_PENDING, SLOT_SETTLED, SLOT_FORGOTTEN };

struct slot {
    uint64_t id;
    enum msg_code code; /* of the request */
    enum slot_state state;
};

struct run {
    const uint8_t *p, *end; /* the program */
    struct session *session;
    uint64_t now;
    uint64_t last_id; /* that went out */
    bool was_joined, left;
    struct slot slots[SLOTS];
    size_t slot_count;
    uint64_t parts; /* bit n: the call with id n, up to 63, has parts to come */
};

static void failed(int line, const char *what)
{
    fprintf(stderr, "fuzz_session.c:%d: %s\n", line, what);
    abort();
}

static unsigned byte(struct run *r)
{
    return r->p < r->end ? *r->p++ : 0;
}

/* ---- what comes out ---------------------------------------------------------------- */

static bool is_numbered(const struct msg *m)
{
    return m->row->answer && m->row->shape[0] == 'r';
}

static bool says_progress(const struct msg *m)
{
    struct opts o;
    struct fault f;
    bool progress;

    REQUIRE(opts_decode(&o, m, &f));
    progress = opt_is(&o, OPT_PROGRESS, false);
    opts_fini(&o);
    return progress;
}

/* A CALL under an old id is the next part of a call that promised one. */
static void check_call(struct run *r, const struct msg *m)
{
    uint64_t bit = 1ull << (m->request & 63);

    if (m->request > 63)
        return;
    if (m->request <= r->last_id)
        REQUIRE(r->parts & bit);
    r->parts = says_progress(m) ? r->parts | bit : r->parts & ~bit;
}

static void check_out(struct run *r, struct buf *b)
{
    const unsigned any = STATE_OPENING | STATE_CHALLENGING | STATE_JOINED | STATE_CLOSING;
    struct msg m;
    struct fault f;

    REQUIRE(msg_decode(&m, &wire_json, b, &f));
    REQUIRE((m.row->from & FROM_CLIENT) && (m.row->states & any));
    if (m.row->code == MSG_CALL)
        check_call(r, &m);
    if (m.row->code == MSG_CALL && m.request <= r->last_id)
        REQUIRE(m.request);
    else if (is_numbered(&m) || m.row->code == MSG_PUBLISH)
        REQUIRE(m.request == ++r->last_id);
    msg_fini(&m);
}

static void settle(const struct event *e)
{
    struct slot *slot = e->tag;

    REQUIRE(slot && slot->id == e->request);
    REQUIRE(slot->state == SLOT_PENDING);
    if (!e->progress)
        slot->state = SLOT_SETTLED;
}

static void check_end(const struct run *r)
{
    for (size_t i = 0; i < r->slot_count; i++)
        REQUIRE(r->slots[i].state != SLOT_PENDING);
}

static void check_event(struct run *r, const struct event *e)
{
    REQUIRE(!r->left);
    if (e->hand)
        REQUIRE(!e->tag && r->was_joined);
    else if (e->request)
        settle(e);
    else if (e->kind == EVENT_JOINED)
        REQUIRE(!r->was_joined);
    else if (e->kind != EVENT_CHALLENGE && e->kind != EVENT_LEFT)
        REQUIRE(r->was_joined && e->m.row);
    r->was_joined |= e->kind == EVENT_JOINED;
    r->left = e->kind == EVENT_LEFT;
}

static void drain(struct run *r)
{
    struct event e;
    struct buf *b;

    while ((b = session_next_out(r->session))) {
        check_out(r, b);
        buf_unref(b);
    }
    while (session_next_event(r->session, &e)) {
        check_event(r, &e);
        event_done(&e);
    }
    if (r->left)
        check_end(r);
    REQUIRE(r->left == (session_state(r->session) == SESSION_CLOSED));
    REQUIRE(session_wants_close(r->session) == r->left);
    REQUIRE(!r->left || !session_pending(r->session));
    REQUIRE(!session_id(r->session) || r->was_joined);
    REQUIRE(!r->left || session_deadline(r->session) == NEVER);
    REQUIRE(utf8_ok(slice_of(session_last_error(r->session))));
}

/* ---- intents ----------------------------------------------------------------------- */

static struct slice pick(unsigned n, const char *const *texts, size_t count)
{
    return slice_of(texts[n % count]);
}

#define PICK(n, texts) pick(n, texts, sizeof texts / sizeof *texts)

static const char *const uris[] = { "com.a", "com.b", "a..b", "wamp.x",
                                    "",      "com.",  "a b",  "com.\xff" };
static const char *const options[] = { NULL,
                                       "{}",
                                       "{\"acknowledge\":true}",
                                       "{\"match\":\"prefix\"}",
                                       "{\"match\":\"odd\"}",
                                       "{\"receive_progress\":true}",
                                       "{\"timeout\":5,\"disclose_me\":true}",
                                       "{\"exclude\":[1],\"exclude_me\":false}",
                                       "{\"invoke\":\"first\"}",
                                       "{\"progress\":true}",
                                       "{\"acknowledge\":3}",
                                       "{\"x\":{\"y\":[null]}}",
                                       "[]" };
static const char *const lists[] = { NULL, "[]", "[1,\"two\",[3]]" };
static const char *const dicts[] = { NULL, "{}", "{\"k\":\"v\"}" };

static void take_slot(struct run *r, enum msg_code code, int64_t result)
{
    struct slot *slot = &r->slots[r->slot_count];

    if (result <= 0)
        return;
    slot->id = (uint64_t)result;
    slot->code = code;
    slot->state = SLOT_PENDING;
    r->slot_count++;
}

static void ask(struct run *r)
{
    static const struct {
        enum msg_code code;
        int64_t (*run)(struct session *, const struct request *, uint64_t);
    } intents[] = { { MSG_CALL, session_call },
                    { MSG_PUBLISH, session_publish },
                    { MSG_REGISTER, session_register },
                    { MSG_SUBSCRIBE, session_subscribe } };
    unsigned how = byte(r), what = byte(r), payload = byte(r);
    struct request q = { .uri = PICK(how >> 2, uris),
                         .options = PICK(what, options),
                         .args = PICK(payload, lists),
                         .kwargs = PICK(payload >> 2, dicts),
                         .timeout = payload >> 4,
                         .tag = &r->slots[r->slot_count] };

    if (r->slot_count < SLOTS)
        take_slot(r, intents[how & 3].code, intents[how & 3].run(r->session, &q, r->now));
}

/* A message made by hand; half of them under the next request id. */
static void by_hand(struct run *r)
{
    static const char *const formats[] = {
        "[48,%u,{\"receive_progress\":true},\"com.a\",[1]]",
        "[48,%u,{\"progress\":true},\"com.a\",[1]]",
        "[48,%u,{},\"com.a\",[1]]",
        "[16,%u,{\"acknowledge\":true},\"com.a\"]",
        "[16,%u,{},\"com.a\",[],{}]",
        "[32,%u,{},\"com.a\"]",
        "[34,%u,%u]",
        "[64,%u,{},\"com.a\"]",
        "[66,%u,%u]",
        "[49,%u,{\"mode\":\"kill\"}]",
        "[70,%u,{\"progress\":true}]",
        "[70,%u,{},[1]]",
        "[8,68,%u,{},\"com.a\"]",
        "[1,\"realm1\",{}]",
        "[6,{},\"com.bye\"]",
        "[3,{},\"com.bye\"]",
    };
    const char *format = formats[byte(r) % (sizeof formats / sizeof *formats)];
    unsigned how = byte(r), id = how >> 1 & 7;
    char text[100];
    struct buf *b;

    if (how & 1)
        id = (unsigned)session_next_request(r->session);
    /* NOLINTNEXTLINE: the formats are the table's */
    snprintf(text, sizeof text, format, id, 1 + (byte(r) & 3));
    b = buf_from(text, strlen(text));
    session_hand(r->session, b, r->now);
    buf_unref(b);
}

static void part(struct run *r)
{
    unsigned how = byte(r);

    session_part(r->session, byte(r) & 31, how & 1, PICK(how >> 2, lists),
                 PICK(how >> 4, dicts), r->now);
}

static void give_up(struct run *r)
{
    unsigned how = byte(r);
    void *tag = &r->slots[r->slot_count];

    if (r->slot_count == SLOTS)
        return;
    if (how & 1)
        take_slot(r, MSG_UNSUBSCRIBE,
                  session_unsubscribe(r->session, how >> 1 & 7, tag, r->now));
    else
        take_slot(r, MSG_UNREGISTER,
                  session_unregister(r->session, how >> 1 & 7, tag, r->now));
}

static void forget(struct run *r, uint64_t id)
{
    drain(r);
    session_forget(r->session, id);
    for (size_t i = 0; i < r->slot_count; i++)
        if (r->slots[i].id == id && r->slots[i].state == SLOT_PENDING)
            r->slots[i].state = SLOT_FORGOTTEN;
}

static void cancel(struct run *r)
{
    static const char *const modes[] = { NULL, "skip", "kill", "killnowait", "odd" };
    unsigned how = byte(r);

    session_cancel(r->session, byte(r) & 31, modes[how % 5], r->now);
}

static void answer(struct run *r)
{
    unsigned how = byte(r), id = 1 + (byte(r) & 3);
    struct answer a = { .args = PICK(how >> 2, lists),
                        .kwargs = PICK(how >> 4, dicts),
                        .options =
                            how & 128 ? PICK(how >> 3, dicts) : (struct slice){ 0 } };

    if (how & 1)
        session_yield(r->session, id, how & 2, &a);
    else
        session_fail(r->session, id, PICK(how >> 2, uris), &a);
}

static void finish(struct run *r)
{
    unsigned how = byte(r);

    if (how % 8 == 0)
        session_leave(r->session, NULL, "bye", r->now);
    else if (how % 8 == 1)
        session_abort(r->session, "com.reason", NULL, r->now);
    else if (how % 8 == 2)
        session_closed(r->session, "gone", r->now);
    else
        session_authenticate(r->session, SLICE("x"), PICK(how >> 3, dicts));
}

/* ---- messages ---------------------------------------------------------------------- */

/* Each %u takes one byte of the program. */
static const char *const messages[] = {
    "[50,%u,{},[1]]",
    "[50,%u,{\"progress\":true}]",
    "[17,%u,%u]",
    "[33,%u,%u]",
    "[35,%u]",
    "[65,%u,%u]",
    "[67,%u]",
    "[36,%u,%u,{\"topic\":\"com.a\"},[],{}]",
    "[68,%u,%u,{\"receive_progress\":true}]",
    "[68,%u,%u,{}]",
    "[69,%u,{\"mode\":\"kill\"}]",
    "[8,48,%u,{},\"wamp.error.canceled\",[\"x\"]]",
    "[8,64,%u,{},\"com.error\"]",
    "[8,66,%u,{},\"wamp.error.no_such_registration\"]",
    "[8,66,%u,{},\"com.error\"]",
    "[8,32,%u,{},\"com.error\"]",
    "[8,34,%u,{},\"com.error\"]",
    "[8,16,%u,{},\"com.error\"]",
    "[8,%u,%u,{},\"com.error\"]",
    "[67,0,{\"registration\":%u,\"reason\":\"com.r\"}]",
    "[35,0,{\"subscription\":%u}]",
    "[6,{\"message\":\"m\"},\"com.reason\"]",
    "[3,{},\"com.reason\",[\"words \\u00e9\"]]",
    "[4,\"ticket\",{}]",
    "[2,%u,{\"roles\":{\"broker\":{},\"dealer\":{}}}]",
};

static struct buf *text_message(struct run *r)
{
    char text[300];
    const char *format = messages[byte(r) % (sizeof messages / sizeof *messages)];
    unsigned a = strstr(format, "%u") ? byte(r) & 7 : 0;
    unsigned b = strstr(format, "%u,%u") ? byte(r) & 7 : 0;

    /* NOLINTNEXTLINE: the formats are the table's */
    snprintf(text, sizeof text, format, a, b);
    return buf_from(text, strlen(text));
}

static struct buf *raw_message(struct run *r)
{
    size_t n = byte(r), left = (size_t)(r->end - r->p);
    struct buf *b;

    n = n < left ? n : left;
    b = buf_from(r->p, n);
    r->p += n;
    return b;
}

/* The answer that a request asks for. */
static struct buf *fitting_answer(struct run *r)
{
    static const char *const formats[] = {
        [MSG_CALL] = "[50,%u,{}]",     [MSG_PUBLISH] = "[17,%u,%u]",
        [MSG_REGISTER] = "[65,%u,%u]", [MSG_SUBSCRIBE] = "[33,%u,%u]",
        [MSG_UNREGISTER] = "[67,%u]",  [MSG_UNSUBSCRIBE] = "[35,%u]",
    };
    const struct slot *slot = &r->slots[r->slot_count ? byte(r) % r->slot_count : 0];
    unsigned id = 1 + (byte(r) & 3);
    char text[100];

    if (!slot->id)
        return text_message(r);
    snprintf(text, sizeof text, formats[slot->code], (unsigned)slot->id, id);
    return buf_from(text, strlen(text));
}

static void feed(struct run *r, struct buf *b)
{
    if (session_state(r->session) != SESSION_NEW)
        session_feed(r->session, b, r->now);
    buf_unref(b);
}

/* INVOCATION or INTERRUPT, for one of few ids. */
static void invoke(struct run *r)
{
    static const char *const formats[] = {
        "[68,%u,%u,{}]", "[68,%u,%u,{\"receive_progress\":true}]", "[69,%u,{}]",
        "[68,%u,%u,{\"progress\":true},[1]]", "[68,%u,%u,{\"timeout\":9}]"
    };
    const char *format = formats[byte(r) % 5];
    unsigned id = 1 + (byte(r) & 3), registration = 1 + (byte(r) & 3);
    char text[100];

    snprintf(text, sizeof text, format, id, registration);
    feed(r, buf_from(text, strlen(text)));
}

static void feed_mutated(struct run *r)
{
    struct buf *b = text_message(r);
    size_t at = byte(r) % b->len;

    b->data[at] = (char)byte(r);
    feed(r, b);
}

static void welcome(struct run *r)
{
    const char *text =
        "[2,7,{\"roles\":{\"broker\":{\"features\":{\"publisher_exclusion\":true,"
        "\"pattern_based_subscription\":true}},\"dealer\":{\"features\":{"
        "\"progressive_call_results\":true,\"call_canceling\":true,"
        "\"progressive_call_invocations\":true}}}}]";

    session_opened(r->session, r->now);
    if (session_state(r->session) == SESSION_JOINING)
        feed(r, buf_from(text, strlen(text)));
}

/* ---- the program ------------------------------------------------------------------- */

static void step(struct run *r)
{
    switch (byte(r) % 19) {
    case 0:
    case 1:
    case 2:
        ask(r);
        break;
    case 3:
        give_up(r);
        break;
    case 4:
        cancel(r);
        break;
    case 5:
        forget(r, byte(r) & 31);
        break;
    case 6:
        answer(r);
        break;
    case 7:
        finish(r);
        break;
    case 8:
        feed_mutated(r);
        break;
    case 9:
        r->now += byte(r);
        session_tick(r->session, r->now);
        break;
    case 10:
    case 11:
        feed(r, fitting_answer(r));
        break;
    case 12:
        invoke(r);
        break;
    case 13:
        feed(r, raw_message(r));
        break;
    case 14:
    case 15:
        by_hand(r);
        break;
    case 16:
    case 17:
        part(r);
        break;
    default:
        feed(r, text_message(r));
        break;
    }
}

static uint64_t no_luck(void *ctx)
{
    (void)ctx;
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run r;
    struct session_config config = { .realm = "realm1", .join_timeout = 50 };
    struct rng rng = { no_luck, NULL };
    unsigned how;

    r = (struct run){ .p = data, .end = data + size };
    how = byte(&r);
    config.max_message = how & 1 ? 0 : 60;
    config.hello =
        how & 2 ? SLICE("{\"authid\":\"joe\",\"roles\":1}") : (struct slice){ 0 };
    config.agent = how & 4 ? "fuzz" : NULL;
    r.session = session_new(&wire_json, &config, &rng);
    if (how & 8)
        welcome(&r);
    else if (how & 16)
        session_opened(r.session, 0);
    while (r.p < r.end) {
        step(&r);
        drain(&r);
    }
    if (how & 32) {
        session_closed(r.session, NULL, r.now);
        drain(&r);
        REQUIRE(r.left);
    }
    session_free(r.session);
    return 0;
}
