/* require.h - what a fuzz target demands of a machine's output, and what several of them
 * want to know of a message in it.
 *
 * Whatever is not so ends the run, which is how a fuzzer learns of it. */
#ifndef FUZZ_REQUIRE_H
#define FUZZ_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

#include "wamp/opts.h"

#define REQUIRE(cond) ((cond) ? (void)0 : failed(__FILE__, __LINE__, #cond))

static inline void failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    abort();
}

/* Whether more will follow the message: a part of a call, of its result or arguments. */
static inline bool says_progress(const struct msg *m)
{
    struct opts o;
    struct fault f;
    bool progress;

    REQUIRE(opts_decode(&o, m, &f));
    progress = opt_is(&o, OPT_PROGRESS, false);
    opts_fini(&o);
    return progress;
}

#endif
