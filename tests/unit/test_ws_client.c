/* test_ws_client.c - a WebSocket client against hand-made servers: RFC 6455 case by
 * case, and every way in which there is no connection, each with its error and its
 * words. */
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "raw.h"

void test_ws_client(void);

static struct loop *loop;
static int listener, port;
static struct recorder client;
static struct raw raw;

static void connect_to(const char *text, const struct net_options *o)
{
    struct url url;
    char error[300];

    recorder_reset(&client);
    CHECK(url_parse(&url, text, error, sizeof error));
    client.conn = ws_connect(loop, &url, o, &recorder_handler, &client);
    CHECK(client.conn && !client.closed && !client.opened);
}

static void connect_here(const struct net_options *o)
{
    char text[60];

    snprintf(text, sizeof text, "ws://127.0.0.1:%d/ws", port);
    connect_to(text, o);
}

/* A connection that is up, our side being the server. */
static void join(bool slow)
{
    connect_here(NULL);
    raw_accept(&raw, loop, listener);
    raw.slow = slow;
    CHECK(raw_answer(&raw, "wamp.2.json"));
    RUN_UNTIL(loop, client.opened);
    CHECK_INT(client.opened, 1);
}

static void leave(void)
{
    raw_close(&raw);
    RUN_UNTIL(loop, client.closed);
    CHECK_INT(client.closed, 1);
}

static void expect_end(enum conn_error error, const char *words)
{
    RUN_UNTIL(loop, client.closed);
    CHECK_INT(client.closed, 1);
    CHECK_INT(client.end.error, error);
    if (!strstr(client.end.text, words))
        check_fail(__FILE__, __LINE__, client.end.text);
}

/* ---- the request ------------------------------------------------------------------- */

static void asks_properly(void)
{
    static const char *const headers[] = { "X-Test: yes", "Cookie: a=b", NULL };
    static const char *const both[] = { "wamp.2.msgpack", "wamp.2.json", NULL };
    struct net_options o = { .headers = headers, .subprotocols = both };
    char host[60];

    connect_here(&o);
    raw_accept(&raw, loop, listener);
    CHECK(raw_wait_text(&raw, "\r\n\r\n"));
    snprintf(host, sizeof host, "\r\nHost: 127.0.0.1:%d\r\n", port);
    CHECK(!strncmp((char *)raw.in, "GET /ws HTTP/1.1\r\n", 18));
    CHECK(strstr((char *)raw.in, host) != NULL);
    CHECK(strstr((char *)raw.in, "\r\nUpgrade: websocket\r\n") != NULL);
    CHECK(strstr((char *)raw.in, "\r\nConnection: Upgrade\r\n") != NULL);
    CHECK(strstr((char *)raw.in, "\r\nSec-WebSocket-Version: 13\r\n") != NULL);
    CHECK(strstr((char *)raw.in, "\r\nX-Test: yes\r\nCookie: a=b\r\n") != NULL);
    CHECK(strstr((char *)raw.in,
                 "\r\nSec-WebSocket-Protocol: wamp.2.msgpack,wamp.2.json\r\n"));
    CHECK(!strstr((char *)raw.in, "Origin"));
    CHECK(!strstr((char *)raw.in, "Extensions"));
    CHECK(raw_answer(&raw, "wamp.2.msgpack"));
    RUN_UNTIL(loop, client.opened);
    CHECK_STR(client.subprotocol, "wamp.2.msgpack");
    conn_send(client.conn, buf_from("\x91\x01", 2));
    CHECK_INT(raw_next(&raw, host, sizeof host), 0x82);
    leave();
}

/* ---- the answer -------------------------------------------------------------------- */

#define SWITCH "HTTP/1.1 101 Switching Protocols\r\n"
#define UP "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define ACCEPT "Sec-WebSocket-Accept: %s\r\n" /* gets the right key */
#define JSON "Sec-WebSocket-Protocol: wamp.2.json\r\n"

