/* principals.h - who may join a router, and what their proofs are held against.
 *
 * Everybody is a principal: one row a name and method. "anonymous" is a method that asks
 * for no proof and has one row, without a name. The router keeps stores of them, one
 * or more (doors.c), for all its realms; a principal may join the realms that have his
 * role, or only the one he names.
 *
 * Nobody learns from the outside who exists: a name that does not is answered with a
 * decoy, a principal whose costs it is shown under a salt made for that name. The choice
 * and the salt hang on a random key of this router, so that asking twice gets the same
 * answer. */
#ifndef ROUTER_PRINCIPALS_H
#define ROUTER_PRINCIPALS_H

#include "base/map.h"
#include "router/router.h"
#include "wamp/auth.h"

struct realm;

struct principal {
    enum auth_method method;
    char *authid; /* owned; NULL: a name is made up for each session */
    char *role;   /* owned */
    char *realm;  /* owned; NULL: all that have the role; where the authenticator is */
    /* owned, wiped: the ticket; the HMAC key of wampcra, derived if it is salted; public
     * keys one behind the other; StoredKey and ServerKey of wamp-scram */
    struct buf *secret;
    struct buf *salt; /* owned; NULL: none */
    uint32_t iterations, keylen, memory;
    bool argon2;
    /* Owned; who says who comes by this method (router.h); NULL: this principal does.
     * Else salt and costs are those of the last one who was known, and the secret is
     * random: what is not known is answered like that. */
    char *authenticator;
};

struct principals {
    struct principal *at; /* owned */
    size_t count;
    struct map names[AUTH_METHODS];          /* authid -> principal */
    struct map keys;                         /* public key -> principal of cryptosign */
    struct principal *dynamic[AUTH_METHODS]; /* those with an authenticator; or NULL */
    unsigned char secret[AUTH_DIGEST];       /* random; behind decoys and comparisons */
    unsigned store;                          /* its number */
};

/* Those of one store. */
struct principals *principals_new(const struct router_config *config, unsigned store,
                                  const struct rng *rng);
void principals_free(struct principals *ps); /* NULL is ignored */

/* Copies; `p` is overwritten. */
void principal_init(struct principal *p, const struct principal_config *c);
void principal_fini(struct principal *p);

/* Whether he may join this realm: it has his role and is not another than his own. */
bool principal_fits(const struct principal *p, const struct realm *realm);

/* The methods (bit per enum auth_method) by which somebody may join a realm. */
unsigned principals_offer(const struct principals *ps, const struct realm *realm);

/* NULL when there is none. An anonymous one is found by the absent name. */
const struct principal *principals_find(const struct principals *ps,
                                        enum auth_method method, struct slice authid);
const struct principal *principals_find_key(const struct principals *ps,
                                            struct slice public_key);

/* One of those who may join the realm by a method that it offers: always the same for a
 * name. */
const struct principal *principals_decoy(const struct principals *ps,
                                         const struct realm *realm,
                                         enum auth_method method, struct slice authid);

/* A salt like that of the decoy `p`, always the same for a name. */
struct buf *principals_salt(const struct principals *ps, const struct principal *p,
                            struct slice authid);

/* Compares in a time that does not depend on the texts. */
bool principals_equal(const struct principals *ps, struct slice a, struct slice b);

#endif
