/* watchdog.c - Lua code that computes for ever keeps everybody waiting: pings, timers,
 * signals.
 *
 * The idea: a timer on the process's CPU clock (an idle process never wakes for it)
 * sends a signal every second of CPU. If the same task has run since the last one, a
 * debug hook is set on it; the hook, back in Lua's own time, names the line once and
 * lets signals that came act. This is how lua(1) itself interrupts a script: lua_sethook
 * is what may be called from a handler. */
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "lua/errors.h"
#include "lua/state.h"

#define WATCHDOG_SIGNAL (SIGRTMAX - 3)
#define HOOK_COUNT 100000 /* instructions between two looks at signals, once it is set */

struct watchdog {
    timer_t timer;
    unsigned long seen;   /* S->resumes at the last tick */
    unsigned long warned; /* S->resumes of the task that has been named */
    struct sigaction former;
};

/* The universe that is watched: one signal of the process, so one universe. */
static struct state *watched;

static void hook(lua_State *L, lua_Debug *ar)
{
    struct state *S = watched;
    int before;

    if (!S)
        return;
    lua_sethook(L, hook, LUA_MASKCOUNT, HOOK_COUNT);
    if (S->current && S->watchdog->warned != S->resumes) {
        S->watchdog->warned = S->resumes;
        lua_getinfo(L, "Sl", ar);
        log_warn("%s:%d has been computing for a second; pings, timers and other "
                 "handlers wait for it (wampy.sleep(0) lets them run) [W909]",
                 ar->short_src, ar->currentline);
    }
    before = S->signals + S->interrupts;
    loop_run_signals(host_loop(S->host));
    if (S->signals + S->interrupts > before)
        raise_error(L, "Canceled", "interrupted by a signal");
}

static void tick(int signo)
{
    struct state *S = watched;
    struct watchdog *w = S ? S->watchdog : NULL;

    (void)signo;
    if (!w)
        return;
    if (w->seen == S->resumes && (S->current || S->watching))
        lua_sethook(S->current ? S->current->co : S->L, hook, LUA_MASKCOUNT, 1);
    w->seen = S->resumes;
}

void watchdog_open(struct state *S)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
                              .sigev_signo = WATCHDOG_SIGNAL };
    struct itimerspec second = { { 1, 0 }, { 1, 0 } };
    struct sigaction action = { .sa_handler = tick, .sa_flags = SA_RESTART };
    struct watchdog *w;

    if (watched)
        return;
    w = xcalloc(1, sizeof *w);
    if (timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &w->timer) != 0) {
        free(w);
        return;
    }
    sigemptyset(&action.sa_mask);
    sigaction(WATCHDOG_SIGNAL, &action, &w->former);
    S->watchdog = w;
    watched = S;
    timer_settime(w->timer, 0, &second, NULL);
}

void watchdog_close(struct state *S)
{
    struct watchdog *w = S->watchdog;

    if (!w)
        return;
    timer_delete(w->timer);
    watched = NULL;
    S->watchdog = NULL;
    sigaction(WATCHDOG_SIGNAL, &w->former, NULL);
    free(w);
}
