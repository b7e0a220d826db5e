/* test_session.c - what the talks of tests/talk/session cannot say: tags, lifetimes,
 * limits that take thousands of messages, deadlines, and every message in every state. */
#include <stdlib.h>

#include "check.h"
#include "wamp/session.h"

static uint64_t no_luck(void *ctx)
{
    (void)ctx;
    return 1;
}

static struct session *make(void)
{
    struct session_config config = { .realm = "realm1", .join_timeout = 5000 };
    struct rng rng = { no_luck, NULL };

    return session_new(&wire_json, &config, &rng);
}

static void feed_at(struct session *s, const char *message, uint64_t now)
{
    struct buf *b = buf_from(message, strlen(message));

    session_feed(s, b, now);
    buf_unref(b);
}

static void feed(struct session *s, const char *message)
{
    feed_at(s, message, 0);
}

static void feed_id(struct session *s, const char *format, long long a, long long b)
{
    char message[200];

    snprintf(message, sizeof message, format, a, b);
    feed(s, message);
}

static unsigned drop_out(struct session *s)
{
    struct buf *b;
    unsigned n = 0;

    for (; (b = session_next_out(s)); n++)
        buf_unref(b);
    return n;
}

/* Throws events away; returns how many were of `kind`. */
static unsigned drop_events(struct session *s, enum event_kind kind)
{
    struct event e;
    unsigned n = 0;

    while (session_next_event(s, &e)) {
        n += e.kind == kind;
        event_done(&e);
    }
    return n;
}

static struct session *joined(void)
{
    struct session *s = make();

    session_opened(s, 0);
    feed(s, "[2,7,{\"roles\":{\"broker\":{},\"dealer\":{}}}]");
    drop_out(s);
    drop_events(s, EVENT_JOINED);
    return s;
}

static int64_t call(struct session *s, void *tag)
{
    struct request q = { .uri = SLICE("com.a"), .tag = tag };

    return session_call(s, &q, 0);
}

static int64_t subscribe(struct session *s)
{
    struct request q = { .uri = SLICE("com.a") };

    return session_subscribe(s, &q, 0);
}

static struct event next(struct session *s)
{
    struct event e = { .kind = EVENT_LEFT, .error = 1 };

    CHECK(session_next_event(s, &e));
    return e;
}

/* ---- life -------------------------------------------------------------------------- */

static void test_events(void)
{
    struct session *s = joined();
    int a, b;
    struct event e;

    TEST("an answer carries the tag of its request");
    CHECK_INT(call(s, &a), 1);
    CHECK_INT(call(s, &b), 2);
    feed(s, "[50,2,{},[22]]");
    feed(s, "[50,1,{},[11]]");
    e = next(s);
    CHECK(e.kind == EVENT_RESULT && e.tag == &b && e.request == 2);
    event_done(&e);

    TEST("an event's slices outlive the session");
    e = next(s);
    session_free(s);
    CHECK(e.tag == &a && slice_is(e.m.args, "[11]"));
    event_done(&e);

    TEST("an event's slices outlive messages behind it");
    s = joined();
    call(s, &a);
    feed(s, "[50,1,{},[\"first\"]]");
    call(s, &a);
    feed(s, "[50,2,{},[\"second\"]]");
    e = next(s);
    CHECK(slice_is(e.m.args, "[\"first\"]"));
    event_done(&e);
    session_free(s);

    TEST("the events that end something carry the message that did");
    s = joined();
    session_register(s, &(struct request){ .uri = SLICE("com.a") }, 0);
    feed(s, "[65,1,50]");
    drop_events(s, EVENT_REGISTERED);
    CHECK(session_unregister(s, 50, &a, 0) == 2);
    feed(s, "[67,2]");
    e = next(s);
    CHECK(e.kind == EVENT_UNREGISTERED && e.tag == &a);
    event_done(&e);
    session_register(s, &(struct request){ .uri = SLICE("com.a") }, 0);
    feed(s, "[65,3,50]");
    drop_events(s, EVENT_REGISTERED);
    feed(s, "[67,0,{\"registration\":50}]");
    e = next(s);
    CHECK(e.m.row && e.m.row->code == MSG_UNREGISTERED && e.m.id == 50);
    event_done(&e);
    feed(s, "[6,{\"x\":1},\"com.reason\"]");
    e = next(s);
    CHECK(e.m.row && e.m.row->code == MSG_GOODBYE && slice_is(e.m.dict, "{\"x\":1}"));
    event_done(&e);
    event_done(&e);
    session_free(s);
}

