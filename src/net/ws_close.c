/* ws_close.c - how a WebSocket connection ends, and what its handler is told of it.
 *
 * A conn ends once: ws_end notes the first reason and ignores later ones, ws_finish
 * reports it and frees. lws says little: a close frame of the peer is shown to us, but
 * broken framing, a lost link and the end of our own close all come as one CLOSED. So
 * what we did ourselves is noted when we do it, and of the rest the socket is asked
 * whether the peer has gone.
 *
 * Not known here: sending, receiving (ws.c). */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net/ws_private.h"

void ws_end(struct ws *ws, enum conn_error error, int code, const char *fmt, ...)
{
    va_list ap;

    if (ws->ended)
        return;
    ws->ended = true;
    ws->end.error = error;
    ws->end.code = code;
    va_start(ap, fmt);
    conn_end_say(&ws->end, ws->where, fmt, ap);
    va_end(ap);
}

static void free_queue(struct ws *ws)
{
    for (; ws->count; ws->count--)
        buf_unref(ws->queue[ws->first++ & (ws->room - 1)]);
    free(ws->queue);
}

void ws_finish(struct ws *ws)
{
    if (ws->wsi)
        lws_set_opaque_user_data(ws->wsi, NULL);
    list_remove(&ws->due);
    if (ws->net->flushing == ws)
        ws->net->flushing = NULL;
    if (ws->net->adopting == ws)
        ws->net->adopting = NULL;
    loop_timer_clear(ws->net->loop, &ws->timer);
    loop_unwatch(ws->first_bytes);
    reach_cancel(ws->reach);
    tunnel_leave(&ws->tunnel);
    ws_tls_put(ws->tls);
    ws_end(ws, CONN_LOST, 0, "the connection was lost");
    if (ws->conn.handler)
        ws->conn.handler->closed(&ws->conn, &ws->end);
    guest_leave(ws->guest);
    crowd_leave(ws->crowd);
    buf_count(0, ws->unsettled);
    free_queue(ws);
    buf_unref(ws->rx);
    batch_reader_fini(&ws->batch);
    free(ws->close_reason);
    free(ws->where);
    free((char *)(uintptr_t)ws->conn.cookies);
    net_settings_unref(ws->settings);
    free(ws);
}

/* lws may want to flush first and stay; a socket that is shut down leaves it no
 * choice. */
void ws_kill(struct ws *ws)
{
    struct lws *wsi = ws->wsi;

    if (wsi) {
        lws_set_opaque_user_data(wsi, NULL);
        ws->wsi = NULL;
        shutdown(lws_get_socket_fd(wsi), SHUT_RDWR);
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
    }
    ws_finish(ws);
}

/* Asks lws to close with this code; the value for a callback to return. */
int ws_close_now(struct ws *ws, int code, const char *reason)
{
    unsigned char text[WS_REASON_SIZE];
    size_t n = reason ? strnlen(reason, sizeof text - 1) : 0;

    if (n)
        memcpy(text, reason, n);
    ws->state = WS_CLOSING;
    lws_close_reason(ws->wsi, (enum lws_close_status)code, text, n);
    loop_timer_set(ws->net->loop, &ws->timer,
                   loop_round(ws->net->loop) + ws->settings->close_timeout);
    return -1;
}

int ws_refuse(struct ws *ws, enum conn_error error, int code, const char *what)
{
    ws_end(ws, error, code, "%s", what);
    return ws_close_now(ws, code, what);
}

/* ---- the peer closes ------------------------------------------------------------- */

static bool close_code_ok(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

/* Well-formed UTF-8 (RFC 3629)? A reason is short: this need not be fast. */
static bool utf8(const unsigned char *p, size_t n)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

    for (size_t i = 0, size; i < n; i += size) {
        uint32_t c = p[i];

        size = c < 0x80   ? 1
               : c < 0xc2 ? 0
               : c < 0xe0 ? 2
               : c < 0xf0 ? 3
               : c < 0xf5 ? 4
                          : 0;
        if (size == 0 || size > n - i)
            return false;
        c &= size == 1 ? 0x7fu : 0x7fu >> size;
        for (size_t k = 1; k < size; k++) {
            if ((p[i + k] & 0xc0) != 0x80)
                return false;
            c = c << 6 | (p[i + k] & 0x3f);
        }
        if (c < least[size] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
            return false;
    }
    return true;
}

/* A close frame that is wrong. lws echoes its payload, so that is changed where it
 * stands. */
static void reject_close(struct ws *ws, unsigned char *in, size_t n, int answer)
{
    in[0] = (unsigned char)(answer >> 8);
    in[1] = (unsigned char)answer;
    memset(in + 2, '.', n - 2);
    ws_end(ws, CONN_PROTOCOL, answer, "closed by the peer with %s",
           answer == 1007 ? "a reason that is no UTF-8" : "an invalid code");
}

/* The peer closes first; lws answers. */
int ws_on_peer_close(struct ws *ws, unsigned char *in, size_t n)
{
    int code = n >= 2 ? in[0] << 8 | in[1] : 1005;
    int shown = n > 2 ? (int)n - 2 : 0;

    if (n == 1)
        return ws_refuse(ws, CONN_PROTOCOL, 1002, "a close frame with half a code");
    if (n >= 2 && !close_code_ok(code))
        reject_close(ws, in, n, 1002);
    else if (shown && !utf8(in + 2, n - 2))
        reject_close(ws, in, n, 1007);
    else if (code == 1005)
        ws_end(ws, CONN_CLOSED, code, "closed by the peer without a code");
    else
        ws_end(ws, CONN_CLOSED, code, "closed by the peer: %d%s%.*s", code,
               shown ? " " : "", shown, (const char *)in + 2);
    ws->state = WS_CLOSING;
    loop_timer_set(ws->net->loop, &ws->timer,
                   loop_round(ws->net->loop) + ws->settings->close_timeout);
    return 0;
}

/* lws says that it is over, but not why: the socket tells whether the peer has gone. */
static bool peer_is_gone(struct ws *ws)
{
    char byte;
    ssize_t n = recv(lws_get_socket_fd(ws->wsi), &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return n == 0 || (n < 0 && errno != EAGAIN);
}

int ws_on_closed(struct ws *ws)
{
    size_t rest = lws_remaining_packet_payload(ws->wsi);

    if (lws_get_close_length(ws->wsi) > 0 || !peer_is_gone(ws))
        ws_end(ws, CONN_PROTOCOL, 1002, "the peer broke the WebSocket protocol");
    else if (ws->rx || ws->batch.part || rest)
        ws_end(ws, CONN_TRUNCATED, rest < ws->settings->max_message ? (int)rest : 0,
               "the connection was lost in the middle of a message");
    else
        ws_end(ws, CONN_LOST, 0, "the connection was lost");
    ws_finish(ws);
    return 0;
}
