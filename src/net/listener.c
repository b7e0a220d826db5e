/* listener.c - accepting, and reading until it is clear who is there. See listener.h.
 *
 * A RawSocket handshake begins with an octet that no HTTP request can begin with, so one
 * port can be for both. Whoever connects has one deadline for all that comes before the
 * first message, and is counted from here on, whatever becomes of him.
 *
 * Not known here: what a request or a handshake must be like. */
#include "net/listener_private.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/http_server.h"
#include "net/listen.h"
#include "net/raw_frame.h"

#define ACCEPT_BATCH 64  /* connections accepted in one round */
#define ACCEPT_PAUSE 100 /* ms, when there are no descriptors left */
#define LINGER_MS 1000   /* an answered peer may take this long to hang up */

/* ---- greetings --------------------------------------------------------------------- */

void greeting_free(struct greeting *g)
{
    loop_unwatch(g->watch);
    loop_timer_clear(g->listener->net->loop, &g->timer);
    list_remove(&g->node);
    tunnel_leave(&g->tunnel);
    if (g->fd >= 0)
        close(g->fd);
    guest_leave(g->guest);
    buf_unref(g->head);
    buf_unref(g->reply);
    if (g->file >= 0)
        close(g->file);
    free(g);
}

static void greeting_timeout(struct loop_timer *t)
{
    greeting_free(timer_entry(t, struct greeting, timer));
}

static void greeting_readable(void *user);

void greeting_more(struct greeting *g)
{
    g->watch = loop_watch(g->listener->net->loop, g->fd, false, greeting_readable, g);
}

/* Not at once, because closing with unread bytes would destroy the answer on its way. */
void greeting_refused(struct greeting *g)
{
    struct loop *loop = g->listener->net->loop;

    shutdown(g->fd, SHUT_WR);
    g->answered = true;
    loop_timer_set(loop, &g->timer, loop_round(loop) + LINGER_MS);
    greeting_more(g);
}

static void judge(struct greeting *g)
{
    bool raw = (unsigned char)g->head->data[0] == RAW_MAGIC;

    if (raw && g->listener->raw)
        raw_server_greet(g);
    else if (g->listener->http && !raw)
        ws_server_greet(g);
    else
        http_answer(g, "400 Bad Request", "",
                    raw ? "RawSocket is not spoken here\n"
                        : "RawSocket is spoken here, not HTTP\n");
}

static void greeting_readable(void *user)
{
    struct greeting *g = user;
    char *at = buf_reserve(&g->head, 1024);
    ssize_t n = recv(g->fd, at, g->head->cap - g->head->len, MSG_DONTWAIT);

    g->watch = NULL;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        greeting_free(g);
        return;
    }
    g->head->len += n > 0 && !g->answered ? (size_t)n : 0;
    if (g->head->len && !g->answered)
        judge(g);
    else
        greeting_more(g);
}

bool listener_full(const struct listener *ln)
{
    unsigned most = ln->settings->max_all;
    bool told, full = crowd_full(ln->crowd, most, &told);

    if (full && !told && ln->path)
        log_warn("%s has its %u connections; others are turned away", ln->path, most);
    else if (full && !told)
        log_warn("port %d has its %u connections; others are turned away", ln->port,
                 most);
    return full;
}

/* ---- accepting --------------------------------------------------------------------- */

