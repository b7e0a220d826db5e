/* loop.c - one loop over two backends. See loop.h.
 *
 * lws must be inside the waiting, so the waiting is lws's own poll, or a libev loop of
 * ours that lws was given as a foreign one (with a loop of lws's own, lws_service never
 * returns; libev's default loop would reap the app's children). What is not lws's
 * business - foreign descriptors, the eventfd behind loop_wake and signals - stands in
 * one epoll set, and the set's descriptor is all that a backend has to watch: the
 * backends differ in how they wait and in nothing else.
 *
 * After the waiting the round is finished here: ready descriptors, signals, timers, each
 * calling its handler. Timers stand in a heap because lws keeps its own in a sorted list,
 * which costs O(n) for each that is set; lws gets at most one, to end its poll in time.
 *
 * Not known here: WebSocket, messages, conns. */
#include "net/loop.h"

#include <assert.h>
#include <errno.h>
#include <ev.h>
#include <libwebsockets.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop_private.h"

#define SERVICE_BUFFER (64 * 1024) /* 2.5 times faster than 4 KiB at 64 KB messages */
#define LWS_PATIENCE 3600          /* s; the deadlines that count are ours */
#define EV_PLUGIN LWS_INSTALL_LIBDIR "/libwebsockets-evlib_ev.so"

struct loop {
    struct lws_context *context;
    struct ev_loop *ev; /* NULL: poll */
    struct ev_io ev_watches;
    struct ev_timer ev_limit;
    lws_sorted_usec_list_t poll_limit;
    int watches;  /* epoll set: foreign descriptors and `wake` */
    int wake;     /* eventfd */
    bool stirred; /* the waiting has seen the set ready */
    bool woken;   /* loop_wake came, and has not ended a wait yet */
    bool firing;  /* watches are freed later, because a batch of events points to them */
    struct list dead;  /* of struct watch */
    struct list ready; /* of struct watch: descriptors that epoll does not take (files) */
    struct heap timers; /* of struct loop_timer */
    uint64_t round;     /* ms, monotonic: when the last wait ended */
    struct {
        void *attached; /* NULL: nothing */
        void (*flush)(void *attached);
        void (*free_attached)(void *attached);
    } places[LOOP_PLACES];
};

struct watch {
    struct list node; /* in dead or ready */
    struct loop *loop;
    int fd;
    bool own_fd; /* a dup, because the set had this descriptor already */
    bool stays;  /* fires until it is unwatched */
    bool dead;
    void (*handler)(void *user);
    void *user;
};

/* ---- signals ----------------------------------------------------------------------- */

/* Dispositions belong to the process, so this is a table of the process. */
static struct watched_signal {
    struct loop *loop; /* NULL: not watched */
    volatile sig_atomic_t came;
    void (*handler)(int signo, void *user);
    void *user;
    struct sigaction former;
} signals[NSIG];

static void poke(int fd)
{
    uint64_t one = 1;
    int keep = errno;

    if (write(fd, &one, sizeof one) < 0)
        assert(errno == EAGAIN); /* it is readable already */
    errno = keep;
}

static void on_signal(int signo)
{
    struct watched_signal *s = &signals[signo];

    s->came = 1;
    if (s->loop)
        poke(s->loop->wake);
}

void loop_signal(struct loop *l, int signo, void (*handler)(int signo, void *user),
                 void *user)
{
    struct watched_signal *s = &signals[signo];
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    bool fresh = !s->loop;

    s->loop = l;
    s->handler = handler;
    s->user = user;
    if (!fresh)
        return;
    s->came = 0;
    sigemptyset(&action.sa_mask);
    sigaction(signo, &action, &s->former);
}

void loop_unsignal(struct loop *l, int signo)
{
    struct watched_signal *s = &signals[signo];

    if (s->loop != l)
        return;
    sigaction(signo, &s->former, NULL);
    s->loop = NULL;
}

void loop_run_signals(struct loop *l)
{
    for (int signo = 1; signo < NSIG; signo++) {
        struct watched_signal *s = &signals[signo];

        if (s->loop != l || !s->came)
            continue;
        s->came = 0;
        s->handler(signo, s->user);
    }
}

/* ---- descriptors ------------------------------------------------------------------- */

static bool watch_add(struct watch *w, bool write)
{
    struct epoll_event event = { .events = write ? EPOLLOUT : EPOLLIN, .data.ptr = w };

    event.events |= w->stays ? 0 : EPOLLONESHOT;
    if (epoll_ctl(w->loop->watches, EPOLL_CTL_ADD, w->fd, &event) == 0)
        return true;
    if (errno != EEXIST)
        return false;
    w->fd = dup(w->fd);
    w->own_fd = true;
    return w->fd >= 0 && epoll_ctl(w->loop->watches, EPOLL_CTL_ADD, w->fd, &event) == 0;
}

static struct watch *watch_new(struct watch like, bool write)
{
    struct watch *w = xcalloc(1, sizeof *w);

    *w = like;
    list_init(&w->node);
    if (!watch_add(w, write)) {
        list_push(&w->loop->ready, &w->node);
        loop_wake(w->loop);
    }
    return w;
}

