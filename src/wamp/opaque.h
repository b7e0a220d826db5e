/* opaque.h - payload that only its two ends can read, in place of arguments.
 *
 * Older than payload passthru mode, and what Crossbar.io and Autobahn have in its stead
 * (features payload_transparency, payload_encryption_cryptobox): where the options or
 * details have enc_algo, one string of bytes stands for arguments and keyword arguments.
 * Whoever passes it on passes it on as it is.
 *
 *     [16, 7, {"enc_algo": "cryptobox"}, "com.news", "\u0000oWZub3RpY2U="]
 *
 * Not known here: who has announced it (router/passthru.c). */
#ifndef WAMP_OPAQUE_H
#define WAMP_OPAQUE_H

#include "wamp/msg.h"

/* Whether the dict of a message, which is well-formed, says that such payload follows. */
bool opaque_is_said(const struct msg *m);

/* Whether the message says no more than that, and in words that there are; false fills
 * `f` (protocol_violation). */
bool opaque_ok(const struct msg *m, struct fault *f);

#endif
