/* ws_net.c - what the WebSocket transport keeps per loop, per listener and per
 * connection: how it is made. See ws_private.h.
 *
 * Each loop has one lws vhost for all of its connections, of both sides, and one more
 * for each set of a client's TLS settings (ws_tls.c). A vhost has one lws protocol, whose
 * name is a buffer of ours: lws compares subprotocols with that name at the moment of an
 * upgrade, and we write the agreed one there just before. So a listener may know any
 * list.
 *
 * Not known here: what happens on a connection. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/relay.h"
#include "net/ws_private.h"

struct ws *ws_new(struct ws_net *net, struct net_settings *s, const char *where)
{
    struct ws *ws = xcalloc(1, sizeof *ws);

    list_init(&ws->due);
    s->refs++;
    ws->conn.ops = &ws_ops;
    ws->net = net;
    ws->settings = s;
    ws->timer.fired = ws_on_timer;
    ws->where = xstrdup(where);
    return ws;
}

static void free_net(void *attached)
{
    struct ws_net *net = attached;

    tunnel_free_all(net);
    relay_free_all(&net->relays);
    ws_tls_free_all(net);
    guests_fini(&net->guests);
    free(net->piece);
    buf_unref(net->batch);
    ws_deflate_free(net);
    free(net);
}

struct lws_vhost *ws_vhost_new(struct ws_net *net, const char *name, SSL_CTX *client_tls)
{
    static const lws_retry_bo_t no_keep_alive;
    const struct lws_protocols protocols[] = {
        { net->subprotocol, ws_callback, 0, 0, 0, NULL, 1024 * 1024 },
        { NULL, NULL, 0, 0, 0, NULL, 0 },
    };
    struct lws_context_creation_info info = { 0 };

    info.vhost_name = name;
    info.user = net;
    info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
    info.protocols = protocols;
    info.extensions = ws_extensions; /* offered by those clients that want to */
    info.retry_and_idle_policy = &no_keep_alive;
    info.http_proxy_address = "";     /* or lws takes it from the environment */
    info.connect_timeout_secs = 3600; /* our own deadline is shorter */
    if (client_tls) {
        info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.provided_client_ssl_ctx = client_tls;
    }
    return lws_create_vhost(net->context, &info);
}

struct ws_net *ws_net_of(struct loop *l)
{
    struct ws_net *net = loop_attached(l, LOOP_WS);

    if (net)
        return net;
    net = xcalloc(1, sizeof *net);
    net->loop = l;
    net->context = loop_context(l);
    memcpy(net->subprotocol, "wamp", 5);
    net->vhost = ws_vhost_new(net, "ws", NULL);
    list_init(&net->due);
    list_init(&net->tls);
    list_init(&net->tunnels);
    list_init(&net->relays);
    loop_attach(l, LOOP_WS, net, ws_flush, free_net);
    return net;
}
