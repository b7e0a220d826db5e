/* l_value.c - values for the prelude: null, the marker metatables, exact JSON, URIs,
 * URLs, logs, and which formats and features there are. */
#include <string.h>

#include "base/log.h"
#include "lua/payload.h"
#include "lua/errors.h"
#include "lua/state.h"
#include "wamp/trace.h"
#include "wamp/uri.h"

static int encode(lua_State *L, const struct wire *wire, int idx)
{
    struct writer *w = scratch_writer(state_of(L), wire);

    luaL_checkany(L, idx);
    write_value(L, w, idx, "value");
    lua_pushlstring(L, w->buf->data, w->buf->len);
    return 1;
}

static int decode(lua_State *L, const struct wire *wire, struct slice bytes)
{
    struct slice value;
    struct reader r;

    reader_init(&r, wire, bytes);
    if (reader_skip(&r, &value) && reader_next(&r) == TOKEN_END) {
        push_value(L, wire, bytes);
        return 1;
    }
    lua_pushnil(L);
    lua_pushfstring(L, "%s at byte %d", r.error ? r.error : "no value",
                    (int)(r.p - r.start + 1));
    return 2;
}

static const struct wire *check_wire(lua_State *L, int idx)
{
    const struct wire *wire = wire_of_name(check_slice(L, idx));

    luaL_argcheck(L, wire, idx, "expected json, msgpack or cbor");
    return wire;
}

/* core.encode(format, value) -> bytes; raises with the path of what cannot be encoded */
static int l_encode(lua_State *L)
{
    return encode(L, check_wire(L, 1), 2);
}

/* core.decode(format, bytes) -> value | nil, "what at byte N" */
static int l_decode(lua_State *L)
{
    return decode(L, check_wire(L, 1), check_slice(L, 2));
}

/* core.json_encode(value) -> text; as encode */
static int l_json_encode(lua_State *L)
{
    return encode(L, &wire_json, 1);
}

/* core.json_decode(text) -> value | nil, "what at byte N" */
static int l_json_decode(lua_State *L)
{
    return decode(L, &wire_json, check_slice(L, 1));
}

/* core.uri_ok(uri [, match [, strict]]) -> boolean */
static int l_uri_ok(lua_State *L)
{
    static const char *const names[] = { "exact", "prefix", "wildcard", NULL };

    lua_pushboolean(L, uri_ok(check_slice(L, 1),
                              (enum uri_match)luaL_checkoption(L, 2, "exact", names),
                              lua_toboolean(L, 3)));
    return 1;
}

static int push_url(lua_State *L,
                    bool (*parse)(struct url *, const char *, char *, unsigned long))
{
    struct url u;
    char error[1400];

    if (!parse(&u, luaL_checkstring(L, 1), error, sizeof error)) {
        lua_pushnil(L);
        lua_pushstring(L, error);
        return 2;
    }
    lua_createtable(L, 0, 5);
    lua_pushstring(L, u.scheme);
    lua_setfield(L, -2, "scheme");
    lua_pushstring(L, u.host);
    lua_setfield(L, -2, "host");
    lua_pushinteger(L, u.port);
    lua_setfield(L, -2, "port");
    lua_pushstring(L, u.path);
    lua_setfield(L, -2, "path");
    url_format(&u, error, sizeof error);
    lua_pushstring(L, error);
    lua_setfield(L, -2, "url");
    return 1;
}

/* core.parse_url(text) -> { scheme, host, port, path, url } | nil, error */
static int l_parse_url(lua_State *L)
{
    return push_url(L, url_parse);
}

/* core.parse_listen(text): the same for a LISTEN argument (URL, HOST:PORT or PORT) */
static int l_parse_listen(lua_State *L)
{
    return push_url(L, url_parse_listen);
}

/* core.log(level, text) */
static int l_log(lua_State *L)
{
    int level = log_level_of(luaL_checkstring(L, 1));

    luaL_argcheck(L, level >= 0, 1, "expected error, warn, info, debug or trace");
    log_at((enum log_level)level, "%s", luaL_checkstring(L, 2));
    return 0;
}