static const struct {
    const char *answer; /* NULL: hang up without one */
    enum conn_error error;
    int code;
    const char *words;
} answers[] = {
    { SWITCH UP ACCEPT JSON, CONN_OK, 0, "" },
    { SWITCH "UPGRADE: WebSocket\r\nconnection:upgrade\r\n" ACCEPT JSON, CONN_OK, 0, "" },
    { "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n", CONN_HTTP_STATUS, 404,
      "HTTP 404 to the WebSocket upgrade; is the path right?" },
    { "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n", CONN_HTTP_STATUS, 404,
      "HTTP 404" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", CONN_HTTP_STATUS, 200, "HTTP 200" },
    { "HTTP/1.0 503 Unavailable\r\n", CONN_HTTP_STATUS, 503, "HTTP 503" },
    { "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n",
      CONN_HTTP_STATUS, 401, "HTTP 401" },
    { "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n",
      CONN_HTTP_STATUS, 302, "HTTP 302" },
    { SWITCH UP JSON, CONN_PROTOCOL, 0, "no Sec-WebSocket-Accept" },
    { SWITCH UP "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" JSON,
      CONN_PROTOCOL, 0, "wrong Sec-WebSocket-Accept" },
    { SWITCH UP ACCEPT, CONN_SUBPROTOCOL, 0, "chose no subprotocol" },
    { SWITCH UP ACCEPT "Sec-WebSocket-Protocol: wamp.2.msgpack\r\n", CONN_SUBPROTOCOL, 0,
      "not offered" },
    { SWITCH UP ACCEPT "Sec-WebSocket-Protocol: wamp.2.jso\r\n", CONN_SUBPROTOCOL, 0,
      "not offered" },
    { SWITCH "Connection: Upgrade\r\n" ACCEPT JSON, CONN_PROTOCOL, 0, "broken" },
    { SWITCH "Upgrade: h2c\r\nConnection: Upgrade\r\n" ACCEPT JSON, CONN_PROTOCOL, 0,
      "broken" },
    { SWITCH "Upgrade: websocket\r\n" ACCEPT JSON, CONN_PROTOCOL, 0, "broken" },
    { SWITCH UP ACCEPT JSON "Sec-WebSocket-Extensions: permessage-deflate\r\n",
      CONN_PROTOCOL, 0, "extension" },
    /* lws reads on through what is no HTTP: it ends when the peer hangs up, or in time */
    { "nonsense\r\n", CONN_LOST, 0,
      "closed the connection during the WebSocket handshake" },
    { "\x7f\xf1\x01\x02\r\n", CONN_LOST, 0, "during the WebSocket handshake" },
    { NULL, CONN_LOST, 0, "closed the connection during the WebSocket handshake" },
};

static void judges_answers(bool slow)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        char text[600], key[40];

        connect_here(NULL);
        raw_accept(&raw, loop, listener);
        raw.slow = slow;
        CHECK(raw_wait_text(&raw, "\r\n\r\n"));
        raw_accept_key(&raw, key);
        if (answers[i].answer) {
            snprintf(text, sizeof text - 2, answers[i].answer, key);
            strcat(text, "\r\n");
            raw_text(&raw, text);
        }
        if (answers[i].error != CONN_LOST)
            RUN_UNTIL(loop, client.opened || client.closed);
        if (answers[i].error == CONN_OK)
            CHECK_INT(client.opened, 1);
        raw_close(&raw);
        RUN_UNTIL(loop, client.closed);
        CHECK_INT(client.closed, 1);
        if (answers[i].error != CONN_OK &&
            (client.end.error != answers[i].error || client.end.code != answers[i].code ||
             client.opened || !strstr(client.end.text, answers[i].words)))
            check_fail(answers[i].answer ? answers[i].answer : "hang up",
                       (int)client.end.error, client.end.text);
        CHECK(strstr(client.end.text, "ws://127.0.0.1:") != NULL);
    }
}

static void cuts_off_in_the_answer(void)
{
    connect_here(NULL);
    raw_accept(&raw, loop, listener);
    CHECK(raw_wait_text(&raw, "\r\n\r\n"));
    raw_text(&raw, "HTTP/1.1 101 Swi");
    raw_close(&raw);
    expect_end(CONN_LOST, "during the WebSocket handshake");
}

/* Frames in the same segment as the answer. */
static void takes_frames_behind_the_answer(void)
{
    char text[600], key[40];

    connect_here(NULL);
    raw_accept(&raw, loop, listener);
    CHECK(raw_wait_text(&raw, "\r\n\r\n"));
    raw_accept_key(&raw, key);
    snprintf(text, sizeof text, SWITCH UP ACCEPT JSON "\r\n\x81\x03[1]\x81\x03[2]", key);
    raw_text(&raw, text);
    RUN_UNTIL(loop, client.messages == 2);
    CHECK_INT(client.messages, 2);
    CHECK_STR(client.text, "[2]");
    leave();
}

