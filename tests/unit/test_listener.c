/* test_listener.c - who connects and goes at a bad moment, and who connects too often. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "raw.h"

void test_listener(void);

static const char request[] =
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: wamp.2.json\r\n\r\n";

static struct loop *loop;
static struct listener *listener;
static struct recorder server;

static void listen_at(const char *where, const struct net_options *o)
{
    struct url url;
    struct conn_end end;
    char error[200];

    loop = loop_new(LOOP_POLL);
    recorder_reset(&server);
    CHECK(url_parse_listen(&url, where, error, sizeof error));
    listener = listener_open(loop, &url, o, recorder_accept, &server, &end);
    CHECK(listener);
}

static void end(void)
{
    listener_close(listener);
    loop_free(loop);
}

/* On a Unix socket the answer to the upgrade finds at once that nobody is there. */
static void asks_and_vanishes(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char folder[] = "/tmp/wampy-unit-XXXXXX", url[120];
    int fd;

    CHECK(mkdtemp(folder));
    snprintf(address.sun_path, sizeof address.sun_path, "%s/s", folder);
    snprintf(url, sizeof url, "ws+unix://%s", address.sun_path);
    listen_at(url, NULL);
    for (int i = 0; i < 3; i++) {
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
        CHECK(write(fd, request, sizeof request - 1) > 0);
        close(fd);
        for (int turn = 0; turn < 5; turn++)
            loop_run_once(loop, 1);
    }
    CHECK_INT(server.opened, server.closed);
    end();
    rmdir(folder);
}

/* Connects, and says whether it is let in. */
static bool is_let_in(struct raw *r)
{
    raw_connect(r, loop, listener_port(listener));
    raw_send(r, request, sizeof request - 1);
    return raw_wait_text(r, "101 ");
}

static void connects_too_often(void)
{
    const struct net_options o = { .max_each = 2 };
    static struct raw a, b, c;

    listen_at("127.0.0.1:0", &o);
    CHECK(is_let_in(&a));
    CHECK(is_let_in(&b));
    raw_connect(&c, loop, listener_port(listener));
    CHECK(raw_wait_eof(&c));
    raw_close(&c);
    raw_close(&a);
    RUN_UNTIL(loop, server.closed);
    CHECK(is_let_in(&c));
    raw_close(&b);
    raw_close(&c);
    RUN_UNTIL(loop, server.closed == 3);
    end();
}

void test_listener(void)
{
    TEST("who vanishes before the answer to his upgrade is forgotten");
    asks_and_vanishes();

    TEST("an address has so many connections at a time");
    connects_too_often();
}
