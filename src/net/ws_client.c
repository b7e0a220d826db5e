/* ws_client.c - making a WebSocket connection, and saying clearly why there is none.
 *
 * lws resolves, connects (each address in turn) and upgrades; it reports a failure as a
 * short English text and nothing else. Two things are therefore found out here: the HTTP
 * status and the chosen subprotocol by looking at the answer before lws does, and the
 * reason of a failed connect by trying once more on a socket of our own.
 *
 * Not known here: what happens once the connection is up (ws.c). */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/dial.h"
#include "net/relay.h"
#include "net/ws_private.h"

#define CONNECT_TIMEOUT 10000 /* ms */
#define PROBE_WAIT 200        /* ms; a refusal comes within a round trip */
#define COOKIE WSI_TOKEN_HTTP_SET_COOKIE
#define COOKIE_MAX 4096 /* bytes of a Set-Cookie line (RFC 6265, 6.1) */
#define HOST_MAX 110 /* lws cuts the Host header to 128 bytes, its end of line included */

/* ---- why a connect failed ---------------------------------------------------------- */

/* The errno of connecting to this address; 0 when it works. */
static int probe_address(const struct sockaddr *address, socklen_t n)
{
    struct pollfd p = { .fd = socket(address->sa_family,
                                     SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                        .events = POLLOUT };
    socklen_t size = sizeof(int);
    int error = 0;

    if (p.fd < 0)
        return errno;
    if (connect(p.fd, address, n) < 0)
        error = errno;
    if (error == EINPROGRESS) {
        error = ETIMEDOUT;
        if (poll(&p, 1, PROBE_WAIT) == 1)
            getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    close(p.fd);
    return error;
}

static int probe_unix(const struct url *u)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    memcpy(address.sun_path, u->path, strnlen(u->path, sizeof address.sun_path - 1));
    return probe_address((struct sockaddr *)&address, sizeof address);
}

/* Like probe_address, for a host; `unknown` gets what the resolver says. */
static int probe_host(const struct url *u, const char **unknown)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found, *a;
    char port[12];
    int error;

    snprintf(port, sizeof port, "%d", u->port);
    error = getaddrinfo(u->host, port, &hints, &found);
    if (error) {
        *unknown = gai_strerror(error);
        return 0;
    }
    error = EHOSTUNREACH;
    for (a = found; a; a = a->ai_next)
        error = probe_address(a->ai_addr, a->ai_addrlen);
    freeaddrinfo(found);
    return error;
}

static void explain_connect(struct ws *ws, const struct url *u)
{
    const char *unknown = NULL;
    int number = u->unix_socket ? probe_unix(u) : probe_host(u, &unknown);
    char why[200] = "cannot connect: the first attempt failed";
    enum conn_error error = CONN_UNREACHABLE;

    if (number)
        error = dial_explain(number, why, sizeof why);
    if (unknown)
        ws_end(ws, CONN_UNKNOWN_HOST, 0, "unknown host %s (%s)", u->host, unknown);
    else
        ws_end(ws, error, 0, "%s", why);
}

#define HUNG_UP "closed the connection during the WebSocket handshake"

static const struct {
    const char *lws; /* how lws's text begins */
    enum conn_error error;
    const char *text;
} failures[] = {
    { "Peer hung up", CONN_LOST, HUNG_UP },
    { "read failed", CONN_LOST, HUNG_UP },
    { "closed before", CONN_LOST, HUNG_UP },
    { "Closed before", CONN_LOST, HUNG_UP },
    { "problems parsing", CONN_PROTOCOL, "the answer to the upgrade is no HTTP" },
    { "HS: URI missing", CONN_PROTOCOL, "the answer to the upgrade is no HTTP" },
    { "HS: ACCEPT missing", CONN_PROTOCOL, "the answer has no Sec-WebSocket-Accept" },
    { "HS: Accept hash wrong", CONN_PROTOCOL,
      "the answer has a wrong Sec-WebSocket-Accept" },
    { "HS: PROTOCOL", CONN_SUBPROTOCOL, "chose a subprotocol that was not offered" },
    { "HS: EXT: failed parsing", CONN_PROTOCOL,
      "took up compression with parameters that were not offered" },
    { "HS: EXT", CONN_PROTOCOL, "chose an extension that was not offered" },
    { "HS:", CONN_PROTOCOL, "the answer to the WebSocket upgrade is broken" },
};

