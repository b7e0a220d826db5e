/* json.c - JSON (RFC 8259) as a wire format: the reading half, and the table of both. See wire.h.
 *
 * Strict: exactly the grammar, valid UTF-8, whole surrogate pairs, LIMIT_DEPTH, one value and
 * white space behind. What it does not know: duplicate keys (whoever reads a dict decides),
 * messages, Lua. The writing half is in json_write.c, numbers in json_number.c.
 *
 * Two ways through the same text share all rules below "grammar": json_next stops at each token,
 * json_skip runs over a whole value in one loop and keeps nothing but the kinds of the open
 * containers. Between tokens r->state says what may come: VALUE (at the start, behind a key),
 * FIRST (behind `[` or `{`), AFTER (behind a value). Commas are read with what follows them, so
 * a reader never has to look ahead. A rule that fails sets r->error, r->p and returns NULL. */
#include <math.h>
#include <string.h>

#include "wamp/base64.h"
#include "wamp/json.h"

enum { VALUE, FIRST, AFTER }; /* r->state; reader_init makes it 0 */

#define TEXT_OF(x) #x
#define TOO_DEEP(limit) "nested deeper than " TEXT_OF(limit)

static const char *fail(struct reader *r, const char *p, const char *what)
{
    r->error = p == r->end ? "unexpected end" : what;
    r->p = p;
    return NULL;
}

/* ---- the open containers ----------------------------------------------------------- */

static inline bool is_dict(const struct reader *r, unsigned depth)
{
    return depth && (r->dicts[(depth - 1) / 64] >> (depth - 1) % 64 & 1);
}

static inline void set_dict(struct reader *r, unsigned depth, bool dict)
{
    uint64_t bit = 1ULL << (depth - 1) % 64, *word = &r->dicts[(depth - 1) / 64];

    *word = dict ? *word | bit : *word & ~bit;
}

/* ---- grammar ----------------------------------------------------------------------- */

static inline const char *space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

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

/* The code point of the \u escape at p, two of them for a surrogate pair; -1 if it is none. */
static int32_t unicode_escape(const char *p, size_t n)
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
    code = unicode_escape(p, n);
    if (code < 0)
        return 0;
    return code > 0xFFFF ? 12 : 6;
}

static inline bool is_plain(unsigned char c)
{
    return c < 0x80 && !json_special(c);
}

/* Passes over ASCII that stands for itself. Most strings are shorter than the first test. */
static inline const char *plain(const char *p, const char *end)
{
    uint64_t eight;

    while (end - p >= 8) {
        memcpy(&eight, p, 8);
        if (json_special8(eight) | (eight & JSON_HIGH))
            break;
        p += 8;
    }
    while (p < end && is_plain((unsigned char)*p))
        p++;
    return p;
}

/* From behind a string's opening quote to its closing one. */
static const char *string(struct reader *r, const char *p, bool *escaped)
{
    const char *end = r->end;

    for (;;) {
        size_t len;

        p = plain(p, end);
        if (p == end)
            return fail(r, p, NULL);
        if (*p == '"')
            return p;
        if ((unsigned char)*p < 0x20)
            return fail(r, p, "control character in a string");
        if (*p == '\\') {
            *escaped = true;
            len = escape_length(p, (size_t)(end - p));
        } else {
            len = utf8_length(p, (size_t)(end - p));
        }
        if (!len)
            return fail(r, p, *p == '\\' ? "invalid escape" : "invalid UTF-8");
        p += len;
    }
}

/* From a key's opening quote to behind its colon. */
static const char *key(struct reader *r, const char *p, struct slice *text, bool *escaped)
{
    const char *start = p + 1;

    if (p == r->end || *p != '"')
        return fail(r, p, "expected a key");
    p = string(r, start, escaped);
    if (!p)
        return NULL;
    *text = (struct slice){ start, (size_t)(p - start) };
    p = space(p + 1, r->end);
    if (p == r->end || *p != ':')
        return fail(r, p, "expected ':'");
    return p + 1;
}

static const char *literal(struct reader *r, const char *p, const char *word)
{
    for (; *word; p++, word++)
        if (p == r->end || *p != *word)
            return fail(r, p, "expected null, true or false");
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
        return fail(r, p, "expected a digit");
    *may_overflow = p - first > 2;
    return p;
}

/* A number, whatever its first byte is. *integral: it has neither fraction nor exponent. */
static const char *number(struct reader *r, const char *start, bool *integral)
{
    const char *end = r->end, *first = start + (*start == '-'), *p = digits(first, end);
    bool may_overflow = false;

    if (p == first)
        return fail(r, p, *start == '-' ? "expected a digit" : "expected a value");
    if (*first == '0' && p - first > 1)
        return fail(r, first + 1, "digit behind a leading 0");
    *integral = true;
    if (p < end && *p == '.') {
        *integral = false;
        first = p + 1;
        p = digits(first, end);
        if (p == first)
            return fail(r, p, "expected a digit");
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        *integral = false;
        p = exponent(r, p + 1, &may_overflow);
        if (!p)
            return NULL;
    }
    if ((may_overflow || p - start > 200) && isinf(json_number_read(start, p)))
        return fail(r, start, "number out of range");
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
        return literal(r, p, "null");
    case 't':
        return literal(r, p, "true");
    case 'f':
        return literal(r, p, "false");
    default:
        return number(r, p, &unused);
    }
}

