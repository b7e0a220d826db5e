/* auth.h - what proves who a peer is: HMAC, key derivation, Ed25519, SCRAM.
 *
 * Pure functions over bytes, for both sides of WAMP's four authentication methods; which
 * method is used, what a challenge must look like and what is told to whom is not known
 * here. Costs beyond limits.h are refused by the functions themselves, whoever asks.
 *
 * Words: a digest is 32 bytes (AUTH_DIGEST), as is everything that SCRAM calls a key, a
 * proof or a signature. What is secret and lies in a buf is dropped with auth_forget. */
#ifndef WAMP_AUTH_H
#define WAMP_AUTH_H

#include "base/buf.h"

#define AUTH_DIGEST 32    /* SHA-256, and each Ed25519 key */
#define AUTH_SIGNATURE 64 /* Ed25519 */

/* ---- care -------------------------------------------------------------------------- */

/* Takes the same time whatever the first difference is. */
bool auth_equal(struct slice a, struct slice b);

void auth_wipe(void *p, size_t n);

/* Wipes a buf that the caller holds alone and drops it; NULL is ignored. */
void auth_forget(struct buf *b);

/* Whether a name or password may be used as it stands (RFC 4013, SASLprep): false if it
 * has a character that SASLprep forbids or would replace: controls, invisible ones,
 * spaces other than U+0020. Letters are not normalised (ASCII never needs it). */
bool auth_prepared(struct slice utf8);

/* Lower case; `out` has room for 2 * bytes.n characters. */
void auth_hex(char *out, struct slice bytes);

/* Exactly `n` bytes from exactly 2n digits of either case; else false. */
bool auth_unhex(void *out, struct slice hex, size_t n);

/* ---- digests and derived keys ------------------------------------------------------ */

void auth_sha256(struct slice text, unsigned char out[AUTH_DIGEST]);
void auth_hmac(struct slice key, struct slice text, unsigned char out[AUTH_DIGEST]);

/* PBKDF2-HMAC-SHA256. False for an iteration count or length that is 0 or beyond
 * LIMIT_AUTH_ITERATIONS, LIMIT_AUTH_KEY. */
bool auth_pbkdf2(struct slice password, struct slice salt, uint32_t iterations,
                 unsigned char *out, size_t n);

/* Argon2id version 1.3, one lane, `memory` in KiB. False when the cost is beyond
 * LIMIT_AUTH_MEMORY, LIMIT_AUTH_WORK or below what Argon2 takes, when the salt is shorter
 * than its 8 bytes, and always in a build without libargon2 (auth_has_argon2). */
bool auth_argon2id(struct slice password, struct slice salt, uint32_t iterations,
                   uint32_t memory, unsigned char out[AUTH_DIGEST]);
bool auth_has_argon2(void);

/* ---- wampcra ----------------------------------------------------------------------- */

/* The HMAC key of a salted secret: the Base64 text of what PBKDF2 derives. NULL for a
 * cost that auth_pbkdf2 refuses. Secret: auth_forget. */
struct buf *auth_cra_key(struct slice secret, struct slice salt, uint32_t iterations,
                         uint32_t keylen);

/* The signature as it is sent, Base64. `key` is the plain secret's text or the derived
 * key's. */
struct buf *auth_cra_sign(struct slice key, struct slice challenge);

/* ---- cryptosign: Ed25519 with raw keys --------------------------------------------- */

bool auth_public_key(const unsigned char private_key[AUTH_DIGEST],
                     unsigned char out[AUTH_DIGEST]);
bool auth_sign(const unsigned char private_key[AUTH_DIGEST], struct slice text,
               unsigned char out[AUTH_SIGNATURE]);
bool auth_verify(const unsigned char public_key[AUTH_DIGEST], struct slice text,
                 const unsigned char signature[AUTH_SIGNATURE]);

/* ---- SCRAM (RFC 5802 as WAMP uses it) ---------------------------------------------- */

/* Both nonces, the salt and the binding are the Base64 texts of the messages. */
struct auth_scram {
    struct slice authid;
    struct slice client_nonce; /* of HELLO */
    struct slice nonce;        /* of CHALLENGE: the client's and the server's */
    struct slice salt;
    struct slice binding; /* auth_scram_binding */
    uint32_t iterations;
};

/* Base64 of the GS2 header and what is bound to: "biws" for no type. Type and data as in
 * AUTHENTICATE, the data raw. */
struct buf *auth_scram_binding(struct slice type, struct slice data);

/* The AuthMessage that both sides sign. */
struct buf *auth_scram_message(const struct auth_scram *s);

/* StoredKey and ServerKey, which is all that a router has to keep. `salted` is what
 * auth_pbkdf2 or auth_argon2id made of the password. */
void auth_scram_keys(struct slice salted, unsigned char stored[AUTH_DIGEST],
                     unsigned char server[AUTH_DIGEST]);

void auth_scram_proof(struct slice salted, struct slice message,
                      unsigned char out[AUTH_DIGEST]);

/* Whether who made this proof knows the password behind `stored`. */
bool auth_scram_check(const unsigned char stored[AUTH_DIGEST], struct slice message,
                      struct slice proof);

/* The server's signature, which proves that it knows ServerKey. */
void auth_scram_verifier(const unsigned char server[AUTH_DIGEST], struct slice message,
                         unsigned char out[AUTH_DIGEST]);

#endif
