/* supervise_private.h - what supervise.c (who looks after the crew) and supervise_start.c
 * (how one of its processes comes to life) share. */
#ifndef SUPERVISE_PRIVATE_H
#define SUPERVISE_PRIVATE_H

#include <signal.h>
#include <sys/types.h>

#include "supervise.h"

#define NEVER UINT64_MAX
#define NOTE_SIZE 1500    /* the longest URL, and more */
#define REPLACE "replace" /* a note, as "ready" and a URL are */

enum life {
    WAITING,  /* no process; one is started when it is due */
    STARTING, /* not ready yet */
    READY,
    DRAINING, /* asked to end in peace, and killed when it is due */
    ENDED     /* for good */
};

struct slot {
    int number;
    char name[24]; /* for the log */
    enum life life;
    pid_t pid;      /* 0 without a process */
    int control;    /* our end of its socket, -1 without one; owned */
    int lives;      /* processes so far */
    uint64_t since; /* ms, monotonic: when this one was started */
    uint64_t due;   /* ms, monotonic */
    uint64_t pause; /* ms, the last one */
    bool was_ready; /* in some life */
    bool stale;     /* a HUP wants it replaced */
    bool rolling;   /* it is being replaced: until the new one is ready */
};

struct supervisor {
    const struct crew *crew;
    struct slot *slots;   /* owned; 0 is the router, then the workers */
    struct pollfd *polls; /* owned; the signals, then a slot each */
    int count;            /* slots */
    char router[NOTE_SIZE];
    sigset_t former;   /* mask, for the processes */
    bool announced;    /* all have been ready */
    bool reloading;    /* a HUP is being carried out */
    uint64_t watchdog; /* ms: when the service manager wants to hear from us */
    bool stopping;     /* nobody is started any more */
    bool closing;      /* the router, too, has been told */
    int code;          /* the exit code, when stopping */
};

uint64_t supervise_now(void); /* ms, monotonic */

/* Starts a process for a slot that waits; when that fails it waits again, for longer. */
void slot_start(struct supervisor *s, struct slot *slot);

/* Its process died: it waits, twice as long as the last time. */
void slot_back_off(struct slot *slot, uint64_t now);

void slot_close_control(struct slot *slot);

#endif
