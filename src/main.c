/* main.c - the executable: which of its lives this process leads, and the exit code.
 *
 * `wampy-lua FILE [ARGS]`, -e, -l, -i and - are lua(1) with the wampy module inside;
 * `run` is the prelude's runner; `router` reads its settings with Lua, closes Lua, and
 * serves, unless functions of its configuration decide (`serve`).
 */
#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <lualib.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "lua/state.h"
#include "main_private.h"

/* A private tree (luarocks make --tree) is found by where the program stands in it. */
static const char setup[] =
    "local exe = ...\n"
    "local dir = exe and exe:match('^(.*)/[^/]*$')\n"
    "if dir then\n"
    "  package.path = package.path .. ';' .. dir .. '/../share/lua/5.4/?.lua;' .. dir "
    "..\n"
    "    '/../share/lua/5.4/?/init.lua'\n"
    "  package.cpath = package.cpath .. ';' .. dir .. '/../lib/lua/5.4/?.so'\n"
    "end\n"
    "local exit = os.exit\n"
    "os.exit = function(code)\n" /* clients leave with GOODBYE first */
    "  local tasks = package.loaded['wampy.tasks']\n"
    "  if tasks then pcall(tasks.leave) end\n"
    "  exit(code, true)\n"
    "end\n";

static const char *executable(char *out)
{
    ssize_t n = readlink("/proc/self/exe", out, PATH_MAX);

    if (n <= 0)
        return NULL;
    out[n] = '\0';
    return out;
}

lua_State *open_lua(void)
{
    lua_State *L = luaL_newstate();
    char path[PATH_MAX + 1];

    if (!L)
        abort();
    luaL_openlibs(L);
    prelude_open(L);
    if (luaL_loadbufferx(L, setup, sizeof setup - 1, "=setup", "t") != LUA_OK)
        abort();
    lua_pushstring(L, executable(path));
    lua_call(L, 1, 0);
    return L;
}

/* ---- lua(1) ------------------------------------------------------------------------ */

static int message_handler(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (lua_getfield(L, -1, "wampy.errors") == LUA_TTABLE) {
        lua_getfield(L, -1, "uncaught");
        lua_pushvalue(L, 1);
        if (lua_pcall(L, 1, 1, 0) == LUA_OK)
            return 1;
    }
    luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
    return 1;
}

/* Calls the function below its `n` arguments; false after printing what it raised. */
static bool call(lua_State *L, int n, int results)
{
    int base = lua_gettop(L) - n;
    int status;

    lua_pushcfunction(L, message_handler);
    lua_insert(L, base);
    status = lua_pcall(L, n, results, base);
    lua_remove(L, base);
    if (status == LUA_OK)
        return true;
    fprintf(stderr, "wampy-lua: %s\n", luaL_tolstring(L, -1, NULL));
    lua_pop(L, 2);
    return false;
}

static bool loaded(lua_State *L, int status)
{
    if (status == LUA_OK)
        return true;
    fprintf(stderr, "wampy-lua: %s\n", lua_tostring(L, -1));
    lua_pop(L, 1);
    return false;
}

static bool require_module(lua_State *L, const char *name)
{
    lua_getglobal(L, "require");
    lua_pushstring(L, name);
    if (!call(L, 1, 1))
        return false;
    lua_setglobal(L, name);
    return true;
}

static void set_arg(lua_State *L, int argc, char **argv, int script)
{
    lua_createtable(L, argc, script + 1);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i - script);
    }
    lua_setglobal(L, "arg");
}

static bool run_script(lua_State *L, int argc, char **argv, int script)
{
    const char *name = strcmp(argv[script], "-") ? argv[script] : NULL;

    if (!loaded(L, luaL_loadfile(L, name)))
        return false;
    luaL_checkstack(L, argc, "too many arguments");
    for (int i = script + 1; i < argc; i++)
        lua_pushstring(L, argv[i]);
    return call(L, argc - script - 1, 0);
}

static bool is_prompt_flag(const char *word)
{
    return !strcmp(word, "-i");
}

/* The flags of lua(1) that stand before a script; the index behind them, or -1 after
 * an error. */
static int run_flags(lua_State *L, int argc, char **argv)
{
    int i = 1;

    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        char flag = argv[i][1];
        const char *value;

        if (is_prompt_flag(argv[i]))
            continue;
        value = argv[i][2] ? argv[i] + 2 : argv[++i];
        if (!value) {
            fprintf(stderr, "error: -%c needs an argument [W204]\n", flag);
            return -1;
        }
        if (flag == 'l' ? !require_module(L, value)
                        : !(loaded(L, luaL_loadbufferx(L, value, strlen(value),
                                                       "=(command line)", "t")) &&
                            call(L, 0, 0)))
            return -1;
    }
    return i;
}

