/* ws.c - an open WebSocket connection, either side, on libwebsockets' ws role. See ws.h.
 *
 * The rules of lws: one lws_write per WRITEABLE callback and none elsewhere; what the
 * socket did not take is copied by lws; closing is asked for by returning -1. So sending
 * is a queue, and a WRITEABLE callback hands on one message of it; ws_flush.c sees to it
 * that a queue's callbacks come one behind the other, without a wait between. Between
 * the first and the last message of a filled queue the socket is corked: the kernel then
 * makes few and full segments of many small writes, which halves the cost of a busy
 * connection.
 *
 * Where messages go in batches (batch.h), all that waits is one WebSocket message.
 *
 * Not known here: how connections come about (ws_client.c, ws_server.c), what is received
 * (ws_receive.c), or what messages say. */
#include "net/ws.h"

#include <assert.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "net/ws_private.h"

static_assert(BUF_HEADROOM >= LWS_PRE,
              "lws writes its frame header in front of the payload");

#define FIRST_BATCH (16 * 1024) /* room of a batch, until one needs more */
#define PING_SIZE 4             /* lws does not report an empty pong */

static struct ws *ws_of(struct conn *c)
{
    return (struct ws *)(void *)((char *)c - offsetof(struct ws, conn));
}

/* ---- sending ----------------------------------------------------------------------- */

static void push(struct ws *ws, struct buf *message)
{
    if (ws->count == ws->room) {
        unsigned room = ws->room ? ws->room * 2 : 4;
        struct buf **queue = xmalloc(room * sizeof *queue);

        for (unsigned i = 0; i < ws->count; i++)
            queue[i] = ws->queue[(ws->first + i) & (ws->room - 1)];
        free(ws->queue);
        ws->queue = queue;
        ws->room = room;
        ws->first = 0;
    }
    ws->queue[(ws->first + ws->count++) & (ws->room - 1)] = message;
}

static struct buf *pop(struct ws *ws)
{
    struct buf *message = ws->queue[ws->first++ & (ws->room - 1)];

    ws->count--;
    return message;
}

static size_t next_size(const struct ws *ws)
{
    return batch_size(ws->batch.kind, ws->queue[ws->first & (ws->room - 1)]->len);
}

/* All that waits, as one batch, unless it is more than that may hold. `n` gets the bytes
 * of its messages. */
static struct buf *pop_batch(struct ws *ws, size_t *n)
{
    size_t limit = ws->settings->max_message;
    struct buf *batch = ws->net->batch ? ws->net->batch : buf_new(FIRST_BATCH);

    limit = limit < LIMIT_BATCH ? limit : LIMIT_BATCH;
    ws->net->batch = NULL;
    batch->len = 0;
    do {
        struct buf *message = pop(ws);

        *n += message->len;
        batch_add(ws->batch.kind, &batch, slice_buf(message));
        buf_unref(message);
    } while (ws->count && batch->len + next_size(ws) <= limit);
    return batch;
}

/* Has been written: its room is good for the next one, unless that is very much. */
static void batch_done(struct ws *ws, struct buf *batch)
{
    if (batch->cap <= 2 * LIMIT_BATCH)
        ws->net->batch = batch;
    else
        buf_unref(batch);
}

static void send_message(struct conn *c, struct buf *message)
{
    struct ws *ws = ws_of(c);

    if (ws->state > WS_OPEN || ws->ended) {
        buf_unref(message);
        return;
    }
    c->queued += message->len;
    if (c->queued > ws->settings->max_queue)
        conn_await(c, ws->settings->max_queue / 2);
    push(ws, message);
    if (ws->state == WS_OPEN && ws->count == 1)
        ws_flush_soon(ws);
}

static void cork(struct ws *ws, bool on)
{
    int value = on;

    if (ws->corked == on || ws->tunnel)
        return;
    ws->corked = on;
    setsockopt(lws_get_socket_fd(ws->wsi), IPPROTO_TCP, TCP_CORK, &value, sizeof value);
}

/* What was written before is out of our hands when lws keeps nothing of it: it copies
 * what the socket did not take. */
