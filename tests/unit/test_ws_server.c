/* test_ws_server.c - a WebSocket server against hand-made clients: RFC 6455 case by case.
 *
 * Each case runs as one piece and again byte by byte, so that nothing depends on how
 * the bytes are cut. What is expected of a violation is the end that our handler is
 * told, and that the socket is closed; a close frame with its code may come first. */
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "raw.h"

void test_ws_server(void);

static struct loop *loop;
static struct listener *listener;
static struct recorder server;
static struct raw raw;

static const char *const subprotocols[] = { "wamp.2.json", "wamp.2.msgpack", NULL };

static void listen_with(struct net_options *o)
{
    struct url url;
    struct conn_end end;
    char error[200];

    o->subprotocols = o->subprotocols ? o->subprotocols : subprotocols;
    CHECK(url_parse_listen(&url, "0", error, sizeof error));
    recorder_reset(&server);
    listener = listener_open(loop, &url, o, recorder_accept, &server, &end);
    CHECK(listener != NULL);
}

static void dial(bool slow)
{
    raw_connect(&raw, loop, listener_port(listener));
    raw.slow = slow;
}

/* An upgraded client, and a server conn that is up. */
static void join(bool slow)
{
    recorder_reset(&server);
    dial(slow);
    raw_upgrade(&raw, "wamp.2.json");
    CHECK_INT(server.opened, 1);
}

static void leave(void)
{
    raw_close(&raw);
    RUN_UNTIL(loop, server.closed);
    CHECK_INT(server.closed, 1);
}

/* ---- frames that are fine ---------------------------------------------------------- */

static void takes_every_length(bool slow)
{
    static const size_t lengths[] = { 0,    1,     125,   126,   127,
                                      1000, 32767, 32768, 65535, 65536 };
    static char payload[65536];

    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (char)('a' + i % 26);
    join(slow);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        raw_frame(&raw, 0x81, payload, lengths[i], true);
        RUN_UNTIL(loop, server.messages == (int)i + 1);
        CHECK_INT(server.messages, i + 1);
        CHECK_INT(server.length, lengths[i]);
        CHECK(server.last && !memcmp(server.last->data, payload, lengths[i]));
    }
    leave();
    CHECK_INT(server.end.error, CONN_LOST);
}

static void sends_every_length(void)
{
    static const size_t lengths[] = { 0, 1, 125, 126, 127, 32767, 32768, 65535, 65536 };
    static const size_t heads[] = { 2, 2, 2, 4, 4, 4, 4, 4, 10 };

    join(false);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t n = lengths[i], head = heads[i], told = 0;
        struct buf *m = buf_new(n);

        m->len = n;
        memset(m->data, 'x', n);
        conn_send(server.conn, m);
        CHECK(raw_wait(&raw, head + n));
        CHECK_INT(raw.in[0], 0x81);
        if (head == 2)
            told = raw.in[1];
        for (size_t k = 2; k < head; k++)
            told = told << 8 | raw.in[k];
        CHECK_INT(told, n);
        CHECK(n == 0 || (raw.in[head] == 'x' && raw.in[head + n - 1] == 'x'));
        raw_take(&raw, head + n);
    }
    CHECK_INT(server.conn->queued, 0);
    leave();
}

/* Fragments with control frames between them, cut inside a UTF-8 sequence. */
static void joins_fragments(bool slow)
{
    char pong[130];

    join(slow);
    raw_frame(&raw, 0x01, "[\"\xc3", 3, true);
    raw_frame(&raw, 0x89, "are you there", 13, true);
    raw_frame(&raw, 0x00, "", 0, true);
    raw_frame(&raw, 0x8a, "unasked", 7, true);
    raw_frame(&raw, 0x00, "\xb6\xe2\x82", 3, true);
    CHECK_INT(raw_next(&raw, pong, sizeof pong), 0x8a);
    CHECK_STR(pong, "are you there");
    CHECK_INT(server.messages, 0);
    raw_frame(&raw, 0x80, "\xac\"]", 3, true);
    RUN_UNTIL(loop, server.messages);
    CHECK_INT(server.messages, 1);
    CHECK(!strcmp(server.text, "[\"\xc3\xb6\xe2\x82\xac\"]"));
    raw_frame(&raw, 0x01, "", 0, true);
    raw_frame(&raw, 0x80, "", 0, true);
    RUN_UNTIL(loop, server.messages == 2);
    CHECK_INT(server.length, 0);
    raw_frame(&raw, 0x81, "[2]", 3, true);
    RUN_UNTIL(loop, server.messages == 3);
    CHECK_STR(server.text, "[2]");
    leave();
}

