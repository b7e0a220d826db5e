/* attempt_scram.c - the method wamp-scram (WAMP: salted challenge response; RFC 5802).
 *
 * The router has StoredKey and ServerKey, from which the password cannot be had; it
 * proves in WELCOME that it has them. A binding to the TLS channel is not offered. Not
 * known here: key derivation, which is the client's work, and Autobahn's "scram", which
 * is another method. */
#include "router/attempt.h"
#include "wamp/base64.h"

/* RFC 5802: printable ASCII but the comma. */
static bool nonce_ok(struct slice nonce)
{
    for (size_t i = 0; i < nonce.n; i++)
        if (nonce.p[i] <= ' ' || nonce.p[i] > '~' || nonce.p[i] == ',')
            return false;
    return nonce.n > 0;
}

static void write_challenge(const struct attempt *a, struct writer *w)
{
    const struct principal *p = a->principal;
    struct buf *salt = base64_text(slice_buf(a->salt));

    writer_dict(w, 5);
    attempt_text(w, SLICE("nonce"), slice_buf(a->challenge));
    attempt_text(w, SLICE("salt"), slice_buf(salt));
    attempt_text(w, SLICE("kdf"), p->argon2 ? SLICE("argon2id13") : SLICE("pbkdf2"));
    writer_key(w, SLICE("iterations"));
    writer_int(w, p->iterations);
    writer_key(w, SLICE("memory"));
    if (p->argon2)
        writer_int(w, p->memory);
    else
        writer_null(w);
    writer_dict_end(w);
    buf_unref(salt);
}

bool scram_begin(struct attempt *a, struct slice authextra, struct writer *extra,
                 struct fault *f)
{
    struct extra given[] = { { .name = SLICE("nonce") },
                             { .name = SLICE("channel_binding") } };
    bool ok = extras_read(given, 2, extra->wire, authextra);
    const char *lacks = NULL;
    struct buf *ours;

    if (!ok || !nonce_ok(given[0].text))
        lacks = "authextra.nonce, a string of printable characters without commas";
    else if (given[1].text.p)
        lacks = "authextra.channel_binding to be null: no binding is offered";
    else
        a->nonce = buf_from(given[0].text.p, given[0].text.n);
    extras_fini(given, 2);
    if (lacks)
        return attempt_lacks(a, f, lacks);
    ours = attempt_nonce(a);
    a->challenge = buf_from(a->nonce->data, a->nonce->len);
    buf_append(&a->challenge, ours->data, ours->len);
    buf_unref(ours);
    write_challenge(a, extra);
    return true;
}

static struct buf *message_of(const struct attempt *a)
{
    struct buf *salt = base64_text(slice_buf(a->salt));
    struct buf *binding = auth_scram_binding((struct slice){ 0 }, (struct slice){ 0 });
    const struct auth_scram s = { .authid = slice_of(a->authid),
                                  .client_nonce = slice_buf(a->nonce),
                                  .nonce = slice_buf(a->challenge),
                                  .salt = slice_buf(salt),
                                  .binding = slice_buf(binding),
                                  .iterations = a->principal->iterations };
    struct buf *message = auth_scram_message(&s);

    buf_unref(salt);
    buf_unref(binding);
    return message;
}

/* The proof against StoredKey, and ours from ServerKey. */
static bool proof_ok(struct attempt *a, struct slice proof)
{
    const unsigned char *keys = (const unsigned char *)a->principal->secret->data;
    unsigned char verifier[AUTH_DIGEST];
    struct buf *message = message_of(a);
    bool ok = auth_scram_check(keys, slice_buf(message), proof);

    auth_scram_verifier(keys + AUTH_DIGEST, slice_buf(message), verifier);
    a->verifier = base64_text((struct slice){ (const char *)verifier, AUTH_DIGEST });
    buf_unref(message);
    return ok;
}

/* AUTHENTICATE.Extra repeats the nonce and says what it is bound to: nothing. */
static bool extra_ok(const struct attempt *a, const struct msg *authenticate)
{
    struct extra given[] = { { .name = SLICE("nonce") },
                             { .name = SLICE("channel_binding") },
                             { .name = SLICE("cbind_data") } };
    bool ok = extras_read(given, 3, authenticate->wire, authenticate->dict) &&
              slice_eq(given[0].text, slice_buf(a->challenge)) && !given[1].text.p &&
              !given[2].text.p;

    extras_fini(given, 3);
    return ok;
}

bool scram_check(struct attempt *a, const struct msg *authenticate)
{
    char proof[BASE64_SIZE(AUTH_DIGEST)];
    struct slice text = authenticate->text;
    size_t n = 0;

    return text.n == sizeof proof && base64_decode(proof, text, &n) &&
           extra_ok(a, authenticate) && proof_ok(a, (struct slice){ proof, n });
}
