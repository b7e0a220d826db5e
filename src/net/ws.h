/* ws.h - WebSocket connections (RFC 6455) on libwebsockets, both sides. See conn.h. */
#ifndef NET_WS_H
#define NET_WS_H

#include "net/conn.h"
#include "net/loop.h"
#include "net/tls.h"
#include "net/url.h"

struct ws_options { /* zero-initialised = defaults */
    /* NULL-terminated, in order of preference; default wamp.2.json */
    const char *const *subprotocols;
    /* ms: TCP and upgrade together; 0 = 10,000, a server 5,000 */
    uint64_t connect_timeout;
    uint64_t ping_interval; /* ms of silence before a ping; 0 = off */
    uint64_t ping_timeout;  /* ms for its pong */
    size_t max_message;     /* bytes; 0 = LIMIT_MESSAGE_SIZE */
    size_t max_queue;       /* bytes; 0 = LIMIT_QUEUE; `drained` at half of it */
    /* NULL-terminated "Name: value" for the upgrade request */
    const char *const *headers;
    /* body for an HTTP GET that is no upgrade; may be NULL */
    const char *server_text;
    struct tls_options tls; /* for wss:// */
};

/* Starts to connect; the handler's `opened` or `closed` follows (never before this
 * returns). `url` must be ws://, wss:// or ws+unix://. Options are copied. */
struct conn *ws_connect(struct loop *l, const struct url *url, const struct ws_options *o,
                        const struct conn_handler *handler, void *user);

struct listener;

/* Listens. For each connection that asks for a known subprotocol, `accepted(conn, user)`
 * is called once it is up: it sets conn->handler and conn->user, then `opened` follows.
 * NULL on failure with `end` filled (port in use ...). Port 0 picks a free one. Every
 * path is answered. */
struct listener *ws_listen(struct loop *l, const struct url *url,
                           const struct ws_options *o,
                           void (*accepted)(struct conn *c, void *user), void *user,
                           struct conn_end *end);
int listener_port(const struct listener *ln); /* 0 for a unix socket */
/* stops accepting; its connections live on */
void listener_close(struct listener *ln);

#endif
