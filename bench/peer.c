/* peer: see peer.h.
 *
 * It knows the joining half of WAMP and nothing of calls or events: those are what load.c
 * does with messages. First the blocking part, then the loop.
 */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { MAX_TURN = 256, MAX_DIRTY = 1024, SEPARATOR = 0x1e };

static int poll_fd = -1;
static struct peer *dirty[MAX_DIRTY];
static int dirty_n;

/* --- blocking ----------------------------------------------------------------------- */

int peer_connect_raw(struct peer *p, int port)
{
    p->fd = tcp_connect(port);
    return p->fd < 0 ? -1 : wire_connected ? wire_connected(p->fd) : 0;
}

int peer_connect(struct peer *p, int port)
{
    if (peer_connect_raw(p, port) < 0)
        return -1;
    if (upgrade_ask(p->fd, port, format_subprotocol(p->format), &p->in) == 0)
        return 0;
    peer_close(p);
    return -1;
}

void peer_close(struct peer *p)
{
    close(p->fd);
    bytes_free(&p->in);
    bytes_free(&p->out);
    bytes_free(&p->batch);
}

/* The messages of a batch that has been gathered become a frame. */
static void seal(struct peer *p)
{
    if (bytes_left(&p->batch) > 0)
        frame_put(&p->out, true, text(p->batch.p, p->batch.n), LIT(""));
    p->batch.at = p->batch.n = 0;
}

static int send_all(struct peer *p)
{
    seal(p);
    while (bytes_left(&p->out) > 0)
        if (bytes_send(&p->out, p->fd) < 0)
            return -1;
    return 0;
}

/* Appends a message to what is to be sent, in the peer's format. */
static void put_message(struct peer *p, struct slice head, struct slice tail)
{
    static struct bytes json, packed;
    if (p->format == BATCHED) {
        bytes_add(&p->batch, head);
        bytes_add(&p->batch, tail);
        *bytes_room(&p->batch, 1) = SEPARATOR;
        p->batch.n++;
        return;
    }
    if (p->format == JSON) {
        frame_put(&p->out, true, head, tail);
        return;
    }
    json.at = json.n = packed.at = packed.n = 0;
    bytes_add(&json, head);
    bytes_add(&json, tail);
    packed_write(p->format, text(json.p, json.n), &packed);
    frame_binary(&p->out, true, text(packed.p, packed.n));
}

/* A message that has come, as JSON; it stays until the next one comes. */
static struct slice message_of(const struct peer *p, const struct frame *frame)
{
    static struct bytes json;
    if (p->format == BATCHED &&
        frame->body.n) /* a single one, while nobody is in a hurry */
        return text(frame->body.p, frame->body.n - 1);
    if (p->format == JSON)
        return frame->body;
    json.at = json.n = 0;
    packed_read(p->format, frame->body, &json);
    return text(json.p, json.n);
}

static bool is_message(const struct peer *p, const struct frame *frame)
{
    bool packed = p->format == MSGPACK || p->format == CBOR;
    return frame->opcode == (packed ? OP_BINARY : OP_TEXT);
}

static void pong(struct peer *p, struct slice body)
{
    frame_control(&p->out, true, OP_PONG, body);
}

static int wait_message(struct peer *p, struct slice *message)
{
    struct frame frame;
    for (;;) {
        int got = frame_take(&p->in, &frame);
        if (got < 0 || (got > 0 && frame.opcode == OP_CLOSE))
            return -1;
        if (got == 0 && bytes_recv(&p->in, p->fd) < 0)
            return -1;
        if (got > 0 && frame.opcode == OP_PING) {
            pong(p, frame.body);
            if (send_all(p) < 0)
                return -1;
        }
        if (got > 0 && is_message(p, &frame)) {
            *message = message_of(p, &frame);
            return 0;
        }
    }
}

int peer_ask(struct peer *p, struct slice message, struct slice *reply)
{
    put_message(p, message, LIT(""));
    return send_all(p) < 0 ? -1 : wait_message(p, reply);
}