static void answers_pings(bool slow)
{
    char pong[130], payload[125];

    memset(payload, 'p', sizeof payload);
    join(slow);
    raw_frame(&raw, 0x89, "", 0, true);
    CHECK_INT(raw_next(&raw, pong, sizeof pong), 0x8a);
    CHECK_STR(pong, "");
    raw_frame(&raw, 0x89, payload, sizeof payload, true);
    CHECK_INT(raw_next(&raw, pong, sizeof pong), 0x8a);
    CHECK_INT(strlen(pong), 125);
    leave();
}

/* The upgrade and the first frames in one segment. */
static void takes_frames_behind_the_request(void)
{
    recorder_reset(&server);
    dial(false);
    raw_text(&raw,
             "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: wamp.2.json\r\n\r\n"
             "\x81\x83\x01\x02\x03\x04\x5a\x33\x5e" /* "[1]", masked */);
    RUN_UNTIL(loop, server.messages);
    CHECK_STR(server.text, "[1]");
    leave();
    recorder_reset(&server);
    dial(false);
    raw_text(&raw,
             "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: wamp.2.json\r\n\r\n"
             "\x81\x03[1]" /* not masked */);
    CHECK(raw_wait_text(&raw, "\x88\x18\x03\xea"
                              "a frame without a mask"));
    raw_close(&raw);
    RUN_UNTIL(loop, server.closed);
    CHECK_INT(server.end.error, CONN_PROTOCOL);
    CHECK_INT(server.messages, 0);
}

/* ---- frames that are not ----------------------------------------------------------- */

struct violation {
    const char *name;
    const char *bytes;
    size_t n;
    int code; /* the close code that we send, 0: any or none */
    enum conn_error error;
};

#define BYTES(s) s, sizeof(s) - 1
#define MASK "\x01\x02\x03\x04"

