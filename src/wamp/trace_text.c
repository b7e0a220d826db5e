/* trace_text.c - a message as JSON for people, with its secrets masked. See trace.h.
 *
 * It is read token by token, so a long message costs no more than what is shown of it. */
#include <string.h>
#include <strings.h>

#include "wamp/trace_private.h"
#include "wamp/transcode.h"

#define MASK "***"
#define ELLIPSIS "..."

/* Parts of names; "token" is in "access_token", too. */
static const char *const secrets[] = { "passw",  "secret",  "ticket",  "token",
                                       "cookie", "private", "api_key", "signature" };

static bool is_secret(struct slice name)
{
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
        size_t n = strlen(secrets[i]);

        for (size_t at = 0; at + n <= name.n; at++)
            if (!strncasecmp(name.p + at, secrets[i], n))
                return true;
    }
    return false;
}

/* Passes over the next value; a mask stands for it. */
static void mask(struct reader *r, struct writer *w)
{
    struct slice value;

    if (reader_skip(r, &value))
        writer_string(w, SLICE(MASK));
}

/* Writes the token that was read, and what belongs to it. */
static void put(struct reader *r, enum token token, struct writer *w,
                struct buf **scratch)
{
    bool hide;

    if (*scratch)
        (*scratch)->len = 0;
    hide = token == TOKEN_KEY && is_secret(reader_text(r, scratch));
    if (*scratch)
        (*scratch)->len = 0;
    transcode_token(r, token, w, scratch);
    if (hide)
        mask(r, w);
}

void trace_text(struct buf *message, const struct wire *wire, enum msg_code code,
                char *out, size_t size)
{
    struct buf *scratch = NULL;
    struct reader r;
    struct writer w;
    enum token token;
    size_t n;

    reader_init(&r, wire, slice_buf(message));
    writer_init(&w, &wire_json, 256);
    for (int i = 0; w.buf->len < size; i++) {
        if (code == MSG_AUTHENTICATE && i == 2) /* behind "[" and the code: the proof */
            mask(&r, &w);
        token = reader_next(&r);
        if (token == TOKEN_END || token == TOKEN_ERROR)
            break;
        put(&r, token, &w, &scratch);
    }
    n = w.buf->len < size ? w.buf->len : size - sizeof ELLIPSIS;
    memcpy(out, w.buf->data, n);
    strcpy(out + n, n == w.buf->len ? "" : ELLIPSIS);
    buf_unref(scratch);
    writer_fini(&w);
}
