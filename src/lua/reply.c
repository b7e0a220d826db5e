/* reply.c - answers that somebody waits for: the calls of l_request.c, and futures; and
 * waiting for room in the queue.
 *
 * The idea: a request's tag is a struct reply. The pump puts the answer in and wakes
 * whoever waits; the one who waits turns it into Lua values on his own stack, so an
 * error is raised at the call site. A reply whose owner went away is forgotten, its late
 * answer falls on nobody. */
#include <stdlib.h>

#include "base/mem.h"
#include "lua/convert.h"
#include "lua/errors.h"
#include "lua/inbox.h"
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
    free(r->scheme);
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
    if (r->inbox)
        inbox_wake(r->inbox);
}

struct reply *reply_alive(lua_State *L, struct reply *r)
{
    if (!r)
        raise_error(L, "WampyError", "the call was let go of, and has ended with that");
    return r;
}

void reply_cancel(struct reply *r, const char *mode)
{
    if (r->done || r->request <= 0 || !r->lc->c)
        return;
    session_cancel(client_session(r->lc->c), (uint64_t)r->request, mode,
                   host_now(r->lc->S->host));
    client_touch(r->lc->c);
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
        reply_cancel(r, "killnowait");
        reply_free(L, r);
    }
    task_check(L, S);
    return r->done;
}

static void push_failure(lua_State *L, struct reply *r)
{
    if (r->e.m.row)
        push_remote_error(L, &r->e, r->uri);
    else if (r->e.text)
        push_error(L, "PayloadError", "%s", r->e.text);
    else if (r->e.error == SESSION_TIMEOUT)
        push_error(L, "TimeoutError", "%s: no answer in time", r->uri);
    else if (r->e.error == SESSION_OK)
        push_error(L, "Canceled", "%s: canceled", r->uri);
    else
        push_error(L, "ConnectionError", "%s: the session ended before the answer came",
                   r->uri);
}

int push_payload(lua_State *L, const struct wire *wire, struct slice args,
                 struct slice kwargs)
{
    int n = push_elements(L, wire, args);

    if (!kwargs.p || kwargs.n <= 2)
        return n;
    push_dict(L, wire, kwargs);
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
        return push_payload(L, m->wire, m->args, m->kwargs);
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

    return reply_alive(L, f->r);
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

const char *check_mode(lua_State *L, int idx)
{
    static const char *const modes[] = { "killnowait", "kill", "skip", NULL };

    return modes[luaL_checkoption(L, idx, "killnowait", modes)];
}

/* future:cancel([mode]) : "skip", "kill" or "killnowait" (WAMP: call canceling) */
static int l_cancel(lua_State *L)
{
    struct reply *r = check_future(L);

    reply_cancel(r, check_mode(L, 2));
    return 0;
}

/* Collected: nobody will read the answer. */
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

/* ---- room -------------------------------------------------------------------------- */

bool stream_waits(lua_State *L, const struct l_client *lc)
{
    if (client_queued(lc->c) <= LIMIT_STREAM_QUEUE)
        return false;
    return wait_mode(lc->S, L) != WAIT_NEVER || client_full(lc->c);
}

int room_wait(lua_State *L, struct l_client *lc, size_t bytes, lua_KContext ctx,
              lua_KFunction k)
{
    if (wait_mode(lc->S, L) == WAIT_NEVER)
        return raise_error(L, "QueueFull",
                           "the link cannot keep up, and nothing can wait here");
    client_await_room(lc->c, bytes);
    list_push(&lc->waiting, &task_self(lc->S)->wait_link);
    return task_wait(L, lc->S, NEVER, ctx, k);
}

void room_check(lua_State *L, struct state *S)
{
    list_remove(&task_self(S)->wait_link);
    task_check(L, S);
}

/* ---- set up ------------------------------------------------------------------------ */

void reply_open(lua_State *L, struct state *S)
{
    static const luaL_Reg events[] = { { "__gc", l_gc }, { NULL, NULL } };

    state_class(L, S, FUTURE, events, future_methods);
}
