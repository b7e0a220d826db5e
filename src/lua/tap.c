/* tap.c - the message handler's side of the tap: messages on their way run through Lua.
 *
 * The idea: each message that stops at the tap (host_tap.c) is a struct passing and has a
 * task, in which the app's MessageHandler sees it. What the handler passes on comes back
 * through client:process or client:transmit, is held against the grammar, and must be
 * what is on its way: the same kind of message with the same ids. So a handler can change
 * what a message says but not what it is, and each passes once.
 *
 * Nothing waits for ever because a handler failed: a request whose message is lost so
 * fails, an invocation is answered with an error, joining ends. A message that a handler
 * leaves alone on purpose is the app's own affair; an invocation can then be answered by
 * hand. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "lua/convert.h"
#include "lua/errors.h"
#include "lua/l_client.h"
#include "lua/message.h"

#define FAILED SLICE("wampy.error.message_handler")

struct passing {
    struct list link; /* in lc->passings */
    struct l_client *lc;
    struct buf *bytes; /* owned: as it came, or as the session made it */
    unsigned way;      /* TAP_IN, TAP_OUT */
    struct msg m;      /* owned: the same, decoded */
    bool passed;
    bool stale; /* its session is over */
};

/* ---- what may pass ----------------------------------------------------------------- */

static bool is_same(const struct msg *a, const struct msg *b)
{
    return a->row == b->row && a->request == b->request && a->id == b->id &&
           a->publication == b->publication;
}

/* The message on its way that `m` is; one of an ended session if there is no other. */
static struct passing *find(struct l_client *lc, unsigned way, const struct msg *m)
{
    struct passing *stale = NULL;
    struct list *node, *tmp;

    list_each (node, tmp, &lc->passings) {
        struct passing *p = list_entry(node, struct passing, link);

        if (p->passed || p->way != way || !is_same(&p->m, m))
            continue;
        if (!p->stale)
            return p;
        stale = p;
    }
    return stale;
}

/* Whether a message may travel that way at all. */
static bool may_travel(const struct msg *m, const struct opts *o, unsigned way,
                       struct fault *f)
{
    if (way == TAP_OUT)
        return msg_uri_ok(m, o, false, f);
    if (m->row->from & FROM_ROUTER)
        return true;
    fault_set(f, "", "%s is not for a router to send", m->row->name);
    return false;
}

/* Whether bytes make a good message to travel that way; `m` is then to be ended. */
static bool is_good(struct msg *m, const struct l_client *lc, struct buf *bytes,
                    unsigned way, struct fault *f)
{
    struct opts o;
    bool ok;

    if (!msg_decode(m, lc->wire, bytes, f))
        return false;
    ok = opts_decode(&o, m, f);
    if (ok) {
        ok = may_travel(m, &o, way, f);
        opts_fini(&o);
    }
    if (!ok)
        msg_fini(m);
    return ok;
}

static bool is_too_large(const struct l_client *lc, size_t size)
{
    return size > session_max_message(client_session(lc->c));
}

/* The message on its way that `m` is, which has now passed; NULL fills `f`. `size` is
 * what it has become. */
static struct passing *pass(struct l_client *lc, unsigned way, const struct msg *m,
                            size_t size, struct fault *f)
{
    struct passing *p = find(lc, way, m);

    if (!p) {
        fault_set(f, "", "%s is not on its way (passed on already, or its id changed)",
                  m->row->name);
        return NULL;
    }
    if (way == TAP_OUT && !p->stale && is_too_large(lc, size)) {
        fault_set(f, "", "%s is larger than max_message_size", m->row->name);
        return NULL;
    }
    p->passed = true;
    return p;
}

/* The message object at index 2, which must be one that is on its way; it has then
 * passed. NULL when its session is over: it has nowhere to go. */
static struct buf *check_passing(lua_State *L, struct l_client *lc, unsigned way)
{
    struct buf *bytes = check_message(L, lc, 2, NULL);
    struct passing *p = NULL;
    struct fault f;
    struct msg m;

    if (is_good(&m, lc, bytes, way, &f)) {
        p = pass(lc, way, &m, bytes->len, &f);
        msg_fini(&m);
    }
    if (p && !p->stale)
        return bytes;
    buf_unref(bytes);
    if (!p)
        raise_error(L, "WampyError", "the message handler passed on a broken message: %s",
                    f.text);
    return NULL;
}

