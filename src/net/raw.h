/* raw.h - RawSocket connections (WAMP: RawSocket transport) over TCP, TLS and Unix
 * sockets, a client's side; a server's begin in listener.h. See conn.h. */
#ifndef NET_RAW_H
#define NET_RAW_H

#include "net/conn.h"
#include "net/loop.h"
#include "net/options.h"
#include "net/url.h"

/* Starts to connect; the handler's `opened` or `closed` follows (never before this
 * returns). `url` must be rs://, rss:// or rs+unix://. A handshake can ask for one
 * serializer only: what the router does not speak is asked for again with the next
 * subprotocol, by a new connection. Options are copied. */
struct conn *raw_client_connect(struct loop *l, const struct url *url,
                                const struct net_options *o,
                                const struct conn_handler *handler, void *user);

#endif
