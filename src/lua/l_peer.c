/* l_peer.c - core.peer: a transport without a session, for tests that speak WAMP by hand.
 *
 * It says what it is told and keeps what comes, as text: no HELLO of its own, no answer,
 * no judgement. Over a socket or joined in memory makes no difference here. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lua/errors.h"
#include "lua/l_router.h"
#include "lua/state.h"

static const char PEER[] = "wampy.peer";

struct l_peer {
    struct state *S;
    struct conn *conn;   /* NULL once closed */
    struct list inbox;   /* struct letter */
    struct list waiting; /* tasks */
    struct conn_end end; /* how it was closed */
};

struct letter {
    struct list link;
    struct buf *message; /* owned */
};

static void wake(struct l_peer *p)
{
    struct list *node;

    while ((node = list_pop(&p->waiting)) != NULL)
        task_wake(list_entry(node, struct task, wait_link));
}

/* ---- from the transport; `user` is NULL once the userdata is gone ------------------ */

static void peer_opened(struct conn *c, struct slice subprotocol)
{
    (void)c;
    (void)subprotocol;
}

static void peer_message(struct conn *c, struct buf *message)
{
    struct l_peer *p = c->user;
    struct letter *letter;

    if (!p)
        return;
    letter = xcalloc(1, sizeof *letter);
    letter->message = buf_ref(message);
    list_push(&p->inbox, &letter->link);
    wake(p);
}

static void peer_closed(struct conn *c, const struct conn_end *end)
{
    struct l_peer *p = c->user;

    if (!p)
        return;
    p->conn = NULL;
    p->end = *end;
    wake(p);
}

static const struct conn_handler peer_handler = { peer_opened, peer_message, peer_closed,
                                                  NULL };

/* ---- for Lua ----------------------------------------------------------------------- */

static struct l_peer *check_peer(lua_State *L)
{
    return luaL_checkudata(L, 1, PEER);
}

/* core.peer(url | router userdata) -> peer, connecting */
static int l_peer_new(lua_State *L)
{
    struct state *S = state_of(L);
    struct server *server = lua_isuserdata(L, 1) ? check_server(L, 1) : NULL;
    struct net_options o = { 0 };
    struct url url;
    char error[300];
    struct l_peer *p;

    if (!server && !url_parse(&url, luaL_checkstring(L, 1), error, sizeof error))
        return raise_error(L, "WampyError", "%s", error);
    p = lua_newuserdatauv(L, sizeof *p, 0);
    memset(p, 0, sizeof *p);
    p->S = S;
    list_init(&p->inbox);
    list_init(&p->waiting);
    luaL_setmetatable(L, PEER);
    p->conn = server ? server_link(server, SLICE("wamp.2.json"), &peer_handler, p)
                     : connect_url(host_loop(S->host), &url, &o, &peer_handler, p);
    return 1;
}

/* peer:send(text): one message; raises ConnectionError when it is closed */
static int l_send(lua_State *L)
{
    struct l_peer *p = check_peer(L);
    size_t n;
    const char *text = luaL_checklstring(L, 2, &n);

    if (!p->conn)
        return raise_error(L, "ConnectionError", "%s", p->end.text);
    conn_send(p->conn, buf_from(text, n));
    return 0;
}

static int take(lua_State *L, struct l_peer *p)
{
    struct letter *letter = list_entry(list_pop(&p->inbox), struct letter, link);

    lua_pushlstring(L, letter->message->data, letter->message->len);
    buf_unref(letter->message);
    free(letter);
    return 1;
}

static int recv_k(lua_State *L, int status, lua_KContext ctx)
{
    struct l_peer *p = (struct l_peer *)ctx;

    (void)status;
    list_remove(&task_self(p->S)->wait_link);
    task_check(L, p->S);
    if (!list_empty(&p->inbox))
        return take(L, p);
    lua_pushnil(L);
    lua_pushstring(L, p->conn ? "timeout" : p->end.text);
    return 2;
}

/* peer:recv([seconds]) -> text | nil, "timeout" or how the transport was closed */
static int l_recv(lua_State *L)
{
    struct l_peer *p = check_peer(L);
    double seconds = luaL_optnumber(L, 2, -1);
    uint64_t ms = seconds < 0 ? NEVER : (uint64_t)(seconds * 1000);

    if (!list_empty(&p->inbox) || !p->conn)
        return recv_k(L, LUA_OK, (lua_KContext)p);
    if (wait_mode(p->S, L) != WAIT_NEVER)
        list_push(&p->waiting, &task_self(p->S)->wait_link);
    return task_wait(L, p->S, ms == NEVER ? NEVER : host_clock(p->S->host) + ms,
                     (lua_KContext)p, recv_k);
}

/* peer:close(): a close frame, no GOODBYE; harmless twice. Also __gc. */
static int l_close(lua_State *L)
{
    struct l_peer *p = check_peer(L);

    if (p->conn) {
        p->conn->user = NULL;
        conn_close(p->conn, 1000, NULL);
        p->end = (struct conn_end){ CONN_OK, 1000, "closed" };
    }
    p->conn = NULL;
    wake(p);
    return 0;
}

/* Collected: closed, and what nobody has read is dropped. */
static int l_gc(lua_State *L)
{
    struct l_peer *p = check_peer(L);
    struct list *node;

    l_close(L);
    while ((node = list_pop(&p->inbox)) != NULL) {
        struct letter *letter = list_entry(node, struct letter, link);

        buf_unref(letter->message);
        free(letter);
    }
    return 0;
}

static const luaL_Reg methods[] = {
    { "send", l_send }, { "recv", l_recv }, { "close", l_close }, { NULL, NULL }
};
static const luaL_Reg events[] = { { "__gc", l_gc }, { NULL, NULL } };
static const luaL_Reg functions[] = { { "peer", l_peer_new }, { NULL, NULL } };

void open_peer(lua_State *L, struct state *S)
{
    state_class(L, S, PEER, events, methods);
    state_register(L, S, functions);
}
