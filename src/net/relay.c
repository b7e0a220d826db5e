/* relay.c - a connection that is there already, for lws, which wants to make its own. See
 * relay.h.
 *
 * lws is given the address of a socket of ours in the abstract namespace, whose name
 * nobody knows before; what it connects there is carried on to the connection, both ways,
 * by this process only. A side that does not take everything stops the reading of the
 * other. When one has ended the other is told, and both are let go when it has, too, or
 * has taken nothing for a while.
 *
 * Not known here: what is carried. */
#include "net/relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/loop_private.h"

#define PIECE (64 * 1024)
#define LINGER_MS 10000 /* for the side that has not ended, once the other has */

struct side {
    struct relay *relay;
    struct side *other;
    int fd;              /* owned; -1: not there yet */
    struct watch *reads; /* NULL: not listened to for now */
    struct watch *room;  /* waiting for room; else NULL */
    struct buf *waiting; /* owned: what it has not taken yet; else NULL */
    bool ended;          /* no more will come from it */
};

struct relay {
    struct list node; /* in the owner's list */
    struct loop *loop;
    struct side near, far;
    int ear; /* owned: where lws connects; -1: it has */
    struct watch *calls;
    struct loop_timer linger;
};

static void on_readable(void *user);
static void on_room(void *user);

/* ---- the end ----------------------------------------------------------------------- */

static void stop(struct watch **w)
{
    loop_unwatch(*w);
    *w = NULL;
}

static void side_fini(struct side *s)
{
    stop(&s->reads);
    stop(&s->room);
    buf_unref(s->waiting);
    if (s->fd >= 0)
        close(s->fd);
}

static void relay_free(struct relay *r)
{
    list_remove(&r->node);
    loop_timer_clear(r->loop, &r->linger);
    stop(&r->calls);
    if (r->ear >= 0)
        close(r->ear);
    side_fini(&r->near);
    side_fini(&r->far);
    free(r);
}

static void on_linger(struct loop_timer *t)
{
    relay_free(timer_entry(t, struct relay, linger));
}

/* ---- carrying ---------------------------------------------------------------------- */

/* False when this side is of no use any more. */
static bool put(struct side *s, const char *p, size_t n)
{
    ssize_t sent = send(s->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent < 0 && errno != EAGAIN)
        return false;
    p += sent < 0 ? 0 : sent;
    n -= sent < 0 ? 0 : (size_t)sent;
    if (!n)
        return true;
    s->waiting = buf_from(p, n);
    stop(&s->other->reads);
    s->room = loop_watch(s->relay->loop, s->fd, true, on_room, s);
    return true;
}

/* Both have had their say, and taken what there was. */
static void part(struct relay *r)
{
    if (r->near.ended && r->far.ended && !r->near.waiting && !r->far.waiting)
        relay_free(r);
}

/* Nothing more comes from `s`; the other side hears of it behind what it has to take. */
static void end(struct side *s)
{
    struct relay *r = s->relay;

    s->ended = true;
    stop(&s->reads);
    if (!s->other->waiting)
        shutdown(s->other->fd, SHUT_WR);
    loop_timer_set(r->loop, &r->linger, loop_round(r->loop) + LINGER_MS);
    part(r);
}

static void on_readable(void *user)
{
    static char piece[PIECE]; /* of no use to anybody when this returns */
    struct side *s = user;
    ssize_t n = recv(s->fd, piece, sizeof piece, MSG_DONTWAIT);

    if (n == 0)
        end(s);
    else if (n > 0 ? !put(s->other, piece, (size_t)n) : errno != EAGAIN && errno != EINTR)
        relay_free(s->relay);
}

static void on_room(void *user)
{
    struct side *s = user;
    struct buf *waiting = s->waiting;
    bool good;

    s->room = NULL;
    s->waiting = NULL;
    good = put(s, waiting->data, waiting->len);
    buf_unref(waiting);
    if (!good)
        relay_free(s->relay);
    else if (!s->waiting && s->other->ended)
        end(s->other);
    else if (!s->waiting)
        s->other->reads =
            loop_watch_on(s->relay->loop, s->other->fd, on_readable, s->other);
}

/* ---- the meeting ------------------------------------------------------------------- */

static bool is_ours(int fd)
{
    struct ucred who = { 0 };
    socklen_t n = sizeof who;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 && who.pid == getpid();
}

static void on_call(void *user)
{
    struct relay *r = user;
    int fd = accept4(r->ear, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= 0 && !is_ours(fd)) {
        close(fd);
        fd = -1;
    }
    if (fd < 0)
        return;
    stop(&r->calls);
    close(r->ear);
    r->ear = -1;
    loop_timer_clear(r->loop, &r->linger);
    r->near.fd = fd;
    r->near.reads = loop_watch_on(r->loop, fd, on_readable, &r->near);
    r->far.reads = loop_watch_on(r->loop, r->far.fd, on_readable, &r->far);
}

/* A listening socket with a name nobody can guess. */
static int listen_hidden(char name[RELAY_NAME])
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    uint64_t random[2];
    socklen_t n; /* as lws takes it: without NULs behind the name */

    if (fd < 0 || getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        abort();
    snprintf(name, RELAY_NAME, "+@wampy-%016llx%016llx", (unsigned long long)random[0],
             (unsigned long long)random[1]);
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s", name + 2);
    n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name + 1));
    if (bind(fd, (struct sockaddr *)&address, n) == 0 && listen(fd, 1) == 0)
        return fd;
    close(fd);
    return -1;
}

bool relay_open(struct loop *l, struct list *owner, int fd, char name[RELAY_NAME])
{
    struct relay *r;
    int on = 1, ear = listen_hidden(name);

    if (ear < 0) {
        close(fd);
        return false;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    r = xcalloc(1, sizeof *r);
    r->loop = l;
    r->ear = ear;
    r->linger.fired = on_linger;
    r->near = (struct side){ .relay = r, .other = &r->far, .fd = -1 };
    r->far = (struct side){ .relay = r, .other = &r->near, .fd = fd };
    r->calls = loop_watch_on(l, ear, on_call, r);
    loop_timer_set(l, &r->linger, loop_now() + LINGER_MS); /* until somebody calls */
    list_push(owner, &r->node);
    return true;
}

void relay_free_all(struct list *owner)
{
    struct list *node, *tmp;

    list_each (node, tmp, owner)
        relay_free(list_entry(node, struct relay, node));
}
