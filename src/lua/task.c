/* task.c - tasks: Lua threads under the host's loop. See task.h.
 *
 * The idea: there is one place where Lua is entered (task_resume) and one where it is
 * left to wait (task_wait). The first frame of every task is lua_pcallk around its body,
 * so that an error, or a cancellation, runs the <close> variables of the body while the
 * task can still wait, and what comes back to C is always an ordinary end.
 *
 * Not known here: what a task is for; its creator sets `finish`. */
#include "lua/task.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "lua/errors.h"
#include "lua/state.h"

#define POOL_MAX 256 /* threads kept for reuse: an idle thread costs about 1 KiB */

const char KEY_THREADS, KEY_PASS;

static const char TASK_HANDLE[] = "wampy.task";

struct handle {
    struct task *task;
    uint64_t generation;
};

/* ---- life -------------------------------------------------------------------------- */

static void anchor(struct task *t, lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_THREADS); /* threads */
    t->co = lua_newthread(L);                        /* threads co */
    lua_rawsetp(L, -2, t);                           /* threads */
    lua_pop(L, 1);
}

static void unanchor(struct task *t, lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_THREADS);
    lua_pushnil(L);
    lua_rawsetp(L, -2, t);
    lua_pop(L, 1);
}

static void timed_out(struct host_timer *timer)
{
    struct task *t =
        (struct task *)(void *)((char *)timer - offsetof(struct task, timer));

    t->timed_out = true;
    task_wake(t);
}

static struct task *make(struct state *S)
{
    struct list *node = list_pop(&S->pool);
    struct task *t;

    if (node) {
        t = list_entry(node, struct task, link);
        S->pooled--;
    } else {
        t = xcalloc(1, sizeof *t);
        t->S = S;
        t->timer.fire = timed_out;
        list_init(&t->link);
        list_init(&t->wait_link);
        anchor(t, S->L);
    }
    S->task_count++;
    t->generation = ++S->generations;
    return t;
}

struct task *task_new(struct state *S)
{
    return S->task_count - S->uncounted < S->max_tasks ? make(S) : NULL;
}

struct task *task_new_uncounted(struct state *S)
{
    struct task *t = make(S);

    t->uncounted = true;
    S->uncounted++;
    return t;
}

/* Back into the pool, or freed. The thread must be clean: dead by an ordinary end, or
 * reset. */
static void release(struct task *t)
{
    struct state *S = t->S;

    host_timer_clear(S->host, &t->timer);
    list_remove(&t->link);
    list_remove(&t->wait_link);
    free(t->trace);
    t->trace = NULL;
    t->generation = 0;
    t->parked = t->canceled = t->started = t->failed = t->timed_out = false;
    t->finish = NULL;
    t->owner = NULL;
    if (lua_gethook(t->co))
        lua_sethook(t->co, NULL, 0, 0); /* the watchdog's */
    lua_settop(t->co, 0);
    S->task_count--;
    S->uncounted -= t->uncounted;
    t->uncounted = false;
    S->pooled++;
    list_push(&S->pool, &t->link);
}

static void trim_pool(struct state *S)
{
    while (S->pooled > POOL_MAX) {
        struct task *t = list_entry(list_pop(&S->pool), struct task, link);

        S->pooled--;
        unanchor(t, S->L);
        free(t);
    }
}

void task_hold(struct task *t, int nargs)
{
    t->nargs = nargs;
    t->parked = true;
    list_push(&t->S->parked, &t->link);
}

void task_start(struct task *t, int nargs)
{
    task_hold(t, nargs);
    task_wake(t);
}

/* ---- running ----------------------------------------------------------------------- */

