/* log.c - see log.h. A line is formatted first and written at once, so that lines of
 * several processes do not mix; one longer than the buffer is cut. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[] = { "error", "warn", "info", "debug", "trace" };
static enum log_level current = LOG_INFO;
static bool as_json;
static enum log_style style = LOG_PLAIN;
static char who[32];
static struct {
    void (*hide)(void *user);
    void (*show)(void *user);
    void *user; /* borrowed */
} screen;

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
    snprintf(who, sizeof who, "%s", name);
}

bool log_on(enum log_level level)
{
    return level <= current;
}

void log_set_style(enum log_style wanted)
{
    style = wanted;
}

void log_set_json(bool json)
{
    as_json = json;
}

void log_set_screen(void (*hide)(void *user), void (*show)(void *user), void *user)
{
    screen.hide = hide;
    screen.show = show;
    screen.user = user;
}

bool log_is_json(void)
{
    return as_json;
}

static size_t put(char *line, size_t size, size_t at, const char *text)
{
    size_t n = strlen(text), room = size - at;

    if (n > room)
        n = room;
    memcpy(line + at, text, n);
    return at + n;
}

/* A text within quotes. What is no ASCII is passed on: nearly all of it is UTF-8. */
static size_t put_escaped(char *line, size_t size, size_t at, const char *text)
{
    char escape[8];

    for (; *text && at + 8 < size; text++) {
        if ((unsigned char)*text < ' ')
            snprintf(escape, sizeof escape, "\\u%04x", (unsigned)*text);
        else if (*text == '"' || *text == '\\')
            snprintf(escape, sizeof escape, "\\%c", *text);
        else
            snprintf(escape, sizeof escape, "%c", *text);
        at = put(line, size, at, escape);
    }
    return at;
}

static size_t json_line(char *line, size_t size, enum log_level level, const char *text)
{
    size_t n = put(line, size, 0, "{\"level\":\""), room = size - 8;

    n = put(line, room, n, names[level]);
    if (*who) {
        n = put(line, room, n, "\",\"process\":\"");
        n = put_escaped(line, room, n, who);
    }
    n = put(line, room, n, "\",\"text\":\"");
    n = put_escaped(line, room, n, text);
    return put(line, size, n, "\"}\n");
}

static size_t text_line(char *line, size_t size, enum log_level level, const char *text)
{
    static const char *const before[][5] = {
        [LOG_PLAIN] = { "", "", "", "", "" },
        [LOG_COLOR] = { "\33[31m", "\33[33m", "\33[32m", "\33[2m", "\33[2m" },
        [LOG_JOURNAL] = { "<3>", "<4>", "<6>", "<7>", "<7>" }, /* of syslog(3) */
    };
    size_t n = put(line, size, 0, before[style][level]);

    n = put(line, size, n, names[level]);
    n = put(line, size, n, style == LOG_COLOR ? "\33[0m" : "");
    n = put(line, size - 1, n, ": ");
    n = put(line, size - 1, n, who);
    n = put(line, size - 1, n, *who ? ": " : "");
    n = put(line, size - 1, n, text);
    return put(line, size, n, "\n");
}

void log_at(enum log_level level, const char *fmt, ...)
{
    char text[2048];
    va_list ap;

    if (!log_on(level))
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    log_put(level, text);
}

void log_put(enum log_level level, const char *text)
{
    char line[3072];
    size_t n;

    n = as_json ? json_line(line, sizeof line, level, text)
                : text_line(line, sizeof line, level, text);
    if (screen.hide)
        screen.hide(screen.user);
    fwrite(line, 1, n, stderr);
    if (screen.show)
        screen.show(screen.user);
}