struct watch *loop_watch(struct loop *l, int fd, bool write, void (*handler)(void *user),
                         void *user)
{
    return watch_new(
        (struct watch){ .loop = l, .fd = fd, .handler = handler, .user = user }, write);
}

struct watch *loop_watch_on(struct loop *l, int fd, void (*handler)(void *user),
                            void *user)
{
    return watch_new(
        (struct watch){
            .loop = l, .fd = fd, .handler = handler, .user = user, .stays = true },
        false);
}

void loop_unwatch(struct watch *w)
{
    if (!w || w->dead)
        return;
    w->dead = true;
    epoll_ctl(w->loop->watches, EPOLL_CTL_DEL, w->fd, NULL);
    if (w->own_fd)
        close(w->fd);
    list_remove(&w->node);
    if (w->loop->firing)
        list_push(&w->loop->dead, &w->node);
    else
        free(w);
}

static void watch_fire(struct watch *w)
{
    if (w->dead)
        return;
    if (!w->stays)
        loop_unwatch(w);
    w->handler(w->user);
}

/* Only those that stood there before: a handler may watch its file again. */
static void run_ready(struct loop *l)
{
    size_t n = 0;

    for (struct list *node = l->ready.next; node != &l->ready; node = node->next)
        n++;
    while (n-- && !list_empty(&l->ready))
        watch_fire(list_entry(l->ready.next, struct watch, node));
}

static void run_watches(struct loop *l)
{
    struct epoll_event events[64];
    struct list *node;
    uint64_t count;
    int n = l->stirred ? epoll_wait(l->watches, events, 64, 0) : 0;

    l->stirred = false;
    l->firing = true;
    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr)
            watch_fire(events[i].data.ptr);
        else if (read(l->wake, &count, sizeof count) > 0)
            l->woken = false;
    }
    run_ready(l);
    l->firing = false;
    while ((node = list_pop(&l->dead)) != NULL)
        free(list_entry(node, struct watch, node));
}

/* ---- timers ------------------------------------------------------------------------ */

uint64_t loop_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t loop_round(const struct loop *l)
{
    return l->round;
}

void loop_timer_set(struct loop *l, struct loop_timer *t, uint64_t when)
{
    heap_set(&l->timers, &t->timer, when);
}

void loop_timer_clear(struct loop *l, struct loop_timer *t)
{
    heap_clear(&l->timers, &t->timer);
}

static void run_timers(struct loop *l)
{
    struct timer *t;

    while ((t = heap_due(&l->timers, l->round)) != NULL) {
        struct loop_timer *due = timer_entry(t, struct loop_timer, timer);

        due->fired(due);
    }
}

/* ---- the two ways to wait ---------------------------------------------------------- */

static void ev_stirred(struct ev_loop *ev, struct ev_io *w, int revents)
{
    struct loop *l = w->data;

    (void)ev, (void)revents;
    l->stirred = true;
}

static void ev_enough(struct ev_loop *ev, struct ev_timer *w, int revents)
{
    (void)ev, (void)w, (void)revents;
}

static void ev_wait(struct loop *l, int64_t ms)
{
    if (ms > 0) {
        ev_now_update(l->ev);
        ev_timer_set(&l->ev_limit, (double)ms / 1000.0, 0.0);
        ev_timer_start(l->ev, &l->ev_limit);
    }
    ev_run(l->ev, ms == 0 ? EVRUN_NOWAIT : EVRUN_ONCE);
    if (ms > 0)
        ev_timer_stop(l->ev, &l->ev_limit);
}

static void poll_enough(lws_sorted_usec_list_t *sul)
{
    (void)sul;
}

/* lws_service looks at the sign of its timeout only: negative means not to wait at
 * all, anything else to wait for ever. */
static void poll_wait(struct loop *l, int64_t ms)
{
    if (ms > 0)
        lws_sul_schedule(l->context, 0, &l->poll_limit, poll_enough, ms * LWS_US_PER_MS);
    lws_service(l->context, ms == 0 ? -1 : 0);
    if (ms > 0)
        lws_sul_cancel(&l->poll_limit);
}

static int64_t until_due(struct loop *l, int64_t ms)
{
    uint64_t deadline = heap_deadline(&l->timers), now;

    if (l->woken || !list_empty(&l->ready))
        return 0;
    if (ms == 0 || deadline == NEVER)
        return ms;
    now = loop_now();
    if (deadline <= now)
        return 0;
    if (ms < 0 || deadline - now < (uint64_t)ms)
        return (int64_t)(deadline - now);
    return ms;
}

void loop_flush(struct loop *l)
{
    for (int i = 0; i < LOOP_PLACES; i++)
        if (l->places[i].attached)
            l->places[i].flush(l->places[i].attached);
}

void loop_run_once(struct loop *l, int64_t timeout_ms)
{
    int64_t ms;

    loop_flush(l);
    ms = until_due(l, timeout_ms);
    if (l->ev)
        ev_wait(l, ms);
    else
        poll_wait(l, ms);
    l->round = loop_now();
    run_watches(l);
    loop_run_signals(l);
    run_timers(l);
}

