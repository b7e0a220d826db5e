/* strikes.c - failed attempts to join, by the address that they came from.
 *
 * LIMIT_STRIKES are free; after each further one the address has to wait, a second at
 * first, then twice as long. It is forgotten when nothing has failed for a while, never
 * because something has succeeded: who has one account of his own would try others'
 * between. Not known here: what an attempt is (peer.c). */
#include <stdlib.h>

#include "base/mem.h"
#include "router/private.h"

struct strike {
    struct list link;
    char *address; /* owned */
    unsigned count;
    uint64_t last; /* ms */
};

void strikes_init(struct strikes *s)
{
    list_init(&s->strikes);
}

static void strike_free(struct strikes *s, struct strike *k)
{
    map_del_bytes(&s->addresses, slice_of(k->address));
    list_remove(&k->link);
    free(k->address);
    free(k);
}

void strikes_fini(struct strikes *s)
{
    while (!list_empty(&s->strikes))
        strike_free(s, list_entry(s->strikes.next, struct strike, link));
    map_fini(&s->addresses);
}

/* The one that has been quiet longest is first. */
static void forget(struct strikes *s, uint64_t now)
{
    while (!list_empty(&s->strikes)) {
        struct strike *k = list_entry(s->strikes.next, struct strike, link);

        if (now - k->last < LIMIT_STRIKE_MS &&
            s->addresses.count <= LIMIT_STRIKE_ADDRESSES)
            return;
        strike_free(s, k);
    }
}

void strikes_note(struct strikes *s, const char *address, uint64_t now)
{
    struct strike *k;

    if (!address)
        return;
    forget(s, now);
    k = map_get_bytes(&s->addresses, slice_of(address));
    if (!k) {
        k = xcalloc(1, sizeof *k);
        k->address = xstrdup(address);
        list_init(&k->link);
        map_put_bytes(&s->addresses, slice_of(address), k);
    }
    k->count++;
    k->last = now;
    list_remove(&k->link);
    list_push(&s->strikes, &k->link);
    forget(s, now);
}

static uint64_t delay(unsigned count)
{
    unsigned over = count > LIMIT_STRIKES ? count - LIMIT_STRIKES : 0;
    uint64_t ms = over && over <= 16 ? (uint64_t)500 << over : 0;

    return over > 16 || ms > LIMIT_STRIKE_WAIT_MS ? LIMIT_STRIKE_WAIT_MS : ms;
}

uint64_t strikes_wait(const struct strikes *s, const char *address, uint64_t now)
{
    const struct strike *k =
        address ? map_get_bytes(&s->addresses, slice_of(address)) : NULL;
    uint64_t until;

    if (!k || now - k->last >= LIMIT_STRIKE_MS)
        return 0;
    until = k->last + delay(k->count);
    return until > now ? until - now : 0;
}
