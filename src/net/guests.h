/* guests.h - how many connections there are of each address, of each listener, and in
 * all.
 *
 * Who is accepted is a guest until guest_leave, whatever carries his connection then. One
 * struct guest stands for all connections from one address. */
#ifndef NET_GUESTS_H
#define NET_GUESTS_H

#include <sys/socket.h>

#include "base/map.h"

struct guests { /* zero-initialised = nobody */
    unsigned count;
    struct map addresses; /* address -> struct guest */
};

struct guest;

/* Counts a connection in; NULL when there are `most` from its address already. Unix
 * sockets have no address: of those there may be any number. */
struct guest *guest_enter(struct guests *all, const struct sockaddr_storage *address,
                          unsigned most);
void guest_leave(struct guest *g); /* one connection; NULL is ignored */

void guests_fini(struct guests *all); /* all have left */

/* How many connections there are of one listener, which they may outlive. */
struct crowd;

struct crowd *crowd_new(void);
void crowd_free(struct crowd *c); /* the listener's end */

/* Whether there are `most` already; 0 = any number. *told is false the first time, and
 * again once half of them have left. */
bool crowd_full(struct crowd *c, unsigned most, bool *told);
struct crowd *crowd_enter(struct crowd *c); /* counts a connection in; returns `c` */
void crowd_leave(struct crowd *c);          /* one connection; NULL is ignored */

#endif
