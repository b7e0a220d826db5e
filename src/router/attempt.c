/* attempt.c - choosing an authentication method, and the methods but wamp-scram. See
 * attempt.h.
 *
 * What a principal is called and may do comes from the store, never from HELLO. Nobody
 * learns why a proof was not good: the answer is the same for a wrong one, for a name
 * that does not exist and for one that may not join this realm.
 *
 * New method? Its value in enum auth_method (router.h), a row in the table below, its
 * secret in principals.h, its section in lua/wampy/config_auth.lua, a talk. */
#include "router/attempt.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "wamp/base64.h"

#define FAILED "wamp.error.authentication_failed"
#define NONCE 24 /* bytes; so that its base64 has no padding */

/* ---- what methods share ------------------------------------------------------------ */

bool attempt_lacks(const struct attempt *a, struct fault *f, const char *what)
{
    fault_set(f, FAILED, "HELLO: %s needs %s", a->method->name, what);
    return false;
}

struct buf *attempt_nonce(const struct attempt *a)
{
    unsigned char bytes[NONCE];

    rng_bytes(&a->realm->router->rng, bytes, sizeof bytes);
    return base64_text((struct slice){ (const char *)bytes, sizeof bytes });
}

static struct extra *extra_of(struct extra *extras, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_eq(extras[i].name, name))
            return &extras[i];
    return NULL;
}

static bool extra_value(struct extra *e, struct reader *r)
{
    enum token token = reader_next(r);

    if (token == TOKEN_NULL)
        return true;
    if (token != TOKEN_STRING || e->text.p)
        return false;
    e->text = reader_text(r, &e->scratch);
    return e->text.n <= LIMIT_AUTH_TEXT;
}

bool extras_read(struct extra *extras, size_t count, const struct wire *wire,
                 struct slice dict)
{
    struct buf *scratch = NULL;
    struct reader r;
    struct slice skipped;
    bool ok = true;

    if (!dict.p)
        return true;
    reader_init(&r, wire, dict);
    reader_next(&r);
    while (ok && reader_next(&r) == TOKEN_KEY) {
        struct extra *e = extra_of(extras, count, reader_text(&r, &scratch));

        ok = e ? extra_value(e, &r) : reader_skip(&r, &skipped);
    }
    buf_unref(scratch);
    return ok;
}

void extras_fini(struct extra *extras, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_unref(extras[i].scratch);
}

void attempt_text(struct writer *w, struct slice key, struct slice text)
{
    writer_key(w, key);
    writer_string(w, text);
}

/* ---- ticket ------------------------------------------------------------------------ */

static bool ticket_begin(struct attempt *a, struct slice authextra, struct writer *extra,
                         struct fault *f)
{
    (void)a, (void)authextra, (void)f;
    writer_dict(extra, 0);
    writer_dict_end(extra);
    return true;
}

static bool ticket_check(struct attempt *a, const struct msg *authenticate)
{
    return principals_equal(a->principals, slice_buf(a->principal->secret),
                            authenticate->text);
}

/* ---- wampcra ----------------------------------------------------------------------- */

/* JSON by convention; what counts is that it is never the same twice. */
static struct buf *cra_challenge(const struct attempt *a)
{
    const struct router *r = a->realm->router;
    struct buf *nonce = attempt_nonce(a);
    struct writer w;

    writer_init(&w, &wire_json, 256);
    writer_dict(&w, a->dynamic ? 6 : 7);
    attempt_text(&w, SLICE("authid"), slice_of(a->authid));
    if (!a->dynamic) /* else the role would tell who is known */
        attempt_text(&w, SLICE("authrole"), slice_of(a->principal->role));
    attempt_text(&w, SLICE("authmethod"), slice_of(a->method->name));
    attempt_text(&w, SLICE("authprovider"), slice_of(attempt_provider(a)));
    attempt_text(&w, SLICE("nonce"), slice_buf(nonce));
    writer_key(&w, SLICE("timestamp"));
    date_write(r->epoch + r->now, &w);
    writer_key(&w, SLICE("session"));
    writer_int(&w, (int64_t)a->session);
    writer_dict_end(&w);
    buf_unref(nonce);
    return writer_take(&w);
}

static bool cra_begin(struct attempt *a, struct slice authextra, struct writer *extra,
                      struct fault *f)
{
    (void)authextra, (void)f;
    a->challenge = cra_challenge(a);
    writer_dict(extra, a->salt ? 4 : 1);
    attempt_text(extra, SLICE("challenge"), slice_buf(a->challenge));
    if (a->salt) {
        attempt_text(extra, SLICE("salt"), slice_buf(a->salt));
        writer_key(extra, SLICE("iterations"));
        writer_int(extra, a->principal->iterations);
        writer_key(extra, SLICE("keylen"));
        writer_int(extra, a->principal->keylen);
    }
    writer_dict_end(extra);
    return true;
}

