/* test_loop.c - waiting, waking, signals, descriptors; everything on both backends. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "net/loop_private.h"

void test_loop(void);

static const enum loop_backend backends[] = { LOOP_POLL, LOOP_EV };
static const char *const names[] = { "poll", "ev" };
static int calls, last;

static void count(void *user)
{
    calls++;
    last = *(int *)user;
}

static void on_signal(int signo, void *user)
{
    (void)user;
    calls++;
    last = signo;
}

static void old_handler(int signo)
{
    (void)signo;
}

static uint64_t cpu_us(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000u +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void waits_as_long_as_asked(struct loop *l)
{
    uint64_t start, cpu;

    for (int i = 0; i < 5; i++)
        loop_run_once(l, 0); /* whatever starting up has left */
    start = loop_now();
    loop_run_once(l, 0);
    CHECK(loop_now() - start < 1000);
    start = loop_now();
    cpu = cpu_us();
    while (loop_now() - start < 100)
        loop_run_once(l, 100 - (int64_t)(loop_now() - start));
    CHECK(loop_now() - start < 3000);
    CHECK(cpu_us() - cpu < 30000);
}

static void wakes(struct loop *l)
{
    uint64_t start = loop_now();

    loop_wake(l);
    loop_wake(l);
    loop_run_once(l, 20000);
    CHECK(loop_now() - start < 5000);
    start = loop_now();
    for (int i = 0; i < 20; i++)
        loop_run_once(l, 5); /* the wake has been used up: these wait */
    CHECK(loop_now() - start >= 60);
}

static void *signal_later(void *pid)
{
    usleep(50000);
    kill(*(pid_t *)pid, SIGUSR1);
    return NULL;
}

/* An idle loop without any limit sees a signal at once. */
static void ends_by_signal(struct loop *l)
{
    struct sigaction former, now;
    pthread_t thread;
    pid_t pid = getpid();
    uint64_t start;

    signal(SIGUSR1, old_handler);
    sigaction(SIGUSR1, NULL, &former);
    calls = 0;
    loop_signal(l, SIGUSR1, on_signal, NULL);
    for (int i = 0; i < 5; i++)
        loop_run_once(l, 0);
    pthread_create(&thread, NULL, signal_later, &pid);
    start = loop_now();
    while (!calls && loop_now() - start < 10000)
        loop_run_once(l, -1);
    CHECK(loop_now() - start < 1000);
    pthread_join(thread, NULL);
    CHECK_INT(calls, 1);
    CHECK_INT(last, SIGUSR1);
    loop_unsignal(l, SIGUSR1);
    sigaction(SIGUSR1, NULL, &now);
    CHECK(now.sa_handler == former.sa_handler);
    signal(SIGUSR1, SIG_DFL);
}

static void run_until(struct loop *l, const int *counter, int want)
{
    uint64_t end = loop_now() + 5000;

    while (*counter < want && loop_now() < end)
        loop_run_once(l, 100);
}

static void watches_once(struct loop *l)
{
    int fds[2], one = 1, two = 2;
    struct watch *w;

    CHECK(pipe(fds) == 0);
    calls = 0;
    loop_watch(l, fds[0], false, count, &one);
    for (int i = 0; i < 5; i++)
        loop_run_once(l, 1);
    CHECK_INT(calls, 0);
    CHECK(write(fds[1], "x", 1) == 1);
    run_until(l, &calls, 1);
    for (int i = 0; i < 5; i++)
        loop_run_once(l, 1);
    CHECK_INT(calls, 1); /* it is still readable, but was watched once */
    w = loop_watch(l, fds[0], false, count, &one);
    loop_unwatch(w);
    for (int i = 0; i < 5; i++)
        loop_run_once(l, 1);
    CHECK_INT(calls, 1);
    loop_watch(l, fds[1], true, count, &two);
    run_until(l, &calls, 2);
    CHECK_INT(last, 2);
    close(fds[0]);
    close(fds[1]);
}

/* Two that wait for the same descriptor, and one for a file, which is always ready. */
static void watches_twice_and_files(struct loop *l)
{
    int fds[2], one = 1, file = open("/etc/passwd", O_RDONLY);

    CHECK(pipe(fds) == 0);
    calls = 0;
    loop_watch(l, fds[0], false, count, &one);
    loop_watch(l, fds[0], false, count, &one);
    loop_watch(l, file, false, count, &one);
    run_until(l, &calls, 1);
    CHECK_INT(calls, 1);
    CHECK(write(fds[1], "x", 1) == 1);
    run_until(l, &calls, 3);
    CHECK_INT(calls, 3);
    close(fds[0]);
    close(fds[1]);
    close(file);
}

static void cancel_other(void *user)
{
    calls++;
    loop_unwatch(*(struct watch **)user);
    *(struct watch **)user = NULL;
}

/* Of two ready ones, whichever runs first takes the other one away. */
static void cancels_inside_a_handler(struct loop *l)
{
    struct watch *both[2];
    int fds[2];

    CHECK(pipe(fds) == 0);
    CHECK(write(fds[1], "x", 1) == 1);
    calls = 0;
    both[0] = loop_watch(l, fds[0], false, cancel_other, &both[1]);
    both[1] = loop_watch(l, fds[0], false, cancel_other, &both[0]);
    for (int i = 0; i < 10; i++)
        loop_run_once(l, 1);
    CHECK_INT(calls, 1);
    close(fds[0]);
    close(fds[1]);
}

struct ticker {
    struct loop_timer timer;
    int n;
};

static void tick(struct loop_timer *t)
{
    calls++;
    last = ((struct ticker *)t)->n;
}

static void fires_timers_in_order(struct loop *l)
{
    struct ticker a = { { .fired = tick }, 1 }, b = { { .fired = tick }, 2 };
    struct ticker never = { { .fired = tick }, 3 };
    uint64_t start = loop_now();

    calls = 0;
    loop_timer_set(l, &a.timer, start + 60);
    loop_timer_set(l, &b.timer, start + 20);
    loop_timer_set(l, &never.timer, start + 40);
    loop_timer_clear(l, &never.timer);
    run_until(l, &calls, 1);
    CHECK_INT(last, 2);
    while (calls < 2 && loop_now() < start + 5000)
        loop_run_once(l, -1);
    CHECK_INT(last, 1);
    CHECK_INT(calls, 2);
    CHECK(loop_now() - start >= 60);
}

/* Children of the program are its own business: the loop must not reap them. */
static void leaves_children_alone(struct loop *l)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(7);
    for (int i = 0; i < 20; i++)
        loop_run_once(l, 2);
    CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
}

static void whole_loop(enum loop_backend backend, const char *name)
{
    struct loop *l = loop_new(backend);

    CHECK(l != NULL);
    if (!l)
        return;
    CHECK_STR(loop_backend_name(l), name);
    waits_as_long_as_asked(l);
    wakes(l);
    ends_by_signal(l);
    watches_once(l);
    watches_twice_and_files(l);
    cancels_inside_a_handler(l);
    fires_timers_in_order(l);
    leaves_children_alone(l);
    loop_free(l);
}

void test_loop(void)
{
    struct loop *l;

    for (int i = 0; i < 2; i++) {
        TEST(i ? "waits, wakes, sees signals, watches descriptors (ev)"
               : "waits, wakes, sees signals, watches descriptors (poll)");
        whole_loop(backends[i], names[i]);
    }
    TEST("always gives some loop");
    l = loop_new(LOOP_AUTO);
    CHECK(l != NULL);
    loop_free(l);
}
