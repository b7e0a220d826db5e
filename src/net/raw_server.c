/* raw_server.c - a RawSocket handshake that a listener has read: judging and answering
 * it.
 *
 * Not known here: accepting, deadlines (listener.c), and whatever comes after the
 * handshake (raw.c). */
#include <sys/socket.h>

#include "net/listener_private.h"
#include "net/raw_private.h"

/* Less than this, and WELCOME or an ERROR that names a long URI could not be sent. */
#define LEAST_TAKEN 4096

static const char *subprotocol_of(const struct net_settings *s, unsigned serializer)
{
    for (const char *const *p = s->subprotocols; *p; p++)
        if (raw_serializer_of(*p) == serializer)
            return *p;
    return NULL;
}

static void answer(struct greeting *g, const unsigned char octets[RAW_HEAD])
{
    send(g->fd, octets, RAW_HEAD, MSG_NOSIGNAL); /* a new socket has room for it */
}

static void refuse(struct greeting *g, enum raw_refusal why)
{
    unsigned char octets[RAW_HEAD];

    raw_refusal_write(why, octets);
    answer(g, octets);
    greeting_refused(g);
}

/* The socket is a conn's from here on; what came behind the handshake is read at once. */
static void adopt(struct greeting *g, const struct raw_hello *h, const char *subprotocol)
{
    struct listener *ln = g->listener;
    struct raw *raw = raw_new(ln->net->loop, g->settings, g->peer);
    struct raw_hello own = { h->serializer, raw->reader.max };
    unsigned char octets[RAW_HEAD];

    raw_hello_write(&own, octets);
    answer(g, octets);
    raw->conn.door = g->settings->door;
    raw->fd = g->fd;
    raw->guest = g->guest;
    g->guest = NULL;
    raw->crowd = crowd_enter(ln->crowd);
    g->fd = -1;
    raw->conn.where = raw->where;
    ln->accepted(&raw->conn, ln->user);
    raw_open(raw, subprotocol, h->takes);
    raw_take_in(raw, (struct slice){ g->head->data + RAW_HEAD, g->head->len - RAW_HEAD });
    greeting_free(g);
}

void raw_server_greet(struct greeting *g)
{
    const char *subprotocol = NULL;
    enum raw_refusal refusal;
    struct raw_hello h;

    if (g->head->len < RAW_HEAD) {
        greeting_more(g);
        return;
    }
    g->settings =
        net_settings_part(g->listener->settings, g->listener->settings->raw_part);
    refusal = raw_hello_read(&h, (const unsigned char *)g->head->data);
    if (refusal == RAW_ACCEPTED) {
        subprotocol = subprotocol_of(g->settings, h.serializer);
        refusal = !subprotocol            ? RAW_SERIALIZER
                  : h.takes < LEAST_TAKEN ? RAW_LENGTH
                                          : RAW_ACCEPTED;
    }
    if (refusal == RAW_ACCEPTED && listener_full(g->listener))
        refusal = RAW_CONNECTIONS;
    if (refusal == RAW_ACCEPTED)
        adopt(g, &h, subprotocol);
    else
        refuse(g, refusal);
}
