/* test_uri.c - which URIs are good, by rule and match policy.
 *
 * The rules are the regular expressions of the specification; the table says what each
 * of them makes of a URI, and was checked against an engine that runs them. */
#include "check.h"
#include "vectors.h"
#include "wamp/limits.h"
#include "wamp/uri.h"

void test_uri(void);

/* Verdicts: loose, loose with the last component empty, loose with any; then strict
 * likewise. */
static const char *const verdicts[] = { "loose",  "loose_last_empty",  "loose_empty",
                                        "strict", "strict_last_empty", "strict_empty" };

static const struct {
    const char *uri, *verdict;
} uris[] = {
    { "realm1", "yyyyyy" },
    { "com.example", "yyyyyy" },
    { "com.example.", "nyynyy" },
    { ".com.example", "nnynny" },
    { "com..example", "nnynny" },
    { "com...example", "nnynny" },
    { "", "nyynyy" },
    { ".", "nnynny" },
    { "..", "nnynny" },
    { "com.my app", "nnnnnn" },
    { "com.my\x09"
      "app",
      "nnnnnn" },
    { "com.my#app", "nnnnnn" },
    { "com.Example", "yyynnn" },
    { "com.my-app", "yyynnn" },
    { "com.1app", "yyyyyy" },
    { "0.1.2", "yyyyyy" },
    { "__", "yyyyyy" },
    { "gr\xC3\xBC\xC3\x9F.gott", "yyynnn" },
    { "\xE6\x97\xA5.\xE6\x9C\xAC", "yyynnn" },
    { "*", "yyynnn" },
    { "org.*", "yyynnn" },
    { "ws://127.0.0.1/ws", "yyynnn" },
    { "com.example ", "nnnnnn" },
    { "com.example\xC2\xA0", "nnnnnn" },
    { "com.example\x0A", "nnnnnn" },
    { "wamp.error.invalid_uri", "yyyyyy" },
    { "wamp", "yyyyyy" },
    { "a..", "nnynny" },
    { "..a", "nnynny" },
    { "a...b.", "nnynny" },
    { "a.b.c.d.e.f.g", "yyyyyy" },
    { "a\x0A", "nnnnnn" },
    { "\x0A"
      "a",
      "nnnnnn" },
    { "a\x0D"
      "b",
      "nnnnnn" },
    { "a\x0B"
      "b",
      "nnnnnn" },
    { "a\x0C"
      "b",
      "nnnnnn" },
    { "a\x1C"
      "b",
      "nnnnnn" },
    { "a\x1F"
      "b",
      "nnnnnn" },
    { "a\xC2\x85"
      "b",
      "nnnnnn" },
    { "a\xC2\xA0"
      "b",
      "nnnnnn" },
    { "a\xE1\x9A\x80"
      "b",
      "nnnnnn" },
    { "a\xE2\x80\x80"
      "b",
      "nnnnnn" },
    { "a\xE2\x80\x8A"
      "b",
      "nnnnnn" },
    { "a\xE2\x80\xA8"
      "b",
      "nnnnnn" },
    { "a\xE2\x80\xA9"
      "b",
      "nnnnnn" },
    { "a\xE2\x80\xAF"
      "b",
      "nnnnnn" },
    { "a\xE2\x81\x9F"
      "b",
      "nnnnnn" },
    { "a\xE3\x80\x80"
      "b",
      "nnnnnn" },
    { "a\xE2\x80\x8B"
      "b",
      "yyynnn" },
    { "a\xE2\x80\x90"
      "b",
      "yyynnn" },
    { "a\xC2\xAD"
      "b",
      "yyynnn" },
    { "a\xC3\x85"
      "b",
      "yyynnn" },
    { "\xE3\x80\x80", "nnnnnn" },
    { "a.\xE3\x80\x80", "nnnnnn" },
    { "a\xE2\x80\x85.b", "nnnnnn" },
    { "#", "nnnnnn" },
    { "a.#.b", "nnnnnn" },
    { " ", "nnnnnn" },
    { "a/b", "yyynnn" },
    { "a:b", "yyynnn" },
    { "$share", "yyynnn" },
    { "{id}", "yyynnn" },
    { "A", "yyynnn" },
    { "a-", "yyynnn" },
    { "\xF0\x9F\x98\x80.a", "yyynnn" },
};

static bool is_good(struct slice uri, int verdict)
{
    static const enum uri_match matches[] = { MATCH_EXACT, MATCH_PREFIX, MATCH_WILDCARD };

    return uri_ok(uri, matches[verdict % 3], verdict >= 3);
}

