/* supervise_start.c - how a process of the crew comes to life: the fork, what the child
 * must let go of and be told, and how long to wait before the next try.
 *
 * Parent and child share a socket, and nothing else: the child reports there that it is
 * ready, and is asked there to end in peace. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "net/notify.h"
#include "supervise_private.h"

#define PAUSE_FIRST 100 /* ms, after a first death */
#define PAUSE_MAX 30000 /* ms */
#define RAN_WELL 10000  /* ms; who lived as long has a first death again */

uint64_t supervise_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void slot_close_control(struct slot *slot)
{
    if (slot->control >= 0)
        close(slot->control);
    slot->control = -1;
}

/* The child's side of a fork. Ends with its parent, whatever ended that and wherever the
 * child hangs. */
static _Noreturn void live(struct supervisor *s, struct slot *slot, int control,
                           pid_t parent)
{
    struct worker w = { .number = slot->number,
                        .lives = slot->lives,
                        .control = control,
                        .router = s->router[0] ? s->router : NULL };
    char number[16];

    for (int i = 0; i < s->count; i++)
        slot_close_control(&s->slots[i]);
    close(s->polls[0].fd);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    sigprocmask(SIG_SETMASK, &s->former, NULL);
    log_set_name(slot->name);
    notify_never(); /* the parent speaks for all */
    snprintf(number, sizeof number, "%d", slot->number);
    setenv("WAMPY_WORKER", number, 1);
    exit(s->crew->work(&w, s->crew->user));
}

/* A quarter more or less, so that workers do not walk in step. */
void slot_back_off(struct slot *slot, uint64_t now)
{
    uint64_t spread;

    if (!slot->pause || now - slot->since >= RAN_WELL)
        slot->pause = PAUSE_FIRST;
    else
        slot->pause = slot->pause * 2 < PAUSE_MAX ? slot->pause * 2 : PAUSE_MAX;
    spread = slot->pause / 4;
    slot->life = WAITING;
    slot->due = now + slot->pause - spread + (uint64_t)random() % (2 * spread);
}

/* The process's end of a new control socket; negative when there is none to be had. */
static int open_control(struct slot *slot)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    slot->control = ends[0];
    return ends[1];
}

static void cannot_start(struct slot *slot, const char *why)
{
    slot->pid = 0;
    slot_close_control(slot);
    slot_back_off(slot, slot->since);
    log_warn("%s cannot be started: %s; trying again in %.1f s [W910]", slot->name, why,
             (double)slot->pause / 1000);
}

void slot_start(struct supervisor *s, struct slot *slot)
{
    pid_t parent = getpid();
    int theirs;

    slot->since = supervise_now();
    theirs = open_control(slot);
    slot->pid = theirs < 0 ? -1 : fork();
    if (slot->pid == 0)
        live(s, slot, theirs, parent);
    if (slot->pid < 0) {
        cannot_start(slot, strerror(errno));
    } else {
        setpgid(slot->pid, slot->pid); /* whoever of the two comes first */
        slot->life = STARTING;
        slot->stale = false;
        slot->lives++;
    }
    if (theirs >= 0)
        close(theirs);
}
