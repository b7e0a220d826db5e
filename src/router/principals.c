/* principals.c - the store of those who may join. See principals.h.
 *
 * What can be derived from a secret is derived here, once, when the router is made: a
 * login then costs one HMAC or one signature, and the secret itself is not kept. Not
 * known here: messages. */
#include "router/principals.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "router/private.h"
#include "wamp/base64.h"

/* ---- making ------------------------------------------------------------------------ */

static char *copy_text(const char *s)
{
    return s ? xstrdup(s) : NULL;
}

static struct buf *copy_bytes(const struct buf *b)
{
    return b ? buf_from(b->data, b->len) : NULL;
}

static struct slice all_of(const struct buf *b)
{
    return b ? slice_buf(b) : (struct slice){ 0 };
}

/* A secret for which PBKDF2 refuses the cost stays as it is: the costs of a
 * configuration are checked where it is read. */
static struct buf *secret_of(const struct principal_config *c)
{
    struct buf *key = NULL;

    if (c->method == AUTH_WAMPCRA && c->salt)
        key = auth_cra_key(all_of(c->secret), all_of(c->salt), c->iterations, c->keylen);
    return key ? key : copy_bytes(c->secret);
}

void principal_init(struct principal *p, const struct principal_config *c)
{
    *p = (struct principal){ .method = c->method,
                             .authid = copy_text(c->authid),
                             .role = copy_text(c->role),
                             .realm = copy_text(c->realm),
                             .secret = secret_of(c),
                             .salt = copy_bytes(c->salt),
                             .iterations = c->iterations,
                             .keylen = c->keylen,
                             .memory = c->memory,
                             .argon2 = c->argon2 };
}

void principal_fini(struct principal *p)
{
    auth_forget(p->secret);
    buf_unref(p->salt);
    free(p->authid);
    free(p->role);
    free(p->realm);
    free(p->authenticator);
}

/* The name under which a principal is found. */
static struct slice name_of(const struct principal *p)
{
    return p->method == AUTH_ANONYMOUS ? SLICE("") : slice_of(p->authid);
}

static void keys_add(struct principals *ps, struct principal *p)
{
    struct slice key = { p->secret->data, AUTH_DIGEST };

    for (size_t n = p->secret->len; n >= AUTH_DIGEST; n -= AUTH_DIGEST) {
        map_put_bytes(&ps->keys, key, p);
        key.p += AUTH_DIGEST;
    }
}

static struct buf *random_buf(const struct rng *rng, size_t n)
{
    struct buf *b = buf_new(n);

    rng_bytes(rng, b->data, n);
    b->len = n;
    return b;
}

/* Until somebody is known, wampcra looks unsalted, and wamp-scram cheap. */
static void principals_add_dynamic(struct principals *ps, struct principal *p,
                                   const struct principal_config *c,
                                   const struct rng *rng)
{
    p->method = c->method;
    p->authenticator = xstrdup(c->authenticator);
    p->realm = copy_text(c->realm);
    p->secret = random_buf(rng, 2 * (size_t)AUTH_DIGEST);
    if (p->method == AUTH_SCRAM) {
        p->salt = random_buf(rng, 16);
        p->iterations = LIMIT_AUTH_SCRAM_LEAST;
    }
    ps->dynamic[p->method] = p;
}

static void principals_add(struct principals *ps, const struct principal_config *c,
                           const struct rng *rng)
{
    struct principal *p = &ps->at[ps->count++];

    if (c->authenticator) {
        principals_add_dynamic(ps, p, c, rng);
        return;
    }
    principal_init(p, c);
    map_put_bytes(&ps->names[p->method], name_of(p), p);
    if (p->method == AUTH_CRYPTOSIGN)
        keys_add(ps, p);
}

