/* l_dial.c - core.dial: whether somebody listens where a URL points, and core.address:
 * where that is, for the prelude (wampy/router.lua, wampy/doctor.lua). See net/dial.h.
 *
 * The socket stands in a userdata on the stack of who waits, which closes it. */
#include <unistd.h>

#include "lua/errors.h"
#include "lua/state.h"
#include "net/dial.h"

static const char DIAL[] = "wampy.dial";

struct attempt {
    int fd;          /* -1: none */
    struct watch *w; /* NULL: not watched, or it has fired */
    struct task *t;  /* borrowed */
};

static void attempt_end(struct attempt *a)
{
    if (a->w)
        loop_unwatch(a->w);
    a->w = NULL;
    if (a->fd >= 0)
        close(a->fd);
    a->fd = -1;
}

static int attempt_gc(lua_State *L)
{
    attempt_end(luaL_checkudata(L, 1, DIAL));
    return 0;
}

static void connected(void *user)
{
    struct attempt *a = user;

    a->w = NULL;
    task_wake(a->t);
}

static int refuse(lua_State *L, const char *why)
{
    lua_pushboolean(L, false);
    lua_pushstring(L, why);
    return 2;
}

static int dial_k(lua_State *L, int status, lua_KContext ctx)
{
    struct attempt *a = (struct attempt *)ctx;
    struct state *S = state_of(L);
    char error[300] = "no answer in time";
    bool ok = !a->w && dial_result(a->fd, error, sizeof error);

    (void)status;
    attempt_end(a);
    task_check(L, S);
    if (!ok)
        return refuse(L, error);
    lua_pushboolean(L, true);
    return 1;
}

static struct attempt *push_attempt(lua_State *L, struct state *S)
{
    struct attempt *a = lua_newuserdatauv(L, sizeof *a, 0);

    *a = (struct attempt){ .fd = -1, .t = task_self(S) };
    luaL_setmetatable(L, DIAL);
    return a;
}

/* core.dial(url, ipv, n [, seconds]) -> true: connected (and closed again) | false,
 * reason | nil: the host has no n-th address, counted from 1. ipv: 4, 6 or 0 for either
 */
static int l_dial(lua_State *L)
{
    struct state *S = state_of(L);
    int ipv = (int)luaL_checkinteger(L, 2), n = (int)luaL_checkinteger(L, 3);
    struct attempt *a;
    struct url url;
    char error[1400];

    if (!url_parse(&url, luaL_checkstring(L, 1), error, sizeof error))
        return raise_error(L, "WampyError", "%s", error);
    lua_settop(L, 4);
    a = push_attempt(L, S);
    if (wait_mode(S, L) == WAIT_NEVER)
        return task_wait(L, S, 0, (lua_KContext)a, dial_k);
    switch (dial_start(&a->fd, &url, ipv, n - 1, error, sizeof error)) {
    case DIAL_STARTED:
        break;
    case DIAL_FAILED:
        return refuse(L, error);
    case DIAL_EXHAUSTED:
        lua_pushnil(L);
        return 1;
    }
    a->w = loop_watch(host_loop(S->host), a->fd, true, connected, a);
    return task_wait(L, S, check_limit(L, 4), (lua_KContext)a, dial_k);
}

/* core.address(url, n) -> the n-th address, from 1, of its host | false, reason: the host
 * is unknown | nil: there is no n-th one */
static int l_address(lua_State *L)
{
    int n = (int)luaL_checkinteger(L, 2);
    struct url url;
    char text[1400];

    if (!url_parse(&url, luaL_checkstring(L, 1), text, sizeof text))
        return raise_error(L, "WampyError", "%s", text);
    switch (dial_address(&url, n - 1, text, sizeof text)) {
    case DIAL_STARTED:
        lua_pushstring(L, text);
        return 1;
    case DIAL_FAILED:
        return refuse(L, text);
    default:
        return 0;
    }
}

static const luaL_Reg functions[] = { { "dial", l_dial },
                                      { "address", l_address },
                                      { NULL, NULL } };

void open_dial(lua_State *L, struct state *S)
{
    luaL_newmetatable(L, DIAL);
    lua_pushcfunction(L, attempt_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    state_register(L, S, functions);
}
