/* l_client.c - the binding of one client: connecting, what happens to it, leaving.
 *
 * The prelude's Client (lua/wampy/client.lua) is what apps see; this is the part of it
 * that talks to the session machine. Requests are in l_request.c, waiting for answers in
 * reply.c, what arrives unasked in serve.c, messages made by hand in l_message.c; the
 * events of the session meet here. */
#include "lua/l_client.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "lua/codec.h"
#include "lua/payload.h"
#include "lua/errors.h"
#include "lua/l_router.h"
#include "lua/message.h"
#include "lua/connect_options.h"

static const char CLIENT[] = "wampy.client";

struct l_client *check_client(lua_State *L, int idx)
{
    return luaL_checkudata(L, idx, CLIENT);
}

struct l_client *check_joined(lua_State *L, int idx)
{
    struct l_client *lc = check_client(L, idx);

    if (!lc->c || session_state(client_session(lc->c)) != SESSION_JOINED)
        raise_error(L, "ConnectionError", "not connected (start the client first)");
    return lc;
}

void push_client(lua_State *L, struct l_client *lc)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, lc);
}

int raise_refusal(lua_State *L, struct l_client *lc, int64_t error)
{
    const char *why = lc->c ? session_last_error(client_session(lc->c)) : "";

    switch (error) {
    case SESSION_NOT_JOINED:
        return raise_error(L, "ConnectionError", "not connected");
    case SESSION_TOO_LARGE:
        return raise_error(L, "WampyError",
                           "the message is larger than max_message_size");
    case SESSION_BUSY:
        return raise_error(L, "QueueFull", "too many requests are under way");
    case SESSION_UNKNOWN:
        return raise_error(L, "WampyError",
                           "no such registration or subscription (any more)");
    default:
        return raise_error(L, "WampyError", "%s", why && *why ? why : "refused");
    }
}

/* ---- life -------------------------------------------------------------------------- */

/* core.client(object) -> client userdata, not connected */
static int l_client_new(lua_State *L)
{
    struct l_client *lc;

    luaL_checktype(L, 1, LUA_TTABLE);
    lc = lua_newuserdatauv(L, sizeof *lc, CLIENT_VALUES);
    memset(lc, 0, sizeof *lc);
    lc->S = state_of(L);
    lc->wire = &wire_json;
    list_init(&lc->link);
    list_init(&lc->replies);
    list_init(&lc->waiting);
    list_init(&lc->unread);
    list_init(&lc->readers);
    list_init(&lc->passings);
    for (int i = CLIENT_REGISTRATIONS; i <= CLIENT_SUBSCRIPTIONS; i++) {
        lua_newtable(L);
        lua_setiuservalue(L, -2, i);
    }
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, CLIENT_OBJECT);
    luaL_setmetatable(L, CLIENT);
    return 1;
}

/* From now on the registry keeps the userdata alive, until disconnected. */
static void connected(lua_State *L, struct l_client *lc, int idx)
{
    for (int i = CLIENT_REGISTRATIONS; i <= CLIENT_SUBSCRIPTIONS; i++) {
        lua_newtable(L);
        lua_setiuservalue(L, idx, i);
    }
    lua_pushvalue(L, idx);
    lua_rawsetp(L, LUA_REGISTRYINDEX, lc);
    list_push(&lc->S->clients, &lc->link);
}

/* Still joined, or waited for, only when the universe closes: GOODBYE goes out while that
 * lingers. */
static int l_client_gc(lua_State *L)
{
    struct l_client *lc = check_client(L, 1);
    struct list *node, *tmp;

    if (lc->c) {
        lc->S->closing = true;
        client_retire(lc->c);
        session_leave(client_session(lc->c), NULL, NULL, host_now(lc->S->host));
        lc->c = NULL;
        list_remove(&lc->link);
    }
    list_each (node, tmp, &lc->replies) {
        struct reply *r = list_entry(node, struct reply, link);

        lc->S->closing |= !list_empty(&r->waiters);
        reply_free(L, r);
    }
    unread_drop(lc);
    tap_free(lc);
    map_fini(&lc->jobs);
    return 0;
}

