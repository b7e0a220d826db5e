/* test_raw_frame.c - RawSocket's handshake and frames: vectors, by hand, bytewise.
 *
 * Each stream is read as one piece and again octet by octet: what is found must not
 * depend on how the octets are cut. */
#include <stdlib.h>

#include "check.h"
#include "net/raw_frame.h"
#include "vectors.h"

void test_raw_frame(void);

static void unhex(const char *text, unsigned char out[RAW_HEAD])
{
    unsigned octet = 0;

    for (unsigned i = 0; i < RAW_HEAD; i++) {
        CHECK(sscanf(text + 2 * i, "%2x", &octet) == 1);
        out[i] = (unsigned char)octet;
    }
}

static void check_octets(const unsigned char got[RAW_HEAD],
                         const unsigned char wanted[RAW_HEAD], const char *what)
{
    if (memcmp(got, wanted, RAW_HEAD) != 0)
        check_fail(__FILE__, __LINE__, what);
}

/* ---- the vectors ------------------------------------------------------------------- */

static long number(struct slice value)
{
    return value.p ? strtol(value.p, NULL, 10) : -1;
}

static void check_hello(struct slice vector)
{
    const char *text = json_string(json_member(vector, "bytes"));
    const char *serializer = json_string(json_member(vector, "serializer"));
    size_t takes = (size_t)number(json_member(vector, "max_message"));
    unsigned char in[RAW_HEAD], out[RAW_HEAD];
    struct raw_hello h = { 0 };
    char subprotocol[40];

    unhex(text, in);
    snprintf(subprotocol, sizeof subprotocol, "wamp.2.%s", serializer);
    CHECK_INT(raw_hello_read(&h, in), RAW_ACCEPTED);
    CHECK_INT(h.serializer, raw_serializer_of(subprotocol));
    CHECK_INT(h.takes, takes);
    raw_hello_write(&h, out);
    check_octets(out, in, text);
    h = (struct raw_hello){ 0 };
    CHECK_INT(raw_answer_read(&h, in), RAW_ACCEPTED);
    CHECK_INT(h.takes, takes);
}

static void check_refusal(struct slice vector)
{
    const char *text = json_string(json_member(vector, "bytes"));
    int code = (int)number(json_member(vector, "code"));
    unsigned char in[RAW_HEAD], out[RAW_HEAD];
    struct raw_hello h;

    unhex(text, in);
    CHECK_INT(raw_answer_read(&h, in), code);
    raw_refusal_write(code, out);
    check_octets(out, in, text);
}

static enum raw_type type_of(const char *name)
{
    return !strcmp(name, "wamp")   ? RAW_MESSAGE
           : !strcmp(name, "ping") ? RAW_PING
                                   : RAW_PONG;
}

static void check_head(struct slice vector)
{
    const char *text = json_string(json_member(vector, "header"));
    enum raw_type type = type_of(json_string(json_member(vector, "type"))), found;
    size_t n = (size_t)number(json_member(vector, "payload_len"));
    unsigned char in[RAW_HEAD], out[RAW_HEAD];
    struct raw_reader r = { .max = 1 << 24 };
    struct slice head = { (char *)in, RAW_HEAD };
    struct buf *payload = NULL;

    unhex(text, in);
    raw_head_write(type, n, out);
    check_octets(out, in, text);
    CHECK_INT(raw_read(&r, &head, &found, &payload), n ? RAW_MORE : RAW_FRAME);
    CHECK_INT(raw_missing(&r), n);
    CHECK_INT(r.type, type);
    buf_unref(payload);
    raw_reader_fini(&r);
}

static int each(struct slice list, void (*check)(struct slice vector))
{
    struct slice vector;
    size_t at = 0;

    while ((vector = json_element(list, &at)).p)
        check(vector);
    return (int)at;
}

static void test_given(void)
{
    struct buf *file = vectors_read("misc-vectors.json");
    struct slice raw;

    if (!file) {
        vectors_absent("RawSocket's handshake and frames");
        return;
    }
    raw = json_member(slice_buf(file), "rawsocket");
    CHECK_INT(each(json_member(raw, "handshake_ok"), check_hello), 15);
    CHECK_INT(each(json_member(raw, "handshake_error"), check_refusal), 4);
    CHECK_INT(each(json_member(raw, "frame_headers"), check_head), 7);
    buf_unref(file);
}

/* ---- the handshake by hand --------------------------------------------------------- */

#define OCTETS(s) ((const unsigned char *)(s))

