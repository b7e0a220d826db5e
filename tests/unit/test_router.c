/* test_router.c - what talks cannot say of the router: numbers, sharing, limits,
 * memory, time. Calls beyond that: test_router_calls.c.
 *
 * The rules of the protocol are in tests/talk/router. */
#include <malloc.h>
#include <stdlib.h>

#include "base/mem.h"
#include "check.h"
#include "router/match.h"
#include "router_bench.h"
#include "wamp/limits.h"

void test_router(void);

/* ---- calls ------------------------------------------------------------------------- */

#define CALLERS 10
#define CALLS 1000

/* Answers every INVOCATION that is out with its own arguments, the latest first; what
 * is not an INVOCATION must be a RESULT, and is counted where it belongs. */
static void answer_round(struct bench *b, struct peer *callee, struct peer **callers,
                         unsigned *settled)
{
    static unsigned long ids[CALLERS * 4], values[CALLERS * 4];
    char text[256];
    struct peer *p;
    size_t n = 0;

    while ((p = take(b, text, sizeof text)) == callee && n < CALLERS * 4)
        CHECK(sscanf(text, "[68,%lu,%*u,{},[%lu", &ids[n], &values[n]) == 2 && ++n);
    CHECK(p == NULL);
    while (n--)
        feed(b, callee, "[70,%lu,{},[%lu]]", ids[n], values[n]);
    while ((p = take(b, text, sizeof text))) {
        unsigned long id, value;
        size_t who = 0;

        CHECK_INT(sscanf(text, "[50,%lu,{},[%lu]]", &id, &value), 2);
        while (who < CALLERS && callers[who] != p)
            who++;
        CHECK_INT(value, who * CALLS + id);
        settled[who]++;
    }
}

static void calls_find_their_callers(void)
{
    struct bench b;
    struct peer *callee, *callers[CALLERS];
    unsigned settled[CALLERS] = { 0 };

    bench_init(&b);
    callee = join(&b);
    feed(&b, callee, "[64,1,{},\"com.echo\"]");
    drain(&b);
    for (size_t i = 0; i < CALLERS; i++)
        callers[i] = join(&b);
    for (unsigned id = 1; id <= CALLS; id++) {
        for (unsigned i = 0; i < CALLERS; i++)
            feed(&b, callers[i], "[48,%u,{},\"com.echo\",[%u]]", id, i * CALLS + id);
        if (id % 4 == 0)
            answer_round(&b, callee, callers, settled);
    }
    for (size_t i = 0; i < CALLERS; i++) {
        CHECK_INT(settled[i], CALLS);
        router_closed(b.router, callers[i], 1000);
    }
    CHECK_INT(router_stats(b.router).invocations, 0);
    router_closed(b.router, callee, 1000);
    CHECK(nothing_left(&b));
    router_free(b.router);
}

static void random_reaches_all(void)
{
    struct bench b;
    struct peer *callees[3], *p;
    unsigned got[3] = { 0 };
    char text[256];

    bench_init(&b);
    for (int i = 0; i < 3; i++) {
        callees[i] = join(&b);
        feed(&b, callees[i], "[64,1,{\"invoke\":\"random\"},\"com.echo\"]");
    }
    drain(&b);
    for (unsigned id = 1; id <= 300; id++) {
        feed(&b, callees[0], "[48,%u,{},\"com.echo\"]", id);
        p = take(&b, text, sizeof text);
        for (int i = 0; i < 3; i++)
            got[i] += p == callees[i];
    }
    CHECK_INT(got[0] + got[1] + got[2], 300);
    for (int i = 0; i < 3; i++)
        CHECK(got[i] > 50);
    router_free(b.router);
}

/* ---- events ------------------------------------------------------------------------ */

static void fan_out_shares_bytes(void)
{
    struct bench b;
    struct peer *publisher;
    struct output out;
    struct buf *shared = NULL;
    int n = 0;

    bench_init(&b);
    for (int i = 0; i < 100; i++)
        feed(&b, join(&b), "[32,1,{},\"com.news\"]");
    publisher = join(&b);
    drain(&b);
    feed(&b, publisher, "[16,1,{},\"com.news\",[\"payload\"]]");
    while (router_next_out(b.router, &out)) {
        if (shared)
            CHECK(out.bytes == shared);
        else
            shared = buf_ref(out.bytes);
        CHECK_INT(out.kind, OUTPUT_EVENT);
        buf_unref(out.bytes);
        n++;
    }
    CHECK_INT(n, 100);
    CHECK_INT(shared->refs, 1);
    buf_unref(shared);
    router_free(b.router);
}

