/* test_aead.c - AES-GCM against the test cases of its specification (McGrew and Viega,
 * "The Galois/Counter Mode of Operation", appendix B; NIST uses the same) that have a
 * nonce of 96 bits, one for each length of key and kind of input. */
#include <stdlib.h>

#include "check.h"
#include "wamp/aead.h"

void test_aead(void);

#define K128 "feffe9928665731c6d6a8f9467308308"
#define NONCE "cafebabefacedbaddecaf888"
#define TEXT                                                           \
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" \
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define AAD "feedfacedeadbeeffeedfacedeadbeefabaddad2"
#define ZERO8 "0000000000000000"
#define ZERO16 ZERO8 ZERO8
#define ZERO12 ZERO8 "00000000"

static const struct {
    const char *name, *key, *nonce, *aad, *text, *sealed;
} cases[] = {
    { "1", ZERO16, ZERO12, "", "", "58e2fccefa7e3061367f1d57a4e7455a" },
    { "2", ZERO16, ZERO12, "", ZERO16,
      "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf" },
    { "4", K128, NONCE, AAD, TEXT,
      "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
      "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
      "5bc94fbc3221a5db94fae95ae7121a47" },
    { "7", ZERO16 ZERO8, ZERO12, "", "", "cd33b28ac773f74ba00ed1f312572435" },
    { "10", K128 "feffe9928665731c", NONCE, AAD, TEXT,
      "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c"
      "7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710"
      "2519498e80f1478f37ba55bd6d27618c" },
    { "13", ZERO16 ZERO16, ZERO12, "", "", "530f8afbc74536b9a963b4f1c4cb738b" },
    { "14", ZERO16 ZERO16, ZERO12, "", ZERO16,
      "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919" },
    { "16", K128 K128, NONCE, AAD, TEXT,
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
      "76fc6ece0f4e1768cddf8853bb2d551b" },
};

static struct slice bytes(const char *hex, char *into)
{
    size_t n = strlen(hex) / 2;

    for (size_t i = 0; i < n; i++) {
        char pair[3] = { hex[2 * i], hex[2 * i + 1], 0 };

        into[i] = (char)strtol(pair, NULL, 16);
    }
    return (struct slice){ into, n };
}

static void run(size_t i)
{
    char key[32], nonce[12], aad[32], text[64], sealed[80], out[80];
    struct aead a = { bytes(cases[i].key, key), bytes(cases[i].nonce, nonce),
                      bytes(cases[i].aad, aad) };
    struct slice plain = bytes(cases[i].text, text);
    struct slice want = bytes(cases[i].sealed, sealed);

    CHECK(aead_key_ok(a.key));
    CHECK_INT(want.n, plain.n + AEAD_TAG);
    aead_seal(&a, plain, out);
    CHECK(!memcmp(out, want.p, want.n));
    CHECK(aead_open(&a, want, out));
    CHECK(!memcmp(out, plain.p, plain.n));
    sealed[want.n - 1] ^= 1;
    memset(out, 'x', sizeof out);
    CHECK(!aead_open(&a, want, out));
    for (size_t at = 0; at < plain.n; at++)
        CHECK(out[at] == 0); /* nothing of it is left */
    CHECK(out[plain.n] == 'x');
}

void test_aead(void)
{
    TEST("AES-GCM is that of its specification");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        run(i);

    TEST("keys have 16, 24 or 32 bytes");
    for (size_t n = 0; n < 40; n++)
        CHECK(aead_key_ok((struct slice){ "", n }) == (n == 16 || n == 24 || n == 32));

    TEST("what is shorter than a tag is not opened");
    for (size_t n = 0; n < AEAD_TAG; n++)
        CHECK(!aead_open(
            &(struct aead){ SLICE("0123456789abcdef"), SLICE("0123456789ab"), SLICE("") },
            (struct slice){ "0123456789abcdef", n }, NULL));
}
