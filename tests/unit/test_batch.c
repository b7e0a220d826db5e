/* test_batch.c - batches of messages: bytes written and read, in one piece and bytewise,
 * and over WebSockets. */
#include <stdlib.h>

#include "check.h"
#include "net/batch.h"
#include "raw.h"
#include "wamp/limits.h"

void test_batch(void);

#define MAX 8 /* bytes of a message, for the readers here */

/* ---- bytes ------------------------------------------------------------------------- */

struct found {
    char text[100]; /* the messages, with a bar behind each */
    enum batch_found last;
    const char *wrong; /* what batch_end says */
};

static struct found read_all(enum batch kind, struct slice in, size_t step)
{
    struct batch_reader r = { .kind = kind, .max = MAX };
    struct found f = { "", BATCH_MORE, NULL };
    struct buf *message;

    while (in.n && f.last == BATCH_MORE) {
        struct slice piece = { in.p, step < in.n ? step : in.n };

        in.p += piece.n;
        in.n -= piece.n;
        while ((f.last = batch_read(&r, &piece, &message)) == BATCH_MESSAGE) {
            strncat(f.text, message->data, message->len);
            strcat(f.text, "|");
            buf_unref(message);
        }
    }
    f.wrong = batch_end(&r);
    batch_reader_fini(&r);
    return f;
}

static void expect(enum batch kind, struct slice in, const char *text,
                   enum batch_found last, const char *wrong)
{
    for (size_t step = 1; step <= in.n + 1; step++) {
        struct found f = read_all(kind, in, step);

        CHECK_STR(f.text, text);
        CHECK_INT(f.last, last);
        if (last == BATCH_MORE && wrong)
            CHECK_STR(f.wrong, wrong);
        else if (last == BATCH_MORE)
            CHECK(f.wrong == NULL);
    }
}

static void reads(void)
{
    static const char late[] = "a length beyond the end of its batch";

    TEST("a batch of JSON ends each message with a separator");
    expect(BATCH_SEPARATED, SLICE("[1]\x1e"), "[1]|", BATCH_MORE, NULL);
    expect(BATCH_SEPARATED, SLICE("[1]\x1e[22]\x1e[3]\x1e"), "[1]|[22]|[3]|", BATCH_MORE,
           NULL);
    expect(BATCH_SEPARATED, SLICE("\x1e"), "|", BATCH_MORE, NULL);
    expect(BATCH_SEPARATED, SLICE("12345678\x1e"), "12345678|", BATCH_MORE, NULL);

    TEST(
        "a batch of JSON without messages, without its end, or with a long one is wrong");
    expect(BATCH_SEPARATED, SLICE(""), "", BATCH_MORE, "an empty batch");
    expect(BATCH_SEPARATED, SLICE("[1]"), "", BATCH_MORE,
           "a batch without a separator at its end");
    expect(BATCH_SEPARATED, SLICE("[1]\x1e[2]"), "[1]|", BATCH_MORE,
           "a batch without a separator at its end");
    expect(BATCH_SEPARATED,
           SLICE("[1]\x1e"
                 "123456789\x1e"),
           "[1]|", BATCH_TOO_LONG, NULL);

    TEST("another batch begins each message with its length");
    expect(BATCH_COUNTED, SLICE("\0\0\0\1a"), "a|", BATCH_MORE, NULL);
    expect(BATCH_COUNTED, SLICE("\0\0\0\2ab\0\0\0\0\0\0\0\010abcdefgh"), "ab||abcdefgh|",
           BATCH_MORE, NULL);

    TEST("another batch without messages, or with lengths that are not right, is wrong");
    expect(BATCH_COUNTED, SLICE(""), "", BATCH_MORE, "an empty batch");
    expect(BATCH_COUNTED, SLICE("\0"), "", BATCH_MORE, late);
    expect(BATCH_COUNTED, SLICE("\0\0\0\2a"), "", BATCH_MORE, late);
    expect(BATCH_COUNTED, SLICE("\0\0\0\2"), "", BATCH_MORE, late);
    expect(BATCH_COUNTED, SLICE("\0\0\0\1ab"), "a|", BATCH_MORE, late);
    expect(BATCH_COUNTED, SLICE("\0\0\0\1a\0\0\0\011"), "a|", BATCH_TOO_LONG, NULL);
    expect(BATCH_COUNTED, SLICE("\xff\xff\xff\xff"), "", BATCH_TOO_LONG, NULL);
}