static void closed_peers_get_nothing(void)
{
    struct bench b;
    struct peer *a, *c, *p;
    char text[256];
    int n = 0;

    bench_init(&b);
    a = join(&b);
    c = join(&b);
    feed(&b, a, "[32,1,{},\"com.news\"]");
    feed(&b, c, "[32,1,{},\"com.news\"]");
    for (int i = 0; i < 200; i++) /* the queue grows while it is not drained */
        feed(&b, a, "[16,%d,{\"exclude_me\":false},\"com.news\"]", i + 2);
    router_closed(b.router, a, 1000);
    while ((p = take(&b, text, sizeof text))) {
        CHECK(p == c);
        n++;
    }
    CHECK_INT(n, 201); /* SUBSCRIBED, and the events */
    router_free(b.router);
}

/* ---- limits ------------------------------------------------------------------------ */

static void limits_hold(void)
{
    struct bench b;
    struct peer *p;
    char text[256];

    bench_init(&b);
    p = join(&b);
    feed(&b, p, "[64,1,{},\"com.echo\"]");
    for (unsigned i = 0; i < LIMIT_PENDING; i++)
        feed(&b, p, "[48,%u,{},\"com.echo\"]", i + 1);
    drain(&b);
    feed(&b, p, "[48,%u,{},\"com.echo\"]", LIMIT_PENDING + 1);
    take(&b, text, sizeof text);
    CHECK(strstr(text, "wamp.error.unavailable"));
    feed(&b, p, "[70,1,{}]");
    drain(&b);
    feed(&b, p, "[48,%u,{},\"com.echo\"]", LIMIT_PENDING + 1);
    take(&b, text, sizeof text);
    CHECK(!strncmp(text, "[68,", 4));
    for (unsigned i = 0; i < LIMIT_SUBSCRIPTIONS; i++) {
        feed(&b, p, "[32,1,{},\"com.%u\"]", i);
        drain(&b);
    }
    feed(&b, p, "[32,7,{},\"com.one.more\"]");
    take(&b, text, sizeof text);
    CHECK(strstr(text, "[8,32,7,") && strstr(text, "wamp.error.unavailable"));
    feed(&b, p, "[32,8,{},\"com.0\"]"); /* what it has already is no more */
    take(&b, text, sizeof text);
    CHECK(!strncmp(text, "[33,8,", 6));
    router_closed(b.router, p, 1000);
    CHECK(nothing_left(&b));
    router_free(b.router);
}

static void registrations_are_limited(void)
{
    struct bench b;
    struct peer *p;
    char text[256];

    bench_init(&b);
    p = join(&b);
    for (unsigned i = 0; i < LIMIT_REGISTRATIONS; i++) {
        feed(&b, p, "[64,1,{},\"com.%u\"]", i);
        drain(&b);
    }
    feed(&b, p, "[64,7,{},\"com.one.more\"]");
    take(&b, text, sizeof text);
    CHECK(strstr(text, "[8,64,7,") && strstr(text, "wamp.error.unavailable"));
    router_free(b.router); /* with everything still in it */
}

static void subscribe_to(struct bench *b, struct peer *p, const char *what, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        feed(b, p, "[32,1,{},\"com.%s.%u\"]", what, i);
        drain(b);
    }
}

static void long_lists_are_refused(void)
{
    struct bench b;
    struct peer *p, *last;
    char text[256];

    bench_init(&b);
    for (unsigned i = 0; i < LIMIT_META_IDS / LIMIT_SUBSCRIPTIONS; i++) {
        p = join(&b);
        snprintf(text, sizeof text, "of_%u", i);
        subscribe_to(&b, p, text, LIMIT_SUBSCRIPTIONS);
    }
    last = join(&b);
    feed(&b, last, "[48,1,{},\"wamp.subscription.list\"]");
    take(&b, text, sizeof text);
    CHECK(!strncmp(text, "[50,1,{},[{\"exact\":[1,2,3,", 26));
    subscribe_to(&b, last, "more", 1);
    feed(&b, last, "[48,2,{},\"wamp.subscription.list\"]");
    take(&b, text, sizeof text);
    CHECK(strstr(text, "[8,48,2,") && strstr(text, "payload_size_exceeded"));
    router_free(b.router);
}

static void idle_sessions_are_small(void)
{
    struct bench b;
    size_t before;
    const size_t n = 1000;

    bench_init(&b);
    before = mallinfo2().uordblks;
    for (size_t i = 0; i < n; i++)
        join(&b);
    CHECK((mallinfo2().uordblks - before) / n < 1536);
    router_free(b.router);
}

