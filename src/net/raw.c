/* raw.c - an open RawSocket connection, either side. See raw.h.
 *
 * Sending is a queue. What one turn of the loop has put there is written before the loop
 * waits again, many frames by one system call, heads and payloads from where they lie.
 * Reading takes what the socket has, a piece at a time, and lets raw_frame.c find the
 * frames in it.
 *
 * A PING is answered, always. Who sends them and does not read the answers is not read
 * any further until he does. PINGs of our own are sent on request only: many peers hang
 * up on them. So TCP's keep-alive has to find out that a link is dead.
 *
 * RawSocket has no close frame. Who closes sends what is queued, then the end of the
 * stream, and waits a while for that of the peer.
 *
 * Not known here: how connections come about (raw_client.c, raw_server.c), or what
 * messages say. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/raw_private.h"
#include "wamp/limits.h"

#define PIECE (64 * 1024) /* read at once */
#define ROUNDS 4          /* pieces read from one peer before others have their turn */
#define BATCH 64          /* frames written at once */
#define PONGS_MAX (64 * 1024) /* bytes of PONGs that may wait while we go on reading */
#define CLOSE_WAIT 1000       /* ms that a closing connection may stand still */

static struct raw *raw_of(struct conn *c)
{
    return (struct raw *)(void *)((char *)c - offsetof(struct raw, conn));
}

/* ---- the end ----------------------------------------------------------------------- */

void raw_end(struct raw *raw, enum conn_error error, int code, const char *fmt, ...)
{
    va_list ap;

    if (raw->ended)
        return;
    raw->ended = true;
    raw->end.error = error;
    raw->end.code = code;
    va_start(ap, fmt);
    conn_end_say(&raw->end, raw->where, fmt, ap);
    va_end(ap);
}

static void drop_queue(struct raw *raw)
{
    while (raw->count) {
        buf_unref(raw->queue[raw->first++].payload);
        raw->count--;
    }
    raw->conn.queued = raw->sent = raw->pongs = 0;
}

static void stop(struct watch **w)
{
    loop_unwatch(*w);
    *w = NULL;
}

void raw_finish(struct raw *raw)
{
    list_remove(&raw->node);
    list_remove(&raw->due);
    loop_timer_clear(raw->net->loop, &raw->timer);
    stop(&raw->reads);
    stop(&raw->room);
    if (raw->fd >= 0)
        close(raw->fd);
    raw_end(raw, CONN_LOST, 0, "the connection was lost");
    raw_tls_fini(raw);
    if (raw->conn.handler)
        raw->conn.handler->closed(&raw->conn, &raw->end);
    guest_leave(raw->guest);
    crowd_leave(raw->crowd);
    drop_queue(raw);
    free(raw->queue);
    raw_reader_fini(&raw->reader);
    raw_dialed(raw);
    free(raw->where);
    net_settings_unref(raw->settings);
    free(raw);
}

void raw_finish_soon(struct raw *raw)
{
    stop(&raw->reads);
    stop(&raw->room);
    list_remove(&raw->due);
    loop_timer_set(raw->net->loop, &raw->timer, 0);
}

/* ---- sending ----------------------------------------------------------------------- */

static void make_room(struct raw *raw)
{
    if (raw->first > raw->space / 2) {
        memmove(raw->queue, raw->queue + raw->first, raw->count * sizeof *raw->queue);
        raw->first = 0;
        return;
    }
    raw->space = raw->space ? raw->space * 2 : 4;
    raw->queue = xrealloc(raw->queue, raw->space * sizeof *raw->queue);
}

/* What is queued is written before the loop waits; when the socket is full, once it has
 * room. */
static void write_soon(struct raw *raw)
{
    if (!raw->room && !list_linked(&raw->due))
        list_push(&raw->net->due, &raw->due);
}

static void push(struct raw *raw, enum raw_type type, struct buf *payload)
{
    if (raw->first + raw->count == raw->space)
        make_room(raw);
    raw->queue[raw->first + raw->count++] = (struct raw_out){ payload, type };
    raw->conn.queued += payload->len;
    if (type == RAW_PONG)
        raw->pongs += RAW_HEAD + payload->len;
    if (raw->state != RAW_CONNECTING)
        write_soon(raw);
}