static void test_free(void)
{
    struct session *s;

    TEST("a session can be freed at any time");
    session_free(NULL);
    session_free(make());
    s = make();
    session_opened(s, 0);
    session_opened(s, 0);
    CHECK_INT(drop_out(s), 1);
    session_opened(s, 0);
    session_free(s);
    s = joined();
    call(s, NULL);
    subscribe(s);
    feed(s, "[33,2,20]");
    subscribe(s);
    CHECK_INT(session_unsubscribe(s, 20, NULL, 0), 0); /* waits */
    feed(s, "[36,21,1,{}]");                           /* is kept */
    session_free(s);
}

static void test_deadline(void)
{
    struct request q = { .uri = SLICE("com.a"), .timeout = 300 };
    struct session *s = make();

    TEST("the deadline is that of the nearest timer");
    CHECK(session_deadline(s) == NEVER);
    session_opened(s, 1000);
    CHECK_INT(session_deadline(s), 6000);
    session_free(s);
    s = joined();
    CHECK(session_deadline(s) == NEVER);
    session_call(s, &q, 100);
    CHECK_INT(session_deadline(s), 400);
    q.timeout = 100;
    session_call(s, &q, 150);
    CHECK_INT(session_deadline(s), 250);
    session_tick(s, 250);
    CHECK_INT(session_deadline(s), 400);
    session_leave(s, NULL, NULL, 300);
    session_tick(s, 400);
    CHECK_INT(session_deadline(s), 5300);
    session_tick(s, 5300);
    CHECK(session_deadline(s) == NEVER);
    CHECK_INT(drop_events(s, EVENT_LEFT), 1);
    session_free(s);

    TEST("an ended session wants no tick");
    s = joined();
    session_leave(s, NULL, NULL, 300);
    session_closed(s, NULL, 400);
    CHECK(session_deadline(s) == NEVER);
    session_free(s);

    TEST("a progressive result starts the timer again, from when it came");
    s = joined();
    session_call(s, &q, 1000);
    CHECK_INT(session_deadline(s), 1100);
    feed_at(s, "[50,1,{\"progress\":true}]", 1050);
    CHECK_INT(session_deadline(s), 1150);
    feed_at(s, "[50,1,{}]", 1060);
    CHECK(session_deadline(s) == NEVER);
    session_free(s);
}

static void test_looking(void)
{
    struct session *s = joined();

    TEST("the router's roles are those of WELCOME");
    CHECK(roles_has(session_router_roles(s), ROLE_BROKER));
    CHECK(!roles_can(session_router_roles(s), ROLE_DEALER, FEATURE_CALL_TIMEOUT));
    CHECK_INT(session_id(s), 7);

    TEST("the transport is closed when ABORT has been taken");
    CHECK_STR(session_last_error(s), "");
    feed(s, "[]");
    CHECK(!session_wants_close(s));
    CHECK_INT(drop_out(s), 1);
    CHECK(session_wants_close(s));
    session_free(s);
}

/* ---- limits ------------------------------------------------------------------------ */

static void test_pending_limit(void)
{
    struct request q = { .uri = SLICE("com.a") };
    struct session *s = joined();
    int64_t last = 0;

    TEST("requests under way are limited");
    for (int i = 0; i < LIMIT_PENDING; i++)
        last = call(s, NULL);
    CHECK_INT(last, LIMIT_PENDING);
    CHECK_INT(call(s, NULL), SESSION_BUSY);
    CHECK_STR(session_last_error(s), "65536 requests are under way");
    CHECK_INT(session_pending(s), LIMIT_PENDING);
    CHECK_INT(session_publish(s, &q, 0), 0); /* nobody waits for it */
    drop_out(s);
    feed(s, "[50,5,{}]");
    CHECK(call(s, NULL) > 0);

    TEST("the end settles every one of them, once");
    CHECK_INT(drop_events(s, EVENT_RESULT), 1);
    session_closed(s, NULL, 0);
    session_closed(s, NULL, 0);
    CHECK_INT(drop_events(s, EVENT_ERROR), LIMIT_PENDING);
    session_free(s);
}

