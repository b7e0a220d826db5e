/* supervise.c - see supervise.h. The parent of a crew: it forks, waits, and starts again.
 *
 * The idea: a slot is a number and whoever lives under it at the moment. What happens to
 * slots comes in by one poll: signals by a signalfd, and each process by a socket, on
 * which it reports that it is ready, and is asked to end in peace. Every pause is a time
 * in a slot, so nothing is ever waited for with a process in hand.
 *
 * Signals: workers are process groups of their own, so that Ctrl-C reaches the parent
 * alone and nobody is told twice. The first INT or TERM ends them gracefully, the second
 * at once. HUP replaces one worker after the other. USR1 is passed on.
 *
 * Not known here: what a worker does, and Lua. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/notify.h"
#include "supervise_private.h"

#define FIRST_ALONE 1000 /* ms that worker 1 has to get ready before the others start */
#define PEACE_MORE 10000 /* ms beyond twice the grace, for GOODBYE and its answer */

static void kill_slot(const struct slot *slot, int signo)
{
    if (slot->pid)
        kill(slot->pid, signo);
}

/* Worker 1 goes first, so that what is wrong with the app is said once. Lets the others
 * follow at `due`, if not earlier. */
static void release(struct supervisor *s, uint64_t due)
{
    for (int i = 2; i < s->count; i++)
        if (s->slots[i].life == WAITING && !s->slots[i].lives && s->slots[i].due > due)
            s->slots[i].due = due;
}

/* ---- ending ------------------------------------------------------------------------ */

static bool workers_ended(const struct supervisor *s)
{
    for (int i = 1; i < s->count; i++)
        if (s->slots[i].life != ENDED)
            return false;
    return true;
}

static void stop_slot(struct slot *slot)
{
    if (!slot->pid)
        slot->life = ENDED;
    kill_slot(slot, SIGTERM);
}

static void stop(struct supervisor *s, int code)
{
    s->stopping = true;
    s->code = code;
    notify("STOPPING=1");
    for (int i = 1; i < s->count; i++)
        stop_slot(&s->slots[i]);
}

/* The router is the last to go, so that workers can say GOODBYE to it. */
static void close_router(struct supervisor *s)
{
    if (s->closing || !workers_ended(s))
        return;
    s->stopping = s->closing = true;
    stop_slot(&s->slots[0]);
}

static void force(struct supervisor *s, int signo)
{
    s->code = 128 + signo;
    for (int i = 0; i < s->count; i++)
        if (s->slots[i].pid)
            kill(-s->slots[i].pid, SIGKILL);
}

/* Whether an exit code says that starting again mends nothing: usage, the app or its
 * configuration, credentials. Before anything has worked, whatever --retries gave up. */
static bool is_final(const struct supervisor *s, const struct slot *slot, int code)
{
    if (slot->rolling)
        return false;
    return code == 2 || code == 3 || code == 5 ||
           (code >= 4 && code <= 8 && !s->slots[slot->number ? 1 : 0].was_ready);
}

static void describe_end(const struct slot *slot, pid_t pid, int status)
{
    double pause = (double)slot->pause / 1000;

    if (WIFSIGNALED(status))
        log_warn(
            "%s (pid %d) was ended by signal %d (%s); starting again in %.1f s [W910]",
            slot->name, (int)pid, WTERMSIG(status), strsignal(WTERMSIG(status)), pause);
    else
        log_warn("%s (pid %d) ended with exit code %d; starting again in %.1f s [W910]",
                 slot->name, (int)pid, WEXITSTATUS(status), pause);
}

/* The new one of a roll does not come up: the others keep what they have. */
static void give_up_roll(struct supervisor *s, const struct slot *slot)
{
    log_error("%s does not come up again; the other workers go on as they are [W908]",
              slot->name);
    for (int i = 1; i < s->count; i++)
        s->slots[i].stale = false;
}

static void died(struct supervisor *s, struct slot *slot, pid_t pid, int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

    if (slot->life == DRAINING) {
        slot->life = WAITING;
        slot->due = 0;
    } else if (code == 0 && slot->number) {
        slot->life = ENDED;
        release(s, 0);
    } else if (is_final(s, slot, code)) {
        slot->life = ENDED;
        stop(s, code);
    } else {
        if (slot->rolling && slot->life == STARTING)
            give_up_roll(s, slot);
        slot_back_off(slot, supervise_now());
        describe_end(slot, pid, status);
    }
}

