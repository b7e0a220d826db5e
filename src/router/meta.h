/* meta.h - what the files of the meta API know of each other (WAMP: meta APIs).
 *
 * meta.c has the table of procedures and takes their arguments; meta_session.c and
 * meta_held.c answer; meta_events.c publishes. */
#ifndef ROUTER_META_H
#define ROUTER_META_H

#include "router/private.h"

/* The arguments of a procedure. */
enum takes {
    TAKES_NOTHING,
    TAKES_ID,
    TAKES_URI,
    TAKES_URI_AND_MATCH, /* a URI, and a dict with "match" that may be absent */
    TAKES_ROLES,         /* a list of authroles that may be absent */
    TAKES_NAME           /* an authid or authrole */
};

enum {
    KILLS = 1, /* ends sessions: needs a rule for it, and takes keyword arguments */
    MUTE = 2   /* its result has no argument */
};

struct query;

struct procedure {
    const char *name;
    enum takes takes;
    unsigned traits; /* KILLS, MUTE */
    /* Writes the one argument of the result; false fills the fault. */
    bool (*answer)(struct query *q);
};

/* One call of a meta procedure. */
struct query {
    struct member *caller;
    const struct procedure *procedure;
    struct catalog *catalog; /* that it is about; NULL: about sessions */
    struct writer w;         /* its result */
    struct fault fault;      /* or why there is none */

    /* arguments */
    uint64_t id;
    struct slice text; /* a URI or a name */
    enum uri_match match;
    bool filtered; /* `authroles` is there */
    struct map authroles;
    struct slice reason, farewell; /* of kills; absent unless given */
    struct buf *scratch[3];        /* owned; of text, reason, farewell */
};

/* ---- meta.c ------------------------------------------------------------------------ */

/* Ids on their way into an answer: zero-initialised = none. */
struct ids {
    uint64_t *at; /* owned */
    size_t count, cap;
};

void ids_add(struct ids *ids, uint64_t id);
void ids_sort(struct ids *ids);
void ids_write(struct ids *ids, struct writer *w); /* sorted, as a list */
void ids_fini(struct ids *ids);

/* Whether a result may have so many ids. False fills the fault. */
bool query_fits(struct query *q, size_t ids);

/* The error for an id that is none of what the query is about. Always false. */
bool query_unknown(struct query *q);

/* ---- meta_session.c ---------------------------------------------------------------- */

bool session_count(struct query *q);
bool session_list(struct query *q);
bool session_get(struct query *q);
bool session_kill(struct query *q);
bool session_kill_by_authid(struct query *q);
bool session_kill_by_authrole(struct query *q);
bool session_kill_all(struct query *q);

/* The details of a session, as wamp.session.get and on_join have them. */
void session_write(const struct member *m, struct writer *w);

/* ---- meta_held.c ------------------------------------------------------------------- */

bool held_list(struct query *q);
bool held_lookup(struct query *q);
bool held_match(struct query *q);
bool held_get(struct query *q);
bool held_holders(struct query *q);
bool held_count(struct query *q);

/* Whether it is one of the router's own names, which the meta API does not tell of. */
bool held_hidden(const struct held *h);

bool held_is_registration(const struct held *h);

/* The details of a subscription or registration, as get and on_create have them. */
void held_write(const struct held *h, struct writer *w);

#endif
