/* test_raw.c - RawSocket over sockets: a listener against hand-made clients, a client
 * against hand-made routers, and both together.
 *
 * What a peer sends goes out as one piece and again octet by octet. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "net/connect.h"
#include "net/raw_frame.h"
#include "raw.h"
#include "wamp/limits.h"

void test_raw(void);

static struct loop *loop;
static struct listener *listener;
static struct recorder server, client;
static struct raw raw;

#define BYTES(s) s, sizeof(s) - 1
#define HELLO "\x7f\xf1\0\0"

static void listen_on(const char *text, struct net_options *o)
{
    struct url url;
    struct conn_end end;
    char error[300];

    CHECK(url_parse_listen(&url, text, error, sizeof error));
    recorder_reset(&server);
    listener = listener_open(loop, &url, o, recorder_accept, &server, &end);
    CHECK(listener != NULL);
}

static void dial(bool slow)
{
    recorder_reset(&server);
    raw_connect(&raw, loop, listener_port(listener));
    raw.slow = slow;
}

/* Waits for exactly these octets, and takes them. */
static void expect(const char *octets, size_t n)
{
    CHECK(raw_wait(&raw, n));
    CHECK(raw.n >= n && !memcmp(raw.in, octets, n));
    if (raw.n >= n)
        raw_take(&raw, n);
}

static void join(bool slow)
{
    dial(slow);
    raw_send(&raw, BYTES(HELLO));
    expect(BYTES("\x7f\xf1\0\0"));
    CHECK_INT(server.opened, 1);
}

static void leave(void)
{
    raw_close(&raw);
    RUN_UNTIL(loop, server.closed);
    CHECK_INT(server.closed, 1);
}

/* One frame of the hand-made side. */
static void put(enum raw_type type, const void *p, size_t n)
{
    unsigned char head[RAW_HEAD];

    raw_head_write(type, n, head);
    raw_send(&raw, head, RAW_HEAD);
    if (n)
        raw_send(&raw, p, n);
}

/* ---- a listener's handshake -------------------------------------------------------- */

static void answers_handshakes(bool slow)
{
    dial(slow);
    raw_send(&raw, BYTES("\x7f\x31\0\0\0\0\0\3[1]"));
    expect(BYTES("\x7f\xf1\0\0"));
    RUN_UNTIL(loop, server.messages);
    CHECK_INT(server.opened, 1);
    CHECK_STR(server.subprotocol, "wamp.2.json");
    CHECK_STR(server.text, "[1]");
    CHECK_INT(server.conn->takes, 4096);
    leave();
}

static void expect_refusal(const char *hello, size_t n, const char *answer)
{
    for (int slow = 0; slow < 2; slow++) {
        dial(slow);
        raw_send(&raw, hello, n);
        expect(answer, 4);
        CHECK(raw_wait_eof(&raw));
        CHECK_INT(raw.n, 0);
        CHECK_INT(server.opened, 0);
        raw_close(&raw);
    }
}

static void refuses_handshakes(void)
{
    expect_refusal(BYTES("\x7f\xf2\0\0"), "\x7f\x10\0\0"); /* not among ours */
    expect_refusal(BYTES("\x7f\xff\0\0"), "\x7f\x10\0\0");
    expect_refusal(BYTES("\x7f\xf0\0\0"), "\x7f\x10\0\0");
    expect_refusal(BYTES("\x7f\x01\0\0"), "\x7f\x20\0\0"); /* 512 bytes */
    expect_refusal(BYTES("\x7f\xf1\1\0"), "\x7f\x30\0\0");
    expect_refusal(BYTES("\x7f\xf1\0\1"), "\x7f\x30\0\0");
}

