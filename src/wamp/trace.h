/* trace.h - messages as lines for people: which of them are shown, and how.
 *
 * What is shown is decided once for the process (trace_set), as the log's level is. A
 * struct trace follows one connection and knows which URI an answer or event is about.
 * Secrets do not get into a line: what proves who somebody is, and the value of every key
 * that is called like a secret, wherever it stands. */
#ifndef WAMP_TRACE_H
#define WAMP_TRACE_H

#include "wamp/msg.h"

#define TRACE_TEXT 1900 /* bytes of a line; what is longer ends in an ellipsis */

struct trace;

/* Shows, from now on, what `text` says: words with commas between them, each a message
 * ("event"), a group ("session", "pub", "sub", "call", "reg") or "uri:PREFIX"; "all" for
 * everything, "" for nothing. False puts what is wrong with it into `error`, and leaves
 * everything as it was. */
bool trace_set(const char *text, char *error, size_t size);
bool trace_is_on(void);

struct trace *trace_new(void); /* NULL while nothing is shown */
void trace_free(struct trace *t);

/* Follows a message that comes or goes; true when it is to be shown: `line` then is
 * "CALL [48,...]". */
bool trace_message(struct trace *t, struct buf *message, const struct wire *wire,
                   char line[TRACE_TEXT]);

/* The id of the session that its WELCOME began; 0 before that. */
uint64_t trace_session(const struct trace *t);

#endif
