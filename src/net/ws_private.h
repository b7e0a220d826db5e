/* ws_private.h - what the files of the WebSocket transport share.
 *
 * ws.c owns an open connection (queue, messages, pings, closing) and is the one lws
 * callback; ws_client.c makes connections, ws_server.c accepts them, ws_mask.c looks at
 * their first frame; ws_tls.c and ws_tunnel.c are TLS of the one and the other. A struct
 * ws is the conn; lws's wsi points to it (lws_get_opaque_user_data) until ws_finish,
 * which cuts that tie: a wsi without a ws is one that lws is still saying goodbye to. */
#ifndef NET_WS_PRIVATE_H
#define NET_WS_PRIVATE_H

#include <libwebsockets.h>

#include "base/list.h"
#include "base/log.h"

#include "net/batch.h"
#include "net/guests.h"
#include "net/reach.h"
#include "net/loop_private.h"
#include "net/ws.h"
#include "wamp/limits.h"

#define WS_REASON_SIZE 124 /* a close reason has at most 123 bytes (RFC 6455, 5.5) */

/* What this transport keeps per loop. */
struct ws_net {
    struct loop *loop;
    struct lws_context *context;
    struct lws_vhost *vhost;
    /* The name of lws's one protocol: whatever subprotocol is being agreed on right
     * now. */
    char subprotocol[64];
    struct ws *adopting; /* whose socket is just being given to lws */
    struct slice early;  /* what its peer sent behind the request */
    struct guests guests;
    struct list tls;           /* of struct ws_tls */
    struct list tunnels;       /* of struct tunnel */
    struct list relays;        /* of relay.c */
    char *piece;               /* owned: of ws_tunnel.c */
    struct deflater *deflater; /* owned: of ws_deflate.c; or NULL */
    struct buf *batch;         /* owned: room for the next one that is written; or NULL */
    struct list due;           /* of struct ws: to be flushed before the loop waits */
    struct ws *flushing; /* whose WRITEABLE callbacks are being made; NULL: nobody's */
};

enum ws_state {
    WS_CONNECTING, /* not up yet, or refused */
    WS_OPEN,
    WS_CLOSING /* lws has been told to close */
};

struct ws {
    struct conn conn;
    struct list due;               /* in net->due */
    struct ws_net *net;            /* borrowed */
    struct reach *reach;           /* of a client that a proxy is asked for; else NULL */
    struct lws *wsi;               /* NULL before and after */
    struct net_settings *settings; /* counted */
    struct loop_timer timer;       /* connecting, pinging or closing: one at a time */
    enum ws_state state;
    struct listener *listener; /* while a server's upgrade is answered; else NULL */
    struct slice subprotocol;  /* one of settings->subprotocols */
    struct watch *first_bytes; /* ws_mask.c waits for them; else NULL */
    unsigned seen;             /* bytes of the first frame it has seen in a tunnel */
    struct ws_tls *tls;        /* counted; of a client of wss://, else NULL */
    struct tunnel *tunnel;     /* of a server of wss:// while it stands, else NULL */
    struct guest *guest;       /* owned: of a server's connection, else NULL */
    struct crowd *crowd;       /* owned: likewise */
    bool server;
    bool text;                 /* of the agreed subprotocol: text frames, else binary */
    bool compress;             /* permessage-deflate has been agreed on */
    bool peer_resets;          /* the server has said so: server_no_context_takeover */
    bool packed_in;            /* the message under way is compressed */
    bool packed_out;           /* the one that is being written is */
    bool corked;               /* TCP_CORK is set */
    bool ping_due;             /* a ping is to be written */
    bool pinged;               /* a ping is out, and nothing has been heard since */
    int close_code;            /* ours; 0: none yet */
    char *close_reason;        /* owned; may be NULL */
    uint64_t heard;            /* ms: the round in which something came last */
    struct buf *rx;            /* the message under way; NULL between messages */
    struct batch_reader batch; /* in place of rx, where messages come in batches */
    struct buf **queue; /* ring of what is to be sent; owned, with its references */
    unsigned first, count, room; /* in the ring; room is a power of two, or 0 */
    int waiting; /* bytes in the socket when a closing connection was looked at last */
    size_t unsettled;  /* bytes written that the socket may not have taken yet */
    uint64_t close_by; /* ms: a connection that is being closed is cut */
    char *where;       /* owned: the URL or the peer's address, for people */
    struct conn_end end;
    bool ended; /* `end` is filled: what came first counts */
};

/* ws_net.c */
struct ws_net *ws_net_of(struct loop *l);
struct ws *ws_new(struct ws_net *net, struct net_settings *s, const char *where);
/* `client_tls` may be NULL; it stays the caller's. */
struct lws_vhost *ws_vhost_new(struct ws_net *net, const char *name, SSL_CTX *client_tls);

