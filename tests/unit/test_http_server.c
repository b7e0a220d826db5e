/* test_http_server.c - files, reports and WebSockets on one port, asked for by hand.
 *
 * Each request goes out as one piece and again byte by byte. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "net/http_file.h"
#include "raw.h"

void test_http_server(void);

#define LONG_FILE 1500000

static struct loop *loop;
static struct listener *listener;
static struct recorder server;
static struct raw raw;
static int home; /* where we came from */
static char folder[] = "/tmp/wampy-http-XXXXXX";

/* ---- a folder ---------------------------------------------------------------------- */

static void put_file(const char *name, const char *text, size_t n)
{
    int fd = openat(AT_FDCWD, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    CHECK(fd >= 0 && write(fd, text, n) == (ssize_t)n);
    close(fd);
}

static void make_folder(void)
{
    char *big = malloc(LONG_FILE);

    home = open(".", O_PATH | O_DIRECTORY);
    CHECK(home >= 0 && mkdtemp(folder) && chdir(folder) == 0);
    memset(big, 'x', LONG_FILE);
    CHECK(mkdir("www", 0700) == 0 && mkdir("www/sub", 0700) == 0);
    put_file("secret", "secret", 6);
    put_file("www/index.html", "<p>hello", 8);
    put_file("www/sub/index.html", "<p>sub", 6);
    put_file("www/a.js", "1", 1);
    put_file("www/empty.txt", "", 0);
    put_file("www/.hidden", "hidden", 6);
    put_file("www/big", big, LONG_FILE);
    CHECK(symlink("a.js", "www/inside.js") == 0);
    CHECK(symlink("../secret", "www/outside") == 0);
    CHECK(symlink("/etc/passwd", "www/absolute") == 0);
    CHECK(mkfifo("www/pipe", 0600) == 0);
    free(big);
}

static void remove_folder(void)
{
    static const char *const names[] = { "www/index.html", "www/sub/index.html",
                                         "www/a.js",       "www/empty.txt",
                                         "www/.hidden",    "www/big",
                                         "www/inside.js",  "www/outside",
                                         "www/absolute",   "www/pipe",
                                         "secret" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(names[i]);
    CHECK(rmdir("www/sub") == 0 && rmdir("www") == 0 && fchdir(home) == 0);
    CHECK(rmdir(folder) == 0);
    close(home);
}

/* ---- asking ------------------------------------------------------------------------ */

static struct buf *report(void *user)
{
    CHECK(user == &server);
    return buf_from("up 1\n", 5);
}

static void listen_with(struct net_options *o)
{
    struct url url;
    struct conn_end end;
    char error[200];

    CHECK(url_parse_listen(&url, "0", error, sizeof error));
    recorder_reset(&server);
    listener = listener_open(loop, &url, o, recorder_accept, &server, &end);
    CHECK(listener != NULL);
}

static void listen_with_routes(void)
{
    const struct http_route routes[] = {
        { .kind = HTTP_FILES, .path = "/", .directory = "www" },
        { .kind = HTTP_FILES,
          .path = "/also",
          .directory = "www",
          .index = "a.js",
          .max_age = 60 },
        { .kind = HTTP_FILES, .path = "/gone", .directory = "nowhere" },
        { .kind = HTTP_REPORT, .path = "/metrics" },
        { .kind = HTTP_WEBSOCKET, .path = "/ws" },
    };

    listen_with(
        &(struct net_options){ .routes = routes, .route_count = 5, .report = report });
}

/* The whole answer to a request of these lines. */
static const char *ask(const char *lines, bool slow)
{
    char request[2000];

    raw_connect(&raw, loop, listener_port(listener));
    raw.slow = slow;
    snprintf(request, sizeof request, "%s\r\nHost: x\r\n\r\n", lines);
    raw_text(&raw, request);
    CHECK(raw_wait_eof(&raw));
    raw.in[raw.n < sizeof raw.in ? raw.n : sizeof raw.in - 1] = '\0';
    raw_close(&raw);
    return (const char *)raw.in;
}

static bool has(const char *answer, const char *text)
{
    return strstr(answer, text) != NULL;
}

static bool ends(const char *answer, const char *text)
{
    const char *body = strstr(answer, "\r\n\r\n");

    return body && !strcmp(body + 4, text);
}

static const struct {
    const char *request, *status, *header, *body; /* body NULL: not looked at */
} cases[] = {
    { "GET / HTTP/1.1", "200", "Content-Type: text/html; charset=utf-8\r\n", "<p>hello" },
    { "GET /index.html?v=1 HTTP/1.1", "200", "Content-Length: 8\r\n", "<p>hello" },
    { "GET / HTTP/1.0", "200", "Connection: close\r\n", "<p>hello" },
    { "HEAD / HTTP/1.1", "200", "Content-Length: 8\r\n", "" },
    { "GET /a.js HTTP/1.1", "200", "X-Content-Type-Options: nosniff\r\n", "1" },
    { "GET /%61.js HTTP/1.1", "200", "text/javascript", "1" },
    { "GET /empty.txt HTTP/1.1", "200", "Content-Length: 0\r\n", "" },
    { "GET /inside.js HTTP/1.1", "200", "no-cache\r\n", "1" },
    { "GET /sub/ HTTP/1.1", "200", "text/html", "<p>sub" },
    { "GET /sub HTTP/1.1", "301", "Location: /sub/\r\n", NULL },
    { "GET /sub?q HTTP/1.1", "301", "Location: /sub/\r\n", NULL },
    { "GET /also HTTP/1.1", "301", "Location: /also/\r\n", NULL },
    { "GET /also/ HTTP/1.1", "200", "max-age=60\r\n", "1" },
    { "GET /also/index.html HTTP/1.1", "200", "", "<p>hello" },
    { "GET /alsonot HTTP/1.1", "404", "", NULL },
    { "GET /nothing HTTP/1.1", "404", "", NULL },
    { "HEAD /nothing HTTP/1.1", "404", "", "" },
    { "GET /gone/a HTTP/1.1", "404", "", NULL },
    { "GET /outside HTTP/1.1", "404", "", NULL },
    { "GET /absolute HTTP/1.1", "404", "", NULL },
    { "GET /pipe HTTP/1.1", "404", "", NULL },
    { "GET /a.js/ HTTP/1.1", "404", "", NULL },
    { "GET /../secret HTTP/1.1", "400", "", NULL },
    { "GET /%2e%2e/secret HTTP/1.1", "400", "", NULL },
    { "GET /.hidden HTTP/1.1", "400", "", NULL },
    { "GET /metrics HTTP/1.1", "200", "text/plain; version=0.0.4", "up 1\n" },
    { "HEAD /metrics HTTP/1.1", "200", "Content-Length: 5\r\n", "" },
    { "GET /ws HTTP/1.1", "426", "Upgrade: websocket\r\n", NULL },
    { "POST / HTTP/1.1", "405", "Allow: GET, HEAD\r\n", NULL },
    { "GET / HTTP/1.1\r\nIf-None-Match: *", "304", "ETag: \"", "" },
    { "GET / HTTP/1.1\r\nIf-None-Match: \"other\"", "200", "ETag: \"", "<p>hello" },
    { "GET / HTTP/1.1\r\nUpgrade: websocket", "404", "", NULL },
};

static void answers_by_the_routes(bool slow)
{
    char start[40];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *answer = ask(cases[i].request, slow);

        snprintf(start, sizeof start, "HTTP/1.1 %s ", cases[i].status);
        if (strncmp(answer, start, strlen(start)) != 0 || !has(answer, cases[i].header) ||
            (cases[i].body && !ends(answer, cases[i].body)))
            check_fail(__FILE__, __LINE__, cases[i].request);
    }
}

/* What it was told of a file makes the second answer short. */
static void knows_what_the_peer_has(void)
{
    struct http_file f;
    char request[300];

    CHECK_INT(http_file_open(&f, "www", "a.js", "index.html"), HTTP_FOUND);
    close(f.fd);
    snprintf(request, sizeof request, "GET /a.js HTTP/1.1\r\nIf-None-Match: \"x\", W/%s",
             f.tag);
    CHECK(has(ask(request, false), "HTTP/1.1 304 "));
    snprintf(request, sizeof request, "GET /a.js HTTP/1.1\r\nIf-Modified-Since: %s",
             f.modified);
    CHECK(has(ask(request, false), "HTTP/1.1 304 "));
    CHECK(
        has(ask("GET /a.js HTTP/1.1\r\nIf-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT",
                false),
            "HTTP/1.1 200 "));
}

/* Far more than the sockets hold, to one who reads late; others are answered
 * meanwhile. */
static void sends_a_long_file_to_a_slow_reader(void)
{
    struct raw *slow = calloc(1, sizeof *slow);
    size_t got = 0;

    raw_connect(slow, loop, listener_port(listener));
    raw_text(slow, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(raw_wait_text(slow, "\r\n\r\n"));
    CHECK(has(ask("GET /a.js HTTP/1.1", false), "HTTP/1.1 200 "));
    got =
        slow->n - ((size_t)(strstr((char *)slow->in, "\r\n\r\n") - (char *)slow->in) + 4);
    while (!slow->eof) {
        ssize_t n = recv(slow->fd, slow->in, sizeof slow->in, MSG_DONTWAIT);

        got += n > 0 ? (size_t)n : 0;
        slow->eof = n == 0;
        loop_run_once(loop, n > 0 ? 0 : 1);
    }
    CHECK_INT(got, LONG_FILE);
    raw_close(slow);
    free(slow);
}

/* Who goes away half way is forgotten. */
static void forgets_who_leaves(void)
{
    raw_connect(&raw, loop, listener_port(listener));
    raw_text(&raw, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(raw_wait_text(&raw, "\r\n\r\n"));
    raw_close(&raw);
    CHECK(has(ask("GET /a.js HTTP/1.1", false), "HTTP/1.1 200 "));
}

static void joins_by_websocket_beside(void)
{
    recorder_reset(&server);
    raw_connect(&raw, loop, listener_port(listener));
    raw_text(&raw,
             "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
             "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: wamp.2.json\r\n"
             "\r\n");
    CHECK(raw_wait_text(&raw, "HTTP/1.1 101 "));
    RUN_UNTIL(loop, server.opened);
    CHECK_INT(server.opened, 1);
    raw_close(&raw);
    RUN_UNTIL(loop, server.closed);
}

/* ---- options of the upgrade -------------------------------------------------------- */

#define UPGRADE                                                                  \
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

static void upgrades(const char *lines, const char *wanted)
{
    recorder_reset(&server);
    raw_connect(&raw, loop, listener_port(listener));
    raw_text(&raw, UPGRADE);
    raw_text(&raw, lines);
    raw_text(&raw, "\r\n");
    CHECK(raw_wait_text(&raw, "\r\n\r\n"));
    raw.in[raw.n] = '\0';
    if (!has((char *)raw.in, wanted))
        check_fail(__FILE__, __LINE__, lines);
    if (has((char *)raw.in, " 101 ")) {
        RUN_UNTIL(loop, server.opened);
        CHECK_STR(server.subprotocol, "wamp.2.json");
        CHECK(has(lines, "Protocol") == has((char *)raw.in, "Protocol: wamp"));
    }
    raw_close(&raw);
    RUN_UNTIL(loop, server.closed == server.opened);
}

static void judges_origins(void)
{
    static const char *const origins[] = { "https://*.good.example", NULL };

    listen_with(&(struct net_options){ .origins = origins });
    upgrades("Sec-WebSocket-Protocol: wamp.2.json\r\n", " 101 ");
    upgrades("Sec-WebSocket-Protocol: wamp.2.json\r\nOrigin: https://a.good.example\r\n",
             " 101 ");
    upgrades("Sec-WebSocket-Protocol: wamp.2.json\r\nOrigin: https://evil.example\r\n",
             "HTTP/1.1 403 ");
    upgrades("Sec-WebSocket-Protocol: wamp.2.json\r\nOrigin: null\r\n", "HTTP/1.1 403 ");
    upgrades("Sec-WebSocket-Protocol: wamp.2.json\r\nOrigin:\r\n", "HTTP/1.1 403 ");
    upgrades("Sec-WebSocket-Protocol: wamp.2.json\r\nOrigin: https://a.good.example\r\n"
             "Origin: https://evil.example\r\n",
             "HTTP/1.1 400 ");
    listener_close(listener);
}

static void takes_who_offers_nothing(void)
{
    listen_with(&(struct net_options){ .any_subprotocol = true });
    upgrades("", " 101 ");
    upgrades("Sec-WebSocket-Protocol: wamp.2.json\r\n", " 101 ");
    upgrades("Sec-WebSocket-Protocol: soap\r\n", "HTTP/1.1 400 ");
    listener_close(listener);
}

void test_http_server(void)
{
    loop = loop_new(LOOP_POLL);
    make_folder();
    listen_with_routes();
    TEST("requests are answered by the routes of a listener");
    answers_by_the_routes(false);
    answers_by_the_routes(true);
    TEST("who has a file is told so");
    knows_what_the_peer_has();
    TEST("a long file goes out as it is taken, and nobody waits for it");
    sends_a_long_file_to_a_slow_reader();
    forgets_who_leaves();
    TEST("a WebSocket is beside the files");
    joins_by_websocket_beside();
    listener_close(listener);
    TEST("pages of foreign origins are turned away");
    judges_origins();
    TEST("who offers no subprotocol is taken where that is allowed");
    takes_who_offers_nothing();
    remove_folder();
    loop_free(loop);
}
