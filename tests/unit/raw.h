/* raw.h - hand-made peers for the WebSocket tests: bytes on a plain socket on one side,
 * and a recorder of what a conn's handler was told on the other.
 *
 * Everything is driven by one loop: nothing sleeps, each wait ends by its condition or
 * by a generous deadline. */
#ifndef RAW_H
#define RAW_H

#include "net/listener.h"

/* ---- a conn that remembers --------------------------------------------------------- */

struct recorder {
    struct conn *conn; /* NULL before and after */
    int opened, closed, messages, drained;
    char subprotocol[64];
    size_t length;    /* of the last message */
    char text[300];   /* its beginning, NUL-terminated */
    struct buf *last; /* the last message, referenced */
    struct conn_end end;
    bool echo; /* sends back what comes */
};

extern const struct conn_handler recorder_handler;
void recorder_reset(struct recorder *r);
void recorder_accept(struct conn *c, void *recorder); /* for listener_open */

/* ---- a socket ---------------------------------------------------------------------- */

struct raw {
    struct loop *loop; /* runs while this side waits */
    int fd;
    bool eof;  /* the other side has hung up */
    bool slow; /* sends byte by byte */
    size_t n;
    unsigned char in[200000]; /* what has come and was not taken */
};

void raw_connect(struct raw *r, struct loop *l, int port); /* to 127.0.0.1 */
int raw_listen(int *port);                                 /* on 127.0.0.1 */
void raw_accept(struct raw *r, struct loop *l, int listener);
void raw_close(struct raw *r);

void raw_send(struct raw *r, const void *p, size_t n);
void raw_text(struct raw *r, const char *text);
bool raw_wait(struct raw *r, size_t n);              /* for n bytes */
bool raw_wait_text(struct raw *r, const char *text); /* for this text */
bool raw_wait_eof(struct raw *r);
void raw_take(struct raw *r, size_t n); /* drops the first n bytes */

/* One frame: first byte, payload, and whether it is masked. */
void raw_frame(struct raw *r, int first, const void *p, size_t n, bool masked);

/* Waits for a frame with a short payload and takes it: its first byte, or -1; the
 * payload, unmasked, with a NUL. */
int raw_next(struct raw *r, char *payload, size_t size);

/* The two halves of the handshake. */
void raw_upgrade(struct raw *r,
                 const char *subprotocol); /* as a client; waits for the 101 */
bool raw_answer(struct raw *r,
                const char *subprotocol); /* as a server; waits for the GET */
void raw_accept_key(const struct raw *r, char out[40]); /* for the request in `in` */

/* Runs the loop until the condition holds or 8 s have gone. The raw sockets are not
 * the loop's, so its waits are short. */
#define RUN_UNTIL(l, cond)                                                        \
    for (uint64_t run_end = loop_now() + 30000; !(cond) && loop_now() < run_end;) \
    loop_run_once((l), 1)

#endif
