/* test_router_kept.c - what talks cannot say of events that the router keeps: limits, and
 * memory that comes back; and the times of its history.
 *
 * The rules are in tests/talk/router: retain_*, history_*, testament_*. */
#include <malloc.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/mem.h"
#include "check.h"
#include "router/private.h"

void test_router_kept(void);

struct desk {
    struct router *router;
    struct peer *peer; /* has joined */
    uint64_t random;
    size_t count;    /* of outputs since the last message went in */
    char first[512]; /* the beginnings of the first and the last of them */
    char last[512];
};

static uint64_t desk_random(void *ctx)
{
    struct desk *d = ctx;

    d->random = d->random * 6364136223846793005ULL + 1442695040888963407ULL;
    return d->random ^ (d->random >> 29);
}

static void drain(struct desk *d)
{
    struct output out;

    d->count = 0;
    while (router_next_out(d->router, &out)) {
        size_t n =
            out.bytes->len < sizeof d->last - 1 ? out.bytes->len : sizeof d->last - 1;

        memcpy(d->last, out.bytes->data, n);
        d->last[n] = '\0';
        if (!d->count++)
            memcpy(d->first, d->last, sizeof d->first);
        buf_unref(out.bytes);
    }
}

static void say_bytes(struct desk *d, struct buf *message)
{
    router_feed(d->router, d->peer, message, 1000);
    buf_unref(message);
    drain(d);
}

static void say(struct desk *d, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    say_bytes(d, buf_from(text, strlen(text)));
}

/* A message whose `%s` is so many bytes long. */
static void say_large(struct desk *d, const char *fmt, size_t n)
{
    char *filler = xmalloc(n + 1), *text = xmalloc(n + strlen(fmt) + 1);

    memset(filler, 'x', n);
    filler[n] = '\0';
    sprintf(text, fmt, filler);
    say_bytes(d, buf_from(text, strlen(text)));
    free(text);
    free(filler);
}

static void desk_join(struct desk *d)
{
    d->peer = router_open(d->router, &wire_json, NULL, 1000);
    say(d,
        "[1,\"realm1\",{\"roles\":{\"caller\":{},\"publisher\":{},\"subscriber\":{}}}]");
}

static void desk_open(struct desk *d, struct history_config *history)
{
    struct realm_config realm = { .name = (char *)"realm1",
                                  .histories = history,
                                  .history_count = history ? 1 : 0 };
    const struct router_config config = { .realms = &realm, .count = 1 };
    const struct rng rng = { desk_random, d };

    *d = (struct desk){ .random = 7 };
    d->router = router_new(&config, &rng);
    desk_join(d);
}

/* Another session takes the place of the one that has been there. */
static void desk_rejoin(struct desk *d)
{
    router_closed(d->router, d->peer, 1000);
    desk_join(d);
}

/* ---- retained events --------------------------------------------------------------- */

static void retained_events_are_limited(void)
{
    struct desk d;

    desk_open(&d, NULL);
    for (unsigned i = 0; i < LIMIT_RETAINED + 1; i++)
        say(&d, "[16,1,{\"retain\":true},\"com.topic.%u\",[%u]]", i, i);
    desk_rejoin(&d);
    say(&d, "[32,1,{\"get_retained\":true},\"com.topic.0\"]");
    CHECK_INT(d.count, 1); /* SUBSCRIBED: the oldest is forgotten */
    say(&d, "[32,2,{\"get_retained\":true},\"com.topic.1\"]");
    CHECK_INT(d.count, 2);
    say(&d, "[32,3,{\"get_retained\":true},\"com.topic.%u\"]", LIMIT_RETAINED);
    CHECK_INT(d.count, 2);
    router_free(d.router);
}

static void a_pattern_gets_the_latest(void)
{
    struct desk d;
    char wanted[64];

    desk_open(&d, NULL);
    for (unsigned i = 0; i < LIMIT_RETAINED_ANSWER + 5; i++)
        say(&d, "[16,1,{\"retain\":true},\"com.topic.%u\",[%u]]", i, i);
    desk_rejoin(&d);
    say(&d, "[32,1,{\"get_retained\":true,\"match\":\"wildcard\"},\"com.topic.\"]");
    CHECK_INT(d.count, LIMIT_RETAINED_ANSWER + 1);
    CHECK(!strncmp(d.first, "[33,1,", 6));
    snprintf(wanted, sizeof wanted, ",[%d]]", LIMIT_RETAINED_ANSWER + 4);
    CHECK(strstr(d.last, wanted));
    router_free(d.router);
}

static void retained_bytes_are_limited(void)
{
    struct desk d;
    size_t before, n = LIMIT_RETAINED_BYTES / (1024 * 1024);

    desk_open(&d, NULL);
    before = mallinfo2().uordblks + mallinfo2().hblkhd;
    for (size_t i = 0; i < n * 2; i++) {
        char fmt[80];

        snprintf(fmt, sizeof fmt, "[16,1,{\"retain\":true},\"com.topic.%zu\",[\"%%s\"]]",
                 i);
        say_large(&d, fmt, 1024 * 1024);
    }
    CHECK(mallinfo2().uordblks + mallinfo2().hblkhd - before < LIMIT_RETAINED_BYTES * 2u);
    desk_rejoin(&d);
    say(&d, "[32,1,{\"get_retained\":true},\"com.topic.%zu\"]", n);
    CHECK_INT(d.count, 1);
    say(&d, "[32,1,{\"get_retained\":true},\"com.topic.%zu\"]", 2 * n - 1);
    CHECK_INT(d.count, 2);
    router_free(d.router);
}

