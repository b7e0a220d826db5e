/* loop_private.h - what the other files of net/ may ask of the loop besides loop.h:
 * timers, the time of this round, and a place for what each transport keeps per loop. */
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

/* What a transport keeps for this loop, in a place of its own. `flush` is called by
 * loop_flush, with nothing of lws on the stack; `free_attached` by
 * loop_free. Both in this order: what RawSocket says last may go through a tunnel. */
enum loop_place { LOOP_RAW, LOOP_WS, LOOP_PLACES };
void *loop_attached(const struct loop *l, enum loop_place place);
void loop_attach(struct loop *l, enum loop_place place, void *attached,
                 void (*flush)(void *attached), void (*free_attached)(void *attached));

#endif
