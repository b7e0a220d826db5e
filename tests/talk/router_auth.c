/* router_auth.c - principals from words, and proofs from secrets. See router_auth.h.
 *
 * The proofs are made of the same functions that the router checks them with; that these
 * are right is shown by the vectors of tests/unit and by the peers of tests/interop. */
#include "router_auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "router/attempt.h"
#include "wamp/base64.h"

/* ---- principals -------------------------------------------------------------------- */

enum { METHOD, AUTHID, ROLE, REALM, SECRET, SALT, ITERATIONS, LENGTH, FIELDS };

static const char *const method_names[AUTH_METHODS] = { "anonymous", "ticket", "wampcra",
                                                        "cryptosign", "wamp-scram" };

static struct buf *buf_text(const char *s)
{
    return *s ? buf_from(s, strlen(s)) : NULL;
}

/* The public keys of private ones. */
static struct buf *public_keys(char *words)
{
    struct buf *keys = buf_new(AUTH_DIGEST);
    char *save = NULL;

    for (char *w = strtok_r(words, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
        unsigned char secret[AUTH_DIGEST], public[AUTH_DIGEST];

        if (auth_unhex(secret, slice_of(w), AUTH_DIGEST) &&
            auth_public_key(secret, public))
            buf_append(&keys, public, AUTH_DIGEST);
    }
    return keys;
}

static bool salted(struct slice password, struct slice salt, uint32_t iterations,
                   uint32_t memory, unsigned char out[AUTH_DIGEST])
{
    if (memory)
        return auth_argon2id(password, salt, iterations, memory, out);
    return auth_pbkdf2(password, salt, iterations, out, AUTH_DIGEST);
}

static struct buf *scram_keys(const struct principal_config *p, const char *password)
{
    unsigned char digest[AUTH_DIGEST], keys[2 * AUTH_DIGEST];

    if (!p->salt ||
        !salted(slice_of(password), slice_buf(p->salt), p->iterations, p->memory, digest))
        return NULL;
    auth_scram_keys((struct slice){ (const char *)digest, AUTH_DIGEST }, keys,
                    keys + AUTH_DIGEST);
    return buf_from(keys, sizeof keys);
}

static bool method_of(const char *name, enum auth_method *method)
{
    for (int i = 0; i < AUTH_METHODS; i++) {
        if (!strcmp(name, method_names[i])) {
            *method = (enum auth_method)i;
            return true;
        }
    }
    return false;
}

static void fill(struct principal_config *p, char *const field[FIELDS])
{
    uint32_t length = (uint32_t)strtoul(field[LENGTH], NULL, 10);

    p->authid = *field[AUTHID] ? xstrdup(field[AUTHID]) : NULL;
    p->role = xstrdup(field[ROLE]);
    p->realm = *field[REALM] ? xstrdup(field[REALM]) : NULL;
    p->salt = buf_text(field[SALT]);
    p->iterations = (uint32_t)strtoul(field[ITERATIONS], NULL, 10);
    if (p->method == AUTH_SCRAM) {
        p->memory = length;
        p->argon2 = length > 0;
        p->secret = scram_keys(p, field[SECRET]);
    } else {
        p->keylen = length;
        p->secret = p->method == AUTH_CRYPTOSIGN ? public_keys(field[SECRET])
                                                 : buf_text(field[SECRET]);
    }
}

static unsigned last_store(const struct router_config *c)
{
    return c->door_count ? (unsigned)c->door_count - 1 : 0;
}

void door_option(struct router_config *c, const char *name)
{
    unsigned store = (unsigned)c->door_count++;

    c->doors = xrealloc(c->doors, c->door_count * sizeof *c->doors);
    c->doors[store] = (struct door_config){ xstrdup(name), store };
}

bool principal_option(struct router_config *c, const char *text)
{
    char *copy = xstrdup(text), *at = copy, *field[FIELDS];
    struct principal_config p = { .store = last_store(c) };
    bool ok;

    for (int i = 0; i < FIELDS; i++) {
        field[i] = at;
        at += strcspn(at, ":");
        if (*at)
            *at++ = '\0';
    }
    ok = method_of(field[METHOD], &p.method);
    if (ok) {
        fill(&p, field);
        c->principals =
            xrealloc(c->principals, (c->principal_count + 1) * sizeof *c->principals);
        c->principals[c->principal_count++] = p;
        ok = p.method == AUTH_ANONYMOUS || (p.authid && p.secret && p.secret->len);
    }
    free(copy);
    return ok;
}

/* METHOD:URI; without a URI `above` decides. */
bool authenticator_option(struct router_config *c, const char *text)
{
    size_t n = strcspn(text, ":");
    char *method = xstrndup(text, n);
    struct principal_config p = { .store = last_store(c) };
    bool ok = text[n] && method_of(method, &p.method);

    free(method);
    if (!ok)
        return false;
    p.authenticator = xstrdup(text + n + 1);
    c->principals =
        xrealloc(c->principals, (c->principal_count + 1) * sizeof *c->principals);
    c->principals[c->principal_count++] = p;
    return true;
}

void principals_fini(struct router_config *c)
{
    for (size_t i = 0; i < c->principal_count; i++) {
        free(c->principals[i].authid);
        free(c->principals[i].role);
        free(c->principals[i].realm);
        free(c->principals[i].authenticator);
        buf_unref(c->principals[i].secret);
        buf_unref(c->principals[i].salt);
    }
    free(c->principals);
    for (size_t i = 0; i < c->door_count; i++)
        free(c->doors[i].name);
    free(c->doors);
}

/* ---- proofs ------------------------------------------------------------------------ */

struct proof {
    struct msg hello, challenge; /* end with proof_fini */
    struct slice secret;
};

/* A key of a dict: a string (the caller frees it), or NULL. */
static char *text_of(struct slice dict, const char *name)
{
    struct extra e = { .name = slice_of(name) };
    char *text = NULL;

    if (extras_read(&e, 1, &wire_json, dict) && e.text.p)
        text = xstrndup(e.text.p, e.text.n);
    extras_fini(&e, 1);
    return text;
}

/* The value of a key, as it stands; absent when there is none. */
static struct slice value_of(struct slice dict, const char *name)
{
    struct slice value = { 0 };
    struct reader r;