static void test_give_up_limit(void)
{
    struct session *s = joined();

    TEST("a refused UNREGISTER or UNSUBSCRIBE leaves everything as it was");
    subscribe(s);
    session_register(s, &(struct request){ .uri = SLICE("com.a") }, 0);
    feed(s, "[33,1,20]");
    feed(s, "[65,2,50]");
    for (int i = 0; i < LIMIT_PENDING; i++)
        call(s, NULL);
    CHECK_INT(session_unsubscribe(s, 20, NULL, 0), SESSION_BUSY);
    CHECK_INT(session_unregister(s, 50, NULL, 0), SESSION_BUSY);
    feed(s, "[50,3,{}]");
    CHECK(session_unsubscribe(s, 20, NULL, 0) > 0);
    feed(s, "[50,4,{}]");
    CHECK(session_unregister(s, 50, NULL, 0) > 0);
    session_leave(s, NULL, NULL, 0);
    CHECK_INT(session_unsubscribe(s, 20, NULL, 0), SESSION_NOT_JOINED);
    CHECK_INT(session_unregister(s, 50, NULL, 0), SESSION_NOT_JOINED);
    session_free(s);
}

static void test_early_limit(void)
{
    struct session *s = joined();
    char *big = malloc(6 * 1024 * 1024 + 100);
    size_t n = 6 * 1024 * 1024;

    TEST("early events are limited in number");
    subscribe(s);
    for (int i = 1; i <= LIMIT_EARLY_EVENTS + 5; i++)
        feed_id(s, "[36,%lld,%lld,{}]", 20, i);
    CHECK_INT(session_late(s), 5);
    feed(s, "[33,1,20]");
    CHECK_INT(drop_events(s, EVENT_EVENT), LIMIT_EARLY_EVENTS);
    session_free(s);

    TEST("early events are limited in bytes");
    s = joined();
    subscribe(s);
    memcpy(big, "[36,20,1,{},[\"", 14);
    memset(big + 14, 'x', n);
    memcpy(big + 14 + n, "\"]]", 4);
    for (int i = 0; i < 10; i++)
        feed(s, big);
    CHECK_INT(session_late(s), 7); /* 18 MiB are kept */
    feed(s, "[33,1,20]");
    CHECK_INT(drop_events(s, EVENT_EVENT), 3);

    TEST("early events that were delivered or dropped make room for others");
    big[5] = '1'; /* subscription 21 */
    for (int round = 0; round < 3; round++) {
        int64_t id = subscribe(s);

        for (int i = 0; i < 3; i++)
            feed(s, big);
        if (round == 1)
            feed_id(s, "[33,%lld,%lld]", id, 21);
        else
            feed_id(s, "[8,32,%lld,{},\"com.error.%lld\"]", id, 1);
        CHECK_INT(drop_events(s, EVENT_EVENT), round == 1 ? 3 : 0);
        if (round == 1)
            feed(s, "[35,0,{\"subscription\":21}]");
    }
    session_free(s);
    free(big);
}

static void test_invocation_limit(void)
{
    struct session *s = joined();

    TEST("open invocations are limited, and further ones are answered");
    session_register(s, &(struct request){ .uri = SLICE("com.a") }, 0);
    feed(s, "[65,1,50]");
    drop_out(s);
    for (int i = 1; i <= LIMIT_PENDING; i++)
        feed_id(s, "[68,%lld,%lld,{}]", i, 50);
    CHECK_INT(drop_out(s), 0);
    feed_id(s, "[68,%lld,%lld,{}]", LIMIT_PENDING + 1, 50);
    CHECK_INT(drop_out(s), 1);
    CHECK_INT(drop_events(s, EVENT_INVOCATION), LIMIT_PENDING);
    session_free(s);
}

/* ---- intents with impossible words ------------------------------------------------- */

static void test_not_utf8(void)
{
    const struct slice bad = SLICE("com.\xff"), none = { 0 };
    struct session *s = make();

    TEST("text that is not UTF-8 is refused, not sent");
    session_opened(s, 0);
    feed(s, "[4,\"ticket\",{}]");
    CHECK_INT(session_authenticate(s, bad, none), SESSION_BAD_OPTION);
    session_free(s);
    s = joined();
    CHECK_INT(session_call(s, &(struct request){ .uri = bad }, 0), SESSION_BAD_URI);
    session_register(s, &(struct request){ .uri = SLICE("com.a") }, 0);
    feed(s, "[65,1,50]");
    feed(s, "[68,1,50,{}]");
    CHECK_INT(session_fail(s, 1, bad, &(struct answer){ 0 }), SESSION_BAD_URI);
    drop_out(s);
    session_leave(s, NULL, "bye \xff", 0);
    CHECK_INT(drop_out(s), 2); /* ERROR of the open invocation, and GOODBYE */
    session_free(s);
}