static bool on_run(void *user)
{
    bool any = task_run_ready(user);

    scratch_spare(user);
    return any;
}

/* ---- connecting -------------------------------------------------------------------- */

uint64_t milliseconds(lua_State *L, int table, const char *field, double absent)
{
    double seconds = absent;

    if (lua_getfield(L, table, field) != LUA_TNIL)
        seconds = luaL_checknumber(L, -1);
    lua_pop(L, 1);
    return to_ms(seconds);
}

static const char *text_field(lua_State *L, int table, const char *field)
{
    const char *s;

    lua_getfield(L, table, field);
    s = lua_tostring(L, -1);
    lua_pop(L, 1);
    return s; /* anchored by the table */
}

/* The roles to be announced, a dict as in HELLO; all of ours when it is absent. */
static void read_roles(lua_State *L, struct l_client *lc, int table, struct roles *roles)
{
    struct slice dict;
    struct fault f;

    lua_getfield(L, table, "roles");
    dict = check_options(L, lc->S, lc->wire, lua_gettop(L));
    if (dict.p && !roles_decode(roles, lc->wire, dict, session_client_roles()->roles, &f))
        raise_error(L, "WampyError", "%s", f.text);
}

static bool flag(lua_State *L, int table, const char *field)
{
    bool set;

    lua_getfield(L, table, field);
    set = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return set;
}

/* The formats to offer, in order of preference; what cannot be offered raises. The first
 * one is what is spoken until the transport says otherwise. */
static void read_serializers(lua_State *L, struct l_client *lc, int table,
                             const char *offer[WIRE_SUBPROTOCOLS + 1])
{
    int n = 0;

    lc->wire = &wire_json;
    lua_getfield(L, table, "serializers");
    for (; lua_istable(L, -1) && lua_rawgeti(L, -1, n + 1) != LUA_TNIL; n++) {
        const char *subprotocol = wire_subprotocol_of(check_slice(L, -1));

        if (!subprotocol || n == WIRE_SUBPROTOCOLS)
            raise_error(L, "WampyError", "serializers: cannot offer %s",
                        lua_tostring(L, -1));
        lc->wire = n ? lc->wire : wire_of_subprotocol(slice_of(subprotocol));
        offer[n] = subprotocol;
        lua_pop(L, 1);
    }
    if (!n)
        offer[0] = lc->wire->subprotocol;
}

static int join_k(lua_State *L, int status, lua_KContext ctx)
{
    struct reply *r = (struct reply *)ctx;
    struct l_client *lc = r->lc;
    const struct event *e = &r->e;

    (void)status;
    if (task_self(lc->S)->canceled && lc->c) {
        lc->join = NULL;
        session_abort(client_session(lc->c), "wamp.close.normal", NULL,
                      host_now(lc->S->host));
        client_touch(lc->c);
    }
    if (!reply_check(L, r, true))
        return reply_wait(L, r, NEVER, join_k);
    if (e->kind == EVENT_JOINED) {
        push_dict(L, e->m.wire, e->m.dict);
        lua_pushinteger(L, (lua_Integer)e->m.id);
        lua_setfield(L, -2, "session");
        reply_free(L, r);
        return 1;
    }
    lua_pushnil(L);
    push_end(L, lc, e);
    reply_free(L, r);
    return 6;
}

/* client:connect(options) -> WELCOME details | nil, error class, reason, text,
 * transport error, code options: url | server, realm, hello (dict), agent,
 * connect_timeout, call_timeout, ping_interval, ping_timeout (seconds),
 * max_message_size (bytes), serializers (list of names), what connect_options_read
 * reads, roles (dict, as in HELLO), tap_in, tap_out (booleans: handle_message,
 * send_message of the object's message_handler see every message) */
