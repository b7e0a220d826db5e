/* vectors.h - test vectors from the folder that $VECTORS names, and finding one's way
 * in JSON.
 *
 * The folder is not part of this repository. Where it is absent the tests that want it
 * say so in one line and go on with what they have themselves. */
#ifndef VECTORS_H
#define VECTORS_H

#include "base/buf.h"

/* The file of this name in the folder; NULL when there is none. The caller owns it. */
struct buf *vectors_read(const char *name);

/* Says once for each `what` that it is not tested. */
void vectors_absent(const char *what);

/* The value of a key of a dict, the next element of a list (start with *at = 0), the
 * text of a string (static memory, good for a few calls); an absent slice or NULL when
 * there is none. */
struct slice json_member(struct slice dict, const char *key);
struct slice json_element(struct slice list, size_t *at);
const char *json_string(struct slice value);

/* Whether two values are the same, in whatever order their keys stand. */
bool json_same(struct slice a, struct slice b);

#endif
