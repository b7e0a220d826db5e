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
#include "lua/payload.h"
#include "lua/errors.h"

/* ---- how much a handler does at a time ----------------------------------------------
 *
 * A router frees the place of a call as soon as it is given up; its handler may still be
 * busy with ending. So who was told to end does not keep the next call away, but keeps
 * it waiting. */

/* The job does not count for its handler's concurrency any more. */
static void uncount(struct job *j)
{
    j->handler->load.active -= j->counted;
    j->counted = false;
}

static void begin(struct job *j)
{
    j->running = true;
    j->handler->load.running++;
    j->in.called = true;
}

static void leave(struct job *j)
{
    struct handler_load *load = &j->handler->load;
    struct list *node;
    struct job *next;

    uncount(j);
    list_remove(&j->held);
    load->running -= j->running;
    if (!j->running || !(node = list_pop(&load->held)))
        return;
    next = list_entry(node, struct job, held);
    begin(next);
    task_wake(next->task);
}

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
    int n;

    if (!j->running) /* given up while it was held */
        task_check(L, j->lc->S);
    n = handler_bind(L, 1, &j->m, session);
    inbox_ran(&j->in);
    j->takes = handler_takes(j->handler);
    j->reads = j->handler->details_at != 0;
    if (j->invocation && j->handler->details_at)
        job_describe(L, j,
                     lua_gettop(L) - n + j->handler->method + j->handler->details_at);
    if (!j->details) /* who has them may read chunks */
        msg_shed(&j->m);
    lua_callk(L, n, LUA_MULTRET, (lua_KContext)j, answer);
    return answer(L, LUA_OK, (lua_KContext)j);
}

/* ---- the end ----------------------------------------------------------------------- */

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

static void finished(struct task *t, int n)
{
    struct job *j = t->owner;
    lua_State *L = t->S->L;

    (void)n;
    if (j->invocation && !j->lost)
        map_del(&j->lc->jobs, j->invocation);
    if (t->failed) {
        job_report(t, j);
        if (j->invocation && !j->answered && !j->lost && j->lc->c)
            fail(t, j);
    }
    if (t->S->observed)
        job_observe(t, j);
    leave(j);
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
    uncount(j);
}

/* Whoever works on the job, or reads its arguments, hears of it where he waits. */
static void cancel(struct job *j)
{
    j->canceled = true;
    uncount(j);
    inbox_wake(&j->in);
    task_cancel(j->task);
}

static void time_over(struct host_timer *timer)
{
    struct job *j = (struct job *)(void *)((char *)timer - offsetof(struct job, limit));

    give_up(j, "wamp.error.timeout", "the callee did not answer in time");
    cancel(j);
}

void job_rearm(struct job *j)
{
    struct host *host = j->lc->S->host;

    if (j->time)
        host_timer_set(host, &j->limit, host_now(host) + j->time);
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
    list_init(&j->held);
    j->reads = h->details_at != 0;
    j->counted = true;
    j->limit.fire = time_over;
    j->handler = h;
    j->invocation = invocation;
    msg_keep(&j->m, m);
    h->load.active++;
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
    task_hold(t, 3);
    if (invocation && h->concurrency && h->load.running >= h->concurrency) {
        list_push(&h->load.held, &j->held);
    } else {
        begin(j);
        task_wake(t);
    }
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
    j->time = e->timeout;
    job_rearm(j);
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
    else if (h->concurrency && h->load.active >= h->concurrency)
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

    if (!j)
        return;
    j->more = e->progress;
    if (!j->reads || inbox_put(&j->in, &e->m))
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
        uncount(j);
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