/* ---- history ----------------------------------------------------------------------- */

static void a_history_is_limited_in_bytes(void)
{
    struct history_config history = { (char *)"com.log", MATCH_EXACT, LIMIT_HISTORY };
    struct desk d;
    size_t n = LIMIT_HISTORY_BYTES / (8 * 1024 * 1024);

    desk_open(&d, &history);
    for (size_t i = 0; i < n + 2; i++)
        say_large(&d, "[16,1,{},\"com.log\",[\"%s\"]]", 8 * 1024 * 1024);
    say(&d, "[48,1,{},\"wamp.subscription.get_events\",[1]]"); /* all: too much */
    CHECK(strstr(d.last, "payload_size_exceeded"));
    say(&d, "[48,2,{},\"wamp.subscription.get_events\",[1],{\"limit\":1}]");
    CHECK(!strncmp(d.last, "[50,2,{},[{\"timestamp\"", 22));
    router_free(d.router);
}

/* ---- testaments -------------------------------------------------------------------- */

static void testaments_are_limited_in_bytes(void)
{
    struct desk d;

    desk_open(&d, NULL);
    say_large(&d, "[48,1,{},\"wamp.session.add_testament\",[\"com.a\",[\"%s\"]]]",
              600000);
    CHECK(!strncmp(d.last, "[50,1,", 6));
    say_large(&d, "[48,2,{},\"wamp.session.add_testament\",[\"com.a\",[\"%s\"]]]",
              600000);
    CHECK(strstr(d.last, "wamp.error.unavailable"));
    say(&d, "[48,3,{},\"wamp.session.flush_testaments\"]");
    CHECK(!strcmp(d.last, "[50,3,{},[1]]"));
    say_large(&d, "[48,4,{},\"wamp.session.add_testament\",[\"com.a\",[\"%s\"]]]",
              600000);
    CHECK(!strncmp(d.last, "[50,4,", 6));
    router_free(d.router); /* with the testament still in it */
}

/* ---- times ------------------------------------------------------------------------- */

static void times_are_read(void)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "1970-01-01T00:00:00.001z", 1 },
        { "1969-12-31T23:59:59.999Z", -1 },
        { "2026-01-02t03:04:05.678Z", 1767323045678 },
        { "2026-01-02T03:04:05.67899999Z", 1767323045678 },
        { "2026-01-02T03:04:05.6+01:30", 1767317645600 },
        { "2026-01-02T03:04:05-00:01", 1767323105000 },
        { "2000-02-29T12:00:00Z", 951825600000 },
        { "2024-02-29T00:00:00Z", 1709164800000 },
        { "0000-01-01T00:00:00Z", -62167219200000 },
        { "9999-12-31T23:59:60Z", 253402300800000 },
    };
    static const char *const bad[] = {
        "",
        "Z",
        "2026",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04Z",
        "2026-1-02T03:04:05Z",
        "2026-00-02T03:04:05Z",
        "2026-13-02T03:04:05Z",
        "2026-04-31T03:04:05Z",
        "1900-02-29T03:04:05Z",
        "2026-01-00T03:04:05Z",
        "2026-01-02T24:00:00Z",
        "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:61Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05,5Z",
        "2026-01-02T03:04:05+0100",
        "2026-01-02T03:04:05+24:00",
        "2026-01-02T03:04:05+01:60",
        "2026-01-02T03:04:05Z ",
        " 2026-01-02T03:04:05Z",
        "+026-01-02T03:04:05Z",
    };
    int64_t ms;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CHECK(date_read(slice_of(good[i].text), &ms));
        CHECK_INT(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!date_read(slice_of(bad[i]), &ms));
}

static void times_are_read_as_written(void)
{
    struct desk d = { .random = 1 };

    for (int i = 0; i < 20000; i++) {
        uint64_t ms = desk_random(&d) % 253402300800000ULL;
        struct reader r;
        struct writer w;
        struct buf *bytes;
        int64_t read = -1;

        writer_init(&w, &wire_json, 64);
        date_write(ms, &w);
        bytes = writer_take(&w);
        reader_init(&r, &wire_json, slice_buf(bytes));
        CHECK(reader_next(&r) == TOKEN_STRING && date_read(r.text, &read));
        CHECK_INT(read, ms);
        buf_unref(bytes);
    }
}

void test_router_kept(void)
{
    TEST("so many events are retained, and the oldest goes");
    retained_events_are_limited();
    TEST("a subscriber by a pattern gets the latest thousand");
    a_pattern_gets_the_latest();
    TEST("so many bytes are retained");
    retained_bytes_are_limited();
    TEST("a history has so many bytes, and an answer fits a message");
    a_history_is_limited_in_bytes();
    TEST("the testaments of a session are limited in bytes");
    testaments_are_limited_in_bytes();
    TEST("a time is read as RFC 3339 has it");
    times_are_read();
    TEST("a time is read as it was written");
    times_are_read_as_written();
}