/* Behind a comma, or behind `{`: passes over the key if it must have one. */
static inline const char *element(struct reader *r, const char *p, bool dict)
{
    struct slice text;
    bool escaped;

    p = space(p, r->end);
    return dict ? key(r, p, &text, &escaped) : p;
}

/* Behind a value inside `depth` containers: closes those that end here, down to `base`, and
 * passes over the comma and key in front of the next value. */
static inline const char *after(struct reader *r, const char *p, unsigned *depth, unsigned base)
{
    while (*depth > base) {
        bool dict = is_dict(r, *depth);

        p = space(p, r->end);
        if (p < r->end && *p == ',')
            return element(r, p + 1, dict);
        if (p == r->end || *p != (dict ? '}' : ']'))
            return fail(r, p, dict ? "expected ',' or '}'" : "expected ',' or ']'");
        p++;
        --*depth;
    }
    return p;
}

/* From the first byte of a value to behind it. */
static const char *value(struct reader *r, const char *p)
{
    const char *end = r->end;
    unsigned base = r->depth, depth = base;

    do {
        p = space(p, end);
        if (p == end)
            return fail(r, p, NULL);
        if (*p == '[' || *p == '{') {
            bool dict = *p == '{';

            if (depth == LIMIT_DEPTH)
                return fail(r, p, TOO_DEEP(LIMIT_DEPTH));
            set_dict(r, ++depth, dict);
            p = space(p + 1, end);
            if (p == end || *p != (dict ? '}' : ']')) {
                p = dict ? element(r, p, true) : p;
                continue;
            }
        } else {
            p = scalar(r, p);
        }
        if (p)
            p = after(r, p, &depth, base);
    } while (p && depth > base);
    return p;
}

/* A comma or the lack of it, in front of an element of a list that r->state allows. Returns
 * where the value begins; NULL where there is none, which is an error only when r->error says. */
static const char *list_element(struct reader *r)
{
    const char *p = space(r->p, r->end);

    if (p < r->end && *p == ']')
        return r->state == FIRST || r->state == AFTER ? NULL : p;
    if (r->state != AFTER)
        return p;
    if (p == r->end || *p != ',')
        return fail(r, p, "expected ',' or ']'");
    return space(p + 1, r->end);
}

static bool json_skip(struct reader *r, struct slice *text)
{
    const char *start, *p;

    if (r->error || (r->state != VALUE && (!r->depth || is_dict(r, r->depth))))
        return false;
    start = r->state == VALUE ? space(r->p, r->end) : list_element(r);
    p = start ? value(r, start) : NULL;
    if (!p)
        return false;
    *text = (struct slice){ start, (size_t)(p - start) };
    r->p = p;
    r->state = AFTER;
    return true;
}

/* ---- next -------------------------------------------------------------------------- */

static enum token error_at(struct reader *r, const char *p, const char *what)
{
    fail(r, p, what);
    return TOKEN_ERROR;
}

static enum token read_string(struct reader *r, const char *p)
{
    const char *start = p + 1;

    r->escaped = false;
    p = string(r, start, &r->escaped);
    if (!p)
        return TOKEN_ERROR;
    r->text = (struct slice){ start, (size_t)(p - start) };
    r->p = p + 1;
    r->state = AFTER;
    return slice_has_prefix(r->text, SLICE("\\u0000")) ? TOKEN_BINARY : TOKEN_STRING;
}

static enum token read_key(struct reader *r, const char *p)
{
    r->escaped = false;
    p = key(r, p, &r->text, &r->escaped);
    if (!p)
        return TOKEN_ERROR;
    r->p = p;
    r->state = VALUE;
    return TOKEN_KEY;
}

/* False when the digits [p, end) are no int64. */
static bool to_integer(const char *p, const char *end, int64_t *integer)
{
    bool negative = *p == '-';
    uint64_t u = 0, limit = (uint64_t)INT64_MAX + negative;

    p += negative;
    if (end - p > 19)
        return false;
    for (; p < end; p++)
        u = u * 10 + (uint64_t)(*p - '0');
    if (u > limit)
        return false;
    *integer = negative && u ? -1 - (int64_t)(u - 1) : (int64_t)u;
    return true;
}

static enum token read_number(struct reader *r, const char *start)
{
    bool integral;
    const char *p = number(r, start, &integral);

