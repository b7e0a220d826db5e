/* main_router.c - the verb `router`: the parsed command line becomes a plan, which
 * serve.c carries out without Lua. HUP makes a Lua state again, for as long as it takes
 * to read everything anew. */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "lua/l_router.h"
#include "lua/listen_options.h"
#include "main_private.h"

/* ---- plans ------------------------------------------------------------------------- */

void router_plan_init(struct router_plan *plan, lua_State *L)
{
    const char *path;

    lua_getfield(L, -1, "settings");
    check_router_config(L, lua_gettop(L), &plan->config);
    lua_getfield(L, -2, "listen");
    place_list_read(L, -1, &plan->places);
    lua_pop(L, 2);
    lua_getfield(L, -1, "grace");
    plan->grace = (uint64_t)(lua_tonumber(L, -1) * 1000);
    lua_getfield(L, -2, "access_log");
    path = lua_tostring(L, -1);
    plan->access_log = path ? xstrdup(path) : NULL;
    lua_getfield(L, -3, "json");
    plan->json = lua_toboolean(L, -1);
    lua_pop(L, 3);
}

void router_plan_fini(struct router_plan *plan)
{
    router_config_fini(&plan->config);
    place_list_fini(&plan->places);
    free(plan->access_log);
}

struct serve_job router_job(const struct router_plan *plan)
{
    return (struct serve_job){ .config = &plan->config,
                               .places = &plan->places,
                               .grace = plan->grace,
                               .access_log = plan->access_log,
                               .json = plan->json };
}

/* ---- again ------------------------------------------------------------------------- */

struct arguments {
    int argc;
    char **argv;
};

/* The line that the command would have ended with is in the table at the top. */
static void complain(lua_State *L)
{
    const char *text;

    lua_getfield(L, -1, "stderr");
    text = lua_tostring(L, -1);
    if (!text)
        text = "a router without Lua cannot become another thing";
    else if (!strncmp(text, "error: ", 7))
        text += 7;
    log_error("%.*s", (int)strcspn(text, "\n"), text);
}

static bool is_router(lua_State *L)
{
    bool yes;

    lua_getfield(L, -1, "verb");
    yes = lua_isstring(L, -1) && !strcmp(lua_tostring(L, -1), "router");
    lua_pop(L, 1);
    return yes;
}

static void reload(void (*take)(const struct serve_job *job, void *to), void *to,
                   void *user)
{
    const struct arguments *a = user;
    struct router_plan plan;
    struct serve_job job;
    lua_State *L = open_lua();
    bool ok = parse_arguments(L, a->argc, a->argv, NULL);

    if (ok && !is_router(L)) {
        complain(L);
        ok = false;
    }
    if (ok)
        router_plan_init(&plan, L);
    lua_close(L);
    if (!ok)
        return;
    job = router_job(&plan);
    take(&job, to);
    router_plan_fini(&plan);
}

int router_main(lua_State *L, int argc, char **argv)
{
    struct arguments again = { argc, argv };
    struct router_plan plan;
    struct serve_job job;
    int code;

    router_plan_init(&plan, L);
    lua_close(L);
    job = router_job(&plan);
    job.reload = reload;
    job.user = &again;
    code = serve(&job);
    router_plan_fini(&plan);
    return code;
}
