/* serve.c - what arrives unasked: invocations and events run handlers, each in a task.
 *
 * The idea: a job is one message for one handler. The task's body binds the message's
 * arguments, calls the function and, for a call, encodes what it returned and sends it:
 * so everything that can raise raises inside the task. An invocation is answered exactly
 * once: by the body, by `finish` when the body failed, or before its end when it takes
 * too long or does not read its arguments. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "lua/codec.h"
#include "lua/convert.h"
#include "lua/errors.h"

/* ---- the body ---------------------------------------------------------------------- */

/* (handler, job, client, results...) */
static int answer(lua_State *L, int status, lua_KContext ctx)
{
    struct job *j = (struct job *)ctx;
    struct l_client *lc = j->lc;
    struct payload p;
    int rc;

    (void)status;
    if (!j->invocation)
        return 0;
    codec_seal_answer(L, j, "result", 4);
    check_payload(L, lc->S, lc->wire, 4, &p);
    if (!lc->c || j->lost || j->answered)
        return 0;
    rc = session_yield(client_session(lc->c), j->invocation, false,
                       &(struct answer){ p.args, p.kwargs, p.options });
    if (rc == SESSION_TOO_LARGE)
        return raise_error(L, "WampyError", "the result is larger than max_message_size");
    if (rc && rc != SESSION_UNKNOWN)
        return raise_refusal(L, lc, rc);
    j->answered = true;
    client_touch(lc->c);
    return 0;
}

static int work(lua_State *L)
{
    struct job *j = lua_touserdata(L, 2);
    uint64_t session = j->lc->c ? session_id(client_session(j->lc->c)) : 0;
    int n = handler_bind(L, 1, &j->m, session);

    inbox_ran(&j->in);
    if (j->invocation && j->handler->details_at)
        job_describe(L, j,
                     lua_gettop(L) - n + j->handler->method + j->handler->details_at);
    if (!j->details) /* who has them may read chunks */
        msg_shed(&j->m);
    lua_callk(L, n, LUA_MULTRET, (lua_KContext)j, answer);
    return answer(L, LUA_OK, (lua_KContext)j);
}

/* ---- the end ----------------------------------------------------------------------- */

static const char *label(lua_State *L, int idx, int value)
{
    const char *s;

    lua_getiuservalue(L, idx, value);
    s = lua_tostring(L, -1);
    lua_pop(L, 1);
    return s ? s : "?";
}

/* (job, error): sends the ERROR that the error value stands for. */
static int send_failure(lua_State *L)
{
    struct job *j = lua_touserdata(L, 1);
    struct state *S = j->lc->S;
    struct payload p;
    struct slice uri;
    int rc;

    error_to_wire(L); /* job uri args kwargs */
    uri = check_slice(L, 2);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_KWARGS_MT);
    lua_setmetatable(L, 4);
    lua_pushvalue(L, 4);
    lua_replace(L, 1); /* kwargs uri args kwargs: now spread the args */
    lua_settop(L, 3);
    luaL_checkstack(L, (int)lua_rawlen(L, 3) + 8, "error arguments");
    for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, 3); i <= n; i++)
        lua_rawgeti(L, 3, i);
    lua_pushvalue(L, 1);
    if (!slice_is(uri, PAYLOAD_ERROR))
        codec_seal_answer(L, j, "error", 4);
    check_payload(L, S, j->lc->wire, 4, &p);
    rc = session_fail(client_session(j->lc->c), j->invocation, uri,
                      &(struct answer){ p.args, p.kwargs, p.options });
    j->answered = rc == SESSION_OK || rc == SESSION_UNKNOWN;
    return 0;
}

static void fail(struct task *t, struct job *j)
{
    lua_State *L = t->S->L;

    lua_pushcfunction(L, send_failure);
    lua_pushlightuserdata(L, j);
    lua_pushvalue(t->co, -1);
    lua_xmove(t->co, L, 1);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK)
        lua_pop(L, 1);
    if (!j->answered)
        session_fail(client_session(j->lc->c), j->invocation,
                     SLICE("wamp.error.runtime_error"), &(struct answer){ 0 });
    client_touch(j->lc->c);
}

/* The app's Client that the job belongs to. */
static void push_object(lua_State *L, struct job *j)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &j->m);
    lua_getiuservalue(L, -1, CLIENT_OBJECT);
    lua_remove(L, -2);
}

/* What an ERROR was meant to say is not a fault of the program: no traceback for
 * those. */
