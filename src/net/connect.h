/* connect.h - connecting to a URL, whatever its transport. */
#ifndef NET_CONNECT_H
#define NET_CONNECT_H

#include "net/conn.h"
#include "net/loop.h"
#include "net/options.h"
#include "net/url.h"

/* Starts to connect; the handler's `opened` or `closed` follows (never before this
 * returns). Options are copied. */
struct conn *connect_url(struct loop *l, const struct url *url,
                         const struct net_options *o, const struct conn_handler *handler,
                         void *user);

#endif
