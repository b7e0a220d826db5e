/* heap.h - deadlines: a binary heap of timers, nearest first.
 *
 * The timer sits inside the thing that waits; the heap keeps pointers only. O(log n) to
 * set and to clear, however many timers there are (lws's own list is O(n), which is why
 * it is not used for anything that peers can multiply). */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

#define NEVER UINT64_MAX /* the deadline of whoever waits for nothing */

struct timer {       /* zero-initialised = not set */
    uint64_t when;   /* ms, on the clock of whoever owns the heap */
    size_t position; /* 1-based place in the heap; 0 = not set */
};

struct heap { /* zero-initialised = empty */
    struct timer **at;
    size_t count, cap;
};

void heap_fini(struct heap *h); /* frees the heap, not the timers */
void heap_set(struct heap *h, struct timer *t, uint64_t when); /* sets, or moves */
void heap_clear(struct heap *h, struct timer *t);              /* harmless when not set */
uint64_t heap_deadline(const struct heap *h);                  /* NEVER when empty */

/* Takes out and returns the nearest timer that is due at `now`; NULL when none is. */
struct timer *heap_due(struct heap *h, uint64_t now);

#define timer_entry(t, type, member) \
    ((type *)(void *)((char *)(t)-offsetof(type, member)))

#endif