static int l_connect(lua_State *L)
{
    struct l_client *lc = check_client(L, 1);
    struct client_config config = { 0 };
    struct server *server;
    const char *offer[WIRE_SUBPROTOCOLS + 1] = { NULL };
    struct url url = { 0 };
    char error[300];

    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    if (lc->c)
        return raise_error(L, "WampyError", "the client is connected already");
    lua_getfield(L, 2, "server"); /* at 3 */
    server = lua_isnil(L, 3) ? NULL : check_server(L, 3);
    if (!server && !url_parse(&url, luaL_checkstring(L, (lua_getfield(L, 2, "url"), -1)),
                              error, sizeof error))
        return raise_error(L, "WampyError", "%s", error);
    read_serializers(L, lc, 2, offer);
    config.wire = lc->wire;
    config.net.subprotocols = offer;
    config.session.realm = text_field(L, 2, "realm");
    config.session.agent = text_field(L, 2, "agent");
    config.session.join_timeout = config.net.connect_timeout =
        milliseconds(L, 2, "connect_timeout", 10);
    config.net.ping_interval = milliseconds(L, 2, "ping_interval", 10);
    config.net.raw_pings = lua_getfield(L, 2, "ping_interval") != LUA_TNIL;
    config.net.ping_timeout = milliseconds(L, 2, "ping_timeout", 10);
    lua_getfield(L, 2, "max_message_size");
    config.session.max_message = config.net.max_message = (size_t)lua_tointeger(L, -1);
    read_roles(L, lc, 2, &config.session.roles);
    lua_getfield(L, 2, "hello");
    config.session.hello = check_options(L, lc->S, lc->wire, lua_gettop(L));
    config.taps =
        (flag(L, 2, "tap_in") ? TAP_IN : 0) | (flag(L, 2, "tap_out") ? TAP_OUT : 0);
    lc->call_timeout = milliseconds(L, 2, "call_timeout", 0);
    connect_options_read(L, 2, &config.net);
    lc->c = server ? client_link(lc->S->host, server, &config, lc)
                   : client_connect(lc->S->host, &url, &config, lc);
    connect_options_fini(&config.net);
    connected(L, lc, 1);
    client_touch(lc->c);
    lc->join = reply_new(lc, config.session.realm ? config.session.realm : "");
    return reply_wait(L, lc->join, NEVER, join_k);
}

static int leave_k(lua_State *L, int status, lua_KContext ctx)
{
    struct reply *r = (struct reply *)ctx;

    (void)status;
    if (!r->done && !task_self(r->lc->S)->canceled)
        return reply_wait(L, r, NEVER, leave_k);
    if (!r->done)
        r->lc->leave = NULL;
    reply_check(L, r, true);
    reply_free(L, r);
    return 0;
}

/* client:leave([reason [, text]]): GOODBYE, and wait for the end (bounded) */
static int l_leave(lua_State *L)
{
    struct l_client *lc = check_client(L, 1);

    if (!lc->c)
        return 0;
    session_leave(client_session(lc->c), luaL_optstring(L, 2, NULL),
                  luaL_optstring(L, 3, NULL), host_now(lc->S->host));
    client_touch(lc->c);
    if (lc->leave) /* somebody waits already: wait with him */
        return reply_wait(L, lc->leave, NEVER, leave_k);
    lc->leave = reply_new(lc, "leave");
    return reply_wait(L, lc->leave, NEVER, leave_k);
}

/* client:drop(): cuts an in-memory link without GOODBYE; nothing else */
static int l_drop(lua_State *L)
{
    struct l_client *lc = check_client(L, 1);
    struct conn *link = lc->c ? client_link_end(lc->c) : NULL;

    if (link)
        link_break(link);
    return 0;
}

/* ---- looking ----------------------------------------------------------------------- */

