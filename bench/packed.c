/* packed: see packed.h. Recursion over values, one head at a time: kind and number. */
#include "packed.h"

#include <string.h>

enum kind { NUMBER, TEXT, LIST, DICT, NONE, FALSE, TRUE };

static const char *const names[] = { "json", "msgpack", "cbor", "json.batched" };
static const char *const subprotocols[] = { "wamp.2.json", "wamp.2.msgpack",
                                            "wamp.2.cbor", "wamp.2.json.batched" };

enum format format_of(const char *name)
{
    for (int i = JSON; i <= BATCHED; i++)
        if (strcmp(names[i], name) == 0)
            return (enum format)i;
    die("no such format: %s", name);
}

const char *format_subprotocol(enum format f)
{
    return subprotocols[f];
}

/* --- writing ------------------------------------------------------------------------ */

static void put_byte(struct bytes *out, unsigned byte)
{
    char c = (char)byte;
    bytes_add(out, text(&c, 1));
}

static void put_sized(struct bytes *out, unsigned first, int width, uint64_t n)
{
    put_byte(out, first);
    while (width-- > 0)
        put_byte(out, (unsigned)(n >> 8 * width) & 255);
}

static int width_of(uint64_t n)
{
    return n < 0x100 ? 0 : n < 0x10000 ? 1 : n < 0x100000000 ? 2 : 3;
}

static void put_msgpack(struct bytes *out, enum kind kind, uint64_t n)
{
    static const unsigned small[] = { 0x00, 0xA0, 0x90, 0x80, 0xC0, 0xC2, 0xC3 };
    static const unsigned most[] = { 127, 31, 15, 15, 0, 0, 0 };
    static const unsigned wide[] = { 0xCC, 0xD9, 0xDB, 0xDD };
    int width = width_of(n);
    if (n <= most[kind]) {
        put_byte(out, small[kind] | (unsigned)n);
        return;
    }
    if (kind >= LIST && width == 0)
        width = 1; /* these begin with two bytes */
    put_sized(out, wide[kind] + (unsigned)width, 1 << width, n);
}

static void put_cbor(struct bytes *out, enum kind kind, uint64_t n)
{
    static const unsigned major[] = { 0x00, 0x60, 0x80, 0xA0, 0xF6, 0xF4, 0xF5 };
    if (kind >= NONE || n < 24)
        put_byte(out, major[kind] | (unsigned)n);
    else
        put_sized(out, major[kind] | (24 + (unsigned)width_of(n)), 1 << width_of(n), n);
}

static void put_head(enum format f, struct bytes *out, enum kind kind, uint64_t n)
{
    (f == MSGPACK ? put_msgpack : put_cbor)(out, kind, n);
}

/* Where the string behind a quote ends. */
static const char *quote(const char *p, const char *end)
{
    const char *stop = memchr(p, '"', (size_t)(end - p));
    if (!stop)
        die("a message that is no JSON");
    return stop;
}

/* The elements of the list or dict that begins at p. */
static uint64_t count(const char *p, const char *end)
{
    int depth = 0;
    uint64_t n = p[1] != ']' && p[1] != '}';
    for (; p < end; p++) {
        if (*p == '"')
            p = quote(p + 1, end);
        depth += (*p == '[' || *p == '{') - (*p == ']' || *p == '}');
        if (depth == 0)
            break;
        n += depth == 1 && *p == ',';
    }
    return n;
}

static const char *write_value(enum format f, const char *p, const char *end,
                               struct bytes *out);

static const char *write_container(enum format f, const char *p, const char *end,
                                   struct bytes *out)
{
    put_head(f, out, *p == '[' ? LIST : DICT, count(p, end));
    for (p++; p < end && *p != ']' && *p != '}';)
        p = *p == ',' || *p == ':' ? p + 1 : write_value(f, p, end, out);
    return p + 1;
}

static const char *write_value(enum format f, const char *p, const char *end,
                               struct bytes *out)
{
    const char *stop = p;
    switch (*p) {
    case '[':
    case '{':
        return write_container(f, p, end, out);
    case '"':
        stop = quote(p + 1, end);
        put_head(f, out, TEXT, (uint64_t)(stop - p - 1));
        bytes_add(out, text(p + 1, (size_t)(stop - p - 1)));
        return stop + 1;
    case 'n':
    case 't':
        put_head(f, out, *p == 'n' ? NONE : TRUE, 0);
        return p + 4;
    case 'f':
        put_head(f, out, FALSE, 0);
        return p + 5;
    default:
        while (stop < end && *stop >= '0' && *stop <= '9')
            stop++;
        if (stop == p)
            die("a message that is no JSON of ours");
        put_head(f, out, NUMBER, slice_number(text(p, (size_t)(stop - p))));
        return stop;
    }
}