/* ---- patterns ---------------------------------------------------------------------- */

static size_t components(const char *uri, const char *parts[8], size_t length[8])
{
    size_t n = 0;

    for (;; uri++) {
        parts[n] = uri;
        uri += length[n] = strcspn(uri, ".");
        n++;
        if (!*uri)
            return n;
    }
}

/* The rule, spelled out. */
static bool matches(const struct pattern *p, const char *uri)
{
    const char *a[8], *b[8];
    size_t an[8], bn[8], n;

    if (p->match == MATCH_EXACT)
        return !strcmp(p->uri, uri);
    if (p->match == MATCH_PREFIX)
        return !strncmp(p->uri, uri, p->n);
    n = components(p->uri, a, an);
    if (n != components(uri, b, bn))
        return false;
    for (size_t i = 0; i < n; i++)
        if (an[i] && (an[i] != bn[i] || strncmp(a[i], b[i], an[i]) != 0))
            return false;
    return true;
}

/* A URI of 1 to 4 components out of a, b, ab; `holes` lets components be empty. */
static void random_uri(struct bench *b, char *to, bool holes)
{
    static const char *const parts[] = { "a", "b", "ab", "" };
    size_t n = 1 + bench_random(b) % 4;

    *to = '\0';
    for (size_t i = 0; i < n; i++) {
        strcat(to, i ? "." : "");
        strcat(to, parts[bench_random(b) % (holes ? 4 : 3)]);
    }
}

static void search_agrees(struct bench *b, struct patterns *ps, struct pattern **all,
                          size_t n, struct found *found)
{
    char uri[32];
    size_t expected = 0;

    random_uri(b, uri, false);
    patterns_find(ps, slice_of(uri), found);
    for (size_t i = 0; i < n; i++) {
        bool is = all[i] && matches(all[i], uri);

        CHECK(!all[i] || pattern_matches(all[i], slice_of(uri)) == is);
        expected += is;
    }
    CHECK_INT(found->count, expected);
    for (size_t i = 0; i < found->count; i++)
        CHECK(matches(found->at[i], uri));
    CHECK((patterns_best(ps, slice_of(uri), MATCH_EXACT) != NULL) == (expected > 0));
}

#define PATTERNS 200

static void patterns_agree_with_the_rule(void)
{
    struct bench b = { .random = 4242 };
    struct patterns ps = { 0 };
    struct pattern *all[PATTERNS] = { 0 };
    struct found found = { 0 };
    char uri[32];

    for (int step = 0; step < 20000; step++) {
        size_t i = bench_random(&b) % PATTERNS;
        enum uri_match match = (enum uri_match)(bench_random(&b) % 3);

        random_uri(&b, uri, match == MATCH_WILDCARD);
        if (all[i]) {
            patterns_remove(&ps, all[i]);
            pattern_fini(all[i]);
            free(all[i]);
            all[i] = NULL;
        } else if (!patterns_get(&ps, slice_of(uri), match)) {
            all[i] = xcalloc(1, sizeof *all[i]);
            pattern_init(all[i], slice_of(uri), match);
            patterns_add(&ps, all[i]);
            CHECK(patterns_get(&ps, slice_of(uri), match) == all[i]);
        }
        search_agrees(&b, &ps, all, PATTERNS, &found);
    }
    for (size_t i = 0; i < PATTERNS; i++) {
        if (!all[i])
            continue;
        patterns_remove(&ps, all[i]);
        pattern_fini(all[i]);
        free(all[i]);
    }
    CHECK(ps.wildcard == NULL && ps.longest == 0);
    patterns_fini(&ps);
    free(found.at);
}

void test_router(void)
{
    TEST("10 callers with 1,000 calls each get their own answers");
    calls_find_their_callers();
    TEST("invoke policy random reaches every callee");
    random_reaches_all();
    TEST("an event is encoded once for all subscribers");
    fan_out_shares_bytes();
    TEST("no output for a peer that has been closed");
    closed_peers_get_nothing();
    TEST("pending calls and subscriptions of a session are limited");
    limits_hold();
    TEST("registrations of a session are limited");
    registrations_are_limited();
    TEST("an idle session costs less than 1.5 KiB");
    idle_sessions_are_small();
    TEST("an answer of the meta API has room for so many ids and no more");
    long_lists_are_refused();
    TEST("the index of patterns agrees with the rule");
    patterns_agree_with_the_rule();
}
