/* log.h - one line per event to stderr, by level. Level, format, name and screen
 * are the program's only globals.
 *
 * Not known here: where messages come from. Secrets are kept out by the callers. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

#if defined(__GNUC__)
#define LOG_PRINTF(a, b) __attribute__((format(printf, a, b)))
#else
#define LOG_PRINTF(a, b)
#endif

void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* Whether a line is a JSON object: { "level", "process" if it has a name, "text" }. */
void log_set_json(bool json);
bool log_is_json(void);

/* How a line of text begins: with its level; with that in color, for a terminal; or with
 * "<N>", as the journal of systemd wants its priority. */
enum log_style { LOG_PLAIN, LOG_COLOR, LOG_JOURNAL };
void log_set_style(enum log_style style);

/* Each line carries this name after its level: which of several processes it is from. */
void log_set_name(const char *name);

/* -1 when `name` is none of error, warn, info, debug, trace. */
int log_level_of(const char *name);

bool log_on(enum log_level level);
void log_at(enum log_level level, const char *fmt, ...) LOG_PRINTF(2, 3);

/* Who shows something at the bottom of the terminal, where lines are to appear above it:
 * `hide` is called before each line and `show` behind it. NULL: nobody. */
void log_set_screen(void (*hide)(void *user), void (*show)(void *user), void *user);

void log_put(enum log_level level, const char *text); /* whatever the level is */

#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

#endif
