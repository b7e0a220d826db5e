/* relay: the floor under a router. It carries calls and events and does nothing else.
 *
 * usage: relay once|coalesced [PORT]      prints the port it listens on; ends on a signal
 *
 * It knows no realm, option, limit, timer or error beyond "no such procedure", and it
 * believes what its clients say. What is left is what no router can save: one epoll loop,
 * one recv for what is there, the frame header, the elements of the list up to the
 * arguments, an index from invocation to call, and the frame that goes on.
 *
 * The idea: both modes run the same code and differ only in when a frame meets the
 * kernel. `once` sends each frame as it is made, as a library with one send per message
 * does; `coalesced` sends all that a connection is due when a turn of the loop ends.
 */
#include "wire.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MAX_FDS = 65536, MAX_NAMES = 256, MAX_FANOUT = 64, MAX_TURN = 256, CALLS = 65536 };

struct conn {
    struct bytes in, out;
    uint64_t serial; /* of this use of fd: calls of an earlier one are stale */
    int fd;
    bool upgraded, dirty, waits_for_room;
};

struct name {
    struct slice uri; /* owned */
    int fds[MAX_FANOUT];
    int n;
};

struct call {
    uint64_t invocation, request, serial;
    int fd;
};

static struct conn *conns[MAX_FDS]; /* by descriptor; kept for the next use of it */
static struct name procedures[MAX_NAMES], topics[MAX_NAMES];
static struct call calls[CALLS]; /* by invocation id, modulo its size */
static int dirty[MAX_TURN * MAX_FANOUT], dirty_n;
static uint64_t last_id;
static bool coalesced;
static int poll_fd;

/* --- sending ------------------------------------------------------------------------ */

static void want(struct conn *c, bool room)
{
    struct epoll_event e = { .events = EPOLLIN | (room ? EPOLLOUT : 0u),
                             .data.fd = c->fd };
    c->waits_for_room = room;
    epoll_ctl(poll_fd, EPOLL_CTL_MOD, c->fd, &e);
}

/* A peer that has gone is noticed by the recv that follows. */
static void flush(struct conn *c)
{
    c->dirty = false;
    if (bytes_left(&c->out) > 0 && bytes_send(&c->out, c->fd) < 0)
        bytes_free(&c->out);
    bool left = bytes_left(&c->out) > 0;
    if (left != c->waits_for_room)
        want(c, left);
}

static void flush_all(void)
{
    for (int i = 0; i < dirty_n; i++)
        flush(conns[dirty[i]]);
    dirty_n = 0;
}

static void due(struct conn *c)
{
    if (c->waits_for_room || c->dirty)
        return;
    if (!coalesced) {
        flush(c);
        return;
    }
    if (dirty_n == MAX_TURN * MAX_FANOUT)
        flush_all();
    c->dirty = true;
    dirty[dirty_n++] = c->fd;
}

static void answer(struct conn *c, struct slice head, struct slice tail)
{
    frame_put(&c->out, false, head, tail);
    due(c);
}

/* Sends [code,number,number<tail>, where the tail brings its comma and the bracket. */
static void answer_ids(struct conn *c, int code, const uint64_t ids[2], struct slice tail)
{
    char head[64], *at = put(head, LIT("["));
    at = put_number(at, (uint64_t)code);
    at = put_number(put(at, LIT(",")), ids[0]);
    if (ids[1])
        at = put_number(put(at, LIT(",")), ids[1]);
    answer(c, text(head, (size_t)(at - head)), tail);
}

/* --- names -------------------------------------------------------------------------- */

static struct name *name_find(struct name *names, struct slice uri)
{
    for (int i = 0; i < MAX_NAMES && names[i].uri.p; i++)
        if (slice_is(names[i].uri, uri))
            return &names[i];
    return NULL;
}

static struct name *name_put(struct name *names, struct slice uri)
{
    struct name *found = name_find(names, uri);
    for (int i = 0; !found && i < MAX_NAMES; i++) {
        if (names[i].uri.p)
            continue;
        names[i].uri = text(strndup(uri.p, uri.n), uri.n);
        found = &names[i];
    }
    if (!found)
        die("more than %d names", MAX_NAMES);
    return found;
}

static void name_join(struct name *name, int fd)
{
    if (name->n == MAX_FANOUT)
        die("more than %d subscribers", MAX_FANOUT);
    name->fds[name->n++] = fd;
}

