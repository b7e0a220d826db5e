/* test_auth.c - what proves who a peer is, against vectors of RFCs and of $VECTORS.
 *
 * Every row of auth-vectors.json is tested from both sides: what a client sends, and
 * whether a router that knows only what it should accepts it. */
#include "check.h"
#include "vectors.h"
#include "wamp/auth.h"
#include "wamp/base64.h"
#include "wamp/limits.h"

#include <stdlib.h>

void test_auth(void);

static struct slice bytes_of(const unsigned char *p, size_t n)
{
    return (struct slice){ (const char *)p, n };
}

static const char *hex_of(struct slice bytes)
{
    static char text[4][400];
    static unsigned next;
    char *out = text[next++ % 4];

    auth_hex(out, bytes);
    out[2 * bytes.n] = '\0';
    return out;
}

static struct slice unbase64(const char *text, char *out)
{
    size_t n = 0;

    CHECK(base64_decode(out, slice_of(text), &n));
    return (struct slice){ out, n };
}

static bool buf_is(const struct buf *b, const char *text)
{
    return slice_is(slice_buf(b), text);
}

/* ---- care -------------------------------------------------------------------------- */

static void care(void)
{
    char secret[] = "secret", out[4];

    TEST("texts are equal only if every byte is");
    CHECK(auth_equal(SLICE("abc"), SLICE("abc")));
    CHECK(!auth_equal(SLICE("abc"), SLICE("abd")) &&
          !auth_equal(SLICE("abc"), SLICE("ab")));
    CHECK(auth_equal(SLICE(""), (struct slice){ 0 }));
    auth_wipe(secret, 6);
    CHECK_STR(secret, "");

    TEST("hex is strict about its length and digits");
    CHECK(auth_unhex(out, SLICE("00fFa9"), 3) && !memcmp(out, "\x00\xff\xa9", 3));
    CHECK(!auth_unhex(out, SLICE("00ff"), 3) && !auth_unhex(out, SLICE("00ffa"), 3));
    CHECK(!auth_unhex(out, SLICE("00ffag"), 3) && !auth_unhex(out, SLICE("00ff/:"), 3));
    CHECK_STR(hex_of(SLICE("\x01\xfe")), "01fe");

    TEST("names that SASLprep would change are found");
    CHECK(auth_prepared(SLICE("joe ,=~")) && auth_prepared(SLICE("p\xc3\xa4ss")));
    CHECK(auth_prepared(SLICE("\xf0\x9f\x98\x80")) && auth_prepared(SLICE("")));
    CHECK(!auth_prepared(SLICE("a\tb")) && !auth_prepared(SLICE("a\x7f")));
    CHECK(!auth_prepared(SLICE("a\xc2\xa0z")) && !auth_prepared(SLICE("\xe2\x80\x8b")));
    CHECK(!auth_prepared(SLICE("\xc2\xad")) && !auth_prepared(SLICE("a\xe3")));
}

/* ---- digests ----------------------------------------------------------------------- */