/* A frame leaves the queue, sent or not. */
static void let_go(struct raw *raw, const struct raw_out *out)
{
    raw->conn.queued -= out->payload->len;
    if (out->type == RAW_PONG)
        raw->pongs -= RAW_HEAD + out->payload->len;
    buf_unref(out->payload);
}

static void pop(struct raw *raw)
{
    let_go(raw, &raw->queue[raw->first]);
    raw->first = --raw->count ? raw->first + 1 : 0;
}

static void send_message(struct conn *c, struct buf *message)
{
    struct raw *raw = raw_of(c);

    if (raw->ended) {
        buf_unref(message);
        return;
    }
    if (raw->state == RAW_OPEN && message->len > c->takes) {
        raw_end(raw, CONN_TOO_LARGE, 0, "a message of %zu bytes; %zu are taken there",
                message->len, c->takes);
        buf_unref(message);
        raw_finish_soon(raw);
        return;
    }
    push(raw, RAW_MESSAGE, message);
    if (c->queued > raw->settings->max_queue)
        conn_await(c, raw->settings->max_queue / 2);
}

/* Takes what has been written off the queue. */
static void settle(struct raw *raw, size_t n)
{
    raw->sent += n;
    while (raw->count) {
        size_t size = RAW_HEAD + raw->queue[raw->first].payload->len;

        if (raw->sent < size)
            break;
        raw->sent -= size;
        pop(raw);
    }
    conn_settled(&raw->conn);
}

/* The next frames as pieces of memory, without what has been sent of the first: how
 * many. */
static size_t gather(const struct raw *raw, struct iovec *v,
                     unsigned char (*heads)[RAW_HEAD])
{
    size_t n = 0, sent = raw->sent;

    for (unsigned i = 0; i < raw->count && i < BATCH; i++) {
        const struct raw_out *out = &raw->queue[raw->first + i];

        raw_head_write(out->type, out->payload->len, heads[i]);
        v[n++] = (struct iovec){ heads[i], RAW_HEAD };
        v[n++] = (struct iovec){ out->payload->data, out->payload->len };
    }
    for (size_t i = 0; sent; i++) {
        size_t skip = sent < v[i].iov_len ? sent : v[i].iov_len;

        v[i].iov_base = (char *)v[i].iov_base + skip;
        v[i].iov_len -= skip;
        sent -= skip;
    }
    return n;
}

static void on_room(void *user);

/* Writes until the queue is empty or the socket full. When nobody takes it any more the
 * end will be read. */
static void write_queue(struct raw *raw)
{
    unsigned char heads[BATCH][RAW_HEAD];
    struct iovec v[2 * BATCH];

    while (raw->count) {
        struct msghdr m = { .msg_iov = v, .msg_iovlen = gather(raw, v, heads) };
        ssize_t n = sendmsg(raw->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EAGAIN) {
            if (!raw->room)
                raw->room = loop_watch(raw->net->loop, raw->fd, true, on_room, raw);
            return;
        }
        if (n < 0)
            drop_queue(raw);
        else
            settle(raw, (size_t)n);
    }
    if (raw->state == RAW_CLOSING && !raw->half_closed)
        raw->half_closed = shutdown(raw->fd, SHUT_WR) == 0;
}

static void on_readable(void *user);

/* Whoever does not read our PONGs is not read. */
static void listen_again(struct raw *raw)
{
    if (raw->pongs > PONGS_MAX)
        stop(&raw->reads);
    else if (!raw->reads)
        raw->reads = loop_watch_on(raw->net->loop, raw->fd, on_readable, raw);
}

static void carry_out(struct raw *raw)
{
    write_queue(raw);
    listen_again(raw);
}

static void on_room(void *user)
{
    struct raw *raw = user;

    raw->room = NULL;
    carry_out(raw);
}

