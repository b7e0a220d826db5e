/* listen.c - binding sockets: TCP and Unix. See listen.h.
 *
 * Not known here: who accepts, and what is spoken. */
#include "net/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Each returns a bound socket, or -1 with errno set. */
static int bind_to(const struct sockaddr *address, socklen_t n)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
        on = 1;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, address, n) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    on = errno;
    close(fd);
    errno = on;
    return -1;
}

/* True when a file at this path is a socket that nobody listens on any more. */
static bool is_stale(const struct sockaddr_un *address)
{
    struct stat st;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool dead;

    dead = fd >= 0 && stat(address->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
           connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 &&
           errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return dead;
}

static int bind_unix(const struct url *u)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    mode_t mask;
    int fd;

    memcpy(address.sun_path, u->path, strnlen(u->path, sizeof address.sun_path - 1));
    if (is_stale(&address))
        unlink(u->path);
    mask = umask(0177); /* only we may connect */
    fd = bind_to((struct sockaddr *)&address, sizeof address);
    umask(mask);
    return fd;
}

/* A name may have several addresses; IPv4 first, which is what "localhost" is taken
 * for. */
static int bind_host(const struct url *u, const char **unknown)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE },
                    *found, *a;
    char port[12];
    int fd, error;

    snprintf(port, sizeof port, "%d", u->port);
    error = getaddrinfo(u->host, port, &hints, &found);
    if (error) {
        *unknown = gai_strerror(error);
        return -1;
    }
    for (a = found; a->ai_next && a->ai_family != AF_INET;)
        a = a->ai_next;
    fd = bind_to(a->ai_addr, a->ai_addrlen);
    error = errno;
    freeaddrinfo(found);
    errno = error;
    return fd;
}

int listen_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t n = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &n) < 0)
        return 0;
    if (address.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&address)->sin_port);
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return 0;
}

int listen_url(const struct url *u, struct conn_end *end)
{
    const char *unknown = NULL;
    char where[1400];
    int fd = u->unix_socket ? bind_unix(u) : bind_host(u, &unknown);

    if (fd >= 0)
        return fd;
    *end = (struct conn_end){ unknown ? CONN_UNKNOWN_HOST : CONN_UNREACHABLE, 0, "" };
    url_format(u, where, sizeof where);
    snprintf(end->text, sizeof end->text, "cannot listen on %.150s: %s", where,
             unknown ? unknown : strerror(errno));
    return -1;
}
