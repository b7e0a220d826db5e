/* fds.h - which sockets this process has open, for whoever looks for one that was
 * left. */
#ifndef NET_FDS_H
#define NET_FDS_H

#include <stdbool.h>
#include <stddef.h>

#define FDS_NAME_SIZE 160

/* The next descriptor above `fd` (begin with -1) that is a socket, its name for people
 * put into `name` ("127.0.0.1:8080"); -1 when there is none. */
int fds_next_socket(int fd, char *name);

#endif
