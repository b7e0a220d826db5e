/* serve_private.h - what the files of the verb `router` know of each other: serve.c has
 * the loop and the signals, serve_places.c where it listens, serve_access.c writes who
 * comes and goes. */
#ifndef SERVE_PRIVATE_H
#define SERVE_PRIVATE_H

#include "host.h"
#include "serve.h"

/* ---- serve_places.c ---------------------------------------------------------------- */

struct serve_listener {
    struct url url;            /* with the port that it has */
    char *listen;              /* owned; as it was asked for */
    struct listener *listener; /* the server's */
};

struct serve_places {          /* zero-initialised = none */
    struct serve_listener *at; /* owned */
    size_t count;
};

/* Listens where the job says, and nowhere else: what is there already is kept, with new
 * options. False puts why into `error`, with its code, and leaves all as it was. */
bool places_take(struct serve_places *p, struct server *server,
                 const struct serve_job *job, char *error, size_t size);
void places_fini(struct serve_places *p); /* the listeners are the server's */

/* ---- serve_access.c ---------------------------------------------------------------- */

struct access_log; /* lines about whoever comes and goes */

/* NULL with errno set when the file cannot be written. */
struct access_log *access_log_open(const char *path, bool json);
void access_log_reopen(struct access_log *log); /* somebody may have moved the file */
void access_log_close(struct access_log *log);  /* NULL is ignored */
void access_log_tell(const struct access *a, void *log);

#endif