static void times_out(void)
{
    static struct raw second;
    struct net_options o = { .connect_timeout = 150 };
    char text[300], key[40];
    uint64_t start = loop_now();

    connect_here(&o); /* accepted by the kernel, and then nothing */
    raw_accept(&raw, loop, listener);
    expect_end(CONN_TIMEOUT, "did not answer within 0.15 s");
    CHECK(loop_now() - start >= 140);
    connect_here(&o); /* half an answer */
    raw_accept(&second, loop, listener);
    CHECK(raw_wait_text(&second, "\r\n\r\n"));
    raw_accept_key(&second, key);
    snprintf(text, sizeof text, SWITCH UP "Sec-WebSocket-Acc");
    raw_text(&second, text);
    expect_end(CONN_TIMEOUT, "did not answer within 0.15 s");
    raw_close(&raw);
    raw_close(&second);
}

/* ---- no connection ----------------------------------------------------------------- */

static void says_why_there_is_none(void)
{
    char text[300], dir[] = "/tmp/ws-test-XXXXXX";
    int spare, closed = raw_listen(&spare);

    close(closed);
    snprintf(text, sizeof text, "ws://127.0.0.1:%d/", spare);
    connect_to(text, NULL);
    expect_end(CONN_REFUSED, "connection refused");
    CHECK(strstr(client.end.text, text) != NULL);
    snprintf(text, sizeof text, "ws://localhost:%d/", spare);
    connect_to(text, NULL);
    expect_end(CONN_REFUSED, "connection refused");
    snprintf(text, sizeof text, "ws://[::1]:%d/", spare);
    connect_to(text, NULL);
    expect_end(CONN_REFUSED, "connection refused");
    connect_to("ws://no-such-host.invalid/", NULL);
    expect_end(CONN_UNKNOWN_HOST, "unknown host no-such-host.invalid");
    connect_to("ws+unix:///nonexistent/socket", NULL);
    expect_end(CONN_REFUSED, "there is no such socket");
    CHECK(mkdtemp(dir) != NULL);
    snprintf(text, sizeof text, "ws+unix://%s", dir);
    connect_to(text, NULL);
    RUN_UNTIL(loop, client.closed);
    CHECK_INT(client.closed, 1);
    rmdir(dir);
    snprintf(text, sizeof text, "wss://127.0.0.1:%d/", spare);
    connect_to(text, NULL);
    expect_end(CONN_REFUSED, "connection refused");
}

static void closes_before_it_is_up(void)
{
    connect_here(NULL);
    conn_send(client.conn, buf_from("[1]", 3));
    conn_close(client.conn, 1000, NULL);
    CHECK_INT(client.closed, 0);
    expect_end(CONN_OK, "closed");
    CHECK_INT(client.opened, 0);
    raw_accept(&raw, loop, listener);
    CHECK(raw_wait_eof(&raw));
    raw_close(&raw);
}

/* ---- frames ------------------------------------------------------------------------ */

static void takes_every_length(bool slow)
{
    static const size_t lengths[] = { 0,     1,     125,   126,   127,
                                      32767, 32768, 65535, 65536, 200000 };
    static char payload[200000];

    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (char)('a' + i % 26);
    join(slow);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        raw_frame(&raw, 0x81, payload, lengths[i], false);
        RUN_UNTIL(loop, client.messages == (int)i + 1);
        CHECK_INT(client.messages, i + 1);
        CHECK_INT(client.length, lengths[i]);
        CHECK(client.last && !memcmp(client.last->data, payload, lengths[i]));
    }
    leave();
    CHECK_INT(client.end.error, CONN_LOST);
}

static void sends_masked(void)
{
    static const size_t lengths[] = { 0, 1, 125, 126, 127, 32767, 32768, 65535, 65536 };
    static const size_t heads[] = { 6, 6, 6, 8, 8, 8, 8, 8, 14 };
    struct buf *m = buf_new(65536);

    memset(m->data, 'x', 65536);
    join(false);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t n = lengths[i], head = heads[i], bad = 0;

        m->len = n;
        conn_send(client.conn, buf_ref(m));
        CHECK(raw_wait(&raw, head + n));
        CHECK_INT(raw.in[0], 0x81);
        CHECK(raw.in[1] & 0x80);
        for (size_t k = 0; k < n; k++)
            bad += (raw.in[head + k] ^ raw.in[head - 4 + (k & 3)]) != 'x';
        CHECK_INT(bad, 0);
        raw_take(&raw, head + n);
        RUN_UNTIL(loop, client.conn->queued == 0);
    }
    CHECK(m->refs == 1 && m->data[0] == 'x' &&
          m->data[65535] == 'x'); /* others' copy is whole */
    buf_unref(m);
    leave();
}

