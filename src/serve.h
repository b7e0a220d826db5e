/* serve.h - `wampy-lua router`: a router and nothing else, without Lua. */
#ifndef SERVE_H
#define SERVE_H

#include "net/tls.h"
#include "router/router.h"

struct serve_job {
    const struct router_config *config;
    char *const *listen; /* LISTEN arguments */
    size_t count;
    const struct tls_options *tls;                  /* for those that are wss:// */
    void (*listening)(const char *url, void *user); /* or NULL; told the first URL */
    void *user;
};

/* Serves until INT or TERM, then says GOODBYE to everybody. Returns the exit code: 0
 * after a clean end, 4 when it cannot listen. */
int serve(const struct serve_job *job);

#endif
