/* l_auth.c - authentication for the prelude: a client that is challenged, and the
 * primitives of wamp/auth.h as core.auth_*.
 *
 * Which method needs which of them, and what is told to whom, is in lua/wampy/auth.lua;
 * no function here puts a secret into a message. Bytes and texts are Lua strings on both
 * sides. What is wrong with a value gives nil, so that the caller can name the place it
 * came from. */
#include "lua/payload.h"
#include "lua/errors.h"
#include "lua/l_client.h"
#include "wamp/auth.h"
#include "wamp/base64.h"
#include "wamp/limits.h"

/* ---- a client that is challenged --------------------------------------------------- */

static void give_up(struct l_client *lc, const char *reason, const char *text)
{
    if (!lc->c)
        return;
    session_abort(client_session(lc->c), reason, text, host_now(lc->S->host));
    client_touch(lc->c);
}

void challenged(struct l_client *lc, struct event *e)
{
    lua_State *L = lc->S->L;

    lua_pushlstring(L, e->m.text.p, e->m.text.n);
    push_dict(L, e->m.wire, e->m.dict);
    if (!serve_hook(lc, "_challenge", 2))
        give_up(lc, "wamp.error.cannot_authenticate", "no task to answer with");
}

/* client:authenticate(signature [, extra]): answers the challenge that waits */
static int l_authenticate(lua_State *L)
{
    struct l_client *lc = check_client(L, 1);
    struct slice signature = check_slice(L, 2);
    struct slice extra = check_options(L, lc->S, lc->wire, 3);
    int error = lc->c ? session_authenticate(client_session(lc->c), signature, extra)
                      : SESSION_NOT_JOINED;

    if (error == SESSION_NOT_JOINED || error == SESSION_UNKNOWN)
        return 0; /* the session has ended meanwhile: whoever waits for it is told why */
    if (error)
        return raise_refusal(L, lc, error);
    client_touch(lc->c);
    return 0;
}

/* client:abort(reason, text): ends the session without waiting */
static int l_abort(lua_State *L)
{
    struct l_client *lc = check_client(L, 1);

    give_up(lc, luaL_checkstring(L, 2), luaL_checkstring(L, 3));
    return 0;
}

const luaL_Reg client_auth[] = { { "authenticate", l_authenticate },
                                 { "abort", l_abort },
                                 { NULL, NULL } };

/* ---- primitives -------------------------------------------------------------------- */

/* A cost; 0, which every derivation refuses, for what does not fit. */
static uint32_t check_cost(lua_State *L, int idx)
{
    lua_Integer n = luaL_checkinteger(L, idx);

    return n > 0 && n <= UINT32_MAX ? (uint32_t)n : 0;
}

static int push_bytes(lua_State *L, const unsigned char *p, size_t n)
{
    lua_pushlstring(L, (const char *)p, n);
    return 1;
}

/* Pushes and drops `b`; nil for NULL. */
static int push_buf(lua_State *L, struct buf *b)
{
    if (b)
        lua_pushlstring(L, b->data, b->len);
    else
        lua_pushnil(L);
    auth_forget(b);
    return 1;
}

/* core.auth_random(n) -> n random bytes */
static int l_auth_random(lua_State *L)
{
    lua_Integer n = luaL_checkinteger(L, 1);
    unsigned char bytes[64];

    luaL_argcheck(L, n > 0 && n <= (lua_Integer)sizeof bytes, 1, "expected 1 to 64");
    rng_bytes(host_rng(), bytes, (size_t)n);
    return push_bytes(L, bytes, (size_t)n);
}

/* core.auth_base64(bytes) -> text */
static int l_auth_base64(lua_State *L)
{
    struct slice bytes = check_slice(L, 1);
    size_t n = BASE64_SIZE(bytes.n);
    luaL_Buffer b;

    base64_encode(luaL_buffinitsize(L, &b, n), bytes);
    luaL_pushresultsize(&b, n);
    return 1;
}