static void flush(void *attached)
{
    struct raw_net *net = attached;
    struct list *node;

    while ((node = list_pop(&net->due)))
        carry_out(list_entry(node, struct raw, due));
}

/* `closed` never comes from here: the timer brings it, or the end of the stream. */
static void close_conn(struct conn *c, int code, const char *reason)
{
    struct raw *raw = raw_of(c);

    (void)reason;
    if (raw->ended)
        return;
    raw_end(raw, CONN_OK, code, "closed");
    if (raw->state == RAW_CONNECTING) {
        raw_finish_soon(raw);
        return;
    }
    raw->state = RAW_CLOSING;
    raw->close_by = loop_round(raw->net->loop) + LIMIT_CLOSE_MS;
    loop_timer_set(raw->net->loop, &raw->timer, loop_round(raw->net->loop) + CLOSE_WAIT);
    write_soon(raw);
}

/* But for the frame that the peer has seen a part of. */
static void forget_queue(struct conn *c)
{
    struct raw *raw = raw_of(c);
    unsigned keep = raw->sent > 0;

    while (raw->count > keep)
        let_go(raw, &raw->queue[raw->first + --raw->count]);
    raw_reader_fini(&raw->reader);
    c->coming = 0;
}

static const struct conn_ops ops = { send_message, close_conn, forget_queue };

/* ---- receiving --------------------------------------------------------------------- */

static void ping_later(struct raw *raw)
{
    if (raw->settings->raw_pings && raw->settings->ping_interval)
        loop_timer_set(raw->net->loop, &raw->timer,
                       raw->heard + raw->settings->ping_interval);
}

static void on_frame(struct raw *raw, enum raw_type type, struct buf *payload)
{
    if (type == RAW_PING) {
        push(raw, RAW_PONG, payload);
        return;
    }
    if (type == RAW_MESSAGE)
        raw->conn.handler->message(&raw->conn, payload);
    buf_unref(payload);
}

static void refuse(struct raw *raw, enum raw_found found)
{
    if (found == RAW_TOO_LONG)
        raw_end(raw, CONN_TOO_LARGE, 0, "a message over the limit (%zu bytes)",
                raw->reader.max);
    else
        raw_end(raw, CONN_PROTOCOL, 0,
                "the peer broke the RawSocket protocol: reserved %s",
                found == RAW_RESERVED_BITS ? "bits" : "frame type");
    raw_finish_soon(raw);
}

/* What comes after our own end is of no interest. */
void raw_take_in(struct raw *raw, struct slice in)
{
    enum raw_found found = RAW_FRAME;
    struct buf *payload;
    enum raw_type type;

    raw->heard = loop_round(raw->net->loop);
    if (raw->pinged && raw->state == RAW_OPEN)
        ping_later(raw);
    raw->pinged = false;
    while (raw->state == RAW_OPEN && !raw->ended && found == RAW_FRAME) {
        found = raw_read(&raw->reader, &in, &type, &payload);
        if (found == RAW_FRAME)
            on_frame(raw, type, payload);
        else if (found != RAW_MORE)
            refuse(raw, found);
    }
    raw->conn.coming = raw->reader.payload ? raw->reader.payload->cap : 0;
}

static void peer_ended(struct raw *raw, ssize_t n)
{
    size_t missing = raw_missing(&raw->reader);

    if (missing)
        raw_end(raw, CONN_TRUNCATED, (int)missing,
                "the connection was lost in the middle of a message");
    else
        raw_end(raw, CONN_LOST, 0,
                n ? "the connection was lost" : "the peer closed the connection");
    raw_finish(raw);
}

static void on_readable(void *user)
{
    struct raw *raw = user;
    ssize_t n = PIECE;

    for (int i = 0; i < ROUNDS && n == PIECE && raw->reads; i++) {
        n = recv(raw->fd, raw->net->piece, PIECE, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            peer_ended(raw, n);
            return;
        }
        if (n > 0)
            raw_take_in(raw, (struct slice){ raw->net->piece, (size_t)n });
        if (raw->pongs > PONGS_MAX)
            listen_again(raw);
    }
}

/* ---- timers ------------------------------------------------------------------------ */

