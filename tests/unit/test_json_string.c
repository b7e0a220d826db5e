/* test_json_string.c - the values of strings and binaries, read and written, base64 and
 * UTF-8.
 *
 * Which strings are accepted at all is tested with the files of tests/json. Here: what
 * they are worth, when the input's own bytes are given, and what is escaped in
 * writing. */
#include <stdlib.h>

#include "check.h"
#include "walk.h"
#include "wamp/base64.h"

void test_json_string(void);

/* ---- reading ----------------------------------------------------------------------- */

/* Whether the string `json` has the value `expected`. */
static bool reads_as(struct slice json, enum token token, struct slice expected)
{
    struct buf *scratch = NULL;
    struct reader r;
    struct slice value;
    bool ok;

    reader_init(&r, &wire_json, json);
    if (reader_next(&r) != token)
        return false;
    value = reader_text(&r, &scratch);
    ok = value.p && slice_eq(value, expected) && reader_next(&r) == TOKEN_END;
    buf_unref(scratch);
    return ok;
}

#define READS_AS(json, value) CHECK(reads_as(SLICE(json), TOKEN_STRING, SLICE(value)))

static void values(void)
{
    TEST("escapes become what they stand for");
    READS_AS("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
    READS_AS("\"\\u0041\\u007a\"", "Az");
    READS_AS("\"a\\u0000b\"", "a\0b");
    READS_AS("\"\\u007f\\u0080\"", "\x7f\xc2\x80");
    READS_AS("\"\\u07ff\\u0800\"", "\xdf\xbf\xe0\xa0\x80");
    READS_AS("\"\\uD7FF\\ue000\\uFfFf\"", "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf");
    READS_AS("\"\\ud800\\udc00\"", "\xf0\x90\x80\x80");
    READS_AS("\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf");
    READS_AS("\"x\\ud83d\\ude00y\"", "x\xf0\x9f\x98\x80y");
    READS_AS("\"\\\\u0041\"", "\\u0041");

    TEST("text around escapes stays, wherever they are");
    READS_AS("\"\\n\"", "\n");
    READS_AS("\"abcdefg\\nhijklmnopq\\t\"", "abcdefg\nhijklmnopq\t");
    READS_AS("\"\\u00e9\xc3\xa9\\u00e9\"", "\xc3\xa9\xc3\xa9\xc3\xa9");
    READS_AS("\"\"", "");
}

static void places(void)
{
    struct slice json =
        SLICE("[\"plain\",\"esc\\u0061ped\",\"again\\n\",{\"\\u0000k\":0}]");
    struct buf *scratch = NULL;
    struct reader r;
    struct slice s;

    TEST("a string without escapes is the input's own bytes");
    reader_init(&r, &wire_json, json);
    reader_next(&r);
    CHECK(reader_next(&r) == TOKEN_STRING && !r.escaped);
    s = reader_text(&r, &scratch);
    CHECK(s.p == json.p + 2 && s.n == 5 && !scratch);

    TEST("one with escapes is decoded behind what is in the scratch already");
    CHECK(reader_next(&r) == TOKEN_STRING && r.escaped);
    s = reader_text(&r, &scratch);
    CHECK(slice_is(s, "escaped") && scratch && slice_in(s, scratch));
    CHECK(reader_next(&r) == TOKEN_STRING);
    s = reader_text(&r, &scratch);
    CHECK(slice_is(s, "again\n") && slice_in(s, scratch));
    CHECK(slice_is(slice_buf(scratch), "escapedagain\n"));

    TEST("a key is text even where a string would be binary");
    CHECK(reader_next(&r) == TOKEN_DICT && reader_next(&r) == TOKEN_KEY);
    s = reader_text(&r, &scratch);
    CHECK(slice_eq(s, SLICE("\0k")));
    buf_unref(scratch);
}

/* ---- writing ----------------------------------------------------------------------- */

static bool writes_as(struct slice value, struct slice json)
{
    struct writer w;
    bool ok;

    writer_init(&w, &wire_json, 0);
    writer_string(&w, value);
    ok = slice_eq(slice_buf(w.buf), json) && reads_as(json, TOKEN_STRING, value);
    writer_fini(&w);
    return ok;
}

#define WRITES_AS(value, json) CHECK(writes_as(SLICE(value), SLICE(json)))

static void escapes(void)
{
    TEST("only what must be escaped is, in the shortest way");
    WRITES_AS("", "\"\"");
    WRITES_AS("a/b 'c' \x7f", "\"a/b 'c' \x7f\"");
    WRITES_AS("\"\\", "\"\\\"\\\\\"");
    WRITES_AS("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"");
    WRITES_AS("\x01\x0b\x1f", "\"\\u0001\\u000b\\u001f\"");
    WRITES_AS("x\0y", "\"x\\u0000y\"");
    WRITES_AS("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
              "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
    WRITES_AS("\xe2\x80\xa8", "\"\xe2\x80\xa8\"");

    TEST("an escape may be at any place of the eight bytes looked at together");
    for (size_t at = 0; at < 20; at++) {
        char value[20], json[21 + 3];

        memset(value, 'x', sizeof value);
        memset(json, 'x', sizeof json);
        value[at] = '\n';
        json[0] = json[22] = '"';
        memcpy(json + 1 + at, "\\n", 2);
        CHECK(writes_as((struct slice){ value, 20 }, (struct slice){ json, 23 }));
    }
}

static void commas(void)
{
    struct writer w;

    TEST("a text that begins with U+0000 is written as it is, though it reads as binary");
    writer_init(&w, &wire_json, 0);
    writer_string(&w, SLICE("\0Zg=="));
    CHECK(reads_as(slice_buf(w.buf), TOKEN_BINARY, SLICE("f")));
    writer_fini(&w);

    TEST("commas stand between elements and entries, and nowhere else");
    writer_init(&w, &wire_json, 0);
    writer_list(&w, 6);
    writer_list(&w, 0);
    writer_list_end(&w);
    writer_string(&w, SLICE("[{:"));
    writer_dict(&w, 3);
    writer_key(&w, SLICE("a:"));
    writer_null(&w);
    writer_key(&w, SLICE("b["));
    writer_dict(&w, 0);
    writer_dict_end(&w);
    writer_key(&w, SLICE(""));
    writer_raw(&w, SLICE("[1, 2]"));
    writer_dict_end(&w);
    writer_bool(&w, true);
    writer_bool(&w, false);
    writer_float(&w, 1.5);
    writer_int(&w, -7);
    writer_binary(&w, SLICE("\xff"));
    writer_list_end(&w);
    CHECK(slice_is(slice_buf(w.buf),
                   "[[],\"[{:\",{\"a:\":null,\"b[\":{},\"\":[1, 2]},true,false,1.5,-7,"
                   "\"\\u0000/w==\"]"));
    CHECK(!walk_next(&wire_json, slice_buf(w.buf)).error);
    writer_fini(&w);
}

/* ---- binary ------------------------------------------------------------------------ */

static void base64(void)
{
    static const struct {
        const char *bytes, *text;
    } cases[] = { { "", "" },
                  { "f", "Zg==" },
                  { "fo", "Zm8=" },
                  { "foo", "Zm9v" },
                  { "foob", "Zm9vYg==" },
                  { "fooba", "Zm9vYmE=" },
                  { "foobar", "Zm9vYmFy" } }; /* RFC 4648, 10 */
    char out[64];
    size_t n = 99;

    TEST("base64 has the test vectors of RFC 4648");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice bytes = slice_of(cases[i].bytes), text = slice_of(cases[i].text);

        CHECK_INT(BASE64_SIZE(bytes.n), text.n);
        base64_encode(out, bytes);
        CHECK(slice_eq((struct slice){ out, text.n }, text));
        CHECK(base64_decode(out, text, &n) && slice_eq((struct slice){ out, n }, bytes));
    }
    base64_encode(out, SLICE("\x00\x10\x83\xfb\xff\xbf"));
    CHECK(slice_eq((struct slice){ out, 8 }, SLICE("ABCD+/+/")));
}

static void base64_strict(void)
{
    static const char *const bad[] = {
        "Z",        "Zg",         "Zg=",      "Zm9",        "Zm9vY", "=",
        "====",     "Z===",       "Zg==Zg==", "Zm8=Zm8=",   "Zg=v",  "Z=9v",
        "Zh==",     "Zm9=",       "Z g=",     "Zg==\n",     "Zm-_",  "Zm9v=",
        "Zm9v====", "Zm\xc3\xa9", "Zm9vZm9 ", "Zm9v\nZm9v", "Zm9.",  "@m9v",
    };
    char out[64];
    size_t n;

    TEST("base64 with anything missing, strange or left over is none");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (base64_decode(out, slice_of(bad[i]), &n))
            check_fail(__FILE__, __LINE__, bad[i]);
}

static bool binary_reads_as(struct slice json, struct slice bytes)
{
    return reads_as(json, TOKEN_BINARY, bytes);
}

static void binaries(void)
{
    static char bytes[256];
    struct buf *scratch = NULL;
    struct reader r;

    TEST("binary is U+0000 and base64 in a string, and comes back as it was");
    for (size_t n = 0; n <= sizeof bytes; n++) {
        struct writer w;

        for (size_t i = 0; i < n; i++)
            bytes[i] = (char)(i * 7 + n);
        writer_init(&w, &wire_json, 0);
        writer_binary(&w, (struct slice){ bytes, n });
        CHECK(slice_has_prefix(slice_buf(w.buf), SLICE("\"\\u0000")));
        CHECK(binary_reads_as(slice_buf(w.buf), (struct slice){ bytes, n }));
        writer_fini(&w);
    }

    TEST("its base64 may be escaped, as some encoders do with slashes");
    CHECK(binary_reads_as(SLICE("\"\\u0000\\/\\/8=\""), SLICE("\xff\xff")));
    CHECK(binary_reads_as(SLICE("\"\\u0000\\u005a\\u0067==\""), SLICE("f")));

    TEST("a binary whose base64 is bad has no value");
    reader_init(&r, &wire_json, SLICE("[\"\\u0000Zg=\",1]"));
    reader_next(&r);
    CHECK(reader_next(&r) == TOKEN_BINARY);
    CHECK(!reader_text(&r, &scratch).p);
    CHECK(reader_next(&r) == TOKEN_INT);
    buf_unref(scratch);
}

/* ---- UTF-8 ------------------------------------------------------------------------- */

static size_t encode(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 63));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 63));
        out[2] = (char)(0x80 | (code & 63));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 63));
    out[2] = (char)(0x80 | (code >> 6 & 63));
    out[3] = (char)(0x80 | (code & 63));
    return 4;
}

