/* host_private.h - what the files of the host know of each other.
 *
 * host.c owns the loop, the timers and the pump; host_client.c is a session machine on
 * one conn (host_tap.c: with somebody between the two), host_server.c a router machine
 * with listeners and the conns they accepted (host_access.c and host_report.c tell people
 * of them), host_trace.c shows messages, host_spy.c has what a test hears of a server.
 * The pump calls pump_client and pump_server for whoever is dirty, and nothing else
 * lets machines out. */
#ifndef HOST_PRIVATE_H
#define HOST_PRIVATE_H

#include "host.h"
#include "wamp/trace.h"

struct host {
    struct loop *loop;   /* owned */
    struct links *links; /* owned */
    struct heap timers;
    struct list dirty_clients, dirty_servers;
    struct list servers; /* all */
    struct host_hooks hooks;
    uint64_t now;
    uint64_t ahead;  /* ms that the clock was put forward by */
    uint64_t frozen; /* ms: the clock while host_advance steps it; else 0 */
    size_t retired;  /* clients given to the host */
    bool more;       /* the last pump stopped with work left */
};

struct client {
    struct host *host;
    struct trace *trace;     /* owned; NULL: its messages are not shown */
    struct session *session; /* owned */
    struct conn *conn;       /* NULL once closed */
    struct list dirty;       /* in host->dirty_clients */
    struct host_timer deadline;
    struct conn_end end;
    uint64_t started; /* ms: when connecting began; the time to join counts from here */
    size_t max_queue;
    size_t room; /* bytes: the hook `room` is wanted once no more are queued; 0: it is not
                  */
    bool retired; /* the host's: freed when conn has closed */
    void *user;

    unsigned taps;     /* TAP_IN, TAP_OUT */
    struct list inbox; /* struct tapped: they came, and wait for the hook */
    size_t inbox_bytes;
    size_t tapped_in, tapped_out; /* messages with the hook */
    size_t tapped_bytes;          /* of those on their way out */
    uint64_t close_by; /* ms: the transport is gone; by then the session hears of it,
                          though messages are still with the hook. NEVER: not gone */
};

struct server {
    struct host *host;
    struct router *router; /* owned */
    struct list dirty;     /* in host->dirty_servers */
    struct list conns;
    struct listener **listeners; /* owned */
    size_t listener_count;
    struct host_timer deadline;
    struct access_hook access; /* `tell` is NULL: nobody asks */
    struct list link;          /* in host->servers */
    size_t max_memory;         /* bytes of messages in the process */
    size_t spare_at;           /* and at which to look next for who holds most of them */
    struct spy *spy;           /* owned; NULL: nobody listens in */
    bool traced;               /* messages are shown, where any are */
    void (*ask)(void *user, struct question *q); /* NULL: nobody decides */
    void *ask_user;
};

/* One accepted connection: what the router's outputs are addressed to. */
struct server_conn {
    struct server *server;
    struct trace *trace; /* owned; NULL: its messages are not shown */
    struct conn *conn;
    struct peer *peer; /* NULL until opened */
    const struct wire *wire;
    struct list link; /* in server->conns */
    uint64_t since;   /* ms: when it came */
    struct traffic traffic;
};

/* host_tap.c */
bool client_is_tapped(const struct client *c, unsigned way);
void tap_keep(struct client *c, struct buf *message); /* one that came; borrowed */
void tap_pump(struct client *c);
void tap_closed(struct client *c); /* the transport is gone: the session will hear */
size_t tap_queued(const struct client *c); /* bytes on their way out, with the hook */
bool tap_has_room(const struct client *c, unsigned way);
void tap_out(struct client *c, struct buf *message); /* the reference passes */
void tap_fini(struct client *c);

/* host_client.c: the one way out to the transport; the reference passes */
void client_put(struct client *c, struct buf *message);

/* host_client.c: carries on what one client's session wants. May free the client. */
void pump_client(struct client *c);
extern const struct conn_handler client_handler;
struct client *client_new(struct host *h, const struct client_config *config, void *user);

/* host_server.c */
void pump_server(struct server *s);

/* host_access.c */
const char *conn_name(const struct conn *c); /* for people */
void access_opened(const struct server_conn *sc);
void access_closed(const struct server_conn *sc, const char *why);
void access_notes(const struct server *s); /* tells what the router has noted */
/* Cuts off who holds most, if messages take too much memory. */
void server_spare(struct server *s);

/* host_trace.c: shows a message that comes ('<') or goes ('>') */
void trace_show(struct trace *t, char way, const struct wire *wire, struct buf *message);

/* host_spy.c */
void spy_note(struct spy *spy, const struct server_conn *sc, struct buf *message);
void spy_free(struct spy *spy);

/* For conns whose owner has gone: nobody is interested any more. */
extern const struct conn_handler nobody_handler;

#endif
