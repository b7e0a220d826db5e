/* test_ws_deflate.c - permessage-deflate: what is agreed on, and what goes over, against
 * hand-made peers (RFC 7692's own examples) and between our own two sides. */
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "raw.h"

void test_ws_deflate(void);

#define MAX_MESSAGE 100000 /* bytes, of those who have a limit here */
#define BOTH "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

static struct loop *loop;
static struct listener *listener;
static struct recorder server, client;
static struct raw raw;

static void listen_with(bool compress, const char *subprotocol)
{
    const char *const subprotocols[] = { subprotocol, NULL };
    struct net_options o = { .compress = compress,
                             .max_message = MAX_MESSAGE,
                             .subprotocols = subprotocols };
    struct conn_end end;
    struct url url;
    char error[200];

    CHECK(url_parse_listen(&url, "0", error, sizeof error));
    recorder_reset(&server);
    listener = listener_open(loop, &url, &o, recorder_accept, &server, &end);
    CHECK(listener != NULL);
}

/* ---- a server ---------------------------------------------------------------------- */

/* The answer to a request with this offer is in raw.in. */
static void ask(const char *offer)
{
    char request[600];

    snprintf(request, sizeof request,
             "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
             "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: wamp.2.json, "
             "wamp.2.json.batched\r\n"
             "Sec-WebSocket-Extensions: %s\r\n\r\n",
             offer);
    raw_connect(&raw, loop, listener_port(listener));
    raw_text(&raw, request);
    CHECK(raw_wait_text(&raw, "\r\n\r\n"));
    CHECK(!strncmp((char *)raw.in, "HTTP/1.1 101 ", 13));
}

static void join(const char *offer)
{
    recorder_reset(&server);
    ask(offer);
    CHECK(strstr((char *)raw.in, "Sec-WebSocket-Extensions: " BOTH "\r\n") != NULL);
    raw_take(&raw, raw.n);
}

static void leave(void)
{
    raw_close(&raw);
    RUN_UNTIL(loop, server.closed);
    CHECK_INT(server.closed, 1);
}

/* The server says good-bye, and does not have to wait for an answer. */
static void part(void)
{
    CHECK(raw_wait_text(&raw, "\x88"));
    raw_close(&raw);
    RUN_UNTIL(loop, server.closed);
    CHECK_INT(server.closed, 1);
}

static void agrees(void)
{
    static const char *const good[] = {
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate;client_max_window_bits=10;server_no_context_takeover",
        "x-other, permessage-deflate; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits=10, permessage-deflate",
    };
    static const char *const bad[] = {
        "permessage-deflate; server_max_window_bits=10",
        "permessage-deflate; unheard_of",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-bzip2",
        "permessage-deflated",
        "",
    };

    listen_with(true, "wamp.2.json");
    TEST("a server takes up an offer of compression that it can keep");
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        join(good[i]);
        leave();
    }
    TEST("a server does without compression where the offer is none for it");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        recorder_reset(&server);
        ask(bad[i]);
        CHECK(!strstr((char *)raw.in, "Extensions"));
        leave();
    }
    listener_close(listener);
    TEST("a server that was not told to compress does not, and refuses what is "
         "compressed");
    listen_with(false, "wamp.2.json");
    recorder_reset(&server);
    ask(BOTH);
    CHECK(!strstr((char *)raw.in, "Extensions"));
    raw_take(&raw, raw.n);
    raw_frame(&raw, 0xc1, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7, true);
    part();
    CHECK_INT(server.end.error, CONN_PROTOCOL);
    listener_close(listener);
}

