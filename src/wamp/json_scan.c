/* json_scan.c - JSON's grammar (RFC 8259) as functions over bytes, and skipping a whole
 * value.
 *
 * Strict: exactly the grammar, valid UTF-8, whole surrogate pairs, LIMIT_DEPTH. What it
 * does not know: what tokens are (json.c makes them out of these functions), what strings
 * and numbers are worth, duplicate keys (whoever reads a dict decides).
 *
 * Each function takes where something begins and returns where it has ended, or NULL with
 * r->error and r->p set. json_skip carries every payload that passes through a router, so
 * it is one loop that keeps nothing but the kinds of the open containers, in r's own bits
 * above r->depth, and takes the bytes of strings eight at a time. */
#include <math.h>
#include <string.h>

#include "wamp/json.h"

/* ---- grammar ----------------------------------------------------------------------- */

static inline const char *digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

/* The value of four hexadecimal digits, -1 if they are none. */
static int hex4(const char *p)
{
    int v = 0;

    for (int i = 0; i < 4; i++) {
        int c = p[i] | 0x20;

        if (p[i] >= '0' && p[i] <= '9')
            v = v * 16 + (p[i] - '0');
        else if (c >= 'a' && c <= 'f')
            v = v * 16 + (c - 'a' + 10);
        else
            return -1;
    }
    return v;
}

/* The code point of the \u escape at p, two of them for a surrogate pair; -1 if it is
 * none. */