static void hangs_up_on_http(void)
{
    dial(false);
    raw_text(&raw, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(raw_wait_text(&raw, "HTTP/1.1 400 "));
    CHECK(raw_wait_text(&raw, "RawSocket is spoken here, not HTTP"));
    CHECK(raw_wait_eof(&raw));
    raw_close(&raw);
    CHECK_INT(server.opened, 0);
}

static void announces_its_limit(void)
{
    static const char payload[131072] = "x";
    struct net_options o = { .max_message = 100000 };
    struct listener *plain = listener;

    listen_on("rs://127.0.0.1:0", &o);
    dial(false);
    raw_send(&raw, BYTES(HELLO));
    expect(BYTES("\x7f\x81\0\0")); /* 128 KiB, and that much is taken */
    put(RAW_MESSAGE, payload, sizeof payload);
    RUN_UNTIL(loop, server.messages);
    CHECK_INT(server.length, 131072);
    raw_send(&raw, BYTES("\0\2\0\1"));
    RUN_UNTIL(loop, server.closed);
    CHECK_INT(server.end.error, CONN_TOO_LARGE);
    raw_close(&raw);
    listener_close(listener);
    listener = plain;
}

static void drops_slow_handshakes(void)
{
    struct net_options o = { .connect_timeout = 50 };
    struct listener *plain = listener;

    listen_on("universal+0", &o);
    dial(false);
    CHECK(raw_wait_eof(&raw));
    raw_close(&raw);
    dial(false);
    raw_send(&raw, BYTES("\x7f\xf1\0"));
    CHECK(raw_wait_eof(&raw));
    raw_close(&raw);
    CHECK_INT(server.opened, 0);
    listener_close(listener);
    listener = plain;
}

static void speaks_both_on_one_port(void)
{
    struct listener *plain = listener;

    listen_on("universal+ws://127.0.0.1:0/", NULL);
    for (int slow = 0; slow < 2; slow++) {
        join(slow);
        put(RAW_MESSAGE, "[1]", 3);
        RUN_UNTIL(loop, server.messages);
        CHECK_STR(server.text, "[1]");
        leave();
        dial(slow);
        raw_upgrade(&raw, "wamp.2.json");
        raw_frame(&raw, 0x81, "[2]", 3, true);
        RUN_UNTIL(loop, server.messages);
        CHECK_STR(server.text, "[2]");
        leave();
    }
    listener_close(listener);
    listen_on("ws://127.0.0.1:0/", NULL);
    dial(false);
    raw_send(&raw, BYTES(HELLO));
    CHECK(raw_wait_text(&raw, "RawSocket is not spoken here"));
    raw_close(&raw);
    listener_close(listener);
    listener = plain;
}

/* ---- frames ------------------------------------------------------------------------ */

static void takes_every_length(bool slow)
{
    static const size_t lengths[] = { 0, 1, 2, 255, 256, 65535, 65536, 200000 };
    static char payload[200000];

    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (char)('a' + i % 26);
    join(slow);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        put(RAW_MESSAGE, payload, lengths[i]);
        RUN_UNTIL(loop, server.messages == (int)i + 1);
        CHECK_INT(server.length, lengths[i]);
        CHECK(server.last && !memcmp(server.last->data, payload, lengths[i]));
    }
    leave();
    CHECK_INT(server.end.error, CONN_LOST);
    CHECK(strstr(server.end.text, "the peer closed the connection") != NULL);
}

/* Many at once, of which a socket takes a part at a time. */
static void sends_in_order(void)
{
    enum { MANY = 300 };

    join(false);
    for (int i = 0; i < MANY; i++) {
        struct buf *m = buf_new(1000);

        m->len = (size_t)snprintf(m->data, m->cap, "[%d,\"%*s\"]", i, i * 3, "x");
        conn_send(server.conn, m);
    }
    CHECK(server.conn->queued > MANY);
    for (int i = 0; i < MANY; i++) {
        char text[1000];
        int n = snprintf(text, sizeof text, "%c%c%c%c[%d,\"%*s\"]", 0, 0, 0, 0, i, i * 3,
                         "x");

        text[2] = (char)((n - 4) >> 8);
        text[3] = (char)(n - 4);
        expect(text, (size_t)n);
    }
    CHECK_INT(server.conn->queued, 0);
    leave();
}

static void answers_pings(bool slow)
{
    join(slow);
    put(RAW_PING, "", 0);
    expect(BYTES("\2\0\0\0"));
    put(RAW_PING, "are you there", 13);
    put(RAW_PONG, "unasked", 7);
    put(RAW_MESSAGE, "[1]", 3);
    expect(BYTES("\2\0\0\15are you there"));
    RUN_UNTIL(loop, server.messages);
    CHECK_INT(server.messages, 1);
    leave();
}