/* ws.c */
extern const struct conn_ops ws_ops;
void ws_on_timer(struct loop_timer *t);

/* The connection is up, ws->subprotocol agreed (called from ESTABLISHED): tells the
 * handler. */
void ws_opened(struct ws *ws);

/* ws_receive.c: a piece of a message; the value for a callback to return. */
int ws_on_receive(struct ws *ws, const void *in, size_t n);

/* ws_deflate.c: permessage-deflate. */
#define WS_DEFLATE_OFFER \
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
extern const struct lws_extension ws_extensions[];

enum ws_inflated { WS_INFLATED, WS_INFLATED_TOO_LONG, WS_INFLATED_BROKEN };

/* The compressed message; NULL when that would be of no use. */
struct buf *ws_deflate(struct ws_net *net, struct slice message);
/* WS_INFLATED gives the message, of `max` bytes at most. */
enum ws_inflated ws_inflate(struct ws_net *net, struct slice message, size_t max,
                            struct buf **out);
void ws_deflate_free(struct ws_net *net);

int ws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                size_t len);

/* ws_flush.c */
void ws_flush(void *net);          /* writes what all that are due have queued */
void ws_flush_soon(struct ws *ws); /* before the loop waits next */
void ws_take(struct ws *ws);       /* its socket has something: lws reads it now */

/* ws_close.c */
/* Notes how the conn ends, unless that is known already. `fmt` follows "<where>: ". */
void ws_end(struct ws *ws, enum conn_error error, int code, const char *fmt, ...)
    LOG_PRINTF(4, 5);

/* Reports the end and frees. */
void ws_finish(struct ws *ws);

/* Cuts the socket, then ws_finish. Not from inside a callback of its wsi. */
void ws_kill(struct ws *ws);

/* Asks lws to close with this code; the value for a callback to return. */
int ws_close_now(struct ws *ws, int code, const char *reason);

/* The same for something that the peer has done. */
int ws_refuse(struct ws *ws, enum conn_error error, int code, const char *what);

/* The peer's close frame, and the end of the socket. */
int ws_on_peer_close(struct ws *ws, unsigned char *in, size_t n);
int ws_on_closed(struct ws *ws);

/* Closes for a frame without a mask. */
void ws_reject_unmasked(struct ws *ws);

/* ws_mask.c: looks at the first frame of a server connection; `early` is what came
 * behind the request. */
void ws_mask_check(struct ws *ws, struct slice early);
void ws_mask_see(struct ws *ws, struct slice next); /* the same in a tunnel */

/* ws_client.c: the callbacks before a client is up. */
int ws_client_event(struct ws *ws, enum lws_callback_reasons reason, void *in,
                    size_t len);

/* ws_server.c: lws has answered the upgrade. */
int ws_server_established(struct ws *ws);

/* ws_tls.c: the TLS settings of clients. */
/* For a connection to `host`, to be put back; NULL with a line in `error`. */
struct ws_tls *ws_tls_get(struct ws_net *net, const struct tls_options *o,
                          const char *host, char *error);
void ws_tls_put(struct ws_tls *tls); /* NULL is ignored */
struct lws_vhost *ws_tls_vhost(const struct ws_tls *tls);
SSL *ws_tls_client(const struct ws_tls *tls); /* about to connect; the caller's */
void ws_tls_free_all(struct ws_net *net);     /* when lws's context has gone */

/* Notes why there is no connection; false when that is not TLS's fault. */
bool ws_tls_explain(struct ws *ws);

/* Why the handshake of a client failed, with the alert that came in *alert (0: none);
 * NULL when OpenSSL does not say. */
const char *ws_tls_why(const SSL *ssl, int *alert);

/* ws_tunnel.c: TLS of a listener, and of a client of RawSocket. */
/* Takes a connected socket and an SSL that knows its side, and returns a plain socket in
 * its place, -1 on failure. `*held_by` is the tunnel as long as it stands. */
int tunnel_open(struct ws_net *net, SSL *ssl, int fd, const char *peer,
                struct tunnel **held_by);

/* While it is held: tells when TLS has failed, before the plain side ends. */
void tunnel_watch(struct tunnel *t, void (*failed)(void *user, const SSL *ssl),
                  void *user);
void tunnel_join(struct tunnel **from, struct ws *ws); /* the plain side is lws's now */
void tunnel_leave(struct tunnel **held); /* its owner goes; it lives on for a while */
void tunnel_flush(struct tunnel *t);     /* carries on what lws has written */
size_t tunnel_waiting(const struct tunnel *t); /* bytes the peer has not taken yet */
void tunnel_free(struct tunnel *t);
void tunnel_free_all(struct ws_net *net); /* when lws's context has gone */

#endif
