/* test_msg_cases.c - messages one by one: fields, escapes, absent elements,
 * revocations, and the words of faults. What can be generated from the table is in
 * test_msg.c. */
#include "message.h"

void test_msg_cases(void);

static void fields(void)
{
    struct msg m, other;
    struct fault f;

    TEST("each element goes into its field");
    CHECK(decode(&m, "[68,1,2,{\"a\":1},[3],{\"b\":4}]", &f));
    CHECK_INT(m.row->code, MSG_INVOCATION);
    CHECK(m.wire == &wire_json);
    CHECK_INT(m.request, 1);
    CHECK_INT(m.id, 2);
    CHECK(slice_is(m.dict, "{\"a\":1}") && slice_in(m.dict, m.bytes));
    CHECK(slice_is(m.args, "[3]") && slice_in(m.args, m.bytes));
    CHECK(slice_is(m.kwargs, "{\"b\":4}") && slice_in(m.kwargs, m.bytes));
    CHECK(!m.uri.p && !m.text.p && !m.publication && !m.type);
    msg_fini(&m);
    CHECK(decode(&m, "[36,5,6,{}]", &f));
    CHECK(m.id == 5 && m.publication == 6 && !m.args.p && !m.kwargs.p &&
          slice_is(m.dict, "{}"));
    msg_fini(&m);
    CHECK(decode(&m, "[8,48,9,{},\"com.oops\"]", &f));
    CHECK(m.type == 48 && m.request == 9 && slice_is(m.uri, "com.oops"));
    CHECK(slice_in(m.uri, m.bytes) && !m.scratch[0]);
    msg_fini(&m);
    CHECK(decode(&m, "[4,\"ticket\",{}]", &f));
    CHECK(slice_is(m.text, "ticket") && !m.uri.p);

    TEST("a message that has moved is ended where it went, once or twice");
    msg_move(&other, &m);
    msg_fini(&m);
    CHECK(slice_is(other.text, "ticket") && other.bytes && !m.bytes);
    msg_fini(&other);
    msg_fini(&other);
    CHECK(!other.bytes);
}

static void escapes(void)
{
    struct msg m;
    struct fault f;

    TEST("escaped URIs and strings are decoded, and encoded plainly");
    CHECK(decode(&m, "[48,1,{},\"com.\\u0065x\\u00e4\\ud83d\\ude00\"]", &f));
    CHECK(slice_is(m.uri, "com.ex\xC3\xA4\xF0\x9F\x98\x80"));
    CHECK(m.scratch[0] && slice_in(m.uri, m.scratch[0]));
    msg_fini(&m);
    check_encoded("[48,1,{},\"com.\\u0065\\/x\"]", "[48,1,{},\"com.e/x\"]");
    check_encoded("[5,\"a\\u0022\\\\b\\n\",{}]", "[5,\"a\\\"\\\\b\\n\",{}]");
    check_encoded("[4,\"\\u0074icket\",{}]", "[4,\"ticket\",{}]");

    TEST("a decoded URI outlives a move");
    {
        struct msg other;

        CHECK(decode(&m, "[5,\"\\u0061bc\",{}]", &f));
        msg_move(&other, &m);
        CHECK(slice_is(other.text, "abc"));
        msg_fini(&other);
    }

    TEST("what is decoded before a fault is freed");
    check_bad("[48,1,{},\"com.\\u0065\",1]",
              "CALL: element 5 (arguments) must be a list");
    check_bad("[5,\"\\u0061\",[]]", "AUTHENTICATE: element 3");
}

