/* options.h - what may be asked of a connection or a listener, whatever the transport. */
#ifndef NET_OPTIONS_H
#define NET_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/http_path.h"
#include "net/tls.h"

/* An HTTP proxy that a client goes through, by CONNECT. */
struct net_proxy {
    const char *host; /* NULL: none */
    int port;
    const char *authorization; /* "Basic ...", or NULL */
};

struct net_options { /* zero-initialised = defaults */
    /* NULL-terminated, in order of preference; default wamp.2.json */
    const char *const *subprotocols;
    /* ms: TCP and handshake together; 0 = 10,000, a server 5,000 */
    uint64_t connect_timeout;
    uint64_t ping_interval; /* ms of silence before a ping; 0 = off */
    uint64_t ping_timeout;  /* ms for its pong */
    /* RawSocket: a client sends PINGs of its own, at which many routers hang up; else the
     * same times are TCP's, whose keep-alive finds a dead link */
    bool raw_pings;
    size_t max_message; /* bytes; 0 = LIMIT_MESSAGE_SIZE */
    size_t max_queue;   /* bytes; 0 = LIMIT_QUEUE; `drained` at half of it */
    unsigned max_each;  /* connections from one address; 0 = LIMIT_CONNECTIONS_EACH */
    unsigned max_all;   /* connections of a listener, WAMP's; 0 = any number */
    unsigned door;      /* a listener's: conn->door of those that it accepts */
    /* NULL-terminated "Name: value" for the upgrade request */
    const char *const *headers;
    /* body for an HTTP GET that is no upgrade; may be NULL */
    const char *server_text;
    struct tls_options tls; /* for wss:// and rss:// */
    bool compress;          /* WebSocket: permessage-deflate is offered, or taken up */
    struct net_proxy proxy;

    /* Of a WebSocket listener. */
    /* NULL-terminated patterns of the pages that may connect; NULL: whatever page */
    const char *const *origins;
    bool null_origin;       /* with `origins`: also pages that have none, of a file */
    bool any_subprotocol;   /* who offers none gets the first of ours */
    bool delay;             /* small messages may wait for more: no TCP_NODELAY */
    uint64_t close_timeout; /* ms that a closing connection may stand still; 0 = 1000 */
    const struct http_route *routes; /* none: a WebSocket on every path */
    size_t route_count;
    /* What else is spoken, by rules of its own: by a route's WebSocket (its `part`) or by
     * RawSocket, each of which names its place here, from 1; 0 = by these rules. */
    const struct net_options *parts;
    size_t part_count;
    unsigned raw_part;
    /* writes an HTTP_REPORT, a reference that passes; `user` is the listener's */
    struct buf *(*report)(void *user);
};

/* Options with the defaults filled in; shared by all connections of a listener. */
struct net_settings {
    unsigned refs;
    uint64_t connect_timeout, ping_interval, ping_timeout; /* ms */
    bool raw_pings;
    size_t max_message, max_queue;
    unsigned max_each, max_all, door;
    const char **subprotocols; /* owned, and its strings */
    const char **headers;      /* likewise; may be NULL */
    struct net_proxy proxy;    /* its strings are owned */
    bool compress;
    char *server_text;    /* owned; may be NULL */
    const char **origins; /* likewise; NULL: any */
    bool null_origin, any_subprotocol, delay;
    uint64_t close_timeout;    /* ms */
    struct http_route *routes; /* owned */
    size_t route_count;
    struct net_settings **parts; /* owned, and counted each */
    size_t part_count;
    unsigned raw_part;
    struct buf *(*report)(void *user);
};

struct net_settings *net_settings_new(const struct net_options *o,
                                      uint64_t connect_timeout);
void net_settings_unref(struct net_settings *s);

/* Those of a part, borrowed; `s` itself is part 0. */
struct net_settings *net_settings_part(struct net_settings *s, unsigned part);

void http_routes_free(struct http_route *routes, size_t count); /* with their texts */

#endif
