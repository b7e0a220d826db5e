/* buf.h - bytes with an owner (struct buf), and bytes without one (struct slice).
 *
 * A slice never owns: it is a view into memory that somebody else keeps alive, nearly
 * always a struct buf. A slice is good exactly as long as the buf it points into is
 * referenced; whoever keeps a slice past the call that gave it to him takes a reference
 * on that buf (buf_ref).
 *
 * A buf is one refcounted block: header, headroom, bytes. The headroom lets a transport
 * put its frame header in front of the payload without a copy (ws.c pins it against
 * LWS_PRE). A buf that several hold is read only: who wants to change bytes takes
 * buf_own first. Debug builds (BUF_POISON) fill a buf with 0xDB when its last reference
 * goes, so that a stale slice shows. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUF_HEADROOM 32 /* bytes in front of data, for transports */

struct slice {
    const char *p; /* borrowed; NULL = absent */
    size_t n;
};

struct buf {
    uint32_t refs;
    size_t len; /* bytes used */
    size_t cap; /* bytes that fit behind data */
    char *data; /* into this same block, BUF_HEADROOM bytes behind its header */
};

/* An empty buf with one reference and room for `cap` bytes. */
struct buf *buf_new(size_t cap);

/* A buf holding a copy of `n` bytes at `p`. */
struct buf *buf_from(const void *p, size_t n);

/* Adds a reference; returns `b` (NULL is passed through). */
struct buf *buf_ref(struct buf *b);

/* Drops a reference, frees with the last; NULL is ignored. */
void buf_unref(struct buf *b);

/* Appends to a buf that the caller holds alone. The block may move: `*b` is updated. */
void buf_append(struct buf **b, const void *p, size_t n);

/* Makes room for `n` more bytes and returns where they go; the caller adds to `len`
 * itself. */
void buf_grow(struct buf **b, size_t n); /* there is no room yet */
static inline char *buf_reserve(struct buf **b, size_t n)
{
    if ((*b)->len + n > (*b)->cap)
        buf_grow(b, n);
    return (*b)->data + (*b)->len;
}

/* Bytes of all bufs of the process: what messages cost it, however many hold them. */
size_t buf_held(void);

/* Counts in, and out again, what somebody else keeps as a copy of a buf's bytes. */
void buf_count(size_t more, size_t less);

/* Takes the caller's reference and returns a buf with the same bytes that nobody else
 * holds: `b` itself, or a copy. */
struct buf *buf_own(struct buf *b);

/* Slices. `SLICE("x")` is for string literals. */
#define SLICE(lit) ((struct slice){ "" lit, sizeof(lit) - 1 })
struct slice slice_of(const char *s); /* NULL gives the absent slice */
struct slice slice_buf(const struct buf *b);
bool slice_eq(struct slice a, struct slice b);
bool slice_is(struct slice a, const char *s);
bool slice_has_prefix(struct slice a, struct slice prefix);

/* True when the slice lies inside the buf's bytes. */
bool slice_in(struct slice s, const struct buf *b);

#endif
