/* peer: a WAMP client reduced to what a load generator needs, and the loop that drives
 * many.
 *
 * It deliberately has no options, timers or error handling of its own: a broken
 * connection or an unexpected answer while it joins ends the program with one line.
 *
 * The idea: connecting, joining, registering and subscribing block, because nothing is
 * measured yet; then the peer is handed to the loop, whose turns call `on_message` for
 * each message and send all that has become due in one write a connection.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "packed.h"

struct peer {
    struct bytes in, out;
    struct bytes batch; /* of BATCHED: what the next frame carries */
    uint64_t last_id;   /* of a request */
    void (*on_message)(struct peer *p, struct slice message);
    void *role;         /* borrowed; whatever on_message needs */
    enum format format; /* that it speaks: set before peer_connect */
    int fd;
    bool dirty, waits_for_room;
};

/* What is said and heard is JSON, whatever the format. */

/* Connects and upgrades: 0, or -1 while nobody answers there. */
int peer_connect(struct peer *p, int port);
/* Plain TCP, for a floor without WebSocket. */
int peer_connect_raw(struct peer *p, int port);
/* HELLO … WELCOME. */
int peer_join(struct peer *p, const char *realm);
/* REGISTER or SUBSCRIBE and its confirmation. */
void peer_declare(struct peer *p, int code, const char *uri);
/* Says one message and waits for the next that comes; it stays until the peer is used
 * again. */
int peer_ask(struct peer *p, struct slice message, struct slice *reply);
void peer_close(struct peer *p);

/* Hands the peer to the loop; the calls above are over then. */
void loop_add(struct peer *p);
/* Appends a message to what is due; it leaves when the turn ends. */
void peer_say(struct peer *p, struct slice head, struct slice tail);
/* Waits for anything to read and treats it; false when timeout_ms pass without. */
bool loop_turn(int timeout_ms);

#endif