static const struct violation violations[] = {
    { "RSV1", BYTES("\xc1\x80" MASK), 1002, CONN_PROTOCOL },
    { "RSV2", BYTES("\xa1\x80" MASK), 1002, CONN_PROTOCOL },
    { "RSV3", BYTES("\x91\x80" MASK), 1002, CONN_PROTOCOL },
    { "RSV1 on a ping", BYTES("\xc9\x80" MASK), 1002, CONN_PROTOCOL },
    { "opcode 3", BYTES("\x83\x80" MASK), 1002, CONN_PROTOCOL },
    { "opcode 4", BYTES("\x84\x80" MASK), 1002, CONN_PROTOCOL },
    { "opcode 5", BYTES("\x85\x80" MASK), 1002, CONN_PROTOCOL },
    { "opcode 6", BYTES("\x86\x80" MASK), 1002, CONN_PROTOCOL },
    { "opcode 7", BYTES("\x87\x80" MASK), 1002, CONN_PROTOCOL },
    { "opcode 11", BYTES("\x8b\x80" MASK), 1002, CONN_PROTOCOL },
    { "opcode 12", BYTES("\x8c\x80" MASK), 1002, CONN_PROTOCOL },
    { "opcode 13", BYTES("\x8d\x80" MASK), 1002, CONN_PROTOCOL },
    { "opcode 14", BYTES("\x8e\x80" MASK), 1002, CONN_PROTOCOL },
    { "opcode 15", BYTES("\x8f\x80" MASK), 1002, CONN_PROTOCOL },
    { "a continuation of nothing", BYTES("\x80\x80" MASK), 1002, CONN_PROTOCOL },
    { "a text inside a text", BYTES("\x01\x80" MASK "\x81\x80" MASK), 1002,
      CONN_PROTOCOL },
    { "a binary inside a text", BYTES("\x01\x80" MASK "\x82\x80" MASK), 1002,
      CONN_PROTOCOL },
    { "a fragmented ping", BYTES("\x09\x80" MASK), 1002, CONN_PROTOCOL },
    { "a fragmented close", BYTES("\x08\x80" MASK), 1002, CONN_PROTOCOL },
    { "a ping of 126 bytes", BYTES("\x89\xfe\x00\x7e" MASK), 0, CONN_PROTOCOL },
    { "a close of 2^16 bytes",
      BYTES("\x88\xff"
            "\0\0\0\0\0\1\0\0" MASK),
      0, CONN_PROTOCOL },
    { "length bit 63", BYTES("\x81\xff\x80\0\0\0\0\0\0\1" MASK), 0, CONN_PROTOCOL },
    { "a binary frame for JSON", BYTES("\x82\x81" MASK "\x5a"), 1003, CONN_PROTOCOL },
    { "no mask", BYTES("\x81\x03[1]"), 1002, CONN_PROTOCOL },
    { "no mask on nothing", BYTES("\x81\x00"), 1002, CONN_PROTOCOL },
    { "no mask on a ping", BYTES("\x89\x00"), 1002, CONN_PROTOCOL },
    { "a close of 1 byte", BYTES("\x88\x81" MASK "\x02"), 1002, CONN_PROTOCOL },
    { "too large a message", BYTES("\x81\xff\0\0\0\0\x01\0\0\1" MASK "x"), 1009,
      CONN_TOO_LARGE },
    { "far too large a message",
      BYTES("\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff" MASK "x"), 1009, CONN_TOO_LARGE },
};

static void expect_violation(const struct violation *v, bool slow)
{
    char payload[130];
    int first;

    join(slow);
    raw_send(&raw, v->bytes, v->n);
    first = raw_next(&raw, payload, sizeof payload);
    if (v->code && (first != 0x88 || ((unsigned char)payload[0] << 8 |
                                      (unsigned char)payload[1]) != v->code))
        check_fail(v->name, v->code, "no close frame with this code");
    raw_close(&raw);
    RUN_UNTIL(loop, server.closed);
    if (server.closed != 1 || server.end.error != v->error || server.messages)
        check_fail(v->name, (int)server.end.error, server.end.text);
}

/* ---- closing ----------------------------------------------------------------------- */

static const struct {
    const char *bytes; /* unmasked payload */
    size_t n;
    int told;     /* the code our handler gets */
    int answered; /* 0: an empty close frame */
    enum conn_error error;
} closes[] = {
    { BYTES(""), 1005, 0, CONN_CLOSED },
    { BYTES("\x03\xe8"), 1000, 1000, CONN_CLOSED },
    { BYTES("\x03\xe8good \xe2\x82\xac"), 1000, 1000, CONN_CLOSED },
    { BYTES("\x03\xe9"), 1001, 1001, CONN_CLOSED },
    { BYTES("\x03\xea"), 1002, 1002, CONN_CLOSED },
    { BYTES("\x03\xeb"), 1003, 1003, CONN_CLOSED },
    { BYTES("\x03\xef"), 1007, 1007, CONN_CLOSED },
    { BYTES("\x03\xf0"), 1008, 1008, CONN_CLOSED },
    { BYTES("\x03\xf1"), 1009, 1009, CONN_CLOSED },
    { BYTES("\x03\xf2"), 1010, 1010, CONN_CLOSED },
    { BYTES("\x03\xf3"), 1011, 1011, CONN_CLOSED },
    { BYTES("\x0b\xb8"), 3000, 3000, CONN_CLOSED },
    { BYTES("\x0f\xa0"), 4000, 4000, CONN_CLOSED },
    { BYTES("\x13\x87"), 4999, 4999, CONN_CLOSED },
    { BYTES("\x13\x88"), 1002, 1002, CONN_PROTOCOL }, /* 5000 */
    { BYTES("\xff\xff"), 1002, 1002, CONN_PROTOCOL },
    { BYTES("\x03\xe8\xff\xfe"), 1007, 1007,
      CONN_PROTOCOL }, /* a reason that is no UTF-8 */
    /* lws shows these as 1002 already: 0, 999, 1004, 1005, 1006, 1015, 1016, 2999 */
    { BYTES("\x00\x00"), 1002, 1002, CONN_CLOSED },
    { BYTES("\x03\xe7"), 1002, 1002, CONN_CLOSED },
    { BYTES("\x03\xec"), 1002, 1002, CONN_CLOSED },
    { BYTES("\x03\xed"), 1002, 1002, CONN_CLOSED },
    { BYTES("\x03\xee"), 1002, 1002, CONN_CLOSED },
    { BYTES("\x03\xf7"), 1002, 1002, CONN_CLOSED },
    { BYTES("\x03\xf8"), 1002, 1002, CONN_CLOSED },
    { BYTES("\x0b\xb7"), 1002, 1002, CONN_CLOSED },
};

