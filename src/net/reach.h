/* reach.h - a connected socket to where a URL points: directly, or through an HTTP proxy
 * by CONNECT (RFC 9110, 9.3.6). What is spoken then is the caller's business. */
#ifndef NET_REACH_H
#define NET_REACH_H

#include "net/conn.h"
#include "net/loop.h"
#include "net/options.h"
#include "net/url.h"

struct reach; /* a connection on its way */

/* Told once, from the loop: `fd`, a connected socket that is the callee's now, or -1 and
 * why there is none, in words that follow a URL. The reach is gone then. */
typedef void reach_done(void *user, int fd, const struct conn_end *end);

/* Starts to connect. `proxy`, whose host is NULL for none, is borrowed as long as that
 * takes; how long it may take is the caller's business. A unix socket needs no proxy. */
struct reach *reach_url(struct loop *l, const struct url *url,
                        const struct net_proxy *proxy, reach_done *done, void *user);
void reach_cancel(struct reach *r); /* NULL is ignored */

#endif
