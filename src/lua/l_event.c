/* l_event.c - what happens to a client: the events of its session, one by one, as the
 * pump pulls them.
 *
 * An answer goes to the struct reply that waits for it, a part of a result to its reader;
 * what arrives unasked to serve.c; the end to whoever waits for it, or to the object's
 * hook.
 *
 * Not known here: who asked, and what waits. */
#include <string.h>

#include "lua/codec.h"
#include "lua/convert.h"
#include "lua/l_client.h"

void on_room(void *user)
{
    struct l_client *lc = user;
    struct list *node;

    while ((node = list_pop(&lc->waiting)))
        task_wake(list_entry(node, struct task, wait_link));
}

static void disconnected(struct l_client *lc)
{
    lua_State *L = lc->S->L;

    if (!lc->c)
        return;
    client_retire(lc->c);
    lc->c = NULL;
    list_remove(&lc->link);
    on_room(lc);
    serve_lost(lc);
    unread_drop(lc);
    tap_forget(lc);
    map_fini(&lc->jobs);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, lc);
}

/* A handler that a request brought along now serves the id that came. */
static void install(struct l_client *lc, struct reply *r, const struct event *e)
{
    lua_State *L = lc->S->L;

    push_client(L, lc);
    lua_rawgetp(L, LUA_REGISTRYINDEX, r); /* ud handler */
    if (e->kind == EVENT_REGISTERED) {
        lua_getiuservalue(L, -2, CLIENT_REGISTRATIONS);
        lua_insert(L, -2);
        lua_rawseti(L, -2, (lua_Integer)e->m.id);
    } else {
        lua_getiuservalue(L, -2, CLIENT_SUBSCRIPTIONS); /* ud handler subs */
        if (lua_rawgeti(L, -1, (lua_Integer)e->m.id) != LUA_TTABLE) {
            lua_pop(L, 1);
            lua_newtable(L);
            lua_pushvalue(L, -1);
            lua_rawseti(L, -3, (lua_Integer)e->m.id);
        } /* ud handler subs list */
        lua_pushvalue(L, -3);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        lua_pop(L, 2);
    }
    lua_pop(L, 2);
}

static void progress(struct l_client *lc, struct reply *r, struct event *e)
{
    struct state *S = lc->S;
    lua_State *L = S->L;
    struct task *t = task_new(S);

    if (!t)
        return;
    lua_rawgetp(L, LUA_REGISTRYINDEX, r);
    lua_xmove(L, t->co, 1);
    task_start(t, push_elements(t->co, e->m.wire, e->m.args));
}

/* A part of a call's result. A stream whose reader has fallen behind ends. */
static void part(struct l_client *lc, struct reply *r, struct event *e)
{
    if (!r->inbox) {
        if (r->kept)
            progress(lc, r, e);
    } else if (!inbox_put(r->inbox, &e->m)) {
        reply_cancel(r, "killnowait");
    }
}

static void answered(struct l_client *lc, struct event *e)
{
    struct reply *r = e->tag;

    if (!r)
        return;
    if (e->progress) {
        part(lc, r, e);
        return;
    }
    if (e->kind == EVENT_REGISTERED || e->kind == EVENT_SUBSCRIBED)
        install(lc, r, e);
    reply_settle(r, e);
}

static void revoked(struct l_client *lc, struct event *e, int map, const char *role)
{
    lua_State *L = lc->S->L;

    push_client(L, lc);
    lua_getiuservalue(L, -1, map);
    lua_pushnil(L);
    lua_rawseti(L, -2, (lua_Integer)e->m.id);
    lua_pop(L, 2);
    lua_pushstring(L, role);
    lua_pushinteger(L, (lua_Integer)e->m.id);
    lua_pushstring(L, e->reason);
    serve_hook(lc, "_revoked", 3);
}

static const char *end_class(const struct client *c, const struct event *e)
{
    switch (client_end(c)->error) {
    case CONN_TIMEOUT:
        return "TimeoutError";
    case CONN_HTTP_STATUS:
    case CONN_SUBPROTOCOL:
    case CONN_PROTOCOL:
    case CONN_TOO_LARGE:
        return "WebsocketProtocolError";
    case CONN_TRUNCATED:
        return "IncompleteFrameError";
    default:
        break;
    }
    if (e->error == SESSION_TIMEOUT)
        return "TimeoutError";
    if (e->reason && !strcmp(e->reason, "wamp.error.protocol_violation"))
        return "WampProtocolError";
    return "ConnectionError";
}

/* Names of enum conn_error, for the prelude. */
static const char *const end_names[] = { "ok",          "refused",  "unknown_host",
                                         "unreachable", "timeout",  "http_status",
                                         "subprotocol", "protocol", "too_large",
                                         "lost",        "closed",   "tls",
                                         "truncated" };

/* Pushes what ended the session: class, reason, text, transport's error, transport's
 * code. */
int push_end(lua_State *L, const struct l_client *lc, const struct event *e)
{
    lua_pushstring(L, lc->end_class);
    lua_pushstring(L, e->reason);
    lua_pushstring(L, e->text);
    lua_pushstring(L, end_names[lc->end.error]);
    lua_pushinteger(L, lc->end.code);
    return 5;
}

static void left(struct l_client *lc, struct event *e)
{
    struct reply *join = lc->join, *leave = lc->leave;

    lc->end = *client_end(lc->c);
    lc->end_class = e->error == SESSION_OK && !join ? "left" : end_class(lc->c, e);
    if (!join)
        serve_hook(lc, "_ended", push_end(lc->S->L, lc, e));
    disconnected(lc);
    lc->join = lc->leave = NULL;
    if (join)
        reply_settle(join, e);
    if (leave)
        reply_settle(leave, e);
}

void on_event(void *user, struct event *e)
{
    struct l_client *lc = user;

    lc->wire = session_wire(client_session(lc->c));
    if (e->hand)
        unread_put(lc, e);
    if (e->hand && (e->request || e->kind == EVENT_INVOCATION || e->kind == EVENT_PART ||
                    e->kind == EVENT_INTERRUPT))
        return;
    if (!codec_open(lc, e))
        return;
    switch (e->kind) {
    case EVENT_JOINED: {
        struct reply *join = lc->join;

        lc->join = NULL;
        if (join)
            reply_settle(join, e);
        return;
    }
    case EVENT_CHALLENGE:
        challenged(lc, e);
        return;
    case EVENT_LEFT:
        left(lc, e);
        return;
    case EVENT_INVOCATION:
        serve_invocation(lc, e);
        return;
    case EVENT_PART:
        serve_part(lc, e);
        return;
    case EVENT_INTERRUPT:
        serve_interrupt(lc, e);
        return;
    case EVENT_EVENT:
        serve_event(lc, e);
        return;
    case EVENT_UNREGISTERED:
    case EVENT_UNSUBSCRIBED:
        if (!e->request) {
            bool callee = e->kind == EVENT_UNREGISTERED;

            revoked(lc, e, callee ? CLIENT_REGISTRATIONS : CLIENT_SUBSCRIPTIONS,
                    callee ? "registration" : "subscription");
            return;
        }
        answered(lc, e);
        return;
    default:
        answered(lc, e);
    }
}
