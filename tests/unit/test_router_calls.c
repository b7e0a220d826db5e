/* test_router_calls.c - bounds of what calls make the router keep, and that all of it
 * goes with them: calls of a callee, calls that wait, calls that may be sent on, and
 * calls in parts.
 *
 * The rules of the protocol are in tests/talk/router. */
#include <malloc.h>
#include <stdlib.h>

#include "base/mem.h"
#include "check.h"
#include "router_bench.h"
#include "wamp/limits.h"

void test_router_calls(void);

#define PARTS                                                                      \
    "\"features\":{\"progressive_call_invocations\":true,\"call_canceling\":true," \
    "\"call_reroute\":true}"

static struct peer *join_as(struct bench *b, const char *features)
{
    struct peer *p = router_open(b->router, &wire_json, NULL, 1000);

    feed(b, p, "[1,\"realm1\",{\"roles\":{\"caller\":{%s},\"callee\":{%s}}}]", features,
         features);
    drain(b);
    return p;
}

/* A message with an argument of `n` bytes; `head` goes up to the argument. */
static void feed_large(struct bench *b, struct peer *p, const char *head, size_t n)
{
    struct buf *message = buf_new(n + 4096);

    buf_append(&message, head, strlen(head));
    memset(buf_reserve(&message, n), 'x', n);
    message->len += n;
    buf_append(&message, "\"]]", 3);
    router_feed(b->router, p, message, 1000);
    buf_unref(message);
}

/* The next output, which must begin so. */
static bool next_is(struct bench *b, struct peer *p, const char *prefix)
{
    char text[256];

    return take(b, text, sizeof text) == p && !strncmp(text, prefix, strlen(prefix));
}

static bool next_is_error(struct bench *b, struct peer *p, const char *uri)
{
    char text[256];

    return take(b, text, sizeof text) == p && strstr(text, uri);
}

static void a_callee_has_a_bound(void)
{
    struct bench b;
    struct peer *callee, *callers[3];

    bench_init(&b);
    callee = join(&b);
    feed(&b, callee, "[64,1,{},\"com.f\"]");
    for (unsigned i = 0; i < 3; i++)
        callers[i] = join(&b);
    for (unsigned i = 0; i < LIMIT_INVOCATIONS; i++) {
        feed(&b, callers[i % 3], "[48,%u,{},\"com.f\"]", i + 1);
        drain(&b);
    }
    feed(&b, callers[0], "[48,900000,{},\"com.f\"]");
    CHECK(next_is_error(&b, callers[0], "wamp.error.unavailable"));
    feed(&b, callee, "[70,1,{}]");
    drain(&b);
    feed(&b, callers[0], "[48,900001,{},\"com.f\"]");
    CHECK(next_is(&b, callee, "[68,"));
    router_closed(b.router, callee, 1000);
    CHECK_INT(router_stats(b.router).invocations, 0);
    router_free(b.router);
}

static void the_line_has_a_bound(void)
{
    struct bench b;
    struct peer *callee, *caller;

    bench_init(&b);
    callee = join(&b);
    caller = join(&b);
    feed(&b, callee, "[64,1,{\"concurrency\":1},\"com.f\"]");
    for (unsigned i = 0; i <= LIMIT_WAITING; i++)
        feed(&b, caller, "[48,%u,{},\"com.f\",[%u]]", i + 1, i);
    drain(&b);
    feed(&b, caller, "[48,5000,{},\"com.f\"]");
    CHECK(next_is_error(&b, caller, "wamp.error.unavailable"));
    for (unsigned i = 0; i < LIMIT_WAITING; i++) {
        char text[64];

        feed(&b, callee, "[70,%u,{}]", i + 1);
        CHECK(next_is(&b, caller, "[50,"));
        snprintf(text, sizeof text, "[68,%u,1,{},[%u]]", i + 2, i + 1);
        CHECK(next_is(&b, callee, text));
    }
    feed(&b, caller, "[48,5001,{},\"com.f\"]"); /* there is room again */
    CHECK_INT(drain(&b), 0);
    router_closed(b.router, callee, 1000);
    CHECK_INT(drain(&b), 2);
    router_closed(b.router, caller, 1000);
    CHECK(nothing_left(&b));
    router_free(b.router);
}

/* Two of the largest messages of one caller may wait, and no third; what another caller
 * has does not count. */