static void peer_name(const struct sockaddr_storage *address, char *out, size_t size)
{
    char host[64], port[8];

    snprintf(out, size, "a client");
    if (address->ss_family != AF_UNIX &&
        getnameinfo((const struct sockaddr *)address, sizeof *address, host, sizeof host,
                    port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(out, size, address->ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host,
                 port);
}

static SSL *server_ssl(const struct listener *ln)
{
    SSL *ssl = SSL_new(ln->tls);

    SSL_set_accept_state(ssl);
    return ssl;
}

static void greet(struct listener *ln, int fd, const struct sockaddr_storage *address,
                  struct guest *guest)
{
    struct greeting *g = xcalloc(1, sizeof *g);

    peer_name(address, g->peer, sizeof g->peer);
    if (ln->tls)
        fd = tunnel_open(ln->net, server_ssl(ln), fd, g->peer, &g->tunnel);
    if (fd < 0) {
        guest_leave(guest);
        free(g);
        return;
    }
    g->guest = guest;
    g->listener = ln;
    g->fd = fd;
    g->file = -1;
    g->head = buf_new(1024);
    g->timer.fired = greeting_timeout;
    list_push(&ln->greetings, &g->node);
    loop_timer_set(ln->net->loop, &g->timer,
                   loop_round(ln->net->loop) + ln->settings->connect_timeout);
    greeting_readable(g); /* the request is often there already */
}

/* Lets a connection in, unless there are too many. */
static void admit(struct listener *ln, int fd, const struct sockaddr_storage *address)
{
    struct guests *all = &ln->net->guests;
    struct guest *guest = NULL;

    if (all->count < LIMIT_CONNECTIONS)
        guest = guest_enter(all, address, ln->settings->max_each);
    if (guest)
        greet(ln, fd, address, guest);
    else
        close(fd);
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
        struct sockaddr_storage from = { .ss_family = AF_UNIX };
        socklen_t n = sizeof from;
        int fd =
            accept4(ln->fd, (struct sockaddr *)&from, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
            log_warn("cannot accept a connection: %s [W914]", strerror(errno));
            loop_timer_set(loop, &ln->pause, loop_round(loop) + ACCEPT_PAUSE);
            return;
        }
        if (fd < 0)
            break;
        admit(ln, fd, &from);
    }
    listener_watch(ln);
}

/* ---- listening --------------------------------------------------------------------- */

static SSL_CTX *server_tls(const struct url *u, const struct net_options *o,
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

/* What is spoken, and by which rules. The context passes. */
static void set_up(struct listener *ln, const struct url *url,
                   const struct net_options *o, SSL_CTX *tls)
{
    ln->tls = tls;
    ln->settings = net_settings_new(o, LIMIT_HANDSHAKE_MS);
    ln->raw = url->universal || url->scheme[0] == 'r';
    ln->http = url->universal || !ln->raw;
}

bool listener_can(const struct url *url, const struct net_options *o,
                  struct conn_end *end)
{
    SSL_CTX *tls = url->tls ? server_tls(url, o, end) : NULL;

    SSL_CTX_free(tls);
    return tls || !url->tls;
}

bool listener_renew(struct listener *ln, const struct url *url,
                    const struct net_options *o, struct conn_end *end)
{
    SSL_CTX *tls = url->tls ? server_tls(url, o, end) : NULL;

    if (url->tls && !tls)
        return false;
    SSL_CTX_free(ln->tls);
    net_settings_unref(ln->settings);
    set_up(ln, url, o, tls);
    return true;
}

struct listener *listener_open(struct loop *l, const struct url *url,
                               const struct net_options *o,
                               void (*accepted)(struct conn *c, void *user), void *user,
                               struct conn_end *end)
{
    SSL_CTX *tls = NULL;
    struct listener *ln;
    int fd;

    if (url->tls && !(tls = server_tls(url, o, end)))
        return NULL;
    fd = listen_url(url, end);
    if (fd < 0) {
        SSL_CTX_free(tls);
        return NULL;
    }
    ln = xcalloc(1, sizeof *ln);
    ln->net = ws_net_of(l);
    set_up(ln, url, o, tls);
    ln->fd = fd;
    ln->port = listen_port(fd);
    ln->path = url->unix_socket ? xstrdup(url->path) : NULL;
    ln->pause.fired = listener_resume;
    ln->accepted = accepted;
    ln->user = user;
    ln->crowd = crowd_new();
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
    net_settings_unref(ln->settings);
    crowd_free(ln->crowd);
    free(ln);
}
