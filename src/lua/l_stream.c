/* l_stream.c - the results of a call as a stream: client:stream (WAMP: progressive call
 * results).
 *
 * A stream is a call whose progressive results go into an inbox, and an iterator that
 * takes them out: so it can stand in a generic `for`, which closes it at its end. Who
 * leaves early (__close, __gc, cancel) cancels the call.
 *
 * Not known here: how results come (l_event.c), and what the call was sent with
 * (l_request.c). */
#include "lua/codec.h"
#include "lua/payload.h"
#include "lua/errors.h"

static const char STREAM[] = "wampy.stream";

struct stream {
    struct reply *r; /* owned; NULL after __gc */
    struct inbox in; /* r->inbox */
    lua_Integer count;
};

/* As luaL_checkudata, but a part of a stream is not much more than this. */
static struct stream *check_stream(lua_State *L)
{
    struct stream *s = lua_touserdata(L, 1);
    bool ours = false;

    if (s && lua_getmetatable(L, 1)) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, STREAM);
        ours = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
    }
    if (!ours)
        luaL_checkudata(L, 1, STREAM); /* which raises */
    reply_alive(L, s->r);
    return s;
}

/* ---- reading ----------------------------------------------------------------------- */

/* First thing after a wait: raises, and cancels the call, when the wait was cancelled. */
static void ran(lua_State *L, struct stream *s)
{
    struct state *S = s->r->lc->S;

    inbox_ran(&s->in);
    list_remove(&task_self(S)->wait_link);
    if (task_self(S)->canceled)
        reply_cancel(s->r, "killnowait");
    task_check(L, S);
}

static int overflowed(lua_State *L, const struct stream *s)
{
    return raise_error(L, "StreamOverflow",
                       "%s: %d results wait to be read, which is all that "
                       "options { buffer = %d } allows; the call is canceled",
                       s->r->uri, (int)s->in.limit, (int)s->in.limit);
}

static int next_k(lua_State *L, int status, lua_KContext ctx);

static int next(lua_State *L, struct stream *s)
{
    const struct part *p = inbox_first(&s->in);
    int n;

    if (p) {
        lua_pushinteger(L, ++s->count);
        n = push_payload(L, p->wire, p->args, p->kwargs);
        inbox_drop(&s->in);
        return 1 + n;
    }
    if (s->in.overflowed)
        return overflowed(L, s);
    if (!s->r->done)
        return inbox_wait(L, &s->in, (lua_KContext)s, next_k);
    if (s->r->e.kind != EVENT_RESULT)
        return reply_push(L, s->r, false);
    lua_pushnil(L);
    return 1;
}

static int next_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    ran(L, (struct stream *)ctx);
    return next(L, (struct stream *)ctx);
}

/* stream() -> i, results… of the next part; nil at the end | raises the call's error */
static int l_next(lua_State *L)
{
    return next(L, check_stream(L));
}

static int result_k(lua_State *L, int status, lua_KContext ctx);

static int result(lua_State *L, struct stream *s)
{
    if (s->in.overflowed)
        return overflowed(L, s);
    inbox_clear(&s->in);
    if (s->r->done)
        return reply_push(L, s->r, false);
    return inbox_wait(L, &s->in, (lua_KContext)s, result_k);
}

static int result_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    ran(L, (struct stream *)ctx);
    return result(L, (struct stream *)ctx);
}

/* stream:result() -> the final results… | raises the call's error. Parts that have not
 * been read are dropped */
static int l_result(lua_State *L)
{
    return result(L, check_stream(L));
}

/* ---- ending ------------------------------------------------------------------------ */

/* stream:cancel([mode]) : "skip", "kill" or "killnowait" (WAMP: call canceling) */
static int l_cancel(lua_State *L)
{
    struct stream *s = check_stream(L);

    reply_cancel(s->r, check_mode(L, 2));
    return 0;
}

/* At the end of a loop, whatever ended it. */
static int l_close(lua_State *L)
{
    struct stream *s = check_stream(L);

    inbox_clear(&s->in);
    reply_cancel(s->r, "killnowait");
    return 0;
}

/* A stream that nobody holds any more cancels its call. */
static int l_gc(lua_State *L)
{
    struct stream *s = luaL_checkudata(L, 1, STREAM);

    if (!s->r)
        return 0;
    reply_cancel(s->r, "killnowait");
    s->r->inbox = NULL;
    reply_free(L, s->r);
    s->r = NULL;
    inbox_fini(&s->in);
    return 0;
}

/* ---- making ------------------------------------------------------------------------ */

static void push_stream(lua_State *L, struct reply *r, size_t buffer)
{
    struct stream *s = lua_newuserdatauv(L, sizeof *s, 1);

    *s = (struct stream){ .r = r };
    inbox_init(&s->in, buffer);
    r->inbox = &s->in;
    push_client(L, r->lc); /* the client must outlive the stream */
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, STREAM);
}

/* client:stream(uri, ... [, kwargs{}] [, options{}]) -> stream, nil, nil, stream: what a
 * generic `for` takes, with the stream as its closing value */
static int l_stream(lua_State *L)
{
    struct l_client *lc = check_joined(L, 1);
    struct payload p = { .form = CALL_RESULTS };

    check_slice(L, 2);
    codec_seal(L, lc, "call", 3);
    check_call(L, lc->S, lc->wire, 3, &p);
    if (p.on_progress)
        return raise_error(L, "WampyError",
                           "options.on_progress: a stream gives its results to the loop");
    push_stream(L, put_call(L, &p), p.buffer);
    lua_pushnil(L);
    lua_pushnil(L);
    lua_pushvalue(L, -3);
    return 4;
}

static const luaL_Reg stream_methods[] = { { "result", l_result },
                                           { "cancel", l_cancel },
                                           { NULL, NULL } };

static const luaL_Reg stream_events[] = {
    { "__call", l_next }, { "__close", l_close }, { "__gc", l_gc }, { NULL, NULL }
};

const luaL_Reg client_streams[] = { { "stream", l_stream }, { NULL, NULL } };

void stream_open(lua_State *L, struct state *S)
{
    state_class(L, S, STREAM, stream_events, stream_methods);
    luaL_getmetatable(L, STREAM);
    lua_rawsetp(L, LUA_REGISTRYINDEX, STREAM);
}
