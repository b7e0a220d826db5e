/* aead.c - AES-GCM, by OpenSSL. See aead.h. */
#include "wamp/aead.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

typedef unsigned char byte;

static const EVP_CIPHER *cipher_of(struct slice key)
{
    return key.n == 16   ? EVP_aes_128_gcm()
           : key.n == 24 ? EVP_aes_192_gcm()
           : key.n == 32 ? EVP_aes_256_gcm()
                         : NULL;
}

bool aead_key_ok(struct slice key)
{
    return cipher_of(key) != NULL;
}

/* What can fail here fails for want of memory only, which ends the program as in
 * base/mem.c. */
static void must(int done)
{
    if (done == 1)
        return;
    fprintf(stderr, "wampy-lua: no AES-GCM\n");
    abort();
}

/* A context that has the key, the nonce and the aad; for the caller to free. */
static EVP_CIPHER_CTX *begin(const struct aead *a, int seal)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n;

    assert(aead_key_ok(a->key) && a->nonce.n == AEAD_NONCE && a->aad.n <= AEAD_MAX);
    must(c != NULL);
    must(EVP_CipherInit_ex(c, cipher_of(a->key), NULL, (const byte *)a->key.p,
                           (const byte *)a->nonce.p, seal));
    if (a->aad.n)
        must(EVP_CipherUpdate(c, NULL, &n, (const byte *)a->aad.p, (int)a->aad.n));
    return c;
}

void aead_seal(const struct aead *a, struct slice text, char *out)
{
    EVP_CIPHER_CTX *c = begin(a, 1);
    int n = 0;

    assert(text.n <= AEAD_MAX);
    if (text.n)
        must(EVP_CipherUpdate(c, (byte *)out, &n, (const byte *)text.p, (int)text.n));
    must(EVP_CipherFinal_ex(c, (byte *)out + text.n, &n));
    must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG, out + text.n));
    EVP_CIPHER_CTX_free(c);
}

bool aead_open(const struct aead *a, struct slice sealed, char *out)
{
    EVP_CIPHER_CTX *c;
    byte tag[AEAD_TAG], rest[AEAD_TAG];
    size_t size = sealed.n - AEAD_TAG;
    int n = 0;
    bool good;

    if (sealed.n < AEAD_TAG)
        return false;
    assert(size <= AEAD_MAX);
    c = begin(a, 0);
    for (size_t i = 0; i < AEAD_TAG; i++)
        tag[i] = (byte)sealed.p[size + i];
    must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG, tag));
    if (size)
        must(EVP_CipherUpdate(c, (byte *)out, &n, (const byte *)sealed.p, (int)size));
    good = EVP_CipherFinal_ex(c, rest, &n) == 1;
    EVP_CIPHER_CTX_free(c);
    if (!good)
        OPENSSL_cleanse(out, size);
    return good;
}
