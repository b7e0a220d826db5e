/* l_time.c - tasks and time for the prelude: spawn, sleep, park and wake, descriptors,
 * signals.
 *
 * These are the few primitives on which lua/wampy/tasks.lua builds Task, Timer, mutex,
 * queue and event. All times in Lua are seconds. */
#include <math.h>
#include <stdlib.h>

#include "base/log.h"
#include "lua/errors.h"
#include "lua/state.h"

/* A microsecond is forgiven: the difference of two times is not exact. */
uint64_t to_ms(double seconds)
{
    if (!(seconds > 0))
        return 0;
    return seconds < 1e9 ? (uint64_t)ceil(seconds * 1000) : (uint64_t)1e12;
}

uint64_t check_limit(lua_State *L, int idx)
{
    double seconds = luaL_optnumber(L, idx, -1);

    if (seconds < 0 || seconds > 1e9)
        return NEVER;
    return host_clock(state_of(L)->host) + to_ms(seconds - 1e-6);
}

/* core.now() -> seconds on a monotonic clock */
static int l_now(lua_State *L)
{
    lua_pushnumber(L, (double)host_clock(state_of(L)->host) / 1000);
    return 1;
}

/* core.clock() -> seconds on a monotonic clock that no test puts forward, as exact as the
 * machine has them */
static int l_clock(lua_State *L)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    lua_pushnumber(L, (double)t.tv_sec + (double)t.tv_nsec / 1e9);
    return 1;
}

static void spawned(struct task *t, int n)
{
    (void)n;
    if (t->failed)
        log_error("in a task: %s%s", luaL_tolstring(t->co, -1, NULL),
                  t->trace ? t->trace : "");
}

/* core.spawn(fn, ...) -> handle; fn starts from the loop, after what runs now */
static int l_spawn(lua_State *L)
{
    struct state *S = state_of(L);
    struct task *t;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    t = task_new(S);
    if (!t)
        return raise_error(L, "QueueFull", "max_tasks (%d) are running",
                           (int)S->max_tasks);
    t->finish = spawned;
    lua_xmove(L, t->co, lua_gettop(L));
    task_start(t, lua_gettop(t->co) - 1);
    task_push_handle(L, t);
    return 1;
}

static int sleep_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    task_check(L, state_of(L));
    return 0;
}

/* core.sleep(seconds) */
static int l_sleep(lua_State *L)
{
    struct state *S = state_of(L);

    luaL_checknumber(L, 1);
    return task_wait(L, S, check_limit(L, 1), 0, sleep_k);
}

static int park_k(lua_State *L, int status, lua_KContext ctx)
{
    struct state *S = state_of(L);

    (void)status;
    (void)ctx;
    task_check(L, S);
    lua_pushboolean(L, !task_self(S)->timed_out);
    return 1;
}

/* core.park([seconds]) -> true when woken, false when the time ran out */
static int l_park(lua_State *L)
{
    struct state *S = state_of(L);

    return task_wait(L, S, check_limit(L, 1), 0, park_k);
}

/* core.current() -> handle of whoever would park here */
static int l_current(lua_State *L)
{
    task_push_handle(L, task_self(state_of(L)));
    return 1;
}

/* core.wake(handle): harmless when it does not wait */
static int l_wake(lua_State *L)
{
    struct task *t = task_check_handle(L, 1);

    if (t)
        task_wake(t);
    return 0;
}

/* core.cancel(handle): its wait, this or the next, raises Canceled */
static int l_cancel(lua_State *L)
{
    struct task *t = task_check_handle(L, 1);

    if (t)
        task_cancel(t);
    return 0;
}

/* core.wait_mode() -> "task", "pump", "pass" or "never" (docs/BLOCKING.md) */
static int l_wait_mode(lua_State *L)
{
    static const char *const names[] = { "task", "pump", "pass", "never" };

    lua_pushstring(L, names[wait_mode(state_of(L), L)]);
    return 1;
}

/* core.pass(thread): waits inside this coroutine are yielded as core.token, for
 * wampy.wrap */
static int l_pass(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTHREAD);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_PASS);
    lua_pushvalue(L, 1);
    lua_pushboolean(L, true);
    lua_rawset(L, -3);
    return 0;
}

/* core.turn([seconds]): one turn of the loop, from the main chunk only; without a time
 * it waits for input */
