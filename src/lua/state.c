/* state.c - one Lua universe: opening the core module, one turn of the loop, signals,
 * the end.
 *
 * The same code serves the executable, which opens the module into a state of its own,
 * and wampy/core.so, which a plain lua5.4 loads. The struct state is a userdata in the
 * registry; when the universe closes, its finalizer takes everything down: tasks,
 * clients, then the loop. */
#include "lua/state.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "lua/errors.h"

#define SIG_FORCED 2 /* the signal that ends the process at once, counted from 1 */

const char KEY_STATE;

void state_register(lua_State *L, struct state *S, const luaL_Reg *funcs)
{
    lua_pushlightuserdata(L, S);
    luaL_setfuncs(L, funcs, 1);
}

void state_class(lua_State *L, struct state *S, const char *name, const luaL_Reg *events,
                 const luaL_Reg *methods)
{
    luaL_newmetatable(L, name);
    state_register(L, S, events);
    lua_newtable(L);
    state_register(L, S, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

void state_turn(struct state *S, int64_t timeout_ms)
{
    S->turning = true;
    host_turn(S->host, list_empty(&S->ready) ? timeout_ms : 0);
    S->turning = false;
}

/* ---- signals ----------------------------------------------------------------------- */

static void signalled(int signo, void *user)
{
    struct state *S = user;

    if (!S->signals)
        S->signal = signo;
    if (++S->signals >= SIG_FORCED)
        _exit(128 + signo);
}

void state_watch_signals(struct state *S)
{
    if (S->watching)
        return;
    S->watching = true;
    loop_signal(host_loop(S->host), SIGINT, signalled, S);
    loop_signal(host_loop(S->host), SIGTERM, signalled, S);
}

void state_unwatch_signals(struct state *S)
{
    if (!S->watching)
        return;
    S->watching = false;
    loop_unsignal(host_loop(S->host), SIGINT);
    loop_unsignal(host_loop(S->host), SIGTERM);
}

/* ---- life -------------------------------------------------------------------------- */

/* Lets GOODBYEs and close frames that are under way get out, for a second at most. */
static void linger(struct state *S)
{
    uint64_t until = loop_now() + 1000;

    while (host_retired(S->host) && loop_now() < until)
        host_turn(S->host, 20);
}

static int state_gc(lua_State *L)
{
    struct state *S = lua_touserdata(L, 1);

    if (!S->host)
        return 0;
    S->closing = true;
    watchdog_close(S);
    state_unwatch_signals(S);
    linger(S);
    task_fini(S);
    for (int i = 0; i < 3; i++)
        writer_fini(&S->scratch[i]);
    host_free(S->host);
    S->host = NULL;
    return 0;
}

static struct state *state_new(lua_State *L)
{
    struct state *S = lua_newuserdatauv(L, sizeof *S, 0);

    memset(S, 0, sizeof *S);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, state_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &KEY_STATE);
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    S->L = lua_tothread(L, -1);
    lua_pop(L, 1);
    list_init(&S->clients);
    S->host = host_new(LOOP_AUTO);
    return S;
}

LUAMOD_API int luaopen_wampy_core(lua_State *L)
{
    struct state *S = state_new(L);

    task_init(S);
    watchdog_open(S);
    lua_newtable(L);
    open_value(L, S);
    open_aead(L, S);
    open_auth(L, S);
    open_time(L, S);
    open_router(L, S);
    open_client(L, S);
    open_peer(L, S);
    open_test(L, S);
    open_process(L, S);
    open_dial(L, S);
    open_terminal(L, S);
    open_edit(L, S);
    open_file(L, S);
    open_reload(L, S);
    open_service(L, S);
    return 1;
}