static void ended(struct supervisor *s, struct slot *slot, int status)
{
    pid_t pid = slot->pid;

    slot_close_control(slot);
    slot->pid = 0;
    if (s->stopping)
        slot->life = ENDED;
    else
        died(s, slot, pid, status);
}

static void reap(struct supervisor *s)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (int i = 0; i < s->count; i++)
            if (s->slots[i].pid == pid) {
                ended(s, &s->slots[i], status);
                break;
            }
}

/* ---- rolling ----------------------------------------------------------------------- */

/* Asks one worker to make room for a new one. */
static void replace(struct supervisor *s, struct slot *slot)
{
    slot->stale = false;
    slot->rolling = true;
    slot->pause = 0;
    if (!slot->pid) {
        slot->due = 0;
        return;
    }
    if (slot->life == READY && send(slot->control, "", 1, MSG_NOSIGNAL) != 1)
        return; /* it is dead already, which is about to be noticed */
    if (slot->life == STARTING)
        kill_slot(slot, SIGTERM);
    slot->life = DRAINING;
    slot->due = supervise_now() + 2 * s->crew->grace + PEACE_MORE;
}

/* One at a time: the next one when the last has been replaced. */
static void roll(struct supervisor *s)
{
    struct slot *next = NULL;

    for (int i = s->count - 1; i > 0; i--) {
        if (s->slots[i].rolling)
            return;
        if (s->slots[i].stale && s->slots[i].life != ENDED)
            next = &s->slots[i];
    }
    if (next) {
        replace(s, next);
    } else if (s->reloading) {
        s->reloading = false;
        notify("READY=1");
    }
}

static void hang_up(struct supervisor *s)
{
    if (s->announced)
        notify_reloading();
    s->reloading = s->announced;
    for (int i = 1; i < s->count; i++) {
        s->slots[i].stale = true;
        if (s->slots[i].rolling && s->slots[i].life == WAITING)
            s->slots[i].due = 0; /* what kept it from coming up may be mended */
    }
}

/* ---- what comes in ----------------------------------------------------------------- */

static void announce(struct supervisor *s)
{
    int workers = s->crew->workers;
    char status[60];

    for (int i = 1; i < s->count; i++)
        if (!s->slots[i].was_ready)
            return;
    if (s->announced || s->stopping)
        return;
    s->announced = true;
    printf("%-12s %d worker%s\n", "ready.", workers, workers == 1 ? "" : "s");
    fflush(stdout);
    snprintf(status, sizeof status, "READY=1\nSTATUS=%d worker%s", workers,
             workers == 1 ? "" : "s");
    notify(status);
}

static void ready(struct supervisor *s, struct slot *slot, const char *url)
{
    if (slot->life != STARTING)
        return;
    slot->life = READY;
    if (slot->was_ready)
        log_info("%s (pid %d) is ready again", slot->name, (int)slot->pid);
    slot->was_ready = true;
    slot->rolling = false;
    if (slot->number) {
        release(s, 0);
        announce(s);
    } else {
        snprintf(s->router, sizeof s->router, "%s", url);
        if (!s->slots[1].lives)
            s->slots[1].due = 0;
    }
}

static void hear(struct supervisor *s, struct slot *slot)
{
    char note[NOTE_SIZE];
    ssize_t n = recv(slot->control, note, sizeof note - 1, MSG_DONTWAIT);

    if (n > 0) {
        note[n] = '\0';
        if (!strcmp(note, REPLACE))
            hang_up(s);
        else
            ready(s, slot, note);
    } else if (n == 0 || errno != EAGAIN) {
        slot_close_control(slot);
    }
}

static void signalled(struct supervisor *s)
{
    struct signalfd_siginfo info;

    if (read(s->polls[0].fd, &info, sizeof info) != sizeof info)
        return;
    switch (info.ssi_signo) {
    case SIGCHLD:
        reap(s);
        return;
    case SIGHUP:
        hang_up(s);
        return;
    case SIGUSR1:
        for (int i = 0; i < s->count; i++)
            kill_slot(&s->slots[i], SIGUSR1);
        return;
    default:
        if (s->stopping)
            force(s, (int)info.ssi_signo);
        else
            stop(s, 0);
    }
}

