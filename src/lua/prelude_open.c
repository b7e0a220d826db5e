/* prelude_open.c - puts the embedded Lua files where `require` finds them:
 * package.preload. */
#include <string.h>

#include "lua/prelude.h"
#include "lua/state.h"

static int load_file(lua_State *L)
{
    const struct prelude_file *f = lua_touserdata(L, lua_upvalueindex(1));

    if (luaL_loadbufferx(L, f->code, f->size, f->chunkname, "b") != LUA_OK)
        return lua_error(L);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_call(L, 2, 1);
    return 1;
}

void prelude_open(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    for (const struct prelude_file *f = prelude_files; f->module; f++) {
        lua_pushlightuserdata(L, (void *)f);
        lua_pushcclosure(L, load_file, 1);
        lua_setfield(L, -2, f->module);
    }
    lua_pushcfunction(L, luaopen_wampy_core);
    lua_setfield(L, -2, "wampy.core");
    lua_pop(L, 1);
}