static void waiting_bytes_have_a_bound(void)
{
    struct bench b;
    struct peer *callee, *one, *two;
    size_t large = LIMIT_MESSAGE_SIZE - 1024, before;

    bench_init(&b);
    callee = join(&b);
    one = join(&b);
    two = join(&b);
    feed(&b, callee, "[64,1,{\"concurrency\":1},\"com.f\"]");
    feed(&b, one, "[48,1,{},\"com.f\"]");
    drain(&b);
    before = mallinfo2().uordblks + mallinfo2().hblkhd;
    feed_large(&b, one, "[48,2,{},\"com.f\",[\"", large);
    feed_large(&b, one, "[48,3,{},\"com.f\",[\"", large);
    CHECK_INT(drain(&b), 0);
    feed_large(&b, one, "[48,4,{},\"com.f\",[\"", large);
    CHECK(next_is_error(&b, one, "wamp.error.unavailable"));
    feed_large(&b, two, "[48,1,{},\"com.f\",[\"", large);
    CHECK_INT(drain(&b), 0);
    feed(&b, one, "[49,2,{}]");
    feed(&b, one, "[49,3,{}]");
    CHECK_INT(drain(&b), 2);
    feed_large(&b, one, "[48,5,{},\"com.f\",[\"", large);
    CHECK_INT(drain(&b), 0);
    router_closed(b.router, one, 1000);
    router_closed(b.router, two, 1000);
    drain(&b);
    CHECK(mallinfo2().uordblks + mallinfo2().hblkhd < before + 65536);
    router_closed(b.router, callee, 1000);
    CHECK(nothing_left(&b));
    router_free(b.router);
}

/* A call that is too much to keep is sent, but not sent on. */
static void what_is_not_kept_is_not_sent_on(void)
{
    struct bench b;
    struct peer *first, *second, *caller;
    size_t large = LIMIT_MESSAGE_SIZE - 1024;

    bench_init(&b);
    first = join_as(&b, PARTS);
    second = join_as(&b, PARTS);
    caller = join(&b);
    feed(&b, first, "[64,1,{\"invoke\":\"first\"},\"com.f\"]");
    feed(&b, second, "[64,1,{\"invoke\":\"first\"},\"com.f\"]");
    drain(&b);
    for (int i = 1; i <= 3; i++) {
        char start[32];

        snprintf(start, sizeof start, "[48,%d,{},\"com.f\",[\"", i);
        feed_large(&b, caller, start, large);
        CHECK_INT(drain(&b), 1);
    }
    feed(&b, first, "[8,68,3,{},\"wamp.error.unavailable\"]");
    CHECK(next_is_error(&b, caller, "wamp.error.unavailable"));
    feed(&b, first, "[8,68,1,{},\"wamp.error.unavailable\"]");
    CHECK(next_is(&b, second, "[68,1,"));
    router_free(b.router); /* with everything still in it */
}

#define STREAMS 2000

static void parts_leave_nothing(void)
{
    struct bench b;
    struct peer *callee, *caller;
    size_t before;

    bench_init(&b);
    callee = join_as(&b, PARTS);
    caller = join_as(&b, PARTS);
    feed(&b, callee, "[64,1,{},\"com.f\"]");
    drain(&b);
    before = mallinfo2().uordblks;
    for (unsigned i = 1; i <= STREAMS; i++) {
        feed(&b, caller, "[48,%u,{\"progress\":true},\"com.f\"]", i);
        feed(&b, callee, "[70,%u,{}]", i); /* enough */
        for (unsigned k = 0; k < 3; k++)
            feed(&b, caller, "[48,%u,{\"progress\":%s},\"com.f\"]", i,
                 k == 2 ? "false" : "true");
        CHECK_INT(drain(&b), 2);
    }
    CHECK_INT(router_stats(b.router).invocations, 0);
    CHECK(mallinfo2().uordblks < before + 4096);
    router_free(b.router);
}

void test_router_calls(void)
{
    TEST("the calls that a callee has to answer are limited");
    a_callee_has_a_bound();
    TEST("so many calls wait for a callee with room and no more, in order");
    the_line_has_a_bound();
    TEST("the bytes of calls that wait are limited for each caller, and go with them");
    waiting_bytes_have_a_bound();
    TEST("a call that is too much to keep is not sent to another callee");
    what_is_not_kept_is_not_sent_on();
    TEST("calls in parts that ended early leave nothing");
    parts_leave_nothing();
}
