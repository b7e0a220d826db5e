/* base64.c - RFC 4648 base64, strict, for binary values in JSON. See base64.h.
 *
 * Not known here: where the text comes from. One idea: three bytes are four characters
 * of six bits each, so a group is a 24-bit number, and the last group says by its
 * padding how many of the three bytes are there. A decoder that let the unused bits of
 * the last group be anything would read many texts as the same bytes; this one reads
 * exactly one. */
#include "wamp/base64.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode_group(char *out, const unsigned char *in, size_t n)
{
    uint32_t bits = (uint32_t)in[0] << 16;

    if (n > 1)
        bits |= (uint32_t)in[1] << 8;
    if (n > 2)
        bits |= in[2];
    out[0] = alphabet[bits >> 18];
    out[1] = alphabet[bits >> 12 & 63];
    out[2] = n > 1 ? alphabet[bits >> 6 & 63] : '=';
    out[3] = n > 2 ? alphabet[bits & 63] : '=';
}

void base64_encode(char *out, struct slice bytes)
{
    const unsigned char *in = (const unsigned char *)bytes.p;

    for (size_t i = 0; i < bytes.n; i += 3, out += 4)
        encode_group(out, in + i, bytes.n - i);
}

struct buf *base64_text(struct slice bytes)
{
    struct buf *text = buf_new(BASE64_SIZE(bytes.n));

    base64_encode(text->data, bytes);
    text->len = BASE64_SIZE(bytes.n);
    return text;
}

/* The six bits of a character; 64, which is no six bits, for all others. */
static uint32_t value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint32_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint32_t)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0') + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : 64;
}

/* Bytes in the group at `in`, -1 when it is none. Padding is good in the last group
 * only. */
static int decode_group(char *out, const char *in, bool last)
{
    int n = 3;
    uint32_t bits = 0, bad = 0;

    if (last && in[3] == '=')
        n = in[2] == '=' ? 1 : 2;
    for (int i = 0; i < 4; i++) {
        uint32_t v = i <= n ? value_of(in[i]) : 0;

        bad |= v & 64;
        bits = bits << 6 | (v & 63);
    }
    if (bad || (n < 3 && bits & (n == 1 ? 0xFFFF : 0xFF)))
        return -1;
    out[0] = (char)(bits >> 16);
    if (n > 1)
        out[1] = (char)(bits >> 8);
    if (n > 2)
        out[2] = (char)bits;
    return n;
}

bool base64_decode(char *out, struct slice text, size_t *n)
{
    size_t done = 0;

    if (text.n % 4)
        return false;
    for (size_t i = 0; i < text.n; i += 4) {
        int got = decode_group(out + done, text.p + i, i + 4 == text.n);

        if (got < 0)
            return false;
        done += (size_t)got;
    }
    *n = done;
    return true;
}