static void joins_fragments(bool slow)
{
    char pong[130];

    join(slow);
    raw_frame(&raw, 0x01, "[\"\xc3", 3, false);
    raw_frame(&raw, 0x89, "ping", 4, false);
    raw_frame(&raw, 0x00, "", 0, false);
    raw_frame(&raw, 0x8a, "", 0, false);
    CHECK_INT(raw_next(&raw, pong, sizeof pong), 0x8a);
    CHECK_STR(pong, "ping");
    raw_frame(&raw, 0x80, "\xb6\"]", 3, false);
    RUN_UNTIL(loop, client.messages);
    CHECK_INT(client.messages, 1);
    CHECK(!strcmp(client.text, "[\"\xc3\xb6\"]"));
    raw_frame(&raw, 0x01, "", 0, false);
    raw_frame(&raw, 0x80, "", 0, false);
    RUN_UNTIL(loop, client.messages == 2);
    CHECK_INT(client.length, 0);
    leave();
}

#define BYTES(s) s, sizeof(s) - 1

static const struct {
    const char *name, *bytes;
    size_t n;
    int code; /* of our close frame; 0: any or none */
    enum conn_error error;
} violations[] = {
    { "RSV1", BYTES("\xc1\x00"), 0, CONN_PROTOCOL },
    { "RSV2", BYTES("\xa1\x00"), 0, CONN_PROTOCOL },
    { "RSV3", BYTES("\x91\x00"), 0, CONN_PROTOCOL },
    { "opcode 3", BYTES("\x83\x00"), 0, CONN_PROTOCOL },
    { "opcode 4", BYTES("\x84\x00"), 0, CONN_PROTOCOL },
    { "opcode 5", BYTES("\x85\x00"), 0, CONN_PROTOCOL },
    { "opcode 6", BYTES("\x86\x00"), 0, CONN_PROTOCOL },
    { "opcode 7", BYTES("\x87\x00"), 0, CONN_PROTOCOL },
    { "opcode 11", BYTES("\x8b\x00"), 0, CONN_PROTOCOL },
    { "opcode 12", BYTES("\x8c\x00"), 0, CONN_PROTOCOL },
    { "opcode 13", BYTES("\x8d\x00"), 0, CONN_PROTOCOL },
    { "opcode 14", BYTES("\x8e\x00"), 0, CONN_PROTOCOL },
    { "opcode 15", BYTES("\x8f\x00"), 0, CONN_PROTOCOL },
    { "a continuation of nothing", BYTES("\x80\x00"), 0, CONN_PROTOCOL },
    { "a text inside a text", BYTES("\x01\x01[\x81\x01]"), 0, CONN_PROTOCOL },
    { "a fragmented ping", BYTES("\x09\x00"), 0, CONN_PROTOCOL },
    { "a ping of 126 bytes", BYTES("\x89\x7e\x00\x7e"), 0, CONN_PROTOCOL },
    { "a length with bit 63", BYTES("\x81\x7f\x80\0\0\0\0\0\0\1"), 0, CONN_PROTOCOL },
    { "a binary frame for JSON", BYTES("\x82\x01x"), 1003, CONN_PROTOCOL },
    { "a close of 1 byte", BYTES("\x88\x01\x03"), 1002, CONN_PROTOCOL },
};

static void expect_violation(size_t i, bool slow)
{
    char payload[130];
    int first;

    join(slow);
    raw_send(&raw, violations[i].bytes, violations[i].n);
    first = raw_next(&raw, payload, sizeof payload);
    if (violations[i].code &&
        (first != 0x88 || ((unsigned char)payload[0] << 8 | (unsigned char)payload[1]) !=
                              violations[i].code))
        check_fail(violations[i].name, first, "no close frame with this code");
    raw_close(&raw);
    RUN_UNTIL(loop, client.closed);
    if (client.closed != 1 || client.end.error != violations[i].error || client.messages)
        check_fail(violations[i].name, (int)client.end.error, client.end.text);
}

