/* router.c - the router's outside: peers come and go, time passes, output is taken.
 *
 * Everything that wants sending ends in one ring, in the order in which it must go
 * out. A peer counts what it has in there, so that closing an idle one costs nothing
 * and closing a busy one one walk. What waits there, and behind it at the transport, is
 * the peer's backlog, and bounded: the policy for those who do not read is here. Not
 * known here: what messages mean (peer.c). */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "router/attempt.h"

/* ---- output ------------------------------------------------------------------------ */

static struct output *output_at(struct outputs *q, size_t i)
{
    return &q->at[(q->head + i) & (q->cap - 1)];
}

static void outputs_grow(struct outputs *q)
{
    struct outputs bigger = { .count = q->count, .cap = q->cap ? q->cap * 2 : 64 };

    bigger.at = xmalloc(bigger.cap * sizeof *bigger.at);
    for (size_t i = 0; i < q->count; i++)
        bigger.at[i] = *output_at(q, i);
    free(q->at);
    *q = bigger;
}

static struct output *output_add(struct peer *p)
{
    struct outputs *q = &p->router->out;
    struct output *out;

    if (q->count == q->cap)
        outputs_grow(q);
    out = output_at(q, q->count++);
    *out = (struct output){ .peer = p, .user = p->user };
    p->queued++;
    return out;
}

static size_t backlog(const struct peer *p)
{
    return p->unsent + (p->backlog ? *p->backlog : 0);
}

/* Who has read everything can be sent any one message. */
static bool fits_in(const struct peer *p, size_t n, size_t most)
{
    size_t waiting = backlog(p);

    return !waiting || (waiting <= most && n <= most - waiting);
}

bool output_fits(const struct peer *p, size_t n)
{
    return fits_in(p, n, p->router->max_queue);
}

static void output_end(struct peer *p, enum output_kind kind, int code)
{
    struct output *out = output_add(p);

    out->kind = kind;
    out->close_code = code;
    p->state = 0;
    heap_clear(&p->router->deadlines, &p->timer);
}

static bool admits(struct peer *p, enum output_kind kind, size_t n)
{
    size_t most = p->router->max_queue;

    if (!p->state)
        return false;
    if (kind == OUTPUT_EVENT) {
        if (n <= p->takes && output_fits(p, n))
            return true;
        p->router->stats.dropped++;
        return false;
    }
    if (p->service || fits_in(p, n, most + LIMIT_QUEUE_RESERVE(most)))
        return true;
    log_warn("router: a peer does not read; %zu bytes are queued for it; closing [W913]",
             backlog(p));
    output_end(p, OUTPUT_CUT, CLOSE_POLICY);
    return false;
}

void output_push(struct peer *p, enum output_kind kind, struct buf *bytes)
{
    struct output *out;

    if (!admits(p, kind, bytes->len)) {
        buf_unref(bytes);
        return;
    }
    p->unsent += bytes->len;
    out = output_add(p);
    out->kind = kind;
    out->bytes = bytes;
}

void output_close(struct peer *p, int code)
{
    if (p->state)
        output_end(p, OUTPUT_CLOSE, code);
}

/* An output leaves the queue. */
static void output_leave(const struct output *out)
{
    out->peer->queued--;
    out->peer->unsent -= out->bytes ? out->bytes->len : 0;
}

void output_forget(struct peer *p)
{
    struct outputs *q = &p->router->out;

    for (size_t i = 0; p->queued && i < q->count; i++) {
        struct output *out = output_at(q, i);

        if (out->peer != p)
            continue;
        output_leave(out);
        buf_unref(out->bytes);
        out->bytes = NULL;
        out->peer = NULL;
    }
}

static void count_out(struct router *r, const struct output *out)
{
    if (!out->bytes)
        return;
    r->stats.events += out->kind == OUTPUT_EVENT;
    r->stats.messages_out++;
    r->stats.bytes_out += out->bytes->len;
}

bool router_next_out(struct router *r, struct output *out)
{
    struct outputs *q = &r->out;

    while (q->count) {
        *out = *output_at(q, 0);
        q->head = (q->head + 1) & (q->cap - 1);
        q->count--;
        if (!out->peer)
            continue;
        output_leave(out);
        if (!out->peer->service) {
            count_out(r, out);
            return true;
        }
        service_receive(out->peer, out->bytes);
    }
    return false;
}

/* ---- router ------------------------------------------------------------------------ */

void router_add_realm(struct router *r, const struct realm_config *config)
{
    struct realm *realm = realm_new(r, config);
    struct realm *old = map_put_bytes(&r->realms, slice_of(realm->name), realm);

    if (old)
        realm_free(old);
}

static void offer(struct realm *realm)
{
    const struct doors *d = &realm->router->doors;

    realm->offers = xrealloc(realm->offers, d->store_count * sizeof *realm->offers);
    for (size_t i = 0; i < d->store_count; i++)
        realm->offers[i] = principals_offer(d->stores[i], realm);
}