static void writes(void)
{
    struct slice messages[] = { SLICE("[1]"), SLICE(""), SLICE("12345678") };
    enum batch kinds[] = { BATCH_SEPARATED, BATCH_COUNTED };

    TEST("what is written is read as the same, and has the size that was told");
    for (size_t k = 0; k < 2; k++) {
        struct buf *batch = buf_new(0);
        size_t size = 0;

        for (size_t i = 0; i < 3; i++) {
            batch_add(kinds[k], &batch, messages[i]);
            size += batch_size(kinds[k], messages[i].n);
        }
        CHECK_INT(batch->len, size);
        expect(kinds[k], slice_buf(batch), "[1]||12345678|", BATCH_MORE, NULL);
        buf_unref(batch);
    }

    TEST("subprotocols are batched by their last word");
    CHECK_INT(batch_of("wamp.2.json"), BATCH_NONE);
    CHECK_INT(batch_of("wamp.2.json.batched"), BATCH_SEPARATED);
    CHECK_INT(batch_of("wamp.2.cbor.batched"), BATCH_COUNTED);
    CHECK_INT(batch_of("batched"), BATCH_NONE);
}

/* ---- over WebSockets --------------------------------------------------------------- */

static struct loop *loop;
static struct listener *listener;
static struct recorder server;
static struct raw raw;

static void listen_for(const char *subprotocol, size_t max_message)
{
    const char *const subprotocols[] = { subprotocol, NULL };
    struct net_options o = { .subprotocols = subprotocols, .max_message = max_message };
    struct conn_end end;
    struct url url;
    char error[200];

    CHECK(url_parse_listen(&url, "0", error, sizeof error));
    recorder_reset(&server);
    listener = listener_open(loop, &url, &o, recorder_accept, &server, &end);
    CHECK(listener != NULL);
    raw_connect(&raw, loop, listener_port(listener));
    raw_upgrade(&raw, subprotocol);
    CHECK_INT(server.opened, 1);
}

static void leave(void)
{
    raw_close(&raw);
    RUN_UNTIL(loop, server.closed);
    CHECK_INT(server.closed, 1);
    listener_close(listener);
}

static void send_three(void)
{
    conn_send(server.conn, buf_from("[1]", 3));
    conn_send(server.conn, buf_from("[22]", 4));
    conn_send(server.conn, buf_from("[3]", 3));
    CHECK_INT(server.conn->queued, 10);
}

static void sends_at_once(void)
{
    char payload[100];

    TEST("what is queued in one turn goes out as one WebSocket message");
    listen_for("wamp.2.json.batched", 0);
    send_three();
    CHECK_INT(raw_next(&raw, payload, sizeof payload), 0x81);
    CHECK_STR(payload, "[1]\x1e[22]\x1e[3]\x1e");
    CHECK_INT(server.conn->queued, 0);
    leave();

    listen_for("wamp.2.cbor.batched", 0);
    send_three();
    CHECK(raw_wait(&raw, 2 + 22));
    CHECK(!memcmp(raw.in, "\x82\x16\0\0\0\3[1]\0\0\0\4[22]\0\0\0\3[3]", 2 + 22));
    leave();

    TEST("a batch is no longer than a message may be, unless it is a single one");
    listen_for("wamp.2.json.batched", 9);
    send_three();
    conn_send(server.conn, buf_from("123456789", 9));
    CHECK_INT(raw_next(&raw, payload, sizeof payload), 0x81);
    CHECK_STR(payload, "[1]\x1e[22]\x1e");
    CHECK_INT(raw_next(&raw, payload, sizeof payload), 0x81);
    CHECK_STR(payload, "[3]\x1e");
    CHECK_INT(raw_next(&raw, payload, sizeof payload), 0x81);
    CHECK_STR(payload, "123456789\x1e");
    leave();
}

