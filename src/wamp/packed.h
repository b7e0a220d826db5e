/* packed.h - what MsgPack and CBOR share: lists and dicts that say in front how many
 * elements they have, strings that say how many bytes, and numbers in big-endian bytes.
 *
 * A format gives packed_next one function, which reads a head: a whole scalar, or how
 * a container begins. What containers still lack is counted in r->left, so nothing
 * recurses, and a length that somebody declared costs nothing: it is held against the
 * bytes that are there before it means anything. Everybody else uses wire.h. */
#ifndef WAMP_PACKED_H
#define WAMP_PACKED_H

#include "wamp/wire.h"

/* The number of elements of a container that ends in a break (CBOR). */
#define PACKED_OPEN UINT64_MAX
#define PACKED_BREAK ((char)0xFF)

/* Reads what stands at r->p and moves r->p behind it. For TOKEN_LIST and TOKEN_DICT sets
 * *count: elements or entries. TOKEN_ERROR: by reader_fail. */
typedef enum token packed_head(struct reader *r, uint64_t *count);

enum token packed_next(struct reader *r, packed_head *head);
bool packed_skip(struct reader *r, struct slice *value, packed_head *head);

/* ---- parts of heads; r->p is moved behind them; at an error TOKEN_ERROR or false --- */

/* An unsigned number of `width` bytes. */
bool packed_number(struct reader *r, unsigned width, uint64_t *n);

/* A number of `width` bytes in IEEE 754: 2, 4 or 8. Must be finite. */
enum token packed_float(struct reader *r, unsigned width);

/* `n`, or -1 - n if negative: TOKEN_INT, outside int64 TOKEN_FLOAT. */
enum token packed_integer(struct reader *r, uint64_t n, bool negative);

/* `n` bytes, or of UTF-8 for TOKEN_STRING; sets r->text. */
enum token packed_bytes(struct reader *r, uint64_t n, enum token token);

/* r->text as it stands: for formats in which nothing is ever escaped. */
struct slice packed_text(const struct reader *r, struct buf **scratch);

/* ---- writing ----------------------------------------------------------------------- */

/* One byte, and behind it `n` in `width` bytes. */
void packed_put(struct writer *w, unsigned char byte, uint64_t n, unsigned width);

/* `n` in the 1, 2, 4 or 8 bytes that it needs, which is said by one of four codes in a
 * row, the first of which is `byte`. */
void packed_put_sized(struct writer *w, unsigned char byte, uint64_t n);
void packed_put_float(struct writer *w, unsigned char byte, double f);
void packed_raw(struct writer *w, struct slice bytes);
void packed_end(struct writer *w); /* of lists and dicts: nothing stands there */

#endif
