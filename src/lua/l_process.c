/* l_process.c - core.process: a child process for the prelude (wampy/process.lua).
 *
 * Reading, writing and taking the end never wait; `poll` is the one wait, for any of a
 * child's streams or its end. So a limit on what is kept is the prelude's business, and
 * a pipe that nobody reads holds the child up, not us.
 *
 * What may fail to start, how, and what that is called is in src/net/child.c. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "lua/errors.h"
#include "lua/state.h"
#include "net/child.h"

#define CHUNK 65536 /* bytes in a read: what a pipe holds */
#define WAIT_FOR 4  /* the three streams and the end */

static const char PROCESS[] = "wampy.process", WAIT[] = "wampy.process.wait";
static const char *const sources[] = { "stdin", "stdout", "stderr", "exit", NULL };

struct process {
    struct child child;
    bool at_end[CHILD_STREAMS]; /* of its output: reading gave the end */
    struct list waits;          /* struct wait: who is in `poll` */
};

/* One `poll`. A userdata on the stack of who waits. */
struct wait {
    struct list node;
    struct task *t; /* borrowed */
    struct slot {
        struct wait *wait;
        struct watch *w; /* NULL: not watched, or it has fired */
    } slots[WAIT_FOR];
};

static struct process *check_process(lua_State *L)
{
    return luaL_checkudata(L, 1, PROCESS);
}

/* ---- starting ---------------------------------------------------------------------- */

/* Pushes a NULL-terminated array of the strings in the list at idx, which keeps them. */
static char **push_strings(lua_State *L, int idx)
{
    size_t n = (size_t)lua_rawlen(L, idx);
    char **array = lua_newuserdatauv(L, (n + 1) * sizeof *array, 0);

    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, idx, (lua_Integer)i + 1);
        luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, idx, "expected strings");
        array[i] = (char *)lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    array[n] = NULL;
    return array;
}

/* core.process(argv, { env, cwd, stdin, stdout, stderr }) -> process; env is a list of
 * "NAME=value"; a stream is "pipe", "null", "inherit" or, for stderr, "stdout"; raises
 * WampyError when the command cannot be run */
static int l_process(lua_State *L)
{
    static const char *const ends[] = { "pipe", "null", "inherit", "stdout", NULL };
    struct child_options o = { 0 };
    struct process *p;
    char error[400];

    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    o.argv = push_strings(L, 1);
    luaL_argcheck(L, o.argv[0], 1, "expected a command");
    lua_getfield(L, 2, "cwd"); /* argv opts array cwd */
    o.cwd = luaL_optstring(L, -1, NULL);
    lua_getfield(L, 2, "env"); /* argv opts array cwd env */
    if (!lua_isnil(L, -1))
        o.env = push_strings(L, 5);
    for (int i = 0; i < CHILD_STREAMS; i++) {
        lua_getfield(L, 2, sources[i]);
        o.streams[i] = (enum child_end)luaL_checkoption(L, -1, NULL, ends);
    }
    p = lua_newuserdatauv(L, sizeof *p, 0);
    *p = (struct process){ .child = { .pidfd = -1, .fd = { -1, -1, -1 } } };
    list_init(&p->waits);
    luaL_setmetatable(L, PROCESS);
    if (!child_spawn(&p->child, &o, error, sizeof error))
        return raise_error(L, "WampyError", "%s", error);
    return 1;
}

/* process:pid() -> number, also of its group | 0 once its end has been taken */
static int l_pid(lua_State *L)
{
    lua_pushinteger(L, check_process(L)->child.pid);
    return 1;
}

/* ---- streams ----------------------------------------------------------------------- */

/* process:read(stream) -> text | nil: nothing now | false: the end */
static int l_read(lua_State *L)
{
    struct process *p = check_process(L);
    enum child_stream which = (enum child_stream)luaL_checkoption(L, 2, NULL, sources);
    luaL_Buffer b;
    ssize_t n;

    luaL_argcheck(L, which == CHILD_STDOUT || which == CHILD_STDERR, 2,
                  "expected stdout or stderr");
    n = child_read(&p->child, which, luaL_buffinitsize(L, &b, CHUNK), CHUNK);
    if (n > 0) {
        luaL_pushresultsize(&b, (size_t)n);
        return 1;
    }
    p->at_end[which] = n == 0;
    if (n == 0)
        lua_pushboolean(L, false);
    else
        lua_pushnil(L);
    return 1;
}

/* process:write(text [, from]) -> bytes taken, counted from byte `from` on | false when
 * it reads no more */
static int l_write(lua_State *L)
{
    struct process *p = check_process(L);
    size_t n;
    const char *text = luaL_checklstring(L, 2, &n);
    lua_Integer from = luaL_optinteger(L, 3, 1);
    ssize_t taken;

    luaL_argcheck(L, from >= 1 && (size_t)from <= n + 1, 3, "outside of the text");
    taken = child_write(&p->child, text + from - 1, n - (size_t)from + 1);
    if (taken < 0)
        lua_pushboolean(L, false);
    else
        lua_pushinteger(L, taken);
    return 1;
}

/* ---- waiting ----------------------------------------------------------------------- */

static void wait_end(struct wait *w)
{
    for (int i = 0; i < WAIT_FOR; i++) {
        if (w->slots[i].w)
            loop_unwatch(w->slots[i].w);
        w->slots[i].w = NULL;
    }
    list_remove(&w->node);
}

static void wake_waits(struct process *p)
{
    struct list *node;

    while ((node = list_pop(&p->waits))) {
        struct wait *w = list_entry(node, struct wait, node);

        wait_end(w);
        task_wake(w->t);
    }
}

