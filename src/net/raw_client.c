/* raw_client.c - connecting by RawSocket: the handshake of a client. See raw.h.
 *
 * Not known here: how a socket comes about (reach.c), frames, and whatever comes after
 * the handshake (raw.c). */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/reach.h"
#include "net/raw_private.h"

#define CONNECT_TIMEOUT 10000 /* ms */

/* A connection on its way. */
struct dialing {
    struct url url;
    const char *const *offer; /* the subprotocol that is asked for; others follow it */
    unsigned have;            /* octets of the answer */
    unsigned char answer[RAW_HEAD];
    struct reach *reach; /* NULL: there is a socket */
};

static void give_up(struct raw *raw, enum conn_error error, int code, const char *why)
{
    raw_end(raw, error, code, "%s", why);
    raw_finish_soon(raw);
}

/* ---- the handshake ----------------------------------------------------------------- */

static void dial(struct raw *raw);

static void hang_up(struct raw *raw)
{
    raw_tls_leave(raw);
    close(raw->fd);
    raw->fd = -1;
}

/* A server that speaks the last serializer of ours only has refused all others. */
static void ask_next(struct raw *raw)
{
    struct dialing *d = raw->dialing;

    if (!d->offer[1]) {
        raw_end(raw, CONN_SUBPROTOCOL, RAW_SERIALIZER,
                "the router does not speak %s over RawSocket", *d->offer);
        raw_finish_soon(raw);
        return;
    }
    d->offer++;
    d->have = 0;
    hang_up(raw);
    dial(raw);
}

static void accepted(struct raw *raw, const struct raw_hello *h)
{
    const char *subprotocol = *raw->dialing->offer;

    if (h->serializer == raw_serializer_of(subprotocol))
        raw_open(raw, subprotocol, h->takes);
    else
        give_up(raw, CONN_SUBPROTOCOL, 0, "chose a serializer that was not asked for");
}

static void foreign(struct raw *raw)
{
    const char *why = "no RawSocket is spoken there";

    if (raw->dialing->answer[0] == 'H')
        why = raw->dialing->url.tls
                  ? "no RawSocket but HTTP is spoken there; is it wss:// and not rss://?"
                  : "no RawSocket but HTTP is spoken there; is it ws:// and not rs://?";
    give_up(raw, CONN_PROTOCOL, 0, why);
}

static void judge(struct raw *raw)
{
    struct raw_hello h;
    int refusal = raw_answer_read(&h, raw->dialing->answer);

    switch (refusal) {
    case RAW_ACCEPTED:
        accepted(raw, &h);
        return;
    case RAW_SERIALIZER:
        ask_next(raw);
        return;
    case RAW_LENGTH:
        raw_end(
            raw, CONN_PROTOCOL, refusal,
            "the router does not want a client that takes messages of up to %zu bytes",
            raw->reader.max);
        raw_finish_soon(raw);
        return;
    case RAW_CONNECTIONS:
        give_up(raw, CONN_REFUSED, refusal, "the router has too many connections");
        return;
    case RAW_ILLEGAL:
        give_up(raw, CONN_PROTOCOL, 0, "the answer to the RawSocket handshake is broken");
        return;
    default:
        raw_end(raw, CONN_PROTOCOL, refusal,
                "the RawSocket handshake was refused with code %d%s", refusal,
                refusal == RAW_RESERVED ? " (reserved bits)" : "");
        raw_finish_soon(raw);
    }
}

static void answered(void *user)
{
    struct raw *raw = user;
    struct dialing *d = raw->dialing;
    ssize_t n = recv(raw->fd, d->answer + d->have, RAW_HEAD - d->have, MSG_DONTWAIT);

    raw->reads = NULL;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        give_up(
            raw, CONN_LOST, 0,
            "closed the connection during the RawSocket handshake; is the scheme right?");
        return;
    }
    d->have += n > 0 ? (unsigned)n : 0;
    if (d->have && d->answer[0] != RAW_MAGIC)
        foreign(raw);
    else if (d->have == RAW_HEAD)
        judge(raw);
    else
        raw->reads = loop_watch(raw->net->loop, raw->fd, false, answered, raw);
}

/* ---- connecting -------------------------------------------------------------------- */

/* There is a connection: asks for the serializer whose turn it is. */
static void greet(struct raw *raw)
{
    struct raw_hello h = { raw_serializer_of(*raw->dialing->offer), raw->reader.max };
    unsigned char octets[RAW_HEAD];

    if (raw->tls && !raw_tls_wrap(raw)) {
        give_up(raw, CONN_UNREACHABLE, 0, "no sockets are left for TLS");
        return;
    }
    raw_hello_write(&h, octets);
    send(raw->fd, octets, RAW_HEAD, MSG_NOSIGNAL); /* a new socket has room for it */
    raw->reads = loop_watch(raw->net->loop, raw->fd, false, answered, raw);
}

static void reached(void *user, int fd, const struct conn_end *end)
{
    struct raw *raw = user;

    raw->dialing->reach = NULL;
    raw->fd = fd;
    if (fd < 0)
        give_up(raw, end->error, end->code, end->text);
    else
        greet(raw);
}

static void dial(struct raw *raw)
{
    struct dialing *d = raw->dialing;

    d->reach = reach_url(raw->net->loop, &d->url, &raw->settings->proxy, reached, raw);
}

void raw_dialed(struct raw *raw)
{
    if (raw->dialing)
        reach_cancel(raw->dialing->reach);
    free(raw->dialing);
    raw->dialing = NULL;
}

struct conn *raw_client_connect(struct loop *l, const struct url *url,
                                const struct net_options *o,
                                const struct conn_handler *handler, void *user)
{
    struct net_settings *s = net_settings_new(o, CONNECT_TIMEOUT);
    char where[1400];
    struct raw *raw;

    url_format(url, where, sizeof where);
    raw = raw_new(l, s, where);
    net_settings_unref(s);
    raw->conn.handler = handler;
    raw->conn.user = user;
    raw->dialing = xcalloc(1, sizeof *raw->dialing);
    raw->dialing->url = *url;
    raw->dialing->offer = s->subprotocols;
    loop_timer_set(l, &raw->timer, loop_now() + s->connect_timeout);
    if (!url->tls || raw_tls_init(raw, o ? &o->tls : NULL, url->host))
        dial(raw);
    else
        raw_finish_soon(raw);
    return &raw->conn;
}