/* Sends PINGs until no more of them are taken: how many bytes were. */
static size_t flood_with_pings(void)
{
    static char flood[1 << 16];
    size_t sent = 0;

    for (size_t i = 0; i < sizeof flood; i += RAW_HEAD)
        memcpy(flood + i, "\1\0\0\0", RAW_HEAD);
    for (int idle = 0; idle < 50 && sent < (size_t)64 << 20;) {
        ssize_t n = send(raw.fd, flood + sent % RAW_HEAD, sizeof flood - RAW_HEAD,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        sent += n > 0 ? (size_t)n : 0;
        idle = n > 0 ? 0 : idle + 1;
        loop_run_once(loop, idle ? 1 : 0);
    }
    return sent;
}

/* Who does not read the PONGs is not read, and gets every one when he does. */
static void bounds_a_flood_of_pings(void)
{
    size_t sent, back = 0, wrong = 0;

    join(false);
    sent = flood_with_pings();
    CHECK(sent < (size_t)64 << 20);
    while (back < sent / RAW_HEAD * RAW_HEAD && raw_wait(&raw, 1)) {
        for (size_t i = 0; i < raw.n; i++, back++)
            wrong += raw.in[i] != (back % RAW_HEAD ? 0 : RAW_PONG);
        raw_take(&raw, raw.n);
    }
    CHECK_INT(wrong, 0);
    CHECK_INT(back, sent / RAW_HEAD * RAW_HEAD);
    CHECK_INT(server.closed, 0);
    leave();
}

static void expect_violation(const char *p, size_t n, enum conn_error error,
                             const char *words)
{
    for (int slow = 0; slow < 2; slow++) {
        join(slow);
        put(RAW_MESSAGE, "[1]", 3);
        raw_send(&raw, p, n);
        RUN_UNTIL(loop, server.closed);
        CHECK_INT(server.messages, 1);
        CHECK_INT(server.end.error, error);
        if (!strstr(server.end.text, words))
            CHECK_STR(server.end.text, words);
        CHECK(raw_wait_eof(&raw));
        raw_close(&raw);
    }
}

static void ends_on_violations(void)
{
    expect_violation(BYTES("\x10\0\0\1x"), CONN_PROTOCOL, "reserved bits");
    expect_violation(BYTES("\x80\0\0\1x"), CONN_PROTOCOL, "reserved bits");
    expect_violation(BYTES("\x08\0\0\1x"), CONN_PROTOCOL, "reserved bits");
    expect_violation(BYTES("\3\0\0\1x"), CONN_PROTOCOL, "reserved frame type");
    expect_violation(BYTES("\7\0\0\1x"), CONN_PROTOCOL, "reserved frame type");
}

static void knows_half_a_message(void)
{
    join(false);
    raw_send(&raw, BYTES("\0\0\0\12[1,"));
    leave();
    CHECK_INT(server.end.error, CONN_TRUNCATED);
    CHECK_INT(server.end.code, 7);
    join(false);
    raw_send(&raw, BYTES("\0\0"));
    leave();
    CHECK_INT(server.end.error, CONN_TRUNCATED);
    CHECK_INT(server.end.code, 2);
}

/* ---- queue and end ----------------------------------------------------------------- */

static struct buf *block(size_t n)
{
    struct buf *b = buf_new(n);

    memset(b->data, 'b', n);
    b->len = n;
    return b;
}

static void counts_what_is_queued(void)
{
    struct net_options o = { .max_queue = 1000000 };
    struct listener *plain = listener;
    size_t whole = 20 * (100000 + 4), got = 0;

    listen_on("rs://127.0.0.1:0", &o);
    join(false);
    for (int i = 0; i < 20; i++)
        conn_send(server.conn, block(100000));
    CHECK_INT(server.conn->queued, 2000000);
    CHECK_INT(server.drained, 0);
    while (got < whole && raw_wait(&raw, 1)) {
        got += raw.n;
        raw_take(&raw, raw.n);
    }
    CHECK_INT(got, whole);
    CHECK_INT(server.conn->queued, 0);
    CHECK_INT(server.drained, 1);
    leave();
    listener_close(listener);
    listener = plain;
}

static void never_sends_what_is_not_taken(void)
{
    dial(false);
    raw_send(&raw, BYTES("\x7f\x31\0\0"));
    expect(BYTES("\x7f\xf1\0\0"));
    conn_send(server.conn, block(4096));
    CHECK(raw_wait(&raw, 4100));
    conn_send(server.conn, block(4097));
    RUN_UNTIL(loop, server.closed);
    CHECK_INT(server.end.error, CONN_TOO_LARGE);
    CHECK(strstr(server.end.text, "4097 bytes; 4096 are taken there") != NULL);
    CHECK(raw_wait_eof(&raw));
    CHECK_INT(raw.n, 4100);
    raw_close(&raw);
}

static void closes_behind_what_is_queued(void)
{
    join(false);
    conn_send(server.conn, block(150000));
    conn_close(server.conn, 1000, "done");
    conn_send(server.conn, block(1));
    put(RAW_MESSAGE, "[1]", 3); /* of no interest any more */
    CHECK(raw_wait(&raw, 150004));
    CHECK(raw_wait_eof(&raw));
    CHECK_INT(raw.n, 150004);
    CHECK_INT(server.closed, 0);
    raw_close(&raw);
    RUN_UNTIL(loop, server.closed);
    CHECK_INT(server.end.error, CONN_OK);
    CHECK_INT(server.messages, 0);
}

/* The hand-made side reads nothing and stays. */
static void closes_without_an_answer(void)
{
    join(false);
    conn_send(server.conn, block(10000000));
    conn_close(server.conn, 1000, NULL);
    RUN_UNTIL(loop, server.closed);
    CHECK_INT(server.closed, 1);
    raw_close(&raw);
}

/* ---- a client ---------------------------------------------------------------------- */

static int port, spare; /* a hand-made router's; one that nobody listens on */

static void connect_to(const char *text, const struct net_options *o)
{
    struct url url;
    char error[300];

    recorder_reset(&client);
    CHECK(url_parse(&url, text, error, sizeof error));
    client.conn = connect_url(loop, &url, o, &recorder_handler, &client);
}

/* A client that has said hello to us. */
static void call_in(int hand_made, const struct net_options *o, bool slow)
{
    char text[60];

    snprintf(text, sizeof text, "rs://127.0.0.1:%d", port);
    connect_to(text, o);
    raw_accept(&raw, loop, hand_made);
    raw.slow = slow;
    expect(BYTES(HELLO));
}

static void expect_end(enum conn_error error, int code, const char *words)
{
    RUN_UNTIL(loop, client.closed);
    CHECK_INT(client.closed, 1);
    CHECK_INT(client.end.error, error);
    CHECK_INT(client.end.code, code);
    if (!strstr(client.end.text, words))
        CHECK_STR(client.end.text, words);
}

static void joins_a_router(int hand_made, bool slow)
{
    call_in(hand_made, NULL, slow);
    raw_send(&raw, BYTES("\x7f\x91\0\0\0\0\0\3[1]"));
    RUN_UNTIL(loop, client.messages);
    CHECK_STR(client.subprotocol, "wamp.2.json");
    CHECK_INT(client.conn->takes, 262144);
    conn_send(client.conn, buf_from("[2]", 3));
    expect(BYTES("\0\0\0\3[2]"));
    conn_close(client.conn, 1000, NULL);
    CHECK(raw_wait_eof(&raw));
    raw_close(&raw);
    expect_end(CONN_OK, 1000, "closed");
}

static void explains_answers(int hand_made)
{
    static const struct {
        const char *answer;
        enum conn_error error;
        int code;
        const char *words;
    } cases[] = {
        { "\x7f\x10\0\0", CONN_SUBPROTOCOL, 1, "does not speak wamp.2.json" },
        { "\x7f\x20\0\0", CONN_PROTOCOL, 2, "messages of up to 16777216 bytes" },
        { "\x7f\x30\0\0", CONN_PROTOCOL, 3, "refused with code 3 (reserved bits)" },
        { "\x7f\x40\0\0", CONN_REFUSED, 4, "too many connections" },
        { "\x7f\x90\0\0", CONN_PROTOCOL, 9, "refused with code 9" },
        { "\x7f\0\0\0", CONN_PROTOCOL, 0, "handshake is broken" },
        { "\x7f\xf1\1\0", CONN_PROTOCOL, 0, "handshake is broken" },
        { "\x7f\xf2\0\0", CONN_SUBPROTOCOL, 0, "not asked for" },
        { "HTTP", CONN_PROTOCOL, 0, "HTTP is spoken there; is it ws://" },
        { "SSH-", CONN_PROTOCOL, 0, "no RawSocket is spoken there" },
    };

    for (int slow = 0; slow < 2; slow++) {
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            call_in(hand_made, NULL, slow);
            raw_send(&raw, cases[i].answer, 4);
            expect_end(cases[i].error, cases[i].code, cases[i].words);
            CHECK_INT(client.opened, 0);
            raw_close(&raw);
        }
    }
    call_in(hand_made, NULL, false);
    raw_send(&raw, BYTES("\x7f\xf1"));
    raw_close(&raw);
    expect_end(CONN_LOST, 0, "closed the connection during the RawSocket handshake");
}

