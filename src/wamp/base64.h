/* base64.h - RFC 4648 base64: standard alphabet, padded, strict. */
#ifndef WAMP_BASE64_H
#define WAMP_BASE64_H

#include "base/buf.h"

#define BASE64_SIZE(n) (((n) + 2) / 3 * 4) /* what n bytes become */

/* Writes BASE64_SIZE(bytes.n) characters to `out`, without NUL. */
void base64_encode(char *out, struct slice bytes);

/* The same in a buf of its own. */
struct buf *base64_text(struct slice bytes);

/* Decodes into `out` (at most text.n / 4 * 3 bytes; it may be where the text itself
 * begins, or in front of it) and sets *n. False for anything but what base64_encode could
 * have written: no padding, other characters, bits set behind the last byte. */
bool base64_decode(char *out, struct slice text, size_t *n);

#endif
