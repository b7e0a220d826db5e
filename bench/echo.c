/* echo: the floor under every exchange: what comes in goes out, with no frame looked at.
 *
 * usage: echo [PORT]      prints the port it listens on; ends on a signal
 *
 * It knows neither WebSocket nor messages: one recv, one send and one epoll_wait for
 * whatever is there. `load echo --raw` is its other side. Nothing that answers on a
 * socket can cost less.
 */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { MAX_TURN = 64 };

/* Waits for the peer to take all of it: what it has under way fits any socket buffer. */
static int echo(int fd, struct bytes *b)
{
    if (bytes_recv(b, fd) < 0)
        return -1;
    while (bytes_left(b) > 0)
        if (bytes_send(b, fd) < 0)
            return -1;
    return 0;
}

int main(int argc, char **argv)
{
    static struct bytes bytes;
    int poll_fd = epoll_create1(EPOLL_CLOEXEC);
    int listener = tcp_listen(argc > 1 ? atoi(argv[1]) : 0);
    struct epoll_event e = { .events = EPOLLIN, .data.fd = listener };
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &e);
    printf("%d\n", tcp_port(listener));
    fflush(stdout);
    for (;;) {
        struct epoll_event events[MAX_TURN];
        int n = epoll_wait(poll_fd, events, MAX_TURN, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                e.data.fd = tcp_accept(listener);
                epoll_ctl(poll_fd, EPOLL_CTL_ADD, e.data.fd, &e);
            } else if (echo(fd, &bytes) < 0) {
                close(fd);
                bytes.at = bytes.n = 0;
            }
        }
    }
}
