/* finding.c - what an authenticator says of somebody (docs/AUTH.md: dynamic
 * authenticators).
 *
 * A role's name; or a dict with `role` and what else the method needs, in the words of a
 * Crossbar.io configuration. Null is as good as absent, and what is not known is ignored.
 * Anything else makes the answer none: who is not understood must not get in. Not known
 * here: whether realm and role exist. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "router/attempt.h"

/* ---- reading the dict -------------------------------------------------------------- */

enum {
    ROLE,
    AUTHID,
    REALM,
    SECRET,
    TICKET,
    SALT,
    KDF,
    PUBKEY,
    STORED_KEY,
    SERVER_KEY,
    KEYS,
    EXTRA,
    ITERATIONS,
    KEYLEN,
    MEMORY,
    VALUES
};

static const struct {
    const char *name;
    enum token token;
} keys[VALUES] = { [ROLE] = { "role", TOKEN_STRING },
                   [AUTHID] = { "authid", TOKEN_STRING },
                   [REALM] = { "realm", TOKEN_STRING },
                   [SECRET] = { "secret", TOKEN_STRING },
                   [TICKET] = { "ticket", TOKEN_STRING },
                   [SALT] = { "salt", TOKEN_STRING },
                   [KDF] = { "kdf", TOKEN_STRING },
                   [PUBKEY] = { "pubkey", TOKEN_STRING },
                   [STORED_KEY] = { "stored-key", TOKEN_STRING },
                   [SERVER_KEY] = { "server-key", TOKEN_STRING },
                   [KEYS] = { "authorized_keys", TOKEN_LIST },
                   [EXTRA] = { "extra", TOKEN_DICT },
                   [ITERATIONS] = { "iterations", TOKEN_INT },
                   [KEYLEN] = { "keylen", TOKEN_INT },
                   [MEMORY] = { "memory", TOKEN_INT } };

struct values {
    struct {
        struct slice text; /* a string; a list or dict as it stands; absent: not there */
        int64_t integer;   /* -1: not there */
        struct buf *scratch;
    } at[VALUES];
};

static void values_fini(struct values *v)
{
    for (int i = 0; i < VALUES; i++)
        auth_forget(v->at[i].scratch);
}

static bool read_value(struct values *v, int key, const struct wire *wire,
                       struct slice value)
{
    enum token token;
    struct reader r;

    reader_init(&r, wire, value);
    token = reader_next(&r);
    if (token == TOKEN_NULL)
        return true;
    if (token != keys[key].token)
        return false;
    if (token == TOKEN_INT)
        v->at[key].integer = r.integer;
    else if (token == TOKEN_STRING)
        v->at[key].text = reader_text(&r, &v->at[key].scratch);
    else
        v->at[key].text = value;
    return token != TOKEN_INT || r.integer >= 0;
}

static int key_of(struct slice name)
{
    for (int i = 0; i < VALUES; i++)
        if (slice_is(name, keys[i].name))
            return i;
    return VALUES;
}

/* The dict that `r` stands in. */
static bool read_dict(struct values *v, struct reader *r)
{
    struct buf *scratch = NULL;
    struct slice value;
    bool ok = true;

    while (ok && reader_next(r) == TOKEN_KEY) {
        int key = key_of(reader_text(r, &scratch));

        buf_unref(scratch);
        scratch = NULL;
        ok = reader_skip(r, &value) &&
             (key == VALUES || read_value(v, key, r->wire, value));
    }
    return ok;
}

static bool read_values(struct values *v, const struct wire *wire, struct slice answer)
{
    enum token token;
    struct reader r;

    for (int i = 0; i < VALUES; i++)
        v->at[i].integer = -1;
    reader_init(&r, wire, answer);
    token = reader_next(&r);
    if (token == TOKEN_STRING)
        v->at[ROLE].text = reader_text(&r, &v->at[ROLE].scratch);
    return token == TOKEN_STRING || (token == TOKEN_DICT && read_dict(v, &r));
}

/* ---- what a method needs ----------------------------------------------------------- */

static struct buf *copy(struct slice s)
{
    return s.p ? buf_from(s.p, s.n) : NULL;
}

/* An integer in a range, `absent` when it is not there. */
static bool number(const struct values *v, int key, uint32_t absent, uint32_t most,
                   uint32_t *out)
{
    int64_t n = v->at[key].integer < 0 ? absent : v->at[key].integer;

    *out = (uint32_t)n;
    return n >= 1 && n <= most;
}

static bool cra_read(struct principal_config *who, const struct values *v)
{
    who->secret = copy(v->at[SECRET].text);
    if (!who->secret)
        return false;
    if (!v->at[SALT].text.n)
        return true;
    who->salt = copy(v->at[SALT].text);
    return number(v, ITERATIONS, 1000, LIMIT_AUTH_ITERATIONS, &who->iterations) &&
           number(v, KEYLEN, 32, LIMIT_AUTH_KEY, &who->keylen);
}

