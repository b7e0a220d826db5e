/* l_request.c - what a client asks for: call, publish, register, subscribe, and their
 * ends.
 *
 * Every request does the same four things: encode the arguments, put the intent, wait for
 * the reply (reply.c), push what came. Where nobody can wait nothing is sent. */
#include <stdlib.h>

#include "base/mem.h"
#include "lua/codec.h"
#include "lua/payload.h"
#include "lua/errors.h"

static int request_k(lua_State *L, int status, lua_KContext ctx)
{
    struct reply *r = (struct reply *)ctx;

    (void)status;
    if (!reply_check(L, r, true))
        return reply_wait(L, r, NEVER, request_k);
    return reply_push(L, r, true);
}

void need_wait(lua_State *L)
{
    struct state *S = state_of(L);

    if (wait_mode(S, L) == WAIT_NEVER)
        task_wait(L, S, NEVER, 0, request_k);
}

static uint64_t request_timeout(const struct l_client *lc, const struct payload *p)
{
    return p->timeout >= 0 ? to_ms(p->timeout) : lc->call_timeout;
}

/* Keeps the value at `idx` for as long as the reply lives. */
static void keep_value(lua_State *L, struct reply *r, int idx)
{
    lua_pushvalue(L, idx);
    lua_rawsetp(L, LUA_REGISTRYINDEX, r);
    r->kept = true;
}

/* Puts the intent of a reply; raises (and frees the reply) when it is refused. */
static void put(lua_State *L, struct reply *r, int64_t request)
{
    struct l_client *lc = r->lc;

    client_touch(lc->c);
    if (request < 0) {
        reply_free(L, r);
        raise_refusal(L, lc, request);
    }
    r->request = request;
}

/* What was sealed is to be answered so: codec.c. */
static void keep_scheme(lua_State *L, struct reply *r, const struct payload *p)
{
    if (!r->lc->codecs || !p->given)
        return;
    lua_getfield(L, p->given, "ppt_scheme");
    if (lua_type(L, -1) == LUA_TSTRING)
        r->scheme = xstrdup(lua_tostring(L, -1));
    lua_pop(L, 1);
}

struct reply *put_call(lua_State *L, const struct payload *p)
{
    struct l_client *lc = check_joined(L, 1);
    struct request q = { .uri = check_slice(L, 2) };
    struct reply *r = reply_new(lc, q.uri.p);

    if (p->on_progress)
        keep_value(L, r, p->on_progress);
    keep_scheme(L, r, p);
    q.options = p->options;
    q.args = p->args;
    q.kwargs = p->kwargs;
    q.timeout = request_timeout(lc, p);
    q.tag = r;
    put(L, r, session_call(client_session(lc->c), &q, host_now(lc->S->host)));
    return r;
}

static struct reply *send_call(lua_State *L)
{
    struct l_client *lc = check_joined(L, 1);
    struct payload p;

    check_slice(L, 2);
    codec_seal(L, lc, "call", 3);
    check_payload(L, lc->S, lc->wire, 3, &p);
    return put_call(L, &p);
}

/* client:call(uri, ... [, kwargs{}] [, options{}]) -> results… | raises */
static int l_call(lua_State *L)
{
    need_wait(L);
    return reply_wait(L, send_call(L), NEVER, request_k);
}

/* Puts the intent of a CALL that is a whole message; nothing of it is kept. */
static int64_t call_decoded(struct l_client *lc, struct buf *bytes, struct reply *r,
                            struct fault *f)
{
    struct session *s = client_session(lc->c);
    struct msg m;
    struct request q = { .timeout = lc->call_timeout, .tag = r };
    int64_t result = SESSION_BAD_OPTION;

    if (!msg_decode(&m, lc->wire, bytes, f))
        return result;
    if (m.request != session_next_request(s)) {
        fault_set(f, "", "CALL: request id %llu, but the next one is %llu",
                  (unsigned long long)m.request,
                  (unsigned long long)session_next_request(s));
    } else {
        q.uri = m.uri;
        q.options = m.dict;
        q.args = m.args;
        q.kwargs = m.kwargs;
        free(r->uri);
        r->uri = xstrndup(m.uri.p, m.uri.n);
        result = session_call(s, &q, host_now(lc->S->host));
        if (result < 0)
            fault_set(f, "", "%s", session_last_error(s));
    }
    msg_fini(&m);
    return result;
}

/* client:call_message(message) -> results… | raises. A CALL, an object of its class */
static int l_call_message(lua_State *L)
{
    struct l_client *lc = check_joined(L, 1);
    uint64_t request;
    struct buf *bytes;
    struct reply *r;
    struct fault f;

    need_wait(L);
    request = session_next_request(client_session(lc->c));
    bytes = check_message(L, lc, 2, &request);
    r = reply_new(lc, "");
    r->request = call_decoded(lc, bytes, r, &f);
    buf_unref(bytes);
    client_touch(lc->c);
    if (r->request < 0) {
        const char *class = r->request == SESSION_BUSY ? "QueueFull" : "WampyError";

        reply_free(L, r);
        return raise_error(L, class, "%s", f.text);
    }
    return reply_wait(L, r, NEVER, request_k);
}

/* client:call_async(uri, ...) -> future */
static int l_call_async(lua_State *L)
{
    push_future(L, send_call(L));
    return 1;
}

static int room_k(lua_State *L, int status, lua_KContext ctx);