/* Does the socket still pass on what it was given? */
static bool moves(struct raw *raw)
{
    int waiting = 0, before = raw->waiting;

    ioctl(raw->fd, TIOCOUTQ, &waiting);
    raw->waiting = waiting;
    return waiting != before;
}

static void ping(struct raw *raw, uint64_t now)
{
    if (raw->pinged) {
        raw_end(raw, CONN_TIMEOUT, 0, "no answer to a PING within %g s",
                (double)raw->settings->ping_timeout / 1000);
        raw_finish(raw);
    } else if (now < raw->heard + raw->settings->ping_interval) {
        ping_later(raw);
    } else {
        push(raw, RAW_PING, buf_from("ping", 4));
        raw->pinged = true;
        loop_timer_set(raw->net->loop, &raw->timer, now + raw->settings->ping_timeout);
    }
}

static void on_timer(struct loop_timer *t)
{
    struct raw *raw = timer_entry(t, struct raw, timer);
    uint64_t now = loop_round(raw->net->loop);

    if (raw->state == RAW_CLOSING && now < raw->close_by && moves(raw)) {
        loop_timer_set(raw->net->loop, t, now + CLOSE_WAIT);
    } else if (raw->state == RAW_OPEN && !raw->ended) {
        ping(raw, now);
    } else {
        raw_end(raw, CONN_TIMEOUT, 0, "did not answer%s within %g s%s",
                raw->reads ? " the RawSocket handshake" : "",
                (double)raw->settings->connect_timeout / 1000,
                raw->reads ? "; is the scheme right?" : "");
        raw_finish(raw);
    }
}

/* ---- making ------------------------------------------------------------------------ */

static void free_net(void *attached)
{
    struct raw_net *net = attached;
    struct list *node, *tmp;

    flush(net);
    list_each (node, tmp, &net->conns) {
        raw_finish(list_entry(node, struct raw, node));
    }
    free(net->piece);
    free(net);
}

static struct raw_net *net_of(struct loop *l)
{
    struct raw_net *net = loop_attached(l, LOOP_RAW);

    if (net)
        return net;
    net = xcalloc(1, sizeof *net);
    net->loop = l;
    net->piece = xmalloc(PIECE);
    list_init(&net->conns);
    list_init(&net->due);
    loop_attach(l, LOOP_RAW, net, flush, free_net);
    return net;
}

struct raw *raw_new(struct loop *l, struct net_settings *s, const char *where)
{
    struct raw *raw = xcalloc(1, sizeof *raw);

    s->refs++;
    raw->conn.ops = &ops;
    raw->net = net_of(l);
    raw->settings = s;
    raw->fd = -1;
    raw->timer.fired = on_timer;
    raw->reader.max = raw_announced(s->max_message);
    raw->where = xstrdup(where);
    list_push(&raw->net->conns, &raw->node);
    list_init(&raw->due);
    return raw;
}

static int seconds(uint64_t ms)
{
    return ms < 1000 ? 1 : (int)(ms / 1000);
}

/* All of this fails on a Unix socket, where it is not wanted. */
static void tune(const struct raw *raw)
{
    int on = 1, idle = seconds(raw->settings->ping_interval),
        again = seconds(raw->settings->ping_timeout / 2), times = 2;

    setsockopt(raw->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!raw->settings->ping_interval)
        return;
    setsockopt(raw->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(raw->fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(raw->fd, IPPROTO_TCP, TCP_KEEPINTVL, &again, sizeof again);
    setsockopt(raw->fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
}

void raw_open(struct raw *raw, const char *subprotocol, size_t peer_takes)
{
    raw_dialed(raw);
    raw->state = RAW_OPEN;
    raw->heard = loop_round(raw->net->loop);
    raw->conn.takes = peer_takes;
    tune(raw);
    listen_again(raw);
    loop_timer_clear(raw->net->loop, &raw->timer);
    ping_later(raw);
    raw->conn.handler->opened(&raw->conn, slice_of(subprotocol));
    if (raw->count)
        write_soon(raw);
}
