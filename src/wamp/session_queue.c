/* session_queue.c - the two queues of a session's output: messages to be sent, and events
 * for the app.
 *
 * Both are rings that grow as needed: who pulls decides how long they get, and the pump
 * pulls until they are empty.
 *
 * Not known here: what goes into them, and when. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wamp/session_private.h"

/* The place for one more element of `size` bytes at the end; good until the next push. */
static void *ring_push(struct ring *r, size_t size)
{
    if (r->count == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 8, tail = r->cap - r->head;
        char *at = xmalloc(cap * size);

        if (r->cap) {
            memcpy(at, r->at + r->head * size, tail * size);
            memcpy(at + tail * size, r->at, r->head * size);
        }
        free(r->at);
        *r = (struct ring){ .at = at, .count = r->count, .cap = cap };
    }
    return r->at + ((r->head + r->count++) & (r->cap - 1)) * size;
}

/* Takes out the first element; NULL when empty. Good until the next push. */
static void *ring_pop(struct ring *r, size_t size)
{
    void *first;

    if (!r->count)
        return NULL;
    first = r->at + r->head * size;
    r->head = (r->head + 1) & (r->cap - 1);
    r->count--;
    return first;
}

struct event *session_event(struct session *s, enum event_kind kind)
{
    struct event *e = ring_push(&s->events, sizeof *e);

    *e = (struct event){ .kind = kind };
    return e;
}

void session_forget_events(struct session *s, uint64_t request)
{
    struct event *events = (struct event *)(void *)s->events.at;

    for (size_t i = 0; i < s->events.count; i++) {
        struct event *e = &events[(s->events.head + i) & (s->events.cap - 1)];

        if (e->tag && e->request == request)
            e->tag = NULL;
    }
}

bool session_next_event(struct session *s, struct event *e)
{
    const struct event *first = ring_pop(&s->events, sizeof *first);

    if (first)
        *e = *first;
    return first != NULL;
}

void event_done(struct event *e)
{
    msg_fini(&e->m);
    free(e->reason);
    free(e->text);
    e->reason = e->text = NULL;
}

void session_push(struct session *s, struct buf *b)
{
    *(struct buf **)ring_push(&s->out, sizeof b) = b;
    s->queued += b->len;
}

int session_send(struct session *s, const struct msg *m)
{
    struct buf *b = msg_encode(m, s->wire);

    if (b->len > s->max_send) {
        session_refuse(s, SESSION_TOO_LARGE, "%s of %zu bytes, over the limit of %zu",
                       m->row->name, b->len, s->max_send);
        buf_unref(b);
        return SESSION_TOO_LARGE;
    }
    session_push(s, b);
    return SESSION_OK;
}

struct buf *session_next_out(struct session *s)
{
    struct buf **first = ring_pop(&s->out, sizeof *first);

    if (!first)
        return NULL;
    s->queued -= (*first)->len;
    return *first;
}

size_t session_queued(const struct session *s)
{
    return s->queued;
}