static void asks_for_one_serializer_after_the_other(int hand_made)
{
    static const char *const both[] = { "wamp.2.msgpack", "wamp.2.json", NULL };
    struct net_options o = { .subprotocols = both, .max_message = 1000 };
    char text[60];

    snprintf(text, sizeof text, "rs://127.0.0.1:%d", port);
    connect_to(text, &o);
    raw_accept(&raw, loop, hand_made);
    expect(BYTES("\x7f\x12\0\0"));
    raw_send(&raw, BYTES("\x7f\x10\0\0"));
    CHECK(raw_wait_eof(&raw));
    raw_close(&raw);
    raw_accept(&raw, loop, hand_made);
    expect(BYTES("\x7f\x11\0\0"));
    raw_send(&raw, BYTES("\x7f\xf1\0\0"));
    RUN_UNTIL(loop, client.opened);
    CHECK_STR(client.subprotocol, "wamp.2.json");
    raw_send(&raw, BYTES("\0\0\4\1"));
    expect_end(CONN_TOO_LARGE, 0, "over the limit (1024 bytes)");
    raw_close(&raw);
}

static void says_why_there_is_none(int hand_made)
{
    struct net_options o = { .connect_timeout = 50 };
    char text[60];

    snprintf(text, sizeof text, "rs://127.0.0.1:%d", spare);
    connect_to(text, NULL);
    CHECK_INT(client.closed, 0);
    expect_end(CONN_REFUSED, 0, "connection refused; is a router running there?");
    connect_to("rs://no-such-host.invalid", NULL);
    expect_end(CONN_UNKNOWN_HOST, 0, "unknown host no-such-host.invalid (");
    connect_to("rs+unix:///nonexistent/socket", NULL);
    expect_end(CONN_REFUSED, 0, "there is no such socket");
    call_in(hand_made, &o, false);
    expect_end(CONN_TIMEOUT, 0, "did not answer the RawSocket handshake within 0.05 s");
    raw_close(&raw);
}

