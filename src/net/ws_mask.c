/* ws_mask.c - a client must mask its frames (RFC 6455, 5.1), and lws 4.1.6 does not look.
 *
 * lws has no way to ask for the mask bit of a frame, but it can be told not to read yet.
 * So a server connection is held back until its first two bytes are in the socket, which
 * are looked at where they lie; a client either masks or does not, so the first frame
 * tells. That costs a few system calls per connection, and none per message. Through a
 * tunnel (ws_tunnel.c) bytes come by our hands, and are looked at there.
 *
 * Not known here: what comes behind the first two bytes. */
#include <sys/socket.h>

#include "net/ws_private.h"

static void set_low_water(int fd, int bytes)
{
    setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

static void first_bytes(void *user)
{
    struct ws *ws = user;
    int fd = lws_get_socket_fd(ws->wsi);
    unsigned char head[2];

    ws->first_bytes = NULL;
    if (recv(fd, head, 2, MSG_PEEK | MSG_DONTWAIT) == 2 && !(head[1] & 0x80))
        ws_reject_unmasked(ws);
    set_low_water(fd, 1);
    lws_rx_flow_control(ws->wsi, 1);
}

void ws_mask_see(struct ws *ws, struct slice next)
{
    if (ws->seen >= 2)
        return;
    if (ws->seen + next.n >= 2 && !((unsigned char)next.p[1 - ws->seen] & 0x80))
        ws_reject_unmasked(ws);
    ws->seen += next.n < 2 ? (unsigned)next.n : 2;
}

void ws_mask_check(struct ws *ws, struct slice early)
{
    if (ws->tunnel) {
        ws_mask_see(ws, early);
        return;
    }
    if (early.n >= 2 && !((unsigned char)early.p[1] & 0x80))
        ws_reject_unmasked(ws);
    if (early.n > 0)
        return; /* lws has these bytes already */
    set_low_water(lws_get_socket_fd(ws->wsi), 2);
    lws_rx_flow_control(ws->wsi, 0);
    ws->first_bytes =
        loop_watch(ws->net->loop, lws_get_socket_fd(ws->wsi), false, first_bytes, ws);
}
