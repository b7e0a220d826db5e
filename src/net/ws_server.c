/* ws_server.c - listening, and the HTTP side of a WebSocket server.
 *
 * The listening socket and the reading of the request are ours: lws closes silently where
 * HTTP has a status for it, takes a missing version for 13, picks a vhost by the Host
 * header, and hangs up on an offer of more than 127 bytes of subprotocols, which
 * widespread clients make. So the request is read and judged here, and only a good one is
 * shown to lws, in words of our own; lws answers it, and from there on the socket is
 * lws's.
 *
 * Not known here: frames, and whatever comes after the upgrade (ws.c). */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mem.h"
#include "net/ws_http.h"
#include "net/ws_private.h"

#define ACCEPT_BATCH 64  /* connections accepted in one round */
#define ACCEPT_PAUSE 100 /* ms, when there are no descriptors left */
#define LINGER_MS 1000   /* an answered peer may take this long to hang up */

struct listener {
    struct ws_net *net;
    struct ws_settings *settings; /* counted */
    SSL_CTX *tls;                 /* owned; NULL: plain */
    int fd, port;
    char *path; /* owned: of the unix socket, or NULL */
    struct watch *watch;
    struct loop_timer pause;
    struct list greetings;
    void (*accepted)(struct conn *c, void *user);
    void *user;
};

/* A connection whose request is being read, or whose answer is being taken. */
struct greeting {
    struct list node;
    struct listener *listener; /* borrowed */
    struct watch *watch;
    struct loop_timer timer;
    int fd;
    bool answered;
    struct tunnel *tunnel; /* behind fd, as long as it stands; NULL without TLS */
    struct buf *head;      /* owned: what has been read */
    char peer[80];
};

/* ---- the end of a greeting --------------------------------------------------------- */

/* Frees; the descriptor has gone to lws when it is negative. */
static void greeting_free(struct greeting *g)
{
    loop_unwatch(g->watch);
    loop_timer_clear(g->listener->net->loop, &g->timer);
    list_remove(&g->node);
    tunnel_leave(&g->tunnel);
    if (g->fd >= 0) {
        close(g->fd);
        g->listener->net->connections--;
    }
    buf_unref(g->head);
    free(g);
}

static void greeting_timeout(struct loop_timer *t)
{
    greeting_free(timer_entry(t, struct greeting, timer));
}

static void greeting_readable(void *user);

static void greeting_watch(struct greeting *g)
{
    g->watch = loop_watch(g->listener->net->loop, g->fd, false, greeting_readable, g);
}

/* Answers and hangs up; not at once, because closing with unread bytes would destroy
 * the answer on its way. */
static void answer(struct greeting *g, const char *status, const char *headers,
                   const char *body)
{
    struct loop *loop = g->listener->net->loop;
    char head[512];
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
                     "Content-Length: %zu\r\nConnection: close\r\n%s\r\n",
                     status, strlen(body), headers);

    if (send(g->fd, head, (size_t)n, MSG_NOSIGNAL | MSG_MORE) == n)
        send(g->fd, body, strlen(body), MSG_NOSIGNAL);
    shutdown(g->fd, SHUT_WR);
    g->answered = true;
    loop_timer_set(loop, &g->timer, loop_round(loop) + LINGER_MS);
    greeting_watch(g);
}

/* ---- the upgrade ------------------------------------------------------------------- */

