/* host_spy.c - listening in on a server: a test asks what its peers sent.
 *
 * Messages are kept as they came, by reference, and are neither decoded nor judged here:
 * a call that the router refused was made all the same. Who spies on a server takes what
 * was heard from time to time; who does not loses the oldest. See host.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "host_private.h"

struct spy {
    struct list heard; /* of struct overheard */
    size_t count;
    uint64_t lost;
};

void server_spy(struct server *s)
{
    if (s->spy)
        return;
    s->spy = xcalloc(1, sizeof *s->spy);
    list_init(&s->spy->heard);
}

static struct overheard *take(struct spy *spy)
{
    struct list *node = list_pop(&spy->heard);

    if (!node)
        return NULL;
    spy->count--;
    return list_entry(node, struct overheard, link);
}

void spy_note(struct spy *spy, const struct server_conn *sc, struct buf *message)
{
    struct overheard *t = xcalloc(1, sizeof *t);

    t->message = buf_ref(message);
    t->wire = sc->wire;
    t->session = router_session(sc->peer);
    list_push(&spy->heard, &t->link);
    if (spy->count++ < SPY_LIMIT)
        return;
    overheard_free(take(spy));
    spy->lost++;
}

struct overheard *server_overheard(struct server *s)
{
    return s->spy ? take(s->spy) : NULL;
}

uint64_t server_spy_lost(const struct server *s)
{
    return s->spy ? s->spy->lost : 0;
}

void overheard_free(struct overheard *t)
{
    buf_unref(t->message);
    free(t);
}

void spy_free(struct spy *spy)
{
    struct overheard *t;

    if (!spy)
        return;
    while ((t = take(spy)) != NULL)
        overheard_free(t);
    free(spy);
}
