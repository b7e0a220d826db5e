/* l_job.c - what a handler may ask of the call that it works on: send a part of the
 * result (progress), read parts of the arguments (chunks), know whether it is still
 * wanted (is_canceled).
 *
 * `details` stands for its call, whoever holds it and for as long as he likes: a weak
 * table leads from it to a struct details, which loses its job when that ends. So its
 * methods work in any task; wampy.progress needs the handler's own.
 *
 * Not known here: how calls come and are answered (serve.c). */
#include "lua/codec.h"
#include "lua/payload.h"
#include "lua/errors.h"

static const char KEY_DETAILS; /* registry: details table -> struct details, weak */
static const char DETAILS[] = "wampy.details";

struct details {
    struct job *job; /* borrowed; NULL once it is over */
    bool canceled;   /* when it was */
};

void job_describe(lua_State *L, struct job *j, int idx)
{
    struct details *d;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_DETAILS);
    lua_pushvalue(L, idx);
    d = lua_newuserdatauv(L, sizeof *d, 0); /* all details d */
    *d = (struct details){ .job = j };
    luaL_setmetatable(L, DETAILS);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    j->details = d;
}

/* Whether nobody waits for the answer any more, or the handler is to end. */
static bool is_unwanted(const struct job *j)
{
    return j->canceled || j->lost || j->task->canceled;
}

void job_forget(struct job *j)
{
    if (!j->details)
        return;
    j->details->job = NULL;
    j->details->canceled = is_unwanted(j);
}

static int l_details_gc(lua_State *L)
{
    struct details *d = luaL_checkudata(L, 1, DETAILS);

    if (d->job)
        d->job->details = NULL;
    d->job = NULL;
    return 0;
}

static struct details *check_details(lua_State *L)
{
    struct details *d;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_DETAILS);
    lua_pushvalue(L, 1);
    lua_rawget(L, -2);
    d = lua_touserdata(L, -1);
    lua_pop(L, 2);
    luaL_argcheck(L, d, 1, "the details of a call expected (with a colon)");
    return d;
}

/* ---- results in parts -------------------------------------------------------------- */

static int progress_k(lua_State *L, int status, lua_KContext first);

/* Sends the values from `first` on as a part of the job's result. Pushes whether the
 * caller gets it. */
static int progress(lua_State *L, struct job *j, int first)
{
    struct l_client *lc = j ? j->lc : NULL;
    struct payload p;
    int rc;

    if (!j) {
        lua_pushboolean(L, false);
        return 1;
    }
    if (task_self(lc->S)->canceled)
        task_check(L, lc->S);
    if (!lc->c || j->lost)
        return raise_error(L, "ConnectionError", "progress: not connected");
    if (stream_waits(L, lc))
        return room_wait(L, lc, LIMIT_STREAM_QUEUE / 2, first, progress_k);
    codec_seal_answer(L, j, "result", first);
    p.form = has_options(L, first) ? CALL_PARTS : 0; /* which then say all */
    check_call(L, lc->S, lc->wire, first, &p);
    rc = session_yield(client_session(lc->c), j->invocation, true,
                       &(struct answer){ p.args, p.kwargs, p.options });
    if (rc == SESSION_TOO_LARGE || rc == SESSION_BAD_OPTION)
        return raise_refusal(L, lc, rc);
    client_touch(lc->c);
    if (rc == SESSION_OK)
        job_rearm(j);
    lua_pushboolean(L, rc == SESSION_OK);
    return 1;
}

static struct job *own_job(lua_State *L)
{
    struct task *t = state_of(L)->current;
    struct job *j = t ? job_of(t) : NULL;

    if (!j || !j->invocation)
        luaL_error(L, "progress: only in the task of a callee's handler");
    return j;
}

static int progress_k(lua_State *L, int status, lua_KContext first)
{
    (void)status;
    room_check(L, state_of(L));
    return progress(L, first == 1 ? own_job(L) : check_details(L)->job, (int)first);
}

/* core.progress(... [, kwargs{}]) -> true | false where the caller asked for none. Sends
 * a progressive result of the invocation that the running task works on (WAMP:
 * progressive call results) */
static int l_progress(lua_State *L)
{
    return progress(L, own_job(L), 1);
}

/* details:progress(... [, kwargs{}]) -> true | false where the caller asked for none, or
 * the call is over. The same in any task */
static int l_details_progress(lua_State *L)
{
    return progress(L, check_details(L)->job, 2);
}

/* ---- arguments in parts ------------------------------------------------------------ */

