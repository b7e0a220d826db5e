/* heap.c - a binary heap of timers. See heap.h. */
#include "base/heap.h"

#include <stdlib.h>

#include "base/mem.h"

static void place(struct heap *h, size_t i, struct timer *t)
{
    h->at[i] = t;
    t->position = i + 1;
}

static void sift_up(struct heap *h, size_t i, struct timer *t)
{
    while (i > 0 && h->at[(i - 1) / 2]->when > t->when) {
        place(h, i, h->at[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    place(h, i, t);
}

static void sift_down(struct heap *h, size_t i, struct timer *t)
{
    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= h->count)
            break;
        if (child + 1 < h->count && h->at[child + 1]->when < h->at[child]->when)
            child++;
        if (h->at[child]->when >= t->when)
            break;
        place(h, i, h->at[child]);
        i = child;
    }
    place(h, i, t);
}

void heap_clear(struct heap *h, struct timer *t)
{
    size_t i = t->position - 1;
    struct timer *last;

    if (!t->position)
        return;
    t->position = 0;
    last = h->at[--h->count];
    if (last == t)
        return;
    sift_down(h, i, last);
    sift_up(h, last->position - 1, last);
}

void heap_set(struct heap *h, struct timer *t, uint64_t when)
{
    heap_clear(h, t);
    if (h->count == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 16;
        h->at = xrealloc(h->at, h->cap * sizeof(struct timer *));
    }
    t->when = when;
    sift_up(h, h->count++, t);
}

uint64_t heap_deadline(const struct heap *h)
{
    return h->count ? h->at[0]->when : NEVER;
}

struct timer *heap_due(struct heap *h, uint64_t now)
{
    struct timer *t = h->count ? h->at[0] : NULL;

    if (!t || t->when > now)
        return NULL;
    heap_clear(h, t);
    return t;
}

void heap_fini(struct heap *h)
{
    free(h->at);
    *h = (struct heap){ 0 };
}
