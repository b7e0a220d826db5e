/* ws_deflate.c - permessage-deflate (RFC 7692): compressed WebSocket messages.
 *
 * The extension that comes with lws keeps two windows for each connection, writes a
 * message in many steps, and knows no limit of what comes out of one. So lws is given an
 * extension that does nothing but let the compressed bit through; messages are compressed
 * and laid out here, whole ones at a time. No context is taken from one message into the
 * next: that is what both sides are asked for (client_no_context_takeover and
 * server_no_context_takeover), and one compressor then serves all connections of a loop.
 * What is lost is some of the gain on short messages, which are sent as they are.
 *
 * Not known here: frames, who wants compression. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "net/ws_private.h"

#define LEAST 128           /* bytes of a message for which it is tried */
#define FIRST_ROOM 4096     /* bytes reserved for what comes out of a message */
#define RSV1 0x40           /* in the first byte of a frame */
#define TAIL "\0\0\xff\xff" /* ends each message, and is left out (RFC 7692, 7.2.1) */
#define TAIL_SIZE 4

struct deflater {
    z_stream in, out;
};

/* ---- messages ---------------------------------------------------------------------- */

/* Made when the first message needs it: it takes 300 KB. */
static struct deflater *deflater_of(struct ws_net *net)
{
    struct deflater *d = net->deflater;
    int in, out;

    if (d)
        return d;
    d = net->deflater = xcalloc(1, sizeof *d);
    in = inflateInit2(&d->in, -MAX_WBITS);
    out = deflateInit2(&d->out, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS,
                       MAX_MEM_LEVEL - 1, Z_DEFAULT_STRATEGY);
    if (in != Z_OK || out != Z_OK)
        abort(); /* out of memory */
    return d;
}

void ws_deflate_free(struct ws_net *net)
{
    if (!net->deflater)
        return;
    inflateEnd(&net->deflater->in);
    deflateEnd(&net->deflater->out);
    free(net->deflater);
}

struct buf *ws_deflate(struct ws_net *net, struct slice message)
{
    struct buf *b;
    z_stream *z;

    if (message.n < LEAST)
        return NULL;
    z = &deflater_of(net)->out;
    deflateReset(z);
    b = buf_new(message.n + TAIL_SIZE); /* what does not fit is not worth it */
    z->next_in = (Bytef *)(uintptr_t)message.p;
    z->avail_in = (uInt)message.n;
    z->next_out = (Bytef *)b->data;
    z->avail_out = (uInt)b->cap;
    deflate(z, Z_SYNC_FLUSH);
    b->len = b->cap - z->avail_out - TAIL_SIZE;
    if (z->avail_in || !z->avail_out || b->len >= message.n) {
        buf_unref(b);
        return NULL;
    }
    return b;
}

/* Lays out all input of z, behind what is in *out, unless that gets longer than `max`. */
static enum ws_inflated lay_out(z_stream *z, struct buf **out, size_t max)
{
    do {
        size_t len = (*out)->len, room;
        int result;

        z->next_out = (Bytef *)buf_reserve(out, FIRST_ROOM);
        room = (*out)->cap - len;
        room = room < max + 1 - len ? room : max + 1 - len;
        z->avail_out = (uInt)room;
        result = inflate(z, Z_SYNC_FLUSH);
        (*out)->len += room - z->avail_out;
        if ((*out)->len > max)
            return WS_INFLATED_TOO_LONG;
        if (result == Z_STREAM_END) /* a final block need not be the last one */
            inflateReset(z);
        else if (result != Z_OK && result != Z_BUF_ERROR)
            return WS_INFLATED_BROKEN;
    } while (z->avail_in || !z->avail_out);
    return WS_INFLATED;
}

/* zlib says that it stands between two blocks. */
static bool is_between(const z_stream *z)
{
    return z->data_type & 128;
}

enum ws_inflated ws_inflate(struct ws_net *net, struct slice message, size_t max,
                            struct buf **out)
{
    const struct slice parts[] = { message, { TAIL, TAIL_SIZE } };
    enum ws_inflated result = WS_INFLATED;
    z_stream *z = &deflater_of(net)->in;
    struct buf *whole = buf_new(FIRST_ROOM);

    inflateReset(z);
    for (int i = 0; i < 2 && result == WS_INFLATED; i++) {
        z->next_in = (Bytef *)(uintptr_t)parts[i].p;
        z->avail_in = (uInt)parts[i].n;
        result = lay_out(z, &whole, max);
    }
    if (result == WS_INFLATED && !is_between(z))
        result = WS_INFLATED_BROKEN;
    if (result == WS_INFLATED)
        *out = whole;
    else
        buf_unref(whole);
    return result;
}

/* ---- the extension ----------------------------------------------------------------- */

/* What may stand in the answer to our offer, and in the request that lws is shown. */
static const struct lws_ext_options options[] = {
    { "server_no_context_takeover", EXTARG_NONE },
    { "client_no_context_takeover", EXTARG_NONE },
    { "server_max_window_bits", EXTARG_DEC }, /* any window is laid out here */
    { NULL, EXTARG_NONE }
};

static int construct(struct ws *ws, const struct lws_ext_options **known)
{
    *known = options;
    ws->compress = true;
    return 0;
}

static int set_option(struct ws *ws, const struct lws_ext_option_arg *option)
{
    if (option->option_index == 0)
        ws->peer_resets = true;
    return 0;
}

/* The server's answer is judged; 0 when it is good. Who keeps a context sends what could
 * not be laid out here. */
static int confirm(struct ws *ws)
{
    if (ws->settings->compress && ws->peer_resets)
        return 0;
    ws_end(ws, CONN_PROTOCOL, 0, "%s",
           ws->settings->compress
               ? "took up compression without server_no_context_takeover"
               : "chose an extension that was not offered");
    return 1;
}

/* One callback for lws; `in` and what it gives depend on the reason. */
static int on_extension(struct lws_context *context, const struct lws_extension *ext,
                        struct lws *wsi, enum lws_extension_callback_reasons reason,
                        void *user, void *in, size_t len)
{
    struct ws *ws = lws_get_opaque_user_data(wsi);

    (void)context, (void)ext, (void)user, (void)len;
    if (!ws)
        return 0;
    switch (reason) {
    case LWS_EXT_CB_CONSTRUCT:
    case LWS_EXT_CB_CLIENT_CONSTRUCT:
        return construct(ws, in);
    case LWS_EXT_CB_OPTION_SET:
        return set_option(ws, in);
    case LWS_EXT_CB_OPTION_CONFIRM:
        return confirm(ws);
    case LWS_EXT_CB_PACKET_TX_PRESEND:
        if (ws->packed_out)
            ((struct lws_tokens *)in)->token[0] |= RSV1;
        ws->packed_out = false;
        return 0;
    default:
        return 0;
    }
}

const struct lws_extension ws_extensions[] = {
    { "permessage-deflate", on_extension, WS_DEFLATE_OFFER }, { NULL, NULL, NULL }
};