/* core.auth_unbase64(text) -> bytes | nil */
static int l_auth_unbase64(lua_State *L)
{
    struct slice text = check_slice(L, 1);
    luaL_Buffer b;
    char *out = luaL_buffinitsize(L, &b, text.n);
    size_t n = 0;
    bool ok = base64_decode(out, text, &n);

    luaL_pushresultsize(&b, ok ? n : 0);
    if (!ok)
        lua_pushnil(L);
    return 1;
}

/* core.auth_hex(bytes) -> digits */
static int l_auth_hex(lua_State *L)
{
    struct slice bytes = check_slice(L, 1);
    luaL_Buffer b;

    auth_hex(luaL_buffinitsize(L, &b, 2 * bytes.n), bytes);
    luaL_pushresultsize(&b, 2 * bytes.n);
    return 1;
}

/* core.auth_unhex(digits, n) -> n bytes | nil */
static int l_auth_unhex(lua_State *L)
{
    struct slice hex = check_slice(L, 1);
    lua_Integer n = luaL_checkinteger(L, 2);
    unsigned char bytes[64];

    luaL_argcheck(L, n > 0 && n <= (lua_Integer)sizeof bytes, 2, "expected 1 to 64");
    if (auth_unhex(bytes, hex, (size_t)n))
        return push_bytes(L, bytes, (size_t)n);
    lua_pushnil(L);
    return 1;
}

/* core.auth_equal(a, b) -> boolean, in constant time */
static int l_auth_equal(lua_State *L)
{
    lua_pushboolean(L, auth_equal(check_slice(L, 1), check_slice(L, 2)));
    return 1;
}

/* core.auth_prepared(text) -> whether SASLprep leaves it as it is */
static int l_auth_prepared(lua_State *L)
{
    lua_pushboolean(L, auth_prepared(check_slice(L, 1)));
    return 1;
}

/* core.auth_cra_key(secret, salt, iterations, keylen) -> key | nil */
static int l_auth_cra_key(lua_State *L)
{
    return push_buf(L, auth_cra_key(check_slice(L, 1), check_slice(L, 2),
                                    check_cost(L, 3), check_cost(L, 4)));
}

/* core.auth_cra_sign(key, challenge) -> Base64 text */
static int l_auth_cra_sign(lua_State *L)
{
    return push_buf(L, auth_cra_sign(check_slice(L, 1), check_slice(L, 2)));
}

static const unsigned char *check_key(lua_State *L, int idx)
{
    struct slice key = check_slice(L, idx);

    luaL_argcheck(L, key.n == AUTH_DIGEST, idx, "expected a key of 32 bytes");
    return (const unsigned char *)key.p;
}

/* core.auth_public_key(private key) -> public key, both 32 bytes */
static int l_auth_public_key(lua_State *L)
{
    unsigned char key[AUTH_DIGEST];

    if (!auth_public_key(check_key(L, 1), key))
        return luaL_error(L, "Ed25519 is not available");
    return push_bytes(L, key, sizeof key);
}

/* core.auth_sign(private key, text) -> signature, 64 bytes */
static int l_auth_sign(lua_State *L)
{
    unsigned char signature[AUTH_SIGNATURE];

    if (!auth_sign(check_key(L, 1), check_slice(L, 2), signature))
        return luaL_error(L, "Ed25519 is not available");
    return push_bytes(L, signature, sizeof signature);
}

static int push_derived(lua_State *L, bool ok, unsigned char out[AUTH_DIGEST])
{
    if (ok)
        push_bytes(L, out, AUTH_DIGEST);
    else
        lua_pushnil(L);
    auth_wipe(out, AUTH_DIGEST);
    return 1;
}

/* core.auth_pbkdf2(password, salt, iterations) -> 32 bytes | nil */
static int l_auth_pbkdf2(lua_State *L)
{
    unsigned char out[AUTH_DIGEST];

    return push_derived(L,
                        auth_pbkdf2(check_slice(L, 1), check_slice(L, 2),
                                    check_cost(L, 3), out, sizeof out),
                        out);
}