/* Ten messages of which each takes what a message may. */
static void takes_long_batches(void)
{
    struct buf *batch = buf_new(0);

    TEST("a batch may be longer than a message, and come in fragments");
    for (int i = 0; i < 10; i++)
        batch_add(BATCH_COUNTED, &batch, SLICE("12345678"));
    listen_for("wamp.2.msgpack.batched", 8);
    raw_frame(&raw, 0x82, batch->data, batch->len, true);
    RUN_UNTIL(loop, server.messages == 10);
    CHECK_STR(server.text, "12345678");
    raw_frame(&raw, 0x02, batch->data, 14, true);
    RUN_UNTIL(loop, server.messages == 11);
    raw_frame(&raw, 0x00, batch->data + 14, 4, true);
    raw_frame(&raw, 0x80, batch->data + 18, 6, true);
    RUN_UNTIL(loop, server.messages == 12);
    CHECK_INT(server.messages, 12);
    CHECK_INT(server.conn->coming, 0);
    leave();
    buf_unref(batch);
}

static void refuse(const char *subprotocol, int first, struct slice batch,
                   enum conn_error error, int code, const char *words)
{
    listen_for(subprotocol, 8);
    raw_frame(&raw, first, batch.p, batch.n, true);
    CHECK(raw_wait_text(&raw, "\x88"));
    raw_close(&raw); /* so that nobody waits for an answer */
    RUN_UNTIL(loop, server.closed);
    CHECK_INT(server.closed, 1);
    CHECK_INT(server.end.error, error);
    CHECK_INT(server.end.code, code);
    CHECK(strstr(server.end.text, words) != NULL);
    raw_close(&raw);
    listener_close(listener);
}

static void refuses(void)
{
    TEST("a wrong batch ends the connection, and says why");
    refuse("wamp.2.json.batched", 0x81, SLICE(""), CONN_PROTOCOL, 1002, "an empty batch");
    refuse("wamp.2.json.batched", 0x81, SLICE("[1]"), CONN_PROTOCOL, 1002, "separator");
    refuse("wamp.2.json.batched", 0x82, SLICE("[1]\x1e"), CONN_PROTOCOL, 1003,
           "a binary frame");
    refuse("wamp.2.json.batched", 0x81, SLICE("123456789"), CONN_TOO_LARGE, 1009,
           "over the limit");
    refuse("wamp.2.cbor.batched", 0x82, SLICE("\0\0\0\2a"), CONN_PROTOCOL, 1002,
           "beyond the end");
    refuse("wamp.2.cbor.batched", 0x82, SLICE("\x7f\0\0\2a"), CONN_TOO_LARGE, 1009,
           "over the limit");
    refuse("wamp.2.cbor.batched", 0x81, SLICE("\0\0\0\1a"), CONN_PROTOCOL, 1003,
           "a text frame");

    TEST("a connection that ends within a message of a batch is truncated");
    listen_for("wamp.2.json.batched", 8);
    raw_frame(&raw, 0x01, "[1]\x1e[2", 6, true);
    RUN_UNTIL(loop, server.messages == 1);
    raw_close(&raw);
    RUN_UNTIL(loop, server.closed);
    CHECK_INT(server.end.error, CONN_TRUNCATED);
    listener_close(listener);
}

void test_batch(void)
{
    reads();
    writes();
    loop = loop_new(LOOP_POLL);
    sends_at_once();
    takes_long_batches();
    refuses();
    loop_free(loop);
}
