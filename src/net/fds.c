/* fds.c - the open sockets of the process. See fds.h.
 *
 * Descriptors are given out lowest first, so a long gap ends the search. What has
 * neither a name nor a peer (a socket pair) is named by its number. */
#include "net/fds.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define GAP 256 /* closed descriptors in a row behind which nothing is expected */

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
};

static void name_of(const union address *a, char *name, size_t size)
{
    char ip[INET6_ADDRSTRLEN] = "?";

    if (a->any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &a->in.sin_addr, ip, sizeof ip);
        snprintf(name, size, "%s:%d", ip, ntohs(a->in.sin_port));
    } else if (a->any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &a->in6.sin6_addr, ip, sizeof ip);
        snprintf(name, size, "[%s]:%d", ip, ntohs(a->in6.sin6_port));
    } else {
        snprintf(name, size, "unix %.50s",
                 a->any.sa_family == AF_UNIX ? a->un.sun_path : "");
    }
}

static void socket_name(int fd, char *name)
{
    union address own = { .any = { 0 } }, other = { .any = { 0 } };
    socklen_t n = sizeof own, m = sizeof other;
    char from[64] = "?", to[64];

    if (getsockname(fd, &own.any, &n) == 0)
        name_of(&own, from, sizeof from);
    if (getpeername(fd, &other.any, &m) != 0) {
        snprintf(name, FDS_NAME_SIZE, "%s (descriptor %d)", from, fd);
        return;
    }
    name_of(&other, to, sizeof to);
    snprintf(name, FDS_NAME_SIZE, "%s to %s (descriptor %d)", from, to, fd);
}

int fds_next_socket(int fd, char *name)
{
    struct stat st;

    for (int gap = 0; gap < GAP; gap++) {
        if (fstat(++fd, &st) != 0)
            continue;
        gap = 0;
        if (!S_ISSOCK(st.st_mode))
            continue;
        socket_name(fd, name);
        return fd;
    }
    return -1;
}