/* core.auth_argon2id(password, salt, iterations, memory) -> 32 bytes | nil */
static int l_auth_argon2id(lua_State *L)
{
    unsigned char out[AUTH_DIGEST];

    return push_derived(L,
                        auth_argon2id(check_slice(L, 1), check_slice(L, 2),
                                      check_cost(L, 3), check_cost(L, 4), out),
                        out);
}

/* core.auth_scram_keys(salted) -> StoredKey and ServerKey, 64 bytes */
static int l_auth_scram_keys(lua_State *L)
{
    unsigned char keys[2 * AUTH_DIGEST];

    auth_scram_keys(check_slice(L, 1), keys, keys + AUTH_DIGEST);
    push_bytes(L, keys, sizeof keys);
    auth_wipe(keys, sizeof keys);
    return 1;
}

static struct slice slice_field(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    return check_slice(L, lua_gettop(L));
}

static int push_base64(lua_State *L, const unsigned char digest[AUTH_DIGEST])
{
    char text[BASE64_SIZE(AUTH_DIGEST)];

    base64_encode(text, (struct slice){ (const char *)digest, AUTH_DIGEST });
    lua_pushlstring(L, text, sizeof text);
    return 1;
}

/* core.auth_scram({ authid, client_nonce, nonce, salt, binding, iterations }, salted) ->
 * proof, verifier: what the client sends and what it must be told, in Base64 */
static int l_auth_scram(lua_State *L)
{
    struct slice salted = check_slice(L, 2);
    struct auth_scram s = { 0 };
    unsigned char stored[AUTH_DIGEST], server[AUTH_DIGEST], proof[AUTH_DIGEST],
        verifier[AUTH_DIGEST];
    struct buf *message;

    luaL_checktype(L, 1, LUA_TTABLE);
    s.authid = slice_field(L, "authid");
    s.client_nonce = slice_field(L, "client_nonce");
    s.nonce = slice_field(L, "nonce");
    s.salt = slice_field(L, "salt");
    s.binding = slice_field(L, "binding");
    s.iterations = check_cost(L, (lua_getfield(L, 1, "iterations"), -1));
    message = auth_scram_message(&s);
    auth_scram_keys(salted, stored, server);
    auth_scram_proof(salted, slice_buf(message), proof);
    auth_scram_verifier(server, slice_buf(message), verifier);
    buf_unref(message);
    auth_wipe(stored, sizeof stored);
    auth_wipe(server, sizeof server);
    return push_base64(L, proof) + push_base64(L, verifier);
}

static const luaL_Reg functions[] = {
    { "auth_random", l_auth_random },     { "auth_base64", l_auth_base64 },
    { "auth_unbase64", l_auth_unbase64 }, { "auth_hex", l_auth_hex },
    { "auth_unhex", l_auth_unhex },       { "auth_equal", l_auth_equal },
    { "auth_prepared", l_auth_prepared }, { "auth_cra_key", l_auth_cra_key },
    { "auth_cra_sign", l_auth_cra_sign }, { "auth_public_key", l_auth_public_key },
    { "auth_sign", l_auth_sign },         { "auth_pbkdf2", l_auth_pbkdf2 },
    { "auth_argon2id", l_auth_argon2id }, { "auth_scram_keys", l_auth_scram_keys },
    { "auth_scram", l_auth_scram },       { NULL, NULL }
};

void open_auth(lua_State *L, struct state *S)
{
    static const struct {
        const char *name;
        lua_Integer value;
    } limits[] = { { "iterations", LIMIT_AUTH_ITERATIONS },
                   { "keylen", LIMIT_AUTH_KEY },
                   { "memory", LIMIT_AUTH_MEMORY },
                   { "work", LIMIT_AUTH_WORK },
                   { "scram_least", LIMIT_AUTH_SCRAM_LEAST } };

    state_register(L, S, functions);
    lua_newtable(L);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        lua_pushinteger(L, limits[i].value);
        lua_setfield(L, -2, limits[i].name);
    }
    lua_setfield(L, -2, "auth_limits");
    lua_pushboolean(L, auth_has_argon2());
    lua_setfield(L, -2, "auth_has_argon2");
}
