/* conn.h - a transport that carries whole WAMP messages, whatever it is made of.
 *
 * Makers: ws_connect, raw_client_connect and a listener (sockets), link_pair (memory).
 * Users give a struct conn_handler and get told: opened once (or never), then messages,
 * then closed exactly once, after which the conn is gone. Handlers run inside the
 * transport's own event handling: they note what came and return; they must not run Lua
 * or free machines. The pump does the rest.
 *
 * A message is one struct buf. conn_send takes the reference. What is queued is charged
 * to conn->queued until the transport has really handed it on. */
#ifndef NET_CONN_H
#define NET_CONN_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"

struct conn;

enum conn_error {
    CONN_OK = 0,       /* closed by agreement (or by us) */
    CONN_REFUSED,      /* nobody listens, or there are too many */
    CONN_UNKNOWN_HOST, /* name does not resolve */
    CONN_UNREACHABLE,  /* other failure to connect */
    CONN_TIMEOUT,      /* connect or upgrade took too long, or a ping went unanswered */
    /* the upgrade was answered with something but 101; `code` is the status */
    CONN_HTTP_STATUS,
    CONN_SUBPROTOCOL, /* no, or not an offered, subprotocol was chosen */
    CONN_PROTOCOL,    /* broken handshake or framing */
    CONN_TOO_LARGE,   /* a message over the limit */
    CONN_LOST,        /* the link broke without a close frame; RawSocket has none */
    /* closed by the peer; `code` is the WebSocket close code, 1005 if none */
    CONN_CLOSED,
    CONN_TLS, /* certificate or TLS failure */
    /* the link ended inside a message; `code` is the bytes still required, if known */
    CONN_TRUNCATED
};

struct conn_end {
    enum conn_error error;
    int code;
    char text[240]; /* one clear line for people, naming the URL or address */
};

/* Fills the text: "<where>: " and the words, on one line. */
void conn_end_say(struct conn_end *end, const char *where, const char *fmt, va_list ap);

struct conn_handler {
    /* The transport is up and `subprotocol` (e.g. "wamp.2.json") is agreed. */
    void (*opened)(struct conn *c, struct slice subprotocol);
    /* One whole message. Borrowed: take a reference to keep it. */
    void (*message)(struct conn *c, struct buf *message);
    /* The end; `c` is freed when this returns. Comes once for every conn, opened or
     * not. */
    void (*closed)(struct conn *c, const struct conn_end *end);
    /* The queue has fallen below conn->low, or below half of its limit after being above
     * it. May be NULL. */
    void (*drained)(struct conn *c);
};

struct conn_ops {
    void (*send)(struct conn *c, struct buf *message); /* takes the reference */
    void (*close)(struct conn *c, int code, const char *reason);
    /* Forgets what is queued, and what has come of a message; NULL: cannot. */
    void (*drop)(struct conn *c);
};

struct conn {
    const struct conn_ops *ops;
    const struct conn_handler *handler;
    void *user; /* the handler's */
    /* the other end of an accepted socket, "1.2.3.4:80", "[::1]:80"; borrowed from the
     * maker; NULL, or without a colon: it has no address */
    const char *where;
    unsigned door; /* an accepted one's: what its listener was told to call it by */
    size_t queued; /* bytes given to send and not yet handed on */
    size_t low;    /* `drained` is owed once `queued` is less than this; 0: it is not */
    size_t coming; /* bytes kept of a message that has not come to its end */
    size_t takes;  /* once opened: bytes of the longest message the peer takes; 0 = any */
    const char *cookies; /* of a client: the values of Set-Cookie, a line each, owned by
                            the maker; NULL: none came */
    bool closing;        /* conn_close was called: nothing more may be sent */
};

/* `drained` is wanted once fewer than `low` bytes are queued, if not earlier. */
static inline void conn_await(struct conn *c, size_t low)
{
    if (c->low < low)
        c->low = low;
}

/* For makers, when `queued` has fallen: tells who waits for that. */
static inline void conn_settled(struct conn *c)
{
    if (c->queued >= c->low)
        return;
    c->low = 0;
    if (c->handler->drained)
        c->handler->drained(c);
}

static inline void conn_send(struct conn *c, struct buf *message)
{
    if (c->closing)
        buf_unref(message);
    else
        c->ops->send(c, message);
}

/* Closes after what is queued has been sent; `closed` follows, also when the peer never
 * answers. `code` is a WebSocket close code, `reason` at most 123 bytes or NULL; other
 * transports cannot say them. Harmless twice. */
static inline void conn_close(struct conn *c, int code, const char *reason)
{
    if (c->closing)
        return;
    c->closing = true;
    c->ops->close(c, code, reason);
}

/* The same without sending what is queued: for a peer that does not read. */
static inline void conn_cut(struct conn *c, int code, const char *reason)
{
    if (c->ops->drop)
        c->ops->drop(c);
    conn_close(c, code, reason);
}

#endif