static void complain(const char *uri, int verdict)
{
    char line[400];

    snprintf(line, sizeof line, "'%.300s', %s", uri, verdicts[verdict]);
    check_fail(__FILE__, __LINE__, line);
}

static void table(void)
{
    TEST("loose and strict URIs, with no, the last or any component empty");
    for (size_t i = 0; i < sizeof uris / sizeof *uris; i++)
        for (int v = 0; v < 6; v++)
            if (is_good(slice_of(uris[i].uri), v) != (uris[i].verdict[v] == 'y'))
                complain(uris[i].uri, v);
}

static void vectors(void)
{
    struct buf *file = vectors_read("misc-vectors.json");
    struct slice list, row;
    size_t n = 0;

    if (!file) {
        vectors_absent("URIs");
        return;
    }
    TEST("the vectors of URIs");
    list = json_member(slice_buf(file), "uris");
    while ((row = json_element(list, &n)).p) {
        const char *uri = json_string(json_member(row, "uri"));

        for (int v = 0; v < 6; v++)
            if (is_good(slice_of(uri), v) !=
                slice_is(json_member(row, verdicts[v]), "true"))
                complain(uri, v);
    }
    CHECK_INT(n, 27);
    buf_unref(file);
}

static void bounds(void)
{
    char text[LIMIT_URI + 1];

    TEST("a URI has a longest length");
    memset(text, 'a', sizeof text);
    CHECK(uri_ok((struct slice){ text, LIMIT_URI }, MATCH_EXACT, true));
    CHECK(!uri_ok((struct slice){ text, LIMIT_URI + 1 }, MATCH_EXACT, true));
    CHECK(!uri_ok((struct slice){ text, LIMIT_URI + 1 }, MATCH_WILDCARD, false));

    TEST("NUL is in no URI, the absent URI is like the empty one");
    CHECK(!uri_ok((struct slice){ "a\0b", 3 }, MATCH_EXACT, false));
    CHECK(!uri_ok((struct slice){ "\0", 1 }, MATCH_WILDCARD, false));
    CHECK(!uri_ok((struct slice){ NULL, 0 }, MATCH_EXACT, false));
    CHECK(uri_ok((struct slice){ NULL, 0 }, MATCH_PREFIX, true));

    TEST("a space cut off at the end of the URI is none");
    CHECK(uri_ok((struct slice){ "a\xE2\x80\x80", 2 }, MATCH_EXACT, false));
    CHECK(uri_ok((struct slice){ "a\xE2\x80\x80", 3 }, MATCH_EXACT, false));
    CHECK(!uri_ok((struct slice){ "a\xE2\x80\x80", 4 }, MATCH_EXACT, false));
}

static void reserved(void)
{
    TEST("only the first component wamp is the router's");
    CHECK(uri_reserved(SLICE("wamp")) && uri_reserved(SLICE("wamp.")));
    CHECK(uri_reserved(SLICE("wamp.session.count")) && uri_reserved(SLICE("wamp..x")));
    CHECK(!uri_reserved(SLICE("wampx")) && !uri_reserved(SLICE("wam")));
    CHECK(!uri_reserved(SLICE("com.wamp.a")) && !uri_reserved(SLICE(".wamp")));
    CHECK(!uri_reserved(SLICE("")) && !uri_reserved(SLICE("Wamp.a")));
}

static void policies(void)
{
    enum uri_match match = MATCH_EXACT;

    TEST("match policies have names");
    CHECK(uri_match_of(SLICE("prefix"), &match) && match == MATCH_PREFIX);
    CHECK(uri_match_of(SLICE("wildcard"), &match) && match == MATCH_WILDCARD);
    CHECK(uri_match_of(SLICE("exact"), &match) && match == MATCH_EXACT);
    CHECK(!uri_match_of(SLICE("Exact"), &match) && !uri_match_of(SLICE(""), &match));
    CHECK(!uri_match_of(SLICE("prefixes"), &match) && match == MATCH_EXACT);
    CHECK_STR(uri_match_name(MATCH_EXACT), "exact");
    CHECK_STR(uri_match_name(MATCH_PREFIX), "prefix");
    CHECK_STR(uri_match_name(MATCH_WILDCARD), "wildcard");
}

void test_uri(void)
{
    table();
    vectors();
    bounds();
    reserved();
    policies();
}
