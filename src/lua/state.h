/* state.h - what the rooms of src/lua share: one struct state per Lua universe.
 *
 * Every C function of ours carries the state as its first upvalue (state_of), so there
 * is no global and any number of universes can live in one process. */
#ifndef LUA_STATE_H
#define LUA_STATE_H

#include <lauxlib.h>
#include <lua.h>

#include "host.h"
#include "lua/task.h"

/* Keys into the registry, by address. */
extern const char KEY_ARRAY_MT, KEY_KWARGS_MT, KEY_OPTIONS_MT, KEY_BINARY_MT, KEY_ERRORS,
    KEY_STATE, KEY_THREADS, KEY_PASS, KEY_DETAILS_MT;

struct state {
    lua_State *L;         /* the main thread */
    struct host *host;    /* owned */
    struct task main;     /* stands for whoever waits while no task runs */
    struct task *current; /* the task whose Lua is running; NULL outside of tasks */
    bool turning; /* the loop runs: Lua outside of a task (a finalizer) cannot wait now */
    bool closing; /* the universe closes: what tasks wait for is gone, none goes on */
    struct list ready;    /* tasks to be resumed */
    struct list parked;   /* tasks that wait */
    struct list pool;     /* free, each with a clean thread */
    uint64_t generations; /* counts task_new: no two tasks have the same */
    /* counts task_resume: tells one task that computes from many */
    unsigned long resumes;
    unsigned long refused_waits; /* counts "cannot wait here" */
    size_t task_count;           /* started and not finished */
    size_t uncounted;            /* of those: do not count for max_tasks */
    size_t max_tasks;
    size_t pooled;
    /* Owned; where args, kwargs and options are encoded: an error that is raised half way
     * leaks nothing. */
    struct writer scratch[3];
    struct list clients;       /* struct l_client: all that are connected */
    int signal;                /* the first INT or TERM that came, 0 before */
    int signals;               /* how many came */
    int signals_seen;          /* how many of them the program has dealt with */
    int interrupts;            /* INT that came while core.on_signal has it */
    bool watching;             /* INT and TERM are ours now */
    bool observed;             /* core.observe has a function */
    struct watchdog *watchdog; /* owned */
    uint64_t dropped_events;   /* because max_tasks ran */
};

static inline struct state *state_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* One turn of the loop for whoever waits in state->main: waits for input, pumps. */
void state_turn(struct state *S, int64_t timeout_ms);

/* From now on INT and TERM are counted in state->signals (and wake the loop). */
void state_watch_signals(struct state *S);
void state_unwatch_signals(struct state *S);

/* Registers `funcs` into the table at the top, each with the state as upvalue. */
void state_register(lua_State *L, struct state *S, const luaL_Reg *funcs);

/* Makes the metatable `name` of a userdata: its events (__gc ...), and its methods. */
void state_class(lua_State *L, struct state *S, const char *name, const luaL_Reg *events,
                 const luaL_Reg *methods);

int luaopen_wampy_core(lua_State *L);

/* Each adds its functions to the core table at the top of the stack. */
void open_aead(lua_State *L, struct state *S);
void open_auth(lua_State *L, struct state *S);
void open_client(lua_State *L, struct state *S);
void open_edit(lua_State *L, struct state *S);
void open_dial(lua_State *L, struct state *S);
void open_process(lua_State *L, struct state *S);
void open_reload(lua_State *L, struct state *S);
void open_router(lua_State *L, struct state *S);
void open_peer(lua_State *L, struct state *S);
void open_terminal(lua_State *L, struct state *S);
void open_file(lua_State *L, struct state *S);
void open_service(lua_State *L, struct state *S);
void open_test(lua_State *L, struct state *S);
void open_time(lua_State *L, struct state *S);
void open_value(lua_State *L, struct state *S);

/* Seconds as whole milliseconds, rounded up; 0 for what is no time, a bound for ever. */
uint64_t to_ms(double seconds);

/* The seconds from now at idx as a limit of task_wait; none or negative: NEVER. */
uint64_t check_limit(lua_State *L, int idx);

/* Watches for Lua that keeps the loop waiting: after about a second of CPU it is named
 * in a warning, and a signal that came meanwhile is acted on. */
void watchdog_open(struct state *S);
void watchdog_close(struct state *S);

/* Puts the embedded prelude and argparse into package.preload. */
void prelude_open(lua_State *L);

#endif
