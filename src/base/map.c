/* map.c - open addressing hash maps. See map.h for the contract. */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct map_slot {
    void *value;  /* borrowed; NULL = empty slot */
    char *bytes;  /* owned copy of a byte key; NULL for an integer key */
    uint64_t key; /* the integer key, or the length of bytes */
    uint64_t hash;
};

static uint64_t seed0, seed1;

void map_seed(uint64_t k0, uint64_t k1)
{
    seed0 = k0;
    seed1 = k1;
}

/* ---- hashing ----------------------------------------------------------------------- */

/* The finaliser of MurmurHash3: ids are counters or random, either spreads well. */
static uint64_t hash_id(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    return x ^ (x >> 33);
}

static uint64_t rotl(uint64_t x, int b)
{
    return (x << b) | (x >> (64 - b));
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

static uint64_t word_le(const char *p, size_t n)
{
    uint64_t w = 0;

    for (size_t i = 0; i < n; i++)
        w |= (uint64_t)(unsigned char)p[i] << (8 * i);
    return w;
}

/* SipHash-1-3 (Aumasson, Bernstein): one round a word, three to finish. */
static uint64_t hash_bytes(struct slice s)
{
    uint64_t v[4] = { seed0 ^ 0x736f6d6570736575ULL, seed1 ^ 0x646f72616e646f6dULL,
                      seed0 ^ 0x6c7967656e657261ULL, seed1 ^ 0x7465646279746573ULL };
    size_t i = 0;
    uint64_t w;

    for (; i + 8 <= s.n; i += 8) {
        memcpy(&w, s.p + i, 8);
        v[3] ^= w;
        sip_round(v);
        v[0] ^= w;
    }
    w = ((uint64_t)s.n << 56) | word_le(s.p + i, s.n - i);
    v[3] ^= w;
    sip_round(v);
    v[0] ^= w;
    v[2] ^= 0xff;
    for (i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- the table --------------------------------------------------------------------- */

static bool slot_is(const struct map_slot *s, uint64_t hash, uint64_t key,
                    const char *bytes)
{
    if (s->hash != hash || s->key != key || (s->bytes != NULL) != (bytes != NULL))
        return false;
    return !bytes || memcmp(s->bytes, bytes, key) == 0;
}

/* The slot that holds the key, or the empty one where it would go. The table is never
 * full. */
static struct map_slot *find(const struct map *m, uint64_t hash, uint64_t key,
                             const char *bytes)
{
    size_t i = hash & m->mask;

    while (m->slots[i].value && !slot_is(&m->slots[i], hash, key, bytes))
        i = (i + 1) & m->mask;
    return &m->slots[i];
}

static void grow(struct map *m)
{
    struct map_slot *old = m->slots;
    size_t n = old ? m->mask + 1 : 0;

    m->mask = n ? n * 2 - 1 : 7;
    m->slots = xcalloc(m->mask + 1, sizeof *m->slots);
    for (size_t i = 0; i < n; i++)
        if (old[i].value)
            *find(m, old[i].hash, old[i].key, old[i].bytes) = old[i];
    free(old);
}

static void *get(const struct map *m, uint64_t hash, uint64_t key, const char *bytes)
{
    return m->count ? find(m, hash, key, bytes)->value : NULL;
}

static void *put(struct map *m, uint64_t hash, uint64_t key, const char *bytes,
                 void *value)
{
    struct map_slot *s;
    void *old;

    if (!m->slots || (m->count + 1) * 4 > (m->mask + 1) * 3)
        grow(m);
    s = find(m, hash, key, bytes);
    old = s->value;
    if (!old) {
        *s = (struct map_slot){ .key = key, .hash = hash };
        s->bytes = bytes ? xstrndup(bytes, key) : NULL;
        m->count++;
    }
    s->value = value;
    return old;
}

/* Empties a slot and moves back the entries behind it that probing would no longer
 * reach. */
static void *empty_slot(struct map *m, struct map_slot *s)
{
    size_t hole = (size_t)(s - m->slots), i = hole;
    void *value = s->value;

    free(s->bytes);
    for (;;) {
        i = (i + 1) & m->mask;
        if (!m->slots[i].value)
            break;
        if (((i - (m->slots[i].hash & m->mask)) & m->mask) >= ((i - hole) & m->mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole] = (struct map_slot){ 0 };
    m->count--;
    return value;
}

static void *del(struct map *m, uint64_t hash, uint64_t key, const char *bytes)
{
    struct map_slot *s = m->count ? find(m, hash, key, bytes) : NULL;

    return s && s->value ? empty_slot(m, s) : NULL;
}

/* ---- public ------------------------------------------------------------------------ */

void *map_get(const struct map *m, uint64_t key)
{
    return get(m, hash_id(key), key, NULL);
}

void *map_put(struct map *m, uint64_t key, void *value)
{
    return put(m, hash_id(key), key, NULL, value);
}

void *map_del(struct map *m, uint64_t key)
{
    return del(m, hash_id(key), key, NULL);
}

void *map_get_bytes(const struct map *m, struct slice key)
{
    return m->count ? get(m, hash_bytes(key), key.n, key.p ? key.p : "") : NULL;
}

void *map_put_bytes(struct map *m, struct slice key, void *value)
{
    return put(m, hash_bytes(key), key.n, key.p ? key.p : "", value);
}

void *map_del_bytes(struct map *m, struct slice key)
{
    return m->count ? del(m, hash_bytes(key), key.n, key.p ? key.p : "") : NULL;
}

void *map_next(const struct map *m, size_t *at, uint64_t *key, struct slice *bytes)
{
    if (!m->slots)
        return NULL;
    for (; *at <= m->mask; ++*at) {
        struct map_slot *s = &m->slots[*at];

        if (!s->value)
            continue;
        if (s->bytes && bytes)
            *bytes = (struct slice){ s->bytes, s->key };
        else if (!s->bytes && key)
            *key = s->key;
        ++*at;
        return s->value;
    }
    return NULL;
}

void map_fini(struct map *m)
{
    for (size_t i = 0; m->slots && i <= m->mask; i++)
        free(m->slots[i].bytes);
    free(m->slots);
    *m = (struct map){ 0 };
}
