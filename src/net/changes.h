/* changes.h - which files of some folders are new or have been written: inotify.
 *
 * Folders are watched and not files, because editors put a new file in the place of the
 * old one. Told of are files that somebody has closed after writing, and files that got
 * their name, so that nobody reads one half written. */
#ifndef NET_CHANGES_H
#define NET_CHANGES_H

#include <stdbool.h>
#include <stddef.h>

struct changes {
    int fd; /* owned, -1: none; readable when there is something to read */
};

struct change {
    int folder; /* as changes_add gave it */
    bool gone;  /* the folder is watched no more: it is not there */
    bool lost;  /* some were not told of, there were too many (folder is -1) */
    const char *name;
};

bool changes_open(struct changes *c); /* false with errno set */
void changes_close(struct changes *c);

/* A number for the folder, the same for one that is watched already; -1 with errno. */
int changes_add(struct changes *c, const char *folder);

/* Tells of all that is there to be read, without waiting. */
void changes_read(struct changes *c, void (*tell)(const struct change *, void *),
                  void *user);

#endif