    reader_init(&r, &wire_json, dict);
    reader_next(&r);
    while (reader_next(&r) == TOKEN_KEY) {
        bool found = slice_is(r.text, name);

        if (reader_skip(&r, &value) && found)
            return value;
    }
    return (struct slice){ 0 };
}

static uint32_t number_of(struct slice dict, const char *name)
{
    struct slice value = value_of(dict, name);

    return value.p ? (uint32_t)strtoul(value.p, NULL, 10) : 0;
}

/* The signature as text. */
static struct buf *ticket_proof(struct proof *p, struct buf **extra)
{
    (void)extra;
    return buf_from(p->secret.p, p->secret.n);
}

static struct buf *cra_proof(struct proof *p, struct buf **extra)
{
    struct slice dict = p->challenge.dict;
    char *salt = text_of(dict, "salt"), *challenge = text_of(dict, "challenge");
    struct buf *signature, *key = buf_from(p->secret.p, p->secret.n);

    (void)extra;
    if (salt) {
        buf_unref(key);
        key = auth_cra_key(p->secret, slice_of(salt), number_of(dict, "iterations"),
                           number_of(dict, "keylen"));
    }
    signature = key ? auth_cra_sign(slice_buf(key), slice_of(challenge)) : NULL;
    auth_forget(key);
    free(salt);
    free(challenge);
    return signature;
}

static struct buf *sign_proof(struct proof *p, struct buf **extra)
{
    unsigned char key[AUTH_DIGEST], proof[AUTH_SIGNATURE + AUTH_DIGEST];
    struct slice text = { (const char *)proof + AUTH_SIGNATURE, AUTH_DIGEST };
    char *challenge = text_of(p->challenge.dict, "challenge");
    struct buf *signature = buf_new(2 * sizeof proof);

