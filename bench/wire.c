/* wire: see wire.h.
 *
 * The parts in order: bytes, text, frames, messages, sockets, the upgrade. Nothing here
 * knows a session, a router or an event loop.
 *
 * Only as strict as a fair comparison needs: frame headers, lengths and brackets are
 * checked; UTF-8, numbers and escapes are not, and a fragmented message is refused.
 */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WS_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

enum { RECV_ROOM = 64 * 1024, MAX_HEADER = 14, MAX_UPGRADE = 8 * 1024, MAX_DEPTH = 64 };

static const unsigned char mask_key[4] = { 0x5a, 0xc3, 0x96, 0x0f };

void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("bench: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* --- bytes -------------------------------------------------------------------------- */

char *bytes_room(struct bytes *b, size_t n)
{
    if (b->at == b->n)
        b->at = b->n = 0;
    if (b->cap - b->n >= n)
        return b->p + b->n;
    if (b->at > 0) {
        memmove(b->p, b->p + b->at, b->n - b->at);
        b->n -= b->at;
        b->at = 0;
    }
    if (b->cap - b->n < n) {
        b->cap = (b->n + n) * 2;
        b->p = realloc(b->p, b->cap);
        if (!b->p)
            die("out of memory");
    }
    return b->p + b->n;
}

void bytes_add(struct bytes *b, struct slice s)
{
    memcpy(bytes_room(b, s.n), s.p, s.n);
    b->n += s.n;
}

void bytes_free(struct bytes *b)
{
    free(b->p);
    *b = (struct bytes){ 0 };
}

static long plain_recv(int fd, char *p, size_t n)
{
    return recv(fd, p, n, 0);
}

static long plain_send(int fd, const char *p, size_t n)
{
    return send(fd, p, n, MSG_NOSIGNAL);
}

long (*wire_recv)(int fd, char *p, size_t n) = plain_recv;
long (*wire_send)(int fd, const char *p, size_t n) = plain_send;
int (*wire_connected)(int fd);

long bytes_recv(struct bytes *b, int fd)
{
    long got = wire_recv(fd, bytes_room(b, RECV_ROOM), RECV_ROOM);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (got == 0)
        return -1;
    b->n += (size_t)got;
    return got;
}

int bytes_send(struct bytes *b, int fd)
{
    long sent = wire_send(fd, b->p + b->at, bytes_left(b));
    if (sent < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    b->at += (size_t)sent;
    return 0;
}

/* --- text --------------------------------------------------------------------------- */

bool slice_is(struct slice s, struct slice t)
{
    return s.n == t.n && memcmp(s.p, t.p, s.n) == 0;
}

uint64_t slice_number(struct slice s)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return 0;
        n = n * 10 + (uint64_t)(s.p[i] - '0');
    }
    return n;
}

char *put(char *at, struct slice s)
{
    memcpy(at, s.p, s.n);
    return at + s.n;
}

char *put_number(char *at, uint64_t n)
{
    char digits[20];
    size_t i = sizeof digits;
    do
        digits[--i] = (char)('0' + n % 10);
    while (n /= 10);
    return put(at, text(digits + i, sizeof digits - i));
}

/* --- frames ------------------------------------------------------------------------- */

/* Writes the header of a frame and returns where its body goes. */
static char *frame_header(char *at, bool masked, int opcode, size_t n)
{
    unsigned mask_bit = masked ? 0x80 : 0;
    *at++ = (char)(0x80 | opcode);
    if (n < 126) {
        *at++ = (char)(mask_bit | (unsigned)n);
    } else {
        int width = n < 65536 ? 2 : 8;
        *at++ = (char)(mask_bit | (width == 2 ? 126u : 127u));
        for (int i = width - 1; i >= 0; i--)
            *at++ = (char)(n >> (8 * i));
    }
    if (masked)
        at = put(at, text((const char *)mask_key, 4));
    return at;
}

static void xor_key(char *p, size_t n, const unsigned char key[4])
{
    uint64_t wide, word;
    memcpy(&wide, key, 4);
    memcpy((char *)&wide + 4, key, 4);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        memcpy(&word, p + i, 8);
        word ^= wide;
        memcpy(p + i, &word, 8);
    }
    for (; i < n; i++)
        p[i] = (char)(p[i] ^ (char)key[i & 3]);
}

static void frame_add(struct bytes *out, bool masked, int opcode,
                      const struct slice body[2])
{
    size_t n = body[0].n + body[1].n;
    char *start = bytes_room(out, n + MAX_HEADER);
    char *at = frame_header(start, masked, opcode, n);
    char *end = put(put(at, body[0]), body[1]);
    if (masked)
        xor_key(at, n, mask_key);
    out->n += (size_t)(end - start);
}

void frame_put(struct bytes *out, bool masked, struct slice head, struct slice tail)
{
    frame_add(out, masked, OP_TEXT, (struct slice[2]){ head, tail });
}

void frame_binary(struct bytes *out, bool masked, struct slice body)
{
    frame_add(out, masked, OP_BINARY, (struct slice[2]){ body, LIT("") });
}

void frame_control(struct bytes *out, bool masked, int opcode, struct slice body)
{
    frame_add(out, masked, opcode, (struct slice[2]){ body, LIT("") });
}

int frame_take(struct bytes *in, struct frame *frame)
{
    size_t have = bytes_left(in);
    unsigned char *p = (unsigned char *)in->p + in->at;
    if (have < 2)
        return 0;
    if (!(p[0] & 0x80) || (p[0] & 0x70))
        return -1;
    size_t n = p[1] & 0x7f, width = n == 126 ? 2 : n == 127 ? 8 : 0;
    size_t masked = p[1] & 0x80 ? 4 : 0, header = 2 + width + masked;
    if (have < header)
        return 0;
    if (width)
        n = 0;
    for (size_t i = 0; i < width; i++)
        n = n << 8 | p[2 + i];
    if (have - header < n)
        return 0;
    char *body = (char *)p + header;
    if (masked)
        xor_key(body, n, p + header - 4);
    *frame = (struct frame){ p[0] & 0x0f, text(body, n) };
    in->at += header + n;
    return 1;
}