static void peer_name(int fd, char *out, size_t size)
{
    struct sockaddr_storage address;
    socklen_t n = sizeof address;
    char host[64], port[8];

    snprintf(out, size, "a client");
    if (getpeername(fd, (struct sockaddr *)&address, &n) == 0 &&
        address.ss_family != AF_UNIX &&
        getnameinfo((struct sockaddr *)&address, n, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(out, size, address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host,
                 port);
}

/* The request as lws is to see it, and what the peer sent behind it. */
static struct buf *retell(const struct request *r, const char *subprotocol,
                          struct slice rest)
{
    struct buf *b = buf_new(256 + rest.n);
    int n = snprintf(b->data, b->cap,
                     "GET / HTTP/1.1\r\nHost: -\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Key: %.24s\r\n"
                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: %s\r\n\r\n",
                     r->key.p, subprotocol);

    b->len = (size_t)n;
    buf_append(&b, rest.p, rest.n);
    return b;
}

int ws_server_established(struct ws *ws)
{
    struct listener *ln = ws->listener;

    ws->listener = NULL;
    ws->net->adopting = NULL;
    ws->conn.where = ws->where;
    ln->accepted(&ws->conn, ln->user);
    ws_opened(ws);
    ws_mask_check(ws, ws->net->early);
    return 0;
}

/* Gives the socket to lws. lws reads the request at once, so the upgrade is answered
 * (and the conn up, unless the peer has gone) when this returns. */
static void adopt(struct greeting *g, const struct request *r, const char *subprotocol,
                  struct slice rest)
{
    struct ws_net *net = g->listener->net;
    struct buf *told = retell(r, subprotocol, rest);
    struct ws *ws = ws_new(net, g->listener->settings, g->peer);

    ws->server = true;
    tunnel_join(&g->tunnel, ws);
    ws->listener = g->listener;
    ws->subprotocol = slice_of(subprotocol);
    snprintf(net->subprotocol, sizeof net->subprotocol, "%s", subprotocol);
    net->adopting = ws;
    net->early = rest;
    lws_adopt_socket_vhost_readbuf(net->vhost, g->fd, told->data, told->len);
    if (net->adopting) { /* not established: lws has dropped it */
        net->adopting = NULL;
        ws->wsi = NULL;
        ws_finish(ws);
    }
    buf_unref(told);
    g->fd = -1;
    greeting_free(g);
    if (rest.n)
        lws_cancel_service(
            net->context); /* or it stays in lws's buffer until more comes */
}

static void upgrade(struct greeting *g, const struct request *r, struct slice rest)
{
    const char *fault = request_fault(r), *subprotocol;

    if (fault) {
        answer(g, "400 Bad Request", "", fault);
        return;
    }
    if (!slice_is(r->ws_version, "13")) {
        answer(g, "426 Upgrade Required", "Sec-WebSocket-Version: 13\r\n",
               "this server speaks WebSocket version 13\n");
        return;
    }
    subprotocol = request_choose(r, g->listener->settings->subprotocols);
    if (!subprotocol)
        answer(
            g, "400 Bad Request", "",
            "none of the offered subprotocols (Sec-WebSocket-Protocol) is known here\n");
    else
        adopt(g, r, subprotocol, rest);
}

static void judge(struct greeting *g, size_t head_size)
{
    struct slice head = { g->head->data, head_size };
    struct slice rest = { g->head->data + head_size, g->head->len - head_size };
    const char *text = g->listener->settings->server_text;
    struct request r;

    if (!request_parse(&r, head))
        answer(g, "400 Bad Request", "", "this is no HTTP request\n");
    else if (!slice_is(r.method, "GET"))
        answer(g, "405 Method Not Allowed", "Allow: GET\r\n",
               "only GET is answered here\n");
    else if (header_has(r.upgrade, "websocket"))
        upgrade(g, &r, rest);
    else if (text)
        answer(g, "200 OK", "", text);
    else
        answer(g, "426 Upgrade Required", "Upgrade: websocket\r\n",
               "a WAMP router answers here, by WebSocket\n");
}

/* The size of the head with its blank line; 0 when that has not come yet. */
static size_t head_size(const struct buf *b)
{
    const char *end = memmem(b->data, b->len, "\r\n\r\n", 4);

    return end ? (size_t)(end - b->data) + 4 : 0;
}

static void greeting_readable(void *user)
{
    struct greeting *g = user;
    char *at = buf_reserve(&g->head, 1024);
    ssize_t n = recv(g->fd, at, g->head->cap - g->head->len, MSG_DONTWAIT);
    size_t size;

    g->watch = NULL;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        greeting_free(g);
        return;
    }
    g->head->len += n > 0 && !g->answered ? (size_t)n : 0;
    size = g->answered ? 0 : head_size(g->head);
    if (size > LIMIT_HTTP_HEAD || (!size && g->head->len > LIMIT_HTTP_HEAD))
        answer(g, "431 Request Header Fields Too Large", "", "the request is too long\n");
    else if (size)
        judge(g, size);
    else
        greeting_watch(g);
}

/* ---- accepting --------------------------------------------------------------------- */

static void greet(struct listener *ln, int fd)
{
    struct greeting *g = xcalloc(1, sizeof *g);

    peer_name(fd, g->peer, sizeof g->peer);
    if (ln->tls)
        fd = tunnel_open(ln->net, ln->tls, fd, g->peer, &g->tunnel);
    if (fd < 0) {
        free(g);
        return;
    }
    ln->net->connections++;
    g->listener = ln;
    g->fd = fd;
    g->head = buf_new(1024);
    g->timer.fired = greeting_timeout;
    list_push(&ln->greetings, &g->node);
    loop_timer_set(ln->net->loop, &g->timer,
                   loop_round(ln->net->loop) + ln->settings->connect_timeout);
    greeting_readable(g); /* the request is often there already */
}

static void listener_readable(void *user);

static void listener_watch(struct listener *ln)
{
    ln->watch = loop_watch(ln->net->loop, ln->fd, false, listener_readable, ln);
}

static void listener_resume(struct loop_timer *t)
{
    listener_watch(timer_entry(t, struct listener, pause));
}

static void listener_readable(void *user)
{
    struct listener *ln = user;
    struct loop *loop = ln->net->loop;

    ln->watch = NULL;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        int fd = accept4(ln->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
            log_warn("cannot accept a connection: %s", strerror(errno));
            loop_timer_set(loop, &ln->pause, loop_round(loop) + ACCEPT_PAUSE);
            return;
        }
        if (fd < 0)
            break;
        if (ln->net->connections >= LIMIT_CONNECTIONS)
            close(fd);
        else
            greet(ln, fd);
    }
    listener_watch(ln);
}

