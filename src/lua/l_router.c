/* l_router.c - core.router: a router (and its listeners) inside this host.
 *
 * Only configuration is read here; what a router does is in src/router/. */
#include "lua/l_router.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lua/convert.h"
#include "lua/errors.h"
#include "lua/listen_options.h"
#include "lua/state.h"

static const char ROUTER[] = "wampy.router";

#define ERROR_TEXT 1400

static struct l_router *check_router(lua_State *L, int idx)
{
    return luaL_checkudata(L, idx, ROUTER);
}

struct server *check_server(lua_State *L, int idx)
{
    struct l_router *r = check_router(L, idx);

    if (!r->server)
        raise_error(L, "WampyError", "the router is closed");
    return r->server;
}

/* ---- configuration ----------------------------------------------------------------- */

static unsigned allowed(lua_State *L, const char *field, unsigned bit)
{
    bool yes;

    lua_getfield(L, -1, field);
    yes = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return yes ? bit : 0;
}

static char *name_field(lua_State *L, const char *field)
{
    char *copy;

    lua_getfield(L, -1, field);
    copy = lua_isstring(L, -1) ? xstrdup(lua_tostring(L, -1)) : NULL;
    lua_pop(L, 1);
    return copy;
}

/* Number of entries of the list field of the table at the top, which is pushed. */
static size_t list_field(lua_State *L, const char *field)
{
    lua_getfield(L, -1, field);
    return lua_istable(L, -1) ? (size_t)lua_rawlen(L, -1) : 0;
}

/* The URI, "" when there is none, and the policy of the table at the top. */
static char *read_pattern(lua_State *L, enum uri_match *policy)
{
    char *match = name_field(L, "match"), *uri = name_field(L, "uri");

    *policy = MATCH_EXACT;
    if (match)
        uri_match_of(slice_of(match), policy);
    free(match);
    return uri ? uri : xstrdup("");
}

