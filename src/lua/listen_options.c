/* listen_options.c - the options of a listener out of a Lua table. See listen_options.h.
 *
 * The prelude has checked names and types. */
#include "lua/listen_options.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lua/state.h"
#include "lua/tls_options.h"

#define PING 10000 /* ms, both of silence and for an answer */

static const char **all_subprotocols(void)
{
    const char **list;
    size_t n = 0;

    while (wire_subprotocols[n])
        n++;
    list = xcalloc(n + 1, sizeof *list);
    memcpy(list, wire_subprotocols, n * sizeof *list);
    return list;
}

/* All that there are, when the table has no list. */
static const char *const *subprotocols_of(lua_State *L, int table)
{
    const char **list = NULL;
    size_t count, n = 0;

    if (lua_getfield(L, table, "serializers") == LUA_TTABLE) {
        count = (size_t)lua_rawlen(L, -1);
        list = xcalloc(count + 1, sizeof *list);
        for (size_t i = 0; i < count; i++) {
            lua_rawgeti(L, -1, (lua_Integer)i + 1);
            list[n] = wire_subprotocol_of(slice_of(lua_tostring(L, -1)));
            n += list[n] != NULL;
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
    return list ? list : all_subprotocols();
}

/* A copy of a text in the table at the top; NULL: there is none. */
static char *text_of(lua_State *L, const char *field)
{
    char *copy = NULL;

    if (lua_getfield(L, -1, field) == LUA_TSTRING)
        copy = xstrdup(lua_tostring(L, -1));
    lua_pop(L, 1);
    return copy;
}

static uint64_t number_of(lua_State *L, int table, const char *field)
{
    uint64_t n;

    lua_getfield(L, table, field);
    n = (uint64_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
    return n;
}

static bool flag_of(lua_State *L, int table, const char *field)
{
    bool yes;

    lua_getfield(L, table, field);
    yes = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return yes;
}

static void read_origins(lua_State *L, int table, struct net_options *o)
{
    size_t n;
    const char **list;

    if (lua_getfield(L, table, "origins") == LUA_TTABLE) {
        n = (size_t)lua_rawlen(L, -1);
        list = xcalloc(n + 1, sizeof *list);
        for (size_t i = 0; i < n; i++) {
            lua_rawgeti(L, -1, (lua_Integer)i + 1);
            list[i] = xstrdup(lua_tostring(L, -1));
            lua_pop(L, 1);
        }
        o->origins = list;
    }
    lua_pop(L, 1);
}

/* From the table at the top. */
static void read_route(lua_State *L, struct http_route *r)
{
    char *kind = text_of(L, "kind");

    r->kind = !strcmp(kind, "files")    ? HTTP_FILES
              : !strcmp(kind, "report") ? HTTP_REPORT
                                        : HTTP_WEBSOCKET;
    free(kind);
    r->path = text_of(L, "path");
    r->directory = text_of(L, "directory");
    r->index = text_of(L, "index");
    r->max_age = (unsigned)number_of(L, lua_gettop(L), "max_age");
    r->part = (unsigned)number_of(L, lua_gettop(L), "part");
}

static void read_routes(lua_State *L, int table, struct net_options *o)
{
    struct http_route *routes;
    size_t n;

    if (lua_getfield(L, table, "routes") == LUA_TTABLE) {
        n = (size_t)lua_rawlen(L, -1);
        routes = xcalloc(n, sizeof *routes);
        for (size_t i = 0; i < n; i++) {
            lua_rawgeti(L, -1, (lua_Integer)i + 1);
            read_route(L, &routes[i]);
            lua_pop(L, 1);
        }
        o->routes = routes;
        o->route_count = n;
    }
    lua_pop(L, 1);
}

/* A time that is not there is the default of a router, or of net/options.h. */
static void read_times(lua_State *L, int table, struct net_options *o)
{
    o->connect_timeout = number_of(L, table, "connect_timeout");
    o->close_timeout = number_of(L, table, "close_timeout");
    if (lua_getfield(L, table, "ping_interval") == LUA_TNUMBER)
        o->ping_interval = (uint64_t)lua_tointeger(L, -1);
    if (lua_getfield(L, table, "ping_timeout") == LUA_TNUMBER && lua_tointeger(L, -1))
        o->ping_timeout = (uint64_t)lua_tointeger(L, -1);
    lua_pop(L, 2);
}

static void read_parts(lua_State *L, int table, struct net_options *o)
{
    struct net_options *parts;
    size_t n;

    if (lua_getfield(L, table, "parts") == LUA_TTABLE) {
        n = (size_t)lua_rawlen(L, -1);
        parts = xcalloc(n, sizeof *parts);
        for (size_t i = 0; i < n; i++) {
            lua_rawgeti(L, -1, (lua_Integer)i + 1);
            listen_options_read(L, -1, &parts[i]);
            lua_pop(L, 1);
        }
        o->parts = parts;
        o->part_count = n;
    }
    lua_pop(L, 1);
    o->raw_part = (unsigned)number_of(L, table, "raw_part");
}

void listen_options_read(lua_State *L, int idx, struct net_options *o)
{
    *o = (struct net_options){ .ping_interval = PING, .ping_timeout = PING };
    if (!lua_istable(L, idx))
        return;
    idx = lua_absindex(L, idx);
    o->subprotocols = subprotocols_of(L, idx);
    o->max_message = (size_t)number_of(L, idx, "max_message_size");
    if (o->max_message > LIMIT_MESSAGE_SIZE)
        o->max_message = LIMIT_MESSAGE_SIZE;
    read_times(L, idx, o);
    read_origins(L, idx, o);
    read_routes(L, idx, o);
    read_parts(L, idx, o);
    o->max_all = (unsigned)number_of(L, idx, "max_connections");
    o->door = (unsigned)number_of(L, idx, "door");
    o->null_origin = flag_of(L, idx, "null_origin");
    o->any_subprotocol = flag_of(L, idx, "any_subprotocol");
    o->delay = flag_of(L, idx, "delay");
    o->compress = flag_of(L, idx, "compress");
    lua_getfield(L, idx, "tls");
    tls_options_read(L, -1, &o->tls);
    lua_pop(L, 1);
}

void listen_options_fini(struct net_options *o)
{
    for (const char *const *p = o->origins; p && *p; p++)
        free((void *)(uintptr_t)*p);
    free((void *)(uintptr_t)o->origins);
    http_routes_free((struct http_route *)(uintptr_t)o->routes, o->route_count);
    free((void *)(uintptr_t)o->subprotocols);
    for (size_t i = 0; i < o->part_count; i++)
        listen_options_fini((struct net_options *)(uintptr_t)&o->parts[i]);
    free((void *)(uintptr_t)o->parts);
    tls_options_fini(&o->tls);
}

void place_list_read(lua_State *L, int idx, struct place_list *list)
{
    size_t n = (size_t)lua_rawlen(L, idx);

    *list = (struct place_list){ xcalloc(n, sizeof *list->at), n };
    lua_pushvalue(L, idx);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        listen_options_read(L, -1, &list->at[i].options);
        lua_getfield(L, -1, "listen");
        list->at[i].listen = xstrdup(lua_isstring(L, -1) ? lua_tostring(L, -1) : "");
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
}

void place_list_fini(struct place_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        listen_options_fini(&list->at[i].options);
        free(list->at[i].listen);
    }
    free(list->at);
}
