/* buf.c - the refcounted block behind every message, and slices over it. See buf.h. */
#include "base/buf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static size_t held; /* bytes of all blocks, and what was counted in beside them */

size_t buf_held(void)
{
    return held;
}

void buf_count(size_t more, size_t less)
{
    held += more - less;
}

static size_t block_size(size_t cap)
{
    return sizeof(struct buf) + BUF_HEADROOM + cap;
}

struct buf *buf_new(size_t cap)
{
    struct buf *b = xmalloc(block_size(cap));

    buf_count(block_size(cap), 0);
    b->refs = 1;
    b->len = 0;
    b->cap = cap;
    b->data = (char *)(b + 1) + BUF_HEADROOM;
    return b;
}

struct buf *buf_from(const void *p, size_t n)
{
    struct buf *b = buf_new(n);

    if (n)
        memcpy(b->data, p, n);
    b->len = n;
    return b;
}

struct buf *buf_ref(struct buf *b)
{
    if (b)
        b->refs++;
    return b;
}

void buf_unref(struct buf *b)
{
    if (!b || --b->refs > 0)
        return;
    buf_count(0, block_size(b->cap));
#ifdef BUF_POISON
    memset(b->data - BUF_HEADROOM, 0xDB, BUF_HEADROOM + b->cap);
#endif
    free(b);
}

char *buf_reserve(struct buf **bp, size_t n)
{
    struct buf *b = *bp;
    size_t need = b->len + n;

    assert(b->refs == 1);
    if (need > b->cap) {
        size_t cap = b->cap < 64 ? 128 : b->cap * 2;

        if (cap < need)
            cap = need;
        buf_count(block_size(cap), block_size(b->cap));
        b = xrealloc(b, block_size(cap));
        b->cap = cap;
        b->data = (char *)(b + 1) + BUF_HEADROOM;
        *bp = b;
    }
    return b->data + b->len;
}

void buf_append(struct buf **bp, const void *p, size_t n)
{
    char *at = buf_reserve(bp, n);

    if (n)
        memcpy(at, p, n);
    (*bp)->len += n;
}

struct buf *buf_own(struct buf *b)
{
    struct buf *copy;

    if (b->refs == 1)
        return b;
    copy = buf_from(b->data, b->len);
    buf_unref(b);
    return copy;
}

struct slice slice_of(const char *s)
{
    return (struct slice){ s, s ? strlen(s) : 0 };
}

struct slice slice_buf(const struct buf *b)
{
    return (struct slice){ b->data, b->len };
}

bool slice_eq(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool slice_is(struct slice a, const char *s)
{
    return slice_eq(a, slice_of(s));
}

bool slice_has_prefix(struct slice a, struct slice prefix)
{
    return a.n >= prefix.n && slice_eq((struct slice){ a.p, prefix.n }, prefix);
}

bool slice_in(struct slice s, const struct buf *b)
{
    uintptr_t p = (uintptr_t)s.p, lo = (uintptr_t)b->data;

    return s.p && p >= lo && p + s.n <= lo + b->len;
}
