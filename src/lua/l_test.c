/* l_test.c - core.test: what the testing kit (lua/wampy/testing*.lua) needs and no app
 * does: a clock that can be put forward, seeded ids, links that fail, an ear at a router,
 * and a look at what is left over.
 *
 * Each function is one step down into the host; what a test makes of them is Lua. */
#include <math.h>
#include <stdlib.h>

#include "lua/convert.h"
#include "lua/errors.h"
#include "lua/l_client.h"
#include "lua/l_router.h"
#include "lua/state.h"
#include "net/fds.h"

/* ---- time and chance --------------------------------------------------------------- */

static uint64_t check_ms(lua_State *L, int idx)
{
    double seconds = luaL_checknumber(L, idx);

    luaL_argcheck(L, seconds >= 0 && seconds <= 1e9, idx, "expected seconds >= 0");
    return (uint64_t)llround(seconds * 1000);
}

/* test.advance(seconds): puts the clock forward, step by step; where no task runs */
static int l_advance(lua_State *L)
{
    struct state *S = state_of(L);
    uint64_t ms = check_ms(L, 1);

    if (S->current || S->turning)
        return raise_error(L, "WampyError",
                           "the clock is put forward by the test itself, not by a task");
    S->turning = true;
    host_advance(S->host, ms);
    S->turning = false;
    return 0;
}

/* test.ahead() -> seconds that the clock is ahead of the system's */
static int l_ahead(lua_State *L)
{
    lua_pushnumber(L, (double)host_ahead(state_of(L)->host) / 1000);
    return 1;
}

/* test.seed(n): ids repeat themselves after the same seed */
static int l_seed(lua_State *L)
{
    host_seed((uint64_t)luaL_checkinteger(L, 1));
    return 0;
}

/* ---- faults ------------------------------------------------------------------------ */

/* test.link(client userdata, fault, value): "pause", "resume", "drop", "delay" (seconds),
 * "cut_after" (bytes) or "heal" of its in-memory link -> true | false when it has none */
static int l_link(lua_State *L)
{
    static const char *const faults[] = { "pause", "resume",    "drop", "delay",
                                          "heal",  "cut_after", NULL };
    struct l_client *lc = check_client(L, 1);
    struct conn *link = lc->c ? client_link_end(lc->c) : NULL;
    int fault = luaL_checkoption(L, 2, NULL, faults);

    lua_pushboolean(L, link != NULL);
    if (!link)
        return 1;
    switch (fault) {
    case 0:
    case 1:
        link_pause(link, fault == 0);
        break;
    case 2:
        link_break(link);
        break;
    case 3:
        link_delay(link, check_ms(L, 3));
        break;
    case 4:
        link_heal(link);
        break;
    default:
        link_cut_after(link, (size_t)luaL_checkinteger(L, 3));
    }
    return 1;
}

/* test.heal(router userdata): ends the faults of all links to it */
static int l_heal(lua_State *L)
{
    server_heal(check_server(L, 1));
    return 0;
}

/* ---- listening in ------------------------------------------------------------------ */

/* test.spy(router userdata): keeps what its peers send from now on */
static int l_spy(lua_State *L)
{
    server_spy(check_server(L, 1));
    return 0;
}

/* Pushes { kind =, uri =, args = { n = ... }, kwargs =, options =, session = }. */
static void push_heard(lua_State *L, const struct msg *m, uint64_t session)
{
    int n;

    lua_newtable(L);
    lua_pushstring(L, msg_name(m->row->code));
    lua_setfield(L, -2, "kind");
    lua_pushlstring(L, m->uri.p, m->uri.n);
    lua_setfield(L, -2, "uri");
    lua_newtable(L);
    n = push_elements(L, m->wire, m->args);
    lua_pushinteger(L, n);
    lua_setfield(L, -2 - n, "n");
    for (; n > 0; n--)
        lua_rawseti(L, -1 - n, n);
    lua_setfield(L, -2, "args");
    push_dict(L, m->wire, m->kwargs);
    lua_setfield(L, -2, "kwargs");
    push_dict(L, m->wire, m->dict);
    lua_setfield(L, -2, "options");
    lua_pushinteger(L, (lua_Integer)session);
    lua_setfield(L, -2, "session");
}

/* test.overheard(router userdata) -> list of the calls and publications that were heard
 * since the last time, how many were lost because nobody looked */
static int l_overheard(lua_State *L)
{
    struct server *server = check_server(L, 1);
    struct overheard *t;
    struct fault f;
    struct msg m;

    lua_newtable(L);
    while ((t = server_overheard(server)) != NULL) {
        if (msg_decode(&m, t->wire, t->message, &f)) {
            if (m.row->code == MSG_CALL || m.row->code == MSG_PUBLISH) {
                push_heard(L, &m, t->session);
                lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
            }
            msg_fini(&m);
        }
        overheard_free(t);
    }
    lua_pushinteger(L, (lua_Integer)server_spy_lost(server));
    return 2;
}

/* ---- what is left ------------------------------------------------------------------ */

static void push_threads(lua_State *L, struct list *tasks)
{
    struct list *node, *tmp;

    list_each (node, tmp, tasks) {
        struct task *t = list_entry(node, struct task, link);

        lua_pushthread(t->co);
        lua_xmove(t->co, L, 1);
        lua_pushinteger(L, (lua_Integer)t->generation);
        lua_rawset(L, -3);
    }
}

/* test.threads() -> { thread = number of its task } of all tasks but the running one; the
 * thread is only for looking at (debug.getinfo), and only until the loop runs again */
static int l_threads(lua_State *L)
{
    struct state *S = state_of(L);

    lua_newtable(L);
    push_threads(L, &S->ready);
    push_threads(L, &S->parked);
    return 1;
}

static void cancel_others(lua_State *L, struct list *tasks)
{
    struct list *node, *tmp;

    list_each (node, tmp, tasks) {
        struct task *t = list_entry(node, struct task, link);

        if (lua_rawgeti(L, 1, (lua_Integer)t->generation) == LUA_TNIL)
            task_cancel(t);
        lua_pop(L, 1);
    }
}

/* test.cancel({ number = true }): cancels all tasks but the running one and these */
static int l_cancel(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    cancel_others(L, &state_of(L)->parked);
    return 0;
}

/* test.sockets() -> { descriptor = name } of the process's open sockets */
static int l_sockets(lua_State *L)
{
    char name[FDS_NAME_SIZE];

    lua_newtable(L);
    for (int fd = -1; (fd = fds_next_socket(fd, name)) >= 0;) {
        lua_pushstring(L, name);
        lua_rawseti(L, -2, fd);
    }
    return 1;
}

static const luaL_Reg functions[] = { { "advance", l_advance },
                                      { "ahead", l_ahead },
                                      { "seed", l_seed },
                                      { "link", l_link },
                                      { "heal", l_heal },
                                      { "spy", l_spy },
                                      { "overheard", l_overheard },
                                      { "threads", l_threads },
                                      { "cancel", l_cancel },
                                      { "sockets", l_sockets },
                                      { NULL, NULL } };

void open_test(lua_State *L, struct state *S)
{
    lua_newtable(L);
    state_register(L, S, functions);
    lua_setfield(L, -2, "test");
}
