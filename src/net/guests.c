/* guests.c - see guests.h.
 *
 * Of an IPv6 address the first half counts: the second one its owner chooses as he
 * likes. Not known here: what is done with who is one too many. */
#include "net/guests.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "base/mem.h"

struct guest {
    struct guests *all;
    unsigned count;
    char key[8]; /* what counts as his address; the first `n` bytes */
    size_t n;
};

/* IPv4, which comes as IPv6 where a listener takes both. */
static bool is_mapped(const struct in6_addr *a)
{
    return IN6_IS_ADDR_V4MAPPED(a);
}

static struct slice key_of(const struct sockaddr_storage *address)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    const char *bytes = (const char *)&v6->sin6_addr;

    if (address->ss_family == AF_INET)
        return (struct slice){ (const char *)&v4->sin_addr, 4 };
    if (address->ss_family != AF_INET6)
        return (struct slice){ "", 0 };
    return is_mapped(&v6->sin6_addr) ? (struct slice){ bytes + 12, 4 }
                                     : (struct slice){ bytes, 8 };
}

static struct guest *guest_new(struct guests *all, struct slice key)
{
    struct guest *g = xcalloc(1, sizeof *g);

    g->all = all;
    g->n = key.n;
    for (size_t i = 0; i < key.n; i++)
        g->key[i] = key.p[i];
    map_put_bytes(&all->addresses, key, g);
    return g;
}

struct guest *guest_enter(struct guests *all, const struct sockaddr_storage *address,
                          unsigned most)
{
    struct slice key = key_of(address);
    struct guest *g = map_get_bytes(&all->addresses, key);

    if (g && g->n && g->count >= most)
        return NULL;
    if (!g)
        g = guest_new(all, key);
    g->count++;
    all->count++;
    return g;
}

void guest_leave(struct guest *g)
{
    if (!g)
        return;
    g->all->count--;
    if (--g->count)
        return;
    map_del_bytes(&g->all->addresses, (struct slice){ g->key, g->n });
    free(g);
}

void guests_fini(struct guests *all)
{
    map_fini(&all->addresses);
}

/* ---- of a listener ----------------------------------------------------------------- */

struct crowd {
    unsigned refs; /* the listener's, and one a connection */
    unsigned count;
    bool told; /* that it is full */
};

struct crowd *crowd_new(void)
{
    struct crowd *c = xcalloc(1, sizeof *c);

    c->refs = 1;
    return c;
}

void crowd_free(struct crowd *c)
{
    if (--c->refs == 0)
        free(c);
}

bool crowd_full(struct crowd *c, unsigned most, bool *told)
{
    if (!most || c->count < most) {
        c->told = c->told && c->count > most / 2;
        return false;
    }
    *told = c->told;
    c->told = true;
    return true;
}

struct crowd *crowd_enter(struct crowd *c)
{
    c->count++;
    c->refs++;
    return c;
}

void crowd_leave(struct crowd *c)
{
    if (!c)
        return;
    c->count--;
    crowd_free(c);
}