static void report(struct task *t, struct job *j)
{
    lua_State *L = t->S->L;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_ERRORS);
    lua_getfield(L, -1, "report");
    push_object(L, j);
    lua_pushboolean(L, j->invocation != 0);
    lua_pushvalue(t->co, -1);
    lua_xmove(t->co, L, 1);
    lua_pushstring(L, t->trace);
    lua_rawgetp(L, LUA_REGISTRYINDEX, j);
    lua_pushstring(L, label(L, -1, HANDLER_URI));
    lua_pushstring(L, label(L, -2, HANDLER_LABEL));
    lua_remove(L, -3);
    push_dict(L, j->m.wire, j->m.dict);
    if (lua_pcall(L, 7, 0, 0) != LUA_OK) {
        log_error("while reporting an error: %s", lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* ---- who watches handlers ---------------------------------------------------------- */

static const char KEY_OBSERVER;

/* core.observe(fn | nil): fn(client, "call" | "event", uri, topic | nil, ok, error) is
 * called when a handler has run to its end; it cannot wait. `uri` is what was registered
 * or subscribed, `topic` what a pattern stood for. */
static int l_observe(lua_State *L)
{
    state_of(L)->observed = !lua_isnoneornil(L, 1);
    lua_settop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &KEY_OBSERVER);
    return 0;
}

static void observe(struct task *t, struct job *j)
{
    lua_State *L = t->S->L;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_OBSERVER);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &j->m);
    lua_getiuservalue(L, -1, CLIENT_OBJECT);
    lua_remove(L, -2); /* fn client */
    lua_pushstring(L, j->invocation ? "call" : "event");
    lua_rawgetp(L, LUA_REGISTRYINDEX, j);
    lua_getiuservalue(L, -1, HANDLER_URI);
    lua_remove(L, -2); /* fn client kind uri */
    push_dict(L, j->m.wire, j->m.dict);
    lua_getfield(L, -1, "topic");
    lua_remove(L, -2); /* fn client kind uri topic */
    lua_pushboolean(L, !t->failed);
    if (t->failed) {
        lua_pushvalue(t->co, -1);
        lua_xmove(t->co, L, 1);
    } else {
        lua_pushnil(L);
    }
    if (lua_pcall(L, 6, 0, 0) != LUA_OK) {
        log_error("in core.observe's function: %s", lua_tostring(L, -1));
        lua_pop(L, 1);
    }
}

static void finished(struct task *t, int n)
{
    struct job *j = t->owner;
    lua_State *L = t->S->L;

    (void)n;
    if (j->invocation && !j->lost)
        map_del(&j->lc->jobs, j->invocation);
    if (t->failed) {
        report(t, j);
        if (j->invocation && !j->answered && !j->lost && j->lc->c)
            fail(t, j);
    }
    if (t->S->observed)
        observe(t, j);
    j->handler->active--;
    j->lc->serving--;
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, j);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &j->m);
    host_timer_clear(t->S->host, &j->limit);
    job_forget(j);
    inbox_fini(&j->in);
    msg_fini(&j->m);
    free(j);
}

struct job *job_of(const struct task *t)
{
    return t->finish == finished ? t->owner : NULL;
}

void serve_open(lua_State *L, struct state *S)
{
    static const luaL_Reg functions[] = { { "observe", l_observe }, { NULL, NULL } };

    state_register(L, S, functions);
    job_open(L, S);
}

/* ---- ending one early -------------------------------------------------------------- */

void serve_refuse(struct l_client *lc, uint64_t invocation, const char *uri,
                  const char *why)
{
    struct writer w;

    writer_init(&w, lc->wire, 64);
    writer_list(&w, 1);
    writer_string(&w, slice_of(why));
    writer_list_end(&w);
    session_fail(client_session(lc->c), invocation, slice_of(uri),
                 &(struct answer){ .args = slice_buf(w.buf) });
    writer_fini(&w);
    client_touch(lc->c);
}

/* Answers for a handler that goes on. */
static void give_up(struct job *j, const char *uri, const char *why)
{
    if (j->answered)
        return;
    serve_refuse(j->lc, j->invocation, uri, why);
    j->answered = true;
}

/* Whoever works on the job, or reads its arguments, hears of it where he waits. */
static void cancel(struct job *j)
{
    j->canceled = true;
    inbox_wake(&j->in);
    task_cancel(j->task);
}

static void time_over(struct host_timer *timer)
{
    struct job *j = (struct job *)(void *)((char *)timer - offsetof(struct job, limit));

    give_up(j, "wamp.error.timeout", "the callee did not answer in time");
    cancel(j);
}

/* ---- starting ---------------------------------------------------------------------- */

/* Starts a task for the handler at the top of S->L's stack, which it pops. NULL: too
 * many. */
static struct job *start(struct l_client *lc, const struct msg *m, uint64_t invocation)
{
    struct state *S = lc->S;
    lua_State *L = S->L;
    struct handler *h = lua_touserdata(L, -1);
    struct task *t = task_new(S);
    struct job *j;

