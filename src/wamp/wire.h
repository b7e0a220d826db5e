/* wire.h - the seam between WAMP and its serializations: JSON, MsgPack, CBOR.
 *
 * A format is one struct wire. Reading is pulling tokens from a slice; writing is
 * pushing values into a struct buf. Neither builds a tree, neither recurses, neither
 * knows about messages or Lua. reader_skip passes over a whole value while checking it,
 * and says where its bytes are: this is how payload is carried without being parsed.
 *
 * A reader is strict: what it accepts is well-formed in its format, valid UTF-8, at most
 * LIMIT_DEPTH deep. After the first error it stays in error. */
#ifndef WAMP_WIRE_H
#define WAMP_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "wamp/limits.h"

enum token {
    TOKEN_ERROR, /* r->error says what, r->p where */
    TOKEN_END,   /* the input was exactly one value, and it has been read */
    TOKEN_NULL,
    TOKEN_FALSE,
    TOKEN_TRUE,
    TOKEN_INT,    /* r->integer */
    TOKEN_FLOAT,  /* r->number, finite; also an integer outside int64, as in Lua */
    TOKEN_STRING, /* r->text, r->escaped */
    /* r->text, r->escaped (JSON: a string whose first character is U+0000) */
    TOKEN_BINARY,
    TOKEN_LIST,
    TOKEN_LIST_END,
    TOKEN_DICT,
    TOKEN_DICT_END,
    TOKEN_KEY /* r->text, r->escaped; a dict's entries are KEY, value, KEY, value ... */
};

struct reader {
    const struct wire *wire;
    const char *start, *p, *end; /* borrowed input; p is what comes next */
    const char *error;           /* static text; NULL while all is well */
    int64_t integer;
    double number;
    struct slice text; /* a string's bytes as they stand in the input, without quotes */
    bool escaped;      /* text needs reader_text to become the string's value */
    unsigned depth;    /* open lists and dicts */
    uint64_t dicts[(LIMIT_DEPTH + 63) / 64]; /* bit d: container d is a dict */
    int state;                               /* the format's own */
    uint32_t left[LIMIT_DEPTH]; /* the format's own; not initialised: most readers read
                                   little, and never look at it */
};

struct writer {
    const struct wire *wire;
    struct buf *buf; /* owned until writer_take */
};

/* Formats are numbered as RawSocket does (WAMP: RawSocket, handshake). */
enum wire_id { WIRE_JSON = 1, WIRE_MSGPACK, WIRE_CBOR, WIRE_ID_COUNT };

struct wire {
    enum wire_id id;
    const char *name;        /* "json" */
    const char *subprotocol; /* "wamp.2.json" */
    bool text;               /* WebSocket text frames (true) or binary frames */

    enum token (*next)(struct reader *r);
    bool (*skip)(struct reader *r, struct slice *value);
    struct slice (*text_of)(const struct reader *r, struct buf **scratch);

    void (*null)(struct writer *w);
    void (*boolean)(struct writer *w, bool b);
    void (*integer)(struct writer *w, int64_t i);
    void (*number)(struct writer *w, double f);
    void (*string)(struct writer *w, struct slice utf8);
    void (*binary)(struct writer *w, struct slice bytes);
    void (*list)(struct writer *w, size_t n);
    void (*list_end)(struct writer *w);
    void (*dict)(struct writer *w, size_t n);
    void (*key)(struct writer *w, struct slice utf8);
    void (*dict_end)(struct writer *w);
    void (*raw)(struct writer *w, struct slice value);
};

extern const struct wire wire_json, wire_msgpack, wire_cbor;

/* The format of a subprotocol ("wamp.2.json", "wamp.2.json.batched") or of a short name
 * ("json"); NULL if unknown. */
const struct wire *wire_of_subprotocol(struct slice subprotocol);
const struct wire *wire_of_name(struct slice name);

/* The subprotocols of all formats, then their batched forms; NULL-terminated. */
#define WIRE_PREFIX "wamp.2."
#define WIRE_SUBPROTOCOLS 6
extern const char *const wire_subprotocols[];

/* What `serializers` and --serializer call a subprotocol ("json.batched"), and back: NULL
 * if unknown. */
const char *wire_serializer(const char *subprotocol);
const char *wire_subprotocol_of(struct slice serializer);

