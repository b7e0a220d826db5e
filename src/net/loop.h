/* loop.h - the event loop: libwebsockets on libev where the plugin is there, on its own
 * poll loop otherwise. This file decides which, nobody else knows.
 *
 * Rules: everything happens in one thread; nothing runs but from loop_run_once; handlers
 * of conns and descriptors only note what happened. */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

enum loop_backend {
    LOOP_AUTO, /* libev if it can be had, else poll; WAMPY_LOOP=poll asks for poll */
    /* fewest system calls with few descriptors, no plugin needed: plain clients */
    LOOP_POLL,
    LOOP_EV /* flat cost however many connections there are: whoever listens */
};

/* NULL when the backend cannot be had (never for LOOP_AUTO and LOOP_POLL). */
struct loop *loop_new(enum loop_backend backend);
void loop_free(struct loop *l); /* all conns and listeners must be gone */
const char *loop_backend_name(const struct loop *l); /* "ev" or "poll" */

/* Writes what conns have queued. Handlers may be told `drained` or `closed` by it, so who
 * waits only when nothing is to be done asks for this first. */
void loop_flush(struct loop *l);

/* Flushes, then waits for events up to `timeout_ms` (0: only look; negative: no limit)
 * and runs their handlers. Returns early after loop_wake and after a signal that is
 * watched. */
void loop_run_once(struct loop *l, int64_t timeout_ms);

/* Makes the current or next loop_run_once return without waiting. */
void loop_wake(struct loop *l);

/* Milliseconds on the monotonic clock. */
uint64_t loop_now(void);

/* Watches a signal: `handler(signo, user)` is called from loop_run_once (not in signal
 * context) until loop_unsignal. The former disposition comes back then. */
void loop_signal(struct loop *l, int signo, void (*handler)(int signo, void *user),
                 void *user);
void loop_unsignal(struct loop *l, int signo);

/* Calls the handlers of watched signals that have come, outside of loop_run_once: for
 * code that finds that it has kept the loop waiting. */
void loop_run_signals(struct loop *l);

/* Watches a foreign descriptor once: `handler(user, ready)` is called when it is
 * readable (or writable, with `write`). The handle is cancelled by loop_unwatch or by
 * having fired. */
struct watch;
struct watch *loop_watch(struct loop *l, int fd, bool write, void (*handler)(void *user),
                         void *user);

/* The same for reading, again and again while there is something to read, until
 * loop_unwatch: cheaper for a descriptor that is always listened to. */
struct watch *loop_watch_on(struct loop *l, int fd, void (*handler)(void *user),
                            void *user);
void loop_unwatch(struct watch *w);

/* The lws context, for ws.c only (void so that no lws type leaves net/). */
void *loop_context(struct loop *l);

#endif
