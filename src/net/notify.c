/* notify.c - the service manager's end of things: sd_notify(3) is one datagram to a
 * socket that the environment names, so no library is needed for it. See notify.h. */
#include "net/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "net/loop.h"

/* A path, or, behind "@", a name of Linux's own. */
static socklen_t address_of(const char *name, struct sockaddr_un *address)
{
    size_t n = strlen(name);

    if ((*name != '/' && *name != '@') || n >= sizeof address->sun_path)
        return 0;
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(address->sun_path, name, n);
    if (*name == '@')
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

void notify(const char *state)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address;
    socklen_t size = name ? address_of(name, &address) : 0;
    int fd;

    if (!size)
        return;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
                         (struct sockaddr *)&address, size) < 0)
        log_debug("NOTIFY_SOCKET %s does not take %s", name, state);
    if (fd >= 0)
        close(fd);
}

void notify_reloading(void)
{
    char state[80];

    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%llu",
             (unsigned long long)loop_now() * 1000);
    notify(state);
}

uint64_t notify_interval(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    uint64_t ms = usec ? strtoull(usec, NULL, 10) / 2000 : 0;

    return pid && strtol(pid, NULL, 10) != (long)getpid() ? 0 : ms;
}

void notify_never(void)
{
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
}
