/* ids.c - drawing WAMP ids and random bytes. See ids.h. */
#include "wamp/ids.h"

uint64_t id_random(const struct rng *rng)
{
    uint64_t x;

    do /* 54 bits, so that 2^53 itself can come up; half the draws are thrown away */
        x = rng->next(rng->ctx) >> 10;
    while (x < 1 || x > ID_MAX);
    return x;
}

uint64_t id_next(uint64_t last)
{
    return last >= ID_MAX ? 1 : last + 1;
}

void rng_bytes(const struct rng *rng, void *out, size_t n)
{
    unsigned char *at = out;
    uint64_t bits = 0;

    for (size_t i = 0; i < n; i++, bits >>= 8) {
        if (i % 8 == 0)
            bits = rng->next(rng->ctx);
        at[i] = (unsigned char)bits;
    }
}
