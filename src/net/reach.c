/* reach.c - connecting: one address of the host after the other, or of its proxy. See
 * reach.h.
 *
 * A proxy is asked for the connection, and its answer read to the end of its head.
 * Whatever comes behind that would be the other side's, who has nothing to say before he
 * is spoken to: it ends the attempt.
 *
 * What has been found out is told from a timer, never from inside of reach_url. Not known
 * here: what is spoken, and for how long the caller waits. */
#include "net/reach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/dial.h"
#include "net/loop_private.h"
#include "wamp/limits.h"

#define END "\r\n\r\n"

struct reach {
    struct loop *loop;
    const struct net_proxy *proxy; /* borrowed; NULL: none */
    struct url at;                 /* what is dialled: the URL, or its proxy */
    char to[300];                  /* host:port that a proxy is asked for */
    char shown[300];               /* "the proxy HOST:PORT" */
    int address;                   /* of what is dialled, counted from 0 */
    int fd;                        /* owned; -1: none */
    struct watch *watch;           /* waiting for it; else NULL */
    struct buf *head;              /* owned: of the proxy's answer */
    struct loop_timer soon;        /* set: it is decided, and to be told */
    struct conn_end end;           /* why not; CONN_OK: fd is it */
    reach_done *done;
    void *user;
};

static void release(struct reach *r)
{
    loop_unwatch(r->watch);
    loop_timer_clear(r->loop, &r->soon);
    if (r->fd >= 0)
        close(r->fd);
    buf_unref(r->head);
    free(r);
}

static void tell(struct loop_timer *t)
{
    struct reach *r = timer_entry(t, struct reach, soon);
    int fd = r->end.error == CONN_OK ? r->fd : -1;

    if (fd >= 0)
        r->fd = -1;
    r->done(r->user, fd, &r->end);
    release(r);
}

static void decide(struct reach *r, enum conn_error error, int code, const char *fmt, ...)
    LOG_PRINTF(4, 5);

static void decide(struct reach *r, enum conn_error error, int code, const char *fmt, ...)
{
    va_list ap;

    r->end.error = error;
    r->end.code = code;
    va_start(ap, fmt);
    vsnprintf(r->end.text, sizeof r->end.text, fmt, ap);
    va_end(ap);
    loop_timer_set(r->loop, &r->soon, 0);
}

/* ---- the answer -------------------------------------------------------------------- */

static const char *meaning(const struct reach *r, int status)
{
    if (status == 407)
        return r->proxy->authorization ? "does not accept this user and password"
                                       : "wants to know a user and a password";
    return status >= 500 ? "could not connect to" : "does not connect anybody to";
}

static void judge(struct reach *r)
{
    const char *line = r->head->data;
    int status = 0, shown;

    if (sscanf(line, "HTTP/1.%*1[01] %3d", &status) != 1 || status < 200) {
        decide(r, CONN_PROTOCOL, 0, "%s answered with something else than HTTP",
               r->shown);
    } else if (status > 299) {
        shown = (int)strcspn(line + 9, "\r\n");
        decide(r, CONN_HTTP_STATUS, status, "%s %s%s%s (%.*s)", r->shown,
               meaning(r, status), status == 407 ? "" : " ", status == 407 ? "" : r->to,
               shown < 60 ? shown : 60, line + 9);
    } else if (!slice_eq((struct slice){ line + r->head->len - 4, 4 }, SLICE(END))) {
        decide(r, CONN_PROTOCOL, 0, "%s sent more than an answer", r->shown);
    } else {
        decide(r, CONN_OK, 0, "connected");
    }
}

/* The bytes are text from now on. */
static bool has_end(struct buf *head)
{
    *buf_reserve(&head, 1) = '\0'; /* there is room: see answered */
    return strstr(head->data, END) != NULL;
}