static void test_handshake(void)
{
    struct raw_hello h = { 0 };

    TEST("all sixteen lengths are announced, each for the messages that it can take");
    for (unsigned code = 0; code < 16; code++) {
        size_t size = (size_t)512 << code;

        CHECK_INT(raw_announced(size), size);
        CHECK_INT(raw_announced(size - 1), size);
        CHECK_INT(raw_announced(size / 2 + 1), size);
    }
    CHECK_INT(raw_announced(0), 512);
    CHECK_INT(raw_announced((size_t)1 << 40), 1 << 24);

    TEST("a client's handshake is refused with the code that says why");
    CHECK_INT(raw_hello_read(&h, OCTETS("\x7e\xf1\0\0")), RAW_FOREIGN);
    CHECK_INT(raw_hello_read(&h, OCTETS("GET ")), RAW_FOREIGN);
    CHECK_INT(raw_hello_read(&h, OCTETS("\x7f\xf0\0\0")), RAW_SERIALIZER);
    CHECK_INT(raw_hello_read(&h, OCTETS("\x7f\xf1\x01\0")), RAW_RESERVED);
    CHECK_INT(raw_hello_read(&h, OCTETS("\x7f\xf1\0\x80")), RAW_RESERVED);
    CHECK_INT(raw_hello_read(&h, OCTETS("\x7f\xff\0\0")), RAW_ACCEPTED);
    CHECK_INT(h.serializer, 15);

    TEST("a server's answer that must not be used is told from a refusal");
    CHECK_INT(raw_answer_read(&h, OCTETS("HTTP")), RAW_FOREIGN);
    CHECK_INT(raw_answer_read(&h, OCTETS("\x7f\0\0\0")), RAW_ILLEGAL);
    CHECK_INT(raw_answer_read(&h, OCTETS("\x7f\xf1\0\x01")), RAW_ILLEGAL);
    CHECK_INT(raw_answer_read(&h, OCTETS("\x7f\xf0\0\0")), 15);

    TEST("serializers have numbers, other subprotocols none");
    CHECK_INT(raw_serializer_of("wamp.2.json"), 1);
    CHECK_INT(raw_serializer_of("wamp.2.flatbuffers"), 5);
    CHECK_INT(raw_serializer_of("wamp.2.json5"), 0);
    CHECK_INT(raw_serializer_of("wamp.2.jso"), 0);
    CHECK_INT(raw_serializer_of("com.example"), 0);

    TEST("a batched form has the number of its format");
    CHECK_INT(raw_serializer_of("wamp.2.json.batched"), 1);
    CHECK_INT(raw_serializer_of("wamp.2.cbor.batched"), 3);
    CHECK_INT(raw_serializer_of("wamp.2.json.batch"), 0);
}

/* ---- frames by hand ---------------------------------------------------------------- */

/* What a stream holds, as "type:payload " each, and how it ends. */
static void read_all(struct slice in, size_t step, size_t max, char *out, size_t size)
{
    static const char *const ends[] = { "", "more", "bits", "type", "long" };
    struct raw_reader r = { .max = max };
    enum raw_found found = RAW_MORE;
    size_t n = 0;

    out[0] = '\0';
    while (in.n && found == RAW_MORE) {
        struct slice piece = { in.p, step < in.n ? step : in.n };
        struct buf *payload;
        enum raw_type type;

        in.p += piece.n;
        in.n -= piece.n;
        while ((found = raw_read(&r, &piece, &type, &payload)) == RAW_FRAME) {
            n += (size_t)snprintf(out + n, size - n, "%d:%.*s ", (int)type,
                                  (int)payload->len, payload->data);
            buf_unref(payload);
        }
    }
    snprintf(out + n, size - n, "%s %zu", ends[found], raw_missing(&r));
    raw_reader_fini(&r);
}

static void check_stream(struct slice in, const char *wanted)
{
    char got[200];

    for (size_t step = 1; step <= in.n; step++) {
        read_all(in, step, 512, got, sizeof got);
        CHECK_STR(got, wanted);
    }
}

static void test_frames(void)
{
    TEST("frames of all types come out whole and in order, however they are cut");
    check_stream(SLICE("\0\0\0\3[1]\1\0\0\2hi\0\0\0\0\2\0\0\1x"),
                 "0:[1] 1:hi 0: 2:x more 0");
    check_stream(SLICE("\0\0\0\3[1"), "more 1");
    check_stream(SLICE("\0\0\0\2[]\0\0"), "0:[] more 2");

    TEST("reserved bits and types are violations, behind good frames as well");
    check_stream(SLICE("\x10\0\0\0"), "bits 0");
    check_stream(SLICE("\x80\0\0\0"), "bits 0");
    check_stream(SLICE("\x08\0\0\1"), "bits 0");
    check_stream(SLICE("\3\0\0\0"), "type 0");
    check_stream(SLICE("\0\0\0\1a\7\0\0\0"), "0:a type 0");

    TEST("a declared length over the limit is refused by its head alone");
    check_stream(SLICE("\0\0\2\1"), "long 0");
    check_stream(SLICE("\1\xff\xff\xff"), "long 0");
    check_stream(SLICE("\x08\0\0\0"), "long 0");
}

static void test_memory(void)
{
    struct raw_reader r = { .max = 1 << 24 };
    struct slice in = SLICE("\x08\0\0\0x");
    struct buf *payload;
    enum raw_type type;

    TEST("16 MiB that were only declared take no room");
    CHECK_INT(raw_read(&r, &in, &type, &payload), RAW_MORE);
    CHECK(r.payload && r.payload->cap <= 65536);
    CHECK_INT(raw_missing(&r), (1 << 24) - 1);
    raw_reader_fini(&r);
}

static void test_longest(void)
{
    static char piece[65536];
    struct raw_reader r = { .max = 1 << 24 };
    struct slice in = SLICE("\x08\0\0\0");
    struct buf *payload = NULL;
    enum raw_type type;
    enum raw_found found;

    TEST("the longest payload, 2^24 octets, comes whole");
    CHECK_INT(raw_read(&r, &in, &type, &payload), RAW_MORE);
    memset(piece, 'p', sizeof piece);
    do {
        in = (struct slice){ piece, sizeof piece };
        found = raw_read(&r, &in, &type, &payload);
    } while (found == RAW_MORE);
    CHECK_INT(found, RAW_FRAME);
    CHECK_INT(in.n, 0);
    CHECK(payload && payload->len == 1 << 24 && payload->data[(1 << 24) - 1] == 'p');
    buf_unref(payload);
}

void test_raw_frame(void)
{
    TEST("the vectors of RawSocket");
    test_given();
    test_handshake();
    test_frames();
    test_memory();
    test_longest();
}
