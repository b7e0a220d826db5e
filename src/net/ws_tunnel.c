/* ws_tunnel.c - TLS of a listener: an accepted socket on one side, on the other a plain
 * one, which is what ws_server.c and lws get to see. A client of RawSocket is served in
 * the same way.
 *
 * lws cannot be given a connection whose request has been read through TLS. So a tunnel
 * has the socket and a pair of its own; everything that holds for ws - a request read
 * strictly, any list of subprotocols, the look at the first frame - holds for wss as it
 * stands. What that costs is kept small: each way bytes are carried on at once, without
 * another turn of the loop. What came is shown to lws as ws_flush.c does it, and what
 * lws has written is fetched when ws_flush.c is through.
 *
 * A side that does not take everything stops the reading of the other, so a tunnel holds
 * one piece (PIECE bytes) each way at most. It lives until both sides have ended; when
 * ours has, the peer gets what is left and a close_notify, and little time.
 *
 * Not known here: HTTP, frames but for the mask bit of the first, certificates
 * (tls.c). */
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/ws_private.h"

#define PIECE (64 * 1024)
#define ROUNDS 4 /* pieces taken from one peer before others have their turn */
#define CLOSE_WAIT \
    1000 /* ms that a closing connection may stand still before it is cut */
#define LINGER_MS 10000 /* in all, for a peer that takes the last bytes slowly */

struct tunnel {
    struct list node; /* in net->tunnels */
    struct ws_net *net;
    struct tunnel **held_by; /* our owner's pointer, cleared at the end; or NULL */
    struct ws *ws; /* borrowed; NULL until lws has the plain side, and afterwards */
    void (*told)(void *user, const SSL *ssl); /* of a failure; or NULL */
    void *user;                               /* its own */
    SSL *ssl;
    int outer, inner;                        /* the socket, and our end of the pair */
    struct watch *outer_reads, *inner_reads; /* NULL: not listened to for now */
    struct watch *outer_room, *inner_room;   /* waiting for room; else NULL */
    struct buf *in;                          /* decrypted, and not taken yet; else NULL */
    struct buf *out;                         /* to be encrypted; else NULL */
    bool peer_ended;                         /* no more will come from the peer */
    bool ended;  /* nor from inner: what is left goes out, then we part */
    bool failed; /* TLS is of no use any more */
    struct loop_timer linger;
    uint64_t until; /* ms: the end of lingering */
    size_t waiting; /* tunnel_waiting when the timer looked last */
    char peer[64];  /* for the log */
};

static void on_outer(void *user);
static void on_inner(void *user);
static void on_room(void *user);

/* ---- the end ----------------------------------------------------------------------- */

static void stop(struct watch **w)
{
    loop_unwatch(*w);
    *w = NULL;
}

void tunnel_free(struct tunnel *t)
{
    if (t->held_by)
        *t->held_by = NULL;
    list_remove(&t->node);
    stop(&t->outer_reads);
    stop(&t->inner_reads);
    stop(&t->outer_room);
    stop(&t->inner_room);
    loop_timer_clear(t->net->loop, &t->linger);
    if (t->ended)
        t->net->guests.count--;
    SSL_free(t->ssl);
    close(t->outer);
    close(t->inner);
    buf_unref(t->in);
    buf_unref(t->out);
    free(t);
}

size_t tunnel_waiting(const struct tunnel *t)
{
    int sent = 0;

    ioctl(t->outer, TIOCOUTQ, &sent);
    return (size_t)sent + (t->out ? t->out->len : 0);
}

static void on_linger(struct loop_timer *timer)
{
    struct tunnel *t = timer_entry(timer, struct tunnel, linger);
    uint64_t now = loop_round(t->net->loop);
    size_t waiting = tunnel_waiting(t);

    if (waiting == t->waiting || now >= t->until) {
        tunnel_free(t);
        return;
    }
    t->waiting = waiting;
    loop_timer_set(t->net->loop, timer, now + CLOSE_WAIT);
}

/* Nothing more comes from inner. The connection no longer counts as its owner's, so it
 * is counted here until the peer has gone. */
static void end(struct tunnel *t)
{
    uint64_t now = loop_round(t->net->loop);

    if (t->ended)
        return;
    t->ended = true;
    t->net->guests.count++;
    t->until = now + LINGER_MS;
    t->waiting = tunnel_waiting(t);
    loop_timer_set(t->net->loop, &t->linger, now + CLOSE_WAIT);
    stop(&t->inner_reads);
}

/* Says why in the log, and hangs up; not at once, because closing with unread bytes
 * would destroy the alert on its way. */
