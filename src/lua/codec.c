/* codec.c - payload passthru: where messages meet the app's codecs. See codec.h.
 *
 * The idea: on its way out a payload is sealed while it is still values on the Lua stack,
 * on its way in it is opened before anybody else sees the message, which is made anew. So
 * requests, handlers, streams and futures know nothing of all this. What a message says
 * once it is open is CBOR, whatever the session speaks: every value that can be sent has
 * a form there. Codecs (lua/wampy/codecs.lua) are called where nothing can wait.
 *
 * Not known here: what a codec does, and which there are. */
#include "lua/codec.h"

#include "base/mem.h"
#include "lua/payload.h"
#include "lua/errors.h"
#include "wamp/opts.h"
#include "wamp/transcode.h"

/* Calls what stands below `n` arguments, and lets nothing wait meanwhile. */
static int call_unwaiting(lua_State *L, struct state *S, int n, int results)
{
    bool turning = S->turning;
    int rc;

    S->turning = true;
    rc = lua_pcall(L, n, results, 0);
    S->turning = turning;
    return rc;
}

/* Pushes a method of the app's Client, and the Client. */
static void push_method(lua_State *L, struct l_client *lc, const char *name)
{
    push_client(L, lc);
    lua_getiuservalue(L, -1, CLIENT_OBJECT);
    lua_getfield(L, -1, name); /* ud object method */
    lua_insert(L, -2);
    lua_remove(L, -3); /* method object */
}

/* Pushes what a message for the handler at `idx` was sent to: a pattern's own URI is not
 * what its sender knew. */
static void push_uri(lua_State *L, int idx, const struct msg *m)
{
    const struct handler *h = lua_touserdata(L, idx);

    if (!h->pattern) {
        lua_getiuservalue(L, idx, HANDLER_URI);
        return;
    }
    push_dict(L, m->wire, m->dict);
    lua_getfield(L, -1, h->callee ? "procedure" : "topic");
    lua_remove(L, -2);
}

/* ---- out --------------------------------------------------------------------------- */

/* Above the values first..top stand the kind, the URI and the keys that hold unless the
 * values' options say otherwise. */
static void seal(lua_State *L, struct l_client *lc, int first)
{
    int n = lua_gettop(L) - 3 - first + 1;

    luaL_checkstack(L, 12, "codec");
    push_method(L, lc, "_seal");
    lua_rotate(L, first + n, 2);
    lua_rotate(L, first, 5); /* method object kind uri keys values... */
    if (call_unwaiting(L, lc->S, n + 4, LUA_MULTRET) != LUA_OK)
        lua_error(L);
}

void codec_seal(lua_State *L, struct l_client *lc, const char *kind, int first)
{
    if (!lc->codecs)
        return;
    luaL_checkstack(L, 3, "codec");
    lua_pushstring(L, kind);
    lua_pushvalue(L, 2);
    lua_pushnil(L);
    seal(L, lc, first);
}

void codec_seal_part(lua_State *L, const struct reply *call, int first)
{
    if (!call->scheme || !call->lc->c)
        return;
    luaL_checkstack(L, 3, "codec");
    lua_pushliteral(L, "call");
    lua_pushstring(L, call->uri);
    lua_getiuservalue(L, 1, UPLOAD_KEYS);
    seal(L, call->lc, first); /* the options that it gives are those of the first part */
}

void codec_seal_answer(lua_State *L, const struct job *j, const char *kind, int first)
{
    if (!j->lc->codecs || !j->lc->c)
        return;
    luaL_checkstack(L, 8, "codec");
    lua_pushstring(L, kind);
    lua_rawgetp(L, LUA_REGISTRYINDEX, j); /* ... kind handler */
    push_uri(L, lua_gettop(L), &j->m);
    lua_getiuservalue(L, -2, HANDLER_PPT); /* ... kind handler uri keys */
    lua_remove(L, -3);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        push_dict(L, j->m.wire, j->m.dict);
    }
    seal(L, j->lc, first);
}

/* ---- in ---------------------------------------------------------------------------- */

struct opening {
    struct l_client *lc;
    struct event *e;
    const char *stage; /* whose fault it is, for the error message */
};

/* What the app's codec is told: both ends name a message so. */
static const char *kind_of(const struct event *e)
{
    switch (e->kind) {
    case EVENT_INVOCATION:
    case EVENT_PART:
        return "call";
    case EVENT_EVENT:
        return "event";
    case EVENT_RESULT:
        return e->tag ? "result" : NULL;
    case EVENT_ERROR:
        return e->tag && e->m.row ? "error" : NULL;
    default:
        return NULL;
    }
}

/* Pushes the handler that the message is for; the first one of several. */
static void push_handler(lua_State *L, struct l_client *lc, const struct event *e)
{
    bool event = e->kind == EVENT_EVENT;

    push_client(L, lc);
    lua_getiuservalue(L, -1, event ? CLIENT_SUBSCRIPTIONS : CLIENT_REGISTRATIONS);
    lua_rawgeti(L, -1, (lua_Integer)e->m.id); /* ud handlers handler */
    if (event && lua_istable(L, -1)) {
        lua_rawgeti(L, -1, 1);
        lua_remove(L, -2);
    }
    lua_replace(L, -3);
    lua_pop(L, 1);
}