static void takes_close_frames(bool slow)
{
    char payload[130];

    for (size_t i = 0; i < sizeof closes / sizeof *closes; i++) {
        int code = 0;

        join(slow);
        raw_frame(&raw, 0x88, closes[i].bytes, closes[i].n, true);
        CHECK_INT(raw_next(&raw, payload, sizeof payload), 0x88);
        if (payload[0])
            code = (unsigned char)payload[0] << 8 | (unsigned char)payload[1];
        CHECK_INT(code, closes[i].answered);
        CHECK(raw_wait_eof(&raw));
        raw_close(&raw);
        RUN_UNTIL(loop, server.closed);
        CHECK_INT(server.closed, 1);
        CHECK_INT(server.end.error, closes[i].error);
        CHECK_INT(server.end.code, closes[i].told);
    }
    CHECK(!strncmp(server.end.text, "127.0.0.1:", 10));
}

static void closes_when_told(void)
{
    char payload[130];

    join(false);
    for (int i = 0; i < 3; i++)
        conn_send(server.conn, buf_from("[9]", 3));
    conn_close(server.conn, 1008, "enough");
    conn_send(server.conn, buf_from("[10]", 4));
    for (int i = 0; i < 3; i++)
        CHECK_INT(raw_next(&raw, payload, sizeof payload), 0x81);
    CHECK_INT(raw_next(&raw, payload, sizeof payload), 0x88);
    CHECK(!memcmp(payload,
                  "\x03\xf0"
                  "enough",
                  9));
    CHECK_INT(server.closed, 0);
    raw_frame(&raw, 0x81, "[11]", 4, true);
    raw_frame(&raw, 0x88, "\x03\xf0", 2, true);
    CHECK(raw_wait_eof(&raw));
    raw_close(&raw);
    RUN_UNTIL(loop, server.closed);
    CHECK_INT(server.messages, 0);
    CHECK_INT(server.end.error, CONN_OK);
    CHECK_INT(server.end.code, 1008);
}

/* The peer neither answers the close frame nor reads. */
static void closes_without_an_answer(void)
{
    uint64_t start = loop_now();

    join(false);
    conn_close(server.conn, 1000, NULL);
    RUN_UNTIL(loop, server.closed);
    CHECK_INT(server.closed, 1);
    CHECK_INT(server.end.error, CONN_OK);
    CHECK(loop_now() - start < 5000);
    raw_close(&raw);

    join(false);
    for (int i = 0; i < 20; i++) {
        struct buf *m = buf_new(1024 * 1024);

        m->len = m->cap;
        memset(m->data, ' ', m->len);
        conn_send(server.conn, m);
    }
    conn_close(server.conn, 1000, NULL);
    RUN_UNTIL(loop, server.closed);
    CHECK_INT(server.closed, 1);
    raw_close(&raw);
}