/* client:process(message): one that came goes on to the session */
static int l_process(lua_State *L)
{
    struct l_client *lc = check_client(L, 1);
    struct buf *bytes = check_passing(L, lc, TAP_IN);

    if (bytes)
        client_process(lc->c, bytes);
    buf_unref(bytes);
    return 0;
}

/* client:transmit(message): one that the session made goes out */
static int l_transmit(lua_State *L)
{
    struct l_client *lc = check_client(L, 1);
    struct buf *bytes = check_passing(L, lc, TAP_OUT);

    if (bytes)
        client_transmit(lc->c, bytes);
    return 0;
}

const luaL_Reg client_passing[] = { { "process", l_process },
                                    { "transmit", l_transmit },
                                    { NULL, NULL } };

/* ---- what becomes of those that did not -------------------------------------------- */

/* ["why"] as an arguments list, in a writer to be ended. */
static struct slice words(struct writer *w, const struct wire *wire, const char *why)
{
    writer_init(w, wire, 64);
    writer_list(w, 1);
    writer_string(w, slice_of(why));
    writer_list_end(w);
    return slice_buf(w->buf);
}

/* ERROR for a request or an invocation. */
static struct buf *make_error(const struct wire *wire, int type, uint64_t request,
                              const char *why)
{
    struct writer w;
    struct msg m = { .row = msg_row(MSG_ERROR),
                     .wire = wire,
                     .type = type,
                     .request = request,
                     .uri = FAILED,
                     .args = words(&w, wire, why) };
    struct buf *bytes = msg_encode(&m, wire);

    writer_fini(&w);
    return bytes;
}

/* Whoever waits for the answer to this request of ours is told. */
static void fail_request(struct l_client *lc, int type, uint64_t request)
{
    struct buf *bytes =
        make_error(lc->wire, type, request, "the client's message handler failed");

    client_process(lc->c, bytes);
    buf_unref(bytes);
}

/* The code of the request that a message of the router answers; 0: none. */
static int answered_code(const struct msg *m)
{
    if (m->row->code == MSG_ERROR)
        return m->type;
    for (unsigned i = 0; i < msg_row_count; i++)
        if (msg_rows[i].answer == (int)m->row->code && msg_rows[i].shape[0] == 'r')
            return (int)msg_rows[i].code;
    return 0;
}

static void join_failed(struct l_client *lc)
{
    session_abort(client_session(lc->c), FAILED.p, "the client's message handler failed",
                  host_now(lc->S->host));
    client_touch(lc->c);
}

static void incoming_failed(struct passing *p)
{
    struct l_client *lc = p->lc;
    struct session *s = client_session(lc->c);
    struct writer w;

    if (p->m.row->code == MSG_WELCOME || p->m.row->code == MSG_CHALLENGE) {
        join_failed(lc);
    } else if (p->m.row->code == MSG_INVOCATION) {
        session_adopt(s, &p->m);
        session_fail(
            s, p->m.request, FAILED,
            &(struct answer){
                .args = words(&w, lc->wire, "the callee's message handler failed") });
        writer_fini(&w);
        client_touch(lc->c);
    } else if (p->m.request && answered_code(&p->m)) {
        fail_request(lc, answered_code(&p->m), p->m.request);
    }
}

/* A result that is not the last may get lost; a last one may not. */
static bool is_progress(const struct msg *m)
{
    struct opts o;
    struct fault f;
    bool progress;

    if (!opts_decode(&o, m, &f))
        return false;
    progress = opt_is(&o, OPT_PROGRESS, false);
    opts_fini(&o);
    return progress;
}

static void outgoing_failed(struct passing *p)
{
    struct l_client *lc = p->lc;
    enum msg_code code = p->m.row->code;

    if (code == MSG_HELLO || code == MSG_AUTHENTICATE)
        join_failed(lc);
    else if (code == MSG_ERROR || (code == MSG_YIELD && !is_progress(&p->m)))
        client_transmit(lc->c, make_error(lc->wire, MSG_INVOCATION, p->m.request,
                                          "the callee's message handler failed"));
    else if (p->m.request && p->m.row->answer)
        fail_request(lc, (int)code, p->m.request);
}