/* Message handler of every body: keeps the traceback, returns the error as it is. */
static int traceback(lua_State *L)
{
    struct state *S = state_of(L);

    if (S->current) {
        push_trace(L);
        free(S->current->trace);
        S->current->trace = xstrdup(lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    return 1;
}

static int body_done(lua_State *L, int status, lua_KContext ctx)
{
    struct state *S = (struct state *)ctx;

    S->current->failed = status != LUA_OK && status != LUA_YIELD;
    return lua_gettop(L) - 1; /* all but the message handler */
}

/* First frame of a task: (msgh, fn, args...) -> results... */
static int body(lua_State *L)
{
    struct state *S = state_of(L);
    int n = lua_gettop(L) - 2;

    return body_done(L, lua_pcallk(L, n, LUA_MULTRET, 1, (lua_KContext)S, body_done),
                     (lua_KContext)S);
}

static int first_resume(struct task *t, int *results)
{
    lua_State *co = t->co;
    struct state *S = t->S;

    lua_pushlightuserdata(co, S);
    lua_pushcclosure(co, body, 1); /* fn args body */
    lua_pushlightuserdata(co, S);
    lua_pushcclosure(co, traceback, 1); /* fn args body msgh */
    lua_rotate(co, 1, 2);               /* body msgh fn args */
    t->started = true;
    t->begun = S->resumes;
    return lua_resume(co, S->L, t->nargs + 2, results);
}

/* The only caller of lua_resume (besides coroutine.resume of the app). */
static enum task_status task_resume(struct task *t, int *results)
{
    struct state *S = t->S;
    struct task *outer = S->current;
    int status;

    S->current = t;
    S->resumes++;
    status = t->started ? lua_resume(t->co, S->L, 0, results) : first_resume(t, results);
    S->current = outer;
    if (status == LUA_OK)
        return t->failed ? TASK_FAILED : TASK_DONE;
    if (status != LUA_YIELD)
        return TASK_FAILED;
    return t->parked ? TASK_WAITING : TASK_FOREIGN_YIELD;
}

static void finish(struct task *t, int results)
{
    if (t->finish)
        t->finish(t, results);
    release(t);
}

/* Hook of a task that goes on after a yield of the app: the yield raises what is kept. */
static void yielded(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    lua_sethook(L, NULL, 0, 0);
    lua_rawgetp(L, LUA_REGISTRYINDEX, L);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, L);
    lua_error(L);
}

/* The app has yielded by itself, and nobody is there to resume it: an error of the line
 * that did. */
static void refuse_yield(struct task *t, int results)
{
    lua_State *co = t->co;

    lua_pop(co, results);
    luaL_where(co, 1); /* of who has called yield */
    lua_pushliteral(co, "coroutine.yield outside of a coroutine of the app's own "
                        "(wampy.sleep(0) lets others run)");
    lua_concat(co, 2);
    lua_rawsetp(co, LUA_REGISTRYINDEX, co);
    lua_sethook(co, yielded, LUA_MASKCOUNT, 1);
    task_start(t, 0);
}

static void run(struct task *t)
{
    int results = 0;

    switch (task_resume(t, &results)) {
    case TASK_WAITING:
        lua_pop(t->co, results); /* a wait yields at most its token */
        break;
    case TASK_DONE:
        finish(t, results);
        break;
    case TASK_FOREIGN_YIELD:
        refuse_yield(t, results);
        break;
    case TASK_FAILED:
        t->failed = true;
        finish(t, 1);
        break;
    }
}

bool task_run_ready(struct state *S)
{
    struct list batch, *node;

    if (S->closing || list_empty(&S->ready))
        return false;
    list_init(&batch); /* what gets ready meanwhile waits for the next round */
    while ((node = list_pop(&S->ready)))
        list_push(&batch, node);
    while ((node = list_pop(&batch)))
        run(list_entry(node, struct task, link));
    trim_pool(S);
    return true;
}

/* ---- waiting ----------------------------------------------------------------------- */

struct task *task_self(struct state *S)
{
    return S->current ? S->current : &S->main;
}

static bool passes(lua_State *L)
{
    bool pass;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_PASS); /* pass */
    lua_pushthread(L);
    lua_rawget(L, -2); /* pass mark */
    pass = lua_toboolean(L, -1);
    lua_pop(L, 2);
    return pass;
}

enum wait_mode wait_mode(struct state *S, lua_State *L)
{
    if (!S->current)
        return S->turning || S->closing ? WAIT_NEVER : WAIT_PUMP;
    if (!lua_isyieldable(L))
        return WAIT_NEVER;
    if (S->current->co == L)
        return WAIT_TASK;
    return passes(L) ? WAIT_PASS : WAIT_NEVER;
}

static int cannot_wait(lua_State *L)
{
    return luaL_error(
        L,
        "cannot wait here: inside a sort or gsub callback, a codec, a module being "
        "required, a finalizer or a coroutine of your own, nothing can yield to the "
        "loop; "
        "wait "
        "before or after it, in a task of its own (wampy.spawn), or make the coroutine "
        "with wampy.wrap");
}