/* ---- every message in every state -------------------------------------------------- */

static const struct {
    const char *message;
    const char *fine; /* states in which it breaks nothing: Joining, Challenged, joIned */
} arrivals[] = {
    { "[1,\"realm1\",{\"roles\":{\"caller\":{}}}]", "" },
    { "[2,7,{\"roles\":{\"dealer\":{}}}]", "JC" },
    { "[3,{},\"com.reason\"]", "JCI" },
    { "[4,\"ticket\",{}]", "J" },
    { "[5,\"signature\",{}]", "" },
    { "[6,{},\"com.reason\"]", "I" },
    { "[8,48,1,{},\"com.error\"]", "I" },
    { "[16,1,{},\"com.a\"]", "" },
    { "[17,1,1]", "I" },
    { "[32,1,{},\"com.a\"]", "" },
    { "[33,1,1]", "I" },
    { "[34,1,1]", "" },
    { "[35,1]", "I" },
    { "[36,1,1,{}]", "I" },
    { "[48,1,{},\"com.a\"]", "" },
    { "[49,1,{}]", "" },
    { "[50,1,{}]", "I" },
    { "[64,1,{},\"com.a\"]", "" },
    { "[65,1,1]", "I" },
    { "[66,1,1]", "" },
    { "[67,1]", "I" },
    { "[68,1,1,{}]", "I" },
    { "[69,1,{}]", "I" },
    { "[70,1,{}]", "" },
    { "[99]", "" },
    { "[]", "" },
    { "{}", "" },
    { "[50]", "" },
    { "[50,0,{}]", "" },
    { "[50,1,{},{}]", "" },
    { "[50,1,{},[1]", "" },
    { "[50,1,{\"progress\":7}]", "I" }, /* nobody waits: nobody looks */
    { "[67,0,{\"registration\":\"x\"}]", "" },
    { "[68,1,1,{\"receive_progress\":1}]", "" },
    { "", "" },
    { "\xff", "" },
};

static struct session *in_state(char state)
{
    struct session *s;

    if (state == 'I')
        return joined();
    s = make();
    session_opened(s, 0);
    if (state == 'C') {
        feed(s, "[4,\"ticket\",{}]");
        session_authenticate(s, SLICE("x"), (struct slice){ 0 });
    }
    drop_out(s);
    drop_events(s, EVENT_CHALLENGE);
    return s;
}

/* Whether `message` made the session send ABORT protocol_violation and end with that. */
static bool violates(struct session *s, const char *message)
{
    struct buf *b;
    bool aborted = false;
    struct event e;

    feed(s, message);
    while ((b = session_next_out(s))) {
        aborted |= slice_has_prefix(slice_buf(b), SLICE("[3,{\"message\":\""));
        buf_unref(b);
    }
    if (!aborted)
        return false;
    CHECK(session_state(s) == SESSION_CLOSED);
    e = next(s);
    CHECK(e.kind == EVENT_LEFT && e.error == SESSION_LOST);
    CHECK_STR(e.reason, "wamp.error.protocol_violation");
    CHECK(e.text && *e.text);
    event_done(&e);
    return true;
}

static void test_states(void)
{
    TEST("every message is right in its states and a violation in all others");
    for (size_t i = 0; i < sizeof arrivals / sizeof *arrivals; i++) {
        for (const char *state = "JCI"; *state; state++) {
            struct session *s = in_state(*state);
            bool fine = strchr(arrivals[i].fine, *state) != NULL;

            if (violates(s, arrivals[i].message) == fine) {
                fprintf(stderr, "%s in %c\n", arrivals[i].message, *state);
                CHECK(!"the right reaction");
            }
            session_free(s);
        }
    }
}

void test_session(void);

void test_session(void)
{
    test_events();
    test_free();
    test_deadline();
    test_looking();
    test_pending_limit();
    test_give_up_limit();
    test_early_limit();
    test_invocation_limit();
    test_not_utf8();
    test_states();
}
