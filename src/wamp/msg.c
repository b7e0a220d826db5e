/* msg.c - the grammar of WAMP: 24 messages, one row each, and a decoder, an encoder
 * and checks that know nothing but this table.
 *
 * How to read it. A message is a list: its code, then one element for each letter of
 * the shape (msg.h says what each letter is, and which field of struct msg it fills).
 * CALL is "rduAK":
 *     [48, request, options dict, procedure URI, arguments list, keyword arguments dict]
 * Capital letters may be absent, from the end. Then come who sends the message, the
 * states in which its receiver may get it, and the code of what answers it. ERROR
 * answers any request.
 *
 * New message? Add a row, in order of code; its code to enum msg_code; `first_row`
 * below when the group of 16 changes size; its keys to the table in opts.c; the rule
 * of its URI to msg_uri_ok; a case to whoever takes it (session.c, router/peer.c). The
 * tests and the fuzz seeds read the table themselves.
 *
 * What it does not know: which URIs are good and which options there are (opts.c), ids
 * and what they stand for (session.c, router/), the bytes of a format (json.c). */
#include "wamp/msg.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wamp/ids.h"
#include "wamp/opaque.h"

#define VIOLATION "wamp.error.protocol_violation"

#define CLIENT FROM_CLIENT
#define ROUTER FROM_ROUTER
#define BOTH (FROM_CLIENT | FROM_ROUTER)
#define OPENING STATE_OPENING
#define PROOF STATE_CHALLENGING
#define JOINING (STATE_OPENING | STATE_CHALLENGING)
#define JOINED (STATE_JOINED | STATE_CLOSING) /* what crossed our GOODBYE is no fault */
#define ALWAYS (JOINING | JOINED)

/* clang-format off */
const struct msg_row msg_rows[] = {
    { MSG_HELLO,        "HELLO",        "ud",     CLIENT, OPENING, MSG_WELCOME },
    { MSG_WELCOME,      "WELCOME",      "id",     ROUTER, JOINING, 0 },
    { MSG_ABORT,        "ABORT",        "duAK",   BOTH,   ALWAYS,  0 },
    { MSG_CHALLENGE,    "CHALLENGE",    "sd",     ROUTER, OPENING, MSG_AUTHENTICATE },
    { MSG_AUTHENTICATE, "AUTHENTICATE", "sd",     CLIENT, PROOF,   MSG_WELCOME },
    { MSG_GOODBYE,      "GOODBYE",      "du",     BOTH,   JOINED,  MSG_GOODBYE },
    { MSG_ERROR,        "ERROR",        "trduAK", BOTH,   JOINED,  0 },

    { MSG_PUBLISH,      "PUBLISH",      "rduAK",  CLIENT, JOINED,  MSG_PUBLISHED },
    { MSG_PUBLISHED,    "PUBLISHED",    "rp",     ROUTER, JOINED,  0 },

    { MSG_SUBSCRIBE,    "SUBSCRIBE",    "rdu",    CLIENT, JOINED,  MSG_SUBSCRIBED },
    { MSG_SUBSCRIBED,   "SUBSCRIBED",   "rh",     ROUTER, JOINED,  0 },
    { MSG_UNSUBSCRIBE,  "UNSUBSCRIBE",  "rh",     CLIENT, JOINED,  MSG_UNSUBSCRIBED },
    { MSG_UNSUBSCRIBED, "UNSUBSCRIBED", "zD",     ROUTER, JOINED,  0 },
    { MSG_EVENT,        "EVENT",        "hpdAK",  ROUTER, JOINED,  0 },

    { MSG_CALL,         "CALL",         "rduAK",  CLIENT, JOINED,  MSG_RESULT },
    { MSG_CANCEL,       "CANCEL",       "rd",     CLIENT, JOINED,  0 },
    { MSG_RESULT,       "RESULT",       "rdAK",   ROUTER, JOINED,  0 },

    { MSG_REGISTER,     "REGISTER",     "rdu",    CLIENT, JOINED,  MSG_REGISTERED },
    { MSG_REGISTERED,   "REGISTERED",   "rh",     ROUTER, JOINED,  0 },
    { MSG_UNREGISTER,   "UNREGISTER",   "rh",     CLIENT, JOINED,  MSG_UNREGISTERED },
    { MSG_UNREGISTERED, "UNREGISTERED", "zD",     ROUTER, JOINED,  0 },
    { MSG_INVOCATION,   "INVOCATION",   "rhdAK",  ROUTER, JOINED,  MSG_YIELD },
    { MSG_INTERRUPT,    "INTERRUPT",    "rd",     ROUTER, JOINED,  0 },
    { MSG_YIELD,        "YIELD",        "rdAK",   CLIENT, JOINED,  0 },
};
/* clang-format on */

