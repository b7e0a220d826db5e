/* supervise.h - `run --workers N`: several processes of one app, and whoever looks after
 * them. Knows processes only: what they do is a function that it is given. */
#ifndef SUPERVISE_H
#define SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>

/* What a process of the crew is told about itself. */
struct worker {
    int number;         /* counted from 1; 0 is the router */
    int lives;          /* how many processes of this number were before it */
    int control;        /* socket; readable once it should end without losing anything */
    const char *router; /* URL of the crew's router; NULL without one, and before it
                           listens: in the first life of the router itself */
};

struct crew {
    int workers;
    bool router;    /* one more process, number 0, is started before them */
    uint64_t grace; /* ms; how long handlers may go on when a worker ends in peace */
    int (*work)(const struct worker *w, void *user); /* a process's life: exit code */
    void *user;
};

/* Forks the crew and looks after it until it has ended: starts again who died, passes
 * signals on. Nothing that a fork would share (loops, sockets, Lua) may be open. Returns
 * in the parent only: the exit code. */
int supervise(const struct crew *crew);

/* A worker is ready, or the router listens on `url` (NULL for workers). */
void supervise_ready(const struct worker *w, const char *url);

/* A worker wants all of them replaced, one after the other, as a HUP does. */
void supervise_replace(const struct worker *w);

#endif