/* Publishes what is on the stack; waits for room first while the queue is full. */
static int publish(lua_State *L, bool wait)
{
    struct l_client *lc = check_joined(L, 1);
    struct request q = { .uri = check_slice(L, 2) };
    struct payload p;
    struct reply *r;
    int64_t request;

    if (client_full(lc->c)) {
        if (!wait) {
            lua_pushboolean(L, false);
            return 1;
        }
        return room_wait(L, lc, LIMIT_QUEUE / 2, 0, room_k);
    }
    codec_seal(L, lc, "event", 3);
    check_payload(L, lc->S, lc->wire, 3, &p);
    if (p.acknowledge)
        need_wait(L);
    r = reply_new(lc, q.uri.p);
    q.options = p.options;
    q.args = p.args;
    q.kwargs = p.kwargs;
    q.timeout = request_timeout(lc, &p);
    q.tag = r;
    request = session_publish(client_session(lc->c), &q, host_now(lc->S->host));
    put(L, r, request);
    if (request > 0)
        return reply_wait(L, r, NEVER, request_k);
    reply_free(L, r);
    lua_pushboolean(L, true);
    return wait ? 0 : 1;
}

static int room_k(lua_State *L, int status, lua_KContext ctx)
{
    (void)status;
    (void)ctx;
    room_check(L, state_of(L));
    return publish(L, true);
}

/* client:publish(topic, ... [, kwargs{}] [, options{}]) -> publication id with
 * acknowledge */
static int l_publish(lua_State *L)
{
    return publish(L, true);
}

/* client:try_publish(topic, ...) -> true | false when the queue is full */
static int l_try_publish(lua_State *L)
{
    return publish(L, false);
}

typedef int64_t intent(struct session *, const struct request *, uint64_t);

static int with_handler(lua_State *L, intent *put_intent)
{
    struct l_client *lc = check_joined(L, 1);
    struct request q = { .uri = check_slice(L, 2) };
    struct reply *r;

    need_wait(L);
    luaL_checktype(L, 3, LUA_TUSERDATA);
    q.options = check_options(L, lc->S, lc->wire, 4);
    q.timeout = milliseconds(L, 5, "timeout", 0);
    r = reply_new(lc, q.uri.p);
    keep_value(L, r, 3);
    q.tag = r;
    put(L, r, put_intent(client_session(lc->c), &q, host_now(lc->S->host)));
    return reply_wait(L, r, NEVER, request_k);
}

/* client:register(uri, handler, options, { timeout = s }) -> registration id */
static int l_register(lua_State *L)
{
    return with_handler(L, session_register);
}

/* client:subscribe(uri, handler, options, { timeout = s }) -> subscription id */
static int l_subscribe(lua_State *L)
{
    return with_handler(L, session_subscribe);
}

/* Its handler serves until the router has heard of it: invocations may be under way. */
static int unregister_k(lua_State *L, int status, lua_KContext ctx)
{
    struct reply *r = (struct reply *)ctx;

    (void)status;
    if (!reply_check(L, r, true))
        return reply_wait(L, r, NEVER, unregister_k);
    lua_getiuservalue(L, 1, CLIENT_REGISTRATIONS);
    lua_pushnil(L);
    lua_rawseti(L, -2, lua_tointeger(L, 2));
    return request_k(L, status, ctx);
}

/* client:unregister(registration) */
static int l_unregister(lua_State *L)
{
    struct l_client *lc = check_joined(L, 1);
    lua_Integer id = luaL_checkinteger(L, 2);
    uint64_t now = host_now(lc->S->host);
    struct reply *r;
    int64_t request;

    need_wait(L);
    r = reply_new(lc, "unregister");
    request = session_unregister(client_session(lc->c), (uint64_t)id, r, now);
    put(L, r, request);
    return reply_wait(L, r, NEVER, unregister_k);
}

/* Takes the handler at stack index 3 out of its subscription's list; false if it is
 * not there. */
static bool remove_handler(lua_State *L, lua_Integer id)
{
    bool found = false;
    lua_Integer n;

    lua_getiuservalue(L, 1, CLIENT_SUBSCRIPTIONS);
    if (lua_rawgeti(L, -1, id) != LUA_TTABLE)
        return false;
    n = (lua_Integer)lua_rawlen(L, -1);
    lua_createtable(L, (int)n, 0); /* a new list: the old one may be walked */
    for (lua_Integer i = 1, to = 1; i <= n; i++) {
        lua_rawgeti(L, -2, i);
        if (!found && lua_rawequal(L, -1, 3)) {
            found = true;
            lua_pop(L, 1);
        } else {
            lua_rawseti(L, -2, to++);
        }
    }
    lua_rawseti(L, -3, id);
    return found;
}

/* client:unsubscribe(subscription, handler) */
static int l_unsubscribe(lua_State *L)
{
    struct l_client *lc = check_joined(L, 1);
    lua_Integer id = luaL_checkinteger(L, 2);
    struct reply *r;
    int64_t request;

    need_wait(L);
    if (!remove_handler(L, id))
        return raise_refusal(L, lc, SESSION_UNKNOWN);
    r = reply_new(lc, "unsubscribe");
    request = session_unsubscribe(client_session(lc->c), (uint64_t)id, r,
                                  host_now(lc->S->host));
    put(L, r, request);
    if (request > 0)
        return reply_wait(L, r, NEVER, request_k);
    reply_free(L, r);
    return 0;
}

const luaL_Reg client_requests[] = { { "call", l_call },
                                     { "call_async", l_call_async },
                                     { "call_message", l_call_message },
                                     { "publish", l_publish },
                                     { "try_publish", l_try_publish },
                                     { "register", l_register },
                                     { "unregister", l_unregister },
                                     { "subscribe", l_subscribe },
                                     { "unsubscribe", l_unsubscribe },
                                     { NULL, NULL } };