    if (!t) {
        lua_pop(L, 1);
        return NULL;
    }
    j = xcalloc(1, sizeof *j);
    j->lc = lc;
    j->task = t;
    inbox_init(&j->in, h->buffer);
    j->in.called = true;
    j->limit.fire = time_over;
    j->handler = h;
    j->invocation = invocation;
    msg_keep(&j->m, m);
    h->active++;
    lc->serving++;
    t->owner = j;
    t->finish = finished;
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, j); /* keeps the handler, for the report */
    lua_pushcfunction(t->co, work);
    lua_xmove(L, t->co, 1);
    lua_pushlightuserdata(t->co, j);
    push_client(L, lc);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &j->m);
    lua_xmove(L, t->co, 1);
    if (invocation)
        map_put(&lc->jobs, invocation, t);
    task_start(t, 3);
    return j;
}

/* Starts a call for the handler at the top of the stack, which it pops. */
static void start_call(struct l_client *lc, const struct event *e)
{
    struct job *j = start(lc, &e->m, e->m.request);

    if (!j) {
        serve_refuse(lc, e->m.request, "wamp.error.unavailable",
                     "max_tasks handlers are running");
        return;
    }
    j->more = e->progress;
    if (e->timeout)
        host_timer_set(lc->S->host, &j->limit, host_now(lc->S->host) + e->timeout);
}

void serve_invocation(struct l_client *lc, struct event *e)
{
    lua_State *L = lc->S->L;
    struct handler *h;

    push_client(L, lc);
    lua_getiuservalue(L, -1, CLIENT_REGISTRATIONS);
    lua_rawgeti(L, -1, (lua_Integer)e->m.id); /* ud handlers handler */
    h = lua_touserdata(L, -1);
    if (!h)
        serve_refuse(lc, e->m.request, "wamp.error.no_such_registration",
                     "not registered any more");
    else if (h->concurrency && h->active >= h->concurrency)
        serve_refuse(lc, e->m.request, "wamp.error.unavailable",
                     "the procedure's concurrency is used up");
    else {
        lua_pushvalue(L, -1);
        start_call(lc, e);
    }
    lua_pop(L, 3);
}

void serve_event(struct l_client *lc, struct event *e)
{
    lua_State *L = lc->S->L;

    push_client(L, lc);
    lua_getiuservalue(L, -1, CLIENT_SUBSCRIPTIONS);
    if (lua_rawgeti(L, -1, (lua_Integer)e->m.id) == LUA_TTABLE) {
        for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
            if (!start(lc, &e->m, 0))
                lc->S->dropped_events++;
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 3);
}

static struct job *find(const struct l_client *lc, uint64_t invocation)
{
    struct task *t = map_get(&lc->jobs, invocation);

    return t ? t->owner : NULL;
}

/* A handler without `details` cannot read more than the first part. */
void serve_part(struct l_client *lc, struct event *e)
{
    struct job *j = find(lc, e->m.request);
    char why[120];

    if (!j || !j->handler->details_at)
        return;
    j->more = e->progress;
    if (inbox_put(&j->in, &e->m))
        return;
    snprintf(why, sizeof why,
             "the callee does not read the call's arguments (its buffer of %zu parts is "
             "full)",
             j->in.limit);
    give_up(j, "wamp.error.unavailable", why);
}

void serve_give_up(struct l_client *lc, const struct event *part, const char *uri,
                   const char *why)
{
    struct job *j = find(lc, part->m.request);

    if (!j)
        return;
    give_up(j, uri, why);
    cancel(j);
}

void serve_interrupt(struct l_client *lc, struct event *e)
{
    struct job *j = find(lc, e->m.request);

    if (j)
        cancel(j);
}

void serve_lost(struct l_client *lc)
{
    struct task *t;
    size_t at = 0;

    while ((t = map_next(&lc->jobs, &at, NULL, NULL))) {
        struct job *j = t->owner;

        j->lost = true;
        host_timer_clear(lc->S->host, &j->limit);
        inbox_wake(&j->in);
    }
}

static void hook_finished(struct task *t, int n)
{
    (void)n;
    if (t->failed)
        log_error("in a hook: %s%s", luaL_tolstring(t->co, -1, NULL),
                  t->trace ? t->trace : "");
}

bool serve_hook(struct l_client *lc, const char *method, int n)
{
    struct state *S = lc->S;
    lua_State *L = S->L;
    struct task *t = task_new(S);

    if (!t) {
        log_error("max_tasks are running; %s is not called [W905]", method);
        lua_pop(L, n);
        return false;
    }
    push_client(L, lc);
    lua_getiuservalue(L, -1, CLIENT_OBJECT);
    lua_remove(L, -2); /* args... object */
    lua_getfield(L, -1, method);
    lua_insert(L, -2 - n);
    lua_insert(L, -1 - n); /* fn object args... */
    lua_xmove(L, t->co, n + 2);
    t->finish = hook_finished;
    task_start(t, n + 1);
    return true;
}