static bool cra_check(struct attempt *a, const struct msg *authenticate)
{
    struct buf *signature =
        auth_cra_sign(slice_buf(a->principal->secret), slice_buf(a->challenge));
    bool ok = auth_equal(slice_buf(signature), authenticate->text);

    auth_forget(signature);
    return ok;
}

/* ---- cryptosign -------------------------------------------------------------------- */

static struct slice key_of(const struct attempt *a)
{
    return (struct slice){ (const char *)a->key, AUTH_DIGEST };
}

static bool has_key(const struct principal *p, struct slice key)
{
    const char *at = p->secret->data;

    for (size_t n = p->secret->len; n >= AUTH_DIGEST; n -= AUTH_DIGEST) {
        if (slice_eq(key, (struct slice){ at, AUTH_DIGEST }))
            return true;
        at += AUTH_DIGEST;
    }
    return false;
}

/* Who HELLO did not name is known by his key; and who it named must have it. */
static void find_by_key(struct attempt *a)
{
    const struct principal *p;

    if (a->authid || a->dynamic) {
        a->known = a->known && has_key(a->principal, key_of(a));
        return;
    }
    p = principals_find_key(a->principals, key_of(a));
    a->known = p && principal_fits(p, a->realm);
    if (a->known)
        a->principal = p;
}

/* A binding to the TLS channel is not offered: `channel_binding` is null, whatever was
 * asked for, and the client has to decide. */
static bool sign_begin(struct attempt *a, struct slice authextra, struct writer *extra,
                       struct fault *f)
{
    struct extra key = { .name = SLICE("pubkey") };
    bool ok = extras_read(&key, 1, extra->wire, authextra) && key.text.p &&
              auth_unhex(a->key, key.text, AUTH_DIGEST);
    char hex[2 * AUTH_DIGEST];

    extras_fini(&key, 1);
    if (!ok)
        return attempt_lacks(a, f, "authextra.pubkey, 64 hexadecimal digits");
    find_by_key(a);
    a->challenge = buf_new(AUTH_DIGEST);
    a->challenge->len = AUTH_DIGEST;
    rng_bytes(&a->realm->router->rng, a->challenge->data, AUTH_DIGEST);
    auth_hex(hex, slice_buf(a->challenge));
    writer_dict(extra, 2);
    attempt_text(extra, SLICE("challenge"), (struct slice){ hex, sizeof hex });
    writer_key(extra, SLICE("channel_binding"));
    writer_null(extra);
    writer_dict_end(extra);
    return true;
}

/* The signature and what it signs, which must be what we asked for. */
static bool sign_check(struct attempt *a, const struct msg *authenticate)
{
    unsigned char proof[AUTH_SIGNATURE + AUTH_DIGEST];
    struct slice signed_text = { (const char *)proof + AUTH_SIGNATURE, AUTH_DIGEST };

    return auth_unhex(proof, authenticate->text, sizeof proof) &&
           auth_equal(signed_text, slice_buf(a->challenge)) &&
           auth_verify(a->key, slice_buf(a->challenge), proof);
}

/* ---- the table --------------------------------------------------------------------- */

static const struct method methods[AUTH_METHODS] = {
    [AUTH_ANONYMOUS] = { "anonymous", true, NULL, NULL },
    [AUTH_TICKET] = { "ticket", false, ticket_begin, ticket_check },
    [AUTH_WAMPCRA] = { "wampcra", false, cra_begin, cra_check },
    [AUTH_CRYPTOSIGN] = { "cryptosign", true, sign_begin, sign_check },
    [AUTH_SCRAM] = { "wamp-scram", false, scram_begin, scram_check },
};

int attempt_method_of(const char *name)
{
    for (int i = 0; i < AUTH_METHODS; i++)
        if (!strcmp(name, methods[i].name))
            return i;
    return -1;
}

/* ---- choosing ---------------------------------------------------------------------- */

static const struct method *offered(unsigned offer, struct slice name)
{
    for (int i = 0; i < AUTH_METHODS; i++)
        if ((offer >> i & 1) && slice_is(name, methods[i].name))
            return &methods[i];
    return NULL;
}

static void fault_offer(unsigned offer, bool asked, struct fault *f)
{
    char text[80] = "";

    for (int i = 0; i < AUTH_METHODS; i++) {
        if (!(offer >> i & 1))
            continue;
        strcat(text, *text ? ", " : "");
        strcat(text, methods[i].name);
    }
    fault_set(f,
              asked ? "wamp.error.no_matching_auth_method"
                    : "wamp.error.authentication_required",
              "this realm offers: %s", *text ? text : "nothing");
}

/* The first method of the list that the realm offers; without a list, or with an empty
 * one, "anonymous". It does not depend on the name of who asks, which would tell who
 * there is. */
