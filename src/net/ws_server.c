/* ws_server.c - the HTTP side of a WebSocket server.
 *
 * The reading of the request is ours: lws closes silently where HTTP has a status for
 * it, takes a missing version for 13, picks a vhost by the Host header, and hangs up on
 * an offer of more than 127 bytes of subprotocols, which widespread clients make. So the
 * request is read (listener.c) and judged here, and only a good one is shown to lws, in
 * words of our own; lws answers it, and from there on the socket is lws's.
 *
 * Not known here: answers other than 101 (http_server.c), frames, and whatever comes
 * after the upgrade (ws.c). */
#include <stdio.h>
#include <string.h>

#include "net/http_server.h"

/* ---- the upgrade ------------------------------------------------------------------- */

/* The request as lws is to see it, and what the peer sent behind it. */
static struct buf *retell(const struct request *r, const char *subprotocol, bool compress,
                          struct slice rest)
{
    struct buf *b = buf_new(512 + rest.n);
    int n = snprintf(b->data, b->cap,
                     "GET / HTTP/1.1\r\nHost: -\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Key: %.24s\r\n"
                     "Sec-WebSocket-Version: 13\r\n",
                     r->key.p);

    if (r->offer_lines) /* or the answer must not name one */
        n += snprintf(b->data + n, b->cap - (size_t)n, "Sec-WebSocket-Protocol: %s\r\n",
                      subprotocol);
    if (compress) /* lws repeats it in its answer */
        n += snprintf(b->data + n, b->cap - (size_t)n,
                      "Sec-WebSocket-Extensions: " WS_DEFLATE_OFFER "\r\n");
    b->len = (size_t)n;
    buf_append(&b, "\r\n", 2);
    buf_append(&b, rest.p, rest.n);
    return b;
}

int ws_server_established(struct ws *ws)
{
    struct listener *ln = ws->listener;

    ws->listener = NULL;
    ws->net->adopting = NULL;
    ws->conn.where = ws->where;
    ws->conn.door = ws->settings->door;
    ln->accepted(&ws->conn, ln->user);
    ws_opened(ws);
    ws_mask_check(ws, ws->net->early);
    return 0;
}

/* Gives the socket to lws. lws reads the request at once, so the upgrade is answered
 * (and the conn up, unless the peer has gone) when this returns. */
static void adopt(struct greeting *g, const struct request *r, const char *subprotocol,
                  struct slice rest)
{
    struct ws_net *net = g->listener->net;
    bool compress = g->settings->compress && request_offers_deflate(r);
    struct buf *told = retell(r, subprotocol, compress, rest);
    struct ws *ws = ws_new(net, g->settings, g->peer);

    ws->server = true;
    ws->guest = g->guest;
    g->guest = NULL;
    ws->crowd = crowd_enter(g->listener->crowd);
    tunnel_join(&g->tunnel, ws);
    ws->listener = g->listener;
    ws->subprotocol = slice_of(subprotocol);
    snprintf(net->subprotocol, sizeof net->subprotocol, "%s", subprotocol);
    net->adopting = ws;
    net->early = rest;
    lws_adopt_socket_vhost_readbuf(net->vhost, g->fd, told->data, told->len);
    if (net->adopting) { /* not established: lws has dropped it */
        net->adopting = NULL;
        ws->wsi = NULL;
        ws_finish(ws);
    }
    buf_unref(told);
    g->fd = -1;
    greeting_free(g);
    if (rest.n)
        lws_cancel_service(
            net->context); /* or it stays in lws's buffer until more comes */
}

/* What is agreed on; NULL when nothing is. */
static const char *choose(const struct net_settings *s, const struct request *r)
{
    if (!r->offer_lines && s->any_subprotocol)
        return s->subprotocols[0];
    return request_choose(r, s->subprotocols);
}

/* A program says no Origin: it could say any. */
static bool from_welcome_page(const struct net_settings *s, const struct request *r)
{
    return !s->origins || !r->origin.p ||
           http_origin_ok(s->origins, s->null_origin, r->origin);
}

static void upgrade(struct greeting *g, const struct request *r, struct slice rest)
{
    const struct net_settings *s = g->settings;
    const char *fault = request_fault(r), *subprotocol = choose(s, r);

    if (fault)
        http_answer(g, "400 Bad Request", "", fault);
    else if (!slice_is(r->ws_version, "13"))
        http_answer(g, "426 Upgrade Required", "Sec-WebSocket-Version: 13\r\n",
                    "this server speaks WebSocket version 13\n");
    else if (!from_welcome_page(s, r))
        http_answer(g, "403 Forbidden", "",
                    "pages of this Origin may not connect here\n");
    else if (!subprotocol)
        http_answer(
            g, "400 Bad Request", "",
            "none of the offered subprotocols (Sec-WebSocket-Protocol) is known here\n");
    else if (listener_full(g->listener))
        http_answer(g, "503 Service Unavailable", "",
                    "there are as many connections here as there may be\n");
    else
        adopt(g, r, subprotocol, rest);
}

/* A WebSocket is on every path, whatever it looks like, unless there are routes. Finds
 * out by whose rules. */
static bool has_websocket(struct greeting *g, struct slice target)
{
    struct net_settings *s = g->listener->settings;
    const struct http_route *route = NULL;
    char path[HTTP_PATH_SIZE];

    if (s->route_count && http_path(target, path))
        route = http_route_of(s->routes, s->route_count, path, true);
    g->settings = net_settings_part(s, route ? route->part : 0);
    return route || !s->route_count;
}

static void judge(struct greeting *g, size_t head_size)
{
    struct slice head = { g->head->data, head_size };
    struct slice rest = { g->head->data + head_size, g->head->len - head_size };
    struct request r;

    if (!request_parse(&r, head)) {
        http_answer(g, "400 Bad Request", "", "this is no HTTP request\n");
        return;
    }
    g->head_only = slice_is(r.method, "HEAD");
    if (!g->head_only && !slice_is(r.method, "GET"))
        http_answer(g, "405 Method Not Allowed", "Allow: GET, HEAD\r\n",
                    "only GET and HEAD are answered here\n");
    else if (!header_has(r.upgrade, "websocket"))
        http_serve(g, &r);
    else if (!has_websocket(g, r.target))
        http_answer(g, "404 Not Found", "", "there is no WebSocket here\n");
    else
        upgrade(g, &r, rest);
}

/* The size of the head with its blank line; 0 when that has not come yet. */
static size_t head_size(const struct buf *b)
{
    const char *end = memmem(b->data, b->len, "\r\n\r\n", 4);

    return end ? (size_t)(end - b->data) + 4 : 0;
}

void ws_server_greet(struct greeting *g)
{
    size_t size = head_size(g->head);

    if (size > LIMIT_HTTP_HEAD || (!size && g->head->len > LIMIT_HTTP_HEAD))
        http_answer(g, "431 Request Header Fields Too Large", "",
                    "the request is too long\n");
    else if (size)
        judge(g, size);
    else
        greeting_more(g);
}