static void lost(struct passing *p, bool failed)
{
    if (failed && p->way == TAP_IN)
        incoming_failed(p);
    else if (failed)
        outgoing_failed(p);
    else if (p->m.row->code == MSG_INVOCATION)
        session_adopt(client_session(p->lc->c), &p->m);
}

void tap_answer(struct l_client *lc, uint64_t invocation)
{
    struct list *node, *tmp;

    list_each (node, tmp, &lc->passings) {
        struct passing *p = list_entry(node, struct passing, link);

        if (p->stale || p->passed || p->m.row->code != MSG_INVOCATION ||
            p->m.request != invocation)
            continue;
        p->passed = true;
        session_adopt(client_session(lc->c), &p->m);
    }
}

/* ---- a passing --------------------------------------------------------------------- */

static void passing_free(struct passing *p)
{
    list_remove(&p->link);
    msg_fini(&p->m);
    buf_unref(p->bytes);
    free(p);
}

/* The error is told to the app: log, traceback, on_error. */
static void report(struct task *t, struct passing *p)
{
    lua_State *L = t->S->L;

    p->lc->tap_failures++;
    if (!p->lc->c) {
        log_error("in the message handler: %s%s", luaL_tolstring(t->co, -1, NULL),
                  t->trace ? t->trace : "");
        return;
    }
    lua_pushvalue(t->co, -1);
    lua_xmove(t->co, L, 1);
    lua_pushstring(L, t->trace);
    lua_pushstring(L, p->m.row->name);
    serve_hook(p->lc, "_message_failed", 3);
}

static void finished(struct task *t, int n)
{
    struct passing *p = t->owner;
    struct l_client *lc = p->lc;
    lua_State *L = t->S->L;

    (void)n;
    if (t->failed)
        report(t, p);
    if (!p->stale) {
        if (!p->passed)
            lost(p, t->failed);
        client_tap_done(lc->c, p->way, p->bytes->len);
    }
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, p);
    passing_free(p);
}

static int worked(lua_State *L, int status, lua_KContext ctx)
{
    (void)L;
    (void)status;
    (void)ctx;
    return 0;
}

/* (passing, message handler): the task's body */
static int work(lua_State *L)
{
    struct passing *p = lua_touserdata(L, 1);

    lua_getfield(L, 2, p->way == TAP_IN ? "handle_message" : "send_message");
    lua_pushvalue(L, 2);
    push_decoded(L, &p->m);
    lua_callk(L, 2, 0, 0, worked);
    return 0;
}

static void start(struct passing *p)
{
    struct state *S = p->lc->S;
    lua_State *L = S->L;
    struct task *t = task_new_uncounted(S);

    t->owner = p;
    t->finish = finished;
    lua_pushcfunction(t->co, work);
    lua_pushlightuserdata(t->co, p);
    push_client(L, p->lc);
    lua_getiuservalue(L, -1, CLIENT_OBJECT);
    lua_getfield(L, -1, "message_handler"); /* ud object handler */
    lua_xmove(L, t->co, 1);
    lua_pop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, p); /* keeps the client */
    task_start(t, 2);
}

void on_tap(void *user, struct buf *message, unsigned way)
{
    struct l_client *lc = user;
    struct passing *p;
    struct fault f;
    struct msg m;

    lc->wire = session_wire(client_session(lc->c));
    if (way == TAP_OUT ? !msg_decode(&m, lc->wire, message, &f)
                       : !is_good(&m, lc, message, way, &f)) {
        client_process(lc->c, message); /* the session says what is wrong with it */
        client_tap_done(lc->c, way, message->len);
        buf_unref(message);
        return;
    }
    p = xcalloc(1, sizeof *p);
    p->lc = lc;
    p->bytes = message;
    p->way = way;
    msg_move(&p->m, &m);
    list_push(&lc->passings, &p->link);
    start(p);
}

void tap_forget(struct l_client *lc)
{
    struct list *node, *tmp;

    list_each (node, tmp, &lc->passings) {
        list_entry(node, struct passing, link)->stale = true;
    }
}

void tap_free(struct l_client *lc)
{
    struct list *node;

    while ((node = list_pop(&lc->passings)))
        passing_free(list_entry(node, struct passing, link));
}