static bool key_add(struct buf **keys_out, struct slice hex)
{
    unsigned char key[AUTH_DIGEST];

    if (!auth_unhex(key, hex, AUTH_DIGEST))
        return false;
    buf_append(keys_out, key, AUTH_DIGEST);
    return true;
}

static bool sign_read(struct principal_config *who, const struct wire *wire,
                      const struct values *v)
{
    struct buf *scratch = NULL;
    struct reader r;
    bool ok = !v->at[PUBKEY].text.p;

    who->secret = buf_new(AUTH_DIGEST);
    if (!ok)
        ok = key_add(&who->secret, v->at[PUBKEY].text);
    if (v->at[KEYS].text.p) {
        reader_init(&r, wire, v->at[KEYS].text);
        reader_next(&r);
        while (ok && reader_next(&r) == TOKEN_STRING)
            ok = key_add(&who->secret, reader_text(&r, &scratch));
        buf_unref(scratch);
    }
    return ok && who->secret->len;
}

static bool scram_cost(struct principal_config *who, const struct values *v)
{
    struct slice kdf = v->at[KDF].text;

    who->argon2 = slice_is(kdf, "argon2id-13") || slice_is(kdf, "argon2id13");
    if (who->argon2)
        return number(v, MEMORY, 0, LIMIT_AUTH_MEMORY, &who->memory) &&
               number(v, ITERATIONS, 0, LIMIT_AUTH_WORK / who->memory, &who->iterations);
    return (!kdf.p || slice_is(kdf, "pbkdf2")) &&
           number(v, ITERATIONS, 0, LIMIT_AUTH_ITERATIONS, &who->iterations) &&
           who->iterations >= LIMIT_AUTH_SCRAM_LEAST;
}

/* Bytes written in hex; NULL when they are not. */
static struct buf *unhex(struct slice hex)
{
    struct buf *b = buf_new(hex.n / 2);

    b->len = hex.n / 2;
    if (b->len && b->len <= LIMIT_AUTH_KEY && auth_unhex(b->data, hex, b->len))
        return b;
    buf_unref(b);
    return NULL;
}

static bool scram_read(struct principal_config *who, const struct values *v)
{
    who->salt = unhex(v->at[SALT].text);
    who->secret = buf_new(2 * (size_t)AUTH_DIGEST);
    return who->salt && key_add(&who->secret, v->at[STORED_KEY].text) &&
           key_add(&who->secret, v->at[SERVER_KEY].text) && scram_cost(who, v);
}

static bool method_read(struct principal_config *who, const struct wire *wire,
                        const struct values *v)
{
    switch (who->method) {
    case AUTH_TICKET:
        who->secret = copy(v->at[v->at[TICKET].text.p ? TICKET : SECRET].text);
        return true;
    case AUTH_WAMPCRA:
        return cra_read(who, v);
    case AUTH_CRYPTOSIGN:
        return sign_read(who, wire, v);
    case AUTH_SCRAM:
        return scram_read(who, v);
    default:
        return true;
    }
}

static const char *const wants[AUTH_METHODS] = {
    [AUTH_WAMPCRA] = "expected a secret (with a salt: iterations, keylen)",
    [AUTH_CRYPTOSIGN] =
        "expected pubkey or authorized_keys, of 64 hexadecimal digits each",
    [AUTH_SCRAM] = "expected stored-key, server-key, salt, iterations (Argon2id: memory)",
};

/* ---- the whole --------------------------------------------------------------------- */

/* A name without NUL, of a length that names have; NULL when it is none. */
static char *name(struct slice s)
{
    if (!s.n || s.n > LIMIT_AUTH_TEXT || memchr(s.p, 0, s.n))
        return NULL;
    return xstrndup(s.p, s.n);
}

static bool names_read(struct principal_config *who, const struct values *v)
{
    who->role = name(v->at[ROLE].text);
    who->authid = name(v->at[AUTHID].text);
    who->realm = name(v->at[REALM].text);
    return who->role && (who->authid || !v->at[AUTHID].text.p) &&
           (who->realm || !v->at[REALM].text.p);
}

bool finding_read(struct finding *f, enum auth_method method, const struct wire *wire,
                  struct slice answer, const char **lacks)
{
    struct values v = { 0 };
    bool ok = false;

    *f = (struct finding){ .who = { .method = method } };
    if (!read_values(&v, wire, answer))
        *lacks = "expected a role, or a dict with values of the right types";
    else if (!names_read(&f->who, &v))
        *lacks = "expected a role, and authid and realm to be names";
    else if (!method_read(&f->who, wire, &v))
        *lacks = wants[method];
    else
        ok = true;
    f->extra = v.at[EXTRA].text;
    values_fini(&v);
    return ok;
}

void finding_fini(struct finding *f)
{
    auth_forget(f->who.secret);
    buf_unref(f->who.salt);
    free(f->who.authid);
    free(f->who.role);
    free(f->who.realm);
}