void packed_write(enum format f, struct slice json, struct bytes *out)
{
    write_value(f, json.p, json.p + json.n, out);
}

/* --- reading ------------------------------------------------------------------------ */

struct input {
    const unsigned char *p, *end;
};

static uint64_t take(struct input *in, int width)
{
    uint64_t n = 0;
    if (in->end - in->p < width)
        die("a message that is cut off");
    while (width-- > 0)
        n = n << 8 | *in->p++;
    return n;
}

static enum kind take_msgpack(struct input *in, uint64_t *n)
{
    unsigned byte = (unsigned)take(in, 1);
    *n = byte & (byte < 0x80 ? 127 : byte < 0xA0 ? 15 : 31);
    if (byte < 0xC0)
        return byte < 0x80 ? NUMBER : byte < 0x90 ? DICT : byte < 0xA0 ? LIST : TEXT;
    if (byte == 0xC0 || byte == 0xC2 || byte == 0xC3)
        return byte == 0xC0 ? NONE : byte == 0xC2 ? FALSE : TRUE;
    if (byte >= 0xCC && byte <= 0xCF) {
        *n = take(in, 1 << (byte - 0xCC));
        return NUMBER;
    }
    if (byte < 0xD9)
        die("MsgPack's 0x%x is none of ours", byte);
    *n = take(in, byte < 0xDC ? 1 << (byte - 0xD9) : 2 << (byte & 1));
    return byte < 0xDC ? TEXT : byte < 0xDE ? LIST : DICT;
}

static enum kind take_cbor(struct input *in, uint64_t *n)
{
    unsigned byte = (unsigned)take(in, 1), info = byte & 31;
    *n = info;
    if (byte >= 0xF4 && byte <= 0xF6)
        return byte == 0xF4 ? FALSE : byte == 0xF5 ? TRUE : NONE;
    if (info > 27 || (byte >> 5 != 0 && (byte >> 5 < 3 || byte >> 5 > 5)))
        die("CBOR's 0x%x is none of ours", byte);
    if (info > 23)
        *n = take(in, 1 << (info - 24));
    return byte >> 5 == 0 ? NUMBER : byte >> 5 == 3 ? TEXT : byte >> 5 == 4 ? LIST : DICT;
}

static void read_value(enum format f, struct input *in, struct bytes *out);

static void read_text(struct input *in, uint64_t n, struct bytes *out)
{
    if ((uint64_t)(in->end - in->p) < n)
        die("a message that is cut off");
    put_byte(out, '"');
    bytes_add(out, text((const char *)in->p, n));
    put_byte(out, '"');
    in->p += n;
}

static void read_container(enum format f, struct input *in, uint64_t n, bool dict,
                           struct bytes *out)
{
    put_byte(out, dict ? '{' : '[');
    for (uint64_t i = 0; i < n; i++) {
        if (i > 0)
            put_byte(out, ',');
        read_value(f, in, out);
        if (dict) {
            put_byte(out, ':');
            read_value(f, in, out);
        }
    }
    put_byte(out, dict ? '}' : ']');
}

static void read_value(enum format f, struct input *in, struct bytes *out)
{
    char digits[24];
    uint64_t n;
    enum kind kind = (f == MSGPACK ? take_msgpack : take_cbor)(in, &n);
    switch (kind) {
    case NUMBER:
        bytes_add(out, text(digits, (size_t)(put_number(digits, n) - digits)));
        return;
    case TEXT:
        read_text(in, n, out);
        return;
    case LIST:
    case DICT:
        read_container(f, in, n, kind == DICT, out);
        return;
    default:
        bytes_add(out, kind == NONE   ? LIT("null")
                       : kind == TRUE ? LIT("true")
                                      : LIT("false"));
    }
}

void packed_read(enum format f, struct slice packed, struct bytes *out)
{
    struct input in = { (const unsigned char *)packed.p,
                        (const unsigned char *)packed.p + packed.n };
    read_value(f, &in, out);
}