    if (!p)
        return TOKEN_ERROR;
    r->p = p;
    r->state = AFTER;
    if (integral && to_integer(start, p, &r->integer))
        return TOKEN_INT;
    r->number = json_number_read(start, p);
    return TOKEN_FLOAT;
}

static enum token read_literal(struct reader *r, const char *p, const char *word,
                               enum token token)
{
    p = literal(r, p, word);
    if (!p)
        return TOKEN_ERROR;
    r->p = p;
    r->state = AFTER;
    return token;
}

static enum token open(struct reader *r, const char *p)
{
    bool dict = *p == '{';

    if (r->depth == LIMIT_DEPTH)
        return error_at(r, p, TOO_DEEP(LIMIT_DEPTH));
    set_dict(r, ++r->depth, dict);
    r->p = p + 1;
    r->state = FIRST;
    return dict ? TOKEN_DICT : TOKEN_LIST;
}

static enum token close(struct reader *r, const char *p)
{
    r->depth--;
    r->p = p + 1;
    r->state = AFTER;
    return *p == '}' ? TOKEN_DICT_END : TOKEN_LIST_END;
}

static enum token read_value(struct reader *r, const char *p)
{
    if (p == r->end)
        return error_at(r, p, NULL);
    switch (*p) {
    case '"':
        return read_string(r, p);
    case '[':
    case '{':
        return open(r, p);
    case 'n':
        return read_literal(r, p, "null", TOKEN_NULL);
    case 't':
        return read_literal(r, p, "true", TOKEN_TRUE);
    case 'f':
        return read_literal(r, p, "false", TOKEN_FALSE);
    default:
        return read_number(r, p);
    }
}

static enum token json_next(struct reader *r)
{
    const char *p = space(r->p, r->end);
    bool dict = is_dict(r, r->depth);

    if (r->error)
        return TOKEN_ERROR;
    if (r->state == VALUE)
        return read_value(r, p);
    if (!r->depth) {
        r->p = p;
        return p == r->end ? TOKEN_END : error_at(r, p, "text behind the value");
    }
    if (p < r->end && *p == (dict ? '}' : ']'))
        return close(r, p);
    if (r->state == AFTER) {
        if (p == r->end || *p != ',')
            return error_at(r, p, dict ? "expected ',' or '}'" : "expected ',' or ']'");
        p = space(p + 1, r->end);
    }
    return dict ? read_key(r, p) : read_value(r, p);
}

/* ---- the value of a string --------------------------------------------------------- */

static size_t put_utf8(char *out, int32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

/* Writes what the escape at p stands for; returns its own length. */
static size_t unescape(const char *p, size_t n, char *out, size_t *written)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *known = strchr(from, p[1]);
    int32_t code;

    if (p[1] == 'u') {
        code = unicode_escape(p, n);
        *written = put_utf8(out, code);
        return code > 0xFFFF ? 12 : 6;
    }
    *out = known ? to[known - from] : p[1];
    *written = 1;
    return 2;
}

/* Decodes a string that passed string(); it never becomes longer. Returns the bytes written. */
static size_t unescape_all(struct slice text, char *out)
{
    const char *p = text.p, *end = p + text.n;
    char *start = out;

    while (p < end) {
        const char *slash = memchr(p, '\\', (size_t)(end - p));
        size_t n = (size_t)((slash ? slash : end) - p), written = 0;

        memcpy(out, p, n);
        out += n;
        p += n;
        if (slash)
            p += unescape(p, (size_t)(end - p), out, &written);
        out += written;
    }
    return (size_t)(out - start);
}

/* A key may begin with U+0000 too, but behind a key the reader is in state VALUE. */
static struct slice json_text(const struct reader *r, struct buf **scratch)
{
    bool binary = r->state == AFTER && slice_has_prefix(r->text, SLICE("\\u0000"));
    size_t n;
    char *out;

    if (!r->escaped)
        return r->text;
    if (!*scratch)
        *scratch = buf_new(r->text.n);
    out = buf_reserve(scratch, r->text.n);
    n = unescape_all(r->text, out);
    if (binary && !base64_decode(out, (struct slice){ out + 1, n - 1 }, &n))
        return (struct slice){ NULL, 0 };
    (*scratch)->len += n;
    return (struct slice){ out, n };
}

const struct wire wire_json = { .name = "json",
                                .subprotocol = "wamp.2.json",
                                .text = true,
                                .next = json_next,
                                .skip = json_skip,
                                .text_of = json_text,
                                .null = json_write_null,
                                .boolean = json_write_boolean,
                                .integer = json_write_integer,
                                .number = json_write_number,
                                .string = json_write_string,
                                .binary = json_write_binary,
                                .list = json_write_list,
                                .list_end = json_write_list_end,
                                .dict = json_write_dict,
                                .key = json_write_key,
                                .dict_end = json_write_dict_end,
                                .raw = json_write_raw };
