/* host_tap.c - listening in on a server: a test asks what its peers sent.
 *
 * Messages are kept as they came, by reference, and are neither decoded nor judged here:
 * a call that the router refused was made all the same. Who taps a server takes what was
 * heard from time to time; who does not loses the oldest. See host.h. */
#include <stdlib.h>

#include "base/mem.h"
#include "host_private.h"

struct tap {
    struct list heard; /* of struct tapped */
    size_t count;
    uint64_t lost;
};

void server_tap(struct server *s)
{
    if (s->tap)
        return;
    s->tap = xcalloc(1, sizeof *s->tap);
    list_init(&s->tap->heard);
}

static struct tapped *take(struct tap *tap)
{
    struct list *node = list_pop(&tap->heard);

    if (!node)
        return NULL;
    tap->count--;
    return list_entry(node, struct tapped, link);
}

void tap_note(struct tap *tap, const struct server_conn *sc, struct buf *message)
{
    struct tapped *t = xcalloc(1, sizeof *t);

    t->message = buf_ref(message);
    t->wire = sc->wire;
    t->session = router_session(sc->peer);
    list_push(&tap->heard, &t->link);
    if (tap->count++ < TAP_LIMIT)
        return;
    tapped_free(take(tap));
    tap->lost++;
}

struct tapped *server_tapped(struct server *s)
{
    return s->tap ? take(s->tap) : NULL;
}

uint64_t server_tap_lost(const struct server *s)
{
    return s->tap ? s->tap->lost : 0;
}

void tapped_free(struct tapped *t)
{
    buf_unref(t->message);
    free(t);
}

void tap_free(struct tap *tap)
{
    struct tapped *t;

    if (!tap)
        return;
    while ((t = take(tap)) != NULL)
        tapped_free(t);
    free(tap);
}
