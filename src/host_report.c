/* host_report.c - what a server tells of itself when it is asked: numbers for a collector
 * of metrics, and a list of sessions for the log. See host.h.
 *
 * The numbers are the router's (router/stats.c), in the text format that Prometheus and
 * its kin read. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "host_private.h"

#define LINE 400

static void append(struct buf **b, const char *text)
{
    buf_append(b, text, strlen(text));
}

static void append_number(struct buf **b, const struct stats_row *row, uint64_t value)
{
    const char *total = row->counter ? "_total" : "";
    char lines[LINE];

    snprintf(lines, sizeof lines,
             "# HELP wampy_router_%s%s %s\n# TYPE wampy_router_%s%s %s\n"
             "wampy_router_%s%s %llu\n",
             row->name, total, row->help, row->name, total,
             row->counter ? "counter" : "gauge", row->name, total,
             (unsigned long long)value);
    append(b, lines);
}

struct buf *server_metrics(const struct server *s)
{
    struct router_stats stats = router_stats(s->router);
    struct buf *b = buf_new(4096);

    for (size_t i = 0; i < STATS_ROWS; i++)
        append_number(&b, &stats_rows[i], stats_value(&stats, &stats_rows[i]));
    return b;
}

static void dump_conn(const struct server_conn *sc)
{
    struct who who;

    if (!sc->peer || !router_who(sc->peer, &who)) {
        log_info("%s: no session; %zu bytes queued", conn_name(sc->conn),
                 sc->conn->queued);
        return;
    }
    log_info("%s: session %llu, realm %s, %s as %s; received %llu messages, sent %llu, "
             "%zu bytes queued",
             conn_name(sc->conn), (unsigned long long)who.session, who.realm, who.authid,
             who.role, (unsigned long long)sc->traffic.messages_in,
             (unsigned long long)sc->traffic.messages_out, sc->conn->queued);
}

void server_dump(const struct server *s)
{
    struct router_stats stats = router_stats(s->router);

    log_info("router: %llu connections, %llu sessions, %llu subscriptions, "
             "%llu registrations, %llu calls under way, %llu events dropped",
             (unsigned long long)stats.peers, (unsigned long long)stats.sessions,
             (unsigned long long)stats.subscriptions,
             (unsigned long long)stats.registrations,
             (unsigned long long)stats.invocations, (unsigned long long)stats.dropped);
    for (struct list *node = s->conns.next; node != &s->conns; node = node->next)
        dump_conn(list_entry(node, struct server_conn, link));
}
