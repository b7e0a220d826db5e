/* dial.h - a plain TCP or Unix socket to where a URL points: whether somebody listens
 * there.
 *
 * Connecting does not wait; resolving a name does, as it does for a WebSocket (ws.h). */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "net/conn.h"
#include "net/url.h"

enum dial {
    DIAL_STARTED,  /* *fd is the caller's now: it gets writable, then ask dial_result */
    DIAL_FAILED,   /* `error` says why, and errno, which is 0 for an unknown host */
    DIAL_EXHAUSTED /* the host has no n-th address */
};

/* Starts to connect to the n-th (from 0) address of the URL's host; `ipv` is 4, 6 or 0
 * for either. */
enum dial dial_start(int *fd, const struct url *u, int ipv, int n, char *error,
                     size_t error_size);

/* As dial_start, but nothing is started: `text` gets the address, or why there is
 * none. */
enum dial dial_address(const struct url *u, int n, char *text, size_t size);

/* Whether it has connected; otherwise `error` and errno say why not. */
bool dial_result(int fd, char *error, size_t error_size);

/* What a failure with this errno, not 0, is for who expected a router. */
enum conn_error dial_explain(int number, char *error, size_t error_size);

#endif
