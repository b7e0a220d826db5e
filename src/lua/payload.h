/* payload.h - arguments, kwargs{} and options{} of a call, publication or answer, encoded
 * for the message that carries them. */
#ifndef LUA_PAYLOAD_H
#define LUA_PAYLOAD_H

#include "lua/convert.h"

struct state;

/* An empty writer in S->scratch, good until the next use of it. */
struct writer *scratch_writer(struct state *S, const struct wire *wire);

/* Gives back what giants have left in S->scratch. Not while a slice points there. */
void scratch_spare(struct state *S);

/* What follows the URI in call, publish, yield ...: positional arguments, then
 * optionally a kwargs{} and an options{} in either order. Slices point into S->scratch
 * and are good until the next use of it. */
struct payload {
    struct slice args, kwargs, options;
    unsigned form;    /* CALL_RESULTS, CALL_PARTS */
    double timeout;   /* seconds, options.timeout; < 0 when not given */
    size_t buffer;    /* options.buffer; LIMIT_STREAM_BUFFER when not given */
    int given;        /* stack index of the options{}; 0 when there are none */
    int on_progress;  /* stack index of options.on_progress; 0 when not given */
    bool acknowledge; /* options.acknowledge */
};

/* Encodes stack slots first..top. May push (on_progress stays on the stack). */
void check_payload(lua_State *L, struct state *S, const struct wire *wire, int first,
                   struct payload *p);

/* What a call's options say besides what is given: receive_progress, progress. */
enum { CALL_RESULTS = 1, CALL_PARTS = 2 };

/* The same for a call whose options say what is set in p->form; on_progress sets
 * CALL_RESULTS. */
void check_call(lua_State *L, struct state *S, const struct wire *wire, int first,
                struct payload *p);

/* Whether an options{} is among the values first..top that check_payload would take. */
bool has_options(lua_State *L, int first);

/* Only the dict of options at `idx` (nil or none: absent). */
struct slice check_options(lua_State *L, struct state *S, const struct wire *wire,
                           int idx);

#endif
