/* convert.h - Lua values to bytes of a wire format and back, exactly (lua-api.md §6).
 *
 * Integers stay integers, floats floats, [] is not {}, null is wampy.null, byte strings
 * are wampy.binary. Encoding uses raw access only, so no metamethod (and no finalizer's
 * client) can run half way. */
#ifndef LUA_CONVERT_H
#define LUA_CONVERT_H

#include <lua.h>

#include "wamp/wire.h"

struct state;

/* Pushes the value in `bytes`, which must be well-formed. */
void push_value(lua_State *L, const struct wire *wire, struct slice bytes);

/* Pushes the elements of the list in `bytes` one by one (null as nil) and returns how
 * many; 0 for the absent slice. What is no list, but an opaque payload, is one value. */
int push_elements(lua_State *L, const struct wire *wire, struct slice bytes);

/* Pushes a table: the dict in `bytes`, or an empty one for the absent slice. */
void push_dict(lua_State *L, const struct wire *wire, struct slice bytes);

/* The value of the token just read; containers are read to their end. */
void push_token(lua_State *L, struct reader *r, enum token token);

/* Encodes the value at `idx`; `root` opens the path in error messages. Raises for what
 * cannot be encoded. */
void write_value(lua_State *L, struct writer *w, int idx, const char *root);

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

/* A string argument as a slice. */
struct slice check_slice(lua_State *L, int idx);

void convert_open(lua_State *L); /* creates the marker metatables */

#endif