static void knows_a_broken_link(void)
{
    join(false);
    raw_send(&raw, "\x81\x8a" MASK "abc", 9);
    raw_close(&raw);
    RUN_UNTIL(loop, server.closed);
    CHECK_INT(server.end.error, CONN_TRUNCATED);
    CHECK_INT(server.end.code, 7);

    join(false);
    raw_frame(&raw, 0x01, "abc", 3, true);
    raw_close(&raw);
    RUN_UNTIL(loop, server.closed);
    CHECK_INT(server.end.error, CONN_TRUNCATED);
}

/* ---- the handshake ----------------------------------------------------------------- */

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION13 "Sec-WebSocket-Version: 13\r\n"
#define JSON "Sec-WebSocket-Protocol: wamp.2.json\r\n"
#define UP "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define GET "GET / HTTP/1.1\r\n"
#define HOST "Host: localhost\r\n"

static const struct {
    const char *request, *status, *says;
} requests[] = {
    { GET HOST UP KEY VERSION13 JSON, "101",
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" },
    { "GET /any/path?x=y HTTP/1.1\r\n" HOST UP KEY VERSION13 JSON, "101", "wamp.2.json" },
    { "GET //.a/../b%00 HTTP/1.1\r\n" HOST UP KEY VERSION13 JSON, "101", "wamp.2.json" },
    { GET
      "HOST:x\r\nUPGRADE: WebSocket\r\nconnection:keep-alive,  upgrade\r\n" KEY VERSION13
          JSON,
      "101", "" },
    { GET HOST UP KEY VERSION13
      "Sec-WebSocket-Protocol: foo, wamp.2.msgpack , wamp.2.json\r\n",
      "101", "Sec-WebSocket-Protocol: wamp.2.msgpack" },
    { GET HOST UP KEY VERSION13 "Sec-WebSocket-Protocol: foo\r\n" JSON, "101",
      "wamp.2.json" },
    { GET HOST UP KEY VERSION13 JSON "Sec-WebSocket-Extensions: permessage-deflate\r\n",
      "101", "" },
    { GET HOST UP KEY VERSION13
      "Sec-WebSocket-Protocol: wamp.2.cbor.batched,wamp.2.cbor,wamp.2.msgpack.batched,"
      "wamp.2.ubjson.batched,wamp.2.ubjson,wamp.2.flatbuffers.batched,wamp.2.flatbuffers,"
      "wamp.2.json.batched,wamp.2.json\r\n",
      "101", "Sec-WebSocket-Protocol: wamp.2.json\r\n" },
    { GET HOST UP KEY VERSION13, "400", "subprotocol" },
    { GET HOST UP KEY VERSION13
      "Sec-WebSocket-Protocol: chat, wamp.2.jso, wamp.2.jsonx\r\n",
      "400", "subprotocol" },
    { GET UP KEY VERSION13 JSON, "400", "Host" },
    { GET HOST HOST UP KEY VERSION13 JSON, "400", "Host" },
    { GET HOST UP VERSION13 JSON, "400", "Sec-WebSocket-Key" },
    { GET HOST UP "Sec-WebSocket-Key: short\r\n" VERSION13 JSON, "400",
      "Sec-WebSocket-Key" },
    { GET HOST UP KEY JSON, "426", "Sec-WebSocket-Version: 13" },
    { GET HOST UP KEY "Sec-WebSocket-Version: 8\r\n" JSON, "426",
      "Sec-WebSocket-Version: 13" },
    { GET HOST "Upgrade: websocket\r\n" KEY VERSION13 JSON, "400", "Connection" },
    { GET HOST UP KEY VERSION13 JSON "Content-Length: 5\r\n", "400", "body" },
    { "GET / HTTP/1.0\r\n" HOST UP KEY VERSION13 JSON, "400", "HTTP/1.1" },
    { "POST / HTTP/1.1\r\n" HOST UP KEY VERSION13 JSON, "405", "Allow: GET" },
    { GET HOST, "200", "hello, client" },
    { GET HOST "Upgrade: h2c\r\nConnection: Upgrade\r\n", "200", "hello, client" },
    { "nonsense\r\n", "400", "no HTTP" },
    { GET HOST "no colon\r\n", "400", "no HTTP" },
    { "\x81\x83\r\n", "400", "no HTTP" },
};

static void judges_requests(bool slow)
{
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        char start[20];
        bool up = !strcmp(requests[i].status, "101");

        recorder_reset(&server);
        dial(slow);
        raw_text(&raw, requests[i].request);
        raw_text(&raw, "\r\n");
        snprintf(start, sizeof start, "HTTP/1.1 %s ", requests[i].status);
        CHECK(raw_wait_text(&raw, "\r\n\r\n"));
        if (!up)
            CHECK(raw_wait_eof(&raw));
        if (strncmp((char *)raw.in, start, strlen(start)) != 0 ||
            !strstr((char *)raw.in, requests[i].says))
            check_fail(requests[i].request, (int)i, (char *)raw.in);
        CHECK_INT(server.opened, up);
        CHECK(!strstr((char *)raw.in, "Extensions"));
        raw_close(&raw);
        RUN_UNTIL(loop, server.closed == up);
        CHECK_INT(server.closed, up);
    }
}

