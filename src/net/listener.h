/* listener.h - where connections come in: one port, or Unix socket, for WebSocket, for
 * RawSocket, or for both. */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "net/ws.h"

struct listener;

/* Listens for what the URL says: ws, rs, their kin, or, if it is universal, both. For
 * each connection that asks for a known subprotocol, `accepted(conn, user)` is called
 * once it is up: it sets conn->handler and conn->user, then `opened` follows. NULL on
 * failure with `end` filled (port in use ...). Port 0 picks a free one. Every path is
 * answered. */
struct listener *listener_open(struct loop *l, const struct url *url,
                               const struct net_options *o,
                               void (*accepted)(struct conn *c, void *user), void *user,
                               struct conn_end *end);

/* Whether a listener could be given these, at its present place: their certificates are
 * read. False fills `end`. */
bool listener_can(const struct url *url, const struct net_options *o,
                  struct conn_end *end);

/* From now on it speaks what this URL says, under these options; whoever is connected is
 * not concerned. False, and nothing is changed, where listener_can is. */
bool listener_renew(struct listener *ln, const struct url *url,
                    const struct net_options *o, struct conn_end *end);

int listener_port(const struct listener *ln); /* 0 for a unix socket */
/* stops accepting; its connections live on */
void listener_close(struct listener *ln);

#endif
