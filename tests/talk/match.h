/* match.h - text with holes: compares what came out with what a talk expects.
 *
 * Text is a row of items with blanks between: bare words, or JSON values. In a pattern
 * `*` stands for any item or value, `$name` binds a word, string or integer the first
 * time and is compared afterwards, and `...` as last element of a row, list or dict
 * stands for the rest. Dict entries match in any order. Not known here: files,
 * drivers. */
#ifndef TALK_MATCH_H
#define TALK_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#define VARS_MAX 64

struct vars {                               /* zero-initialised = none bound */
    char *name[VARS_MAX], *value[VARS_MAX]; /* owned; a value as it stands in JSON */
    size_t count;
};

void vars_fini(struct vars *v);

/* Puts their values in place of the `$name`s that stand outside strings. NULL when one
 * is not bound. The caller frees it. */
char *vars_expand(const struct vars *v, const char *text);

bool match_text(struct vars *v, const char *pattern, const char *actual);

#endif
