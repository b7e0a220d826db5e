/* ids.h - WAMP ids: integers from 1 to 2^53 (WAMP: IDs).
 *
 * Global ids are drawn at random, session-scope ids count up from 1 and wrap. The random
 * source is handed in, so tests script it. */
#ifndef WAMP_IDS_H
#define WAMP_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ID_MAX ((uint64_t)1 << 53)

struct rng {
    uint64_t (*next)(void *ctx); /* 64 uniformly random bits */
    void *ctx;
};

static inline bool id_ok(int64_t id)
{
    return id >= 1 && (uint64_t)id <= ID_MAX;
}

/* A global id: uniform over 1 ... 2^53, by rejection. */
uint64_t id_random(const struct rng *rng);

/* The id after `last` in a session scope; 1 after 0 and after 2^53. */
uint64_t id_next(uint64_t last);

/* Random bytes, for nonces and salts. */
void rng_bytes(const struct rng *rng, void *out, size_t n);

#endif