static void limits_the_request(void)
{
    char line[1000];

    dial(false);
    memset(line, 'x', sizeof line);
    memcpy(line, "X: ", 3);
    memcpy(line + sizeof line - 3, "\r\n", 3);
    raw_text(&raw, GET HOST);
    for (int i = 0; i < 12; i++)
        raw_text(&raw, line);
    CHECK(raw_wait_text(&raw, "HTTP/1.1 431 "));
    CHECK(raw_wait_eof(&raw));
    raw_close(&raw);
}

/* A client that says nothing, or half a request, is not waited for. */
static void drops_silent_clients(void)
{
    static struct raw second;
    struct net_options o = { .connect_timeout = 300 };
    struct listener *plain = listener;
    uint64_t start = loop_now();

    listen_with(&o);
    dial(false);
    raw_connect(&second, loop, listener_port(listener));
    raw_text(&second, GET HOST "Upg");
    CHECK(raw_wait_eof(&raw));
    CHECK(raw_wait_eof(&second));
    CHECK(loop_now() - start >= 290);
    CHECK(loop_now() - start < 4000);
    raw_close(&raw);
    raw_close(&second);
    listener_close(listener);
    listener = plain;
}

/* ---- keep-alive -------------------------------------------------------------------- */

static void pings_and_waits_for_pongs(void)
{
    struct net_options o = { .ping_interval = 30, .ping_timeout = 300 };
    struct listener *plain = listener;
    char payload[130];

    listen_with(&o);
    join(false);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(raw_next(&raw, payload, sizeof payload), 0x89);
        raw_frame(&raw, 0x8a, payload, strlen(payload), true);
    }
    CHECK_INT(server.closed, 0);
    CHECK_INT(raw_next(&raw, payload, sizeof payload), 0x89);
    RUN_UNTIL(loop, server.closed); /* no pong this time */
    CHECK_INT(server.end.error, CONN_TIMEOUT);
    CHECK(strstr(server.end.text, "ping") != NULL);
    raw_close(&raw);
    listener_close(listener);
    listener = plain;
}

/* ---- queue ------------------------------------------------------------------------- */

static void counts_what_is_queued(void)
{
    struct net_options o = { .max_queue = 4 * 1024 * 1024 };
    struct listener *plain = listener;
    size_t total = 0, got = 0;

    listen_with(&o);
    join(false);
    while (total < 16 * 1024 * 1024) {
        struct buf *m = buf_new(64 * 1024);

        m->len = m->cap;
        memset(m->data, ' ', m->len);
        total += m->len;
        conn_send(server.conn, m);
    }
    CHECK_INT(server.conn->queued, total);
    for (int i = 0; i < 1000; i++)
        loop_run_once(loop, 0);
    CHECK(server.conn->queued > 2 * 1024 * 1024); /* the socket has taken what it could */
    CHECK_INT(server.drained, 0);
    while (got < total + total / (64 * 1024) * 10 && raw_wait(&raw, 1)) {
        got += raw.n;
        raw.n = 0;
    }
    CHECK_INT(got, total + total / (64 * 1024) * 10);
    RUN_UNTIL(loop, server.conn->queued == 0);
    CHECK_INT(server.conn->queued, 0);
    CHECK_INT(server.drained, 1);
    leave();
    listener_close(listener);
    listener = plain;
}