struct principals *principals_new(const struct router_config *config, unsigned store,
                                  const struct rng *rng)
{
    static char anonymous[] = "anonymous";
    const struct principal_config anybody = { .role = anonymous };
    struct principals *ps = xcalloc(1, sizeof *ps);

    ps->store = store;
    if (config->principal_count) /* else there is nobody to hide */
        rng_bytes(rng, ps->secret, sizeof ps->secret);
    ps->at = xcalloc(config->principal_count + 1, sizeof *ps->at);
    for (size_t i = 0; i < config->principal_count; i++)
        if (config->principals[i].store == store)
            principals_add(ps, &config->principals[i], rng);
    if (!ps->count)
        principals_add(ps, &anybody, rng);
    return ps;
}

void principals_free(struct principals *ps)
{
    if (!ps)
        return;
    for (size_t i = 0; i < ps->count; i++)
        principal_fini(&ps->at[i]);
    for (int i = 0; i < AUTH_METHODS; i++)
        map_fini(&ps->names[i]);
    map_fini(&ps->keys);
    auth_wipe(ps->secret, sizeof ps->secret);
    free(ps->at);
    free(ps);
}

/* ---- finding ----------------------------------------------------------------------- */

bool principal_fits(const struct principal *p, const struct realm *realm)
{
    if (p->authenticator)
        return true;
    return (!p->realm || !strcmp(p->realm, realm->name)) && realm_role(realm, p->role);
}

unsigned principals_offer(const struct principals *ps, const struct realm *realm)
{
    unsigned offer = 0;

    for (size_t i = 0; i < ps->count; i++)
        if (principal_fits(&ps->at[i], realm))
            offer |= 1u << ps->at[i].method;
    return offer;
}

const struct principal *principals_find(const struct principals *ps,
                                        enum auth_method method, struct slice authid)
{
    return map_get_bytes(&ps->names[method], authid.p ? authid : SLICE(""));
}

const struct principal *principals_find_key(const struct principals *ps,
                                            struct slice public_key)
{
    return map_get_bytes(&ps->keys, public_key);
}

/* ---- decoys ------------------------------------------------------------------------ */

static struct slice secret_slice(const struct principals *ps)
{
    return (struct slice){ (const char *)ps->secret, sizeof ps->secret };
}

/* A random-looking digest that hangs on what it is for and on a name. */
static void digest_of(const struct principals *ps, struct slice what, struct slice authid,
                      unsigned char out[AUTH_DIGEST])
{
    struct buf *text = buf_from(what.p, what.n);

    buf_append(&text, authid.p ? authid.p : "", authid.n);
    auth_hmac(secret_slice(ps), slice_buf(text), out);
    buf_unref(text);
}

const struct principal *principals_decoy(const struct principals *ps,
                                         const struct realm *realm,
                                         enum auth_method method, struct slice authid)
{
    unsigned char digest[AUTH_DIGEST];
    uint32_t start;

    digest_of(ps, SLICE("who:"), authid, digest);
    memcpy(&start, digest, sizeof start);
    for (size_t i = 0; i < ps->count; i++) {
        const struct principal *p = &ps->at[(start + i) % ps->count];

        if (p->method == method && principal_fits(p, realm))
            return p;
    }
    return NULL;
}

/* Salts of wampcra are text, so theirs is made of characters. */
struct buf *principals_salt(const struct principals *ps, const struct principal *p,
                            struct slice authid)
{
    unsigned char digest[AUTH_DIGEST];
    struct slice bytes = { (const char *)digest, sizeof digest };
    char text[BASE64_SIZE(AUTH_DIGEST)];
    size_t n = p->salt->len;

    if (p->method == AUTH_WAMPCRA) {
        digest_of(ps, SLICE("wampcra:"), authid, digest);
        base64_encode(text, bytes);
        bytes = (struct slice){ text, sizeof text - 2 }; /* without what pads it */
    } else {
        digest_of(ps, SLICE("salt:"), authid, digest);
    }
    return buf_from(bytes.p, n < bytes.n ? n : bytes.n);
}

bool principals_equal(const struct principals *ps, struct slice a, struct slice b)
{
    unsigned char one[AUTH_DIGEST], other[AUTH_DIGEST];

    auth_hmac(secret_slice(ps), a, one);
    auth_hmac(secret_slice(ps), b, other);
    return auth_equal((struct slice){ (const char *)one, sizeof one },
                      (struct slice){ (const char *)other, sizeof other });
}