static void read_permission(lua_State *L, struct permission *p)
{
    p->uri = read_pattern(L, &p->match);
    p->allow = allowed(L, "call", ALLOW_CALL) | allowed(L, "register", ALLOW_REGISTER) |
               allowed(L, "publish", ALLOW_PUBLISH) |
               allowed(L, "subscribe", ALLOW_SUBSCRIBE) |
               allowed(L, "force_reregister", ALLOW_FORCE);
    p->disclose = allowed(L, "disclose_caller", ALLOW_CALL) |
                  allowed(L, "disclose_publisher", ALLOW_PUBLISH);
    p->trusted = lua_getfield(L, -1, "trust") == LUA_TNUMBER;
    p->trust = (uint32_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
}

static void read_role(lua_State *L, struct role_config *role)
{
    size_t n;

    role->name = name_field(L, "name");
    role->authorizer = name_field(L, "authorizer");
    n = list_field(L, "permissions");
    role->permissions = xcalloc(n, sizeof *role->permissions);
    for (; role->count < n; role->count++) {
        lua_rawgeti(L, -1, (lua_Integer)role->count + 1);
        read_permission(L, &role->permissions[role->count]);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void read_history(lua_State *L, struct history_config *h)
{
    h->uri = read_pattern(L, &h->match);
    lua_getfield(L, -1, "limit");
    h->limit = (size_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
}

static void read_histories(lua_State *L, struct realm_config *realm)
{
    size_t n = list_field(L, "histories");

    realm->histories = xcalloc(n, sizeof *realm->histories);
    for (; realm->history_count < n; realm->history_count++) {
        lua_rawgeti(L, -1, (lua_Integer)realm->history_count + 1);
        read_history(L, &realm->histories[realm->history_count]);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void read_realm(lua_State *L, struct realm_config *realm)
{
    size_t n;

    realm->name = name_field(L, "name");
    n = list_field(L, "roles");
    realm->roles = xcalloc(n, sizeof *realm->roles);
    for (; realm->count < n; realm->count++) {
        lua_rawgeti(L, -1, (lua_Integer)realm->count + 1);
        read_role(L, &realm->roles[realm->count]);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    read_histories(L, realm);
    realm->strict_uris = allowed(L, "strict_uris", 1);
    realm->no_meta = allowed(L, "no_meta", 1);
}

void check_router_config(lua_State *L, int idx, struct router_config *c)
{
    size_t n;

    luaL_checktype(L, idx, LUA_TTABLE);
    *c = (struct router_config){ .agent = "wampy-lua " WAMPY_VERSION };
    lua_pushvalue(L, idx);
    check_principals(L, c);
    c->strict_ids = allowed(L, "strict_ids", 1);
    c->strict_uris = allowed(L, "strict_uris", 1);
    n = list_field(L, "realms");
    c->realms = xcalloc(n, sizeof *c->realms);
    for (; c->count < n; c->count++) {
        lua_rawgeti(L, -1, (lua_Integer)c->count + 1);
        read_realm(L, &c->realms[c->count]);
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
}

static void role_fini(struct role_config *role)
{
    for (size_t i = 0; i < role->count; i++)
        free(role->permissions[i].uri);
    free(role->permissions);
    free(role->authorizer);
    free(role->name);
}

void router_config_fini(struct router_config *c)
{
    for (size_t i = 0; i < c->count; i++) {
        for (size_t j = 0; j < c->realms[i].count; j++)
            role_fini(&c->realms[i].roles[j]);
        for (size_t j = 0; j < c->realms[i].history_count; j++)
            free(c->realms[i].histories[j].uri);
        free(c->realms[i].histories);
        free(c->realms[i].roles);
        free(c->realms[i].name);
    }
    free(c->realms);
    principals_fini(c);
    *c = (struct router_config){ 0 };
}

/* ---- binding ----------------------------------------------------------------------- */

/* core.router(config [, decide]) -> router userdata; config as check_router_config reads
 * it, already checked by the prelude (wampy/config.lua). decide(who, args) answers in a
 * task what the router asks (l_decide.c). */
static int l_router_new(lua_State *L)
{
    struct state *S = state_of(L);
    struct l_router *r;
    struct router_config config;

    lua_settop(L, 2);
    r = lua_newuserdatauv(L, sizeof *r, 1);
    *r = (struct l_router){ .S = S };
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, ROUTER);
    check_router_config(L, 1, &config);
    r->server = server_new(S->host, &config);
    router_config_fini(&config);
    decide_open(L, r);
    return 1;
}

/* Whether each place of a list is one; else `text` says what is wrong with the first that
 * is none. */
static bool places_ok(const struct place_list *list, char *text, size_t size)
{
    struct url url;

    for (size_t i = 0; i < list->count; i++)
        if (!url_parse_listen(&url, list->at[i].listen, text, size))
            return false;
    return true;
}

/* Pushes a list of { url, port }. */
static void push_places(lua_State *L, const struct places *places)
{
    char text[ERROR_TEXT];

    lua_createtable(L, (int)places->count, 0);
    for (size_t i = 0; i < places->count; i++) {
        url_format(&places->at[i].url, text, sizeof text);
        lua_createtable(L, 0, 2);
        lua_pushstring(L, text);
        lua_setfield(L, -2, "url");
        lua_pushinteger(L, places->at[i].url.port);
        lua_setfield(L, -2, "port");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* router:listen(places) -> list of { url, port }: it listens there, and nowhere else;
 * places as place_list_read reads them | raises ConnectionError, then nothing changes */
static int l_listen(lua_State *L)
{
    struct server *server = check_server(L, 1);
    struct l_router *r = check_router(L, 1);
    struct place_list list;
    struct conn_end end;
    char text[ERROR_TEXT];
    bool known, ok;

    luaL_checktype(L, 2, LUA_TTABLE);
    place_list_read(L, 2, &list);
    known = places_ok(&list, text, sizeof text);
    ok = known && places_take(&r->places, server, &list, &end);
    place_list_fini(&list);
    if (!known)
        return raise_error(L, "WampyError", "%s", text);
    if (!ok)
        return raise_error(L, "ConnectionError", "%s", end.text);
    push_places(L, &r->places);
    return 1;
}

/* router:reload(config [, decide]): from now on it is a router of this configuration,
 * both as core.router takes them; who is connected stays so */
static int l_reload(lua_State *L)
{
    struct server *server = check_server(L, 1);
    struct router_config config;

    lua_settop(L, 3);
    lua_setiuservalue(L, 1, 1);
    check_router_config(L, 2, &config);
    server_reload(server, &config);
    router_config_fini(&config);
    lua_settop(L, 1);
    decide_open(L, check_router(L, 1));
    return 0;
}

/* router:access_log(path, json): writes who comes and goes into a file, "-": stdout; as
 * JSON or as text -> true | nil, why not */
static int l_access_log(lua_State *L)
{
    struct server *server = check_server(L, 1);
    struct l_router *r = check_router(L, 1);
    struct access_log *log = access_log_open(luaL_checkstring(L, 2), lua_toboolean(L, 3));

    if (!log)
        return luaL_fileresult(L, 0, lua_tostring(L, 2));
    access_log_close(r->access);
    r->access = log;
    server_access(server, &(struct access_hook){ access_log_tell, log });
    lua_pushboolean(L, true);
    return 1;
}

/* router:reopen_log(): the access log, if there is one, goes on in a new file */
static int l_reopen_log(lua_State *L)
{
    struct l_router *r = check_router(L, 1);

    if (r->access)
        access_log_reopen(r->access);
    return 0;
}

/* router:trace(): the messages of new connections are shown, where any are */
static int l_trace(lua_State *L)
{
    server_trace(check_server(L, 1));
    return 0;
}

/* core.listen_check(LISTEN, options) -> true | false, text: whether a router could listen
 * like this, but for the port: certificates are read */
static int l_listen_check(lua_State *L)
{
    struct net_options o;
    struct conn_end end = { 0 };
    struct url url;
    char text[1400];
    bool ok;

    if (!url_parse_listen(&url, luaL_checkstring(L, 1), text, sizeof text))
        return raise_error(L, "WampyError", "%s", text);
    listen_options_read(L, 2, &o);
    ok = listener_can(&url, &o, &end);
    listen_options_fini(&o);
    lua_pushboolean(L, ok);
    lua_pushstring(L, end.text);
    return 2;
}

/* router:shutdown(): stops accepting, GOODBYE to everybody */
static int l_shutdown(lua_State *L)
{
    server_shutdown(check_server(L, 1));
    return 0;
}

/* router:idle() -> true when nobody is connected */
static int l_idle(lua_State *L)
{
    lua_pushboolean(L, server_idle(check_server(L, 1)));
    return 1;
}

/* router:close(): what is left is cut */
static int l_close(lua_State *L)
{
    struct l_router *r = check_router(L, 1);

    places_fini(&r->places);
    if (r->server)
        server_free(r->server);
    r->server = NULL;
    access_log_close(r->access);
    r->access = NULL;
    return 0;
}

/* router:stats() -> { peers, sessions, subscriptions, registrations, invocations,
 * dropped ... }: the rows of src/router/stats.c */
static int l_stats(lua_State *L)
{
    struct router_stats s = server_stats(check_server(L, 1));

    lua_createtable(L, 0, STATS_ROWS);
    for (size_t i = 0; i < STATS_ROWS; i++) {
        lua_pushinteger(L, (lua_Integer)stats_value(&s, &stats_rows[i]));
        lua_setfield(L, -2, stats_rows[i].name);
    }
    return 1;
}

/* router:dump(): its sessions, into the log */
static int l_dump(lua_State *L)
{
    server_dump(check_server(L, 1));
    return 0;
}

static const luaL_Reg methods[] = { { "access_log", l_access_log },
                                    { "close", l_close },
                                    { "dump", l_dump },
                                    { "idle", l_idle },
                                    { "listen", l_listen },
                                    { "reload", l_reload },
                                    { "reopen_log", l_reopen_log },
                                    { "shutdown", l_shutdown },
                                    { "stats", l_stats },
                                    { "trace", l_trace },
                                    { NULL, NULL } };
static const luaL_Reg events[] = { { "__gc", l_close }, { NULL, NULL } };
static const luaL_Reg functions[] = { { "router", l_router_new },
                                      { "listen_check", l_listen_check },
                                      { NULL, NULL } };

void open_router(lua_State *L, struct state *S)
{
    state_class(L, S, ROUTER, events, methods);
    state_register(L, S, functions);
}
