/* attempt.h - an attempt to join: what stands between HELLO and WELCOME (WAMP:
 * authentication).
 *
 * An attempt belongs to its peer. It is made by HELLO, answered once, and gone with the
 * answer, good or bad. Each method is a row of a table: `begin` writes what CHALLENGE
 * carries, `check` holds AUTHENTICATE against it. Both do the same work for a name that
 * nobody has: then `principal` is a decoy, and `known` is false. */
#ifndef ROUTER_ATTEMPT_H
#define ROUTER_ATTEMPT_H

#include "router/principals.h"
#include "router/private.h"

struct attempt {
    const struct method *method;
    const struct principals *principals; /* borrowed from the router's doors */
    const struct principal *principal;   /* borrowed, likewise; or a decoy */
    bool known; /* HELLO named the principal, who may join this realm */
    struct realm *realm;
    struct roles roles;
    uint64_t session;      /* the id that the session will have */
    char *authid;          /* owned; the name in HELLO; NULL: none */
    struct buf *salt;      /* owned; as the client is told; NULL: none */
    struct buf *challenge; /* owned; text to sign; 32 bytes; both nonces of wamp-scram */
    struct buf *nonce;     /* owned; wamp-scram: the client's */
    struct buf *verifier;  /* owned; wamp-scram: for WELCOME, once the proof is good */
    unsigned char key[AUTH_DIGEST]; /* cryptosign: the public key of HELLO */

    /* Where an authenticator says who somebody is (attempt_dynamic.c). */
    struct principal *dynamic; /* borrowed from the principals; NULL: nobody is asked */
    struct inquiry *inquiry;   /* owned; NULL: nobody is asked now */
    const struct wire *wire;
    struct buf *authextra;   /* owned; of HELLO, in `wire`; NULL: none */
    struct principal *found; /* owned; who it is; NULL: not known */
    struct buf *ticket;      /* owned; as it came; NULL: not yet */
    struct buf *welcome;     /* owned; JSON; authextra for WELCOME; NULL: none */
};

struct method {
    const char *name; /* as on the wire */
    bool nameless;    /* HELLO may leave the authid out */

    /* Takes what HELLO's authextra has to have and writes CHALLENGE.Extra. False fills
     * `f` and writes nothing. NULL: there is nothing to prove. */
    bool (*begin)(struct attempt *a, struct slice authextra, struct writer *extra,
                  struct fault *f);
    bool (*check)(struct attempt *a, const struct msg *authenticate);
};

/* Where an attempt begins. */
struct entry {
    struct realm *realm;
    const struct principals *principals; /* those who may join by this door */
    const struct wire *wire;
};

/* Begins with the first of the client's methods that the realm offers to those. NULL
 * fills `f` with the ABORT that HELLO gets. Otherwise *extra is CHALLENGE.Extra, which
 * the caller owns, or NULL when nothing has to be proved. */
struct attempt *attempt_new(const struct entry *e, const struct opts *hello,
                            struct buf **extra, struct fault *f);
/* The method of a name on the wire; -1: none. */
int attempt_method_of(const char *name);

void attempt_free(struct attempt *a); /* NULL is ignored */

/* Whether AUTHENTICATE proves it. To be asked once. */
bool attempt_check(struct attempt *a, const struct msg *authenticate);

/* What CHALLENGE carries: see method.begin. NULL fills `f`. */
struct buf *attempt_challenge(struct attempt *a, struct fault *f);

/* By whom somebody is known, as WELCOME has it. */
const char *attempt_provider(const struct attempt *a);

/* ---- what methods share ------------------------------------------------------------ */

/* A string in an authextra, absent unless it is there. */
struct extra {
    struct slice name, text;
    struct buf *scratch; /* owned: extras_fini */
};

/* Fills in the texts of `count` extras from a dict, which may be absent. Null is as good
 * as absent. False when a value is not a string of LIMIT_AUTH_TEXT bytes at most, or
 * comes twice. */
bool extras_read(struct extra *extras, size_t count, const struct wire *wire,
                 struct slice dict);
void extras_fini(struct extra *extras, size_t count);

/* The fault of a HELLO that lacks what its method needs. Always false. */
bool attempt_lacks(const struct attempt *a, struct fault *f, const char *what);

/* Random text that comes once. */
struct buf *attempt_nonce(const struct attempt *a);

void attempt_text(struct writer *w, struct slice key, struct slice text);

/* ---- attempt_dynamic.c ------------------------------------------------------------- */

/* Whether the authenticator has to be asked before anything else. */
bool attempt_asks_first(const struct attempt *a);

void attempt_ask(struct attempt *a, struct peer *p);
/* Whether it has to be asked about the ticket of AUTHENTICATE. */
bool attempt_wants_ticket(const struct attempt *a);
void attempt_keep_ticket(struct attempt *a, struct slice ticket);

/* Takes the authenticator's answer; the absent slice: none. */
void attempt_learn(struct attempt *a, const struct wire *wire, struct slice answer);

/* Whether what has been learnt is enough to let him in, where CHALLENGE has gone before
 * or none is needed. */
bool attempt_settled(const struct attempt *a);

/* ---- finding.c --------------------------------------------------------------------- */

/* What an authenticator said of somebody. */
struct finding {
    struct principal_config who; /* owned */
    struct slice extra;          /* absent: none; in the answer */
};

/* Reads the answer about one who comes by `method`. False when it is none, or not enough;
 * *lacks says what was expected. End with finding_fini. */
bool finding_read(struct finding *f, enum auth_method method, const struct wire *wire,
                  struct slice answer, const char **lacks);
void finding_fini(struct finding *f);

/* ---- attempt_scram.c --------------------------------------------------------------- */

bool scram_begin(struct attempt *a, struct slice authextra, struct writer *extra,
                 struct fault *f);
bool scram_check(struct attempt *a, const struct msg *authenticate);

#endif
