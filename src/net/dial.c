/* dial.c - connecting a plain socket. See dial.h.
 *
 * Each address of a host is a step of its own, resolved anew, so that nothing has to be
 * kept between steps. Not known here: who waits, and for how long. */
#include "net/dial.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static enum dial failed(int number, char *error, size_t size)
{
    snprintf(error, size, "%s", strerror(number));
    errno = number;
    return DIAL_FAILED;
}

static enum dial connect_to(int *fd, const struct sockaddr *address, socklen_t n,
                            char *error, size_t size)
{
    int s = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int number;

    if (s < 0)
        return failed(errno, error, size);
    if (connect(s, address, n) < 0 && errno != EINPROGRESS) {
        number = errno;
        close(s);
        return failed(number, error, size);
    }
    *fd = s;
    return DIAL_STARTED;
}

static enum dial dial_unix(int *fd, const struct url *u, char *error, size_t size)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    memcpy(address.sun_path, u->path, strnlen(u->path, sizeof address.sun_path - 1));
    return connect_to(fd, (struct sockaddr *)&address, sizeof address, error, size);
}

/* What the URL's host resolves to, for freeaddrinfo; NULL: it is unknown, `error` says
 * so. */
static struct addrinfo *resolve(const struct url *u, int ipv, char *error, size_t size)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
    char port[12];
    int unknown;

    if (ipv)
        hints.ai_family = ipv == 6 ? AF_INET6 : AF_INET;
    snprintf(port, sizeof port, "%d", u->port);
    unknown = getaddrinfo(u->host, port, &hints, &found);
    if (!unknown)
        return found;
    snprintf(error, size, "unknown host %s (%s)", u->host, gai_strerror(unknown));
    return NULL;
}

static const struct addrinfo *nth(const struct addrinfo *a, int n)
{
    for (; a && n; n--)
        a = a->ai_next;
    return a;
}

enum dial dial_start(int *fd, const struct url *u, int ipv, int n, char *error,
                     size_t error_size)
{
    enum dial result = DIAL_EXHAUSTED;
    const struct addrinfo *a;
    struct addrinfo *found;

    if (u->unix_socket)
        return n ? DIAL_EXHAUSTED : dial_unix(fd, u, error, error_size);
    found = resolve(u, ipv, error, error_size);
    if (!found) {
        errno = 0;
        return n ? DIAL_EXHAUSTED : DIAL_FAILED;
    }
    a = nth(found, n);
    if (a)
        result = connect_to(fd, a->ai_addr, a->ai_addrlen, error, error_size);
    freeaddrinfo(found);
    return result;
}

enum dial dial_address(const struct url *u, int n, char *text, size_t size)
{
    struct addrinfo *found = resolve(u, 0, text, size);
    const struct addrinfo *a = nth(found, n);
    bool ok = a && !getnameinfo(a->ai_addr, a->ai_addrlen, text, (socklen_t)size, NULL, 0,
                                NI_NUMERICHOST);

    if (!found)
        return n ? DIAL_EXHAUSTED : DIAL_FAILED;
    freeaddrinfo(found);
    return ok ? DIAL_STARTED : DIAL_EXHAUSTED;
}

bool dial_result(int fd, char *error, size_t error_size)
{
    int number = 0;
    socklen_t size = sizeof number;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size) < 0)
        number = errno;
    if (number)
        failed(number, error, error_size);
    return number == 0;
}

enum conn_error dial_explain(int number, char *error, size_t size)
{
    if (number == ECONNREFUSED)
        snprintf(error, size, "connection refused; is a router running there?");
    else if (number == ENOENT)
        snprintf(error, size, "there is no such socket; is a router running?");
    else
        snprintf(error, size, "cannot connect: %s", strerror(number));
    return number == ECONNREFUSED || number == ENOENT ? CONN_REFUSED : CONN_UNREACHABLE;
}