static void encoding(void)
{
    struct msg m = { .row = msg_row(MSG_CALL), .wire = &wire_json, .request = 3 };
    struct buf *b;

    TEST("absent elements: {} for options, [] for arguments in front of keywords");
    m.uri = SLICE("com.a");
    b = msg_encode(&m, &wire_json);
    CHECK(slice_is(slice_buf(b), "[48,3,{},\"com.a\"]"));
    buf_unref(b);
    m.kwargs = SLICE("{\"b\":1}");
    b = msg_encode(&m, &wire_json);
    CHECK(slice_is(slice_buf(b), "[48,3,{},\"com.a\",[],{\"b\":1}]"));
    buf_unref(b);
    m = (struct msg){ .row = msg_row(MSG_UNREGISTERED), .request = 4 };
    b = msg_encode(&m, &wire_json);
    CHECK(slice_is(slice_buf(b), "[67,4]"));
    buf_unref(b);
    m = (struct msg){ .row = msg_row(MSG_UNREGISTERED),
                      .dict = SLICE("{\"registration\":9}") };
    b = msg_encode(&m, &wire_json);
    CHECK(slice_is(slice_buf(b), "[67,0,{\"registration\":9}]"));
    buf_unref(b);
    m = (struct msg){ .row = msg_row(MSG_GOODBYE), .uri = SLICE("wamp.close.normal") };
    b = msg_encode(&m, &wire_json);
    CHECK(slice_is(slice_buf(b), "[6,{},\"wamp.close.normal\"]"));
    buf_unref(b);

    TEST("null in place of payload is as if it were not there");
    check_encoded("[50,1,{},null,null]", "[50,1,{}]");
    check_encoded("[36,1,2,{},null,{\"a\":1}]", "[36,1,2,{},[],{\"a\":1}]");
    check_encoded("[8,48,1,{},\"com.oops\",[1],null]", "[8,48,1,{},\"com.oops\",[1]]");
    check_bad("[48,1,{},\"com.a\",null]", "CALL: element 5 (arguments) must be a list");
    check_bad("[70,1,{},[],null]", "YIELD: element 5 (keyword arguments) must be a dict");
    check_bad("[50,1,null]", "RESULT: element 3 (options or details) must be a dict");
}

static void revocations(void)
{
    TEST("request id 0 is a revocation and needs its details");
    check_good("[35,0,{\"subscription\":1}]");
    check_good("[67,0,{}]");
    check_good("[35,1]");
    check_good("[67,1,{}]");
    check_bad("[35,0]", "UNSUBSCRIBED: request id 0 without");
    check_bad("[67,0]", "UNREGISTERED: request id 0 without");
    check_bad("[35,-1,{}]",
              "UNSUBSCRIBED: element 2 (request id) must be an integer from 0 to");
    check_bad("[35,0,null]", "UNSUBSCRIBED: element 3 (details) must be a dict");
    check_bad("[32,0,{},\"com.a\"]", "SUBSCRIBE: element 2");
}

static void request_types(void)
{
    static const int known[] = { 16, 32, 34, 48, 64, 66, 68 };
    char text[100];

    TEST("ERROR names a request that can fail");
    for (int type = -2, k = 0; type < 400; type++) {
        bool can_fail = k < (int)COUNT(known) && known[k] == type;

        k += can_fail;
        snprintf(text, sizeof text, "[8,%d,1,{},\"com.oops\"]", type);
        if (can_fail)
            check_good(text);
        else
            check_bad(text,
                      "ERROR: element 2 (request type) must be one of 16, 32, 34, 48");
    }
}

static void faults(void)
{
    static const struct {
        const char *text, *words;
    } bad[] = {
        { "", "message is not valid JSON: unexpected end at byte 1" },
        { " ", "message is not valid JSON: unexpected end at byte 2" },
        { "[48,1}", "message is not valid JSON: expected ',' or ']' at byte 6" },
        { "[48,1,{},\"a\",[1,2],{\"b\" 3}]",
          "message is not valid JSON: expected ':' at byte 25" },
        { "[48,1,{},\"a\"]]",
          "message is not valid JSON: text behind the value at byte 14" },
        { "[48,1,{},\"a\"", "message is not valid JSON: unexpected end at byte 13" },
        { "[48,1,{},\"a\",]", "message is not valid JSON: expected a value at byte 14" },
        { "[48,1,{},\"\xC3(\"]", "message is not valid JSON: invalid UTF-8 at byte 11" },
        { "[99,{\"a\":}]", "message is not valid JSON: expected a value" },
        { "{}", "message must be a list" },
        { "1", "message must be a list" },
        { "\"[1]\"", "message must be a list" },
        { "null", "message must be a list" },
        { "[]", "message is an empty list" },
        { "[null]", "message type must be an integer" },
        { "[\"48\",1,{},\"a\"]", "message type must be an integer" },
        { "[48.0,1,{},\"a\"]", "message type must be an integer" },
        { "[[48],1,{},\"a\"]", "message type must be an integer" },
        { "[true]", "message type must be an integer" },
        { "[99]", "unknown message type 99" },
        { "[-1,2,3]", "unknown message type -1" },
        { "[337,1]", "unknown message type 337" },
        { "[9223372036854775807]", "unknown message type 9223372036854775807" },
        { "[4294967344,1,{},\"a\"]", "unknown message type 4294967344" },
        { "[48,1,{}]", "CALL: 3 elements, expected 4 to 6" },
        { "[48]", "CALL: 1 element, expected 4 to 6" },
        { "[48,1,{},\"a\",[],{},0]", "CALL: 7 elements, expected 4 to 6" },
        { "[32,1]", "SUBSCRIBE: 2 elements, expected 4" },
        { "[35]", "UNSUBSCRIBED: 1 element, expected 2 to 3" },
        { "[48,0,{},\"a\"]",
          "CALL: element 2 (request id) must be an integer from 1 to 9007199254740992" },
        { "[48,1,[],\"a\"]", "CALL: element 3 (options or details) must be a dict" },
        { "[48,1,{},7]", "CALL: element 4 (URI) must be a string" },
        { "[2,0,{}]", "WELCOME: element 2 (session id) must be an integer from 1" },
        { "[33,1,0]",
          "SUBSCRIBED: element 3 (subscription or registration id) must be an" },
        { "[17,1,0]", "PUBLISHED: element 3 (publication id) must be an integer from 1" },
        { "[5,1,{}]", "AUTHENTICATE: element 2 (text) must be a string" },
        { "[16,1,{},\"a\",{}]", "PUBLISH: element 5 (arguments) must be a list" },
        { "[16,1,{},\"a\",[],[]]",
          "PUBLISH: element 6 (keyword arguments) must be a dict" },
    };

    TEST("faults name the message, the element and what was expected");
    for (size_t i = 0; i < COUNT(bad); i++)
        check_bad(bad[i].text, bad[i].words);
}

