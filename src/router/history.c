/* history.c - what was published to the topics that the configuration says, to be asked
 * for later (WAMP: event history).
 *
 * A history hangs on a subscription that is there from the start, with subscribers or
 * without. Events for certain sessions are never in it: who asks has another. Not known
 * here: who may ask, and how it is answered (meta_history.c). */
#include <stdlib.h>

#include "base/mem.h"
#include "router/private.h"

struct history *history_new(size_t limit)
{
    struct history *h = xcalloc(1, sizeof *h);

    h->limit = limit;
    list_init(&h->records);
    return h;
}

static void forget_first(struct history *h)
{
    struct record *first = list_entry(list_pop(&h->records), struct record, link);

    h->count--;
    h->bytes -= kept_size(first->kept);
    kept_unref(first->kept);
    free(first);
}

void history_free(struct history *h)
{
    if (!h)
        return;
    while (h->count)
        forget_first(h);
    free(h);
}

bool history_takes(const struct publication *p)
{
    return p->author.session && !opt_has(p->o, OPT_EXCLUDE) &&
           !opt_has(p->o, OPT_ELIGIBLE);
}

_Static_assert(LIMIT_MESSAGE_SIZE < LIMIT_HISTORY_BYTES / 2, "the latest stays");

void history_put(struct history *h, struct kept *k)
{
    struct record *record = xcalloc(1, sizeof *record);

    record->kept = kept_ref(k);
    list_push(&h->records, &record->link);
    h->count++;
    h->bytes += kept_size(k);
    while (h->count > h->limit || h->bytes > LIMIT_HISTORY_BYTES)
        forget_first(h);
}
