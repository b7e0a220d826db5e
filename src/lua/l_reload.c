/* l_reload.c - what exchanging the code of a running app stands on: folders that tell
 * of changes, code that runs without letting anything else run, and which tasks began
 * before. For wampy/reload.lua and its like. */
#include <errno.h>
#include <string.h>

#include "lua/errors.h"
#include "lua/handler.h"
#include "lua/state.h"
#include "net/changes.h"

static const char CHANGES[] = "wampy.changes";

/* ---- folders ----------------------------------------------------------------------- */

static struct changes *check_changes(lua_State *L)
{
    return luaL_checkudata(L, 1, CHANGES);
}

/* core.changes() -> changes; raises WampyError when the system has no more of them */
static int l_changes(lua_State *L)
{
    struct changes *c = lua_newuserdatauv(L, sizeof *c, 0);

    c->fd = -1;
    luaL_setmetatable(L, CHANGES);
    if (!changes_open(c))
        return raise_error(L, "WampyError", "cannot watch folders: %s", strerror(errno));
    return 1;
}

/* changes:close(); safe twice */
static int l_changes_close(lua_State *L)
{
    changes_close(check_changes(L));
    return 0;
}

/* changes:fd() -> descriptor, readable when there is something to read */
static int l_changes_fd(lua_State *L)
{
    lua_pushinteger(L, check_changes(L)->fd);
    return 1;
}

/* changes:add(folder) -> its number | nil, reason */
static int l_changes_add(lua_State *L)
{
    int folder = changes_add(check_changes(L), luaL_checkstring(L, 2));

    if (folder < 0) {
        lua_pushnil(L);
        lua_pushstring(L, strerror(errno));
        return 2;
    }
    lua_pushinteger(L, folder);
    return 1;
}

/* Appends to the list at the top. */
static void told(const struct change *change, void *user)
{
    lua_State *L = user;

    lua_createtable(L, 0, 4);
    lua_pushinteger(L, change->folder);
    lua_setfield(L, -2, "folder");
    lua_pushboolean(L, change->gone);
    lua_setfield(L, -2, "gone");
    lua_pushboolean(L, change->lost);
    lua_setfield(L, -2, "lost");
    lua_pushstring(L, change->name);
    lua_setfield(L, -2, "name");
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* changes:read() -> list of { folder = number, name = file, gone = the folder itself,
 * lost = some are not in this list }, without waiting */
static int l_changes_read(lua_State *L)
{
    struct changes *c = check_changes(L);

    lua_newtable(L);
    changes_read(c, told, L);
    return 1;
}

/* ---- tasks ------------------------------------------------------------------------- */

/* core.atomic(fn, ...) -> whether a wait was refused, and then as pcall. Nothing else
 * runs meanwhile: where fn would wait, "cannot wait here" is raised */
static int l_atomic(lua_State *L)
{
    struct state *S = state_of(L);
    unsigned long before = S->refused_waits;
    bool ok;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    ok = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0) == LUA_OK;
    lua_pushboolean(L, S->refused_waits != before);
    lua_pushboolean(L, ok);
    lua_rotate(L, 1, 2);
    return lua_gettop(L);
}

/* core.begun() -> a number for the task that runs, higher than that of any that began
 * earlier; outside of tasks the highest there is */
static int l_begun(lua_State *L)
{
    const struct state *S = state_of(L);

    lua_pushinteger(L, S->current ? (lua_Integer)S->current->begun : LUA_MAXINTEGER);
    return 1;
}

static void collect(lua_State *L, const struct list *l)
{
    struct list *node, *tmp;

    list_each (node, tmp, l) {
        const struct task *t = list_entry(node, struct task, link);

        if (!t->started)
            continue;
        lua_pushinteger(L, (lua_Integer)t->begun);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
}

/* core.all_begun() -> list of that number of every task that has begun and not ended,
 * without the one that runs; and the highest that any task has */
static int l_all_begun(lua_State *L)
{
    const struct state *S = state_of(L);

    lua_newtable(L);
    collect(L, &S->ready);
    collect(L, &S->parked);
    lua_pushinteger(L, (lua_Integer)S->resumes);
    return 2;
}

/* ---- opening ----------------------------------------------------------------------- */

static const luaL_Reg methods[] = { { "add", l_changes_add },
                                    { "close", l_changes_close },
                                    { "fd", l_changes_fd },
                                    { "read", l_changes_read },
                                    { NULL, NULL } };

static const luaL_Reg events[] = { { "__gc", l_changes_close }, { NULL, NULL } };
static const luaL_Reg functions[] = { { "all_begun", l_all_begun },
                                      { "atomic", l_atomic },
                                      { "begun", l_begun },
                                      { "changes", l_changes },
                                      { "handler_renew", l_handler_renew },
                                      { NULL, NULL } };

void open_reload(lua_State *L, struct state *S)
{
    state_class(L, S, CHANGES, events, methods);
    state_register(L, S, functions);
}
