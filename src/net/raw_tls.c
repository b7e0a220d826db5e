/* raw_tls.c - rss:// of a client: a tunnel between the socket and us. See raw_private.h.
 *
 * What is trusted, and which words a failure has, is the same as for wss:// (ws_tls.c).
 *
 * Not known here: RawSocket. */
#include <string.h>

#include "net/raw_private.h"
#include "net/ws_private.h"

bool raw_tls_init(struct raw *raw, const struct tls_options *o, const char *host)
{
    static const struct tls_options none;
    struct ws_net *net = ws_net_of(raw->net->loop);
    char error[TLS_ERROR_SIZE];

    raw->tls = ws_tls_get(net, o ? o : &none, host, error);
    if (!raw->tls)
        raw_end(raw, CONN_TLS, 0, "%s", error);
    return raw->tls != NULL;
}

/* Later failures are a lost link, and seen as one. */
static void failed(void *user, const SSL *ssl)
{
    struct raw *raw = user;
    int alert;
    const char *why = ws_tls_why(ssl, &alert);

    if (raw->state != RAW_CONNECTING)
        return;
    if (why)
        raw_end(raw, CONN_TLS, alert, "%s", why);
    else if (!SSL_is_init_finished(ssl))
        raw_end(raw, CONN_LOST, 0,
                "closed the connection during the TLS handshake; is it rss:// that is "
                "spoken there?");
}

bool raw_tls_wrap(struct raw *raw)
{
    raw->fd = tunnel_open(ws_net_of(raw->net->loop), ws_tls_client(raw->tls), raw->fd,
                          raw->where, &raw->tunnel);
    if (raw->fd < 0)
        return false;
    tunnel_watch(raw->tunnel, failed, raw);
    return true;
}

void raw_tls_leave(struct raw *raw)
{
    tunnel_leave(&raw->tunnel);
}

void raw_tls_fini(struct raw *raw)
{
    raw_tls_leave(raw);
    ws_tls_put(raw->tls);
}