int peer_join(struct peer *p, const char *realm)
{
    char hello[256];
    struct slice welcome, part[MAX_ELEMENTS];
    int n = snprintf(hello, sizeof hello,
                     "[1,\"%s\",{\"roles\":{\"caller\":{},\"callee\":{},\"publisher\":{},"
                     "\"subscriber\":{}}}]",
                     realm);
    if (peer_ask(p, text(hello, (size_t)n), &welcome) < 0)
        return -1;
    return message_split(welcome, part, 2) == 2 && slice_number(part[0]) == M_WELCOME
               ? 0
               : -1;
}

void peer_declare(struct peer *p, int code, const char *uri)
{
    char ask[256];
    struct slice reply, part[MAX_ELEMENTS];
    int n = snprintf(ask, sizeof ask, "[%d,%lu,{},\"%s\"]", code, ++p->last_id, uri);
    if (peer_ask(p, text(ask, (size_t)n), &reply) < 0)
        die("the router has closed a connection");
    if (message_split(reply, part, 2) < 2 || slice_number(part[0]) != (uint64_t)code + 1)
        die("the router refused %s: %.*s", uri, (int)reply.n, reply.p);
}

/* --- the loop ----------------------------------------------------------------------- */

static void want(struct peer *p, int operation, bool room)
{
    struct epoll_event e = { .events = EPOLLIN | (room ? EPOLLOUT : 0u), .data.ptr = p };
    p->waits_for_room = room;
    epoll_ctl(poll_fd, operation, p->fd, &e);
}

static void flush(struct peer *p)
{
    p->dirty = false;
    seal(p);
    if (bytes_left(&p->out) > 0 && bytes_send(&p->out, p->fd) < 0)
        die("the router has closed a connection");
    bool left = bytes_left(&p->out) > 0;
    if (left != p->waits_for_room)
        want(p, EPOLL_CTL_MOD, left);
}

static void flush_all(void)
{
    for (int i = 0; i < dirty_n; i++)
        flush(dirty[i]);
    dirty_n = 0;
}

void peer_say(struct peer *p, struct slice head, struct slice tail)
{
    put_message(p, head, tail);
    if (p->dirty || p->waits_for_room)
        return;
    if (dirty_n == MAX_DIRTY)
        flush_all();
    p->dirty = true;
    dirty[dirty_n++] = p;
}

static void hear(struct peer *p, const struct frame *frame)
{
    struct slice rest = frame->body;
    if (p->format != BATCHED) {
        p->on_message(p, message_of(p, frame));
        return;
    }
    while (rest.n) {
        const char *end = memchr(rest.p, SEPARATOR, rest.n);
        if (!end)
            die("the router sent a broken batch");
        p->on_message(p, text(rest.p, (size_t)(end - rest.p)));
        rest.n -= (size_t)(end - rest.p) + 1;
        rest.p = end + 1;
    }
}

static void read_frames(struct peer *p)
{
    struct frame frame;
    int got;
    if (bytes_recv(&p->in, p->fd) < 0)
        die("the router has closed a connection");
    while ((got = frame_take(&p->in, &frame)) > 0) {
        if (is_message(p, &frame))
            hear(p, &frame);
        else if (frame.opcode == OP_PING) {
            pong(p, frame.body);
            flush(p);
        } else if (frame.opcode == OP_CLOSE)
            die("the router has closed a connection");
    }
    if (got < 0)
        die("the router sent a broken frame");
}

void loop_add(struct peer *p)
{
    if (poll_fd < 0)
        poll_fd = epoll_create1(EPOLL_CLOEXEC);
    tcp_unblock(p->fd);
    want(p, EPOLL_CTL_ADD, false);
}

bool loop_turn(int timeout_ms)
{
    struct epoll_event events[MAX_TURN];
    flush_all();
    int n = epoll_wait(poll_fd, events, MAX_TURN, timeout_ms);
    for (int i = 0; i < n; i++) {
        if (events[i].events & EPOLLOUT)
            flush(events[i].data.ptr);
        if (events[i].events & ~(unsigned)EPOLLOUT)
            read_frames(events[i].data.ptr);
    }
    flush_all();
    return n > 0;
}