/* ---- listening --------------------------------------------------------------------- */

/* Each returns a bound socket, or -1 with errno set. */
static int bind_to(const struct sockaddr *address, socklen_t n)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
        on = 1;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, address, n) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    on = errno;
    close(fd);
    errno = on;
    return -1;
}

/* True when a file at this path is a socket that nobody listens on any more. */
static bool is_stale(const struct sockaddr_un *address)
{
    struct stat st;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool dead;

    dead = fd >= 0 && stat(address->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
           connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 &&
           errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return dead;
}

static int bind_unix(const struct url *u)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    mode_t mask;
    int fd;

    memcpy(address.sun_path, u->path, strnlen(u->path, sizeof address.sun_path - 1));
    if (is_stale(&address))
        unlink(u->path);
    mask = umask(0177); /* only we may connect */
    fd = bind_to((struct sockaddr *)&address, sizeof address);
    umask(mask);
    return fd;
}

/* A name may have several addresses; IPv4 first, which is what "localhost" is taken
 * for. */
static int bind_host(const struct url *u, const char **unknown)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE },
                    *found, *a;
    char port[12];
    int fd, error;

    snprintf(port, sizeof port, "%d", u->port);
    error = getaddrinfo(u->host, port, &hints, &found);
    if (error) {
        *unknown = gai_strerror(error);
        return -1;
    }
    for (a = found; a->ai_next && a->ai_family != AF_INET;)
        a = a->ai_next;
    fd = bind_to(a->ai_addr, a->ai_addrlen);
    error = errno;
    freeaddrinfo(found);
    errno = error;
    return fd;
}

static int bound_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t n = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &n) < 0)
        return 0;
    if (address.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&address)->sin_port);
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return 0;
}

static int bind_url(const struct url *u, struct conn_end *end)
{
    const char *unknown = NULL;
    char where[1400];
    int fd = -1;

    url_format(u, where, sizeof where);
    *end = (struct conn_end){ CONN_UNREACHABLE, 0, "" };
    if (strncmp(u->scheme, "ws", 2) != 0) {
        snprintf(end->text, sizeof end->text,
                 "cannot listen on %.150s: %s is not supported yet", where, u->scheme);
        return -1;
    }
    fd = u->unix_socket ? bind_unix(u) : bind_host(u, &unknown);
    if (fd >= 0)
        return fd;
    if (unknown)
        end->error = CONN_UNKNOWN_HOST;
    snprintf(end->text, sizeof end->text, "cannot listen on %.150s: %s", where,
             unknown ? unknown : strerror(errno));
    return -1;
}

static SSL_CTX *server_tls(const struct url *u, const struct ws_options *o,
                           struct conn_end *end)
{
    char error[TLS_ERROR_SIZE], where[1400];
    static const struct tls_options none;
    SSL_CTX *tls = tls_server_context(o ? &o->tls : &none, error);

    if (tls)
        return tls;
    url_format(u, where, sizeof where);
    *end = (struct conn_end){ CONN_TLS, 0, "" };
    snprintf(end->text, sizeof end->text, "cannot listen on %.60s: %.160s", where, error);
    return NULL;
}

struct listener *ws_listen(struct loop *l, const struct url *url,
                           const struct ws_options *o,
                           void (*accepted)(struct conn *c, void *user), void *user,
                           struct conn_end *end)
{
    SSL_CTX *tls = NULL;
    struct listener *ln;
    int fd;

    if (url->tls && !(tls = server_tls(url, o, end)))
        return NULL;
    fd = bind_url(url, end);
    if (fd < 0) {
        SSL_CTX_free(tls);
        return NULL;
    }
    ln = xcalloc(1, sizeof *ln);
    ln->net = ws_net_of(l);
    ln->tls = tls;
    ln->settings = ws_settings_new(o, LIMIT_HANDSHAKE_MS);
    ln->fd = fd;
    ln->port = bound_port(fd);
    ln->path = url->unix_socket ? xstrdup(url->path) : NULL;
    ln->pause.fired = listener_resume;
    ln->accepted = accepted;
    ln->user = user;
    list_init(&ln->greetings);
    listener_watch(ln);
    return ln;
}

int listener_port(const struct listener *ln)
{
    return ln->port;
}

void listener_close(struct listener *ln)
{
    struct list *node, *tmp;

    if (!ln)
        return;
    list_each (node, tmp, &ln->greetings)
        greeting_free(list_entry(node, struct greeting, node));
    loop_unwatch(ln->watch);
    loop_timer_clear(ln->net->loop, &ln->pause);
    close(ln->fd);
    SSL_CTX_free(ln->tls);
    if (ln->path)
        unlink(ln->path);
    free(ln->path);
    ws_settings_unref(ln->settings);
    free(ln);
}
