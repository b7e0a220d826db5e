/* serve.h - `wampy-lua router`: a router and nothing else, without Lua. */
#ifndef SERVE_H
#define SERVE_H

#include "host.h"

/* What it is to do; borrowed, until serve returns or has taken another one. */
struct serve_job {
    const struct router_config *config;
    const struct place_list *places; /* where it listens */
    uint64_t grace;         /* ms at the end for peers to take what is left for them */
    const char *access_log; /* a file; "-": stdout; NULL: none */
    bool json;              /* of the access log: not text */

    void (*listening)(const char *url, void *user); /* or NULL; told the first URL */

    /* Reads the configuration again, and gives it to `take`, once, unless it is wrong,
     * which it says in the log. May be NULL: HUP is then not for us. */
    void (*reload)(void (*take)(const struct serve_job *job, void *to), void *to,
                   void *user);
    void *user;
};

/* Serves until INT or TERM, then says GOODBYE to everybody. HUP reads the configuration
 * again, USR1 writes the sessions into the log. Returns the exit code: 0 after a clean
 * end, 4 when it cannot listen, 3 when the access log cannot be written. */
int serve(const struct serve_job *job);

#endif
