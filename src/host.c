/* host.c - the pump, and what it connects.
 *
 * The idea: input is noted as it comes (conn handlers feed a machine and mark it dirty);
 * nothing else happens until the loop has returned. Then host_pump takes what dirty
 * machines want sent and what they have to tell, again and again until nobody is dirty
 * and nobody can run. So no code ever runs half way through another machine's
 * transition, and everything that one turn produced for a connection is queued before
 * its first byte is written (frames coalesce).
 *
 * Not known here: what an event means (the hooks do), how bytes travel (net/ does). */
#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/map.h"
#include "base/mem.h"
#include "host_private.h"

/* Rounds of one pump before the loop gets its turn, so that two tasks that talk over a
 * link for ever cannot starve sockets and signals. */
#define PUMP_ROUNDS 64

/* Turns in which one moment of an advancing clock may go on to be busy. */
#define ADVANCE_TURNS 16

/* ---- randomness -------------------------------------------------------------------- */

/* The state behind host_seed; 0: the system's generator. */
static uint64_t seeded;

/* splitmix64: any seed is as good as another, and one word is all its state. */
static uint64_t next_seeded(void)
{
    uint64_t x = seeded += 0x9e3779b97f4a7c15;

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

void host_seed(uint64_t seed)
{
    seeded = seed ? seed : 1;
}

/* The system's generator, a block at a time: an id costs no system call. */
static uint64_t system_random(void *ctx)
{
    static uint64_t pool[64];
    static size_t left;

    (void)ctx;
    if (seeded)
        return next_seeded();
    if (!left) {
        if (getrandom(pool, sizeof pool, 0) != (ssize_t)sizeof pool)
            abort();
        left = sizeof pool / sizeof *pool;
    }
    return pool[--left];
}

const struct rng *host_rng(void)
{
    static const struct rng rng = { system_random, NULL };

    return &rng;
}

/* ---- the host ---------------------------------------------------------------------- */

static void no_event(void *user, struct event *e)
{
    (void)user;
    (void)e;
}

static void no_tap(void *user, struct buf *message, unsigned way)
{
    (void)user;
    (void)way;
    buf_unref(message);
}

static void no_room(void *user)
{
    (void)user;
}

static bool no_run(void *user)
{
    (void)user;
    return false;
}

/* Once: maps that are in use, by another host of the process, have the seed already. */
static void seed_maps(void)
{
    static bool done;

    if (!done)
        map_seed(system_random(NULL), system_random(NULL));
    done = true;
}

struct host *host_new(enum loop_backend backend)
{
    struct loop *loop = loop_new(backend);
    struct host *h;

    if (!loop)
        return NULL;
    h = xcalloc(1, sizeof *h);
    h->loop = loop;
    h->links = links_new();
    h->hooks = (struct host_hooks){ no_event, no_tap, no_room, no_run, NULL };
    h->now = host_clock(h);
    list_init(&h->dirty_clients);
    list_init(&h->dirty_servers);
    list_init(&h->servers);
    seed_maps();
    return h;
}

void host_free(struct host *h)
{
    if (!h)
        return;
    assert(list_empty(&h->dirty_clients) && list_empty(&h->dirty_servers));
    links_free(h->links);
    loop_free(h->loop);
    heap_fini(&h->timers);
    free(h);
}

void host_set_hooks(struct host *h, const struct host_hooks *hooks)
{
    h->hooks = *hooks;
}

struct loop *host_loop(struct host *h)
{
    return h->loop;
}

uint64_t host_now(const struct host *h)
{
    return h->now;
}

uint64_t host_clock(const struct host *h)
{
    return h->frozen ? h->frozen : loop_now() + h->ahead;
}

/* Less than nothing for a moment: real time passes while the clock is stepped. */
int64_t host_ahead(const struct host *h)
{
    return (int64_t)(host_clock(h) - loop_now());
}

void host_timer_set(struct host *h, struct host_timer *t, uint64_t when)
{
    if (when == NEVER)
        heap_clear(&h->timers, &t->timer);
    else if (!t->timer.position || t->timer.when != when)
        heap_set(&h->timers, &t->timer, when);
}

void host_timer_clear(struct host *h, struct host_timer *t)
{
    heap_clear(&h->timers, &t->timer);
}

static void fire_timers(struct host *h)
{
    struct timer *t;
    uint64_t due = h->now; /* timers set by these for "now" wait for the next turn */

    while ((t = heap_due(&h->timers, due))) {
        struct host_timer *ht = timer_entry(t, struct host_timer, timer);

        ht->fire(ht);
    }
}

/* One round: everybody who is dirty is carried on once. True when anything was done. */
static bool pump_round(struct host *h)
{
    bool any = false;
    struct list *node;

    while ((node = list_pop(&h->dirty_servers))) {
        any = true;
        pump_server(list_entry(node, struct server, dirty));
    }
    for (unsigned left = 10000; left && (node = list_pop(&h->dirty_clients)); left--) {
        any = true;
        pump_client(list_entry(node, struct client, dirty));
    }
    if (links_pump(h->links))
        any = true;
    if (h->hooks.run(h->hooks.user))
        any = true;
    return any;
}

static void spare_memory(struct host *h)
{
    for (struct list *node = h->servers.next; node != &h->servers; node = node->next)
        server_spare(list_entry(node, struct server, link));
}

static void host_pump(struct host *h)
{
    fire_timers(h);
    links_tick(h->links, h->now);
    h->more = true;
    for (int i = 0; i < PUMP_ROUNDS; i++) {
        if (!pump_round(h)) {
            h->more = false;
            break;
        }
    }
    spare_memory(h);
}

/* Whether something was put in outside of the pump (an intent of the main chunk). */
static bool has_work(const struct host *h)
{
    return h->more || !list_empty(&h->dirty_clients) || !list_empty(&h->dirty_servers) ||
           !links_idle(h->links);
}

static uint64_t next_deadline(const struct host *h)
{
    uint64_t timers = heap_deadline(&h->timers), links = links_deadline(h->links);

    return timers < links ? timers : links;
}

void host_turn(struct host *h, int64_t timeout_ms)
{
    uint64_t deadline;

    loop_flush(h->loop); /* a queue that is empty then, or a lost link, is work */
    deadline = next_deadline(h);
    h->now = host_clock(h);
    if (has_work(h) || deadline <= h->now)
        timeout_ms = 0;
    else if (deadline != NEVER &&
             (timeout_ms < 0 || deadline - h->now < (uint64_t)timeout_ms))
        timeout_ms = (int64_t)(deadline - h->now);
    loop_run_once(h->loop, timeout_ms);
    h->now = host_clock(h);
    host_pump(h);
}

/* Runs what is due now, and what follows from it. Who is busy without end (a task that
 * sleeps 0 seconds again and again) does not hold the clock for ever. */
static void settle(struct host *h)
{
    int left = ADVANCE_TURNS;

    do
        host_turn(h, 0);
    while ((has_work(h) || next_deadline(h) <= h->frozen) && --left);
}

void host_advance(struct host *h, uint64_t ms)
{
    uint64_t until, next;

    h->frozen = host_clock(h);
    settle(h);
    until = h->frozen + ms;
    while ((next = next_deadline(h)) <= until && h->frozen < until) {
        h->frozen = next > h->frozen ? next : h->frozen + 1;
        settle(h);
    }
    h->frozen = until;
    settle(h);
    if (until > loop_now() + h->ahead)
        h->ahead = until - loop_now();
    h->frozen = 0;
}