static int l_turn(lua_State *L)
{
    struct state *S = state_of(L);
    double seconds = luaL_optnumber(L, 1, -1);

    if (S->current || S->turning)
        return luaL_error(L, "core.turn inside a task");
    state_turn(S, seconds < 0 ? -1 : (int64_t)to_ms(seconds));
    return 0;
}

/* core.tasks() -> tasks that have been started and have not ended */
static int l_tasks(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)state_of(L)->task_count);
    return 1;
}

/* core.set_max_tasks(n) */
static int l_set_max_tasks(lua_State *L)
{
    state_of(L)->max_tasks = (size_t)luaL_checkinteger(L, 1);
    return 0;
}

static void cancel_list(struct list *l)
{
    struct list *node, *tmp;

    list_each (node, tmp, l)
        task_cancel(list_entry(node, struct task, link));
}

/* core.cancel_all(): every task that waits */
static int l_cancel_all(lua_State *L)
{
    cancel_list(&state_of(L)->parked);
    return 0;
}

/* ---- descriptors ------------------------------------------------------------------- */

struct l_watch {
    struct watch *w;
    struct task *t;
    bool ready;
};

static void ready(void *user)
{
    struct l_watch *lw = user;

    lw->w = NULL;
    lw->ready = true;
    task_wake(lw->t);
}

static int watch_k(lua_State *L, int status, lua_KContext ctx)
{
    struct l_watch *lw = (struct l_watch *)ctx;
    struct state *S = state_of(L);

    (void)status;
    if (lw->w)
        loop_unwatch(lw->w);
    lw->w = NULL;
    task_check(L, S);
    lua_pushboolean(L, lw->ready);
    return 1;
}

static int wait_fd(lua_State *L, bool write)
{
    struct state *S = state_of(L);
    int fd = (int)luaL_checkinteger(L, 1);
    struct l_watch *lw;

    if (wait_mode(S, L) == WAIT_NEVER)
        return task_wait(L, S, 0, 0, watch_k);
    lua_settop(L, 2);
    lw = lua_newuserdatauv(L, sizeof *lw, 0); /* on this stack while it waits */
    *lw = (struct l_watch){ .t = task_self(S) };
    lw->w = loop_watch(host_loop(S->host), fd, write, ready, lw);
    if (!lw->w)
        return luaL_error(L, "descriptor %d cannot be watched", fd);
    return task_wait(L, S, check_limit(L, 2), (lua_KContext)lw, watch_k);
}

/* core.readable(fd [, seconds]) -> true | false when the time ran out */
static int l_readable(lua_State *L)
{
    return wait_fd(L, false);
}

/* core.writable(fd [, seconds]) -> true | false */
static int l_writable(lua_State *L)
{
    return wait_fd(L, true);
}

/* ---- signals and the end ----------------------------------------------------------- */

/* core.watch_signals(on): INT and TERM are counted (core.signals) in place of ending
 * the process */
static int l_watch_signals(lua_State *L)
{
    if (lua_toboolean(L, 1))
        state_watch_signals(state_of(L));
    else
        state_unwatch_signals(state_of(L));
    return 0;
}

/* core.signals() -> how many INT or TERM came, number of the first | 0 */
static int l_signals(lua_State *L)
{
    struct state *S = state_of(L);

    lua_pushinteger(L, S->signals);
    lua_pushinteger(L, S->signal);
    return 2;
}

/* core.clear_signals(): what came so far has been dealt with: waits are not
 * interrupted by it */
static int l_clear_signals(lua_State *L)
{
    struct state *S = state_of(L);

    S->signals_seen = S->signals;
    return 0;
}

static const luaL_Reg functions[] = { { "now", l_now },
                                      { "clock", l_clock },
                                      { "spawn", l_spawn },
                                      { "sleep", l_sleep },
                                      { "park", l_park },
                                      { "current", l_current },
                                      { "wake", l_wake },
                                      { "cancel", l_cancel },
                                      { "wait_mode", l_wait_mode },
                                      { "pass", l_pass },
                                      { "turn", l_turn },
                                      { "tasks", l_tasks },
                                      { "set_max_tasks", l_set_max_tasks },
                                      { "cancel_all", l_cancel_all },
                                      { "readable", l_readable },
                                      { "writable", l_writable },
                                      { "watch_signals", l_watch_signals },
                                      { "signals", l_signals },
                                      { "clear_signals", l_clear_signals },
                                      { NULL, NULL } };

void open_time(lua_State *L, struct state *S)
{
    state_register(L, S, functions);
    lua_pushlightuserdata(L, (void *)&KEY_PASS);
    lua_setfield(L, -2, "token");
}