/* RFC 4231, test cases 1 to 3; RFC 7914, section 11. */
static void digests(void)
{
    unsigned char out[64];

    TEST("HMAC-SHA256 as in RFC 4231");
    auth_hmac(SLICE("Jefe"), SLICE("what do ya want for nothing?"), out);
    CHECK_STR(hex_of(bytes_of(out, 32)),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    auth_hmac(SLICE("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
                    "\x0b\x0b\x0b"),
              SLICE("Hi There"), out);
    CHECK_STR(hex_of(bytes_of(out, 32)),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    auth_hmac((struct slice){ 0 }, (struct slice){ 0 }, out);
    CHECK_STR(hex_of(bytes_of(out, 32)),
              "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");

    TEST("SHA-256 of \"abc\" and of nothing");
    auth_sha256(SLICE("abc"), out);
    CHECK_STR(hex_of(bytes_of(out, 32)),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    auth_sha256((struct slice){ 0 }, out);
    CHECK_STR(hex_of(bytes_of(out, 32)),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void derived_keys(void)
{
    unsigned char out[64];

    TEST("PBKDF2-HMAC-SHA256 as in RFC 7914");
    CHECK(auth_pbkdf2(SLICE("passwd"), SLICE("salt"), 1, out, 64));
    CHECK_STR(hex_of(bytes_of(out, 64)),
              "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
              "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");

    TEST("costs beyond the limits are refused, not paid");
    CHECK(!auth_pbkdf2(SLICE("p"), SLICE("s"), 0, out, 32));
    CHECK(!auth_pbkdf2(SLICE("p"), SLICE("s"), LIMIT_AUTH_ITERATIONS + 1, out, 32));
    CHECK(!auth_pbkdf2(SLICE("p"), SLICE("s"), UINT32_MAX, out, 32));
    CHECK(!auth_pbkdf2(SLICE("p"), SLICE("s"), 1, out, 0));
    CHECK(!auth_pbkdf2(SLICE("p"), SLICE("s"), 1, out, 65));
    CHECK(!auth_cra_key(SLICE("p"), SLICE("s"), 1, 65));
    CHECK(!auth_argon2id(SLICE("p"), SLICE("12345678"), 1, 256 * 1024 + 1, out));
    CHECK(!auth_argon2id(SLICE("p"), SLICE("12345678"), 1000000, 1024, out));
    CHECK(!auth_argon2id(SLICE("p"), SLICE("12345678"), 0, 1024, out));
    CHECK(!auth_argon2id(SLICE("p"), SLICE("1234567"), 1, 1024, out));

    TEST("the key of a salted secret, as Crossbar.io documents it");
    struct buf *key = auth_cra_key(SLICE("secret1"), SLICE("salt123"), 100, 16);
    CHECK(buf_is(key, "prq7+YkJ1/KlW1X0YczMHw=="));
    auth_forget(key);
    auth_forget(NULL);
}

/* RFC 8032, 7.1, tests 1 and 2. */
static void signatures(void)
{
    static const struct {
        const char *private_key, *public_key, *text, *signature;
    } rows[] = {
        { "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
          "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
          "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
          "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
        { "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
          "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "r",
          "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
          "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
    };
    unsigned char key[32], public_key[32], signature[64];

    TEST("Ed25519 as in RFC 8032");
    for (size_t i = 0; i < 2; i++) {
        struct slice text = slice_of(rows[i].text);

        CHECK(auth_unhex(key, slice_of(rows[i].private_key), 32));
        CHECK(auth_public_key(key, public_key) && auth_sign(key, text, signature));
        CHECK_STR(hex_of(bytes_of(public_key, 32)), rows[i].public_key);
        CHECK_STR(hex_of(bytes_of(signature, 64)), rows[i].signature);
        CHECK(auth_verify(public_key, text, signature));
        CHECK(!auth_verify(public_key, SLICE("other"), signature));
        signature[63] ^= 1;
        CHECK(!auth_verify(public_key, text, signature));
    }
    memset(public_key, 0xFF, 32);
    CHECK(!auth_verify(public_key, SLICE("r"), signature));
}

/* ---- rows of the file -------------------------------------------------------------- */

static const char *string(struct slice row, const char *name)
{
    return json_string(json_member(row, name));
}

static uint32_t number(struct slice row, const char *name)
{
    struct slice s = json_member(row, name);

    return s.p ? (uint32_t)strtoul(s.p, NULL, 10) : 0;
}

static int each(struct slice rows, void (*test)(struct slice row))
{
    struct slice row;
    size_t i = 0;

    while ((row = json_element(rows, &i)).p)
        test(row);
    return (int)i;
}

/* challenge, or challenge XOR channel_id: what is signed. */
static struct slice signed_text(struct slice row, unsigned char out[32])
{
    const char *channel = string(row, "channel_id");
    unsigned char id[32] = { 0 };

    CHECK(auth_unhex(out, slice_of(string(row, "challenge")), 32));
    CHECK(!channel || auth_unhex(id, slice_of(channel), 32));
    for (int i = 0; i < 32; i++)
        out[i] ^= id[i];
    return bytes_of(out, 32);
}

static void sign_row(struct slice row)
{
    unsigned char key[32], text[32], out[96];
    struct slice message = signed_text(row, text);

    CHECK(auth_unhex(key, slice_of(string(row, "private_key")), 32));
    CHECK(auth_public_key(key, out));
    CHECK_STR(hex_of(bytes_of(out, 32)), string(row, "public_key"));
    CHECK(auth_sign(key, message, out));
    memcpy(out + 64, text, 32);
    CHECK_STR(hex_of(bytes_of(out, 96)), string(row, "signature"));
}

static void verify_row(struct slice row)
{
    unsigned char key[32], text[32], signature[96];
    struct slice message = signed_text(row, text);

    CHECK(auth_unhex(key, slice_of(string(row, "public_key")), 32));
    CHECK(auth_unhex(signature, slice_of(string(row, "signature")), 96));
    CHECK_INT(auth_verify(key, message, signature),
              slice_is(json_member(row, "valid"), "true"));
}

static void cra_row(struct slice row)
{
    struct slice secret = slice_of(string(row, "secret"));
    const char *salt = string(row, "salt");
    struct buf *key = buf_from(secret.p, secret.n), *signature;

    if (salt) {
        buf_unref(key);
        key = auth_cra_key(secret, slice_of(salt), number(row, "iterations"),
                           number(row, "keylen"));
        CHECK(key && buf_is(key, string(row, "derived_key_b64")));
    }
    signature = auth_cra_sign(slice_buf(key), slice_of(string(row, "challenge")));
    CHECK(buf_is(signature, string(row, "signature")));
    auth_forget(key);
    buf_unref(signature);
}

static bool salted_password(struct slice row, unsigned char out[32])
{
    char salt[100];
    struct slice raw = unbase64(string(row, "salt"), salt);
    struct slice password = slice_of(string(row, "password"));

    if (!strcmp(string(row, "kdf"), "pbkdf2"))
        return auth_pbkdf2(password, raw, number(row, "iterations"), out, 32);
    return auth_argon2id(password, raw, number(row, "iterations"), number(row, "memory"),
                         out);
}

static struct buf *scram_message(struct slice row)
{
    const char *type = string(row, "channel_binding"), *data = string(row, "cbind_data");
    char raw[100];
    struct buf *binding = auth_scram_binding(slice_of(type), data ? unbase64(data, raw)
                                                                  : (struct slice){ 0 });
    struct auth_scram s = {
        .authid = slice_of(string(row, "authid")),
        .client_nonce = slice_of(string(row, "client_nonce")),
        .nonce = slice_of(string(row, "server_nonce")),
        .salt = slice_of(string(row, "salt")),
        .binding = slice_buf(binding),
        .iterations = number(row, "iterations"),
    };
    struct buf *message = auth_scram_message(&s);

    buf_unref(binding);
    return message;
}

/* Both sides: the client's proof, and the router which knows the two keys alone. */
static void scram_proofs(struct slice row, struct slice salted, struct slice message)
{
    unsigned char stored[32], server[32], out[32];
    char raw[100];

    auth_scram_keys(salted, stored, server);
    CHECK_STR(hex_of(bytes_of(stored, 32)), string(row, "stored_key"));
    CHECK_STR(hex_of(bytes_of(server, 32)), string(row, "server_key"));
    auth_scram_proof(salted, message, out);
    CHECK(slice_eq(bytes_of(out, 32), unbase64(string(row, "client_proof"), raw)));
    CHECK(auth_scram_check(stored, message, bytes_of(out, 32)));
    CHECK(!auth_scram_check(stored, SLICE("n=other"), bytes_of(out, 32)));
    CHECK(!auth_scram_check(stored, message, bytes_of(out, 31)));
    out[31] ^= 1;
    CHECK(!auth_scram_check(stored, message, bytes_of(out, 32)));
    auth_scram_verifier(server, message, out);
    CHECK(slice_eq(bytes_of(out, 32), unbase64(string(row, "server_signature"), raw)));
}

static void scram_row(struct slice row)
{
    unsigned char salted[32];
    struct buf *message;

    if (!auth_has_argon2() && strcmp(string(row, "kdf"), "pbkdf2") != 0)
        return;
    message = scram_message(row);
    CHECK(salted_password(row, salted));
    CHECK_STR(hex_of(bytes_of(salted, 32)), string(row, "salted_password"));
    CHECK(buf_is(message, string(row, "auth_message")));
    scram_proofs(row, bytes_of(salted, 32), slice_buf(message));
    buf_unref(message);
}

static void argon2_row(struct slice row)
{
    unsigned char out[32];

    if (!auth_has_argon2())
        return;
    CHECK(auth_argon2id(slice_of(string(row, "password")),
                        slice_of(string(row, "salt_ascii")), number(row, "iterations"),
                        number(row, "memory_kib"), out));
    CHECK_STR(hex_of(bytes_of(out, 32)), string(row, "hash"));
}

static void vectors(struct slice file)
{
    struct slice cryptosign = json_member(file, "cryptosign");

    TEST("vectors of cryptosign, with and without a channel");
    CHECK_INT(each(json_member(cryptosign, "sign"), sign_row), 6);
    CHECK_INT(each(json_member(cryptosign, "verify"), verify_row), 5);

    TEST("vectors of wampcra, plain and salted");
    CHECK_INT(each(json_member(file, "wampcra"), cra_row), 6);

    TEST("vectors of wamp-scram, from the client's and the router's side");
    CHECK_INT(each(json_member(file, "wamp-scram"), scram_row), 5);

    TEST("vectors of Argon2id");
    CHECK_INT(each(json_member(file, "argon2id13"), argon2_row), 1);
}

void test_auth(void)
{
    struct buf *file = vectors_read("auth-vectors.json");

    care();
    digests();
    derived_keys();
    signatures();
    if (file)
        vectors(slice_buf(file));
    else
        vectors_absent("authentication");
    buf_unref(file);
}
