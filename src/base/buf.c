/* buf.c - the refcounted block behind every message, and slices over it. See buf.h.
 *
 * Most messages are short and live for a moment, so short blocks are kept for the next
 * one instead of being given back: half of what the system's allocator takes. Not where
 * stale slices are to be found (BUF_POISON). */
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

/* ---- short blocks ------------------------------------------------------------------ */

#define STEP 64   /* bytes: room is a multiple of it */
#define STEPS 4   /* room for up to 256 bytes is short */
#define SPARE 128 /* blocks of a size that are kept */

static struct spares {
    struct buf *first; /* owned; `data` of each is the next one */
    unsigned count;
} spares[STEPS + 1];

/* What room for `cap` bytes is rounded up to. */
static size_t rounded(size_t cap)
{
    return cap <= STEP * STEPS ? (cap + STEP - 1) / STEP * STEP : cap;
}

static struct spares *spares_of(size_t cap)
{
#ifdef BUF_POISON
    cap = SIZE_MAX;
#endif
    return cap <= STEP * STEPS ? &spares[cap / STEP] : NULL;
}

static struct buf *block_new(size_t cap)
{
    struct spares *s = spares_of(cap);
    struct buf *b;

    if (!s || !s->first)
        return xmalloc(block_size(cap));
    b = s->first;
    s->first = (struct buf *)(void *)b->data;
    s->count--;
    return b;
}

static void block_free(struct buf *b)
{
    struct spares *s = spares_of(b->cap);

    if (!s || s->count == SPARE) {
        free(b);
        return;
    }
    b->data = (char *)s->first;
    s->first = b;
    s->count++;
}

/* ---- bufs -------------------------------------------------------------------------- */

struct buf *buf_new(size_t cap)
{
    struct buf *b;

    cap = rounded(cap);
    b = block_new(cap);
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
    block_free(b);
}

void buf_grow(struct buf **bp, size_t n)
{
    struct buf *b = *bp;
    size_t cap = b->cap < 64 ? 128 : b->cap * 2;

    assert(b->refs == 1);
    cap = rounded(cap < b->len + n ? b->len + n : cap);
    buf_count(block_size(cap), block_size(b->cap));
    b = xrealloc(b, block_size(cap));
    b->cap = cap;
    b->data = (char *)(b + 1) + BUF_HEADROOM;
    *bp = b;
}

void buf_append(struct buf **bp, const void *p, size_t n)
{
    char *at = buf_reserve(bp, n);

    assert((*bp)->refs == 1);
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
