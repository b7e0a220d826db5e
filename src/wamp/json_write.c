/* json_write.c - the writing half of the JSON format. See wire.h.
 *
 * Nothing is remembered between calls: a comma is needed exactly when something stands in
 * the buf and its last byte is not `[`, `{` or `:`, because no value ends in one of
 * those (a string ends in its quote, whatever is in it).
 *
 * Binary is a string: U+0000, then base64 (WAMP: JSON serialization, conversion from
 * bytes to strings). A text string that itself begins with U+0000 is written as it is,
 * and a reader will take it for a binary: the format has no other way to say it, so who
 * must not lose it refuses such a string before it comes here. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "wamp/base64.h"
#include "wamp/json.h"

/* Room for `n` bytes of a new value, behind the comma if it needs one. */
static char *begin(struct writer *w, size_t n)
{
    char *at = buf_reserve(&w->buf, n + 1);

    if (w->buf->len && at[-1] != '[' && at[-1] != '{' && at[-1] != ':') {
        *at++ = ',';
        w->buf->len++;
    }
    return at;
}

static void literal(struct writer *w, const char *s, size_t n)
{
    memcpy(begin(w, n), s, n);
    w->buf->len += n;
}

static void byte(struct writer *w, char c)
{
    *buf_reserve(&w->buf, 1) = c;
    w->buf->len++;
}

void json_write_null(struct writer *w)
{
    literal(w, "null", 4);
}

void json_write_boolean(struct writer *w, bool b)
{
    literal(w, b ? "true" : "false", b ? 4 : 5);
}

void json_write_integer(struct writer *w, int64_t i)
{
    char *at = begin(w, JSON_NUMBER_SIZE);

    w->buf->len += json_integer_write(at, i);
}

void json_write_number(struct writer *w, double f)
{
    char *at = begin(w, JSON_NUMBER_SIZE);

    assert(isfinite(f));
    w->buf->len += json_number_write(at, f);
}

/* The bytes that need an escape. ~x: a byte of UTF-8 has a high bit of its own. */
static inline uint64_t special8(uint64_t w)
{
    uint64_t quote = w ^ (JSON_ONES * '"'), slash = w ^ (JSON_ONES * '\\');

    return (((quote - JSON_ONES) & ~quote) | ((slash - JSON_ONES) & ~slash) |
            ((w - JSON_ONES * 0x20) & ~w)) &
           JSON_HIGH;
}

/* How many bytes from `i` on need no escape. */
static size_t plain_run(struct slice s, size_t i)
{
    size_t start = i;

    for (; i + 8 <= s.n; i += 8) {
        uint64_t mask = special8(json_load8(s.p + i));

        if (mask)
            return i + json_first8(mask) - start;
    }
    while (i < s.n && !json_special((unsigned char)s.p[i]))
        i++;
    return i - start;
}

static void escape(struct writer *w, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *known = c ? strchr(from, c) : NULL;
    char *at = buf_reserve(&w->buf, 6);

    at[0] = '\\';
    if (known) {
        at[1] = to[known - from];
        w->buf->len += 2;
        return;
    }
    memcpy(at + 1, "u00", 3);
    at[4] = hex[c >> 4];
    at[5] = hex[c & 15];
    w->buf->len += 6;
}

void json_write_string(struct writer *w, struct slice utf8)
{
    assert(utf8_ok(utf8));
    *begin(w, utf8.n + 2) = '"';
    w->buf->len++;
    for (size_t i = 0;; i++) {
        size_t run = plain_run(utf8, i);

        buf_append(&w->buf, utf8.p + i, run);
        i += run;
        if (i == utf8.n)
            break;
        escape(w, (unsigned char)utf8.p[i]);
    }
    byte(w, '"');
}

void json_write_binary(struct writer *w, struct slice bytes)
{
    size_t n = BASE64_SIZE(bytes.n);
    char *at = begin(w, n + 8);

    memcpy(at, "\"\\u0000", 7);
    base64_encode(at + 7, bytes);
    at[7 + n] = '"';
    w->buf->len += n + 8;
}

void json_write_list(struct writer *w, size_t n)
{
    (void)n;
    literal(w, "[", 1);
}

void json_write_list_end(struct writer *w)
{
    byte(w, ']');
}

void json_write_dict(struct writer *w, size_t n)
{
    (void)n;
    literal(w, "{", 1);
}

void json_write_key(struct writer *w, struct slice utf8)
{
    json_write_string(w, utf8);
    byte(w, ':');
}

void json_write_dict_end(struct writer *w)
{
    byte(w, '}');
}

void json_write_raw(struct writer *w, struct slice value)
{
    assert(value.n);
    literal(w, value.p, value.n);
}
