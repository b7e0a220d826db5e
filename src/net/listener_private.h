/* listener_private.h - a listener, and a connection that has not said yet what it is.
 *
 * listener.c accepts and reads; as soon as the first octet is there, ws_server.c or
 * raw_server.c judges, and answers (http_server.c), waits for more, or makes a conn of
 * it. */
#ifndef NET_LISTENER_PRIVATE_H
#define NET_LISTENER_PRIVATE_H

#include "net/listener.h"
#include "net/ws_private.h"

struct listener {
    struct ws_net *net;
    struct net_settings *settings; /* counted */
    SSL_CTX *tls;                  /* owned; NULL: plain */
    bool http, raw;                /* what is spoken here */
    int fd, port;
    char *path; /* owned: of the unix socket, or NULL */
    struct watch *watch;
    struct loop_timer pause;
    struct list greetings;
    struct crowd *crowd; /* owned */
    void (*accepted)(struct conn *c, void *user);
    void *user;
};

/* A connection whose request is being read, or whose answer is being taken. */
struct greeting {
    struct list node;
    struct listener *listener; /* borrowed */
    struct watch *watch;
    struct loop_timer timer;
    int fd;
    bool answered;
    struct guest *guest;           /* owned until a conn has it */
    struct net_settings *settings; /* borrowed: of what it speaks, once that is clear */
    struct tunnel *tunnel;         /* behind fd, as long as it stands; NULL without TLS */
    struct buf *head;              /* owned: what has been read */
    struct buf *reply;             /* owned: what is being sent; NULL: nothing */
    size_t sent;                   /* bytes of it */
    int file;                      /* owned: what follows the reply; -1: nothing */
    off_t left;                    /* bytes of it */
    bool head_only;                /* a HEAD: the body is not wanted */
    char peer[80];
};

/* listener.c */
void greeting_more(struct greeting *g); /* waits for more to be read */

/* Has been answered; hangs up when the peer has taken it. */
void greeting_refused(struct greeting *g);

/* Frees; the descriptor is a conn's when it is negative. */
void greeting_free(struct greeting *g);

/* Whether there may be no more connections; the log says so, now and then. */
bool listener_full(const struct listener *ln);

/* Each takes the greeting a step further, which may end it. */
void ws_server_greet(struct greeting *g);
void raw_server_greet(struct greeting *g);

#endif