int32_t json_unicode(const char *p, size_t n)
{
    int high = n >= 6 ? hex4(p + 2) : -1, low;

    if (high < 0xD800 || high > 0xDFFF)
        return high;
    if (high > 0xDBFF || n < 12 || p[6] != '\\' || p[7] != 'u')
        return -1;
    low = hex4(p + 8);
    if (low < 0xDC00 || low > 0xDFFF)
        return -1;
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

/* Length of the escape at p, 0 if it is none. */
static size_t escape_length(const char *p, size_t n)
{
    int32_t code;

    if (n < 2)
        return 0;
    if (p[1] != 'u')
        return p[1] && strchr("\"\\/bfnrt", p[1]) ? 2 : 0;
    code = json_unicode(p, n);
    if (code < 0)
        return 0;
    return code > 0xFFFF ? 12 : 6;
}

static inline bool is_plain(unsigned char c)
{
    return c < 0x80 && !json_special(c);
}

/* The bytes that are not plain. Those of UTF-8 are among them, so ~x is not needed. */
static inline uint64_t not_plain8(uint64_t w)
{
    uint64_t quote = w ^ (JSON_ONES * '"'), slash = w ^ (JSON_ONES * '\\');

    return ((quote - JSON_ONES) | (slash - JSON_ONES) | (w - JSON_ONES * 0x20) | w) &
           JSON_HIGH;
}

/* Passes over ASCII that stands for itself. */
static inline const char *plain(const char *p, const char *end)
{
    for (; end - p >= 8; p += 8) {
        uint64_t mask = not_plain8(json_load8(p));

        if (mask)
            return p + json_first8(mask);
    }
    while (p < end && is_plain((unsigned char)*p))
        p++;
    return p;
}

/* Passes over an escape, or over all UTF-8 that is not ASCII. */
static const char *not_plain(struct reader *r, const char *p, bool *escaped)
{
    size_t len;

    if ((unsigned char)*p < 0x20)
        return reader_fail(r, p, "control character in a string");
    if (*p == '\\') {
        *escaped = true;
        len = escape_length(p, (size_t)(r->end - p));
        return len ? p + len : reader_fail(r, p, "invalid escape");
    }
    do {
        len = utf8_length(p, (size_t)(r->end - p));
        if (!len)
            return reader_fail(r, p, "invalid UTF-8");
        p += len;
    } while (p < r->end && (unsigned char)*p >= 0x80);
    return p;
}

static inline const char *string(struct reader *r, const char *p, bool *escaped)
{
    const char *end = r->end;

    while (p) {
        p = plain(p, end);
        if (p == end)
            return reader_fail(r, p, NULL);
        if (*p == '"')
            break;
        p = not_plain(r, p, escaped);
    }
    return p;
}

const char *json_scan_string(struct reader *r, const char *p, bool *escaped)
{
    return string(r, p, escaped);
}

static inline const char *key(struct reader *r, const char *p, struct slice *text,
                              bool *escaped)
{
    const char *start = p + 1, *end = r->end;

    if (p == end || *p != '"')
        return reader_fail(r, p, "expected a key");
    p = string(r, start, escaped);
    if (!p)
        return NULL;
    *text = (struct slice){ start, (size_t)(p - start) };
    p = json_space(p + 1, end);
    if (p == end || *p != ':')
        return reader_fail(r, p, "expected ':'");
    return p + 1;
}

const char *json_scan_key(struct reader *r, const char *p, struct slice *text,
                          bool *escaped)
{
    return key(r, p, text, escaped);
}

const char *json_scan_literal(struct reader *r, const char *p, const char *word)
{
    for (; *word; p++, word++)
        if (p == r->end || *p != *word)
            return reader_fail(r, p, "expected null, true or false");
    return p;
}

/* From behind `e` to the end of the exponent. Only three digits or more can pass double's
 * range, together with what stands in front. */
static const char *exponent(struct reader *r, const char *p, bool *may_overflow)
{
    const char *first;

    if (p < r->end && (*p == '+' || *p == '-'))
        p++;
    first = p;
    p = digits(p, r->end);
    if (p == first)
        return reader_fail(r, p, "expected a digit");
    *may_overflow = p - first > 2;
    return p;
}

/* A number, whatever its first byte is. *integral: it has neither fraction nor
 * exponent. */
const char *json_scan_number(struct reader *r, const char *start, bool *integral)
{
    const char *end = r->end, *first = start + (*start == '-'), *p = digits(first, end);
    bool may_overflow = false;

    if (p == first)
        return reader_fail(r, p, *start == '-' ? "expected a digit" : "expected a value");
    if (*first == '0' && p - first > 1)
        return reader_fail(r, first + 1, "digit behind a leading 0");
    *integral = true;
    if (p < end && *p == '.') {
        *integral = false;
        first = p + 1;
        p = digits(first, end);
        if (p == first)
            return reader_fail(r, p, "expected a digit");
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        *integral = false;
        p = exponent(r, p + 1, &may_overflow);
        if (!p)
            return NULL;
    }
    if ((may_overflow || p - start > 200) && isinf(json_number_read(start, p)))
        return reader_fail(r, start, "number out of range");
    return p;
}

/* ---- skip -------------------------------------------------------------------------- */

/* A value that is no container. */
static inline const char *scalar(struct reader *r, const char *p)
{
    bool unused;

    switch (*p) {
    case '"':
        p = string(r, p + 1, &unused);
        return p ? p + 1 : NULL;
    case 'n':
        return json_scan_literal(r, p, "null");
    case 't':
        return json_scan_literal(r, p, "true");
    case 'f':
        return json_scan_literal(r, p, "false");
    default:
        return json_scan_number(r, p, &unused);
    }
}

/* Behind a comma, or in a dict's `{`: to the value, past the key if it must have one. */
static inline const char *element(struct reader *r, const char *p, bool dict)
{
    struct slice text;
    bool escaped;

    p = json_space(p, r->end);
    if (dict)
        p = key(r, p, &text, &escaped);
    return dict && p ? json_space(p, r->end) : p;
}

/* From the first byte of a value to behind it: values and the `[`, `{` of containers in
 * the outer loop, what stands behind a value in the inner one. */
static const char *value(struct reader *r, const char *p)
{
    const char *const end = r->end;
    const unsigned base = r->depth;
    unsigned depth = base;
    bool dict = false;

    for (;;) {
        if (!p || p == end)
            return p ? reader_fail(r, p, NULL) : NULL;
        if (*p == '[' || *p == '{') {
            if (depth == LIMIT_DEPTH)
                return reader_fail(r, p, READER_TOO_DEEP);
            dict = *p == '{';
            reader_set_dict(r, ++depth, dict);
            p = json_space(p + 1, end);
            if (p == end || *p != (dict ? '}' : ']')) {
                p = dict ? element(r, p, true) : p;
                continue;
            }
        } else {
            p = scalar(r, p);
            if (!p || depth == base)
                return p;
            p = json_space(p, end);
        }
        while (p < end && *p == (dict ? '}' : ']')) {
            p++;
            if (--depth == base)
                return p;
            dict = reader_is_dict(r, depth);
            p = json_space(p, end);
        }
        if (p == end || *p != ',')
            return reader_fail(r, p,
                               dict ? "expected ',' or '}'" : "expected ',' or ']'");
        p = element(r, p + 1, dict);
    }
}

/* To the next element of a list, past the comma in front of it. NULL at the list's end,
 * which is no error, and where a comma is missing, which is one. */
static const char *list_element(struct reader *r)
{
    const char *p = json_space(r->p, r->end);

    if (p < r->end && *p == ']')
        return NULL;
    if (r->state == JSON_FIRST)
        return p;
    if (p == r->end || *p != ',')
        return reader_fail(r, p, "expected ',' or ']'");
    return json_space(p + 1, r->end);
}

bool json_skip(struct reader *r, struct slice *text)
{
    const char *start, *p;

    if (r->error ||
        (r->state != JSON_VALUE && (!r->depth || reader_is_dict(r, r->depth))))
        return false;
    start = r->state == JSON_VALUE ? json_space(r->p, r->end) : list_element(r);
    p = start ? value(r, start) : NULL;
    if (!p)
        return false;
    *text = (struct slice){ start, (size_t)(p - start) };
    r->p = p;
    r->state = JSON_AFTER;
    return true;
}
