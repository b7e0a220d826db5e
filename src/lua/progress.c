/* progress.c - options { on_progress = function }: each part of a call's result is given
 * to the function, in a task of its own (WAMP: progressive call results).
 *
 * A part's values are made in that task: what they raise, a list longer than Lua's stack
 * among it, raises there, and is reported as an error of the function itself is.
 *
 * Not known here: how parts come (l_event.c), and the other way to read them
 * (l_stream.c). */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "lua/l_client.h"

/* A part on its way. registry[delivery] keeps the client's userdata, for the report. */
struct delivery {
    struct msg m; /* owned: a copy with references of its own */
    char *uri;    /* owned */
};

static struct delivery *delivery_new(const struct reply *r, const struct msg *m)
{
    struct delivery *d = xcalloc(1, sizeof *d);

    msg_keep(&d->m, m);
    d->uri = xstrdup(r->uri);
    return d;
}

static void delivery_free(struct delivery *d)
{
    msg_fini(&d->m);
    free(d->uri);
    free(d);
}

static int ran(lua_State *L, int status, lua_KContext ctx)
{
    (void)L, (void)status, (void)ctx;
    return 0;
}

/* (on_progress, delivery) */
static int deliver(lua_State *L)
{
    const struct msg *m = &((struct delivery *)lua_touserdata(L, 2))->m;

    lua_settop(L, 1);
    lua_callk(L, push_payload(L, m->wire, m->args, m->kwargs), 0, 0, ran);
    return 0;
}

static void delivered(struct task *t, int n)
{
    struct delivery *d = t->owner;
    struct failure f = { .anchor = d, .m = &d->m, .uri = d->uri, .label = "on_progress" };

    (void)n;
    if (t->failed)
        serve_report(t, &f);
    lua_pushnil(t->S->L);
    lua_rawsetp(t->S->L, LUA_REGISTRYINDEX, d);
    delivery_free(d);
}

/* Once a call: whoever is short of tasks is not helped by a line for each part. */
static void skip(struct reply *r)
{
    r->lc->S->dropped_events++;
    if (!r->skips)
        log_warn("%s: max_tasks are running; parts of the result do not get to "
                 "on_progress [W905]",
                 r->uri);
    r->skips = true;
}

/* Once there is a task, what Lua makes may collect a future, and with it `r`: so all that
 * is needed of it is taken first. */
void progress_deliver(struct reply *r, struct event *e)
{
    struct state *S = r->lc->S;
    lua_State *L = S->L;
    struct delivery *d;
    struct task *t;

    push_client(L, r->lc);
    lua_rawgetp(L, LUA_REGISTRYINDEX, r); /* ud on_progress */
    d = delivery_new(r, &e->m);
    t = task_new(S);
    if (!t) { /* which has made nothing */
        skip(r);
        delivery_free(d);
        lua_pop(L, 2);
        return;
    }
    t->owner = d;
    t->finish = delivered;
    lua_pushcfunction(t->co, deliver);
    lua_xmove(L, t->co, 1);
    lua_pushlightuserdata(t->co, d);
    lua_rawsetp(L, LUA_REGISTRYINDEX, d);
    task_start(t, 2);
}