static int wait_pumping(lua_State *L, struct state *S, lua_KContext ctx, lua_KFunction k)
{
    bool watched = S->watching;

    if (!watched)
        state_watch_signals(S);
    while (S->main.parked && S->signals == S->signals_seen)
        state_turn(S, -1);
    if (S->signals > S->signals_seen && S->main.parked)
        S->main.canceled = true;
    S->main.parked = false;
    host_timer_clear(S->host, &S->main.timer);
    if (!watched)
        state_unwatch_signals(S);
    return k(L, LUA_YIELD, ctx);
}

int task_wait(lua_State *L, struct state *S, uint64_t limit, lua_KContext ctx,
              lua_KFunction k)
{
    enum wait_mode mode = wait_mode(S, L);
    struct task *t = task_self(S);

    if (mode == WAIT_NEVER) {
        S->refused_waits++;
        return cannot_wait(L);
    }
    t->timed_out = false;
    if (t->canceled)
        return k(L, LUA_YIELD, ctx);
    t->parked = true;
    host_timer_set(S->host, &t->timer, limit);
    if (mode == WAIT_PUMP)
        return wait_pumping(L, S, ctx, k);
    list_push(&S->parked, &t->link);
    if (mode == WAIT_TASK)
        return lua_yieldk(L, 0, ctx, k);
    lua_pushlightuserdata(L, (void *)&KEY_PASS); /* the token that wampy.wrap passes on */
    return lua_yieldk(L, 1, ctx, k);
}

void task_check(lua_State *L, struct state *S)
{
    struct task *t = task_self(S);

    host_timer_clear(S->host, &t->timer);
    if (!t->canceled)
        return;
    t->canceled = false;
    if (t == &S->main && S->signals > S->signals_seen)
        raise_error(L, "Canceled", "interrupted by a signal");
    raise_error(L, "Canceled", "canceled");
}

void task_wake(struct task *t)
{
    struct state *S = t->S;

    if (!t->parked)
        return;
    t->parked = false;
    if (t == &S->main)
        return;
    host_timer_clear(S->host, &t->timer);
    list_remove(&t->link);
    list_push(&S->ready, &t->link);
}

void task_cancel(struct task *t)
{
    t->canceled = true;
    task_wake(t);
}

/* ---- handles ----------------------------------------------------------------------- */

/* Whether a handle's pointer is a task at all: a struct that was freed is not in the
 * thread table. One that was made since at the same place has another generation. */
static bool anchored(lua_State *L, struct task *t)
{
    bool yes;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_THREADS);
    yes = lua_rawgetp(L, -1, t) != LUA_TNIL;
    lua_pop(L, 2);
    return yes;
}

void task_push_handle(lua_State *L, struct task *t)
{
    struct handle *h = lua_newuserdatauv(L, sizeof *h, 0);

    h->task = t;
    h->generation = t->generation;
    luaL_setmetatable(L, TASK_HANDLE);
}

struct task *task_check_handle(lua_State *L, int idx)
{
    struct handle *h = luaL_checkudata(L, idx, TASK_HANDLE);
    struct state *S = state_of(L);

    if (h->task == &S->main)
        return h->task;
    return anchored(L, h->task) && h->task->generation == h->generation ? h->task : NULL;
}

/* ---- set up and tear down ---------------------------------------------------------- */

void task_init(struct state *S)
{
    lua_State *L = S->L;

    list_init(&S->ready);
    list_init(&S->parked);
    list_init(&S->pool);
    S->max_tasks = 10000;
    S->main.S = S;
    S->main.co = L;
    S->main.timer.fire = timed_out;
    list_init(&S->main.link);
    list_init(&S->main.wait_link);
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &KEY_THREADS);
    lua_newtable(L); /* pass: coroutine -> true, weak */
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &KEY_PASS);
    luaL_newmetatable(L, TASK_HANDLE);
    lua_pop(L, 1);
}

static void free_list(struct state *S, struct list *l)
{
    struct list *node;

    while ((node = list_pop(l))) {
        struct task *t = list_entry(node, struct task, link);

        host_timer_clear(S->host, &t->timer);
        free(t->trace);
        free(t);
    }
}

void task_fini(struct state *S)
{
    host_timer_clear(S->host, &S->main.timer);
    free_list(S, &S->ready);
    free_list(S, &S->parked);
    free_list(S, &S->pool);
}
