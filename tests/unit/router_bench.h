/* router_bench.h - peers under one router, for unit tests: `feed` says something, `take`
 * gives what came out next and for whom.
 *
 * All may do everything in one realm; the clock stands at 1000. */
#ifndef UNIT_ROUTER_BENCH_H
#define UNIT_ROUTER_BENCH_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "router/router.h"

#define ROLES \
    "{\"roles\":{\"caller\":{},\"callee\":{},\"publisher\":{},\"subscriber\":{}}}"

struct bench {
    struct router *router;
    uint64_t random;
};

static inline uint64_t bench_random(void *ctx) /* xorshift64* */
{
    struct bench *b = ctx;

    b->random ^= b->random >> 12;
    b->random ^= b->random << 25;
    b->random ^= b->random >> 27;
    return b->random * 0x2545F4914F6CDD1DULL;
}

static inline void bench_init(struct bench *b)
{
    static struct realm_config realm = { .name = (char *)"realm1" };
    const struct router_config config = { .realms = &realm, .count = 1 };
    const struct rng rng = { bench_random, b };

    b->random = 88172645463325252ULL;
    b->router = router_new(&config, &rng);
}

static inline void feed(struct bench *b, struct peer *p, const char *fmt, ...)
{
    char text[4096];
    struct buf *message;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    message = buf_from(text, strlen(text));
    router_feed(b->router, p, message, 1000);
    buf_unref(message);
}

/* Takes the next output; its bytes as text in `text`, "" when there is none. */
static inline struct peer *take(struct bench *b, char *text, size_t size)
{
    struct output out;

    *text = '\0';
    if (!router_next_out(b->router, &out))
        return NULL;
    if (out.bytes)
        snprintf(text, size, "%.*s", (int)out.bytes->len, out.bytes->data);
    buf_unref(out.bytes);
    return out.peer;
}

static inline size_t drain(struct bench *b)
{
    char text[16];
    size_t n = 0;

    while (take(b, text, sizeof text))
        n++;
    return n;
}

static inline struct peer *join(struct bench *b)
{
    struct peer *p = router_open(b->router, &wire_json, NULL, 1000);

    feed(b, p, "[1,\"realm1\"," ROLES "]");
    drain(b);
    return p;
}

static inline bool nothing_left(struct bench *b)
{
    struct router_stats s = router_stats(b->router);

    return !s.peers && !s.sessions && !s.subscriptions && !s.registrations &&
           !s.invocations;
}

#endif
