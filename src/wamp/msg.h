/* msg.h - WAMP messages: the grammar as one table, and an envelope decoded by it.
 *
 * A message is a list; its first element says which of the 24 rows of the table
 * describes the rest. Decoding fills a struct msg: numbers, and slices for everything
 * else. Option dicts, arguments and keyword arguments are checked to be well-formed and
 * of the right kind but are not parsed: they stay slices of the message they came in,
 * spliced into the next one as they are. opts.h reads a dict when somebody needs it.
 *
 * Not known here: sessions, routing, sockets. */
#ifndef WAMP_MSG_H
#define WAMP_MSG_H

#include <stdbool.h>
#include <stdint.h>

#include "wamp/wire.h"

enum msg_code {
    MSG_HELLO = 1,
    MSG_WELCOME = 2,
    MSG_ABORT = 3,
    MSG_CHALLENGE = 4,
    MSG_AUTHENTICATE = 5,
    MSG_GOODBYE = 6,
    MSG_ERROR = 8,
    MSG_PUBLISH = 16,
    MSG_PUBLISHED = 17,
    MSG_SUBSCRIBE = 32,
    MSG_SUBSCRIBED = 33,
    MSG_UNSUBSCRIBE = 34,
    MSG_UNSUBSCRIBED = 35,
    MSG_EVENT = 36,
    MSG_CALL = 48,
    MSG_CANCEL = 49,
    MSG_RESULT = 50,
    MSG_REGISTER = 64,
    MSG_REGISTERED = 65,
    MSG_UNREGISTER = 66,
    MSG_UNREGISTERED = 67,
    MSG_INVOCATION = 68,
    MSG_INTERRUPT = 69,
    MSG_YIELD = 70
};

/* Who may send a message, and when (bits). */
enum { FROM_CLIENT = 1, FROM_ROUTER = 2 };
enum {
    STATE_OPENING = 1,     /* transport up, nothing agreed (router: waits for HELLO) */
    STATE_CHALLENGING = 2, /* CHALLENGE sent, AUTHENTICATE not yet here */
    STATE_JOINED = 4,      /* WELCOME sent */
    STATE_CLOSING = 8      /* GOODBYE sent, its answer not yet here */
};

/* One row of the grammar. `shape` has one letter per element after the code:
 *   r request id          z request id, or 0 with a dict behind it (revocation)
 *   i session id          h subscription or registration id      p publication id
 *   t code of the request that an ERROR answers
 *   u URI                 s string
 *   d options or details  D the same, may be absent
 *   A arguments list, K keyword arguments dict: may be absent, A before K. In their place
 *     a payload may stand that only its ends can read (opaque.h) */
struct msg_row {
    enum msg_code code;
    const char *name;
    const char *shape;
    unsigned from;   /* FROM_... */
    unsigned states; /* STATE_... in which its receiver may get it */
    int answer;      /* code of the answer to a request, 0 for none */
};

extern const struct msg_row msg_rows[];
extern const unsigned msg_row_count; /* 24 */

const struct msg_row *msg_row(int64_t code); /* NULL when there is no such message */
const char *msg_name(int64_t code); /* "CALL"; "?" when there is no such message */

struct msg {
    const struct msg_row *row;
    const struct wire *wire; /* the format of dict, args and kwargs */
    uint64_t request;        /* r, z */
    uint64_t id;             /* i, h */
    uint64_t publication;    /* p */
    int type;                /* t */
    struct slice uri;        /* u */
    struct slice text;       /* s */
    struct slice dict;       /* d, D; absent when the element is (encoded as {} for d) */
    struct slice args;       /* A; absent when the element is */
    bool opaque;             /* args is no list, but one string (opaque.h) */
    struct slice kwargs;     /* K */
    struct buf *bytes; /* one reference on what the slices point into; NULL for a message
                                being built from slices that somebody else keeps alive */
    struct buf *scratch[2]; /* owned; decoded forms of an escaped uri, text */
};

/* What was wrong with a message, for ABORT or ERROR. */
struct fault {
    /* static: wamp.error.protocol_violation, wamp.error.invalid_uri, ... */
    const char *uri;
    char text[200]; /* names the message, the element and what was expected */
};

void fault_set(struct fault *f, const char *uri, const char *fmt, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 3, 4)))
#endif
    ;

/* Decodes one whole message: list? known code? allowed length? right types? ids in
 * range? Takes a reference on `bytes` for the message's life: end it with msg_fini.
 * False fills `f` (protocol_violation) and leaves nothing to free. URIs are not checked
 * here: which rule holds depends on options (msg_uri_ok). */
bool msg_decode(struct msg *m, const struct wire *wire, struct buf *bytes,
                struct fault *f);

/* Whether the receiver of `m`, in `state`, may get it from `from`. False fills `f`. */
bool msg_allowed(const struct msg *m, unsigned from, unsigned state, struct fault *f);

/* Encodes a message in `wire`, which must be the format of its dict, args and kwargs. An
 * absent d becomes {}; absent A and K are left off ([] stands in for A when only K is
 * there). */
struct buf *msg_encode(const struct msg *m, const struct wire *wire);

/* Moves `from` to `to` (which is overwritten); `from` holds nothing afterwards. */
void msg_move(struct msg *to, struct msg *from);

/* Makes `to` (which is overwritten) one more holder of what `from` holds: its slices are
 * good for as long. `from` must have been decoded. */
void msg_keep(struct msg *to, const struct msg *from);

/* The arguments of a message, which was decoded, have been read and are absent from now
 * on: a long one does not keep its bytes any longer. */
void msg_shed(struct msg *m);

void msg_fini(struct msg *m); /* drops the references; harmless twice */

#endif
