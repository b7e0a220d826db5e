/* auth.c - HMAC, key derivation, Ed25519 and SCRAM. See auth.h.
 *
 * The arithmetic is OpenSSL's and libargon2's; nothing else in this room knows either of
 * them. What is added here is how WAMP puts the pieces together, and the costs that are
 * refused. One idea: an intermediate key never leaves its function and is wiped there. */
#include "wamp/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#ifdef WITH_ARGON2
#include <argon2.h>
#endif

#include "wamp/base64.h"
#include "wamp/limits.h"

/* SHA-256 fails for want of memory only, which ends the program as in base/mem.c. */
static void must(const void *done)
{
    if (done)
        return;
    fprintf(stderr, "wampy-lua: no SHA-256\n");
    abort();
}

static struct slice digest_slice(const unsigned char digest[AUTH_DIGEST])
{
    return (struct slice){ (const char *)digest, AUTH_DIGEST };
}

static void append(struct buf **b, struct slice s)
{
    buf_append(b, s.p, s.n);
}

/* ---- care -------------------------------------------------------------------------- */

bool auth_equal(struct slice a, struct slice b)
{
    return a.n == b.n && (!a.n || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

void auth_wipe(void *p, size_t n)
{
    OPENSSL_cleanse(p, n);
}

void auth_forget(struct buf *b)
{
    if (b)
        auth_wipe(b->data, b->len);
    buf_unref(b);
}

/* The next code point of UTF-8 that somebody else has checked, its bytes in *n; 0, which
 * is not prepared, where it is cut off. */
static uint32_t code_point(const unsigned char *p, size_t left, size_t *n)
{
    uint32_t c = *p;

    *n = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    if (*n > left)
        return 0;
    if (*n == 1)
        return c;
    c &= 0x7Fu >> *n;
    for (size_t i = 1; i < *n; i++)
        c = c << 6 | (p[i] & 0x3F);
    return c;
}

/* RFC 4013, 2.1 and 2.3: the tables B.1, C.1.2 and C.2 to C.9 of RFC 3454. */
static bool is_unprepared(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        { 0x00, 0x1F },       { 0x7F, 0xA0 },        { 0xAD, 0xAD },
        { 0x034F, 0x034F },   { 0x0340, 0x0341 },    { 0x06DD, 0x06DD },
        { 0x070F, 0x070F },   { 0x1680, 0x1680 },    { 0x1806, 0x1806 },
        { 0x180B, 0x180E },   { 0x2000, 0x200F },    { 0x2028, 0x202F },
        { 0x205F, 0x2063 },   { 0x206A, 0x206F },    { 0x2FF0, 0x2FFB },
        { 0x3000, 0x3000 },   { 0xD800, 0xF8FF },    { 0xFDD0, 0xFDEF },
        { 0xFE00, 0xFE0F },   { 0xFEFF, 0xFEFF },    { 0xFFF9, 0xFFFF },
        { 0x1D173, 0x1D17A }, { 0xE0000, 0x10FFFF },
    };

    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

bool auth_prepared(struct slice utf8)
{
    const unsigned char *p = (const unsigned char *)utf8.p;

    for (size_t i = 0, n; i < utf8.n; i += n)
        if (is_unprepared(code_point(p + i, utf8.n - i, &n)))
            return false;
    return true;
}

void auth_hex(char *out, struct slice bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        *out++ = "0123456789abcdef"[(unsigned char)bytes.p[i] >> 4];
        *out++ = "0123456789abcdef"[bytes.p[i] & 15];
    }
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool auth_unhex(void *out, struct slice hex, size_t n)
{
    unsigned char *bytes = out;

    if (hex.n != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = digit(hex.p[2 * i]), low = digit(hex.p[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

/* ---- digests and derived keys ------------------------------------------------------ */

void auth_sha256(struct slice text, unsigned char out[AUTH_DIGEST])
{
    must(EVP_Digest(text.n ? text.p : "", text.n, out, NULL, EVP_sha256(), NULL) ? out
                                                                                 : NULL);
}

void auth_hmac(struct slice key, struct slice text, unsigned char out[AUTH_DIGEST])
{
    must(HMAC(EVP_sha256(), key.n ? key.p : "", (int)key.n,
              (const unsigned char *)(text.n ? text.p : ""), text.n, out, NULL));
}

bool auth_pbkdf2(struct slice password, struct slice salt, uint32_t iterations,
                 unsigned char *out, size_t n)
{
    if (!iterations || iterations > LIMIT_AUTH_ITERATIONS || !n || n > LIMIT_AUTH_KEY)
        return false;
    return PKCS5_PBKDF2_HMAC(password.n ? password.p : "", (int)password.n,
                             (const unsigned char *)(salt.n ? salt.p : ""), (int)salt.n,
                             (int)iterations, EVP_sha256(), (int)n, out) == 1;
}

#ifdef WITH_ARGON2

bool auth_has_argon2(void)
{
    return true;
}

bool auth_argon2id(struct slice password, struct slice salt, uint32_t iterations,
                   uint32_t memory, unsigned char out[AUTH_DIGEST])
{
    if (memory > LIMIT_AUTH_MEMORY || (uint64_t)memory * iterations > LIMIT_AUTH_WORK)
        return false;
    return argon2id_hash_raw(iterations, memory, 1, password.p, password.n, salt.p,
                             salt.n, out, AUTH_DIGEST) == ARGON2_OK;
}

#else

bool auth_has_argon2(void)
{
    return false;
}

bool auth_argon2id(struct slice password, struct slice salt, uint32_t iterations,
                   uint32_t memory, unsigned char out[AUTH_DIGEST])
{
    (void)password, (void)salt, (void)iterations, (void)memory, (void)out;
    return false;
}

#endif

/* ---- wampcra ----------------------------------------------------------------------- */

struct buf *auth_cra_key(struct slice secret, struct slice salt, uint32_t iterations,
                         uint32_t keylen)
{
    unsigned char derived[LIMIT_AUTH_KEY];
    struct buf *key = NULL;

    if (auth_pbkdf2(secret, salt, iterations, derived, keylen))
        key = base64_text((struct slice){ (const char *)derived, keylen });
    auth_wipe(derived, sizeof derived);
    return key;
}

struct buf *auth_cra_sign(struct slice key, struct slice challenge)
{
    unsigned char digest[AUTH_DIGEST];

    auth_hmac(key, challenge, digest);
    return base64_text(digest_slice(digest));
}

/* ---- cryptosign -------------------------------------------------------------------- */

static EVP_PKEY *private_of(const unsigned char key[AUTH_DIGEST])
{
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key, AUTH_DIGEST);
}

bool auth_public_key(const unsigned char private_key[AUTH_DIGEST],
                     unsigned char out[AUTH_DIGEST])
{
    EVP_PKEY *key = private_of(private_key);
    size_t n = AUTH_DIGEST;
    bool ok = key && EVP_PKEY_get_raw_public_key(key, out, &n) == 1;

    EVP_PKEY_free(key);
    return ok;
}

bool auth_sign(const unsigned char private_key[AUTH_DIGEST], struct slice text,
               unsigned char out[AUTH_SIGNATURE])
{
    EVP_PKEY *key = private_of(private_key);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t n = AUTH_SIGNATURE;
    bool ok = key && ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
              EVP_DigestSign(ctx, out, &n, (const unsigned char *)(text.n ? text.p : ""),
                             text.n) == 1;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return ok;
}

bool auth_verify(const unsigned char public_key[AUTH_DIGEST], struct slice text,
                 const unsigned char signature[AUTH_SIGNATURE])
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, AUTH_DIGEST);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok =
        key && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
        EVP_DigestVerify(ctx, signature, AUTH_SIGNATURE,
                         (const unsigned char *)(text.n ? text.p : ""), text.n) == 1;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return ok;
}

/* ---- SCRAM ------------------------------------------------------------------------- */

struct buf *auth_scram_binding(struct slice type, struct slice data)
{
    struct buf *header = buf_new(type.n + data.n + 8), *text;

    append(&header, type.n ? SLICE("p=") : SLICE("n"));
    append(&header, type);
    append(&header, SLICE(",,"));
    append(&header, data);
    text = base64_text(slice_buf(header));
    buf_unref(header);
    return text;
}

/* RFC 5802, saslname: what would end the name or look like an escape is escaped. */
static void append_name(struct buf **b, struct slice name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == ',')
            append(b, SLICE("=2C"));
        else if (name.p[i] == '=')
            append(b, SLICE("=3D"));
        else
            buf_append(b, name.p + i, 1);
    }
}

struct buf *auth_scram_message(const struct auth_scram *s)
{
    struct buf *b = buf_new(256);
    char count[16];

    snprintf(count, sizeof count, "%lu", (unsigned long)s->iterations);
    append(&b, SLICE("n="));
    append_name(&b, s->authid);
    append(&b, SLICE(",r="));
    append(&b, s->client_nonce);
    append(&b, SLICE(",r="));
    append(&b, s->nonce);
    append(&b, SLICE(",s="));
    append(&b, s->salt);
    append(&b, SLICE(",i="));
    append(&b, slice_of(count));
    append(&b, SLICE(",c="));
    append(&b, s->binding);
    append(&b, SLICE(",r="));
    append(&b, s->nonce);
    return b;
}

static void xor_into(unsigned char a[AUTH_DIGEST], const unsigned char b[AUTH_DIGEST])
{
    for (int i = 0; i < AUTH_DIGEST; i++)
        a[i] ^= b[i];
}

void auth_scram_keys(struct slice salted, unsigned char stored[AUTH_DIGEST],
                     unsigned char server[AUTH_DIGEST])
{
    unsigned char client[AUTH_DIGEST];

    auth_hmac(salted, SLICE("Client Key"), client);
    auth_sha256(digest_slice(client), stored);
    auth_hmac(salted, SLICE("Server Key"), server);
    auth_wipe(client, sizeof client);
}

void auth_scram_proof(struct slice salted, struct slice message,
                      unsigned char out[AUTH_DIGEST])
{
    unsigned char stored[AUTH_DIGEST], signature[AUTH_DIGEST];

    auth_hmac(salted, SLICE("Client Key"), out);
    auth_sha256(digest_slice(out), stored);
    auth_hmac(digest_slice(stored), message, signature);
    xor_into(out, signature);
    auth_wipe(stored, sizeof stored);
}

bool auth_scram_check(const unsigned char stored[AUTH_DIGEST], struct slice message,
                      struct slice proof)
{
    unsigned char client[AUTH_DIGEST], digest[AUTH_DIGEST];
    bool ok;

    if (proof.n != AUTH_DIGEST)
        return false;
    auth_hmac(digest_slice(stored), message, client);
    xor_into(client, (const unsigned char *)proof.p);
    auth_sha256(digest_slice(client), digest);
    ok = auth_equal(digest_slice(digest), digest_slice(stored));
    auth_wipe(client, sizeof client);
    return ok;
}

void auth_scram_verifier(const unsigned char server[AUTH_DIGEST], struct slice message,
                         unsigned char out[AUTH_DIGEST])
{
    auth_hmac(digest_slice(server), message, out);
}
