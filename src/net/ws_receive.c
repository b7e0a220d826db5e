/* ws_receive.c - what comes on an open WebSocket connection: messages, out of the pieces
 * in which lws shows them.
 *
 * A message that came in one piece is copied once, out of lws's buffer; fragments are
 * gathered, and so is all of a compressed one. Of a batch each message is passed on as
 * soon as it is there.
 *
 * Not known here: what messages say; UTF-8 is the codec's business. */
#include "net/ws_private.h"

#define FIRST_PIECE (256 * 1024) /* reserved at once for a message that announced more */
#define COMPRESSED 0x40          /* RSV1 among the reserved bits */

static void deliver(struct ws *ws, struct buf *message)
{
    ws->conn.handler->message(&ws->conn, message);
    buf_unref(message);
}

static int refuse_long(struct ws *ws)
{
    return ws_refuse(ws, CONN_TOO_LARGE, 1009, "a message over the limit");
}

/* Of a batch; it has come to its end with `last`. */
static int on_batch(struct ws *ws, struct slice in, bool last)
{
    const char *wrong = NULL;
    enum batch_found found;
    struct buf *message;

    while ((found = batch_read(&ws->batch, &in, &message)) == BATCH_MESSAGE) {
        deliver(ws, message);
        if (ws->state != WS_OPEN || ws->close_code)
            return 0;
    }
    ws->conn.coming = ws->batch.part ? ws->batch.part->cap : 0;
    if (found == BATCH_TOO_LONG)
        return refuse_long(ws);
    if (last)
        wrong = batch_end(&ws->batch);
    return wrong ? ws_refuse(ws, CONN_PROTOCOL, 1002, wrong) : 0;
}

/* A batch has no limit of its own, but must not be more than one of ours when it is laid
 * out. */
static int on_compressed(struct ws *ws, struct buf *message)
{
    size_t max = ws->settings->max_message + (ws->batch.kind ? LIMIT_BATCH : 0);
    struct buf *whole = NULL;
    enum ws_inflated result = ws_inflate(ws->net, slice_buf(message), max, &whole);
    int value = 0;

    buf_unref(message);
    if (result == WS_INFLATED_TOO_LONG)
        return refuse_long(ws);
    if (result == WS_INFLATED_BROKEN)
        return ws_refuse(ws, CONN_PROTOCOL, 1007, "a compressed message is broken");
    if (!ws->batch.kind) {
        deliver(ws, whole);
        return 0;
    }
    value = on_batch(ws, slice_buf(whole), true);
    buf_unref(whole);
    return value;
}

static void gather(struct ws *ws, const void *in, size_t n, size_t rest)
{
    if (!ws->rx)
        ws->rx = buf_new(n + (rest < FIRST_PIECE ? rest : FIRST_PIECE));
    buf_append(&ws->rx, in, n);
    ws->conn.coming = ws->rx->cap;
}

/* The gathered message has come to its end. */
static int on_whole(struct ws *ws)
{
    struct buf *message = ws->rx;

    ws->rx = NULL;
    ws->conn.coming = 0;
    if (ws->packed_in)
        return on_compressed(ws, message);
    deliver(ws, message);
    return 0;
}

/* 0 when the frame may be what it is; else the value for a callback to return. */
static int check_frame(struct ws *ws)
{
    unsigned char reserved = lws_get_reserved_bits(ws->wsi);

    if (lws_is_first_fragment(ws->wsi))
        ws->packed_in = reserved & COMPRESSED;
    if ((reserved & ~COMPRESSED) || (reserved && !ws->packed_in))
        return ws_refuse(ws, CONN_PROTOCOL, 1002, "reserved bits in a frame");
    if (!lws_frame_is_binary(ws->wsi) != ws->text)
        return ws_refuse(ws, CONN_PROTOCOL, 1003,
                         ws->text ? "a binary frame on a text subprotocol"
                                  : "a text frame on a binary subprotocol");
    return 0;
}

int ws_on_receive(struct ws *ws, const void *in, size_t n)
{
    size_t rest = lws_remaining_packet_payload(ws->wsi), have = ws->rx ? ws->rx->len : 0;
    bool last = lws_is_final_fragment(ws->wsi);
    int wrong;

    ws->heard = loop_round(ws->net->loop);
    ws->pinged = false;
    if (ws->state != WS_OPEN || ws->close_code)
        return 0;
    wrong = check_frame(ws);
    if (wrong)
        return wrong;
    if (ws->batch.kind && !ws->packed_in)
        return on_batch(ws, (struct slice){ in, n }, last);
    if (n > ws->settings->max_message || rest > ws->settings->max_message - n ||
        have > ws->settings->max_message - n - rest)
        return refuse_long(ws);
    if (!ws->rx && last && !ws->packed_in) {
        deliver(ws, buf_from(in, n));
        return 0;
    }
    gather(ws, in, n, rest);
    return last ? on_whole(ws) : 0;
}
