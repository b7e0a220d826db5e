/* http_server.c - HTTP answers: what a route says, and sending it.
 *
 * An answer is a head, with a body or a file behind it; it is sent a piece at a time, as
 * the socket takes it, and the file by sendfile, so that neither a long file nor a slow
 * reader keeps the loop. Who does not take anything for STALL_MS is hung up on. Each
 * connection is for one request: what comes from here is a page and a few things it
 * needs, and a connection that waits for more is one that somebody else cannot have.
 *
 * Not known here: how a request is read (ws_server.c), what a path means
 * (http_path.c). */
#include "net/http_server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/http_file.h"

#define STALL_MS 10000          /* that a reader may take nothing */
#define PIECE ((size_t)1 << 18) /* bytes of a file sent before others have their turn */
#define HEAD_SIZE 1024

/* ---- sending ----------------------------------------------------------------------- */

/* Each: 1 when it is all sent, 0 when the socket takes no more now, -1 when it is
 * over. */
static int send_bytes(struct greeting *g)
{
    const struct buf *b = g->reply;
    int more = g->file >= 0 ? MSG_MORE : 0;
    ssize_t n = send(g->fd, b->data + g->sent, b->len - g->sent,
                     MSG_NOSIGNAL | MSG_DONTWAIT | more);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    g->sent += (size_t)n;
    return g->sent == b->len;
}

static int send_file(struct greeting *g)
{
    size_t want = g->left < (off_t)PIECE ? (size_t)g->left : PIECE;
    ssize_t n;

    if (!want)
        return 1;
    n = sendfile(g->fd, g->file, NULL, want);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    g->left -= n;
    return !g->left ? 1 : n ? 0 : -1; /* nothing more is in it: it has become shorter */
}

static void carry_on(void *user)
{
    struct greeting *g = user;
    struct loop *loop = g->listener->net->loop;
    int done = g->sent < g->reply->len ? send_bytes(g) : 1;

    g->watch = NULL;
    if (done > 0 && g->file >= 0)
        done = send_file(g);
    if (done < 0) {
        greeting_free(g);
    } else if (done > 0) {
        greeting_refused(g);
    } else {
        loop_timer_set(loop, &g->timer, loop_round(loop) + STALL_MS);
        g->watch = loop_watch(loop, g->fd, true, carry_on, g);
    }
}

/* The head, and what is behind it unless only the head was asked for. */
static struct buf *reply_new(const char *status, const char *type, size_t size,
                             const char *headers)
{
    struct buf *b = buf_new(HEAD_SIZE);
    char date[HTTP_DATE_SIZE];
    int n;

    http_date_now(date);
    n = snprintf(b->data, HEAD_SIZE,
                 "HTTP/1.1 %s\r\nDate: %s\r\nContent-Type: %s\r\n"
                 "Content-Length: %zu\r\nX-Content-Type-Options: nosniff\r\n"
                 "Connection: close\r\n%s\r\n",
                 status, date, type, size, headers);
    b->len = (size_t)n < HEAD_SIZE ? (size_t)n : HEAD_SIZE - 1;
    return b;
}

static void reply_with(struct greeting *g, struct buf *reply)
{
    g->reply = reply;
    carry_on(g);
}

static void answer(struct greeting *g, const char *status, const char *type,
                   const char *headers, struct slice body)
{
    struct buf *reply = reply_new(status, type, body.n, headers);

    if (!g->head_only)
        buf_append(&reply, body.p, body.n);
    reply_with(g, reply);
}

void http_answer(struct greeting *g, const char *status, const char *headers,
                 const char *text)
{
    answer(g, status, "text/plain; charset=utf-8", headers, slice_of(text));
}

/* ---- routes ------------------------------------------------------------------------ */

static void report(struct greeting *g)
{
    struct buf *text = g->listener->settings->report(g->listener->user);

    answer(g, "200 OK", "text/plain; version=0.0.4; charset=utf-8",
           "Cache-Control: no-store\r\n", slice_buf(text));
    buf_unref(text);
}

/* To where the folder's own links are right. */
static void redirect(struct greeting *g, struct slice target)
{
    char headers[HEAD_SIZE / 2];
    const char *query = memchr(target.p, '?', target.n);
    size_t n = query ? (size_t)(query - target.p) : target.n;

    if (n > sizeof headers - 20) {
        http_answer(g, "404 Not Found", "", "there is nothing here\n");
        return;
    }
    snprintf(headers, sizeof headers, "Location: %.*s/\r\n", (int)n, target.p);
    http_answer(g, "301 Moved Permanently", headers, "this is a folder\n");
}

static void send_found(struct greeting *g, const struct request *r, unsigned max_age,
                       const struct http_file *f)
{
    bool unchanged = http_file_unchanged(f, r->none_match, r->modified_since);
    char headers[256], age[32] = "no-cache";

    if (max_age)
        snprintf(age, sizeof age, "max-age=%u", max_age);
    snprintf(headers, sizeof headers,
             "Last-Modified: %s\r\nETag: %s\r\nCache-Control: %s\r\n", f->modified,
             f->tag, age);
    g->left = f->size;
    if (unchanged || g->head_only || !f->size)
        close(f->fd);
    else
        g->file = f->fd;
    reply_with(g, reply_new(unchanged ? "304 Not Modified" : "200 OK", f->type,
                            (size_t)f->size, headers));
}

/* `below`: what of the path is behind the route's. */
static void serve_file(struct greeting *g, const struct request *r,
                       const struct http_route *route, const char *below)
{
    struct http_file f;
    const char *index = route->index ? route->index : "index.html";

    switch (http_file_open(&f, route->directory, below, index)) {
    case HTTP_FOUND:
        send_found(g, r, route->max_age, &f);
        break;
    case HTTP_FOLDER:
        redirect(g, r->target);
        break;
    default:
        http_answer(g, "404 Not Found", "", "there is nothing here\n");
    }
}

/* A folder that a route leads to is found by its path without the "/", and told so. */
static void serve_files(struct greeting *g, const struct request *r,
                        const struct http_route *route, const char *path)
{
    const char *below = path + strlen(route->path);

    if (!*below && route->path[1])
        redirect(g, r->target);
    else
        serve_file(g, r, route, *below == '/' ? below + 1 : below);
}

static void say_websocket(struct greeting *g)
{
    const char *text = g->listener->settings->server_text;

    if (text)
        http_answer(g, "200 OK", "", text);
    else
        http_answer(g, "426 Upgrade Required", "Upgrade: websocket\r\n",
                    "a WAMP router answers here, by WebSocket\n\n"
                    "What you see is what a browser gets. A WAMP client connects to the "
                    "same URL\nwith ws:// in place of http://, or wss:// in place of "
                    "https://.\n");
}

void http_serve(struct greeting *g, const struct request *r)
{
    const struct net_settings *s = g->listener->settings;
    const struct http_route *route = NULL;
    char path[HTTP_PATH_SIZE];
    bool ok = http_path(r->target, path);

    if (ok)
        route = http_route_of(s->routes, s->route_count, path, false);
    if (!ok)
        http_answer(g, "400 Bad Request", "", "this path is not answered\n");
    else if (!route && s->route_count)
        http_answer(g, "404 Not Found", "", "there is nothing here\n");
    else if (!route || route->kind == HTTP_WEBSOCKET)
        say_websocket(g);
    else if (route->kind == HTTP_REPORT)
        report(g);
    else
        serve_files(g, r, route, path);
}