/* core.log_level([level]) -> the level in force before */
static int l_log_level(lua_State *L)
{
    static const char *const names[] = { "error", "warn", "info", "debug", "trace" };

    lua_pushstring(L, names[log_get_level()]);
    if (!lua_isnoneornil(L, 1)) {
        int level = log_level_of(luaL_checkstring(L, 1));

        luaL_argcheck(L, level >= 0, 1, "expected error, warn, info, debug or trace");
        log_set_level((enum log_level)level);
    }
    return 1;
}

/* core.log_json([yes]) -> whether lines of the log are JSON objects; `yes` says so */
static int l_log_json(lua_State *L)
{
    if (!lua_isnone(L, 1))
        log_set_json(lua_toboolean(L, 1));
    lua_pushboolean(L, log_is_json());
    return 1;
}

/* core.log_color(yes): whether lines of the log are in color, wherever they go */
static int l_log_color(lua_State *L)
{
    log_set_style(lua_toboolean(L, 1) ? LOG_COLOR : LOG_PLAIN);
    return 0;
}

/* core.trace([text]) -> whether messages are shown | nil, what is wrong with the text,
 * which says which are from now on (wamp/trace.h) */
static int l_trace(lua_State *L)
{
    char error[300];

    if (!lua_isnoneornil(L, 1) &&
        !trace_set(luaL_checkstring(L, 1), error, sizeof error)) {
        lua_pushnil(L);
        lua_pushstring(L, error);
        return 2;
    }
    lua_pushboolean(L, trace_is_on());
    return 1;
}

/* core.set_errors(errors): hands in the constructors of lua/wampy/errors.lua */
static int l_set_errors(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &KEY_ERRORS);
    return 0;
}

/* Pushes { role = { feature = true } }: what a client may announce. */
static void push_features(lua_State *L)
{
    const struct roles *ours = session_client_roles();

    lua_newtable(L);
    for (int role = 0; role < ROLE_COUNT; role++) {
        if (!roles_has(ours, (enum role)role))
            continue;
        lua_newtable(L);
        for (int feature = 0; feature < FEATURE_COUNT; feature++) {
            if (!roles_can(ours, (enum role)role, (enum feature)feature))
                continue;
            lua_pushboolean(L, 1);
            lua_setfield(L, -2, feature_name((enum feature)feature));
        }
        lua_setfield(L, -2, role_name((enum role)role));
    }
}

static const luaL_Reg functions[] = { { "encode", l_encode },
                                      { "decode", l_decode },
                                      { "json_encode", l_json_encode },
                                      { "json_decode", l_json_decode },
                                      { "trace", l_trace },
                                      { "uri_ok", l_uri_ok },
                                      { "parse_url", l_parse_url },
                                      { "parse_listen", l_parse_listen },
                                      { "log", l_log },
                                      { "log_level", l_log_level },
                                      { "log_json", l_log_json },
                                      { "log_color", l_log_color },
                                      { "set_errors", l_set_errors },
                                      { NULL, NULL } };

/* Pushes a list of the names of all formats. */
static void push_serializers(lua_State *L)
{
    lua_newtable(L);
    for (int i = 0; i < WIRE_SUBPROTOCOLS / 2; i++) {
        lua_pushstring(L, wire_serializer(wire_subprotocols[i]));
        lua_rawseti(L, -2, i + 1);
    }
}

void open_value(lua_State *L, struct state *S)
{
    static const struct {
        const char *name;
        const char *key;
    } marks[] = { { "array_mt", &KEY_ARRAY_MT },
                  { "kwargs_mt", &KEY_KWARGS_MT },
                  { "options_mt", &KEY_OPTIONS_MT },
                  { "binary_mt", &KEY_BINARY_MT } };

    convert_open(L);
    state_register(L, S, functions);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, marks[i].key);
        lua_setfield(L, -2, marks[i].name);
    }
    push_features(L);
    lua_setfield(L, -2, "client_features");
    push_serializers(L);
    lua_setfield(L, -2, "serializers");
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    lua_pushliteral(L, WAMPY_VERSION);
    lua_setfield(L, -2, "version");
}