static void explain_failure(struct ws *ws, const char *text, size_t n)
{
    struct url u;
    char ignored[8];

    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
        if (n >= strlen(failures[i].lws) &&
            !memcmp(text, failures[i].lws, strlen(failures[i].lws))) {
            ws_end(ws, failures[i].error, 0, "%s", failures[i].text);
            return;
        }
    if (ws->settings->proxy.host)
        ws_end(ws, CONN_LOST, 0, HUNG_UP);
    else if (url_parse(&u, ws->where, ignored, sizeof ignored))
        explain_connect(ws, &u);
}

/* ---- the handshake ----------------------------------------------------------------- */

static int add_headers(struct ws *ws, char **p, size_t room)
{
    const char *const *h = ws->settings->headers;

    for (; h && *h; h++) {
        int n = snprintf(*p, room, "%s\r\n", *h);

        if (n < 0 || (size_t)n >= room)
            return -1;
        *p += n;
        room -= (size_t)n;
    }
    return 0;
}

static int check_status(struct ws *ws)
{
    unsigned status = lws_http_client_http_response(ws->wsi);

    if (status == 101)
        return 0;
    ws_end(ws, CONN_HTTP_STATUS, (int)status,
           "HTTP %u to the WebSocket upgrade; is the path right? (Crossbar.io often uses "
           "/ws)%s",
           status,
           status == 400 && !ws->tls ? " Or is it wss:// that is spoken there?" : "");
    return -1;
}

/* The subprotocol that the server chose, as one of ours; absent when it chose none of
 * them. */
static struct slice chosen(struct ws *ws)
{
    char name[64];
    int n = lws_hdr_copy(ws->wsi, name, sizeof name, WSI_TOKEN_PROTOCOL);

    for (const char *const *s = ws->settings->subprotocols; n > 0 && *s; s++)
        if (!strcmp(*s, name))
            return slice_of(*s);
    return (struct slice){ 0 };
}

static int check_subprotocol(struct ws *ws)
{
    ws->subprotocol = chosen(ws);
    if (ws->subprotocol.p)
        return 0;
    ws_end(ws, CONN_SUBPROTOCOL, 0,
           lws_hdr_total_length(ws->wsi, WSI_TOKEN_PROTOCOL)
               ? "chose a subprotocol that was not offered"
               : "chose no subprotocol; this is a WebSocket server, but no WAMP router");
    return -1;
}

/* Notes what the server wants to be told next time. */
static void take_cookies(struct ws *ws)
{
    struct buf *lines = buf_new(0);
    char line[COOKIE_MAX + 1];
    int n;

    for (int i = 0; lws_hdr_fragment_length(ws->wsi, COOKIE, i) > 0; i++) {
        n = lws_hdr_copy_fragment(ws->wsi, line, sizeof line, COOKIE, i);
        if (n <= 0) /* too long to be kept */
            continue;
        buf_append(&lines, line, (size_t)n);
        buf_append(&lines, "\n", 1);
    }
    if (lines->len)
        ws->conn.cookies = xstrndup(lines->data, lines->len);
    buf_unref(lines);
}

/* The wsi is gone when this callback returns. */
static void fail(struct ws *ws, const char *text, size_t n)
{
    if (!ws->ended && !ws_tls_explain(ws))
        explain_failure(ws, text, n);
    ws_finish(ws);
}

int ws_client_event(struct ws *ws, enum lws_callback_reasons reason, void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return add_headers(ws, in, len);
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
        return check_status(ws);
    case LWS_CALLBACK_CLIENT_CONFIRM_EXTENSION_SUPPORTED:
        return !ws->settings->compress; /* 1: not offered */
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
        take_cookies(ws);
        return check_subprotocol(ws);
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        ws_opened(ws);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        fail(ws, in, in ? len : 0);
        return 0;
    default:
        return 0;
    }
}

