/* notify.h - what a service manager wants to hear (sd_notify(3)): "READY=1" and the like.
 * Where there is none, nothing happens. */
#ifndef NET_NOTIFY_H
#define NET_NOTIFY_H

#include <stdint.h>

void notify(const char *state);
void notify_reloading(void);

/* How often it wants to hear "WATCHDOG=1", ms; 0: not at all. */
uint64_t notify_interval(void);

/* In a process that another one speaks for: from now on nothing is told. */
void notify_never(void);

#endif
