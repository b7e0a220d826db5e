/* talk.h - conversations as text: what a driver must do to be spoken to by a .talk
 * file.
 *
 * A .talk file (see README.md here) is lines like
 *     alice > [1,"realm1",{"roles":{"caller":{}}}]  router: alice sends; session: we do
 *     alice < [2,*,{...}]                           what must come out, in this order
 *     tick 5000                                     the clock moves
 *     alice !closed                                 the transport goes
 * `*` matches any value, `$name` binds the first time and compares afterwards, `...`
 * as last element of a list or dict matches the rest. The runner is one; the two
 * machines, session and router, are drivers. */
#ifndef TALK_H
#define TALK_H

#include <stdbool.h>

#include "base/buf.h"

struct talk_driver {
    const char *name; /* first line of the file: "machine session" or "machine router" */

    /* `options` are the words behind the machine's name; NULL when they are bad. */
    void *(*start)(const char *options);
    void (*stop)(void *d);

    /* `who` does `what`: "open" (implied by its first line), "send" (arg: JSON
     * message), "closed", or a driver's own verb (session: call, publish, register ...
     * with the rest of the line). False: verb unknown or refused, with `error` filled. */
    bool (*act)(void *d, const char *who, const char *what, const char *arg, char *error,
                unsigned long size);
    void (*tick)(void *d, unsigned long ms);

    /* The next thing that came out at `who`, as text: a JSON message, or "!closed
     * CODE", or a driver's own (session: "event result 1 [..]" ...). NULL when there
     * is none. The caller frees it. */
    char *(*next)(void *d, const char *who);
};

extern const struct talk_driver talk_session, talk_router;

#endif
