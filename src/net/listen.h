/* listen.h - a socket that listens where a URL says. */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include "net/conn.h"
#include "net/url.h"

/* A listening socket, not blocking; -1 with `end` filled. A Unix socket is for this user
 * only, and takes the place of one that nobody listens on any more. */
int listen_url(const struct url *u, struct conn_end *end);

/* The port of a socket; 0 for a Unix socket. */
int listen_port(int fd);

#endif
