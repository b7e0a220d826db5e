/* raw.c - hand-made WebSocket peers. See raw.h. */
#include "raw.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

/* ---- the recorder ------------------------------------------------------------------ */

static void opened(struct conn *c, struct slice subprotocol)
{
    struct recorder *r = c->user;

    r->opened++;
    snprintf(r->subprotocol, sizeof r->subprotocol, "%.*s", (int)subprotocol.n,
             subprotocol.p);
}

static void message(struct conn *c, struct buf *m)
{
    struct recorder *r = c->user;

    r->messages++;
    r->length = m->len;
    snprintf(r->text, sizeof r->text, "%.*s", (int)(m->len < 290 ? m->len : 290),
             m->data);
    buf_unref(r->last);
    r->last = buf_ref(m);
    if (r->echo)
        conn_send(c, buf_ref(m));
}

static void closed(struct conn *c, const struct conn_end *end)
{
    struct recorder *r = c->user;

    r->closed++;
    r->end = *end;
    r->conn = NULL;
}

static void drained(struct conn *c)
{
    ((struct recorder *)c->user)->drained++;
}

const struct conn_handler recorder_handler = { opened, message, closed, drained };

void recorder_reset(struct recorder *r)
{
    bool echo = r->echo;

    buf_unref(r->last);
    *r = (struct recorder){ .echo = echo };
}

void recorder_accept(struct conn *c, void *recorder)
{
    struct recorder *r = recorder;

    r->conn = c;
    c->handler = &recorder_handler;
    c->user = r;
}

/* ---- sockets ----------------------------------------------------------------------- */

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static void start(struct raw *r, struct loop *l, int fd)
{
    int on = 1;

    r->loop = l;
    r->fd = fd;
    r->eof = r->slow = false;
    r->n = 0;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void raw_connect(struct raw *r, struct loop *l, int port)
{
    struct sockaddr_in a = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(connect(fd, (struct sockaddr *)&a, sizeof a) == 0);
    start(r, l, fd);
}

int raw_listen(int *port)
{
    struct sockaddr_in a = loopback(0);
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    CHECK(bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 16) == 0);
    getsockname(fd, (struct sockaddr *)&a, &n);
    *port = ntohs(a.sin_port);
    return fd;
}

void raw_accept(struct raw *r, struct loop *l, int listener)
{
    int fd = -1;

    RUN_UNTIL(l,
              (fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0 ||
                  errno != EAGAIN);
    CHECK(fd >= 0);
    start(r, l, fd);
}

void raw_close(struct raw *r)
{
    close(r->fd);
    r->fd = -1;
}

static void send_all(struct raw *r, const unsigned char *p, size_t n)
{
    uint64_t end = loop_now() + 30000;

    while (n && loop_now() < end) {
        ssize_t sent = send(r->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0 && errno != EAGAIN)
            return; /* the other side has had enough: the test looks for that */
        if (sent > 0) {
            p += sent;
            n -= (size_t)sent;
        }
        loop_run_once(r->loop, 0);
    }
}

void raw_send(struct raw *r, const void *p, size_t n)
{
    const unsigned char *at = p;

    if (!r->slow || n > 2000) {
        send_all(r, at, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        send_all(r, at + i, 1);
        loop_run_once(r->loop, 0);
    }
}

void raw_text(struct raw *r, const char *text)
{
    raw_send(r, text, strlen(text));
}

static bool fetch(struct raw *r)
{
    ssize_t n = recv(r->fd, r->in + r->n, sizeof r->in - 1 - r->n, MSG_DONTWAIT);

    if (n > 0)
        r->n += (size_t)n;
    else if (n == 0 || errno != EAGAIN)
        r->eof = true;
    r->in[r->n] = '\0';
    return n > 0;
}

bool raw_wait(struct raw *r, size_t n)
{
    RUN_UNTIL(r->loop, (fetch(r), r->n >= n || r->eof));
    return r->n >= n;
}

bool raw_wait_text(struct raw *r, const char *text)
{
    RUN_UNTIL(r->loop, (fetch(r), strstr((char *)r->in, text) || r->eof));
    return strstr((char *)r->in, text) != NULL;
}

bool raw_wait_eof(struct raw *r)
{
    RUN_UNTIL(r->loop, (fetch(r), r->eof));
    return r->eof;
}

void raw_take(struct raw *r, size_t n)
{
    r->n -= n;
    memmove(r->in, r->in + n, r->n + 1);
}

/* ---- frames ------------------------------------------------------------------------ */

void raw_frame(struct raw *r, int first, const void *p, size_t n, bool masked)
{
    static const unsigned char mask[4] = { 0x11, 0x22, 0x33, 0x44 };
    static unsigned char out[300000];
    size_t at = 2;

    out[0] = (unsigned char)first;
    out[1] = (unsigned char)((masked ? 0x80 : 0) | (n < 126 ? n : n < 65536 ? 126 : 127));
    if (n >= 126)
        for (int shift = n < 65536 ? 8 : 56; shift >= 0; shift -= 8)
            out[at++] = (unsigned char)((uint64_t)n >> shift);
    if (masked) {
        memcpy(out + at, mask, 4);
        at += 4;
    }
    for (size_t i = 0; i < n; i++)
        out[at + i] = (unsigned char)(((const char *)p)[i] ^ (masked ? mask[i & 3] : 0));
    raw_send(r, out, at + n);
}

int raw_next(struct raw *r, char *payload, size_t size)
{
    size_t head, n;
    int first;

    if (!raw_wait(r, 2))
        return -1;
    n = r->in[1] & 0x7f;
    head = 2 + (r->in[1] & 0x80 ? 4u : 0u);
    if (n > 125 || n >= size || !raw_wait(r, head + n))
        return -1;
    first = r->in[0];
    for (size_t i = 0; i < n; i++)
        payload[i] = (char)(r->in[head + i] ^ (head == 6 ? r->in[2 + (i & 3)] : 0));
    payload[n] = '\0';
    raw_take(r, head + n);
    return first;
}

/* ---- the handshake ----------------------------------------------------------------- */

void raw_upgrade(struct raw *r, const char *subprotocol)
{
    char request[600];
    char *end;

    snprintf(request, sizeof request,
             "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
             "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: %s\r\n\r\n",
             subprotocol);
    raw_text(r, request);
    CHECK(raw_wait_text(r, "\r\n\r\n"));
    CHECK(!strncmp((char *)r->in, "HTTP/1.1 101 ", 13));
    end = strstr((char *)r->in, "\r\n\r\n");
    if (end)
        raw_take(r, (size_t)(end + 4 - (char *)r->in));
}

void raw_accept_key(const struct raw *r, char out[40])
{
    const char *key = strstr((const char *)r->in, "Sec-WebSocket-Key: ");
    char text[100];
    unsigned char hash[20];

    snprintf(text, sizeof text, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
             key ? key + 19 : "");
    EVP_Digest(text, strlen(text), hash, NULL, EVP_sha1(), NULL);
    EVP_EncodeBlock((unsigned char *)out, hash, 20);
}

bool raw_answer(struct raw *r, const char *subprotocol)
{
    char answer[400], key[40];

    if (!raw_wait_text(r, "\r\n\r\n"))
        return false;
    raw_accept_key(r, key);
    snprintf(answer, sizeof answer,
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
             "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
             "Sec-WebSocket-Protocol: %s\r\n\r\n",
             key, subprotocol);
    r->n = 0;
    raw_text(r, answer);
    return true;
}
