/* batch.h - several WAMP messages in one WebSocket message (WAMP: batched WebSocket
 * transport): the subprotocols "wamp.2.json.batched" and their like. No sockets.
 *
 * Behind each message of JSON stands an ASCII record separator; before each message of
 * another format its length, in 32 bits. A batch is read as it comes, so that it may be
 * longer than any message is allowed to be, and nothing is ever reserved for a length
 * that was only declared. */
#ifndef NET_BATCH_H
#define NET_BATCH_H

#include "base/buf.h"

#define BATCH_SUFFIX ".batched"
#define BATCH_HEAD 4 /* bytes of a length */

enum batch {
    BATCH_NONE, /* a WebSocket message is a WAMP message */
    BATCH_SEPARATED,
    BATCH_COUNTED
};

/* How messages follow each other under this subprotocol. */
enum batch batch_of(const char *subprotocol);

/* ---- writing ----------------------------------------------------------------------- */

/* Bytes of a message in a batch, which batch_add appends to it. */
size_t batch_size(enum batch kind, size_t message);
void batch_add(enum batch kind, struct buf **batch, struct slice message);

/* ---- reading ----------------------------------------------------------------------- */

enum batch_found {
    BATCH_MESSAGE, /* a whole one */
    BATCH_MORE,    /* all input is used up */
    BATCH_TOO_LONG /* a message is over the limit */
};

struct batch_reader { /* zero-initialised but for `kind` and `max` */
    enum batch kind;
    size_t max;       /* bytes of the longest message that is taken */
    struct buf *part; /* owned: of the message under way; NULL: nothing of it yet */
    size_t length;    /* declared for it, once its head is whole */
    unsigned have;    /* bytes of that head */
    bool any;         /* the batch has had a message */
};

/* Takes the next message off the front of *in: its reference passes. After BATCH_TOO_LONG
 * the reader is of no use any more. */
enum batch_found batch_read(struct batch_reader *r, struct slice *in,
                            struct buf **message);

/* The batch has come to its end: NULL, and the reader is ready for the next one, or what
 * is wrong with it. */
const char *batch_end(struct batch_reader *r);

/* Drops what has come of a message. */
void batch_reader_fini(struct batch_reader *r);

#endif