void router_offer(struct router *r)
{
    struct realm *realm;
    size_t at = 0;

    while ((realm = map_next(&r->realms, &at, NULL, NULL)))
        offer(realm);
}

void router_set_limits(struct router *r, const struct router_config *config)
{
    r->strict_ids = config->strict_ids;
    r->strict_uris = config->strict_uris;
    r->max_queue = config->max_queue ? config->max_queue : LIMIT_QUEUE;
}

struct router *router_new(const struct router_config *config, const struct rng *rng)
{
    struct router *r = xcalloc(1, sizeof *r);

    r->rng = *rng;
    r->agent = config->agent;
    r->epoch = config->epoch;
    doors_init(&r->doors, config, rng);
    router_set_limits(r, config);
    list_init(&r->peers);
    list_init(&r->notes);
    inquiries_init(&r->inquiries);
    strikes_init(&r->strikes);
    for (size_t i = 0; i < config->count; i++)
        router_add_realm(r, &config->realms[i]);
    router_offer(r);
    return r;
}

static void peer_free(struct peer *p)
{
    struct router *r = p->router;

    peer_leave(p, SLICE("connection lost"));
    output_forget(p);
    heap_clear(&r->deadlines, &p->timer);
    list_remove(&p->link);
    r->stats.peers--;
    free(p->address);
    free(p);
}

void router_free(struct router *r)
{
    struct list *node, *tmp;
    struct realm *realm;
    struct note *note;
    size_t at = 0;

    list_each (node, tmp, &r->peers)
        peer_free(list_entry(node, struct peer, link));
    while ((realm = map_next(&r->realms, &at, NULL, NULL)))
        realm_free(realm);
    while ((note = router_next_note(r)))
        note_free(note);
    map_fini(&r->realms);
    inquiries_fini(&r->inquiries);
    strikes_fini(&r->strikes);
    doors_fini(&r->doors);
    heap_fini(&r->deadlines);
    heap_fini(&r->calls);
    free(r->out.at);
    free(r->found.at);
    free(r);
}

struct peer *peer_new(struct router *r, const struct wire *wire, void *user)
{
    struct peer *p = xcalloc(1, sizeof *p);

    p->router = r;
    p->wire = wire;
    p->user = user;
    p->takes = LIMIT_MESSAGE_SIZE;
    list_init(&p->link);
    return p;
}

struct peer *router_open(struct router *r, const struct wire *wire, void *user,
                         uint64_t now)
{
    struct peer *p = peer_new(r, wire, user);

    r->now = now;
    list_push(&r->peers, &p->link);
    r->stats.peers++;
    r->stats.connections++;
    peer_open(p);
    return p;
}

void router_limit(struct peer *p, size_t size)
{
    p->takes = size;
}

void router_backlog(struct peer *p, const size_t *queued)
{
    p->backlog = queued;
}

void router_door(struct peer *p, unsigned door)
{
    p->door = door;
}

void router_origin(struct peer *p, struct slice address)
{
    free(p->address);
    p->address = address.n ? xstrndup(address.p, address.n) : NULL;
}

void router_feed(struct router *r, struct peer *p, struct buf *message, uint64_t now)
{
    r->now = now;
    r->stats.messages_in++;
    r->stats.bytes_in += message->len;
    if (p->state)
        peer_feed(p, message);
}

void router_closed(struct router *r, struct peer *p, uint64_t now)
{
    r->now = now;
    p->state = 0;
    peer_free(p);
}

uint64_t router_session(const struct peer *p)
{
    return p->member ? p->member->id : 0;
}

void router_tick(struct router *r, uint64_t now)
{
    struct timer *t;

    r->now = now;
    while ((t = heap_due(&r->deadlines, now)))
        peer_expire(timer_entry(t, struct peer, timer));
    while ((t = heap_due(&r->calls, now)))
        cancel_expire(timer_entry(t, struct call, timer));
    while ((t = heap_due(&r->inquiries.deadlines, now)))
        inquiry_expire(inquiry_of(t));
}

uint64_t router_deadline(const struct router *r)
{
    uint64_t peers = heap_deadline(&r->deadlines), calls = heap_deadline(&r->calls);
    uint64_t inquiries = heap_deadline(&r->inquiries.deadlines);
    uint64_t first = peers < calls ? peers : calls;

    return first < inquiries ? first : inquiries;
}

void router_shutdown(struct router *r, uint64_t now)
{
    struct list *node, *tmp;

    r->now = now;
    r->closing = true;
    list_each (node, tmp, &r->peers)
        peer_goodbye(list_entry(node, struct peer, link),
                     SLICE("wamp.close.system_shutdown"), (struct slice){ 0 });
}

struct router_stats router_stats(const struct router *r)
{
    return r->stats;
}
