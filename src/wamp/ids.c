/* ids.c - drawing WAMP ids. See ids.h. */
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
