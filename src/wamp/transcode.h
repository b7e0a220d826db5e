/* transcode.h - a value of one format in another.
 *
 * Every value that one format can say arrives in the others, and stays what it is,
 * with these exceptions. An integer outside int64 becomes the float next to it. Text
 * that begins with U+0000 would be read as bytes from JSON, and becomes bytes on its
 * way there. A string of JSON that looks like bytes and is no base64 becomes the bytes
 * of its spelling. Tags of CBOR get lost. */
#ifndef WAMP_TRANSCODE_H
#define WAMP_TRANSCODE_H

#include "wamp/wire.h"

/* `value` (one well-formed value in `from`) in `to`, as a buf of its own. NULL when
 * that is longer than a message may be. */
struct buf *transcode(struct slice value, const struct wire *from, const struct wire *to);

/* One token that `r` has read, into a text format; `scratch` as of reader_text. */
void transcode_token(const struct reader *r, enum token token, struct writer *w,
                     struct buf **scratch);

#endif
