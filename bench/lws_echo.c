/* lws_echo: the floor under whatever is written on libwebsockets: it echoes messages.
 *
 * usage: lws_echo [PORT]      prints the port it listens on; ends on a signal
 *
 * It knows no WAMP. It is the library as its documentation wants it: the default loop,
 * one lws_write for each WRITEABLE callback, a queue between. Buffers are those that
 * served best in measurements (64 KiB service buffer, 1 MiB to the socket), no extension,
 * no UTF-8 check.
 */
#include "wire.h"

#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Messages that wait for WRITEABLE: lengths in order, bodies end to end. */
struct queue {
    struct bytes lengths, bodies;
};

static void queue_push(struct queue *q, struct slice body)
{
    bytes_add(&q->lengths, text((const char *)&body.n, sizeof body.n));
    bytes_add(&q->bodies, body);
}

static void write_one(struct lws *wsi, struct queue *q)
{
    static struct bytes frame;
    size_t n;
    if (bytes_left(&q->lengths) == 0)
        return;
    memcpy(&n, q->lengths.p + q->lengths.at, sizeof n);
    frame.at = frame.n = 0;
    char *room = bytes_room(&frame, LWS_PRE + n) + LWS_PRE;
    memcpy(room, q->bodies.p + q->bodies.at, n);
    q->lengths.at += sizeof n;
    q->bodies.at += n;
    lws_write(wsi, (unsigned char *)room, n, LWS_WRITE_TEXT);
    if (bytes_left(&q->lengths) > 0)
        lws_callback_on_writable(wsi);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user,
                    void *in, size_t n)
{
    struct queue *q = user;
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        queue_push(q, text(in, n));
        lws_callback_on_writable(wsi);
        break;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        write_one(wsi, q);
        break;
    case LWS_CALLBACK_CLOSED:
        bytes_free(&q->lengths);
        bytes_free(&q->bodies);
        break;
    default:
        break;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct lws_protocols protocols[] = { { .name = "wamp.2.json",
                                                        .callback = on_event,
                                                        .per_session_data_size =
                                                            sizeof(struct queue),
                                                        .tx_packet_size = 1 << 20 },
                                                      { 0 } };
    struct lws_context_creation_info info = {
        .port = argc > 1 ? atoi(argv[1]) : 0,
        .iface = "127.0.0.1",
        .protocols = protocols,
        .pt_serv_buf_size = 64 * 1024,
        .vhost_name = "echo",
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
    };
    lws_set_log_level(LLL_ERR, NULL);
    struct lws_context *context = lws_create_context(&info);
    struct lws_vhost *vhost = context ? lws_create_vhost(context, &info) : NULL;
    if (!vhost)
        die("libwebsockets cannot listen");
    printf("%d\n", lws_get_vhost_listen_port(vhost));
    fflush(stdout);
    while (lws_service(context, 0) >= 0)
        ;
    return 0;
}
