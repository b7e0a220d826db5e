/* stats.c - what a router counts of itself, one row a number, for whoever shows it: the
 * procedure wampy.router.stats, a page of metrics, router:stats() of Lua.
 *
 * New number? A field in router.h, a row here, a ++ where it happens. */
#include <stddef.h>

#include "router/meta.h"

#define ROW(field, counter, help)                                   \
    {                                                               \
#field, help, counter, offsetof(struct router_stats, field) \
    }

/* clang-format off */
const struct stats_row stats_rows[STATS_ROWS] = {
    ROW(peers, false, "Transports that are open."),
    ROW(sessions, false, "Sessions that have joined."),
    ROW(subscriptions, false, "Subscriptions, each counted once however many hold it."),
    ROW(registrations, false, "Registrations, each counted once however many hold it."),
    ROW(invocations, false, "Calls under way."),
    ROW(connections, true, "Transports that were opened."),
    ROW(joins, true, "Sessions that joined."),
    ROW(refusals, true, "Attempts to join that were turned down."),
    ROW(calls, true, "Calls, those of the meta API among them."),
    ROW(publications, true, "Publications that were allowed."),
    ROW(events, true, "Events that were sent to subscribers."),
    ROW(dropped, true, "Events not sent: they are too long, or nobody reads them."),
    ROW(messages_in, true, "Messages received."),
    ROW(messages_out, true, "Messages sent."),
    ROW(bytes_in, true, "Bytes of the messages received."),
    ROW(bytes_out, true, "Bytes of the messages sent."),
};
/* clang-format on */

uint64_t stats_value(const struct router_stats *s, const struct stats_row *row)
{
    return *(const uint64_t *)(const void *)((const char *)s + row->offset);
}

bool stats_get(struct query *q)
{
    const struct router_stats *s = &q->caller->realm->router->stats;

    writer_dict(&q->w, STATS_ROWS);
    for (size_t i = 0; i < STATS_ROWS; i++) {
        writer_key(&q->w, slice_of(stats_rows[i].name));
        writer_int(&q->w, (int64_t)stats_value(s, &stats_rows[i]));
    }
    writer_dict_end(&q->w);
    return true;
}