/* What the handler's parameters have not taken of the first part. */
static int push_rest(lua_State *L, struct job *j)
{
    int n = push_elements(L, j->m.wire, j->m.args);

    j->opened = true;
    if (n <= j->takes) {
        lua_pop(L, n);
        return 0;
    }
    lua_rotate(L, -n, -j->takes);
    lua_pop(L, j->takes);
    return n - j->takes;
}

/* The values of the next part that has any; 0 when none has come. */
static int push_next(lua_State *L, struct job *j)
{
    const struct part *p;
    int n = j->opened ? 0 : push_rest(L, j);

    while (!n && (p = inbox_first(&j->in))) {
        n = push_payload(L, p->wire, p->args, p->kwargs);
        inbox_drop(&j->in);
    }
    return n;
}

/* Raises what keeps a handler from reading on. */
static void check_reading(lua_State *L, struct job *j)
{
    if (j->in.overflowed)
        raise_error(L, "StreamOverflow",
                    "%d parts of the arguments wait to be read, which is all that the "
                    "option buffer = %d allows; the call has failed",
                    (int)j->in.limit, (int)j->in.limit);
    if (j->canceled)
        raise_error(L, "Canceled", "canceled");
}

static int next_chunk_k(lua_State *L, int status, lua_KContext ctx);

/* (details, i) -> i + 1, values…; nil at the end */
static int next_chunk(lua_State *L)
{
    struct job *j = check_details(L)->job;
    int n;

    if (!j) {
        lua_pushnil(L);
        return 1;
    }
    check_reading(L, j);
    lua_pushinteger(L, j->parts + 1);
    n = push_next(L, j);
    if (n) {
        j->parts++;
        return 1 + n;
    }
    if (j->more && j->lost)
        return raise_error(L, "ConnectionError",
                           "the session ended before all arguments came");
    if (j->more)
        return inbox_wait(L, &j->in, 0, next_chunk_k);
    lua_pushnil(L);
    return 1;
}

static int next_chunk_k(lua_State *L, int status, lua_KContext ctx)
{
    struct state *S = state_of(L);
    struct job *j = check_details(L)->job;

    (void)status;
    (void)ctx;
    if (j)
        inbox_ran(&j->in);
    room_check(L, S);
    lua_settop(L, 2);
    return next_chunk(L);
}

/* details:chunks() -> what a generic `for` takes: i, values… of each part of the
 * arguments (WAMP: progressive call invocations). Of the first one, what the handler's
 * parameters have not taken; parts without values are left out */
static int l_chunks(lua_State *L)
{
    struct state *S = state_of(L);

    check_details(L);
    lua_pushlightuserdata(L, S);
    lua_pushcclosure(L, next_chunk, 1);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    return 3;
}

/* ---- cancelling -------------------------------------------------------------------- */

static int is_canceled_k(lua_State *L, int status, lua_KContext ctx)
{
    const struct details *d = check_details(L);
    bool ending = task_self(state_of(L))->canceled;

    (void)status;
    (void)ctx;
    lua_pushboolean(L, d->job ? ending || is_unwanted(d->job) : d->canceled);
    return 1;
}

/* details:is_canceled() -> whether the caller, the time that he gave or the end of the
 * session has ended the call, or the task that asks is to end. Lets the loop run once, to
 * hear of it, but never raises: for whoever computes */
static int l_is_canceled(lua_State *L)
{
    struct state *S = state_of(L);
    const struct details *d = check_details(L);
    enum wait_mode mode = wait_mode(S, L);

    if (d->job && !is_unwanted(d->job) && (mode == WAIT_TASK || mode == WAIT_PASS))
        return task_wait(L, S, host_clock(S->host), 0, is_canceled_k);
    return is_canceled_k(L, LUA_OK, 0);
}

/* ---- set up ------------------------------------------------------------------------ */

static const luaL_Reg functions[] = { { "progress", l_progress }, { NULL, NULL } };

static const luaL_Reg details_methods[] = { { "progress", l_details_progress },
                                            { "chunks", l_chunks },
                                            { "is_canceled", l_is_canceled },
                                            { NULL, NULL } };

void job_open(lua_State *L, struct state *S)
{
    state_register(L, S, functions);
    lua_newtable(L); /* all details, weak */
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &KEY_DETAILS);
    luaL_newmetatable(L, DETAILS);
    lua_pushcfunction(L, l_details_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_DETAILS_MT);
    lua_newtable(L);
    state_register(L, S, details_methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
