/* mem.h - allocation that cannot fail, as far as callers can see.
 *
 * We are a program, not a library: running out of memory ends it with a message. What
 * keeps peers from causing that is limits.h, not error paths after every malloc. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Each returns memory of at least `n` bytes (`n` 0 counts as 1) or does not return.
 * xcalloc's memory is zeroed; x*dup return NUL-terminated copies. Free with free(). */
void *xmalloc(size_t n);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *p, size_t n);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);

#endif
