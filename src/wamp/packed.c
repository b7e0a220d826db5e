/* packed.c - walking through formats that count. See packed.h.
 *
 * For each open container r->left has what is still to come: elements of a list, and
 * twice the entries of a dict, so that an even number says that a key is next. A
 * container that ends in a break has one of two numbers that no count reaches, and a
 * dict of that kind goes from one to the other. What it does not know: which bytes are
 * which head. */
#include "wamp/packed.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define OPEN_EVEN (UINT32_MAX - 1)
#define OPEN_ODD UINT32_MAX

enum { PACKED_VALUE, PACKED_DONE }; /* r->state: the value has not begun, or has */

/* ---- containers -------------------------------------------------------------------- */

static inline uint32_t *innermost(struct reader *r)
{
    return &r->left[r->depth - 1];
}

static inline bool wants_key(struct reader *r)
{
    return reader_is_dict(r, r->depth) && !(*innermost(r) & 1);
}

static bool at_break(struct reader *r)
{
    return *innermost(r) >= OPEN_EVEN && r->p < r->end && *r->p == PACKED_BREAK &&
           (!reader_is_dict(r, r->depth) || wants_key(r));
}

static inline bool at_end(struct reader *r)
{
    return *innermost(r) == 0 || at_break(r);
}

static enum token close(struct reader *r)
{
    bool dict = reader_is_dict(r, r->depth);

    r->p += *innermost(r) != 0; /* the break */
    r->depth--;
    return dict ? TOKEN_DICT_END : TOKEN_LIST_END;
}

/* A key, or a value, begins. */
static inline void count_down(struct reader *r)
{
    if (!r->depth)
        r->state = PACKED_DONE;
    else if (*innermost(r) < OPEN_EVEN)
        --*innermost(r);
    else if (reader_is_dict(r, r->depth))
        *innermost(r) ^= 1;
}

/* Each element has a byte at least, each entry two. */
static enum token open(struct reader *r, const char *start, bool dict, uint64_t count)
{
    uint64_t most = (uint64_t)(r->end - r->p) / (dict ? 2 : 1);
    bool breaks = count == PACKED_OPEN;

    if (r->depth == LIMIT_DEPTH)
        return reader_fail(r, start, READER_TOO_DEEP), TOKEN_ERROR;
    if (!breaks && (count > most || count >= OPEN_EVEN / 2))
        return reader_fail(r, start, "more elements than bytes"), TOKEN_ERROR;
    r->depth++;
    reader_set_dict(r, r->depth, dict);
    *innermost(r) = breaks ? OPEN_EVEN : (uint32_t)count * (dict ? 2 : 1);
    return dict ? TOKEN_DICT : TOKEN_LIST;
}

enum token packed_next(struct reader *r, packed_head *head)
{
    const char *start = r->p;
    uint64_t count = 0;
    enum token token;
    bool key;

    if (r->error)
        return TOKEN_ERROR;
    if (!r->depth && r->state == PACKED_DONE)
        return r->p == r->end
                   ? TOKEN_END
                   : (reader_fail(r, r->p, "bytes behind the value"), TOKEN_ERROR);
    if (r->depth && at_end(r))
        return close(r);
    key = r->depth && wants_key(r);
    token = head(r, &count);
    if (token == TOKEN_ERROR)
        return token;
    if (key && token != TOKEN_STRING)
        return reader_fail(r, start, "a key must be a string"), TOKEN_ERROR;
    count_down(r);
    if (token == TOKEN_LIST || token == TOKEN_DICT)
        return open(r, start, token == TOKEN_DICT, count);
    return key ? TOKEN_KEY : token;
}

bool packed_skip(struct reader *r, struct slice *value, packed_head *head)
{
    const char *start = r->p;
    unsigned depth = r->depth;

    if (r->error || (depth ? at_end(r) || wants_key(r) : r->state == PACKED_DONE))
        return false;
    do {
        if (packed_next(r, head) == TOKEN_ERROR)
            return false;
    } while (r->depth > depth);
    *value = (struct slice){ start, (size_t)(r->p - start) };
    return true;
}