static void fail(struct tunnel *t)
{
    static const char plain[] =
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Length: 38\r\nConnection: close\r\n\r\n"
        "TLS is spoken here: use wss, not ws.\r\n";
    unsigned long error = ERR_peek_error();
    const char *why = ERR_reason_error_string(error);

    if (ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST)
        send(t->outer, plain, sizeof plain - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    log_debug("%s: TLS: %s", t->peer, why ? why : "the connection was lost");
    ERR_clear_error();
    if (t->told)
        t->told(t->user, t->ssl);
    t->failed = true;
    buf_unref(t->out);
    t->out = NULL;
    shutdown(t->outer, SHUT_WR);
    shutdown(t->inner, SHUT_RDWR);
    end(t);
}

/* ---- from the peer ----------------------------------------------------------------- */

static void listen_outer(struct tunnel *t)
{
    if (!t->outer_reads && !t->peer_ended)
        t->outer_reads = loop_watch_on(t->net->loop, t->outer, on_outer, t);
}

static void wait_outer_room(struct tunnel *t)
{
    if (!t->outer_room)
        t->outer_room = loop_watch(t->net->loop, t->outer, true, on_room, t);
}

/* Takes what inner has room for; the rest is kept, and the peer not read until that has
 * gone. */
static void pass_in(struct tunnel *t, const char *p, size_t n)
{
    ssize_t sent = send(t->inner, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent < 0 && errno != EAGAIN)
        return; /* nobody is there any more */
    p += sent < 0 ? 0 : sent;
    n -= sent < 0 ? 0 : (size_t)sent;
    if (!n)
        return;
    t->in = buf_from(p, n);
    stop(&t->outer_reads);
    t->inner_room = loop_watch(t->net->loop, t->inner, true, on_room, t);
}

/* As much as one piece holds. */
static size_t decrypt(struct tunnel *t, char *piece, int *error)
{
    size_t n = 0;
    int got;

    do {
        got = SSL_read(t->ssl, piece + n, (int)(PIECE - n));
        if (got > 0)
            n += (size_t)got;
    } while (got > 0 && n < PIECE && SSL_has_pending(t->ssl));
    *error = got > 0 ? SSL_ERROR_NONE : SSL_get_error(t->ssl, got);
    return n;
}

/* Data, or the end, has been put into the pair: lws reads it now, a request being read
 * has its watch. */
static void show(struct tunnel *t, struct slice what)
{
    if (!t->ws)
        return;
    if (what.n)
        ws_mask_see(t->ws, what);
    if (t->ws && t->ws->state == WS_OPEN)
        ws_take(t->ws);
}

/* Behind what inner has not taken yet. */
static void pass_end(struct tunnel *t)
{
    t->peer_ended = true;
    stop(&t->outer_reads);
    if (t->in)
        return;
    shutdown(t->inner, SHUT_WR);
    show(t, (struct slice){ 0 });
}

static void carry_in(struct tunnel *t)
{
    char *piece = t->net->piece;
    int error = SSL_ERROR_NONE;

    for (int i = 0; i < ROUNDS && !t->in && error == SSL_ERROR_NONE; i++) {
        size_t n;

        ERR_clear_error();
        n = decrypt(t, piece, &error);
        if (n) {
            pass_in(t, piece, n);
            show(t, (struct slice){ piece, n });
        }
        if (!SSL_has_pending(t->ssl))
            break;
    }
    if (error == SSL_ERROR_ZERO_RETURN)
        pass_end(t);
    else if (error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL)
        fail(t);
    else if (error == SSL_ERROR_WANT_WRITE ||
             (error == SSL_ERROR_NONE && !t->in && SSL_has_pending(t->ssl)))
        wait_outer_room(t); /* in the second case: to go on in the next turn */
}

/* ---- to the peer ------------------------------------------------------------------- */

/* How much of it has been taken; all, unless the peer is slow or has gone. */
static size_t encrypt(struct tunnel *t, const char *p, size_t n)
{
    size_t done = 0;

    ERR_clear_error();
    while (done < n) {
        int wrote = SSL_write(t->ssl, p + done, (int)(n - done));
        int error = wrote > 0 ? SSL_ERROR_NONE : SSL_get_error(t->ssl, wrote);

        if (error == SSL_ERROR_WANT_WRITE)
            wait_outer_room(t);
        else if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ)
            fail(t);
        if (error != SSL_ERROR_NONE)
            return done;
        done += (size_t)wrote;
    }
    return done;
}

/* Sends what waits; true when nothing does any more. */
static bool send_rest(struct tunnel *t)
{
    size_t done;

    if (!t->out)
        return !t->failed;
    done = encrypt(t, t->out->data, t->out->len);
    if (t->failed)
        return false;
    t->out->len -= done;
    memmove(t->out->data, t->out->data + done, t->out->len);
    if (t->out->len)
        return false;
    buf_unref(t->out);
    t->out = NULL;
    return true;
}