/* lws shows a client nothing of a frame before 64 KiB of it are there. */
static void limits_messages(void)
{
    static char payload[70000];
    struct net_options o = { .max_message = 100000 };
    char close[130];

    connect_here(&o);
    raw_accept(&raw, loop, listener);
    CHECK(raw_answer(&raw, "wamp.2.json"));
    RUN_UNTIL(loop, client.opened);
    raw_frame(&raw, 0x01, payload, sizeof payload, false);
    raw_frame(&raw, 0x80, payload, 40000, false);
    CHECK_INT(raw_next(&raw, close, sizeof close), 0x88);
    CHECK(!memcmp(close, "\x03\xf1", 2));
    raw_close(&raw);
    expect_end(CONN_TOO_LARGE, "over the limit");
    CHECK_INT(client.messages, 0);
}

/* ---- ends -------------------------------------------------------------------------- */

static void takes_close_frames(bool slow)
{
    char payload[130];

    join(slow);
    raw_frame(&raw, 0x88, "\x03\xe9shutting\ndown", 15, false);
    CHECK_INT(raw_next(&raw, payload, sizeof payload), 0x88);
    CHECK(!memcmp(payload, "\x03\xe9shutting", 10));
    raw_close(&raw);
    expect_end(CONN_CLOSED, "closed by the peer: 1001 shutting?down");
    CHECK_INT(client.end.code, 1001);
    join(slow);
    raw_frame(&raw, 0x88, "", 0, false);
    CHECK_INT(raw_next(&raw, payload, sizeof payload), 0x88);
    raw_close(&raw);
    expect_end(CONN_CLOSED, "without a code");
    CHECK_INT(client.end.code, 1005);
    join(slow);
    raw_frame(&raw, 0x88, "\x13\x88", 2, false);
    CHECK_INT(raw_next(&raw, payload, sizeof payload), 0x88);
    CHECK(!memcmp(payload, "\x03\xea", 2));
    raw_close(&raw);
    expect_end(CONN_PROTOCOL, "invalid code");
}

static void closes_when_told(void)
{
    char payload[130];

    join(false);
    conn_send(client.conn, buf_from("[9]", 3));
    conn_close(client.conn, 1000, "wamp.close.normal");
    CHECK_INT(raw_next(&raw, payload, sizeof payload), 0x81);
    CHECK_INT(raw_next(&raw, payload, sizeof payload), 0x88);
    CHECK(!memcmp(payload, "\x03\xe8wamp.close.normal", 20));
    raw_frame(&raw, 0x88, "\x03\xe8", 2, false);
    CHECK(raw_wait_eof(&raw));
    raw_close(&raw);
    expect_end(CONN_OK, "closed");
}

static void knows_a_broken_link(void)
{
    join(false);
    raw_send(&raw,
             "\x81\x0a"
             "abc",
             5);
    raw_close(&raw);
    expect_end(CONN_TRUNCATED, "in the middle of a message");
    CHECK_INT(client.end.code, 7);
    join(false);
    raw_close(&raw);
    expect_end(CONN_LOST, "lost");
}

static void pings(void)
{
    struct net_options o = { .ping_interval = 30, .ping_timeout = 200 };
    char payload[130];

    connect_here(&o);
    raw_accept(&raw, loop, listener);
    CHECK(raw_answer(&raw, "wamp.2.json"));
    for (int i = 0; i < 3; i++) {
        CHECK_INT(raw_next(&raw, payload, sizeof payload), 0x89);
        raw_frame(&raw, 0x8a, payload, strlen(payload), false);
    }
    CHECK_INT(raw_next(&raw, payload, sizeof payload), 0x89);
    expect_end(CONN_TIMEOUT, "no answer to a ping");
    raw_close(&raw);
}

/* ---- both ends ours ---------------------------------------------------------------- */

static void meet(const char *listen, const char *dial)
{
    static struct recorder server = { .echo = true };
    struct url url;
    struct conn_end end;
    struct listener *ln;
    char text[300], error[300];

    recorder_reset(&server);
    CHECK(url_parse_listen(&url, listen, error, sizeof error));
    ln = listener_open(loop, &url, NULL, recorder_accept, &server, &end);
    CHECK(ln != NULL);
    if (!ln)
        return;
    snprintf(text, sizeof text, dial, listener_port(ln));
    connect_to(text, NULL);
    RUN_UNTIL(loop, client.opened || client.closed);
    CHECK_INT(client.opened, 1);
    for (int i = 0; client.conn && i < 100; i++)
        conn_send(client.conn, buf_from("[\"hello\"]", 9));
    RUN_UNTIL(loop, client.messages == 100 || client.closed);
    CHECK_INT(client.messages, 100);
    if (client.conn)
        conn_close(client.conn, 1000, "bye");
    RUN_UNTIL(loop, client.closed && server.closed);
    CHECK_INT(client.end.error, CONN_OK);
    CHECK_INT(server.end.error, CONN_CLOSED);
    CHECK_INT(server.end.code, 1000);
    listener_close(ln);
    recorder_reset(&server);
}