    (void)extra;
    if (auth_unhex(key, p->secret, sizeof key) &&
        auth_unhex(proof + AUTH_SIGNATURE, slice_of(challenge), AUTH_DIGEST) &&
        auth_sign(key, text, proof)) {
        auth_hex(signature->data, (struct slice){ (const char *)proof, sizeof proof });
        signature->len = 2 * sizeof proof;
    }
    free(challenge);
    return signature;
}

static struct buf *scram_sign(struct proof *p, const struct auth_scram *s)
{
    unsigned char digest[AUTH_DIGEST], proof[AUTH_DIGEST];
    char *salt = xstrndup(s->salt.p, s->salt.n);
    struct buf *message = auth_scram_message(s);
    size_t n = 0;

    base64_decode(salt, s->salt, &n);
    salted(p->secret, (struct slice){ salt, n }, s->iterations,
           number_of(p->challenge.dict, "memory"), digest);
    auth_scram_proof((struct slice){ (const char *)digest, AUTH_DIGEST },
                     slice_buf(message), proof);
    buf_unref(message);
    free(salt);
    return base64_text((struct slice){ (const char *)proof, AUTH_DIGEST });
}

static struct buf *scram_proof(struct proof *p, struct buf **extra)
{
    char *authid = text_of(p->hello.dict, "authid");
    char *client = text_of(value_of(p->hello.dict, "authextra"), "nonce");
    char *nonce = text_of(p->challenge.dict, "nonce");
    char *salt = text_of(p->challenge.dict, "salt");
    struct buf *binding = auth_scram_binding((struct slice){ 0 }, (struct slice){ 0 });
    const struct auth_scram s = { .authid = slice_of(authid),
                                  .client_nonce = slice_of(client),
                                  .nonce = slice_of(nonce),
                                  .salt = slice_of(salt),
                                  .binding = slice_buf(binding),
                                  .iterations =
                                      number_of(p->challenge.dict, "iterations") };
    struct buf *signature = scram_sign(p, &s);
    struct writer w;

    writer_init(&w, &wire_json, 128);
    writer_dict(&w, 3);
    attempt_text(&w, SLICE("nonce"), s.nonce);
    writer_key(&w, SLICE("channel_binding"));
    writer_null(&w);
    writer_key(&w, SLICE("cbind_data"));
    writer_null(&w);
    writer_dict_end(&w);
    *extra = writer_take(&w);
    buf_unref(binding);
    free(authid);
    free(client);
    free(nonce);
    free(salt);
    return signature;
}

static struct buf *signature_of(struct proof *p, struct buf **extra)
{
    static struct buf *(*const made_by[AUTH_METHODS])(
        struct proof *, struct buf **) = { [AUTH_TICKET] = ticket_proof,
                                           [AUTH_WAMPCRA] = cra_proof,
                                           [AUTH_CRYPTOSIGN] = sign_proof,
                                           [AUTH_SCRAM] = scram_proof };

    for (int i = 0; i < AUTH_METHODS; i++)
        if (made_by[i] && slice_is(p->challenge.text, method_names[i]))
            return made_by[i](p, extra);
    return NULL;
}

static char *authenticate(struct proof *p)
{
    struct buf *extra = NULL, *signature = signature_of(p, &extra), *bytes;
    struct msg m = { .row = msg_row(MSG_AUTHENTICATE), .wire = &wire_json };
    char *text = NULL;

    if (signature) {
        m.text = slice_buf(signature);
        if (extra)
            m.dict = slice_buf(extra);
        bytes = msg_encode(&m, &wire_json);
        text = xstrndup(bytes->data, bytes->len);
        buf_unref(bytes);
    }
    buf_unref(signature);
    buf_unref(extra);
    return text;
}

static bool decode(struct msg *m, const char *text)
{
    struct buf *bytes = buf_from(text, strlen(text));
    struct fault f;
    bool ok = msg_decode(m, &wire_json, bytes, &f);

    buf_unref(bytes);
    return ok;
}

char *prove(const char *hello, const char *challenge, const char *secret)
{
    struct proof p = { .secret = slice_of(secret) };
    char *text = NULL;

    if (!hello || !challenge || !decode(&p.hello, hello))
        return NULL;
    if (decode(&p.challenge, challenge)) {
        text = authenticate(&p);
        msg_fini(&p.challenge);
    }
    msg_fini(&p.hello);
    return text;
}
