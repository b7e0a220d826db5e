/* router_auth.h - what talks with a router need for authentication: principals from
 * words, and the answers that a client would give. */
#ifndef ROUTER_AUTH_H
#define ROUTER_AUTH_H

#include "router/router.h"

/* METHOD:AUTHID:ROLE:REALM:SECRET:SALT:ITERATIONS:LENGTH; all from REALM on may be empty
 * or left off. SECRET is what the client knows (cryptosign: private keys in hex, with
 * commas); LENGTH is the keylen of wampcra, or the memory of wamp-scram, which makes it
 * Argon2id. */
bool principal_option(struct router_config *c, const char *text);

/* A way in of this name; principals that follow may join by it. */
void door_option(struct router_config *c, const char *name);

/* METHOD:URI: an authenticator. */
bool authenticator_option(struct router_config *c, const char *text);
void principals_fini(struct router_config *c);

/* The AUTHENTICATE that answers a CHALLENGE, of who sent that HELLO and knows `secret`.
 * NULL when it cannot be made. The caller frees it. */
char *prove(const char *hello, const char *challenge, const char *secret);

#endif