/* ---- reading ----------------------------------------------------------------------- */

void reader_init(struct reader *r, const struct wire *wire, struct slice input);

/* The next token. TOKEN_END only after one complete value with nothing but white space
 * behind. */
static inline enum token reader_next(struct reader *r)
{
    return r->wire->next(r);
}

/* Passes over the next value (checking all of it) and sets *value to its bytes, without
 * white space around. False at an error, or where no value can stand (end of a list or
 * dict, in front of a key): then nothing is passed over and reader_next gives the token
 * that stands there. */
static inline bool reader_skip(struct reader *r, struct slice *value)
{
    return r->wire->skip(r, value);
}

/* The value of the STRING, BINARY or KEY just read: the input's own bytes where nothing
 * is escaped, otherwise decoded into *scratch, which is made when NULL and appended to,
 * so that earlier results in the same scratch may move: take what you need before the
 * next call, or use one scratch a string. A BINARY whose base64 is bad gives the absent
 * slice. */
static inline struct slice reader_text(const struct reader *r, struct buf **scratch)
{
    return r->wire->text_of(r, scratch);
}

/* ---- for formats ------------------------------------------------------------------- */

#define READER_TEXT(x) #x
#define READER_DEEPER_THAN(limit) "nested deeper than " READER_TEXT(limit)
#define READER_TOO_DEEP READER_DEEPER_THAN(LIMIT_DEPTH)

/* Returns NULL. The end of the input has words of its own: `what` may be NULL there. */
const char *reader_fail(struct reader *r, const char *p, const char *what);

/* Whether the innermost of `depth` open containers is a dict. */
static inline bool reader_is_dict(const struct reader *r, unsigned depth)
{
    return depth && (r->dicts[(depth - 1) / 64] >> (depth - 1) % 64 & 1);
}

static inline void reader_set_dict(struct reader *r, unsigned depth, bool dict)
{
    uint64_t bit = 1ULL << (depth - 1) % 64, *word = &r->dicts[(depth - 1) / 64];

    *word = dict ? *word | bit : *word & ~bit;
}

/* ---- writing -----------------------------------------------------------------------
 * The caller nests rightly and gives list and dict their number of elements (pairs for
 * a dict), which must be right: not all formats look at it. Strings must be valid
 * UTF-8 (utf8_ok), numbers finite: asserted. `raw` splices a value of the same format
 * as it stands. */

void writer_init(struct writer *w, const struct wire *wire, size_t reserve);
struct buf *writer_take(
    struct writer *w);              /* the bytes; the reference passes to the caller */
void writer_fini(struct writer *w); /* for a writer that was not taken; harmless after */

static inline void writer_null(struct writer *w)
{
    w->wire->null(w);
}
static inline void writer_bool(struct writer *w, bool b)
{
    w->wire->boolean(w, b);
}
static inline void writer_int(struct writer *w, int64_t i)
{
    w->wire->integer(w, i);
}
static inline void writer_float(struct writer *w, double f)
{
    w->wire->number(w, f);
}
static inline void writer_string(struct writer *w, struct slice s)
{
    w->wire->string(w, s);
}
static inline void writer_binary(struct writer *w, struct slice s)
{
    w->wire->binary(w, s);
}
static inline void writer_list(struct writer *w, size_t n)
{
    w->wire->list(w, n);
}
static inline void writer_list_end(struct writer *w)
{
    w->wire->list_end(w);
}
static inline void writer_dict(struct writer *w, size_t n)
{
    w->wire->dict(w, n);
}
static inline void writer_key(struct writer *w, struct slice s)
{
    w->wire->key(w, s);
}
static inline void writer_dict_end(struct writer *w)
{
    w->wire->dict_end(w);
}
static inline void writer_raw(struct writer *w, struct slice value)
{
    w->wire->raw(w, value);
}

/* ---- text -------------------------------------------------------------------------- */

/* True when the bytes are well-formed UTF-8 (RFC 3629: no surrogates, nothing over
 * U+10FFFF, no overlong forms). */
bool utf8_ok(struct slice s);

/* Bytes (1 to 4) of the well-formed UTF-8 sequence that begins at `s`, of which `n` may
 * be read; 0 when there is none. */
size_t utf8_length(const char *s, size_t n);

#endif