static void answered(void *user)
{
    struct reach *r = user;
    ssize_t n = recv(r->fd, r->head->data + r->head->len, r->head->cap - 1 - r->head->len,
                     MSG_DONTWAIT);

    r->watch = NULL;
    if (n > 0)
        r->head->len += (size_t)n;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        decide(r, CONN_LOST, 0, "%s closed the connection without an answer", r->shown);
    else if (has_end(r->head))
        judge(r);
    else if (r->head->len == r->head->cap - 1)
        decide(r, CONN_PROTOCOL, 0, "%s answered with something else than HTTP",
               r->shown);
    else
        r->watch = loop_watch(r->loop, r->fd, false, answered, r);
}

/* ---- asking ------------------------------------------------------------------------ */

static void dial(struct reach *r);

static void ask(struct reach *r)
{
    struct buf *request = buf_new(1024);
    const char *authorization = r->proxy->authorization;
    char lines[700];
    int n = snprintf(lines, sizeof lines, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", r->to,
                     r->to);

    buf_append(&request, lines, (size_t)n);
    if (authorization) {
        buf_append(&request, "Proxy-Authorization: ", 21);
        buf_append(&request, authorization, strlen(authorization));
        buf_append(&request, "\r\n", 2);
    }
    buf_append(&request, "\r\n", 2);
    send(r->fd, request->data, request->len, MSG_NOSIGNAL); /* a new socket has room */
    buf_unref(request);
    r->head = buf_new(LIMIT_HTTP_HEAD + 1);
    r->watch = loop_watch(r->loop, r->fd, false, answered, r);
}

/* Notes why this address is of no use, and goes on to the next one. `error` is a text of
 * dial.h, errno its number. */
static void failed(struct reach *r, const char *error)
{
    char why[200];
    bool known = errno != 0; /* else the host is not */

    r->end.error = known ? dial_explain(errno, why, sizeof why) : CONN_UNKNOWN_HOST;
    if (r->proxy)
        snprintf(r->end.text, sizeof r->end.text, "cannot reach %.100s: %.100s", r->shown,
                 error);
    else
        snprintf(r->end.text, sizeof r->end.text, "%.200s", known ? why : error);
    r->address++;
    dial(r);
}

static void connected(void *user)
{
    struct reach *r = user;
    char error[200];

    r->watch = NULL;
    if (dial_result(r->fd, error, sizeof error)) {
        if (r->proxy)
            ask(r);
        else
            decide(r, CONN_OK, 0, "connected");
        return;
    }
    close(r->fd);
    r->fd = -1;
    failed(r, error);
}

static void dial(struct reach *r)
{
    char error[200];

    switch (dial_start(&r->fd, &r->at, 0, r->address, error, sizeof error)) {
    case DIAL_STARTED:
        r->watch = loop_watch(r->loop, r->fd, true, connected, r);
        return;
    case DIAL_FAILED:
        r->fd = -1;
        failed(r, error);
        return;
    case DIAL_EXHAUSTED: /* r->end says why the last one was of no use */
        loop_timer_set(r->loop, &r->soon, 0);
    }
}

static void go_through(struct reach *r, const struct net_proxy *proxy)
{
    const struct url to = r->at;

    r->proxy = proxy;
    r->at = (struct url){ .port = proxy->port };
    snprintf(r->at.host, sizeof r->at.host, "%s", proxy->host);
    snprintf(r->shown, sizeof r->shown, "the proxy %s:%d", proxy->host, proxy->port);
    snprintf(r->to, sizeof r->to, to.ipv6 ? "[%s]:%d" : "%s:%d", to.host, to.port);
}

struct reach *reach_url(struct loop *l, const struct url *url,
                        const struct net_proxy *proxy, reach_done *done, void *user)
{
    struct reach *r = xcalloc(1, sizeof *r);

    r->loop = l;
    r->at = *url;
    if (proxy->host && !url->unix_socket)
        go_through(r, proxy);
    r->fd = -1;
    r->soon.fired = tell;
    r->done = done;
    r->user = user;
    dial(r);
    return r;
}

void reach_cancel(struct reach *r)
{
    if (r)
        release(r);
}