void loop_wake(struct loop *l)
{
    l->woken = true;
    poke(l->wake);
}

/* ---- making and freeing ------------------------------------------------------------ */

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t len)
{
    struct loop *l = lws_context_user(lws_get_context(wsi));

    (void)user, (void)in, (void)len;
    if (reason == LWS_CALLBACK_RAW_RX_FILE)
        l->stirred = true;
    return 0;
}

static const struct lws_protocols protocols[] = { { "watches", on_lws, 0, 0, 0, NULL, 0 },
                                                  { NULL, NULL, 0, 0, 0, NULL, 0 } };

static void lws_line(int level, const char *line)
{
    (void)level;
    log_debug("lws: %.*s", (int)strcspn(line, "\n"), line);
}

static struct lws_context *context_new(struct loop *l, void *foreign_loop)
{
    void *loops[1] = { foreign_loop };
    struct lws_context_creation_info info = { 0 };

    info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
    if (foreign_loop) {
        info.options |= LWS_SERVER_OPTION_LIBEV;
        info.foreign_loops = loops;
    }
    info.user = l;
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.gid = -1;
    info.uid = -1;
    info.pt_serv_buf_size = SERVICE_BUFFER;
    info.timeout_secs = LWS_PATIENCE;
    lws_set_log_level(log_on(LOG_DEBUG) ? LLL_ERR | LLL_WARN : 0, lws_line);
    return lws_create_context(&info);
}

/* lws's poll watches the epoll set as a raw file. */
static bool watch_by_poll(struct loop *l)
{
    struct lws_context_creation_info info = { 0 };
    lws_sock_file_fd_type fd = { .filefd = dup(l->watches) };
    struct lws_vhost *vhost;

    info.vhost_name = "watches";
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.protocols = protocols;
    info.http_proxy_address = ""; /* or lws takes it from the environment */
    vhost = lws_create_vhost(l->context, &info);
    return vhost && lws_adopt_descriptor_vhost(vhost, LWS_ADOPT_RAW_FILE_DESC, fd,
                                               protocols[0].name, NULL);
}

static bool start_ev(struct loop *l)
{
    if (access(EV_PLUGIN, R_OK) != 0)
        return false;
    l->ev = ev_loop_new(EVFLAG_AUTO);
    l->context = l->ev ? context_new(l, l->ev) : NULL;
    if (!l->context)
        return false;
    ev_io_init(&l->ev_watches, ev_stirred, l->watches, EV_READ);
    l->ev_watches.data = l;
    ev_io_start(l->ev, &l->ev_watches);
    ev_init(&l->ev_limit, ev_enough);
    return true;
}

static bool start_poll(struct loop *l)
{
    l->context = context_new(l, NULL);
    return l->context && watch_by_poll(l);
}

static bool poll_wanted(void)
{
    const char *wanted = getenv("WAMPY_LOOP");

    return wanted && !strcmp(wanted, "poll");
}

static bool start(struct loop *l, enum loop_backend backend)
{
    if (backend == LOOP_AUTO && poll_wanted())
        backend = LOOP_POLL;
    if (backend != LOOP_POLL && start_ev(l))
        return true;
    if (backend == LOOP_EV)
        return false;
    if (l->ev)
        ev_loop_destroy(l->ev);
    l->ev = NULL;
    if (backend == LOOP_AUTO)
        log_warn(
            "libwebsockets' libev plugin (package libwebsockets-evlib-ev) cannot be had: "
            "poll it is, slow from about 200 connections on");
    return start_poll(l);
}

static void watch_wake(struct loop *l)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };

    l->watches = epoll_create1(EPOLL_CLOEXEC);
    l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    epoll_ctl(l->watches, EPOLL_CTL_ADD, l->wake, &event);
}

struct loop *loop_new(enum loop_backend backend)
{
    struct loop *l = xcalloc(1, sizeof *l);

    list_init(&l->dead);
    list_init(&l->ready);
    watch_wake(l);
    l->round = loop_now();
    if (start(l, backend))
        return l;
    loop_free(l);
    return NULL;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    for (int signo = 1; signo < NSIG; signo++)
        loop_unsignal(l, signo);
    if (l->ev)
        ev_io_stop(l->ev, &l->ev_watches);
    if (l->context)
        lws_context_destroy(l->context);
    for (int i = 0; i < LOOP_PLACES; i++)
        if (l->places[i].attached)
            l->places[i].free_attached(l->places[i].attached);
    if (l->ev)
        ev_loop_destroy(l->ev);
    heap_fini(&l->timers);
    close(l->watches);
    close(l->wake);
    free(l);
}

const char *loop_backend_name(const struct loop *l)
{
    return l->ev ? "ev" : "poll";
}

void *loop_context(struct loop *l)
{
    return l->context;
}

void *loop_attached(const struct loop *l, enum loop_place place)
{
    return l->places[place].attached;
}

void loop_attach(struct loop *l, enum loop_place place, void *attached,
                 void (*flush)(void *attached), void (*free_attached)(void *attached))
{
    l->places[place].attached = attached;
    l->places[place].flush = flush;
    l->places[place].free_attached = free_attached;
}