static void all_code_points(void)
{
    size_t good = 0;

    TEST("every code point is UTF-8, except surrogates and those over U+10FFFF");
    for (uint32_t code = 0; code < 0x200000; code++) {
        char s[4];
        size_t n = encode(s, code);
        bool ok = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);

        if (utf8_length(s, n) != (ok ? n : 0) || utf8_ok((struct slice){ s, n }) != ok)
            CHECK_INT(code, -1);
        good += ok;
    }
    CHECK_INT(good, 0x110000 - 0x800);
}

/* Counted by hand: 128 code points take one byte, 1920 two, 0x10000 - 0x800 three, of
 * which the surrogates do not count. */
static void all_short_sequences(void)
{
    size_t ok2 = 0, ok3 = 0;
    char s[3];

    TEST("of all texts of two and three bytes the right number is UTF-8");
    for (int a = 0; a < 256; a++)
        for (int b = 0; b < 256; b++) {
            s[0] = (char)a;
            s[1] = (char)b;
            ok2 += utf8_ok((struct slice){ s, 2 });
            for (int c = 0; c < 256; c++) {
                s[2] = (char)c;
                ok3 += utf8_ok((struct slice){ s, 3 });
            }
        }
    CHECK_INT(ok2, 128 * 128 + 1920);
    CHECK_INT(ok3, 128 * 128 * 128 + 2 * 128 * 1920 + (0x10000 - 0x800 - 0x800));

    TEST("a byte that is not UTF-8 is found at any place of a long text");
    for (size_t at = 0; at < 40; at++) {
        char text[40];

        memset(text, 'x', sizeof text);
        CHECK(utf8_ok((struct slice){ text, sizeof text }));
        text[at] = '\x80';
        CHECK(!utf8_ok((struct slice){ text, sizeof text }));
    }
    CHECK(utf8_ok(SLICE("")) && !utf8_length("a", 0));
}