/* Pushes require(module)[name]; false after printing why not. */
static bool push_function(lua_State *L, const char *module, const char *name)
{
    lua_getglobal(L, "require");
    lua_pushstring(L, module);
    if (!call(L, 1, 1))
        return false;
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
    return true;
}

/* The prompt of -i; the exit code. */
static int prompt(lua_State *L)
{
    if (!push_function(L, "wampy.cli_repl", "console") || !call(L, 0, 1))
        return 1;
    return (int)lua_tointeger(L, -1);
}

static int script_main(int argc, char **argv)
{
    lua_State *L = open_lua();
    int script = 1, code;
    bool interactive = false, ok;

    while (script < argc && argv[script][0] == '-' && argv[script][1]) {
        bool i = is_prompt_flag(argv[script]);

        interactive = interactive || i;
        script += i || argv[script][2] ? 1 : 2;
    }
    set_arg(L, argc, argv, script < argc ? script : 0);
    script = run_flags(L, argc, argv);
    ok = script >= 0 && (script >= argc || run_script(L, argc, argv, script));
    code = ok && interactive ? prompt(L) : !ok;
    lua_close(L); /* clients that are still started leave with GOODBYE */
    return code;
}

/* ---- verbs ------------------------------------------------------------------------- */

static void print_field(lua_State *L, const char *name, FILE *to)
{
    if (lua_getfield(L, -1, name) == LUA_TSTRING)
        fputs(lua_tostring(L, -1), to);
    lua_pop(L, 1);
}

/* worker.ready(): it has started what it is to run */
static int l_ready(lua_State *L)
{
    supervise_ready(lua_touserdata(L, lua_upvalueindex(1)), NULL);
    return 0;
}

/* worker.replace(): it, and the others, are to be replaced by new ones */
static int l_replace(lua_State *L)
{
    supervise_replace(lua_touserdata(L, lua_upvalueindex(1)));
    return 0;
}

/* Pushes what a worker is told: { number, lives, control, url, and the functions ready,
 * replace }. */
static void push_worker(lua_State *L, const struct worker *w)
{
    lua_createtable(L, 0, 6);
    lua_pushinteger(L, w->number);
    lua_setfield(L, -2, "number");
    lua_pushinteger(L, w->lives);
    lua_setfield(L, -2, "lives");
    lua_pushinteger(L, w->control);
    lua_setfield(L, -2, "control");
    lua_pushstring(L, w->router);
    lua_setfield(L, -2, "url");
    lua_pushlightuserdata(L, (void *)w);
    lua_pushcclosure(L, l_ready, 1);
    lua_setfield(L, -2, "ready");
    lua_pushlightuserdata(L, (void *)w);
    lua_pushcclosure(L, l_replace, 1);
    lua_setfield(L, -2, "replace");
}

#define AGAIN "WAMPY_STARTED_AGAIN" /* from a process to the one it becomes */

/* plan.start_again(): the process runs its command line anew; raises when it cannot */
static int l_start_again(lua_State *L)
{
    setenv(AGAIN, "1", 1);
    execv("/proc/self/exe", lua_touserdata(L, lua_upvalueindex(1)));
    return luaL_error(L, "cannot start again: %s", strerror(errno));
}

/* The plan of a verb is at the top; the module that it names does it. */
static int run_plan(lua_State *L, char **argv)
{
    int code = 3;

    lua_pushlightuserdata(L, argv);
    lua_pushcclosure(L, l_start_again, 1);
    lua_setfield(L, -2, "start_again");
    lua_pushboolean(L, getenv(AGAIN) != NULL);
    lua_setfield(L, -2, "again");
    unsetenv(AGAIN);
    lua_getfield(L, -1, "module");
    if (push_function(L, lua_tostring(L, -1), "run")) {
        lua_pushvalue(L, -3);
        if (call(L, 1, 1))
            code = (int)lua_tointeger(L, -1);
    }
    lua_close(L);
    return code;
}

bool parse_arguments(lua_State *L, int argc, char **argv, const struct worker *w)
{
    if (!push_function(L, "wampy.cli", "parse"))
        return false;
    lua_createtable(L, argc, 0);
    for (int i = 1; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i);
    }
    if (w)
        push_worker(L, w);
    return call(L, w ? 2 : 1, 1);
}

/* ---- run --workers ----------------------------------------------------------------- */

struct crew_plan {
    int argc;
    char **argv;
    struct router_plan router; /* if there is to be one */
};

static void listening(const char *url, void *user)
{
    supervise_ready(user, url);
}

/* A router that is started again listens first where the first one did, for that is where
 * the workers look for it. */
static int crew_router(const struct crew_plan *plan, const struct worker *w)
{
    struct place *first = &plan->router.places.at[0];
    bool universal = !strncmp(first->listen, "universal+", 10);
    char again[1500];
    struct serve_job job = router_job(&plan->router);

    job.listening = listening;
    job.user = (void *)w;
    if (w->router) {
        snprintf(again, sizeof again, "%s%s", universal ? "universal+" : "", w->router);
        free(first->listen);
        first->listen = xstrdup(again);
    }
    return serve(&job);
}