/* Pushes the URI of a message, and the scheme that was asked for (nil: none). */
static void push_asked(lua_State *L, struct l_client *lc, const struct event *e)
{
    const struct reply *r = e->tag;

    if (r) {
        lua_pushstring(L, r->uri);
        lua_pushstring(L, r->scheme);
        return;
    }
    push_handler(L, lc, e); /* handler */
    if (!lua_isuserdata(L, -1)) {
        lua_pushnil(L);
        return;
    }
    push_uri(L, lua_gettop(L), &e->m);
    if (lua_getiuservalue(L, -2, HANDLER_PPT) == LUA_TTABLE) {
        lua_getfield(L, -1, "ppt_scheme");
        lua_remove(L, -2);
    } /* handler uri scheme */
    lua_remove(L, -3);
}

/* Puts the opened payload into the message in place of the sealed one. */
static void remake(lua_State *L, struct msg *m, const struct payload *p)
{
    struct buf *dict = transcode(m->dict, m->wire, &wire_cbor), *bytes;
    struct msg opened = *m, made;
    struct fault f;
    bool good;

    if (!dict)
        raise_error(L, "PayloadError", "the details are too long");
    opened.dict = slice_buf(dict);
    opened.args = p->args;
    opened.kwargs = p->kwargs;
    bytes = msg_encode(&opened, &wire_cbor);
    good = msg_decode(&made, &wire_cbor, bytes, &f);
    buf_unref(bytes);
    buf_unref(dict);
    if (!good)
        raise_error(L, "PayloadError", "%s", f.text);
    msg_fini(m);
    msg_move(m, &made);
}

/* (opening) */
static int open_message(lua_State *L)
{
    struct opening *o = lua_touserdata(L, 1);
    struct msg *m = &o->e->m;
    struct payload p;
    int n;

    push_method(L, o->lc, "_open");
    lua_pushstring(L, kind_of(o->e));
    push_asked(L, o->lc, o->e);
    push_dict(L, m->wire, m->dict); /* o method object kind uri scheme details */
    n = push_elements(L, m->wire, m->args);
    lua_call(L, 5 + n, LUA_MULTRET); /* o opened values... */
    if (!lua_toboolean(L, 2))
        return 0;
    o->stage = "what decode returned: ";
    check_payload(L, o->lc->S, &wire_cbor, 3, &p);
    remake(L, m, &p);
    return 0;
}

/* Pushes what the error at the top says. */
static const char *push_message(lua_State *L, const char *stage)
{
    const char *message;

    if (lua_istable(L, -1))
        lua_getfield(L, -1, "message");
    else
        lua_pushvalue(L, -1);
    message = lua_tostring(L, -1);
    message = lua_pushfstring(L, "%s%s", stage, message ? message : "?");
    lua_remove(L, -2);
    return message;
}

/* The answer that somebody waits for becomes the error at the top. What is still to come
 * of the call is not wanted. */
static void spoil_answer(lua_State *L, struct l_client *lc, struct event *e,
                         const char *stage)
{
    e->text = xstrdup(push_message(L, stage));
    lua_pop(L, 1);
    if (e->progress) {
        reply_cancel(e->tag, "killnowait");
        session_forget(client_session(lc->c), e->request);
    }
    msg_fini(&e->m);
    e->m = (struct msg){ 0 };
    e->kind = EVENT_ERROR;
    e->progress = false;
}

/* The app hears of the error at the top. */
static void report(lua_State *L, struct l_client *lc, const struct event *e,
                   const char *stage)
{
    push_message(L, stage);
    push_asked(L, lc, e);
    lua_pop(L, 1);
    push_dict(L, e->m.wire, e->m.dict); /* message uri details */
    serve_hook(lc, "_unopened", 3);
}

/* True when an event is left that somebody waits for. */
static bool failed(lua_State *L, struct l_client *lc, struct event *e, const char *stage)
{
    if (e->tag) {
        spoil_answer(L, lc, e, stage);
        return true;
    }
    report(L, lc, e, stage);
    if (e->kind == EVENT_INVOCATION)
        serve_refuse(lc, e->m.request, PAYLOAD_ERROR, "the payload cannot be opened");
    else if (e->kind == EVENT_PART)
        serve_give_up(lc, e, PAYLOAD_ERROR, "the payload cannot be opened");
    return false;
}

static bool is_sealed(const struct msg *m)
{
    struct opts o;
    struct fault f;
    bool sealed;

    if (!opts_decode(&o, m, &f))
        return false;
    sealed = opt_has(&o, OPT_PPT_SCHEME);
    opts_fini(&o);
    return sealed;
}

/* Whether a sealed payload was asked for. */
static bool is_asked(lua_State *L, struct l_client *lc, const struct event *e)
{
    const struct reply *r = e->tag;
    const struct handler *h;
    bool asked;

    if (r)
        return r->scheme != NULL;
    push_handler(L, lc, e);
    h = lua_touserdata(L, -1);
    asked = h && h->ppt;
    lua_pop(L, 1);
    return asked;
}

bool codec_open(struct l_client *lc, struct event *e)
{
    lua_State *L = lc->S->L;
    struct opening o = { lc, e, "" };
    bool left = true;

    if (!lc->codecs || !kind_of(e))
        return true;
    luaL_checkstack(L, 20, "codec");
    if (!is_sealed(&e->m) && !is_asked(L, lc, e))
        return true;
    lua_pushcfunction(L, open_message);
    lua_pushlightuserdata(L, &o);
    if (call_unwaiting(L, lc->S, 1, 0) != LUA_OK) {
        left = failed(L, lc, e, o.stage);
        lua_pop(L, 1);
    }
    return left;
}

/* client:codecs(any): whether the object has codecs, so that _seal and _open are
 * called */
static int l_codecs(lua_State *L)
{
    check_client(L, 1)->codecs = lua_toboolean(L, 2);
    return 0;
}

const luaL_Reg client_codecs[] = { { "codecs", l_codecs }, { NULL, NULL } };
