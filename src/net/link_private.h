/* link_private.h - what link.c and link_fault.c know of each other: ends, what is under
 * way between them, and the cable that holds it up.
 *
 * link.c carries, link_fault.c disturbs: a cable without faults costs link.c one
 * comparison for each event, and no timer. */
#ifndef NET_LINK_PRIVATE_H
#define NET_LINK_PRIVATE_H

#include "base/heap.h"
#include "base/list.h"
#include "net/link.h"

struct links {
    struct list queue; /* of struct event: what is under way */
    struct list ends;  /* of struct end */
    struct heap alarms;
    uint64_t now; /* ms, on the clock of links_tick */
};

struct alarm { /* zero-initialised but for `ring` = not set */
    struct timer timer;
    void (*ring)(struct alarm *a);
};

/* What lies between two ends. */
struct cable {
    struct links *links; /* borrowed */
    int ends;            /* that are left: the last one frees the cable */
    bool paused;
    uint64_t delay;     /* ms, each way */
    struct list held;   /* of struct event: what has not got through yet */
    struct alarm alarm; /* the first of them is due */
};

struct end {
    struct conn conn;
    struct links *links; /* borrowed */
    struct cable *cable; /* shared with the peer */
    struct end *peer;    /* borrowed; NULL once it is gone */
    struct list node;    /* in links->ends */
    struct slice subprotocol;
    bool parted; /* its goodbye to the peer is in the queue, or the pair is broken */
    bool cutting;
    size_t cut_after;                     /* bytes that still get here, if `cutting` */
    uint64_t ping_interval, ping_timeout; /* ms; 0 = never pings */
    bool pinged;                          /* a ping is out, and nothing has come since */
    struct alarm alarm; /* pinging or closing; set on a disturbed cable only */
};

enum event_type { OPENED, MESSAGE, PING, PONG, GOODBYE, BROKEN };

struct event {
    struct list node;
    struct end *to; /* borrowed */
    enum event_type type;
    uint64_t due;        /* ms: when it may get there */
    bool released;       /* it was held, and may pass now */
    struct buf *message; /* owned; MESSAGE */
    int code;            /* GOODBYE: the close code */
    char reason[];       /* GOODBYE; NUL-terminated */
};

static inline struct end *end_of(struct conn *c)
{
    return (struct end *)(void *)((char *)c - offsetof(struct end, conn));
}

/* ---- link.c ------------------------------------------------------------------------ */

struct event *link_post(struct end *to, enum event_type type, const char *reason);
void link_event_free(struct event *e);

/* What was under way to this end is lost. */
void link_end_forget(struct end *end);

/* Reports the end, and frees. */
void link_end_finish(struct end *end, const struct conn_end *how);

/* ---- link_fault.c ------------------------------------------------------------------ */

struct cable *cable_new(struct links *ls);
void cable_drop(struct cable *cable); /* by one end */
void cable_heal(struct cable *cable); /* no faults any more */

/* Keeps an event that cannot get through yet; false when it can. */
bool cable_holds(struct event *e);

/* The end's ping and closing alarms, as the cable is now. */
void end_watch(struct end *end);
void end_ring(struct alarm *a);
void end_heard(struct end *end); /* something came */

/* Whether the link breaks inside this message; then the end is gone. */
bool end_cuts(struct end *to, const struct buf *message);

#endif