static void name_leave(struct name *names, int fd)
{
    for (int i = 0; i < MAX_NAMES && names[i].uri.p; i++) {
        struct name *name = &names[i];
        for (int j = name->n - 1; j >= 0; j--)
            if (name->fds[j] == fd)
                name->fds[j] = name->fds[--name->n];
    }
}

/* --- messages ----------------------------------------------------------------------- */

/* Ends a head, before the elements of a message from `first` on. */
static struct slice head_end(char *head, char *at, bool more)
{
    at = put(at, more ? LIT(",") : LIT(""));
    return text(head, (size_t)(at - head));
}

static struct slice tail_of(const struct slice *part, int n, int first)
{
    return n > first ? text(part[first].p, part[first].n + 1) : LIT("]");
}

static void on_call(struct conn *c, const struct slice *part, int n)
{
    uint64_t request = slice_number(part[1]);
    struct name *name = n < 4 ? NULL : name_find(procedures, part[3]);
    if (!name || name->n == 0) {
        answer_ids(c, M_ERROR, (uint64_t[2]){ M_CALL, request },
                   LIT(",{},\"wamp.error.no_such_procedure\"]"));
        return;
    }
    uint64_t id = ++last_id, registration = (uint64_t)(name - procedures) + 1;
    calls[id % CALLS] = (struct call){ id, request, c->serial, c->fd };
    char head[64], *at = put_number(put(head, LIT("[68,")), id);
    at = put(put_number(put(at, LIT(",")), registration), LIT(",{}"));
    answer(conns[name->fds[0]], head_end(head, at, n > 4), tail_of(part, n, 4));
}

/* The call that an answer is for, or NULL when its caller has gone. */
static struct call *call_take(struct slice id)
{
    uint64_t invocation = slice_number(id);
    struct call *call = &calls[invocation % CALLS];
    if (call->invocation != invocation || !conns[call->fd])
        return NULL;
    call->invocation = 0;
    return conns[call->fd]->serial == call->serial ? call : NULL;
}

static void on_yield(const struct slice *part, int n)
{
    struct call *call = call_take(part[1]);
    if (!call)
        return;
    char head[64], *at = put_number(put(head, LIT("[50,")), call->request);
    at = put(at, LIT(",{}"));
    answer(conns[call->fd], head_end(head, at, n > 3), tail_of(part, n, 3));
}

static void on_error(const struct slice *part, int n)
{
    struct call *call = n < 4 ? NULL : call_take(part[2]);
    if (!call)
        return;
    char head[64], *at = put_number(put(head, LIT("[8,48,")), call->request);
    answer(conns[call->fd], head_end(head, at, true), tail_of(part, n, 3));
}

static void on_publish(struct conn *c, const struct slice *part, int n)
{
    static struct bytes event;
    struct name *topic = n < 4 ? NULL : name_find(topics, part[3]);
    uint64_t id = ++last_id;
    if (n >= 4 && memmem(part[2].p, part[2].n, "acknowledge\":true", 17))
        answer_ids(c, M_PUBLISHED, (uint64_t[2]){ slice_number(part[1]), id }, LIT("]"));
    if (!topic)
        return;
    char head[64];
    char *at = put_number(put(head, LIT("[36,")), (uint64_t)(topic - topics) + 1);
    at = put(put_number(put(at, LIT(",")), id), LIT(",{}"));
    event.at = event.n = 0;
    frame_put(&event, false, head_end(head, at, n > 4), tail_of(part, n, 4));
    for (int i = 0; i < topic->n; i++) {
        struct conn *to = conns[topic->fds[i]];
        if (to == c)
            continue;
        bytes_add(&to->out, text(event.p, event.n));
        due(to);
    }
}

/* REGISTER or SUBSCRIBE. */
static void on_join(struct conn *c, const struct slice *part, int n)
{
    int code = (int)slice_number(part[0]);
    if (n < 4)
        return;
    struct name *names = code == M_REGISTER ? procedures : topics;
    struct name *name = name_put(names, part[3]);
    name_join(name, c->fd);
    answer_ids(c, code + 1,
               (uint64_t[2]){ slice_number(part[1]), (uint64_t)(name - names) + 1 },
               LIT("]"));
}

