/* test_opts_uri.c - which rule a message's URI has to obey: by the message, its match
 * option and how strict the router is. What the rules are is in test_uri.c. */
#include <stdlib.h>

#include "message.h"
#include "wamp/opts.h"

void test_opts_uri(void);

/* A message of each kind, around its dict; the URI is put in after decoding. */
static const struct {
    const char *name, *text;
} frames[] = {
    { "HELLO", "[1,\"realm1\",%s]" },    { "ABORT", "[3,%s,\"a.b\"]" },
    { "GOODBYE", "[6,%s,\"a.b\"]" },     { "ERROR", "[8,48,1,%s,\"a.b\"]" },
    { "PUBLISH", "[16,1,%s,\"a.b\"]" },  { "SUBSCRIBE", "[32,1,%s,\"a.b\"]" },
    { "EVENT", "[36,1,2,%s]" },          { "CALL", "[48,1,%s,\"a.b\"]" },
    { "REGISTER", "[64,1,%s,\"a.b\"]" }, { "YIELD", "[70,1,%s]" },
};

static const char *frame(const char *name)
{
    for (size_t i = 0; i < COUNT(frames); i++)
        if (!strcmp(frames[i].name, name))
            return frames[i].text;
    abort();
}

/* How the URI of a message is judged: "" when it is good, otherwise the error. */
static const char *judged(const char *name, const char *dict, const char *uri,
                          bool strict)
{
    static char text[200];
    struct msg m;
    struct opts o;
    struct fault f = { .uri = "" };
    char message[TEXT_MAX];

    snprintf(message, sizeof message, frame(name), dict);
    if (!decode(&m, message, &f) || !opts_decode(&o, &m, &f))
        return "bad test";
    m.uri = slice_of(uri);
    msg_uri_ok(&m, &o, strict, &f);
    snprintf(text, sizeof text, "%s", f.uri);
    opts_fini(&o);
    msg_fini(&m);
    return text;
}

#define INVALID "wamp.error.invalid_uri"
#define PREFIX "{\"match\":\"prefix\"}"
#define WILDCARD "{\"match\":\"wildcard\"}"

static void uris(void)
{
    static const char *const named[] = { "CALL", "PUBLISH", "SUBSCRIBE", "REGISTER" };
    static const char *const loose[] = { "HELLO", "ABORT", "GOODBYE", "ERROR" };

    TEST("topics and procedures are as strict as asked, realms and reasons never");
    for (size_t i = 0; i < 4; i++) {
        CHECK_STR(judged(named[i], "{}", "com.a_1", true), "");
        CHECK_STR(judged(named[i], "{}", "Com.A-1", false), "");
        CHECK_STR(judged(named[i], "{}", "Com.A-1", true), INVALID);
        CHECK_STR(judged(named[i], "{}", "com..a", false), INVALID);
        CHECK_STR(judged(named[i], "{}", "", false), INVALID);
        CHECK_STR(judged(loose[i], "{}", "Com.A-1", true), "");
        CHECK_STR(judged(loose[i], "{}", "com..a", true), INVALID);
        CHECK_STR(judged(loose[i], "{}", "", true), INVALID);
        CHECK_STR(judged(loose[i], "{}", "a b", false), INVALID);
    }

    TEST("empty components depend on the match policy of SUBSCRIBE and REGISTER");
    for (size_t i = 2; i < 4; i++) {
        CHECK_STR(judged(named[i], PREFIX, "com.", true), "");
        CHECK_STR(judged(named[i], PREFIX, "", true), "");
        CHECK_STR(judged(named[i], PREFIX, "com..a", true), INVALID);
        CHECK_STR(judged(named[i], WILDCARD, "com..a", true), "");
        CHECK_STR(judged(named[i], WILDCARD, "com.#", true), INVALID);
        CHECK_STR(judged(named[i], "{\"match\":\"exact\"}", "com.", true), INVALID);
        CHECK_STR(judged(named[i], "{\"match\":\"glob\"}", "com.a", true),
                  "wamp.error.invalid_argument");
    }
    CHECK_STR(judged("CALL", PREFIX, "com.", false), INVALID);
    CHECK_STR(judged("PUBLISH", WILDCARD, "com..a", false), INVALID);

    TEST(
        "names under wamp. may be called and subscribed to, not published or registered");
    CHECK_STR(judged("CALL", "{}", "wamp.session.count", true), "");
    CHECK_STR(judged("SUBSCRIBE", "{}", "wamp.session.on_join", true), "");
    CHECK_STR(judged("PUBLISH", "{}", "wamp.session.on_join", true), INVALID);
    CHECK_STR(judged("REGISTER", "{}", "wamp.session.count", true), INVALID);
    CHECK_STR(judged("REGISTER", PREFIX, "wamp.", true), INVALID);
    CHECK_STR(judged("REGISTER", PREFIX, "wam", true), "");
    CHECK_STR(judged("PUBLISH", "{}", "wampum.a", true), "");
    CHECK_STR(judged("ERROR", "{}", "wamp.error.canceled", true), "");

    TEST("messages without a URI have none that is bad");
    CHECK_STR(judged("YIELD", "{}", "", true), "");
    CHECK_STR(judged("EVENT", "{}", "", true), "");
}

static void matches(void)
{
    struct msg m;
    struct opts o;
    struct fault f;

    TEST("the match policy is exact unless another is given");
    CHECK(decode(&m, "[32,1,{\"match\":\"wild\\u0063ard\"},\"a\"]", &f));
    CHECK(opts_decode(&o, &m, &f));
    CHECK_INT(opt_match(&o), MATCH_WILDCARD);
    opts_fini(&o);
    msg_fini(&m);
    o.present = 0;
    CHECK_INT(opt_match(&o), MATCH_EXACT);

    TEST("a bad URI and a bad match policy are named in the fault");
    CHECK(decode(&m, "[32,1,{\"match\":\"prefix\"},\"a..b\"]", &f));
    CHECK(opts_decode(&o, &m, &f) && !msg_uri_ok(&m, &o, false, &f));
    CHECK_STR(f.text, "SUBSCRIBE: 'a..b' is not a valid URI to match by prefix");
    opts_fini(&o);
    msg_fini(&m);
    CHECK(decode(&m, "[64,1,{\"match\":\"glob\"},\"a.b\"]", &f));
    CHECK(opts_decode(&o, &m, &f) && !msg_uri_ok(&m, &o, false, &f));
    CHECK_STR(f.text, "REGISTER: match must be exact, prefix or wildcard, not 'glob'");
    opts_fini(&o);
    msg_fini(&m);
}

void test_opts_uri(void)
{
    uris();
    matches();
}
