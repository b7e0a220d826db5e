/* serve.h - `wampy-lua router`: a router and nothing else, without Lua. */
#ifndef SERVE_H
#define SERVE_H

#include "net/tls.h"
#include "router/router.h"

/* Serves until INT or TERM, then says GOODBYE to everybody. `listen` are LISTEN
 * arguments, `tls` is for those that are wss. Returns the exit code: 0 after a clean end,
 * 4 when it cannot listen. */
int serve(const struct router_config *config, char *const *listen, size_t count,
          const struct tls_options *tls);

#endif
