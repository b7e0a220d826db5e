/* doors.c - the ways into a router, each with the store of those who may join by it.
 *
 * A door is what a transport of the configuration is to the router: a number that each
 * peer brings along (router_door). Several may lead to one store. When the configuration
 * changes, doors are known again by their names, for another one may have the number; who
 * came in by one that is no more may stay, but not join anew.
 *
 * Not known here: sockets, and what anybody has to prove (attempt.c). */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "router/principals.h"
#include "router/private.h"

void doors_init(struct doors *d, const struct router_config *config,
                const struct rng *rng)
{
    static char unnamed[] = "";
    struct door_config only = { .name = unnamed };
    const struct door_config *from = config->door_count ? config->doors : &only;

    d->count = config->door_count ? config->door_count : 1;
    d->at = xcalloc(d->count, sizeof *d->at);
    for (size_t i = 0; i < d->count; i++) {
        d->at[i] = (struct door_config){ xstrdup(from[i].name), from[i].store };
        if (d->store_count <= from[i].store)
            d->store_count = from[i].store + 1;
    }
    d->stores = xcalloc(d->store_count, sizeof *d->stores);
    for (size_t i = 0; i < d->store_count; i++)
        d->stores[i] = principals_new(config, (unsigned)i, rng);
}

void doors_fini(struct doors *d)
{
    for (size_t i = 0; i < d->count; i++)
        free(d->at[i].name);
    for (size_t i = 0; i < d->store_count; i++)
        principals_free(d->stores[i]);
    free(d->at);
    free(d->stores);
}

const struct principals *doors_store(const struct doors *d, unsigned door)
{
    return door < d->count ? d->stores[d->at[door].store] : NULL;
}

unsigned doors_follow(const struct doors *d, const struct doors *old, unsigned door)
{
    if (door < old->count)
        for (size_t i = 0; i < d->count; i++)
            if (!strcmp(d->at[i].name, old->at[door].name))
                return (unsigned)i;
    return NO_DOOR;
}