/* --- messages ----------------------------------------------------------------------- */

/* The first quote that no odd run of backslashes escapes ends the string opened at p. */
static const char *string_end(const char *p, const char *end)
{
    const char *quote = p;
    while ((quote = memchr(quote + 1, '"', (size_t)(end - quote - 1)))) {
        const char *run = quote;
        while (run[-1] == '\\')
            run--;
        if ((quote - run) % 2 == 0)
            return quote + 1;
    }
    return NULL;
}

/* The end of the value at p, or NULL. */
static const char *value_end(const char *p, const char *end)
{
    int depth = 0;
    while (p && p < end) {
        char c = *p;
        if (c == '"') {
            p = string_end(p, end);
            continue;
        }
        if (depth == 0 && (c == ',' || c == ']' || c == '}'))
            return p;
        if ((c == '[' || c == '{') && ++depth > MAX_DEPTH)
            return NULL;
        if (c == ']' || c == '}')
            depth--;
        p++;
    }
    return NULL;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static struct slice trim_front(const char *p, const char *end)
{
    while (p < end && is_space(*p))
        p++;
    return text(p, (size_t)(end - p));
}

static struct slice trim(const char *p, const char *end)
{
    while (p < end && is_space(end[-1]))
        end--;
    return trim_front(p, end);
}

int message_split(struct slice message, struct slice part[MAX_ELEMENTS], int wanted)
{
    struct slice all = trim(message.p, message.p + message.n);
    if (all.n < 2 || all.p[0] != '[' || all.p[all.n - 1] != ']')
        return -1;
    const char *p = all.p + 1, *last = all.p + all.n - 1;
    for (int i = 0; i < wanted; i++) {
        const char *stop = value_end(p, last + 1);
        if (!stop || *stop == '}')
            return -1;
        if (i == wanted - 1) {
            part[i] = trim_front(p, last);
            return wanted;
        }
        part[i] = trim(p, stop);
        if (stop == last)
            return i + 1;
        if (*stop != ',')
            return -1;
        p = stop + 1;
    }
    return -1;
}

/* --- sockets ------------------------------------------------------------------------ */

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void no_delay(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void tcp_unblock(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

int tcp_listen(int port)
{
    struct sockaddr_in at = loopback(port);
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 4096) < 0)
        die("cannot listen on port %d: %s", port, strerror(errno));
    tcp_unblock(fd);
    return fd;
}

int tcp_port(int listener)
{
    struct sockaddr_in at;
    socklen_t n = sizeof at;
    getsockname(listener, (struct sockaddr *)&at, &n);
    return ntohs(at.sin_port);
}

int tcp_accept(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        no_delay(fd);
    return fd;
}

int tcp_connect(int port)
{
    struct sockaddr_in at = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("cannot open a socket: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&at, sizeof at) < 0) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    no_delay(fd);
    return fd;
}

/* --- the upgrade -------------------------------------------------------------------- */

/* The length of the HTTP head at the front of `in`, its blank line included, or 0. */
static size_t head_length(const struct bytes *in)
{
    if (bytes_left(in) == 0)
        return 0;
    const char *start = in->p + in->at;
    const char *end = memmem(start, bytes_left(in), "\r\n\r\n", 4);
    return end ? (size_t)(end - start) + 4 : 0;
}

static struct slice head_field(struct slice head, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i + n < head.n; i++) {
        if (head.p[i] != '\n' || strncasecmp(head.p + i + 1, name, n) != 0)
            continue;
        const char *value = head.p + i + 1 + n;
        const char *end = memchr(value, '\r', head.n - i - 1 - n);
        return trim(value, end ? end : value);
    }
    return LIT("");
}

int upgrade_answer(struct bytes *in, struct bytes *out)
{
    size_t n = head_length(in);
    if (n == 0)
        return bytes_left(in) > MAX_UPGRADE ? -1 : 0;
    struct slice key = head_field(text(in->p + in->at, n), "Sec-WebSocket-Key:");
    char joined[128];
    unsigned char digest[SHA_DIGEST_LENGTH], accept[32];
    if (key.n == 0 || key.n > 64)
        return -1;
    char *end = put(put(joined, key), LIT(WS_GUID));
    SHA1((unsigned char *)joined, (size_t)(end - joined), digest);
    int accept_n = EVP_EncodeBlock(accept, digest, sizeof digest);
    bytes_add(out, LIT("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Protocol: wamp.2.json\r\n"
                       "Sec-WebSocket-Accept: "));
    bytes_add(out, text((char *)accept, (size_t)accept_n));
    bytes_add(out, LIT("\r\n\r\n"));
    in->at += n;
    return 1;
}

int upgrade_ask(int fd, int port, const char *subprotocol, struct bytes *in)
{
    char ask[512];
    int n =
        snprintf(ask, sizeof ask,
                 "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Key: d2FtcHktbHVhLWJlbmNoIQ==\r\n"
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: %s\r\n\r\n",
                 port, subprotocol);
    if (wire_send(fd, ask, (size_t)n) != n)
        return -1;
    size_t head;
    while ((head = head_length(in)) == 0)
        if (bytes_recv(in, fd) < 0 || bytes_left(in) > MAX_UPGRADE)
            return -1;
    bool switched = memcmp(in->p + in->at, "HTTP/1.1 101", 12) == 0;
    in->at += head;
    return switched ? 0 : -1;
}