/* Takes one piece from inner; false when there was none, or it waits now. */
static bool carry_piece(struct tunnel *t)
{
    char *piece = t->net->piece;
    ssize_t n = recv(t->inner, piece, PIECE, MSG_DONTWAIT);
    size_t done;

    if (n < 0 && errno == EAGAIN)
        return false;
    if (n <= 0) {
        end(t);
        return false;
    }
    done = encrypt(t, piece, (size_t)n);
    if (t->failed || done == (size_t)n)
        return !t->failed && n == PIECE;
    t->out = buf_from(piece + done, (size_t)n - done);
    stop(&t->inner_reads);
    return false;
}

static void say_goodbye(struct tunnel *t)
{
    ERR_clear_error();
    if (SSL_is_init_finished(t->ssl) && !(SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN))
        SSL_shutdown(t->ssl);
    shutdown(t->outer, SHUT_WR);
}

static void carry_out(struct tunnel *t)
{
    if (!send_rest(t))
        return;
    while (!t->ended && carry_piece(t))
        ;
    if (t->failed || t->out)
        return;
    if (t->ended)
        say_goodbye(t);
    else if (!t->inner_reads)
        t->inner_reads = loop_watch_on(t->net->loop, t->inner, on_inner, t);
}

/* ---- events ------------------------------------------------------------------------ */

/* Both sides have had their say, or the handshake has not come to its end. */
static void part(struct tunnel *t)
{
    if (t->ended && !t->out &&
        (t->peer_ended || (!t->failed && !SSL_is_init_finished(t->ssl))))
        tunnel_free(t);
}

/* What comes after a failure, or after our own end, is of no interest. */
static void discard(struct tunnel *t)
{
    ssize_t n = recv(t->outer, t->net->piece, PIECE, MSG_DONTWAIT);

    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        t->peer_ended = true;
        stop(&t->outer_reads);
    }
}

static void on_outer(void *user)
{
    struct tunnel *t = user;

    if (t->failed)
        discard(t);
    else
        carry_in(t);
    if (t->out || t->ended)
        carry_out(t);
    part(t);
}

static void on_inner(void *user)
{
    struct tunnel *t = user;

    carry_out(t);
    part(t);
}

static void on_room(void *user)
{
    struct tunnel *t = user;
    struct buf *in = t->in;

    stop(&t->outer_room);
    stop(&t->inner_room);
    if (in) {
        t->in = NULL;
        pass_in(t, in->data, in->len);
        show(t, (struct slice){ 0 });
        buf_unref(in);
    }
    if (!t->in && t->peer_ended) {
        pass_end(t);
    } else if (!t->in && !t->failed) {
        listen_outer(t);
        carry_in(t);
    }
    carry_out(t);
    part(t);
}

/* ---- the owner's side -------------------------------------------------------------- */

void tunnel_flush(struct tunnel *t)
{
    carry_out(t);
}

void tunnel_join(struct tunnel **from, struct ws *ws)
{
    ws->tunnel = *from;
    *from = NULL;
    if (!ws->tunnel)
        return;
    ws->tunnel->held_by = &ws->tunnel;
    ws->tunnel->ws = ws;
}

void tunnel_leave(struct tunnel **held)
{
    if (!*held)
        return;
    (*held)->held_by = NULL;
    (*held)->told = NULL;
    (*held)->ws = NULL;
    *held = NULL;
}

void tunnel_watch(struct tunnel *t, void (*failed)(void *user, const SSL *ssl),
                  void *user)
{
    t->told = failed;
    t->user = user;
}

int tunnel_open(struct ws_net *net, SSL *ssl, int fd, const char *peer,
                struct tunnel **held_by)
{
    struct tunnel *t;
    int pair[2], on = 1;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
        log_warn("no sockets left for a connection by TLS: %s [W914]", strerror(errno));
        SSL_free(ssl);
        close(fd);
        return -1;
    }
    if (!net->piece)
        net->piece = xmalloc(PIECE);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    t = xcalloc(1, sizeof *t);
    t->net = net;
    t->held_by = held_by;
    *held_by = t;
    t->ssl = ssl;
    SSL_set_fd(ssl, fd);
    t->outer = fd;
    t->inner = pair[0];
    t->linger.fired = on_linger;
    snprintf(t->peer, sizeof t->peer, "%s", peer);
    list_push(&net->tunnels, &t->node);
    listen_outer(t);
    t->inner_reads = loop_watch_on(net->loop, t->inner, on_inner, t);
    return pair[1];
}

/* The last bytes go out as far as the socket takes them at once. */
void tunnel_free_all(struct ws_net *net)
{
    struct list *node, *tmp;

    list_each (node, tmp, &net->tunnels) {
        struct tunnel *t = list_entry(node, struct tunnel, node);

        if (!t->failed)
            carry_out(t);
        tunnel_free(t);
    }
}