/* ---- connecting -------------------------------------------------------------------- */

static void host_header(const struct url *u, char *out, size_t size)
{
    if (u->unix_socket)
        snprintf(out, size, "localhost");
    else
        snprintf(out, size, u->ipv6 ? "[%s]:%d" : "%s:%d", u->host, u->port);
}

static void offer(const struct net_settings *s, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    for (const char *const *p = s->subprotocols; *p && n < size; p++)
        n += (size_t)snprintf(out + n, size - n, "%s%s", n ? "," : "", *p);
}

/* Has lws connect to `address`, and talk to what `u` says. */
static void start(struct ws *ws, const struct url *u, const char *address)
{
    static const lws_retry_bo_t no_keep_alive;
    char host[300], offered[512];
    struct lws_client_connect_info i = { 0 };

    host_header(u, host, sizeof host);
    offer(ws->settings, offered, sizeof offered);
    i.context = ws->net->context;
    i.vhost = ws->tls ? ws_tls_vhost(ws->tls) : ws->net->vhost;
    i.address = address;
    i.port = u->port;
    i.path = u->unix_socket ? "/" : u->path;
    i.host = host;
    i.protocol = offered;
    i.local_protocol_name = ws->net->subprotocol;
    i.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (ws->tls ? LCCSCF_USE_SSL : 0);
    i.retry_and_idle_policy = &no_keep_alive;
    i.ietf_version_or_minus_one = -1;
    i.opaque_user_data = ws;
    if (strlen(host) > HOST_MAX)
        ws_end(ws, CONN_UNREACHABLE, 0, "the host name is too long");
    else if (!(ws->wsi = lws_client_connect_via_info(&i)))
        explain_connect(ws, u);
}

static void start_directly(struct ws *ws, const struct url *u)
{
    char address[sizeof u->path + 1];

    snprintf(address, sizeof address, "%s%s", u->unix_socket ? "+" : "",
             u->unix_socket ? u->path : u->host);
    start(ws, u, address);
}

/* The proxy has answered; the socket is ours. */
static void proxied(void *user, int fd, const struct conn_end *end)
{
    struct ws *ws = user;
    char address[RELAY_NAME], ignored[8];
    struct url u;

    ws->reach = NULL;
    url_parse(&u, ws->where, ignored, sizeof ignored);
    if (fd < 0)
        ws_end(ws, end->error, end->code, "%s", end->text);
    else if (relay_open(ws->net->loop, &ws->net->relays, fd, address))
        start(ws, &u, address);
    else
        ws_end(ws, CONN_UNREACHABLE, 0, "no sockets are left for the proxy");
    if (ws->ended)
        loop_timer_set(ws->net->loop, &ws->timer, loop_round(ws->net->loop));
}

struct conn *ws_connect(struct loop *l, const struct url *url,
                        const struct net_options *o, const struct conn_handler *handler,
                        void *user)
{
    struct net_settings *s = net_settings_new(o, CONNECT_TIMEOUT);
    static const struct tls_options no_tls;
    uint64_t now = loop_now();
    char where[1400], wrong[TLS_ERROR_SIZE];
    struct ws *ws;

    url_format(url, where, sizeof where);
    ws = ws_new(ws_net_of(l), s, where);
    net_settings_unref(s);
    ws->conn.handler = handler;
    ws->conn.user = user;
    if (url->tls &&
        !(ws->tls = ws_tls_get(ws->net, o ? &o->tls : &no_tls, url->host, wrong)))
        ws_end(ws, CONN_TLS, 0, "%s", wrong);
    else if (ws->settings->proxy.host && !url->unix_socket)
        ws->reach = reach_url(l, url, &ws->settings->proxy, proxied, ws);
    else
        start_directly(ws, url);
    /* `closed` never comes from here: the timer brings it. */
    loop_timer_set(l, &ws->timer, ws->ended ? now : now + ws->settings->connect_timeout);
    return &ws->conn;
}