/* ---- the loop ---------------------------------------------------------------------- */

static void act(struct supervisor *s, struct slot *slot)
{
    if (slot->life == WAITING)
        slot_start(s, slot);
    else if (slot->life == DRAINING) {
        log_warn("%s (pid %d) does not end; it is killed [W910]", slot->name,
                 (int)slot->pid);
        kill(-slot->pid, SIGKILL);
        slot->due = NEVER;
    }
}

/* Tells the service manager that the loop goes round; until when it need not. */
static uint64_t tick_watchdog(struct supervisor *s, uint64_t now)
{
    uint64_t interval = notify_interval();

    if (!interval)
        return NEVER;
    if (s->watchdog <= now) {
        notify("WATCHDOG=1");
        s->watchdog = now + interval;
    }
    return s->watchdog;
}

/* Does what is due; until when there is nothing more to do. */
static uint64_t tick(struct supervisor *s)
{
    uint64_t now = supervise_now(), next = tick_watchdog(s, now);

    if (!s->stopping)
        roll(s);
    for (int i = 0; i < s->count; i++) {
        struct slot *slot = &s->slots[i];

        if (slot->life != WAITING && slot->life != DRAINING)
            continue;
        if (slot->due <= now) {
            act(s, slot);
            if (slot->number == 1 && slot->lives == 1)
                release(s, now + FIRST_ALONE);
        }
        if ((slot->life == WAITING || slot->life == DRAINING) && slot->due < next)
            next = slot->due;
    }
    return next;
}

static bool alive(const struct supervisor *s)
{
    return s->slots[0].life != ENDED || !workers_ended(s);
}

static void turn(struct supervisor *s)
{
    uint64_t next = tick(s), now = supervise_now();
    int timeout = -1;

    if (next != NEVER)
        timeout = next > now ? (int)(next - now) : 0;
    for (int i = 0; i < s->count; i++)
        s->polls[i + 1] = (struct pollfd){ .fd = s->slots[i].control, .events = POLLIN };
    if (poll(s->polls, (nfds_t)s->count + 1, timeout) < 0)
        return;
    for (int i = 0; i < s->count; i++) /* reports before deaths */
        if (s->polls[i + 1].revents)
            hear(s, &s->slots[i]);
    if (s->polls[0].revents)
        signalled(s);
    close_router(s);
}

static void watch_signals(struct supervisor *s)
{
    static const int watched[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD };
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++)
        sigaddset(&set, watched[i]);
    sigprocmask(SIG_BLOCK, &set, &s->former);
    s->polls[0].events = POLLIN;
    s->polls[0].fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    assert(s->polls[0].fd >= 0);
}

static void begin(struct supervisor *s, const struct crew *crew)
{
    s->crew = crew;
    s->count = crew->workers + 1;
    s->slots = xcalloc((size_t)s->count, sizeof *s->slots);
    s->polls = xcalloc((size_t)s->count + 1, sizeof *s->polls);
    for (int i = 0; i < s->count; i++) {
        s->slots[i] = (struct slot){ .number = i, .control = -1, .due = NEVER };
        snprintf(s->slots[i].name, sizeof s->slots[i].name, i ? "worker %d" : "router",
                 i);
    }
    s->slots[crew->router ? 0 : 1].due = 0;
    if (!crew->router)
        s->slots[0].life = ENDED;
    watch_signals(s);
    srandom((unsigned)getpid() ^ (unsigned)supervise_now());
}

int supervise(const struct crew *crew)
{
    struct supervisor s = { 0 };

    begin(&s, crew);
    while (alive(&s))
        turn(&s);
    close(s.polls[0].fd);
    sigprocmask(SIG_SETMASK, &s.former, NULL);
    free(s.polls);
    free(s.slots);
    return s.code;
}

/* When nobody listens any more, the end is near anyway. */
static void report(const struct worker *w, const char *note)
{
    (void)!send(w->control, note, strlen(note), MSG_NOSIGNAL);
}

void supervise_ready(const struct worker *w, const char *url)
{
    report(w, url ? url : "ready");
}

void supervise_replace(const struct worker *w)
{
    report(w, REPLACE);
}
