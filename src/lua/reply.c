/* reply.c - answers that somebody waits for: the calls of l_client.c, and futures.
 *
 * The idea: a request's tag is a struct reply. The pump puts the answer in and wakes
 * whoever waits; the one who waits turns it into Lua values on his own stack, so an
 * error is raised at the call site. A reply whose owner went away is forgotten, its late
 * answer falls on nobody. */
#include <stdlib.h>

#include "base/mem.h"
#include "lua/convert.h"
#include "lua/errors.h"
#include "lua/l_client.h"

static const char FUTURE[] = "wampy.future";

struct reply *reply_new(struct l_client *lc, const char *uri)
{
    struct reply *r = xcalloc(1, sizeof *r);

    r->lc = lc;
    r->uri = xstrdup(uri);
    list_init(&r->waiters);
    list_push(&lc->replies, &r->link);
    return r;
}

void reply_free(lua_State *L, struct reply *r)
{
    struct list *node;

    if (r->kept) {
        lua_pushnil(L);
        lua_rawsetp(L, LUA_REGISTRYINDEX, r);
    }
    if (!r->done && r->request > 0 && r->lc->c)
        session_forget(client_session(r->lc->c), (uint64_t)r->request);
    while ((node = list_pop(&r->waiters)))
        task_wake(list_entry(node, struct task, wait_link));
    list_remove(&r->link);
    event_done(&r->e);
    free(r->uri);
    free(r);
}

void reply_settle(struct reply *r, struct event *e)
{
    struct list *node;

    r->e = *e;
    *e = (struct event){ .kind = e->kind };
    r->done = true;
    while ((node = list_pop(&r->waiters)))
        task_wake(list_entry(node, struct task, wait_link));
}

int reply_wait(lua_State *L, struct reply *r, uint64_t limit, lua_KFunction k)
{
    struct state *S = r->lc->S;

    if (wait_mode(S, L) != WAIT_NEVER)
        list_push(&r->waiters, &task_self(S)->wait_link);
    return task_wait(L, S, limit, (lua_KContext)r, k);
}

bool reply_check(lua_State *L, struct reply *r, bool own)
{
    struct state *S = r->lc->S;
    struct task *t = task_self(S);

    list_remove(&t->wait_link);
    if (t->canceled && own) {
        if (!r->done && r->request > 0 && r->lc->c) {
            session_cancel(client_session(r->lc->c), (uint64_t)r->request, "killnowait",
                           host_now(S->host));
            client_touch(r->lc->c);
        }
        reply_free(L, r);
    }
    task_check(L, S);
    return r->done;
}

static void push_failure(lua_State *L, struct reply *r)
{
    if (r->e.m.row)
        push_remote_error(L, &r->e, r->uri);
    else if (r->e.error == SESSION_TIMEOUT)
        push_error(L, "TimeoutError", "%s: no answer in time", r->uri);
    else if (r->e.error == SESSION_OK)
        push_error(L, "Canceled", "%s: canceled", r->uri);
    else
        push_error(L, "ConnectionError", "%s: the session ended before the answer came",
                   r->uri);
}

static int push_result(lua_State *L, const struct msg *m)
{
    int n = push_elements(L, m->wire, m->args);

    if (!m->kwargs.p || m->kwargs.n <= 2)
        return n;
    push_dict(L, m->wire, m->kwargs);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_KWARGS_MT);
    lua_setmetatable(L, -2);
    return n + 1;
}

/* The values of an answer; -1 when it was a failure, whose error is pushed. */
static int push_answer(lua_State *L, struct reply *r)
{
    const struct msg *m = &r->e.m;

    switch (r->e.kind) {
    case EVENT_RESULT:
        return push_result(L, m);
    case EVENT_REGISTERED:
    case EVENT_SUBSCRIBED:
        lua_pushinteger(L, (lua_Integer)m->id);
        return 1;
    case EVENT_PUBLISHED:
        lua_pushinteger(L, (lua_Integer)m->publication);
        return 1;
    case EVENT_UNREGISTERED:
    case EVENT_UNSUBSCRIBED:
        return 0;
    default:
        push_failure(L, r);
        return -1;
    }
}

int reply_push(lua_State *L, struct reply *r, bool own)
{
    int n = push_answer(L, r);

    if (own)
        reply_free(L, r);
    return n < 0 ? lua_error(L) : n;
}

/* ---- futures ----------------------------------------------------------------------- */

struct future {
    struct reply *r;
};

void push_future(lua_State *L, struct reply *r)
{
    struct future *f = lua_newuserdatauv(L, sizeof *f, 1);

    f->r = r;
    push_client(L, r->lc); /* the client must outlive the future */
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, FUTURE);
}

static struct reply *check_future(lua_State *L)
{
    struct future *f = luaL_checkudata(L, 1, FUTURE);

    return f->r;
}

static int wait_k(lua_State *L, int status, lua_KContext ctx)
{
    struct reply *r = (struct reply *)ctx;

    (void)status;
    if (reply_check(L, r, false))
        return reply_push(L, r, false);
    if (task_self(r->lc->S)->timed_out)
        return raise_error(L, "TimeoutError", "%s: no answer in time", r->uri);
    return reply_wait(L, r, NEVER, wait_k);
}

/* future:wait([timeout]) -> results… | raises the call's error, or TimeoutError (the
 * call goes on) */
static int l_wait(lua_State *L)
{
    struct reply *r = check_future(L);
    double seconds = luaL_optnumber(L, 2, -1);

    if (r->done)
        return reply_push(L, r, false);
    return reply_wait(
        L, r, seconds < 0 ? NEVER : host_now(r->lc->S->host) + to_ms(seconds), wait_k);
}

/* future:done() -> boolean */
static int l_done(lua_State *L)
{
    lua_pushboolean(L, check_future(L)->done);
    return 1;
}

/* future:cancel([mode]) : "skip", "kill" or "killnowait" (WAMP: call canceling) */
static int l_cancel(lua_State *L)
{
    static const char *const modes[] = { "killnowait", "kill", "skip", NULL };
    struct reply *r = check_future(L);
    const char *mode = modes[luaL_checkoption(L, 2, "killnowait", modes)];

    if (!r->done && r->lc->c) {
        session_cancel(client_session(r->lc->c), (uint64_t)r->request, mode,
                       host_now(r->lc->S->host));
        client_touch(r->lc->c);
    }
    return 0;
}

static int l_gc(lua_State *L)
{
    struct future *f = luaL_checkudata(L, 1, FUTURE);

    if (f->r)
        reply_free(L, f->r);
    f->r = NULL;
    return 0;
}

static const luaL_Reg future_methods[] = {
    { "wait", l_wait }, { "done", l_done }, { "cancel", l_cancel }, { NULL, NULL }
};

void reply_open(lua_State *L, struct state *S)
{
    luaL_newmetatable(L, FUTURE);
    lua_newtable(L);
    state_register(L, S, future_methods);
    lua_setfield(L, -2, "__index");
    lua_pushlightuserdata(L, S);
    lua_pushcclosure(L, l_gc, 1);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}
