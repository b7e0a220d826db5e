/* main_private.h - what the files of the executable know of each other: main.c decides
 * which of its lives a process leads, main_router.c is the verb `router`. */
#ifndef MAIN_PRIVATE_H
#define MAIN_PRIVATE_H

#include <lua.h>

#include "serve.h"
#include "supervise.h"

/* ---- main.c ------------------------------------------------------------------------ */

lua_State *open_lua(void); /* with the libraries and the prelude; ends by lua_close */

/* Pushes the parsed command line; with a worker, as it is for that. False after printing
 * why not. */
bool parse_arguments(lua_State *L, int argc, char **argv, const struct worker *w);

/* ---- main_router.c ----------------------------------------------------------------- */

/* What a router needs to know of the command line, without the Lua that read it. */
struct router_plan {
    struct router_config config;
    struct place_list places; /* owned */
    uint64_t grace;           /* ms */
    char *access_log;         /* owned; NULL: none */
    bool json;
};

/* From the table at the top. */
void router_plan_init(struct router_plan *plan, lua_State *L);
void router_plan_fini(struct router_plan *plan);

/* What it comes to; borrowed from the plan. */
struct serve_job router_job(const struct router_plan *plan);

/* Serves: the parsed command line is at the top. Closes L before. */
int router_main(lua_State *L, int argc, char **argv);

#endif