const unsigned msg_row_count = sizeof msg_rows / sizeof *msg_rows;

/* Where each group of 16 codes begins in the table, and where the last one ends. */
static const unsigned char first_row[] = { 0, 7, 9, 14, 17, 24 };

#define GROUPS ((int64_t)sizeof first_row - 1)
#define ELEMENTS 7 /* of the longest message, with its code */

const struct msg_row *msg_row(int64_t code)
{
    if (code < 0 || code >= 16 * GROUPS)
        return NULL;
    for (unsigned i = first_row[code / 16]; i < first_row[code / 16 + 1]; i++)
        if ((int64_t)msg_rows[i].code == code)
            return &msg_rows[i];
    return NULL;
}

const char *msg_name(int64_t code)
{
    const struct msg_row *row = msg_row(code);

    return row ? row->name : "?";
}

/* Whether an ERROR may name this code: a request with an id and an answer. */
static bool can_fail(const struct msg_row *row)
{
    return row && row->answer && row->shape[0] == 'r';
}

static bool is_optional(char letter)
{
    return letter == 'D' || letter == 'A' || letter == 'K';
}

/* ---- faults ------------------------------------------------------------------------ */

/* Peers' words get into `text`, and it goes into messages and logs: it stays one line
 * of valid UTF-8, even when cut in the middle of a character. */
void fault_set(struct fault *f, const char *uri, const char *fmt, ...)
{
    bool utf8;
    va_list args;

    f->uri = uri;
    va_start(args, fmt);
    vsnprintf(f->text, sizeof f->text, fmt, args);
    va_end(args);
    utf8 = utf8_ok(slice_of(f->text));
    for (unsigned char *p = (unsigned char *)f->text; *p; p++)
        if (*p < 0x20 || *p == 0x7F || (*p >= 0x80 && !utf8))
            *p = '?';
}

/* What a letter stands for, in the words of a fault. */
static const struct kind {
    char letter;
    const char *what, *must;
} kinds[] = {
    { 'r', "request id", "an integer from 1 to 9007199254740992" },
    { 'z', "request id", "an integer from 0 to 9007199254740992" },
    { 'i', "session id", "an integer from 1 to 9007199254740992" },
    { 'h', "subscription or registration id", "an integer from 1 to 9007199254740992" },
    { 'p', "publication id", "an integer from 1 to 9007199254740992" },
    { 't', "request type", "one of 16, 32, 34, 48, 64, 66 and 68" },
    { 'u', "URI", "a string" },
    { 's', "text", "a string" },
    { 'd', "options or details", "a dict" },
    { 'D', "details", "a dict" },
    { 'A', "arguments", "a list" },
    { 'K', "keyword arguments", "a dict" },
};

static void fault_element(struct fault *f, const struct msg_row *row, size_t i)
{
    const struct kind *k = kinds;

    while (k->letter != row->shape[i])
        k++;
    fault_set(f, VIOLATION, "%s: element %d (%s) must be %s", row->name, (int)i + 2,
              k->what, k->must);
}

static void fault_length(struct fault *f, const struct msg_row *row, size_t n)
{
    size_t most = strlen(row->shape) + 1, least = most;
    const char *s = n == 1 ? "" : "s";

    while (is_optional(row->shape[least - 2]))
        least--;
    if (least == most)
        fault_set(f, VIOLATION, "%s: %zu element%s, expected %zu", row->name, n, s, most);
    else
        fault_set(f, VIOLATION, "%s: %zu element%s, expected %zu to %zu", row->name, n, s,
                  least, most);
}