static const struct method *choose(unsigned offer, const struct wire *wire,
                                   struct slice list, struct fault *f)
{
    const struct method *method = NULL;
    struct buf *scratch = NULL;
    struct reader r;
    bool asked = false;

    if (list.p) {
        reader_init(&r, wire, list);
        reader_next(&r);
    }
    while (list.p && !method && reader_next(&r) == TOKEN_STRING) {
        method = offered(offer, reader_text(&r, &scratch));
        asked = true;
    }
    buf_unref(scratch);
    if (!asked)
        method = offered(offer, SLICE("anonymous"));
    if (!method)
        fault_offer(offer, asked, f);
    return method;
}

/* ---- life -------------------------------------------------------------------------- */

/* Whom HELLO names. The decoy is looked for in any case: it takes time. */
static void find_by_name(struct attempt *a, struct slice authid)
{
    enum auth_method method = (enum auth_method)(a->method - methods);
    const struct principal *p = principals_find(a->principals, method, authid);

    a->principal = principals_decoy(a->principals, a->realm, method, authid);
    a->known = p && principal_fits(p, a->realm);
    if (a->known)
        a->principal = p;
    if (authid.p)
        a->authid = xstrndup(authid.p, authid.n);
    if (a->principal->salt)
        a->salt = a->known ? buf_ref(p->salt)
                           : principals_salt(a->principals, a->principal, authid);
}

/* Whether there is a usable name where one is needed. */
static bool name_ok(const struct attempt *a, struct slice authid, struct fault *f)
{
    if (!authid.p && !a->method->nameless)
        return attempt_lacks(a, f, "an authid");
    if (authid.n > LIMIT_AUTH_TEXT) {
        fault_set(f, FAILED, "HELLO: authid is longer than %d bytes", LIMIT_AUTH_TEXT);
        return false;
    }
    if (authid.n && memchr(authid.p, 0, authid.n)) {
        fault_set(f, FAILED, "HELLO: authid has a NUL character");
        return false;
    }
    return true;
}

const char *attempt_provider(const struct attempt *a)
{
    if (!a->dynamic)
        return "static";
    return *a->dynamic->authenticator ? "dynamic" : "function";
}

struct buf *attempt_challenge(struct attempt *a, struct fault *f)
{
    struct slice authextra = { 0 };
    struct writer w;

    if (a->authextra)
        authextra = slice_buf(a->authextra);
    writer_init(&w, a->wire, 256);
    if (a->method->begin(a, authextra, &w, f))
        return writer_take(&w);
    writer_fini(&w);
    return NULL;
}

static bool begin(struct attempt *a, const struct opts *hello, struct buf **extra,
                  struct fault *f)
{
    struct slice authid = opt_text(hello, OPT_AUTHID);
    struct slice authextra = opt_text(hello, OPT_AUTHEXTRA);

    if (!a->method->begin && !a->dynamic) /* nothing will prove what name HELLO has */
        authid = (struct slice){ 0 };
    if (!name_ok(a, authid, f))
        return false;
    if (authextra.p)
        a->authextra = buf_from(authextra.p, authextra.n);
    if (a->dynamic)
        a->authid = authid.p ? xstrndup(authid.p, authid.n) : NULL;
    else
        find_by_name(a, authid);
    *extra = NULL;
    if (!a->method->begin || attempt_asks_first(a))
        return true;
    *extra = attempt_challenge(a, f);
    return *extra;
}

struct attempt *attempt_new(const struct entry *e, const struct opts *hello,
                            struct buf **extra, struct fault *f)
{
    const struct method *method = choose(e->realm->offers[e->principals->store], e->wire,
                                         opt_text(hello, OPT_AUTHMETHODS), f);
    struct attempt *a;

    if (!method)
        return NULL;
    a = xcalloc(1, sizeof *a);
    a->method = method;
    a->realm = e->realm;
    a->wire = e->wire;
    a->principals = e->principals;
    a->dynamic = a->principals->dynamic[method - methods];
    a->session = realm_free_id(a->realm);
    if (begin(a, hello, extra, f))
        return a;
    attempt_free(a);
    return NULL;
}

void attempt_free(struct attempt *a)
{
    if (!a)
        return;
    inquiry_drop(a->inquiry);
    if (a->found)
        principal_fini(a->found);
    free(a->found);
    auth_forget(a->ticket);
    buf_unref(a->authextra);
    buf_unref(a->welcome);
    free(a->authid);
    buf_unref(a->salt);
    auth_forget(a->challenge);
    auth_forget(a->nonce);
    buf_unref(a->verifier);
    free(a);
}

bool attempt_check(struct attempt *a, const struct msg *authenticate)
{
    bool good = a->method->check(a, authenticate);

    return good && a->known;
}
