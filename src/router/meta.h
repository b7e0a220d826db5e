/* meta.h - what the files of the meta API know of each other (WAMP: meta APIs).
 *
 * meta.c has the table of procedures, meta_take.c takes their arguments; meta_session.c,
 * meta_held.c, meta_history.c and meta_testament.c answer; meta_events.c publishes. */
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
    TAKES_NAME,          /* an authid or authrole */
    TAKES_TWO_IDS,
    TAKES_ID_AND_LIMIT, /* an id, and an integer from 1 that may be absent */
    TAKES_PAYLOAD       /* a topic; args and kwargs of its event, that may be absent */
};

/* Keyword arguments. */
enum keyword {
    KW_REASON,
    KW_MESSAGE,
    KW_SCOPE,
    KW_PUBLISH_OPTIONS,
    KW_REVERSE, /* from here to the end: of get_events */
    KW_LIMIT,
    KW_FROM_TIME,
    KW_AFTER_TIME,
    KW_BEFORE_TIME,
    KW_UNTIL_TIME,
    KW_TOPIC,
    KW_FROM_PUBLICATION,
    KW_AFTER_PUBLICATION,
    KW_BEFORE_PUBLICATION,
    KW_UNTIL_PUBLICATION,
    KEYWORDS
};

struct keyword_value {
    bool present;
    int64_t integer;     /* a time in ms since 1970; a boolean */
    struct slice text;   /* a string decoded; a dict as raw bytes */
    struct buf *scratch; /* owned; of text */
};

enum {
    GRANTED = 1, /* ends what others have, or tells of them: needs a rule for it */
    MUTE = 2,    /* its result has no argument */
    WHOLE = 4    /* it writes the list of arguments, not one */
};

struct query;

struct procedure {
    const char *name;
    enum takes takes;
    unsigned keywords; /* bit per enum keyword that it takes */
    unsigned traits;   /* GRANTED, MUTE, WHOLE */
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
    uint64_t id, other; /* 0: absent */
    struct slice text;  /* a URI or a name */
    enum uri_match match;
    bool filtered; /* `authroles` is there */
    struct map authroles;
    struct slice args, kwargs; /* of an event */
    struct buf *scratch;       /* owned; of text */
    struct keyword_value keywords[KEYWORDS];
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

/* ---- meta_take.c ------------------------------------------------------------------- */

/* Takes the arguments of the call. False fills the fault. */
bool query_take(struct query *q, const struct msg *message);
void query_fini(struct query *q);

/* The text of a keyword argument, the absent slice when it is not there. */
static inline struct slice query_text(const struct query *q, enum keyword key)
{
    return q->keywords[key].present ? q->keywords[key].text : (struct slice){ 0 };
}

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
bool held_remove(struct query *q);

/* What the query's id means, or NULL with the fault filled. */
const struct held *held_find(struct query *q);

/* Whether it is one of the router's own names, which the meta API does not tell of. */
bool held_hidden(const struct held *h);

bool held_is_registration(const struct held *h);

/* The details of a subscription or registration, as get and on_create have them. */
void held_write(const struct held *h, struct writer *w);

/* ---- stats.c ----------------------------------------------------------------------- */

bool stats_get(struct query *q);

/* ---- meta_history.c, meta_testament.c ---------------------------------------------- */

bool history_get(struct query *q);
bool testament_add(struct query *q);
bool testament_flush(struct query *q);

#endif
