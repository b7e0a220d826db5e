/* ws.h - WebSocket connections (RFC 6455) on libwebsockets, a client's side; a server's
 * begin in listener.h. See conn.h. */
#ifndef NET_WS_H
#define NET_WS_H

#include "net/conn.h"
#include "net/loop.h"
#include "net/options.h"
#include "net/url.h"

/* Starts to connect; the handler's `opened` or `closed` follows (never before this
 * returns). `url` must be ws://, wss:// or ws+unix://. Options are copied. */
struct conn *ws_connect(struct loop *l, const struct url *url,
                        const struct net_options *o, const struct conn_handler *handler,
                        void *user);

#endif