static void settle(struct ws *ws)
{
    if (!ws->unsettled || lws_partial_buffered(ws->wsi))
        return;
    ws->conn.queued -= ws->unsettled;
    buf_count(0, ws->unsettled);
    ws->unsettled = 0;
    conn_settled(&ws->conn);
}

/* One WebSocket message. A server writes a shared buf as it is: only the headroom
 * changes, and each write makes it anew. A client masks in place and needs a buf of its
 * own. */
static int write_frame(struct ws *ws, struct buf **message)
{
    struct buf *packed = ws->compress ? ws_deflate(ws->net, slice_buf(*message)) : NULL;
    struct buf *out = packed ? packed : *message;
    int wrote;

    if (!ws->server && !packed)
        *message = out = buf_own(out);
    ws->packed_out = packed != NULL;
    wrote = lws_write(ws->wsi, (unsigned char *)out->data, out->len,
                      ws->text ? LWS_WRITE_TEXT : LWS_WRITE_BINARY);
    buf_unref(packed);
    return wrote;
}

static int write_message(struct ws *ws)
{
    size_t n = 0;
    struct buf *message = ws->batch.kind ? pop_batch(ws, &n) : pop(ws);
    int wrote;

    n = ws->batch.kind ? n : message->len;
    if (ws->count)
        cork(ws, true);
    wrote = write_frame(ws, &message);
    if (ws->batch.kind)
        batch_done(ws, message);
    else
        buf_unref(message);
    ws->unsettled += n;
    buf_count(n, 0);
    if (wrote < 0)
        return -1;
    if (!ws->count)
        cork(ws, false);
    settle(ws);
    return 0;
}

static int write_ping(struct ws *ws)
{
    unsigned char frame[LWS_PRE + PING_SIZE] = { 0 };

    memcpy(frame + LWS_PRE, "ping", PING_SIZE);
    ws->ping_due = false;
    ws->pinged = true;
    return lws_write(ws->wsi, frame + LWS_PRE, PING_SIZE, LWS_WRITE_PING) < 0 ? -1 : 0;
}

static int on_writeable(struct ws *ws)
{
    int result = 0;

    settle(ws);
    if (ws->state != WS_OPEN)
        return 0;
    if (ws->ping_due)
        result = write_ping(ws);
    else if (ws->count)
        result = write_message(ws);
    else if (ws->close_code && !lws_partial_buffered(ws->wsi))
        return ws_close_now(ws, ws->close_code, ws->close_reason);
    if (ws->close_code && !result)
        loop_timer_set(ws->net->loop, &ws->timer,
                       loop_round(ws->net->loop) + ws->settings->close_timeout);
    if ((ws->count && ws->net->flushing != ws) || ws->ping_due || ws->close_code)
        lws_callback_on_writable(ws->wsi);
    return result;
}

static void close_conn(struct conn *c, int code, const char *reason)
{
    struct ws *ws = ws_of(c);
    uint64_t wait = ws->state == WS_OPEN ? ws->settings->close_timeout : 0;

    if (ws->state > WS_OPEN)
        return;
    ws_end(ws, CONN_OK, code, "closed");
    ws->close_by = loop_round(ws->net->loop) + LIMIT_CLOSE_MS;
    ws->close_code = code;
    ws->close_reason =
        reason ? xstrndup(reason, strnlen(reason, WS_REASON_SIZE - 1)) : NULL;
    loop_timer_set(ws->net->loop, &ws->timer, loop_round(ws->net->loop) + wait);
    if (ws->state == WS_OPEN)
        lws_callback_on_writable(ws->wsi);
}

void ws_reject_unmasked(struct ws *ws)
{
    static const char why[] = "a frame without a mask";

    if (ws->close_code)
        return;
    ws_end(ws, CONN_PROTOCOL, 1002, "%s", why);
    close_conn(&ws->conn, 1002, why);
}

static void drop_queue(struct conn *c)
{
    struct ws *ws = ws_of(c);

    while (ws->count) {
        struct buf *message = pop(ws);

        c->queued -= message->len;
        buf_unref(message);
    }
    buf_unref(ws->rx);
    ws->rx = NULL;
    batch_reader_fini(&ws->batch);
    c->coming = 0;
}

