/* wire: the least of WebSocket and WAMP JSON that the tools of this folder share.
 *
 * A byte queue, frames both ways, the upgrade, and a scanner that finds the elements of a
 * WAMP message without looking into them. It deliberately uses nothing of ../src: a floor
 * and a load generator that share code with what they judge would share its faults and
 * its speed.
 *
 * The idea: everything is a `struct bytes`, appended at the back and consumed at the
 * front; frames are taken out of it in place, and slices point into it until it is next
 * written to.
 *
 * Out of memory, and any socket error that no test wants, ends the program with one line.
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
    const char *p; /* borrowed */
    size_t n;
};

struct bytes {
    char *p;           /* owned */
    size_t at, n, cap; /* unread bytes are p[at..n) */
};

struct frame {
    int opcode;
    struct slice body; /* unmasked, in place */
};

enum { OP_TEXT = 1, OP_BINARY, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

/* Message codes that the tools speak. */
enum {
    M_HELLO = 1,
    M_WELCOME = 2,
    M_GOODBYE = 6,
    M_ERROR = 8,
    M_PUBLISH = 16,
    M_PUBLISHED = 17,
    M_SUBSCRIBE = 32,
    M_SUBSCRIBED = 33,
    M_EVENT = 36,
    M_CALL = 48,
    M_RESULT = 50,
    M_REGISTER = 64,
    M_REGISTERED = 65,
    M_UNREGISTER = 66,
    M_UNREGISTERED = 67,
    M_INVOCATION = 68,
    M_YIELD = 70
};

_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- bytes -------------------------------------------------------------------------- */
static inline size_t bytes_left(const struct bytes *b)
{
    return b->n - b->at;
}
char *bytes_room(struct bytes *b, size_t n); /* where n more bytes may be written */
void bytes_add(struct bytes *b, struct slice s);
void bytes_free(struct bytes *b);
/* How bytes come and go, as recv and send; tls.c puts others here, and `wire_connected`,
 * which is called with a new connection of tcp_connect and may be NULL. A record of TLS
 * fits into one receiving. */
extern long (*wire_recv)(int fd, char *p, size_t n);
extern long (*wire_send)(int fd, const char *p, size_t n);
extern int (*wire_connected)(int fd); /* 0 or -1 */
/* One recv: the number of bytes, 0 when there is nothing now, -1 when the peer has gone.
 * */
long bytes_recv(struct bytes *b, int fd);
/* One send: 0 or more bytes are left in b; -1 when the peer has gone. */
int bytes_send(struct bytes *b, int fd);

/* --- text --------------------------------------------------------------------------- */
static inline struct slice text(const char *p, size_t n)
{
    return (struct slice){ p, n };
}
#define LIT(s) text((s), sizeof(s) - 1)
bool slice_is(struct slice s, struct slice t);
uint64_t slice_number(struct slice s); /* 0 for what is no unsigned number */
char *put(char *at, struct slice s);   /* both return the end of what they wrote */
char *put_number(char *at, uint64_t n);

/* --- frames ------------------------------------------------------------------------- */
/* Appends one text frame whose body is head followed by tail; masked as a client must. */
void frame_put(struct bytes *out, bool masked, struct slice head, struct slice tail);
void frame_binary(struct bytes *out, bool masked, struct slice body);
void frame_control(struct bytes *out, bool masked, int opcode, struct slice body);
/* Takes the next frame: 1, 0 when more bytes are needed, -1 when it is none of ours. */
int frame_take(struct bytes *in, struct frame *frame);

/* --- WAMP messages ------------------------------------------------------------------ */
enum { MAX_ELEMENTS = 7 };
/* Splits "[code,e1,e2,…]": element i goes to part[i]; the last one of `wanted` takes
 * everything that follows it, and p[n] is then the closing bracket. Returns how many
 * there are, or -1. */
int message_split(struct slice message, struct slice part[MAX_ELEMENTS], int wanted);

/* --- sockets ------------------------------------------------------------------------ */
int tcp_listen(int port); /* port 0: any */
int tcp_port(int listener);
int tcp_accept(int listener); /* non-blocking socket, or -1 */
int tcp_connect(int port);    /* blocking socket, or -1 with errno */
void tcp_unblock(int fd);
/* The server's half of the upgrade: 1 when answered into out, 0 when more is needed, -1.
 * */
int upgrade_answer(struct bytes *in, struct bytes *out);
/* The client's half, on a blocking socket; what follows the answer stays in `in`. 0 or
 * -1. */
int upgrade_ask(int fd, int port, const char *subprotocol, struct bytes *in);

uint64_t now_ns(void); /* monotonic */

#endif
