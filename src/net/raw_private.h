/* raw_private.h - what the files of the RawSocket transport share.
 *
 * raw.c owns an open connection (queue, frames, pings, closing); raw_client.c makes
 * connections, raw_server.c takes them over from a listener. A struct raw is the conn; it
 * has its own plain, non-blocking socket on the loop. */
#ifndef NET_RAW_PRIVATE_H
#define NET_RAW_PRIVATE_H

#include "base/list.h"
#include "base/log.h"
#include "net/guests.h"
#include "net/loop_private.h"
#include "net/raw.h"
#include "net/raw_frame.h"

/* What this transport keeps per loop. */
struct raw_net {
    struct loop *loop;
    struct list conns; /* of struct raw: all */
    struct list due;   /* of struct raw: to be written before the loop waits */
    char *piece;       /* owned: what is being read */
};

enum raw_state {
    RAW_CONNECTING, /* not up yet */
    RAW_OPEN,
    RAW_CLOSING /* conn_close was called: what is queued goes out */
};

/* A frame that is to be sent. */
struct raw_out {
    struct buf *payload; /* owned */
    enum raw_type type;
};

struct raw {
    struct conn conn;
    struct list node;              /* in net->conns */
    struct list due;               /* in net->due */
    struct raw_net *net;           /* borrowed */
    struct net_settings *settings; /* counted */
    struct dialing *dialing;       /* owned; of raw_client.c until it is up, else NULL */
    struct guest *guest;           /* owned: of a server's connection, else NULL */
    struct crowd *crowd;           /* owned: likewise */
    struct ws_tls *tls;            /* counted; of a client of rss://, else NULL */
    struct tunnel *tunnel;         /* likewise, while it stands */
    struct loop_timer timer;       /* connecting, pinging or closing: one at a time */
    enum raw_state state;
    int fd;              /* -1: none */
    struct watch *reads; /* NULL: not listened to for now */
    struct watch *room;  /* waiting for room in the socket; else NULL */
    struct raw_reader reader;
    struct raw_out *queue;        /* owned: what is to be sent */
    unsigned first, count, space; /* its entries from `first` on, of `space` */
    size_t sent;                  /* bytes of the first entry that the socket has taken */
    size_t pongs;                 /* bytes of PONGs in the queue */
    int waiting;                  /* bytes in the socket when the timer looked last */
    bool pinged;                  /* a PING is out, and nothing has been heard since */
    bool half_closed;             /* we have said that nothing more will come */
    uint64_t heard;               /* ms: the round in which something came last */
    uint64_t close_by;            /* ms: a connection that is being closed is cut */
    char *where;                  /* owned: the URL or the peer's address, for people */
    struct conn_end end;
    bool ended; /* `end` is filled: what came first counts */
};

/* raw.c */
struct raw *raw_new(struct loop *l, struct net_settings *s, const char *where);

/* The handshake is done: tells the handler. */
void raw_open(struct raw *raw, const char *subprotocol, size_t peer_takes);

/* Reads what has come; may end the conn. */
void raw_take_in(struct raw *raw, struct slice in);

/* Notes how the conn ends, unless that is known already. `fmt` follows "<where>: ". */
void raw_end(struct raw *raw, enum conn_error error, int code, const char *fmt, ...)
    LOG_PRINTF(4, 5);

/* Reports the end and frees. */
void raw_finish(struct raw *raw);

/* The same in the next round: where the caller still needs it. */
void raw_finish_soon(struct raw *raw);

/* raw_client.c: what was needed until the conn was up is dropped. */
void raw_dialed(struct raw *raw);

/* raw_tls.c: rss:// of a client. */
/* The settings, for connections to `host`; false when they are wrong, which is noted. */
bool raw_tls_init(struct raw *raw, const struct tls_options *o, const char *host);

/* From here on raw->fd is the plain side of the socket that it was; false: there is
 * none. */
bool raw_tls_wrap(struct raw *raw);
void raw_tls_leave(struct raw *raw); /* that socket is given up */
void raw_tls_fini(struct raw *raw);

#endif
