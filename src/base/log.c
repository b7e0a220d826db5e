/* log.c - see log.h. A line is formatted first and written at once, so that lines of
 * several processes do not mix; one longer than the buffer is cut. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = { "error", "warn", "info", "debug", "trace" };
static enum log_level current = LOG_INFO;
static char who[32];

void log_set_level(enum log_level level)
{
    current = level;
}

enum log_level log_get_level(void)
{
    return current;
}

int log_level_of(const char *name)
{
    for (int i = 0; i < 5; i++)
        if (!strcmp(name, names[i]))
            return i;
    return -1;
}

void log_set_name(const char *name)
{
    snprintf(who, sizeof who, "%s: ", name);
}

bool log_on(enum log_level level)
{
    return level <= current;
}

void log_at(enum log_level level, const char *fmt, ...)
{
    char line[2048];
    int head, body;
    va_list ap;

    if (!log_on(level))
        return;
    head = snprintf(line, sizeof line, "%s: %s", names[level], who);
    va_start(ap, fmt);
    body = vsnprintf(line + head, sizeof line - (size_t)head - 1, fmt, ap);
    va_end(ap);
    if (body < 0)
        return;
    if ((size_t)(head + body) > sizeof line - 2)
        body = (int)sizeof line - 2 - head;
    line[head + body] = '\n';
    fwrite(line, 1, (size_t)(head + body) + 1, stderr);
}
