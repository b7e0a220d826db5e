/* ws_http.h - the request of a WebSocket client (RFC 6455, 4.2.1), or of a browser that
 * wants a file. All slices point into the head that was parsed. */
#ifndef NET_WS_HTTP_H
#define NET_WS_HTTP_H

#include "base/buf.h"

struct request {
    struct slice method, target, version;
    struct slice host, upgrade, connection, key, ws_version;
    struct slice offers[8];     /* lines of Sec-WebSocket-Protocol */
    struct slice extensions[4]; /* lines of Sec-WebSocket-Extensions */
    struct slice origin, none_match, modified_since; /* p is NULL: not there */
    unsigned hosts, offer_lines, extension_lines, origins;
    bool body; /* a Content-Length or Transfer-Encoding */
};

/* Takes a head apart; false when it is no HTTP. */
bool request_parse(struct request *r, struct slice head);

/* Is this word in the comma-separated list? Case does not matter. */
bool header_has(struct slice list, const char *token);

/* What is wrong with this upgrade, in a sentence; NULL when it is good. Version and
 * subprotocol are not looked at. */
const char *request_fault(const struct request *r);

/* The first subprotocol in the client's order that is among `known`; NULL when none
 * is. */
const char *request_choose(const struct request *r, const char *const *known);

/* Whether it offers permessage-deflate (RFC 7692) in a form that lets the server forget a
 * message before the next one. */
bool request_offers_deflate(const struct request *r);

#endif
