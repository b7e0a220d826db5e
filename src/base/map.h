/* map.h - hash maps from an integer id, or from bytes, to a pointer.
 *
 * Open addressing with linear probing and backward-shift deletion (no tombstones), so
 * look-ups stay short however much a map churns. Byte keys are hashed with SipHash-1-3
 * under a seed drawn once per process (map_seed), because URIs come from peers and must
 * not be able to collide on purpose. Byte keys are copied into the map. A map does not
 * own its values.
 *
 * Values must not be NULL (NULL means "absent"). A map must not change while it is
 * walked. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdint.h>

#include "base/buf.h"

struct map_slot;

struct map { /* zero-initialised = empty */
    struct map_slot *slots;
    size_t count, mask; /* mask + 1 slots, a power of two; 0 while slots is NULL */
};

/* Sets the hash seed of all maps with byte keys; call once, before the first of them
 * is used. */
void map_seed(uint64_t k0, uint64_t k1);

void map_fini(struct map *m); /* frees the table, not the values */

void *map_get(const struct map *m, uint64_t key);
void *map_put(struct map *m, uint64_t key,
              void *value);                 /* returns the value replaced, or NULL */
void *map_del(struct map *m, uint64_t key); /* returns the value removed, or NULL */

void *map_get_bytes(const struct map *m, struct slice key);
void *map_put_bytes(struct map *m, struct slice key, void *value);
void *map_del_bytes(struct map *m, struct slice key);

/* Iteration in no particular order: start with *at = 0; NULL at the end. `key`, `bytes`
 * may be NULL; the one that does not apply to the entry is left alone. */
void *map_next(const struct map *m, size_t *at, uint64_t *key, struct slice *bytes);

#endif