static int crew_work(const struct worker *w, void *user)
{
    const struct crew_plan *plan = user;
    lua_State *L;

    if (!w->number)
        return crew_router(plan, w);
    L = open_lua();
    return parse_arguments(L, plan->argc, plan->argv, w) ? run_plan(L, plan->argv) : 1;
}

/* The parsed command line is at the top; closes L before it forks. */
static int crew_main(lua_State *L, int argc, char **argv)
{
    struct crew_plan plan = { .argc = argc, .argv = argv };
    struct crew crew = { .work = crew_work, .user = &plan };
    int code;

    lua_getfield(L, -1, "workers");
    crew.workers = (int)lua_tointeger(L, -1);
    lua_getfield(L, -2, "grace");
    crew.grace = (uint64_t)(lua_tonumber(L, -1) * 1000);
    lua_pop(L, 2);
    crew.router = lua_getfield(L, -1, "listen") == LUA_TTABLE;
    lua_pop(L, 1);
    if (crew.router)
        router_plan_init(&plan.router, L);
    lua_close(L);
    code = supervise(&crew);
    if (crew.router)
        router_plan_fini(&plan.router);
    return code;
}

/* ---- which of them ----------------------------------------------------------------- */

/* Whether stderr is the stream that the service manager says it has given us. */
static bool is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, node;
    struct stat st;

    return stream && sscanf(stream, "%llu:%llu", &device, &node) == 2 &&
           fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == node;
}

/* Nothing but a terminal gets escapes, unless --color wants them. */
static void style_log(void)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

    if (is_journal())
        log_set_style(LOG_JOURNAL);
    else if (isatty(STDERR_FILENO) && !(no_color && *no_color) && term &&
             strcmp(term, "dumb") != 0)
        log_set_style(LOG_COLOR);
}

/* The exit code of a verb that is done: 1 when its output has not got out. */
static int said(int code)
{
    bool out = fflush(stdout) == 0;

    if (code || (out && !ferror(stdout)))
        return code;
    if (out || errno != EPIPE)
        fprintf(stderr, "error: stdout: %s [W213]\n",
                out ? "not all could be written" : strerror(errno));
    return 1;
}

static int verb_main(int argc, char **argv)
{
    lua_State *L = open_lua();
    const char *verb;
    int code;

    style_log();
    if (!parse_arguments(L, argc, argv, NULL))
        return 1;
    lua_getfield(L, -1, "verb");
    verb = lua_tostring(L, -1);
    lua_pop(L, 1);
    if (verb && !strcmp(verb, "router"))
        return router_main(L, argc, argv);
    if (verb && !strcmp(verb, "crew"))
        return crew_main(L, argc, argv);
    if (verb)
        return strcmp(verb, "run") ? said(run_plan(L, argv)) : run_plan(L, argv);
    print_field(L, "stdout", stdout);
    print_field(L, "stderr", stderr);
    lua_getfield(L, -1, "exit");
    code = (int)lua_tointeger(L, -1);
    lua_close(L);
    return said(code);
}

static bool is_verb(const char *word)
{
    static const char *const verbs[] = {
        "run",    "router", "call",       "publish", "pub",  "subscribe", "sub",   "reg",
        "ls",     "check",  "register",   "repl",    "test", "new",       "bench", "ping",
        "doctor", "keygen", "completion", "passwd",  "help", "version",   NULL,
    };

    for (int i = 0; verbs[i]; i++)
        if (!strcmp(word, verbs[i]))
            return true;
    return false;
}

/* Whether this is lua(1): a script, or one of its flags. A word that is neither a verb
 * nor a file is left to the verbs, which know what was meant. */
static bool is_script(int argc, char **argv)
{
    if (argc < 2)
        return false;
    if (argv[1][0] == '-')
        return !argv[1][1] || argv[1][1] == 'e' || argv[1][1] == 'l' ||
               is_prompt_flag(argv[1]);
    return !is_verb(argv[1]) && (access(argv[1], F_OK) == 0 || strchr(argv[1], '/') ||
                                 strstr(argv[1], ".lua"));
}

/* A message of a MiB or more has its own pages, which go back to the system with it: a
 * peer's large messages must not stay with us as a hole in the heap. */
static void return_memory(void)
{
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
    mallopt(M_TRIM_THRESHOLD, 4 * 1024 * 1024);
#endif
}

int main(int argc, char **argv)
{
    return_memory();
    if (argc == 2 && !strcmp(argv[1], "--version")) {
        puts("wampy-lua " WAMPY_VERSION " (" LUA_VERSION ")");
        return 0;
    }
    return is_script(argc, argv) ? script_main(argc, argv) : verb_main(argc, argv);
}