static void closes_before_it_is_up(int hand_made)
{
    call_in(hand_made, NULL, false);
    conn_send(client.conn, buf_from("[1]", 3));
    conn_close(client.conn, 1000, NULL);
    expect_end(CONN_OK, 1000, "closed");
    CHECK_INT(client.opened, 0);
    CHECK(raw_wait_eof(&raw));
    CHECK_INT(raw.n, 0);
    raw_close(&raw);
}

static void pings_when_asked(int hand_made)
{
    struct net_options o = { .ping_interval = 20,
                             .ping_timeout = 1000,
                             .raw_pings = true };

    call_in(hand_made, &o, false);
    raw_send(&raw, BYTES("\x7f\xf1\0\0"));
    for (int i = 0; i < 3; i++) {
        expect(BYTES("\1\0\0\4ping"));
        put(RAW_PONG, "ping", 4);
    }
    CHECK_INT(client.closed, 0);
    conn_close(client.conn, 1000, NULL);
    raw_close(&raw);
    RUN_UNTIL(loop, client.closed);
    o.ping_timeout = 20;
    call_in(hand_made, &o, false);
    raw_send(&raw, BYTES("\x7f\xf1\0\0"));
    expect_end(CONN_TIMEOUT, 0, "no answer to a PING within 0.02 s");
    raw_close(&raw);
}

/* Unless it is asked to: the other side may know nothing of PINGs. */
static void does_not_ping_unasked(int hand_made)
{
    struct net_options o = { .ping_interval = 10, .ping_timeout = 10 };
    uint64_t end = loop_now() + 60;

    call_in(hand_made, &o, false);
    raw_send(&raw, BYTES("\x7f\xf1\0\0"));
    RUN_UNTIL(loop, client.opened && loop_now() > end);
    conn_send(client.conn, buf_from("[]", 2));
    expect(BYTES("\0\0\0\2[]"));
    CHECK_INT(client.closed, 0);
    raw_close(&raw);
    expect_end(CONN_LOST, 0, "the peer closed the connection");
}

/* ---- both -------------------------------------------------------------------------- */