static void fault_format(struct fault *f, const struct reader *r)
{
    char name[16];

    snprintf(name, sizeof name, "%s", r->wire->name);
    for (char *p = name; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    fault_set(f, VIOLATION, "message is not valid %s: %s at byte %zu", name,
              r->error ? r->error : "no value", (size_t)(r->p - r->start) + 1);
}

/* ---- decoding ---------------------------------------------------------------------- *
 * First the list is split into its elements, which checks that all of it is
 * well-formed; then each element's first token is held against its letter. So payload is
 * passed over once. */

/* Fills at[] with the elements, as many as fit, and *count with how many there are. */
static bool split(const struct wire *wire, struct slice input, struct slice at[ELEMENTS],
                  size_t *count, struct fault *f)
{
    struct reader r;
    struct slice element;
    enum token token;
    size_t n = 0;

    reader_init(&r, wire, input);
    token = reader_next(&r);
    if (token != TOKEN_LIST && token != TOKEN_ERROR) {
        fault_set(f, VIOLATION, "message must be a list");
        return false;
    }
    for (; reader_skip(&r, &element); n++)
        if (n < ELEMENTS)
            at[n] = element;
    if (reader_next(&r) != TOKEN_LIST_END || reader_next(&r) != TOKEN_END) {
        fault_format(f, &r);
        return false;
    }
    *count = n;
    return true;
}

static const struct msg_row *row_of(const struct wire *wire, const struct slice *at,
                                    size_t count, struct fault *f)
{
    const struct msg_row *row;
    struct reader r;

    if (count == 0) {
        fault_set(f, VIOLATION, "message is an empty list");
        return NULL;
    }
    reader_init(&r, wire, at[0]);
    if (reader_next(&r) != TOKEN_INT) {
        fault_set(f, VIOLATION, "message type must be an integer");
        return NULL;
    }
    row = msg_row(r.integer);
    if (!row)
        fault_set(f, VIOLATION, "unknown message type %lld", (long long)r.integer);
    return row;
}

static bool length_ok(const struct msg_row *row, size_t count, struct fault *f)
{
    size_t n = strlen(row->shape);

    if (count - 1 == n || (count - 1 < n && is_optional(row->shape[count - 1])))
        return true;
    fault_length(f, row, count);
    return false;
}

static bool take_id(const struct reader *r, enum token token, int64_t least, uint64_t *id)
{
    if (token != TOKEN_INT || r->integer < least || r->integer > (int64_t)ID_MAX)
        return false;
    *id = (uint64_t)r->integer;
    return true;
}

static bool take_type(const struct reader *r, enum token token, int *type)
{
    if (token != TOKEN_INT || !can_fail(msg_row(r->integer)))
        return false;
    *type = (int)r->integer;
    return true;
}

static bool take_string(const struct reader *r, enum token token, struct slice *text,
                        struct buf **scratch)
{
    if (token != TOKEN_STRING)
        return false;
    *text = reader_text(r, scratch);
    return true;
}

static bool take_raw(enum token token, enum token wanted, struct slice raw,
                     struct slice *to)
{
    if (token != wanted)
        return false;
    *to = raw;
    return true;
}

/* Arguments may be null where a router may be the sender: there are some that write it
 * (fox-wamp), and a client should survive them. What only clients send has no such
 * excuse. */
static bool take_payload(const struct msg *m, enum token token, enum token wanted,
                         struct slice raw, struct slice *to)
{
    if (token == TOKEN_NULL && (m->row->from & FROM_ROUTER))
        return true;
    return take_raw(token, wanted, raw, to);
}

static bool take_args(struct msg *m, enum token token, struct slice raw)
{
    m->opaque = (token == TOKEN_STRING || token == TOKEN_BINARY) && opaque_is_said(m);
    if (!m->opaque)
        return take_payload(m, token, TOKEN_LIST, raw, &m->args);
    m->args = raw;
    return true;
}

/* One element of the message, by its letter. */
static bool take(struct msg *m, char letter, struct slice raw)
{
    struct reader r;
    enum token token;

    reader_init(&r, m->wire, raw);
    token = reader_next(&r);
    switch (letter) {
    case 'r':
        return take_id(&r, token, 1, &m->request);
    case 'z':
        return take_id(&r, token, 0, &m->request);
    case 'i':
    case 'h':
        return take_id(&r, token, 1, &m->id);
    case 'p':
        return take_id(&r, token, 1, &m->publication);
    case 't':
        return take_type(&r, token, &m->type);
    case 'u':
        return take_string(&r, token, &m->uri, &m->scratch[0]);
    case 's':
        return take_string(&r, token, &m->text, &m->scratch[1]);
    case 'd':
    case 'D':
        return take_raw(token, TOKEN_DICT, raw, &m->dict);
    case 'A':
        return take_args(m, token, raw);
    default:
        return take_payload(m, token, TOKEN_DICT, raw, &m->kwargs);
    }
}

static bool take_all(struct msg *m, const struct slice *at, size_t count, struct fault *f)
{
    const struct msg_row *row = m->row;

    for (size_t i = 0; i + 1 < count; i++) {
        if (!take(m, row->shape[i], at[i + 1])) {
            fault_element(f, row, i);
            return false;
        }
    }
    if (row->shape[0] == 'z' && m->request == 0 && !m->dict.p) {
        fault_set(f, VIOLATION, "%s: request id 0 without the details of a revocation",
                  row->name);
        return false;
    }
    return !m->opaque || opaque_ok(m, f);
}

bool msg_decode(struct msg *m, const struct wire *wire, struct buf *bytes,
                struct fault *f)
{
    struct slice at[ELEMENTS];
    size_t count;

    *m = (struct msg){ .wire = wire };
    if (!split(wire, slice_buf(bytes), at, &count, f))
        return false;
    m->row = row_of(wire, at, count, f);
    if (!m->row || !length_ok(m->row, count, f))
        return false;
    if (!take_all(m, at, count, f)) {
        msg_fini(m);
        return false;
    }
    m->bytes = buf_ref(bytes);
    return true;
}

/* ---- who and when ------------------------------------------------------------------ */

static const char *when(unsigned state)
{
    switch (state) {
    case STATE_OPENING:
        return "before the session is established";
    case STATE_CHALLENGING:
        return "during authentication";
    case STATE_JOINED:
        return "in an established session";
    default:
        return "behind GOODBYE";
    }
}

bool msg_allowed(const struct msg *m, unsigned from, unsigned state, struct fault *f)
{
    const struct msg_row *row = m->row;

    if (!(row->from & from)) {
        fault_set(f, VIOLATION, "%s is not for a %s to send", row->name,
                  from == FROM_CLIENT ? "client" : "router");
        return false;
    }
    if (!(row->states & state)) {
        fault_set(f, VIOLATION, "%s is not allowed %s", row->name, when(state));
        return false;
    }
    /* who made a request gets its ERROR, and does not send it */
    if (row->code == MSG_ERROR &&
        (!can_fail(msg_row(m->type)) || (msg_row(m->type)->from & from))) {
        fault_set(f, VIOLATION, "ERROR: request type %d (%s) is not for a %s to answer",
                  m->type, msg_name(m->type), from == FROM_CLIENT ? "client" : "router");
        return false;
    }
    return true;
}

/* ---- encoding ---------------------------------------------------------------------- */

/* A dict or list as it stands, an empty one when it is absent. */
static void put_raw(struct writer *w, struct slice value, bool list)
{
    if (value.p) {
        writer_raw(w, value);
    } else if (list) {
        writer_list(w, 0);
        writer_list_end(w);
    } else {
        writer_dict(w, 0);
        writer_dict_end(w);
    }
}

static void put(struct writer *w, const struct msg *m, char letter)
{
    switch (letter) {
    case 'r':
    case 'z':
        writer_int(w, (int64_t)m->request);
        break;
    case 'i':
    case 'h':
        writer_int(w, (int64_t)m->id);
        break;
    case 'p':
        writer_int(w, (int64_t)m->publication);
        break;
    case 't':
        writer_int(w, m->type);
        break;
    case 'u':
        writer_string(w, m->uri);
        break;
    case 's':
        writer_string(w, m->text);
        break;
    case 'd':
    case 'D':
        put_raw(w, m->dict, false);
        break;
    case 'A':
        put_raw(w, m->args, true);
        break;
    default:
        writer_raw(w, m->kwargs);
        break;
    }
}

/* How many of the row's elements are written: absent ones at the end are not. */
static size_t elements(const struct msg *m)
{
    const char *shape = m->row->shape;
    size_t n = strlen(shape);

    if (shape[n - 1] == 'K' && !m->kwargs.p)
        n--;
    if ((shape[n - 1] == 'A' && !m->args.p) || (shape[n - 1] == 'D' && !m->dict.p))
        n--;
    return n;
}

struct buf *msg_encode(const struct msg *m, const struct wire *wire)
{
    size_t n = elements(m);
    struct writer w;

    writer_init(&w, wire,
                96 + m->uri.n + m->text.n + m->dict.n + m->args.n + m->kwargs.n);
    writer_list(&w, n + 1);
    writer_int(&w, m->row->code);
    for (size_t i = 0; i < n; i++)
        put(&w, m, m->row->shape[i]);
    writer_list_end(&w);
    return writer_take(&w);
}

/* ---- holding ----------------------------------------------------------------------- */

static void disown(struct msg *m)
{
    m->bytes = m->scratch[0] = m->scratch[1] = NULL;
}

void msg_move(struct msg *to, struct msg *from)
{
    *to = *from;
    disown(from);
}

void msg_keep(struct msg *to, const struct msg *from)
{
    assert(from->bytes);
    *to = *from;
    buf_ref(to->bytes);
    buf_ref(to->scratch[0]);
    buf_ref(to->scratch[1]);
}

#define LONG (64 * 1024) /* bytes of a message that are worth a copy of the rest */

void msg_shed(struct msg *m)
{
    struct slice *kept[] = { &m->uri, &m->text, &m->dict };
    struct buf *rest;
    size_t at = 0;

    m->args = m->kwargs = (struct slice){ 0 };
    if (m->bytes->len < LONG)
        return;
    rest = buf_new(m->uri.n + m->text.n + m->dict.n);
    for (size_t i = 0; i < 3; i++) {
        if (!kept[i]->p || !slice_in(*kept[i], m->bytes))
            continue;
        buf_append(&rest, kept[i]->p, kept[i]->n);
        kept[i]->p = rest->data + at;
        at += kept[i]->n;
    }
    buf_unref(m->bytes);
    m->bytes = rest;
}

void msg_fini(struct msg *m)
{
    buf_unref(m->bytes);
    buf_unref(m->scratch[0]);
    buf_unref(m->scratch[1]);
    disown(m);
}