static void fired(void *user)
{
    struct slot *slot = user;

    slot->w = NULL;
    task_wake(slot->wait->t);
}

/* Watches one source; false when there is nothing to wait for any more. */
static bool wait_for(struct wait *w, struct process *p, struct loop *l, int source)
{
    struct child *c = &p->child;
    int fd = source == CHILD_STREAMS ? c->pidfd : c->fd[source];
    struct slot *slot = &w->slots[source];

    if (fd < 0 || (source < CHILD_STREAMS && p->at_end[source]))
        return false;
    if (!slot->w)
        slot->w = loop_watch(l, fd, source == CHILD_STDIN, fired, slot);
    return true;
}

static int poll_k(lua_State *L, int status, lua_KContext ctx)
{
    struct state *S = state_of(L);

    (void)status;
    wait_end((struct wait *)ctx);
    task_check(L, S);
    lua_pushboolean(L, !task_self(S)->timed_out);
    return 1;
}

static int wait_gc(lua_State *L)
{
    wait_end(luaL_checkudata(L, 1, WAIT));
    return 0;
}

static struct wait *push_wait(lua_State *L, struct state *S)
{
    struct wait *w = lua_newuserdatauv(L, sizeof *w, 0);

    *w = (struct wait){ .t = task_self(S) };
    list_init(&w->node);
    for (int i = 0; i < WAIT_FOR; i++)
        w->slots[i].wait = w;
    luaL_setmetatable(L, WAIT);
    return w;
}

/* process:poll(seconds | nil, source...) -> true: one of the sources ("stdout", "exit"
 * ...) has something to do, or none ever will | false: the time ran out */
static int l_poll(lua_State *L)
{
    struct state *S = state_of(L);
    struct process *p = check_process(L);
    int top = lua_gettop(L);
    struct wait *w = push_wait(L, S);
    bool waits = false;

    if (wait_mode(S, L) == WAIT_NEVER)
        return task_wait(L, S, 0, (lua_KContext)w, poll_k);
    list_push(&p->waits, &w->node);
    for (int i = 3; i <= top && p->child.pid; i++)
        if (wait_for(w, p, host_loop(S->host), luaL_checkoption(L, i, NULL, sources)))
            waits = true;
    if (waits)
        return task_wait(L, S, check_limit(L, 2), (lua_KContext)w, poll_k);
    wait_end(w);
    lua_pushboolean(L, true);
    return 1;
}

/* process:shut(): its stdin ends */
static int l_shut(lua_State *L)
{
    struct process *p = check_process(L);

    child_shut(&p->child, CHILD_STDIN);
    wake_waits(p);
    return 0;
}

/* ---- ending ------------------------------------------------------------------------ */

static int check_signal(lua_State *L, int idx)
{
    static const char *const names[] = { "HUP",  "INT",  "QUIT", "KILL", "USR1",
                                         "USR2", "TERM", "CONT", "STOP", NULL };
    static const int numbers[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGKILL, SIGUSR1,
                                   SIGUSR2, SIGTERM, SIGCONT, SIGSTOP };
    lua_Integer n;

    if (lua_type(L, idx) == LUA_TSTRING)
        return numbers[luaL_checkoption(L, idx, NULL, names)];
    n = luaL_optinteger(L, idx, SIGTERM);
    luaL_argcheck(L, n > 0 && n < NSIG, idx, "no such signal");
    return (int)n;
}

/* process:kill([signal [, group]]): a name ("TERM", the default) or number; to itself or
 * to its whole group; nothing once its end has been taken */
static int l_kill(lua_State *L)
{
    struct process *p = check_process(L);

    child_signal(&p->child, check_signal(L, 2), lua_toboolean(L, 3));
    return 0;
}

/* process:reap([group]) -> exit code (128 + signal; -1 when somebody else took it) |
 * nil while it runs; with `group`, what is left of its group is killed */
static int l_reap(lua_State *L)
{
    struct process *p = check_process(L);

    if (!child_reap(&p->child, lua_toboolean(L, 2)))
        return 0;
    lua_pushinteger(L, p->child.code);
    return 1;
}

/* process:close(): kills it and its group if it still runs; safe twice */
static int l_close(lua_State *L)
{
    struct process *p = check_process(L);

    wake_waits(p);
    child_end(&p->child);
    return 0;
}

/* ---- surroundings ------------------------------------------------------------------ */

/* core.environ() -> list of "NAME=value" */
static int l_environ(lua_State *L)
{
    lua_newtable(L);
    for (int i = 0; environ && environ[i]; i++) {
        lua_pushstring(L, environ[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* core.real_path(path) -> the same file from the root | nil when there is none */
static int l_real_path(lua_State *L)
{
    char *path = realpath(luaL_checkstring(L, 1), NULL);

    lua_pushstring(L, path);
    free(path);
    return 1;
}

static const luaL_Reg methods[] = { { "pid", l_pid },     { "read", l_read },
                                    { "write", l_write }, { "poll", l_poll },
                                    { "shut", l_shut },   { "kill", l_kill },
                                    { "reap", l_reap },   { "close", l_close },
                                    { NULL, NULL } };
static const luaL_Reg events[] = { { "__gc", l_close }, { NULL, NULL } };
static const luaL_Reg functions[] = { { "process", l_process },
                                      { "environ", l_environ },
                                      { "real_path", l_real_path },
                                      { NULL, NULL } };

void open_process(lua_State *L, struct state *S)
{
    luaL_newmetatable(L, WAIT);
    lua_pushcfunction(L, wait_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    state_class(L, S, PROCESS, events, methods);
    state_register(L, S, functions);
}
