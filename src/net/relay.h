/* relay.h - lends a connection that is there already to lws. */
#ifndef NET_RELAY_H
#define NET_RELAY_H

#include "base/list.h"
#include "net/loop.h"

#define RELAY_NAME 48

/* Takes the socket `fd`, and gives an address for lws that leads to it, for one caller
 * out of this process. False when that cannot be. It is in the list `owner` as long as it
 * stands, and parts by itself when its ends have. */
bool relay_open(struct loop *l, struct list *owner, int fd, char name[RELAY_NAME]);
void relay_free_all(struct list *owner);

#endif
