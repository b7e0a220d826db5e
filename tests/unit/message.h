/* message.h - what tests of messages say about JSON texts: good, bad in these words,
 * encoded so.
 *
 * Each decodes with msg_decode and looks after the references; a text that is not what
 * the test says fails it, with the text and the fault. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "check.h"
#include "wamp/msg.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define TEXT_MAX 1000

static inline void complain(const char *text, const char *what)
{
    char line[TEXT_MAX + 400];

    snprintf(line, sizeof line, "%.900s: %.300s", text, what);
    check_fail(__FILE__, __LINE__, line);
}

static inline bool decode(struct msg *m, const char *text, struct fault *f)
{
    struct buf *b = buf_from(text, strlen(text));
    bool ok = msg_decode(m, &wire_json, b, f);

    if (b->refs != (ok ? 2u : 1u))
        complain(text, "a good message holds one reference, a bad one none");
    if (ok && m->bytes != b)
        complain(text, "the message holds another buf");
    buf_unref(b);
    return ok;
}

static inline bool good(const char *text)
{
    struct msg m;
    struct fault f = { .text = "" };
    bool ok = decode(&m, text, &f);

    if (ok)
        msg_fini(&m);
    return ok;
}

static inline void check_good(const char *text)
{
    struct msg m;
    struct fault f;

    if (decode(&m, text, &f))
        msg_fini(&m);
    else
        complain(text, f.text);
}

/* The message is refused, in words that begin with these. */
static inline void check_bad(const char *text, const char *words)
{
    struct msg m;
    struct fault f;

    if (decode(&m, text, &f)) {
        complain(text, "should be refused");
        msg_fini(&m);
    } else if (strncmp(f.text, words, strlen(words)) != 0) {
        complain(text, f.text);
    } else if (strcmp(f.uri, "wamp.error.protocol_violation") != 0) {
        complain(text, f.uri);
    }
}

/* Messages decode, and encode to the text `encoded`. */
static inline void check_encoded(const char *text, const char *encoded)
{
    struct msg m;
    struct fault f;
    struct buf *b;

    if (!decode(&m, text, &f)) {
        complain(text, f.text);
        return;
    }
    b = msg_encode(&m, &wire_json);
    if (!slice_is(slice_buf(b), encoded)) {
        buf_append(&b, "", 1);
        complain(b->data, encoded);
    }
    buf_unref(b);
    msg_fini(&m);
}

#endif