/* client:state() -> "new", "joining", "joined", "leaving", "closed" */
static int l_state(lua_State *L)
{
    static const char *const names[] = { "new", "joining", "joined", "leaving",
                                         "closed" };
    struct l_client *lc = check_client(L, 1);

    lua_pushstring(L, lc->c ? names[session_state(client_session(lc->c))] : "closed");
    return 1;
}

/* client:stats() -> requests under way, late answers, bytes queued, replies kept,
 * failures of the message handler */
static int l_stats(lua_State *L)
{
    struct l_client *lc = check_client(L, 1);
    struct session *s = lc->c ? client_session(lc->c) : NULL;
    struct list *node, *tmp;
    lua_Integer kept = 0;

    list_each (node, tmp, &lc->replies) {
        kept++;
    }

    lua_pushinteger(L, s ? (lua_Integer)session_pending(s) : 0);
    lua_pushinteger(L, s ? (lua_Integer)session_late(s) : 0);
    lua_pushinteger(L, lc->c ? (lua_Integer)client_queued(lc->c) : 0);
    lua_pushinteger(L, kept);
    lua_pushinteger(L, (lua_Integer)lc->tap_failures);
    return 5;
}

/* client:cookies() -> list of what the router's Set-Cookie headers say */
static int l_cookies(lua_State *L)
{
    const struct l_client *lc = check_client(L, 1);
    const char *p = lc->c ? client_cookies(lc->c) : NULL;

    lua_newtable(L);
    for (lua_Integer i = 1; p && *p; i++) {
        size_t n = strcspn(p, "\n");

        lua_pushlstring(L, p, n);
        lua_rawseti(L, -2, i);
        p += n + (p[n] == '\n');
    }
    return 1;
}

/* client:pending() -> { request id = URI }: wampy's request_ids */
static int l_pending(lua_State *L)
{
    struct l_client *lc = check_client(L, 1);
    struct list *node, *tmp;

    lua_newtable(L);
    list_each (node, tmp, &lc->replies) {
        struct reply *r = list_entry(node, struct reply, link);

        if (r->done || r->request <= 0)
            continue;
        lua_pushstring(L, r->uri);
        lua_rawseti(L, -2, (lua_Integer)r->request);
    }
    return 1;
}

/* client:serving() -> how many handlers of invocations run, and how many of events */
static int l_serving(lua_State *L)
{
    const struct l_client *lc = check_client(L, 1);
    lua_Integer invocations = (lua_Integer)lc->jobs.count;

    lua_pushinteger(L, invocations);
    lua_pushinteger(L, lc->serving - invocations);
    return 2;
}

static const luaL_Reg methods[] = {
    { "connect", l_connect }, { "leave", l_leave },     { "drop", l_drop },
    { "state", l_state },     { "stats", l_stats },     { "pending", l_pending },
    { "serving", l_serving }, { "cookies", l_cookies }, { NULL, NULL }
};

static const luaL_Reg functions[] = { { "client", l_client_new },
                                      { "handler", l_handler },
                                      { NULL, NULL } };

void open_client(lua_State *L, struct state *S)
{
    struct host_hooks hooks = { on_event, on_tap, on_room, on_run, S };

    host_set_hooks(S->host, &hooks);
    luaL_newmetatable(L, CLIENT);
    lua_newtable(L);
    state_register(L, S, methods);
    state_register(L, S, client_requests);
    state_register(L, S, client_streams);
    state_register(L, S, client_uploads);
    state_register(L, S, client_auth);
    state_register(L, S, client_messages);
    state_register(L, S, client_passing);
    state_register(L, S, client_codecs);
    lua_setfield(L, -2, "__index");
    lua_pushlightuserdata(L, S);
    lua_pushcclosure(L, l_client_gc, 1);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    reply_open(L, S);
    stream_open(L, S);
    upload_open(L, S);
    handler_open(L);
    serve_open(L, S);
    state_register(L, S, functions);
    message_open(L, S);
}
