/* aead.h - AES in Galois/Counter Mode (NIST SP 800-38D): bytes that only who has the key
 * can read, or make. For apps that keep their payload from the router.
 *
 * Chance is the caller's: a nonce must never be used twice with one key. */
#ifndef WAMP_AEAD_H
#define WAMP_AEAD_H

#include <stdbool.h>

#include "base/buf.h"

#define AEAD_NONCE 12      /* bytes */
#define AEAD_TAG 16        /* bytes; what sealing adds */
#define AEAD_MAX (1 << 30) /* bytes that are sealed or opened at once */

struct aead {
    struct slice key;   /* 16, 24 or 32 bytes */
    struct slice nonce; /* AEAD_NONCE bytes */
    struct slice aad;   /* is authenticated, but not part of what is sealed */
};

bool aead_key_ok(struct slice key);

/* Writes the sealed text and its tag, text.n + AEAD_TAG bytes. */
void aead_seal(const struct aead *a, struct slice text, char *out);

/* Writes sealed.n - AEAD_TAG bytes of text; false, and nothing readable is left there,
 * when they were sealed with another key, nonce or aad, or changed. */
bool aead_open(const struct aead *a, struct slice sealed, char *out);

#endif
