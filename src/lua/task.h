/* task.h - a task: a Lua thread, why it waits, and who wants to know how it ended.
 *
 * Every handler, timer and spawned function runs in a task of its own. task_resume is
 * the only caller of lua_resume. A task waits by yielding out of task_wait and is made
 * ready by task_wake. Threads are pooled: one that ended without an error is used again.
 *
 * Who may wait is one rule with three answers (docs/BLOCKING.md), given by wait_mode. */
#ifndef LUA_TASK_H
#define LUA_TASK_H

#include <lua.h>

#include "host.h"

struct state;
struct task;

enum wait_mode {
    WAIT_TASK, /* a task's own thread: it yields, everything else goes on */
    WAIT_PUMP, /* no task runs: the call itself runs the loop until it has its answer */
    WAIT_PASS, /* a coroutine made by wampy.wrap: passes the wait on to its task */
    WAIT_NEVER /* anything else: cannot wait here */
};

enum task_status { TASK_DONE, TASK_WAITING, TASK_FAILED, TASK_FOREIGN_YIELD };

struct task {
    struct list link;      /* in ready, parked or pool */
    struct list wait_link; /* in the list of what it waits for, if that keeps one */
    struct state *S;
    lua_State *co; /* anchored in the registry's thread table while the task lives */
    bool parked, canceled, started;
    bool uncounted;      /* somebody else bounds how many there are of its kind */
    bool failed;         /* the body ended with an error: its value is the only result */
    int nargs;           /* values on co's stack for the first resume */
    uint64_t generation; /* 0 in the pool; a handle with another one is stale */
    unsigned long begun; /* state->resumes at its first one */
    struct host_timer timer; /* of a wait with a time limit */
    bool timed_out;
    char *trace; /* owned; traceback of the error that ended the body */
    /* Called once, when the body has ended: results (or the error value) are the top `n`
     * values of co. May raise nothing. */
    void (*finish)(struct task *t, int n);
    void *owner; /* finish's own */
};

void task_init(struct state *S);
void task_fini(struct state *S); /* every task is dropped */

/* A task with an empty thread; NULL when max_tasks run. Push the function and its
 * arguments on t->co, then task_start(t, nargs). */
struct task *task_new(struct state *S);
struct task *task_new_uncounted(struct state *S); /* the same, whatever max_tasks is */
void task_start(struct task *t, int nargs);       /* ready: it will run from the pump */
void task_hold(struct task *t, int nargs); /* it will, once task_wake has been called */

/* resumes all that are ready now; true if any was */
bool task_run_ready(struct state *S);

/* The task that L belongs to: the current one, or state->main outside of tasks. */
struct task *task_self(struct state *S);
enum wait_mode wait_mode(struct state *S, lua_State *L);

/* Waits until task_wake(task_self) or until `limit` (ms on the host's clock; NEVER for
 * none), then goes on in `k` with `ctx`, as lua_yieldk. Use as `return task_wait(...)`.
 * In `k`, task_check comes first. Raises "cannot wait here: ..." where nobody may wait.
 */
int task_wait(lua_State *L, struct state *S, uint64_t limit, lua_KContext ctx,
              lua_KFunction k);

/* Raises what ended the wait early: Canceled (by task_cancel or by a signal in the
 * main chunk). */
void task_check(lua_State *L, struct state *S);

void task_wake(struct task *t);   /* harmless when it does not wait */
void task_cancel(struct task *t); /* its wait, this or the next, raises Canceled */

/* Handles for Lua: a userdata that knows whether its task still runs. */
void task_push_handle(lua_State *L, struct task *t);
struct task *task_check_handle(lua_State *L, int idx); /* NULL when the task is over */

#endif
