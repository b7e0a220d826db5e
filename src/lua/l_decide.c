/* l_decide.c - what a router asks the code above it: a Lua function answers, in a task of
 * its own, so that it may wait.
 *
 * The function is the prelude's (wampy/decisions.lua): it gets the arguments and gives
 * the answer, both as JSON. An error, which it has logged itself, or anything but a
 * string is no answer; so is a task that cannot start. A question may be answered when
 * its router has been closed: the userdata is kept alive, and finds that out. */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "lua/l_router.h"
#include "lua/state.h"

struct decision {
    struct l_router *r; /* borrowed; registry[decision] keeps its userdata alive */
    uint64_t id;
};

static void finished(struct task *t, int n)
{
    struct decision *d = t->owner;
    lua_State *L = t->S->L;
    struct slice json = { 0 };

    if (!t->failed && n && lua_type(t->co, -n) == LUA_TSTRING)
        json.p = lua_tolstring(t->co, -n, &json.n);
    if (d->r->server)
        server_answer(d->r->server, d->id, json);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, d);
    free(d);
}

/* Starts the task; the userdata is at the top of S->L's stack. */
static bool start(struct l_router *r, const struct question *q)
{
    lua_State *L = r->S->L;
    struct task *t = task_new(r->S);
    struct decision *d;

    if (!t)
        return false;
    d = xcalloc(1, sizeof *d);
    *d = (struct decision){ r, q->id };
    t->owner = d;
    t->finish = finished;
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, d);
    lua_getiuservalue(L, -1, 1);
    lua_xmove(L, t->co, 1);
    lua_pushboolean(t->co, q->who);
    lua_pushlstring(t->co, q->args->data, q->args->len);
    task_start(t, 2);
    return true;
}

/* Weak: routers with a function, by address. */
static const char KEY_ROUTERS;

static void ask(void *user, struct question *q)
{
    struct l_router *r = user;
    lua_State *L = r->S->L;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_ROUTERS);
    lua_rawgetp(L, -1, r); /* routers router */
    if (lua_isnil(L, -1) || !start(r, q)) {
        log_error(
            "max_tasks are running; the router's question is answered by no [W905]");
        server_answer(r->server, q->id, (struct slice){ 0 });
    }
    lua_pop(L, 2);
    buf_unref(q->args);
}

static void push_routers(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_ROUTERS) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &KEY_ROUTERS);
}

void decide_open(lua_State *L, struct l_router *r)
{
    bool any = lua_getiuservalue(L, -1, 1) != LUA_TNIL;

    lua_pop(L, 1);
    server_asks(r->server, any ? ask : NULL, r);
    if (!any)
        return;
    push_routers(L);
    lua_pushvalue(L, -2);
    lua_rawsetp(L, -2, r);
    lua_pop(L, 1);
}