static void formats(void)
{
    TEST("the format is found by its short name and by its subprotocol");
    CHECK(wire_of_name(SLICE("json")) == &wire_json);
    CHECK(wire_of_subprotocol(SLICE("wamp.2.json")) == &wire_json && wire_json.text);
    CHECK(!wire_of_name(SLICE("JSON")) && !wire_of_name(SLICE("jso")));
    CHECK(!wire_of_subprotocol(SLICE("wamp.2.xml")));
    CHECK(wire_of_subprotocol(SLICE("wamp.2.cbor.batched")) == &wire_cbor);
    CHECK(!wire_of_subprotocol(SLICE("wamp.2.cbor.batch")));
    CHECK(!wire_of_name((struct slice){ 0 }));

    TEST("what a serializer is called stands for its subprotocol");
    CHECK_STR(wire_subprotocol_of(SLICE("json.batched")), "wamp.2.json.batched");
    CHECK_STR(wire_serializer("wamp.2.msgpack.batched"), "msgpack.batched");
    CHECK(!wire_subprotocol_of(SLICE("json.")) && !wire_subprotocol_of(SLICE("batched")));
}

void test_json_string(void)
{
    values();
    places();
    escapes();
    commas();
    base64();
    base64_strict();
    binaries();
    all_code_points();
    all_short_sequences();
    formats();
}