static void depth(void)
{
    char text[400] = "[48,1,{},\"a\",";
    size_t n = strlen(text);

    TEST("payload nests as deep as the format allows together with the message");
    memset(text + n, '[', LIMIT_DEPTH - 1);
    memset(text + n + LIMIT_DEPTH - 1, ']', LIMIT_DEPTH);
    check_good(text);
    memset(text + n, '[', LIMIT_DEPTH);
    memset(text + n + LIMIT_DEPTH, ']', LIMIT_DEPTH + 1);
    check_bad(text, "message is not valid JSON: nested deeper than 128");
}

static void fault_texts(void)
{
    struct fault f;
    char long_text[301];

    TEST("a fault's text is one line of valid UTF-8, whatever went into it");
    fault_set(&f, "com.a", "%s %d", "a\r\nb\x1b[0m\x7F", 7);
    CHECK_STR(f.text, "a??b?[0m? 7");
    CHECK_STR(f.uri, "com.a");
    fault_set(&f, "com.a", "%s",
              "gr\xC3\xB6\xC3\x9F"
              "er");
    CHECK_STR(f.text, "gr\xC3\xB6\xC3\x9F"
                      "er");
    fault_set(&f, "com.a", "%.3s!", "gr\xC3\xB6");
    CHECK_STR(f.text, "gr?!");
    memset(long_text, 'x', 300);
    long_text[300] = '\0';
    memcpy(long_text + 198, "\xC3\xB6", 2);
    fault_set(&f, "com.a", "%s", long_text);
    CHECK_INT(strlen(f.text), sizeof f.text - 1);
    CHECK(utf8_ok(slice_of(f.text)));
}

static void shedding(void)
{
    static const char head[] = "[68,7,9,{\"procedure\":\"com.a\",\"x\":[1]},[\"";
    static char text[100000];
    struct msg m, kept;
    struct fault f;
    struct buf *b;

    memset(text, 'x', sizeof text);
    memcpy(text, head, sizeof head - 1);
    memcpy(text + sizeof text - 3, "\"]]", 3);
    for (size_t n = sizeof text; n; n = n > 100 ? 100 : 0) {
        TEST("a message whose arguments have been read keeps the rest, and few bytes");
        if (n == 100)
            memcpy(text + n - 3, "\"]]", 3);
        b = buf_from(text, n);
        CHECK(msg_decode(&m, &wire_json, b, &f));
        msg_keep(&kept, &m);
        msg_fini(&m);
        msg_shed(&kept);
        CHECK_INT(b->refs, n == 100 ? 2 : 1);
        buf_unref(b);
        CHECK(slice_is(kept.dict, "{\"procedure\":\"com.a\",\"x\":[1]}"));
        CHECK(kept.request == 7 && kept.id == 9 && !kept.args.p && !kept.kwargs.p);
        CHECK(kept.bytes->cap <= 200);
        msg_fini(&kept);
    }
}

void test_msg_cases(void)
{
    fields();
    escapes();
    encoding();
    revocations();
    request_types();
    faults();
    depth();
    fault_texts();
    shedding();
}
