/* l_aead.c - sealing and opening bytes: what lua/wampy/aead.lua rests on. */
#include "lua/convert.h"
#include "lua/state.h"
#include "wamp/aead.h"

/* A string of at most AEAD_MAX bytes. */
static struct slice check_text(lua_State *L, int idx)
{
    struct slice s = check_slice(L, idx);

    luaL_argcheck(L, s.n <= AEAD_MAX, idx, "more than 1 GiB");
    return s;
}

/* The key, the nonce and the aad at 1, 2 and 3. */
static struct aead check_aead(lua_State *L)
{
    struct aead a = { check_slice(L, 1), check_slice(L, 2), check_text(L, 3) };

    luaL_argcheck(L, aead_key_ok(a.key), 1, "a key of 16, 24 or 32 bytes expected");
    luaL_argcheck(L, a.nonce.n == AEAD_NONCE, 2, "a nonce of 12 bytes expected");
    return a;
}

/* core.aead_seal(key, nonce, aad, text) -> sealed text and tag (AES-GCM) */
static int l_aead_seal(lua_State *L)
{
    struct aead a = check_aead(L);
    struct slice text = check_text(L, 4);
    luaL_Buffer b;
    char *out = luaL_buffinitsize(L, &b, text.n + AEAD_TAG);

    aead_seal(&a, text, out);
    luaL_pushresultsize(&b, text.n + AEAD_TAG);
    return 1;
}

/* core.aead_open(key, nonce, aad, sealed text and tag) -> text | nil when it is not
 * genuine */
static int l_aead_open(lua_State *L)
{
    struct aead a = check_aead(L);
    struct slice sealed = check_text(L, 4);
    luaL_Buffer b;
    char *out;

    if (sealed.n < AEAD_TAG) {
        lua_pushnil(L);
        return 1;
    }
    out = luaL_buffinitsize(L, &b, sealed.n - AEAD_TAG);
    if (aead_open(&a, sealed, out))
        luaL_pushresultsize(&b, sealed.n - AEAD_TAG);
    else
        lua_pushnil(L);
    return 1;
}

static const luaL_Reg functions[] = { { "aead_seal", l_aead_seal },
                                      { "aead_open", l_aead_open },
                                      { NULL, NULL } };

void open_aead(lua_State *L, struct state *S)
{
    state_register(L, S, functions);
}
