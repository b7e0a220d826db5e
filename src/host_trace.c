/* host_trace.c - shows messages in the log, at level trace whatever the level is: what a
 * client, or a connection of a traced server, sends and gets (wamp/trace.h). */
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "host_private.h"

void trace_show(struct trace *t, char way, const struct wire *wire, struct buf *message)
{
    uint64_t session;
    char text[TRACE_TEXT], line[TRACE_TEXT + 40];

    if (!trace_message(t, message, wire, text))
        return;
    session = trace_session(t);
    if (session)
        snprintf(line, sizeof line, "%" PRIu64 " %c %s", session, way, text);
    else
        snprintf(line, sizeof line, "- %c %s", way, text);
    log_put(LOG_TRACE, line);
}