static bool localhost_has_ipv6(void)
{
    struct addrinfo hints = { .ai_family = AF_INET6, .ai_socktype = SOCK_STREAM }, *found;
    bool has =
        getaddrinfo("localhost", "80", &hints, &found) == 0 &&
        IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)(void *)found->ai_addr)->sin6_addr);

    if (has)
        freeaddrinfo(found);
    return has;
}

static void meets_over_a_unix_socket(void)
{
    char dir[] = "/tmp/ws-test-XXXXXX", path[60], url[80];
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct stat st;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/sock", dir);
    snprintf(url, sizeof url, "ws+unix://%s", path);
    meet(url, url);
    CHECK(stat(path, &st) < 0); /* the listener has taken it away */
    strcpy(address.sun_path, path);
    CHECK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    close(fd); /* a stale one is in the way */
    meet(url, url);
    rmdir(dir);
}

static void keeps_a_unix_socket_private(void)
{
    static struct recorder server;
    char dir[] = "/tmp/ws-test-XXXXXX", text[80], error[200];
    struct url url;
    struct conn_end end;
    struct listener *ln;
    struct stat st;

    CHECK(mkdtemp(dir) != NULL);
    snprintf(text, sizeof text, "ws+unix://%s/sock", dir);
    CHECK(url_parse_listen(&url, text, error, sizeof error));
    ln = listener_open(loop, &url, NULL, recorder_accept, &server, &end);
    CHECK(ln && stat(url.path, &st) == 0);
    CHECK_INT(st.st_mode & 0777, 0600);
    CHECK(!listener_open(loop, &url, NULL, recorder_accept, &server, &end));
    CHECK(strstr(end.text, "already in use") != NULL);
    CHECK(stat(url.path, &st) == 0);
    listener_close(ln);
    snprintf(text, sizeof text, "%s/sock", dir);
    CHECK(fclose(fopen(text, "w")) == 0); /* no socket: not ours to remove */
    CHECK(!listener_open(loop, &url, NULL, recorder_accept, &server, &end));
    CHECK(unlink(text) == 0);
    rmdir(dir);
}

static void whole_client(enum loop_backend backend)
{
    loop = loop_new(backend);
    listener = raw_listen(&port);
    for (int slow = 0; slow < 2; slow++) {
        TEST("a client judges the answer to its upgrade");
        judges_answers(slow);
        TEST("a client takes messages of every length");
        takes_every_length(slow);
        TEST("a client joins fragments, with control frames between");
        joins_fragments(slow);
        TEST("a client closes on what breaks the protocol");
        for (size_t i = 0; i < sizeof violations / sizeof *violations; i++)
            expect_violation(i, slow);
        TEST("a client takes and answers close frames");
        takes_close_frames(slow);
    }
    TEST("a client asks properly");
    asks_properly();
    TEST("a client is cut off in the answer");
    cuts_off_in_the_answer();
    TEST("a client takes frames that come with the answer");
    takes_frames_behind_the_answer();
    TEST("a client gives up in time");
    times_out();
    TEST("a client says why there is no connection");
    says_why_there_is_none();
    TEST("a client may be closed before it is up");
    closes_before_it_is_up();
    TEST("a client masks, and leaves shared bytes alone");
    sends_masked();
    TEST("a client limits messages");
    limits_messages();
    TEST("a client closes behind what is queued");
    closes_when_told();
    TEST("a client knows a broken link, and half a message");
    knows_a_broken_link();
    TEST("a client pings, and gives up without a pong");
    pings();
    TEST("client and server meet on IPv4, IPv6, localhost and unix sockets");
    meet("0", "ws://127.0.0.1:%d/");
    meet("0", "ws://localhost:%d/");
    meet("[::1]:0", "ws://[::1]:%d/");
    if (localhost_has_ipv6())
        meet("[::1]:0", "ws://localhost:%d/");
    meet("localhost:0", "ws://localhost:%d/");
    meets_over_a_unix_socket();
    TEST("a unix socket is private, and only a dead one is replaced");
    keeps_a_unix_socket_private();
    recorder_reset(&client);
    close(listener);
    loop_free(loop);
}

void test_ws_client(void)
{
    whole_client(LOOP_EV);
    whole_client(LOOP_POLL);
}
