/* outcome.c - what became of a handler: errors that it did not mean for its caller are
 * reported, and whoever watches handlers is told.
 *
 * What is told of the handler stands in its userdata, which registry[job] keeps; of the
 * app's Client in that of the client, registry[&job->m].
 *
 * Not known here: how handlers run, and what answers their calls (serve.c). */
#include "base/log.h"
#include "lua/convert.h"
#include "lua/job.h"

/* ---- errors ------------------------------------------------------------------------ */

static const char *label(lua_State *L, int idx, int value)
{
    const char *s;

    lua_getiuservalue(L, idx, value);
    s = lua_tostring(L, -1);
    lua_pop(L, 1);
    return s ? s : "?";
}

/* The app's Client whose userdata is registry[anchor]. */
static void push_object(lua_State *L, const void *anchor)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, anchor);
    lua_getiuservalue(L, -1, CLIENT_OBJECT);
    lua_remove(L, -2);
}

/* What an ERROR was meant to say is not a fault of the program: no traceback for
 * those. */
void serve_report(struct task *t, const struct failure *f)
{
    lua_State *L = t->S->L;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_ERRORS);
    lua_getfield(L, -1, "report");
    push_object(L, f->anchor);
    lua_pushboolean(L, f->is_call);
    lua_pushvalue(t->co, -1);
    lua_xmove(t->co, L, 1);
    lua_pushstring(L, t->trace);
    lua_pushstring(L, f->uri);
    lua_pushstring(L, f->label);
    push_dict(L, f->m->wire, f->m->dict);
    if (lua_pcall(L, 7, 0, 0) != LUA_OK) {
        log_error("while reporting an error: %s", lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

void job_report(struct task *t, struct job *j)
{
    lua_State *L = t->S->L;
    struct failure f = { .anchor = &j->m, .m = &j->m, .is_call = j->invocation != 0 };

    lua_rawgetp(L, LUA_REGISTRYINDEX, j); /* which keeps these texts, too */
    f.uri = label(L, -1, HANDLER_URI);
    f.label = label(L, -1, HANDLER_LABEL);
    lua_pop(L, 1);
    serve_report(t, &f);
}

/* ---- who watches handlers ---------------------------------------------------------- */

static const char KEY_OBSERVER;

/* core.observe(fn | nil): fn(client, "call" | "event", uri, topic | nil, ok, error) is
 * called when a handler has run to its end; it cannot wait. `uri` is what was registered
 * or subscribed, `topic` what a pattern stood for. */
static int l_observe(lua_State *L)
{
    state_of(L)->observed = !lua_isnoneornil(L, 1);
    lua_settop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &KEY_OBSERVER);
    return 0;
}

void job_observe(struct task *t, struct job *j)
{
    lua_State *L = t->S->L;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &KEY_OBSERVER);
    push_object(L, &j->m); /* fn client */
    lua_pushstring(L, j->invocation ? "call" : "event");
    lua_rawgetp(L, LUA_REGISTRYINDEX, j);
    lua_getiuservalue(L, -1, HANDLER_URI);
    lua_remove(L, -2); /* fn client kind uri */
    push_dict(L, j->m.wire, j->m.dict);
    lua_getfield(L, -1, "topic");
    lua_remove(L, -2); /* fn client kind uri topic */
    lua_pushboolean(L, !t->failed);
    if (t->failed) {
        lua_pushvalue(t->co, -1);
        lua_xmove(t->co, L, 1);
    } else {
        lua_pushnil(L);
    }
    if (lua_pcall(L, 6, 0, 0) != LUA_OK) {
        log_error("in core.observe's function: %s", lua_tostring(L, -1));
        lua_pop(L, 1);
    }
}

void serve_open(lua_State *L, struct state *S)
{
    static const luaL_Reg functions[] = { { "observe", l_observe }, { NULL, NULL } };

    state_register(L, S, functions);
    job_open(L, S);
}
