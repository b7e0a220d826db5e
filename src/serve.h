/* serve.h - `wampy-lua router`: a router and nothing else, without Lua. */
#ifndef SERVE_H
#define SERVE_H

#include "net/options.h"
#include "router/router.h"

struct serve_place {
    char *listen; /* a LISTEN argument */
    struct net_options options;
};

struct serve_job {
    const struct router_config *config;
    const struct serve_place *places; /* where it listens */
    size_t count;
    void (*listening)(const char *url, void *user); /* or NULL; told the first URL */
    void *user;
};

/* Serves until INT or TERM, then says GOODBYE to everybody. Returns the exit code: 0
 * after a clean end, 4 when it cannot listen. */
int serve(const struct serve_job *job);

#endif