static void meet(const char *listen, const char *format)
{
    char text[100];

    listen_on(listen, NULL);
    snprintf(text, sizeof text, format, listener_port(listener));
    server.echo = true;
    connect_to(text, NULL);
    conn_send(client.conn, block(LIMIT_MESSAGE_SIZE));
    RUN_UNTIL(loop, client.messages);
    CHECK_INT(client.length, LIMIT_MESSAGE_SIZE);
    CHECK(client.last && client.last->data[LIMIT_MESSAGE_SIZE - 1] == 'b');
    conn_close(client.conn, 1000, NULL);
    RUN_UNTIL(loop, client.closed && server.closed);
    CHECK_INT(client.end.error, CONN_OK);
    CHECK_INT(server.end.error, CONN_LOST);
    server.echo = false;
    listener_close(listener);
}

static void meet_on_a_unix_socket(void)
{
    char dir[] = "/tmp/wampy-raw-XXXXXX", text[100];

    CHECK(mkdtemp(dir) != NULL);
    snprintf(text, sizeof text, "rs+unix://%s/s", dir);
    meet(text, text);
    snprintf(text, sizeof text, "%s/s", dir);
    CHECK(access(text, F_OK) != 0);
    rmdir(dir);
}

static void serves(enum loop_backend backend)
{
    listen_on("rs://127.0.0.1:0", NULL);
    for (int slow = 0; slow < 2; slow++) {
        TEST("a RawSocket listener answers handshakes, and takes what comes behind");
        answers_handshakes(slow);
        TEST("a RawSocket listener takes messages of every length");
        takes_every_length(slow);
        TEST("a RawSocket listener answers PINGs and passes over PONGs");
        answers_pings(slow);
    }
    TEST("a RawSocket listener refuses handshakes with the code that says why");
    refuses_handshakes();
    TEST("a RawSocket listener tells HTTP clients what is spoken");
    hangs_up_on_http();
    TEST("a RawSocket listener takes what it has announced, and no more");
    announces_its_limit();
    TEST("a listener drops whoever is silent in the handshake");
    drops_slow_handshakes();
    TEST("a universal listener speaks RawSocket and WebSocket, others one of them");
    speaks_both_on_one_port();
    TEST("RawSocket messages go out in order, many at once");
    sends_in_order();
    TEST("a flood of PINGs is bounded");
    bounds_a_flood_of_pings();
    TEST("a RawSocket connection ends on what breaks the protocol");
    ends_on_violations();
    TEST("a RawSocket connection knows half a message");
    knows_half_a_message();
    TEST("a RawSocket connection counts what is queued and tells when it has drained");
    counts_what_is_queued();
    TEST("a RawSocket connection never sends what the peer does not take");
    never_sends_what_is_not_taken();
    TEST("a RawSocket connection closes behind what is queued");
    closes_behind_what_is_queued();
    if (backend == LOOP_EV) {
        TEST("a RawSocket connection does not wait for ever for the peer's end");
        closes_without_an_answer();
    }
    recorder_reset(&server);
    listener_close(listener);
}

static void connects(void)
{
    int hand_made = raw_listen(&port), unused = raw_listen(&spare);

    close(unused);
    for (int slow = 0; slow < 2; slow++) {
        TEST("a RawSocket client joins a router");
        joins_a_router(hand_made, slow);
    }
    TEST("a RawSocket client says what is wrong with the answer");
    explains_answers(hand_made);
    TEST("a RawSocket client asks for one serializer after the other");
    asks_for_one_serializer_after_the_other(hand_made);
    TEST("a RawSocket client says why there is no connection");
    says_why_there_is_none(hand_made);
    TEST("a RawSocket client may be closed before it is up");
    closes_before_it_is_up(hand_made);
    TEST("a RawSocket client sends PINGs when asked, and gives up without an answer");
    pings_when_asked(hand_made);
    TEST("a RawSocket client sends no PINGs unasked");
    does_not_ping_unasked(hand_made);
    close(hand_made);
}

static void whole(enum loop_backend backend)
{
    loop = loop_new(backend);
    serves(backend);
    connects();
    TEST("RawSocket carries the longest message on IPv4, IPv6, localhost, unix sockets");
    meet("rs://127.0.0.1:0", "rs://127.0.0.1:%d");
    meet("rs://127.0.0.1:0", "rs://localhost:%d");
    meet("rs://[::1]:0", "rs://[::1]:%d");
    meet_on_a_unix_socket();
    recorder_reset(&client);
    recorder_reset(&server);
    loop_free(loop);
}

void test_raw(void)
{
    whole(LOOP_EV);
    whole(LOOP_POLL);
}
