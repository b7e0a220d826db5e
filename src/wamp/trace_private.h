/* trace_private.h - what trace.c (which messages are shown) and trace_text.c (how)
 * share. */
#ifndef WAMP_TRACE_PRIVATE_H
#define WAMP_TRACE_PRIVATE_H

#include "wamp/trace.h"

/* The message as text, cut to `size`. */
void trace_text(struct buf *message, const struct wire *wire, enum msg_code code,
                char *out, size_t size);

#endif
