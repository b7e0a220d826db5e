/* json.c - JSON (RFC 8259) as a wire format: tokens, the values of strings, and the table
 * of the whole format. See wire.h.
 *
 * What it does not know: the grammar within a token and reader_skip (json_scan.c),
 * numbers as text (json_number.c), writing (json_write.c), duplicate keys, messages, Lua.
 *
 * Between tokens r->state says what may come: JSON_VALUE (at the start, behind a key),
 * JSON_FIRST (behind `[` or `{`), JSON_AFTER (behind a value). A comma is read together
 * with what follows it, so the reader never looks ahead and one token is one step of
 * json_next. */
#include <string.h>

#include "wamp/base64.h"
#include "wamp/json.h"

static enum token error_at(struct reader *r, const char *p, const char *what)
{
    reader_fail(r, p, what);
    return TOKEN_ERROR;
}

static enum token read_string(struct reader *r, const char *p)
{
    const char *start = p + 1;

    r->escaped = false;
    p = json_scan_string(r, start, &r->escaped);
    if (!p)
        return TOKEN_ERROR;
    r->text = (struct slice){ start, (size_t)(p - start) };
    r->p = p + 1;
    r->state = JSON_AFTER;
    return slice_has_prefix(r->text, SLICE("\\u0000")) ? TOKEN_BINARY : TOKEN_STRING;
}

static enum token read_key(struct reader *r, const char *p)
{
    r->escaped = false;
    p = json_scan_key(r, p, &r->text, &r->escaped);
    if (!p)
        return TOKEN_ERROR;
    r->p = p;
    r->state = JSON_VALUE;
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
    const char *p = json_scan_number(r, start, &integral);

    if (!p)
        return TOKEN_ERROR;
    r->p = p;
    r->state = JSON_AFTER;
    if (integral && to_integer(start, p, &r->integer))
        return TOKEN_INT;
    r->number = json_number_read(start, p);
    return TOKEN_FLOAT;
}

static enum token read_literal(struct reader *r, const char *p, const char *word,
                               enum token token)
{
    p = json_scan_literal(r, p, word);
    if (!p)
        return TOKEN_ERROR;
    r->p = p;
    r->state = JSON_AFTER;
    return token;
}

static enum token open(struct reader *r, const char *p)
{
    bool dict = *p == '{';

    if (r->depth == LIMIT_DEPTH)
        return error_at(r, p, READER_TOO_DEEP);
    reader_set_dict(r, ++r->depth, dict);
    r->p = p + 1;
    r->state = JSON_FIRST;
    return dict ? TOKEN_DICT : TOKEN_LIST;
}

static enum token close(struct reader *r, const char *p)
{
    r->depth--;
    r->p = p + 1;
    r->state = JSON_AFTER;
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
    const char *p = json_space(r->p, r->end);
    bool dict = reader_is_dict(r, r->depth);

    if (r->error)
        return TOKEN_ERROR;
    if (r->state == JSON_VALUE)
        return read_value(r, p);
    if (!r->depth) {
        r->p = p;
        return p == r->end ? TOKEN_END : error_at(r, p, "text behind the value");
    }
    if (p < r->end && *p == (dict ? '}' : ']'))
        return close(r, p);
    if (r->state == JSON_AFTER) {
        if (p == r->end || *p != ',')
            return error_at(r, p, dict ? "expected ',' or '}'" : "expected ',' or ']'");
        p = json_space(p + 1, r->end);
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
        code = json_unicode(p, n);
        *written = put_utf8(out, code);
        return code > 0xFFFF ? 12 : 6;
    }
    *out = known ? to[known - from] : p[1];
    *written = 1;
    return 2;
}

/* Decodes a string that passed json_scan_string, which never makes it longer. Returns the
 * bytes written. */
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

/* A key may begin with U+0000 too, but behind a key the reader is in state JSON_VALUE. */
static struct slice json_text(const struct reader *r, struct buf **scratch)
{
    bool binary = r->state == JSON_AFTER && slice_has_prefix(r->text, SLICE("\\u0000"));
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

const struct wire wire_json = { .id = WIRE_JSON,
                                .name = "json",
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
