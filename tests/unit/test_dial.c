/* test_dial.c - connecting to where a URL points, without waiting. */
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "net/dial.h"

void test_dial(void);

static char error[400];

/* A listener on a free port of the loopback. */
static int listener(int *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t n = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_INT(bind(fd, (struct sockaddr *)&address, n), 0);
    CHECK_INT(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static struct url url_at(const char *host, int port)
{
    struct url u = { .scheme = "ws", .port = port };

    snprintf(u.host, sizeof u.host, "%s", host);
    return u;
}

static bool connects(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    bool ok;

    CHECK_INT(poll(&p, 1, 10000), 1);
    ok = dial_result(fd, error, sizeof error);
    close(fd);
    return ok;
}

static void tells_who_listens(void)
{
    int port, fd = -1, l = listener(&port);
    struct url u = url_at("127.0.0.1", port);
    enum dial d = dial_start(&fd, &u, 0, 0, error, sizeof error);

    CHECK(d == DIAL_FAILED || !connects(fd)); /* bound is not listening */
    CHECK_STR(error, "Connection refused");
    CHECK_INT(listen(l, 1), 0);
    CHECK_INT(dial_start(&fd, &u, 4, 0, error, sizeof error), DIAL_STARTED);
    CHECK(connects(fd));
    CHECK_INT(dial_start(&fd, &u, 4, 1, error, sizeof error), DIAL_EXHAUSTED);
    close(l);
}

static void keeps_to_the_family(void)
{
    struct url u = url_at("127.0.0.1", 1);
    int fd;

    CHECK_INT(dial_start(&fd, &u, 6, 0, error, sizeof error), DIAL_FAILED);
    CHECK(!strncmp(error, "unknown host 127.0.0.1 (", 24));
    CHECK_INT(dial_start(&fd, &u, 6, 1, error, sizeof error), DIAL_EXHAUSTED);
}

static void tries_sockets_of_the_file_system(void)
{
    struct url u = { .scheme = "ws+unix", .path = "/no/such", .unix_socket = true };
    int fd;

    CHECK_INT(dial_start(&fd, &u, 0, 0, error, sizeof error), DIAL_FAILED);
    CHECK_STR(error, "No such file or directory");
    CHECK_INT(dial_start(&fd, &u, 0, 1, error, sizeof error), DIAL_EXHAUSTED);
}

void test_dial(void)
{
    TEST("dial: tells whether somebody listens");
    tells_who_listens();
    TEST("dial: keeps to the address family that was asked for");
    keeps_to_the_family();
    TEST("dial: tries a socket of the file system");
    tries_sockets_of_the_file_system();
}