const struct conn_ops ws_ops = { send_message, close_conn, drop_queue };

/* ---- timers ------------------------------------------------------------------------ */

static void ping_later(struct ws *ws)
{
    if (ws->settings->ping_interval && !ws->close_code)
        loop_timer_set(ws->net->loop, &ws->timer,
                       ws->heard + ws->settings->ping_interval);
}

/* Does the socket still pass on what it was given? lws shows no part of a write. */
static bool moves(struct ws *ws)
{
    int waiting = 0, before = ws->waiting;

    ioctl(lws_get_socket_fd(ws->wsi), TIOCOUTQ, &waiting);
    waiting += ws->tunnel ? (int)tunnel_waiting(ws->tunnel) : 0;
    ws->waiting = waiting;
    return waiting != before;
}

void ws_on_timer(struct loop_timer *t)
{
    struct ws *ws = timer_entry(t, struct ws, timer);
    uint64_t now = loop_round(ws->net->loop);

    if (ws->state == WS_OPEN && ws->close_code && now < ws->close_by && moves(ws)) {
        loop_timer_set(ws->net->loop, &ws->timer, now + ws->settings->close_timeout);
    } else if (ws->state != WS_OPEN || ws->close_code) {
        if (ws->state == WS_CONNECTING)
            ws_end(ws, CONN_TIMEOUT, 0, "did not answer within %g s",
                   (double)ws->settings->connect_timeout / 1000);
        ws_kill(ws);
    } else if (ws->pinged) {
        ws_end(ws, CONN_TIMEOUT, 0, "no answer to a ping within %g s",
               (double)ws->settings->ping_timeout / 1000);
        ws_kill(ws);
    } else if (now < ws->heard + ws->settings->ping_interval) {
        ping_later(ws);
    } else {
        ws->ping_due = true;
        lws_callback_on_writable(ws->wsi);
        loop_timer_set(ws->net->loop, &ws->timer, now + ws->settings->ping_timeout);
    }
}

/* ---- the callback ------------------------------------------------------------------ */

static int on_pong(struct ws *ws)
{
    ws->heard = loop_round(ws->net->loop);
    if (ws->pinged && ws->state == WS_OPEN)
        ping_later(ws);
    ws->pinged = false;
    return 0;
}

void ws_opened(struct ws *ws)
{
    int on = !ws->settings->delay;

    ws->state = WS_OPEN;
    ws->text = strstr(ws->subprotocol.p, "json") != NULL;
    ws->batch.kind = batch_of(ws->subprotocol.p);
    ws->batch.max = ws->settings->max_message;
    ws->heard = loop_round(ws->net->loop);
    setsockopt(lws_get_socket_fd(ws->wsi), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    loop_timer_clear(ws->net->loop, &ws->timer);
    ping_later(ws);
    ws->conn.handler->opened(&ws->conn, ws->subprotocol);
    if (ws->count || ws->close_code)
        lws_callback_on_writable(ws->wsi);
}

/* Comes for a client's socket too, where nothing is being adopted. */
static int adopted(struct lws *wsi)
{
    struct ws_net *net = lws_vhost_user(lws_get_vhost(wsi));

    if (!net->adopting)
        return 0;
    lws_set_opaque_user_data(wsi, net->adopting);
    net->adopting->wsi = wsi;
    return 0;
}

int ws_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                size_t len)
{
    struct ws *ws = lws_get_opaque_user_data(wsi);

    (void)user;
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return ws ? ws_on_receive(ws, in, len) : -1;
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return ws ? on_writeable(ws) : -1;
    case LWS_CALLBACK_RECEIVE_PONG:
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        return ws ? on_pong(ws) : -1;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return ws ? ws_on_peer_close(ws, in, len) : 0;
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLIENT_CLOSED:
        return ws ? ws_on_closed(ws) : 0;
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        return adopted(wsi);
    case LWS_CALLBACK_ESTABLISHED:
        return ws ? ws_server_established(ws) : -1;
    case LWS_CALLBACK_GET_THREAD_ID:
        return 0;
    default:
        if (!ws)
            return 0;
        ws->wsi = wsi;
        return ws_client_event(ws, reason, in, len);
    }
}
