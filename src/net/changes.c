/* changes.c - see changes.h. The kernel writes one event behind the other, each with the
 * name at its end; it never splits one. */
#include "net/changes.h"

#include <stdalign.h>
#include <sys/inotify.h>
#include <unistd.h>

#define WANTED (IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

bool changes_open(struct changes *c)
{
    c->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    return c->fd >= 0;
}

void changes_close(struct changes *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

int changes_add(struct changes *c, const char *folder)
{
    return inotify_add_watch(c->fd, folder, WANTED);
}

/* A folder that was moved away goes on being watched where it is now: not for us. */
static void tell_one(struct changes *c, const struct inotify_event *e,
                     void (*tell)(const struct change *, void *), void *user)
{
    struct change change = { .folder = e->wd,
                             .gone = e->mask & (IN_IGNORED | IN_MOVE_SELF),
                             .lost = e->mask & IN_Q_OVERFLOW,
                             .name = e->len ? e->name : "" };

    if (e->mask & IN_MOVE_SELF)
        inotify_rm_watch(c->fd, e->wd);
    tell(&change, user);
}

void changes_read(struct changes *c, void (*tell)(const struct change *, void *),
                  void *user)
{
    alignas(struct inotify_event) char bytes[4096];
    ssize_t n;

    while ((n = read(c->fd, bytes, sizeof bytes)) > 0) {
        for (char *p = bytes; p < bytes + n;) {
            const struct inotify_event *e = (const void *)p;

            p += sizeof *e + e->len;
            tell_one(c, e, tell, user);
        }
    }
}
