/* raw_frame.h - RawSocket (WAMP: RawSocket transport) as bytes: the handshake of both
 * sides, and frames. No sockets, no time.
 *
 * Either side says in four octets how long a message it takes and which serializer it
 * wants; from there on a message is four octets of head and the payload. The longest
 * payload is one of sixteen sizes, 512 bytes to 16 MiB. Nothing is ever reserved for a
 * length that was only declared. */
#ifndef NET_RAW_FRAME_H
#define NET_RAW_FRAME_H

#include "base/buf.h"

#define RAW_MAGIC 0x7f /* the first octet of a handshake; no HTTP request begins so */
#define RAW_HEAD 4     /* octets of a handshake, and of a frame's head */

/* ---- the handshake ----------------------------------------------------------------- */

struct raw_hello {
    unsigned serializer; /* RawSocket's number: 1 JSON, 2 MsgPack, 3 CBOR ... */
    size_t takes;        /* bytes of the longest message that the sender takes */
};

/* Why a handshake fails: what a server answers with (1 to 4), or no handshake at all. */
enum raw_refusal {
    RAW_ACCEPTED = 0,
    RAW_SERIALIZER = 1,  /* is not spoken here */
    RAW_LENGTH = 2,      /* messages of this length are not acceptable */
    RAW_RESERVED = 3,    /* octets are set that mean nothing yet */
    RAW_CONNECTIONS = 4, /* there are too many */
    RAW_FOREIGN = -1,    /* the other side speaks something else */
    RAW_ILLEGAL = -2     /* a code that must not be used */
};

/* The size that is announced for messages of up to `max` bytes: the next power of two
 * that RawSocket can express. */
size_t raw_announced(size_t max);

/* `takes` must be one of the sixteen sizes. */
void raw_hello_write(const struct raw_hello *h, unsigned char out[RAW_HEAD]);
void raw_refusal_write(enum raw_refusal why, unsigned char out[RAW_HEAD]);

/* A client's handshake: RAW_ACCEPTED fills *h. */
enum raw_refusal raw_hello_read(struct raw_hello *h, const unsigned char in[RAW_HEAD]);

/* A server's answer: RAW_ACCEPTED fills *h. Codes above 4 come as they are. */
int raw_answer_read(struct raw_hello *h, const unsigned char in[RAW_HEAD]);

/* The number of "wamp.2.json" and its kind; 0 for one that has none. Batched forms have
 * that of their format: whatever RawSocket says at once goes out in one piece anyway. */
unsigned raw_serializer_of(const char *subprotocol);

/* ---- frames ------------------------------------------------------------------------ */

enum raw_type { RAW_MESSAGE, RAW_PING, RAW_PONG };

/* The head of a frame with `n` bytes, at most 2^24, behind it. */
void raw_head_write(enum raw_type type, size_t n, unsigned char out[RAW_HEAD]);

enum raw_found {
    RAW_FRAME, /* a whole one */
    RAW_MORE,  /* all input is used up */
    RAW_RESERVED_BITS,
    RAW_RESERVED_TYPE,
    RAW_TOO_LONG
};

struct raw_reader {      /* zero-initialised but for `max` */
    size_t max;          /* bytes of the longest payload that is taken */
    size_t length;       /* declared by the head, when that is whole */
    struct buf *payload; /* owned: of the frame under way, once its head is whole */
    enum raw_type type;
    unsigned have; /* octets of the head */
    unsigned char head[RAW_HEAD];
};

/* Takes the next frame off the front of *in: RAW_FRAME gives its type and payload, whose
 * reference passes. After a violation the reader is of no use any more. */
enum raw_found raw_read(struct raw_reader *r, struct slice *in, enum raw_type *type,
                        struct buf **payload);

/* Bytes that are missing from the frame under way; 0 between frames. */
size_t raw_missing(const struct raw_reader *r);
void raw_reader_fini(struct raw_reader *r);

#endif
