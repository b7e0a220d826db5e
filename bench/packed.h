/* packed: messages in MsgPack and CBOR for a load generator that thinks in JSON.
 *
 * Everything a peer says and hears is JSON to it; where it speaks another format a
 * message is put into that on its way out, and back on its way in. This costs the load
 * generator, which nobody charges. Only what these tools and a router's answers to them
 * have in them is known: no escapes, no fractions, no negative numbers.
 */
#ifndef BENCH_PACKED_H
#define BENCH_PACKED_H

#include "wire.h"

/* BATCHED is JSON, many messages to a frame: no business of packed.c. */
enum format { JSON, MSGPACK, CBOR, BATCHED };

enum format format_of(const char *name);
const char *format_subprotocol(enum format f);
/* Both append to out. */
void packed_write(enum format f, struct slice json, struct bytes *out);
void packed_read(enum format f, struct slice packed, struct bytes *out);

#endif