static int on_message(struct conn *c, struct slice message)
{
    static const unsigned char elements[71] = {
        [M_HELLO] = 2,    [M_GOODBYE] = 2,    [M_ERROR] = 4,
        [M_PUBLISH] = 5,  [M_SUBSCRIBE] = 4,  [M_CALL] = 5,
        [M_REGISTER] = 4, [M_UNREGISTER] = 2, [M_YIELD] = 4,
    };
    struct slice part[MAX_ELEMENTS];
    size_t code = message.n > 3 ? (size_t)atoi(message.p + 1) : 0;
    int wanted = code < sizeof elements ? elements[code] : 0;
    int n = wanted ? message_split(message, part, wanted) : -1;
    if (n < 2)
        return -1;
    switch (code) {
    case M_HELLO:
        answer_ids(c, M_WELCOME, (uint64_t[2]){ ++last_id, 0 },
                   LIT(",{\"roles\":{\"broker\":{},\"dealer\":{}}}]"));
        break;
    case M_GOODBYE:
        answer(c, LIT("[6,{},\"wamp.close.goodbye_and_out\"]"), LIT(""));
        break;
    case M_PUBLISH:
        on_publish(c, part, n);
        break;
    case M_SUBSCRIBE:
    case M_REGISTER:
        on_join(c, part, n);
        break;
    case M_UNREGISTER:
        answer_ids(c, M_UNREGISTERED, (uint64_t[2]){ slice_number(part[1]), 0 },
                   LIT("]"));
        break;
    case M_CALL:
        on_call(c, part, n);
        break;
    case M_YIELD:
        on_yield(part, n);
        break;
    case M_ERROR:
        on_error(part, n);
        break;
    default:
        return -1;
    }
    return 0;
}

/* --- connections -------------------------------------------------------------------- */

static void conn_close(struct conn *c)
{
    name_leave(procedures, c->fd);
    name_leave(topics, c->fd);
    flush(c);
    bytes_free(&c->in);
    bytes_free(&c->out);
    c->serial = 0;
    close(c->fd);
}

static void conn_open(int fd)
{
    static uint64_t serial;
    serial++;
    if (!conns[fd] && !(conns[fd] = malloc(sizeof *conns[fd])))
        die("out of memory");
    *conns[fd] = (struct conn){ .fd = fd, .serial = serial };
    struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &e);
}

static int on_frame(struct conn *c, struct frame frame)
{
    if (frame.opcode == OP_TEXT)
        return on_message(c, frame.body);
    if (frame.opcode == OP_PONG)
        return 0;
    int reply = frame.opcode == OP_PING ? OP_PONG : OP_CLOSE;
    frame_control(&c->out, false, reply, frame.body);
    due(c);
    return frame.opcode == OP_PING ? 0 : -1;
}

static int conn_read(struct conn *c)
{
    struct frame frame;
    int more;
    if (bytes_recv(&c->in, c->fd) < 0)
        return -1;
    if (!c->upgraded) {
        int answered = upgrade_answer(&c->in, &c->out);
        if (answered <= 0)
            return answered;
        c->upgraded = true;
        due(c);
    }
    while ((more = frame_take(&c->in, &frame)) > 0)
        if (on_frame(c, frame) < 0)
            return -1;
    return more;
}

static void turn(int listener)
{
    struct epoll_event events[MAX_TURN];
    int n = epoll_wait(poll_fd, events, MAX_TURN, -1);
    for (int i = 0; i < n; i++) {
        int fd = events[i].data.fd;
        if (fd == listener) {
            while ((fd = tcp_accept(listener)) >= 0)
                conn_open(fd);
            continue;
        }
        if (events[i].events & EPOLLOUT)
            flush(conns[fd]);
        if ((events[i].events & ~(unsigned)EPOLLOUT) && conn_read(conns[fd]) < 0)
            conn_close(conns[fd]);
    }
    flush_all();
}

int main(int argc, char **argv)
{
    if (argc < 2 || (strcmp(argv[1], "once") && strcmp(argv[1], "coalesced")))
        die("usage: relay once|coalesced [PORT]");
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max < MAX_FDS ? files.rlim_max : MAX_FDS;
    setrlimit(RLIMIT_NOFILE, &files);
    coalesced = argv[1][0] == 'c';
    poll_fd = epoll_create1(EPOLL_CLOEXEC);
    int listener = tcp_listen(argc > 2 ? atoi(argv[2]) : 0);
    struct epoll_event e = { .events = EPOLLIN, .data.fd = listener };
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &e);
    printf("%d\n", tcp_port(listener));
    fflush(stdout);
    for (;;)
        turn(listener);
}
