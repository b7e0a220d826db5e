/* l_service.c - what a program that runs for long owes those who look after it: signals
 * that ask for something, what its tasks are doing, and what a service manager wants to
 * hear. For wampy/service.lua and wampy/reload.lua. */
#include <signal.h>

#include "base/log.h"
#include "lua/state.h"
#include "net/notify.h"

/* ---- signals ----------------------------------------------------------------------- */

static const char KEY_ON_SIGNAL; /* signal -> function */

static void signal_done(struct task *t, int n)
{
    (void)n;
    if (t->failed)
        log_error("%s", lua_tostring(t->co, -1));
}

static void on_signal(int signo, void *user)
{
    struct state *S = user;
    struct task *t = task_new_uncounted(S);

    S->interrupts += signo == SIGINT;
    lua_rawgetp(S->L, LUA_REGISTRYINDEX, &KEY_ON_SIGNAL);
    lua_rawgeti(S->L, -1, signo);
    lua_xmove(S->L, t->co, 1);
    lua_pop(S->L, 1);
    t->finish = signal_done;
    task_start(t, 0);
}

/* core.on_signal("HUP" | "USR1" | "INT" | "CONT" | "WINCH", fn): fn() is called in a task
 * each time it comes. An INT then ends no wait, but Lua that computes. */
static int l_on_signal(lua_State *L)
{
    static const char *const names[] = { "HUP", "USR1", "INT", "CONT", "WINCH", NULL };
    static const int numbers[] = { SIGHUP, SIGUSR1, SIGINT, SIGCONT, SIGWINCH };
    struct state *S = state_of(L);
    int signo = numbers[luaL_checkoption(L, 1, NULL, names)];

    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_ON_SIGNAL);
    lua_pushvalue(L, 2);
    lua_rawseti(L, -2, signo);
    loop_signal(host_loop(S->host), signo, on_signal, S);
    return 0;
}

/* ---- what the tasks do ------------------------------------------------------------- */

/* Appends a { waits, trace } for each task to the list at the top. */
static void describe(lua_State *L, const struct list *l, bool waits)
{
    struct list *node, *tmp;

    list_each (node, tmp, l) {
        const struct task *t = list_entry(node, struct task, link);

        lua_createtable(L, 0, 2);
        lua_pushboolean(L, waits);
        lua_setfield(L, -2, "waits");
        luaL_traceback(L, t->co, NULL, 0);
        lua_setfield(L, -2, "trace");
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
}

/* core.task_list() -> list of { waits = boolean, trace = its traceback } of every task
 * but the one that runs */
static int l_task_list(lua_State *L)
{
    const struct state *S = state_of(L);

    lua_newtable(L);
    describe(L, &S->parked, true);
    describe(L, &S->ready, false);
    return 1;
}

/* ---- the service manager ----------------------------------------------------------- */

/* core.notify(text): "READY=1" and the like; nothing where nobody wants to hear it */
static int l_notify(lua_State *L)
{
    notify(luaL_checkstring(L, 1));
    return 0;
}

/* core.notify_reloading() */
static int l_notify_reloading(lua_State *L)
{
    (void)L;
    notify_reloading();
    return 0;
}

/* core.notify_interval() -> seconds between two "WATCHDOG=1"; 0: it wants none */
static int l_notify_interval(lua_State *L)
{
    lua_pushnumber(L, (double)notify_interval() / 1000);
    return 1;
}

static const luaL_Reg functions[] = { { "notify", l_notify },
                                      { "notify_interval", l_notify_interval },
                                      { "notify_reloading", l_notify_reloading },
                                      { "on_signal", l_on_signal },
                                      { "task_list", l_task_list },
                                      { NULL, NULL } };

void open_service(lua_State *L, struct state *S)
{
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &KEY_ON_SIGNAL);
    state_register(L, S, functions);
}