/* ---- scalars ----------------------------------------------------------------------- */

bool packed_number(struct reader *r, unsigned width, uint64_t *n)
{
    if ((size_t)(r->end - r->p) < width) {
        reader_fail(r, r->end, NULL);
        return false;
    }
    *n = 0;
    for (unsigned i = 0; i < width; i++)
        *n = *n << 8 | (unsigned char)r->p[i];
    r->p += width;
    return true;
}

/* IEEE 754 binary16, which C11 has no type for. */
static double half(uint64_t bits)
{
    int exponent = (int)(bits >> 10 & 31);
    double fraction = (double)(bits & 1023);
    double f = exponent == 31 ? (fraction > 0 ? NAN : INFINITY)
               : exponent     ? ldexp(fraction + 1024, exponent - 25)
                              : ldexp(fraction, -24);

    return bits >> 15 ? -f : f;
}

enum token packed_float(struct reader *r, unsigned width)
{
    const char *start = r->p;
    uint64_t bits;
    uint32_t narrow;
    float single;

    if (!packed_number(r, width, &bits))
        return TOKEN_ERROR;
    if (width == 8) {
        memcpy(&r->number, &bits, sizeof bits);
    } else if (width == 4) {
        narrow = (uint32_t)bits;
        memcpy(&single, &narrow, sizeof narrow);
        r->number = (double)single;
    } else {
        r->number = half(bits);
    }
    if (!isfinite(r->number))
        return reader_fail(r, start, "a number that is not finite"), TOKEN_ERROR;
    return TOKEN_FLOAT;
}

enum token packed_integer(struct reader *r, uint64_t n, bool negative)
{
    if (n <= INT64_MAX) {
        r->integer = negative ? -1 - (int64_t)n : (int64_t)n;
        return TOKEN_INT;
    }
    r->number = !negative ? (double)n : n == UINT64_MAX ? -0x1p64 : -(double)(n + 1);
    return TOKEN_FLOAT;
}

enum token packed_bytes(struct reader *r, uint64_t n, enum token token)
{
    const char *start = r->p;

    if (n > (uint64_t)(r->end - start))
        return reader_fail(r, r->end, NULL), TOKEN_ERROR;
    r->text = (struct slice){ start, (size_t)n };
    r->escaped = false;
    if (token == TOKEN_STRING && !utf8_ok(r->text))
        return reader_fail(r, start, "invalid UTF-8"), TOKEN_ERROR;
    r->p += n;
    return token;
}

struct slice packed_text(const struct reader *r, struct buf **scratch)
{
    (void)scratch;
    return r->text;
}

/* ---- writing ----------------------------------------------------------------------- */

void packed_put(struct writer *w, unsigned char byte, uint64_t n, unsigned width)
{
    char *at = buf_reserve(&w->buf, 1 + width);

    *at++ = (char)byte;
    for (unsigned i = width; i > 0; i--)
        *at++ = (char)(n >> 8 * (i - 1));
    w->buf->len += 1 + width;
}

void packed_put_sized(struct writer *w, unsigned char byte, uint64_t n)
{
    unsigned shift = n <= UINT8_MAX ? 0 : n <= UINT16_MAX ? 1 : n <= UINT32_MAX ? 2 : 3;

    packed_put(w, (unsigned char)(byte + shift), n, 1u << shift);
}

void packed_put_float(struct writer *w, unsigned char byte, double f)
{
    uint64_t bits;

    assert(isfinite(f));
    memcpy(&bits, &f, sizeof bits);
    packed_put(w, byte, bits, 8);
}

void packed_raw(struct writer *w, struct slice bytes)
{
    buf_append(&w->buf, bytes.p, bytes.n);
}

void packed_end(struct writer *w)
{
    (void)w;
}
