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

/* The clock: lets through what a disturbed link has held up, and finds dead ones. */
void links_tick(struct links *ls, uint64_t now);
uint64_t links_deadline(const struct links *ls); /* NEVER when no tick is wanted */

/* ---- faults, for tests ------------------------------------------------------------- *
 * `c` must be an end of a pair. Pings go out while the link is paused or delayed: there
 * is no other way in which memory could go silent. */

bool link_is(const struct conn *c);

/* Breaks a pair as a cut cable would: both ends get `closed` with CONN_LOST. */
void link_break(struct conn *c);

/* When this end pings: after `interval` ms without a word; without an answer within
 * `timeout` ms it ends with CONN_TIMEOUT. An interval of 0: never. */
void link_pings(struct conn *c, uint64_t interval, uint64_t timeout);
void link_pause(struct conn *c, bool on);          /* nothing gets through, either way */
void link_delay(struct conn *c, uint64_t ms);      /* everything takes this long */
void link_cut_after(struct conn *c, size_t bytes); /* breaks when so much has come here */
void link_heal(struct conn *c);                    /* ends all of these */

#endif
