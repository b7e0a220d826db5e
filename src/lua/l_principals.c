/* l_principals.c - the principals of a router's configuration, from a Lua table.
 *
 * The prelude has checked them (wampy/config_auth.lua) and decoded what is hex in a
 * file; here only what would break the router is refused. Secrets are copied, and wiped
 * when the configuration ends. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lua/l_router.h"
#include "lua/state.h"
#include "wamp/auth.h"

static const char *const methods[] = { "anonymous",  "ticket",     "wampcra",
                                       "cryptosign", "wamp-scram", NULL };

/* The string in a field of the table at the top; NULL when there is none. Good while the
 * table is not changed. */
static const char *field(lua_State *L, const char *name, size_t *n)
{
    const char *text = NULL;

    lua_getfield(L, -1, name);
    if (lua_type(L, -1) == LUA_TSTRING)
        text = lua_tolstring(L, -1, n);
    lua_pop(L, 1);
    return text;
}

static char *text_field(lua_State *L, const char *name)
{
    size_t n;
    const char *text = field(L, name, &n);

    return text ? xstrdup(text) : NULL;
}

static struct buf *bytes_field(lua_State *L, const char *name)
{
    size_t n;
    const char *bytes = field(L, name, &n);

    return bytes ? buf_from(bytes, n) : NULL;
}

static uint32_t number_field(lua_State *L, const char *name)
{
    uint32_t n;

    lua_getfield(L, -1, name);
    n = (uint32_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
    return n;
}

/* Whether a secret, absent or not, is one of its method. */
static bool secret_ok(enum auth_method method, const char *secret, size_t n)
{
    if (method == AUTH_ANONYMOUS)
        return true;
    if (method == AUTH_CRYPTOSIGN)
        return secret && n && n % AUTH_DIGEST == 0;
    return secret && (method != AUTH_SCRAM || n == 2 * AUTH_DIGEST);
}

/* Raises unless the table at the top is a principal. */
static void check_principal(lua_State *L)
{
    size_t n = 0, salt = 0;
    int method;
    const char *secret;

    luaL_checktype(L, -1, LUA_TTABLE);
    lua_getfield(L, -1, "method");
    method = luaL_checkoption(L, -1, NULL, methods);
    lua_pop(L, 1);
    if (field(L, "authenticator", &n))
        return;
    secret = field(L, "secret", &n);
    if (!field(L, "role", &salt) || !secret_ok((enum auth_method)method, secret, n) ||
        (method != AUTH_ANONYMOUS && !field(L, "authid", &salt)) ||
        (method == AUTH_SCRAM && !field(L, "salt", &salt)))
        luaL_error(L, "a principal lacks role, authid, secret or salt");
}

static void read_principal(lua_State *L, struct principal_config *p)
{
    lua_getfield(L, -1, "method");
    p->method = (enum auth_method)luaL_checkoption(L, -1, NULL, methods);
    lua_pop(L, 1);
    p->store = number_field(L, "store");
    p->authid = text_field(L, "authid");
    p->role = text_field(L, "role");
    p->realm = text_field(L, "realm");
    p->secret = bytes_field(L, "secret");
    p->salt = bytes_field(L, "salt");
    p->iterations = number_field(L, "iterations");
    p->keylen = number_field(L, "keylen");
    p->memory = number_field(L, "memory");
    p->argon2 = p->memory > 0;
    p->authenticator = text_field(L, "authenticator");
}

/* The ways in; the configuration is at the top. */
static void read_doors(lua_State *L, struct router_config *c)
{
    size_t n;

    lua_getfield(L, -1, "doors");
    n = lua_istable(L, -1) ? (size_t)lua_rawlen(L, -1) : 0;
    c->doors = n ? xcalloc(n, sizeof *c->doors) : NULL;
    for (; c->door_count < n; c->door_count++) {
        struct door_config *door = &c->doors[c->door_count];

        lua_rawgeti(L, -1, (lua_Integer)c->door_count + 1);
        door->name = text_field(L, "name");
        door->store = number_field(L, "store");
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

void check_principals(lua_State *L, struct router_config *c)
{
    size_t n;

    lua_getfield(L, -1, "principals");
    n = lua_istable(L, -1) ? (size_t)lua_rawlen(L, -1) : 0;
    for (size_t i = 1; i <= n; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i);
        check_principal(L);
        lua_pop(L, 1);
    }
    c->principals = n ? xcalloc(n, sizeof *c->principals) : NULL;
    for (; c->principal_count < n; c->principal_count++) {
        lua_rawgeti(L, -1, (lua_Integer)c->principal_count + 1);
        read_principal(L, &c->principals[c->principal_count]);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    read_doors(L, c);
}

void principals_fini(struct router_config *c)
{
    for (size_t i = 0; i < c->principal_count; i++) {
        struct principal_config *p = &c->principals[i];

        auth_forget(p->secret);
        buf_unref(p->salt);
        free(p->authid);
        free(p->role);
        free(p->realm);
        free(p->authenticator);
    }
    free(c->principals);
    for (size_t i = 0; i < c->door_count; i++)
        free(c->doors[i].name);
    free(c->doors);
}
