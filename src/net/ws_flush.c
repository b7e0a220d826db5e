/* ws_flush.c - what a turn of the loop has queued is written before the loop waits
 * again.
 *
 * Asking lws for a WRITEABLE callback costs two changes to the descriptor's watch and
 * one wait a message, more than the write itself. But a socket is nearly always
 * writable. So a connection with messages is noted, and before the wait its WRITEABLE
 * callbacks are made by handing lws the descriptor with POLLOUT, as a foreign event loop
 * does (lws_service_fd): one callback, one message, until the queue is empty or the
 * socket has not taken all, when lws is asked to call back in the usual way.
 *
 * Not known here: what a WRITEABLE callback does (ws.c). */
#include <poll.h>

#include "net/ws_private.h"

void ws_flush_soon(struct ws *ws)
{
    if (!list_linked(&ws->due))
        list_push(&ws->net->due, &ws->due);
}

static void flush_one(struct ws_net *net, struct ws *ws)
{
    struct lws_pollfd fd = { .fd = lws_get_socket_fd(ws->wsi),
                             .events = POLLIN | POLLOUT };

    net->flushing = ws;
    while (net->flushing && ws->state == WS_OPEN && ws->count) {
        unsigned before = ws->count;

        if (lws_partial_buffered(ws->wsi))
            break;
        fd.revents = POLLOUT; /* lws clears it */
        lws_service_fd(net->context, &fd);
        if (net->flushing && ws->count == before) /* a ping went first, or lws was busy */
            break;
    }
    if (net->flushing && ws->state == WS_OPEN && ws->count)
        lws_callback_on_writable(ws->wsi);
    if (net->flushing && ws->tunnel)
        tunnel_flush(ws->tunnel);
    net->flushing = NULL;
}

void ws_take(struct ws *ws)
{
    struct lws_pollfd fd = { .fd = lws_get_socket_fd(ws->wsi),
                             .events = POLLIN | POLLOUT,
                             .revents = POLLIN };

    lws_service_fd(ws->net->context, &fd);
}

void ws_flush(void *attached)
{
    struct ws_net *net = attached;
    struct list *node;

    while ((node = list_pop(&net->due))) {
        struct ws *ws = list_entry(node, struct ws, due);

        if (ws->wsi && ws->state == WS_OPEN)
            flush_one(net, ws);
    }
}
