/* link.h - a pair of conns joined in memory: what one sends the other gets, as the same
 * bytes a socket would carry. The embedded router and every test without sockets use it.
 *
 * Nothing is delivered from inside conn_send or conn_close: link_pump does that, so both
 * ends see the same order of events as with sockets. */
#ifndef NET_LINK_H
#define NET_LINK_H

#include "net/conn.h"

struct links; /* the set of pairs that are pumped together */

struct links *links_new(void);
void links_free(struct links *ls); /* ends that are still open are closed first */

/* Makes a pair; each end's `opened` is delivered by the first pump, client end first. */
void link_pair(struct links *ls, struct slice subprotocol, const struct conn_handler *a,
               void *a_user, const struct conn_handler *b, void *b_user,
               struct conn **a_out, struct conn **b_out);

/* Delivers everything that is under way; true when there was anything. */
bool links_pump(struct links *ls);
bool links_idle(const struct links *ls); /* nothing is under way */

/* Breaks a pair as a cut cable would: both ends get `closed` with CONN_LOST. */
void link_break(struct conn *c);

#endif
