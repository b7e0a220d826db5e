/* l_upload.c - a call whose arguments come in parts: client:open (WAMP: progressive call
 * invocations).
 *
 * The first part goes out with open, each send is another, finish is the last and waits
 * for the results. A part waits while the link's own queue is full: the callee has no way
 * to say that it cannot keep up. Who lets go early (__close, __gc, cancel) cancels the
 * call.
 *
 * Not known here: which part may be sent when (wamp/session_parts.c). */
#include "lua/codec.h"
#include "lua/payload.h"
#include "lua/errors.h"

static const char UPLOAD[] = "wampy.upload";

struct upload {
    struct reply *r; /* owned; NULL after __gc */
    bool finished, canceled;
};

static struct upload *check_upload(lua_State *L)
{
    struct upload *u = luaL_checkudata(L, 1, UPLOAD);

    reply_alive(L, u->r);
    return u;
}

/* ---- sending ----------------------------------------------------------------------- */

/* Raises where no part may be sent any more. False: the call is over, with a result that
 * waits for `finish`. */
static bool may_send(lua_State *L, struct upload *u, const char *verb)
{
    if (u->finished)
        raise_error(L, "WampyError", "%s: the arguments of %s are finished already", verb,
                    u->r->uri);
    if (u->r->done && u->r->e.kind != EVENT_RESULT)
        reply_push(L, u->r, false); /* raises */
    return !u->r->done;
}

/* Sends the arguments at 2...; false when the call is over. */
static bool send_part(lua_State *L, struct upload *u, bool last)
{
    struct l_client *lc = u->r->lc;
    struct payload p;
    int error;

    if (has_options(L, 2))
        raise_error(L, "WampyError",
                    "%s: options are those of client:open, for all parts",
                    last ? "finish" : "send");
    codec_seal_part(L, u->r, 2);
    check_payload(L, lc->S, lc->wire, 2, &p);
    error = session_part(client_session(lc->c), (uint64_t)u->r->request, last, p.args,
                         p.kwargs, host_now(lc->S->host));
    client_touch(lc->c);
    if (error && error != SESSION_UNKNOWN)
        raise_refusal(L, lc, error);
    return !error;
}

static int send_k(lua_State *L, int status, lua_KContext ctx);

static int send_some(lua_State *L, struct upload *u)
{
    bool going = may_send(L, u, "send");

    if (going && u->canceled)
        return raise_error(L, "Canceled", "send: %s is canceled", u->r->uri);
    if (going && stream_waits(L, u->r->lc))
        return room_wait(L, u->r->lc, LIMIT_STREAM_QUEUE / 2, 0, send_k);
    lua_pushboolean(L, going && send_part(L, u, false));
    return 1;
}

static int send_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    room_check(L, state_of(L));
    return send_some(L, check_upload(L));
}

/* up:send(... [, kwargs{}]) -> true | false when the callee has answered already: the
 * rest is not wanted. Raises the call's error */
static int l_send(lua_State *L)
{
    return send_some(L, check_upload(L));
}

/* ---- finishing --------------------------------------------------------------------- */

static int answer_k(lua_State *L, int status, lua_KContext ctx)
{
    struct upload *u = check_upload(L);

    (void)status;
    (void)ctx;
    if (task_self(u->r->lc->S)->canceled)
        reply_cancel(u->r, "killnowait");
    if (!reply_check(L, u->r, false))
        return reply_wait(L, u->r, NEVER, answer_k);
    return reply_push(L, u->r, false);
}

static int finish_k(lua_State *L, int status, lua_KContext ctx);

static int finish(lua_State *L, struct upload *u)
{
    bool going = may_send(L, u, "finish") && !u->canceled;

    if (going && stream_waits(L, u->r->lc))
        return room_wait(L, u->r->lc, LIMIT_STREAM_QUEUE / 2, 0, finish_k);
    if (going)
        send_part(L, u, true);
    u->finished = true;
    if (u->r->done)
        return reply_push(L, u->r, false);
    return reply_wait(L, u->r, NEVER, answer_k);
}

static int finish_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    room_check(L, state_of(L));
    return finish(L, check_upload(L));
}

/* up:finish(... [, kwargs{}]) -> results… | raises the call's error. Its arguments are
 * the last part; of a call that is canceled they are not sent */
static int l_finish(lua_State *L)
{
    need_wait(L);
    return finish(L, check_upload(L));
}

/* ---- ending ------------------------------------------------------------------------ */

static void give_up(struct upload *u, const char *mode)
{
    if (u->r->done)
        return;
    u->canceled = true;
    reply_cancel(u->r, mode);
}

/* up:cancel([mode]) : "skip", "kill" or "killnowait" (WAMP: call canceling) */
static int l_cancel(lua_State *L)
{
    struct upload *u = check_upload(L);

    give_up(u, check_mode(L, 2));
    return 0;
}

/* local up <close> = client:open(...): a call that is not over is cancelled */
static int l_close(lua_State *L)
{
    give_up(check_upload(L), "killnowait");
    return 0;
}

/* likewise when nobody holds it any more */
static int l_gc(lua_State *L)
{
    struct upload *u = luaL_checkudata(L, 1, UPLOAD);

    if (!u->r)
        return 0;
    give_up(u, "killnowait");
    reply_free(L, u->r);
    u->r = NULL;
    return 0;
}

/* client:open(uri, ... [, kwargs{}] [, options{}]) -> up. Its arguments are the first
 * part */
static int l_open(lua_State *L)
{
    struct l_client *lc = check_joined(L, 1);
    struct payload p = { .form = CALL_PARTS };
    struct reply *r;
    struct upload *u;

    check_slice(L, 2);
    codec_seal(L, lc, "call", 3);
    check_call(L, lc->S, lc->wire, 3, &p);
    r = put_call(L, &p);
    u = lua_newuserdatauv(L, sizeof *u, UPLOAD_KEYS);
    *u = (struct upload){ .r = r };
    push_client(L, lc); /* the client must outlive it */
    lua_setiuservalue(L, -2, UPLOAD_CLIENT);
    if (r->scheme) {
        lua_pushvalue(L, p.given);
        lua_setiuservalue(L, -2, UPLOAD_KEYS);
    }
    luaL_setmetatable(L, UPLOAD);
    return 1;
}

static const luaL_Reg upload_methods[] = {
    { "send", l_send }, { "finish", l_finish }, { "cancel", l_cancel }, { NULL, NULL }
};

static const luaL_Reg upload_events[] = { { "__close", l_close },
                                          { "__gc", l_gc },
                                          { NULL, NULL } };

const luaL_Reg client_uploads[] = { { "open", l_open }, { NULL, NULL } };

void upload_open(lua_State *L, struct state *S)
{
    state_class(L, S, UPLOAD, upload_events, upload_methods);
}
