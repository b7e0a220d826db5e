/* loop_private.h - what the other files of net/ may ask of the loop besides loop.h:
 * timers, the time of this round, and one slot for what ws.c keeps per loop. */
#ifndef NET_LOOP_PRIVATE_H
#define NET_LOOP_PRIVATE_H

#include "base/heap.h"
#include "net/loop.h"

/* A timer that calls back once from loop_run_once. It sits inside the thing that
 * waits. */
struct loop_timer { /* zero-initialised but for `fired` = not set */
    struct timer timer;
    void (*fired)(struct loop_timer *t);
};

void loop_timer_set(struct loop *l, struct loop_timer *t,
                    uint64_t when); /* sets, or moves */
void loop_timer_clear(struct loop *l, struct loop_timer *t);

/* loop_now() as of the last time the loop looked at its descriptors: free of charge. */
uint64_t loop_round(const struct loop *l);

/* What ws.c keeps for this loop. `flush` is called by loop_run_once before it waits, with
 * nothing of lws on the stack; `free_attached` by loop_free. */
void *loop_attached(const struct loop *l);
void loop_attach(struct loop *l, void *attached, void (*flush)(void *attached),
                 void (*free_attached)(void *attached));

#endif
