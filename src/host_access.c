/* host_access.c - who comes and goes at a server: each connection and session tells of
 * itself when it begins and when it ends. See host.h.
 *
 * What happened to sessions the router notes (router_next_note); what a connection was,
 * and what went over it, is known here. Nothing is made where nobody has asked. */
#include "base/log.h"
#include "host_private.h"

const char *conn_name(const struct conn *c)
{
    return c->where ? c->where : "in memory";
}

static struct access access_of(const struct server_conn *sc, const char *what)
{
    return (struct access){ .what = what,
                            .peer = conn_name(sc->conn),
                            .protocol = sc->wire ? sc->wire->subprotocol : NULL,
                            .traffic = sc->traffic,
                            .ms = host_clock(sc->server->host) - sc->since };
}

static void tell(const struct server *s, const struct access *a)
{
    s->access.tell(a, s->access.user);
}

void access_opened(const struct server_conn *sc)
{
    struct access a;

    if (!sc->server->access.tell)
        return;
    a = access_of(sc, "connect");
    tell(sc->server, &a);
}

void access_closed(const struct server_conn *sc, const char *why)
{
    struct access a;

    access_notes(sc->server);
    if (!sc->server->access.tell)
        return;
    a = access_of(sc, "disconnect");
    a.reason = why;
    tell(sc->server, &a);
}

void access_notes(const struct server *s)
{
    static const char *const whats[] = {
        [NOTE_JOINED] = "join", [NOTE_LEFT] = "leave", [NOTE_REFUSED] = "refuse"
    };
    struct note *n;

    while ((n = router_next_note(s->router))) {
        struct access a = access_of(n->user, whats[n->kind]);

        a.session = n->session;
        a.realm = n->realm;
        a.authid = n->authid;
        a.role = n->role;
        a.method = n->method;
        a.reason = n->reason;
        tell(s, &a);
        note_free(n);
    }
}

void server_access(struct server *s, const struct access_hook *hook)
{
    s->access = *hook;
    router_take_notes(s->router);
}