/* ---- listening --------------------------------------------------------------------- */

static void refuses_a_port_in_use(void)
{
    struct url url;
    struct conn_end end;
    char text[60], error[200];

    snprintf(text, sizeof text, "127.0.0.1:%d", listener_port(listener));
    CHECK(url_parse_listen(&url, text, error, sizeof error));
    CHECK(!listener_open(loop, &url, NULL, recorder_accept, &server, &end));
    CHECK_INT(end.error, CONN_UNREACHABLE);
    CHECK(strstr(end.text, "cannot listen on ws://127.0.0.1:") != NULL);
    CHECK(strstr(end.text, "Address already in use") != NULL);
    CHECK(url_parse_listen(&url, "wss://127.0.0.1:0", error, sizeof error));
    CHECK(!listener_open(loop, &url, NULL, recorder_accept, &server, &end));
    CHECK_INT(end.error, CONN_TLS);
    CHECK(url_parse_listen(&url, "no-such-host.invalid:0", error, sizeof error));
    CHECK(!listener_open(loop, &url, NULL, recorder_accept, &server, &end));
    CHECK_INT(end.error, CONN_UNKNOWN_HOST);
}

static void keeps_connections_when_closed(void)
{
    struct net_options o = { 0 };
    struct listener *plain = listener;

    listen_with(&o);
    join(false);
    listener_close(listener);
    listener = plain;
    raw_frame(&raw, 0x81, "[1]", 3, true);
    RUN_UNTIL(loop, server.messages);
    CHECK_INT(server.messages, 1);
    leave();
}

static void whole_server(enum loop_backend backend)
{
    struct net_options o = { .server_text = "hello, client\n" };

    loop = loop_new(backend);
    listen_with(&o);
    for (int slow = 0; slow < 2; slow++) {
        TEST("a server takes messages of every length");
        takes_every_length(slow);
        TEST("a server joins fragments, with control frames between");
        joins_fragments(slow);
        TEST("a server answers pings");
        answers_pings(slow);
        TEST("a server closes on what breaks the protocol");
        for (size_t i = 0; i < sizeof violations / sizeof *violations; i++)
            expect_violation(&violations[i], slow);
        TEST("a server takes and answers close frames");
        takes_close_frames(slow);
        TEST("a server judges upgrade requests");
        judges_requests(slow);
    }
    TEST("a server sends messages of every length, unmasked");
    sends_every_length();
    TEST("a server takes frames that come with the request");
    takes_frames_behind_the_request();
    TEST("a server closes behind what is queued");
    closes_when_told();
    TEST("a server knows a broken link, and half a message");
    knows_a_broken_link();
    TEST("a server limits the size of a request");
    limits_the_request();
    TEST("a server pings, and gives up without a pong");
    pings_and_waits_for_pongs();
    TEST("a server counts what is queued and tells when it has drained");
    counts_what_is_queued();
    TEST("a server refuses to listen where it cannot, with a reason");
    refuses_a_port_in_use();
    TEST("connections outlive their listener");
    keeps_connections_when_closed();
    if (backend == LOOP_EV) {
        TEST("a server does not wait for ever for an answer to its close");
        closes_without_an_answer();
        TEST("a server drops clients that are silent in the handshake");
        drops_silent_clients();
    }
    recorder_reset(&server);
    listener_close(listener);
    loop_free(loop);
}

void test_ws_server(void)
{
    whole_server(LOOP_EV);
    whole_server(LOOP_POLL);
}