/* RFC 7692, 7.2.3: "Hello" in several shapes, none of which depends on the one before. */
static void takes_examples(bool slow)
{
    static const struct {
        const char *payload;
        size_t n;
    } examples[] = {
        { "\xf2\x48\xcd\xc9\xc9\x07\x00", 7 },
        { "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11 },
        { "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8 },
        { "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13 },
    };

    join("permessage-deflate");
    raw.slow = slow;
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        raw_frame(&raw, 0xc1, examples[i].payload, examples[i].n, true);
        RUN_UNTIL(loop, server.messages == (int)i + 1);
        CHECK_STR(server.text, "Hello");
    }
    raw_frame(&raw, 0x41, "\xf2\x48\xcd", 3, true);
    raw_frame(&raw, 0x80, "\xc9\xc9\x07\x00", 4, true);
    raw_frame(&raw, 0x81, "[1]", 3, true);
    RUN_UNTIL(loop, server.messages == 6);
    CHECK_INT(server.messages, 6);
    CHECK_STR(server.text, "[1]");
    CHECK_INT(server.conn->coming, 0);
    leave();
}

static void refuse(int first, struct slice payload, int code, const char *words)
{
    join("permessage-deflate");
    raw_frame(&raw, first, payload.p, payload.n, true);
    part();
    CHECK_INT(server.messages, 0);
    CHECK_INT(server.end.code, code);
    CHECK(strstr(server.end.text, words) != NULL);
}

static void refuses(void)
{
    struct slice hello = SLICE("\xf2\x48\xcd\xc9\xc9\x07\x00");

    refuse(0xc1, SLICE("\xff\xff\xff\xff"), 1007, "a compressed message is broken");
    refuse(0xc1, (struct slice){ hello.p, 4 }, 1007, "a compressed message is broken");
    refuse(0xc1, SLICE(""), 1007, "a compressed message is broken");
    refuse(0xc2, hello, 1003, "a binary frame");
    refuse(0xa1, hello, 1002, "");
    join("permessage-deflate");
    raw_frame(&raw, 0x01, "[1", 2, true);
    raw_frame(&raw, 0xc0, "]", 1, true);
    part();
    CHECK_INT(server.end.code, 1002);
}

/* A run of one byte: 1000 bytes become a megabyte. */
static void refuses_a_bomb(void)
{
    static char zeros[1000];
    size_t before = buf_held(), most = 0;

    memcpy(zeros, "\xec\xc1\x01\x01\0\0\0\x82\x20\xff\xaf\x6e\x48\x40\x01", 15);
    join("permessage-deflate");
    raw_frame(&raw, 0xc1, zeros, sizeof zeros, true);
    for (uint64_t end = loop_now() + 20000; !server.closed && loop_now() < end;) {
        loop_run_once(loop, 1);
        most = buf_held() - before > most ? buf_held() - before : most;
    }
    CHECK_INT(server.end.error, CONN_TOO_LARGE);
    CHECK_INT(server.end.code, 1009);
    CHECK_INT(server.messages, 0);
    CHECK(most < 3 * MAX_MESSAGE);
    raw_close(&raw);
}

/* ---- a client ---------------------------------------------------------------------- */

static const char *answer_with(const char *extension)
{
    static int port, ear;
    static const struct net_options o = { .compress = true };
    char text[700], key[40], error[200];
    struct url url;

    ear = raw_listen(&port);
    snprintf(text, sizeof text, "ws://127.0.0.1:%d/", port);
    CHECK(url_parse(&url, text, error, sizeof error));
    recorder_reset(&client);
    client.conn = ws_connect(loop, &url, &o, &recorder_handler, &client);
    raw_accept(&raw, loop, ear);
    CHECK(raw_wait_text(&raw, "\r\n\r\n"));
    CHECK(strstr((char *)raw.in, "\r\nSec-WebSocket-Extensions: " BOTH "\r\n") != NULL);
    raw_accept_key(&raw, key);
    snprintf(text, sizeof text,
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
             "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
             "Sec-WebSocket-Protocol: wamp.2.json\r\n%s\r\n",
             key, extension);
    raw_take(&raw, raw.n);
    raw_text(&raw, text);
    RUN_UNTIL(loop, client.opened || client.closed);
    close(ear);
    return client.end.text;
}

static void hang_up(void)
{
    raw_close(&raw);
    RUN_UNTIL(loop, client.closed);
}

static void judges_answers(void)
{
    static const char head[] = "Sec-WebSocket-Extensions: permessage-deflate";
    char text[300];

    TEST("a client goes on without compression where the server does not take it up");
    CHECK_STR(answer_with(""), "");
    CHECK_INT(client.opened, 1);
    hang_up();
    TEST("a client takes an answer that keeps no context, whatever its window");
    snprintf(text, sizeof text, "%s; server_no_context_takeover\r\n", head);
    CHECK_STR(answer_with(text), "");
    raw_frame(&raw, 0xc1, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7, false);
    RUN_UNTIL(loop, client.messages);
    CHECK_STR(client.text, "Hello");
    raw_frame(&raw, 0xb1, "[1]", 3, false);
    RUN_UNTIL(loop, client.closed);
    CHECK_INT(client.end.code, 1002);
    raw_close(&raw);
    snprintf(text, sizeof text,
             "%s; server_max_window_bits=9; server_no_context_takeover\r\n", head);
    CHECK_STR(answer_with(text), "");
    hang_up();
    TEST("a client refuses an answer that is none to its offer");
    snprintf(text, sizeof text, "%s\r\n", head);
    CHECK(strstr(answer_with(text), "without server_no_context_takeover") != NULL);
    raw_close(&raw);
    snprintf(text, sizeof text,
             "%s; server_no_context_takeover; client_max_window_bits=9\r\n", head);
    CHECK(strstr(answer_with(text), "with parameters that were not offered") != NULL);
    raw_close(&raw);
    CHECK(strstr(answer_with("Sec-WebSocket-Extensions: x-other\r\n"),
                 "an extension that was not offered") != NULL);
    raw_close(&raw);
}

/* ---- both -------------------------------------------------------------------------- */

static void connect_both(const char *subprotocol)
{
    const char *const subprotocols[] = { subprotocol, NULL };
    struct net_options o = { .compress = true, .subprotocols = subprotocols };
    char text[60], error[200];
    struct url url;

    listen_with(true, subprotocol);
    server.echo = true;
    snprintf(text, sizeof text, "ws://127.0.0.1:%d/", listener_port(listener));
    CHECK(url_parse(&url, text, error, sizeof error));
    recorder_reset(&client);
    client.conn = ws_connect(loop, &url, &o, &recorder_handler, &client);
    RUN_UNTIL(loop, client.opened);
    CHECK_INT(client.opened, 1);
}

static void disconnect_both(void)
{
    conn_close(client.conn, 1000, NULL);
    RUN_UNTIL(loop, client.closed && server.closed);
    CHECK_INT(client.end.error, CONN_OK);
    listener_close(listener);
    server.echo = false;
    loop_run_once(loop, 0);
}

/* Without a separator of batches in it. */
static struct buf *text_of(size_t n, bool noise)
{
    struct buf *b = buf_new(n);
    unsigned x = 1;

    for (b->len = 0; b->len < n; b->len++) {
        char next = noise ? (char)(x >> 16) : "abcabcdabcde"[b->len % 12];

        b->data[b->len] = next == 0x1e ? 'x' : next;
        x = x * 1103515245 + 12345;
    }
    return b;
}

static void goes_there_and_back(const char *subprotocol)
{
    static const size_t lengths[] = { 1,    127,   128,        129,        4096,
                                      4097, 65536, 100000 - 1, MAX_MESSAGE };

    connect_both(subprotocol);
    for (size_t i = 0; i < 2 * sizeof lengths / sizeof *lengths; i++) {
        struct buf *b = text_of(lengths[i / 2], i % 2);

        conn_send(client.conn, buf_ref(b));
        RUN_UNTIL(loop, client.messages == (int)i + 1 || client.closed);
        CHECK_INT(client.messages, i + 1);
        CHECK(client.last && slice_eq(slice_buf(client.last), slice_buf(b)));
        buf_unref(b);
    }
    disconnect_both();
}

/* One message shared by several sendings stays what it is. */
static void leaves_messages_alone(void)
{
    struct buf *b = text_of(5000, false), *like = buf_from(b->data, b->len);

    connect_both("wamp.2.json.batched");
    for (int i = 0; i < 50; i++)
        conn_send(client.conn, buf_ref(b));
    RUN_UNTIL(loop, client.messages == 50 || client.closed);
    CHECK_INT(client.messages, 50);
    CHECK(slice_eq(slice_buf(b), slice_buf(like)));
    CHECK_INT(client.conn->queued, 0);
    disconnect_both();
    buf_unref(b);
    buf_unref(like);
}

void test_ws_deflate(void)
{
    loop = loop_new(LOOP_POLL);
    agrees();
    listen_with(true, "wamp.2.json");
    TEST("a server lays out the specification's examples, also in pieces");
    takes_examples(false);
    takes_examples(true);
    TEST("a server refuses compressed messages that are broken or not expected");
    refuses();
    TEST("a message that gets longer than a message may be ends the connection by 1009");
    refuses_a_bomb();
    listener_close(listener);
    judges_answers();
    TEST("messages of all lengths go over compressed, or as they are, alone and in "
         "batches");
    goes_there_and_back("wamp.2.json");
    goes_there_and_back("wamp.2.msgpack");
    goes_there_and_back("wamp.2.json.batched");
    goes_there_and_back("wamp.2.cbor.batched");
    leaves_messages_alone();
    loop_free(loop);
}
