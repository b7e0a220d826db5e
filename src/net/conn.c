/* conn.c - how a transport words the end of a conn. See conn.h. */
#include "net/conn.h"

#include <stdio.h>

void conn_end_say(struct conn_end *end, const char *where, const char *fmt, va_list ap)
{
    int n = snprintf(end->text, sizeof end->text, "%.160s: ", where);

    vsnprintf(end->text + n, sizeof end->text - (size_t)n, fmt, ap);
    for (char *p = end->text; *p; p++) /* a peer's words stay on one line */
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = '?';
}
