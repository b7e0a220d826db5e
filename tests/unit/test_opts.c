/* test_opts.c - options and details: which keys are known where, their types, and
 * keys that come twice. The rules of URIs are in test_opts_uri.c.
 *
 * `facts` repeats from the specification what opts.c has in its table; every key is
 * tried in every message with every kind of value. */
#include <stdlib.h>

#include "message.h"
#include "wamp/opts.h"

void test_opts(void);

/* A message of each code, around its dict. */
static const struct {
    const char *name, *text;
} frames[] = {
    { "HELLO", "[1,\"realm1\",%s]" },
    { "WELCOME", "[2,1,%s]" },
    { "ABORT", "[3,%s,\"a.b\"]" },
    { "CHALLENGE", "[4,\"ticket\",%s]" },
    { "AUTHENTICATE", "[5,\"secret\",%s]" },
    { "GOODBYE", "[6,%s,\"a.b\"]" },
    { "ERROR", "[8,48,1,%s,\"a.b\"]" },
    { "PUBLISH", "[16,1,%s,\"a.b\"]" },
    { "SUBSCRIBE", "[32,1,%s,\"a.b\"]" },
    { "UNSUBSCRIBED", "[35,0,%s]" },
    { "EVENT", "[36,1,2,%s]" },
    { "CALL", "[48,1,%s,\"a.b\"]" },
    { "CANCEL", "[49,1,%s]" },
    { "RESULT", "[50,1,%s]" },
    { "REGISTER", "[64,1,%s,\"a.b\"]" },
    { "UNREGISTERED", "[67,0,%s]" },
    { "INVOCATION", "[68,1,2,%s]" },
    { "INTERRUPT", "[69,1,%s]" },
    { "YIELD", "[70,1,%s]" },
};

#define PPT "PUBLISH EVENT CALL INVOCATION YIELD RESULT ERROR"

/* Kinds: b bool, n integer >= 0, i id, s string, I list of ids, S list of strings, d
 * dict. */
static const struct {
    const char *key;
    char kind;
    const char *in;
} facts[] = {
    { "acknowledge", 'b', "PUBLISH" },
    { "exclude_me", 'b', "PUBLISH" },
    { "disclose_me", 'b', "PUBLISH CALL" },
    { "retain", 'b', "PUBLISH" },
    { "get_retained", 'b', "SUBSCRIBE" },
    { "retained", 'b', "EVENT" },
    { "receive_progress", 'b', "CALL INVOCATION" },
    { "progress", 'b', "CALL INVOCATION YIELD RESULT" },
    { "disclose_caller", 'b', "REGISTER" },
    { "forward_timeout", 'b', "REGISTER" },
    { "force_reregister", 'b', "REGISTER" },
    { "timeout", 'n', "CALL INVOCATION" },
    { "concurrency", 'n', "REGISTER" },
    { "trustlevel", 'n', "EVENT INVOCATION" },
    { "caller", 'i', "INVOCATION" },
    { "publisher", 'i', "EVENT" },
    { "subscription", 'i', "UNSUBSCRIBED" },
    { "registration", 'i', "UNREGISTERED" },
    { "match", 's', "SUBSCRIBE REGISTER" },
    { "invoke", 's', "REGISTER" },
    { "mode", 's', "CANCEL INTERRUPT" },
    { "topic", 's', "EVENT" },
    { "procedure", 's', "INVOCATION" },
    { "reason", 's', "INTERRUPT UNSUBSCRIBED UNREGISTERED" },
    { "message", 's', "ABORT GOODBYE" },
    { "caller_authid", 's', "INVOCATION" },
    { "caller_authrole", 's', "INVOCATION" },
    { "publisher_authid", 's', "EVENT" },
    { "publisher_authrole", 's', "EVENT" },
    { "ppt_scheme", 's', PPT },
    { "ppt_serializer", 's', PPT },
    { "ppt_cipher", 's', PPT },
    { "ppt_keyid", 's', PPT },
    { "enc_algo", 's', PPT },
    { "enc_key", 's', PPT },
    { "enc_serializer", 's', PPT },
    { "authid", 's', "HELLO WELCOME" },
    { "authrole", 's', "HELLO WELCOME" },
    { "authmethod", 's', "WELCOME" },
    { "authprovider", 's', "WELCOME" },
    { "agent", 's', "HELLO WELCOME" },
    { "realm", 's', "WELCOME" },
    { "exclude", 'I', "PUBLISH" },
    { "eligible", 'I', "PUBLISH" },
    { "exclude_authid", 'S', "PUBLISH" },
    { "exclude_authrole", 'S', "PUBLISH" },
    { "eligible_authid", 'S', "PUBLISH" },
    { "eligible_authrole", 'S', "PUBLISH" },
    { "authmethods", 'S', "HELLO" },
    { "roles", 'd', "HELLO WELCOME" },
    { "authextra", 'd', "HELLO WELCOME" },
};

/* Values, and the kinds that they are. */
static const struct {
    const char *text, *kinds;
} values[] = {
    { "true", "b" },
    { "false", "b" },
    { "0", "n" },
    { "1", "ni" },
    { "9007199254740992", "ni" },
    { "9007199254740993", "n" },
    { "-1", "" },
    { "1.0", "" },
    { "1e3", "" },
    { "18446744073709551617", "" },
    { "null", "" },
    { "\"\"", "s" },
    { "\"true\"", "s" },
    { "\"\\u0000AAAA\"", "" },
    { "[]", "IS" },
    { "[1, 9007199254740992]", "I" },
    { "[\"a\", \"\\u0062\"]", "S" },
    { "[0]", "" },
    { "[1,\"a\"]", "" },
    { "[\"a\",1]", "" },
    { "[[1]]", "" },
    { "[null]", "" },
    { "[1,2.0]", "" },
    { "{}", "d" },
    { "{\"a\":[1,{}]}", "d" },
};

/* ---- helpers ----------------------------------------------------------------------- */

/* Decodes a message and its dict; ends the message, so only numbers and bits are good
 * after. */
static bool read_into(struct opts *o, const char *text, struct fault *f)
{
    struct msg m;
    bool ok;

    if (!decode(&m, text, f)) {
        complain(text, f->text);
        return false;
    }
    ok = opts_decode(o, &m, f);
    if (!ok && o->scratch)
        complain(text, "a dict that is refused leaves something to free");
    opts_fini(o);
    msg_fini(&m);
    return ok;
}

static bool accepts(const char *text)
{
    struct opts o;
    struct fault f;

    return read_into(&o, text, &f);
}

/* The dict is refused, in these words. */
static void refused(const char *text, const char *words)
{
    struct opts o;
    struct fault f = { .uri = "", .text = "accepted" };

    read_into(&o, text, &f);
    if (strcmp(f.text, words) != 0)
        complain(text, f.text);
    CHECK_STR(f.uri, "wamp.error.protocol_violation");
}

static bool names(const char *list, const char *name)
{
    size_t n = strlen(name);

    for (const char *p = list; (p = strstr(p, name)); p += n)
        if ((p == list || p[-1] == ' ') && (!p[n] || p[n] == ' '))
            return true;
    return false;
}

/* ---- tests ------------------------------------------------------------------------- */

static void try_key(size_t key, size_t in, size_t v)
{
    char dict[200], text[TEXT_MAX];
    bool known = names(facts[key].in, frames[in].name), ok, wanted;
    bool null = !strcmp(values[v].text, "null") &&
                names("HELLO WELCOME CHALLENGE SUBSCRIBE", frames[in].name);
    bool right = strchr(values[v].kinds, facts[key].kind) != NULL;
    struct opts o;
    struct fault f = { .text = "accepted" };

    snprintf(dict, sizeof dict, "{\"%s\":%s}", facts[key].key, values[v].text);
    snprintf(text, sizeof text, frames[in].text, dict);
    wanted = !known || right || null;
    ok = read_into(&o, text, &f);
    if (ok != wanted)
        complain(text, ok ? "should be refused" : f.text);
    else if (ok && opt_has(&o, (enum opt)key) != (known && right))
        complain(text, known ? "the key should be there" : "the key should be ignored");
    else if (!ok && !(strstr(f.text, facts[key].key) && strstr(f.text, frames[in].name)))
        complain(text, f.text);
}

static void keys(void)
{
    TEST("every key has its name on the wire");
    CHECK_INT(COUNT(facts), OPT_COUNT);
    for (size_t key = 0; key < COUNT(facts) && key < OPT_COUNT; key++)
        CHECK_STR(opt_name((enum opt)key), facts[key].key);

    TEST("every key is known in its messages and ignored in others, with its type only");
    for (size_t key = 0; key < COUNT(facts); key++)
        for (size_t in = 0; in < COUNT(frames); in++)
            for (size_t v = 0; v < COUNT(values); v++)
                try_key(key, in, v);
}

static void numbers_and_bits(void)
{
    struct opts o;
    struct fault f;

    TEST("booleans and integers have their value, or that of the absent");
    CHECK(read_into(&o, "[16,1,{\"acknowledge\":true,\"exclude_me\":false},\"a\"]", &f));
    CHECK(opt_is(&o, OPT_ACKNOWLEDGE, false) && !opt_is(&o, OPT_EXCLUDE_ME, true));
    CHECK(!opt_is(&o, OPT_RETAIN, false) && opt_is(&o, OPT_RETAIN, true));
    CHECK(read_into(&o, "[68,1,2,{\"timeout\":5000,\"caller\":9007199254740992}]", &f));
    CHECK_INT(opt_int(&o, OPT_TIMEOUT), 5000);
    CHECK_INT(opt_int(&o, OPT_CALLER), 9007199254740992);
    CHECK_INT(opt_int(&o, OPT_TRUSTLEVEL), 0);
    CHECK(!opt_text(&o, OPT_PROCEDURE).p);

    TEST("an empty dict and an absent one have no keys");
    CHECK(read_into(&o, "[48,1,{},\"a\"]", &f) && !o.present);
    CHECK(read_into(&o, "[48,1,{ \n },\"a\"]", &f) && !o.present);
    CHECK(read_into(&o, "[35,1]", &f) && !o.present);
    CHECK(read_into(&o, "[17,1,2]", &f) && !o.present);
}

static void texts(void)
{
    struct msg m;
    struct opts o;
    struct fault f;

    TEST("strings, lists and dicts are slices of the message");
    CHECK(
        decode(&m, "[16,1,{\"eligible\":[1, 2],\"ppt_keyid\":\"k\xC3\xA4\"},\"a\"]", &f));
    CHECK(opts_decode(&o, &m, &f));
    CHECK(slice_is(opt_text(&o, OPT_ELIGIBLE), "[1, 2]"));
    CHECK(slice_is(opt_text(&o, OPT_PPT_KEYID), "k\xC3\xA4"));
    CHECK(slice_in(opt_text(&o, OPT_PPT_KEYID), m.bytes) && !o.scratch);
    opts_fini(&o);
    msg_fini(&m);

    TEST("escaped strings and keys are decoded, each to its own place");
    CHECK(decode(
        &m,
        "[36,1,2,{\"publisher\\u005fauthid\":\"\\u0061lice\",\"x\\u0079\":\"\\n\","
        "\"topic\":\"com.\\u00e4\",\"ppt_keyid\":\"\\\\\",\"ppt_cipher\":\"plain\"}]",
        &f));
    CHECK(opts_decode(&o, &m, &f));
    CHECK(slice_is(opt_text(&o, OPT_PUBLISHER_AUTHID), "alice"));
    CHECK(slice_is(opt_text(&o, OPT_TOPIC), "com.\xC3\xA4"));
    CHECK(slice_is(opt_text(&o, OPT_PPT_KEYID), "\\"));
    CHECK(slice_is(opt_text(&o, OPT_PPT_CIPHER), "plain"));
    CHECK(slice_in(opt_text(&o, OPT_TOPIC), o.scratch));
    opts_fini(&o);
    opts_fini(&o);
    msg_fini(&m);
}

static void long_texts(void)
{
    char value[600], text[TEXT_MAX];
    struct msg m;
    struct opts o;
    struct fault f;

    TEST("a long escaped string does not move those before it");
    memset(value, 'v', sizeof value);
    value[sizeof value - 1] = '\0';
    snprintf(text, sizeof text,
             "[36,1,2,{\"topic\":\"\\u0061.b\",\"ppt_keyid\":\"%s\\n\"}]", value);
    CHECK(decode(&m, text, &f) && opts_decode(&o, &m, &f));
    CHECK(slice_is(opt_text(&o, OPT_TOPIC), "a.b"));
    CHECK_INT(opt_text(&o, OPT_PPT_KEYID).n, 600);
    CHECK(slice_in(opt_text(&o, OPT_TOPIC), o.scratch));
    opts_fini(&o);
    msg_fini(&m);
}

static void faults(void)
{
    TEST("a wrong type is refused in words that name message, key and type");
    refused("[48,1,{\"timeout\":\"x\"},\"a\"]",
            "CALL: timeout must be an integer that is not negative");
    refused("[48,1,{\"receive_progress\":1},\"a\"]",
            "CALL: receive_progress must be true or false");
    refused("[68,1,2,{\"caller\":0}]",
            "INVOCATION: caller must be an integer from 1 to 9007199254740992");
    refused("[32,1,{\"match\":7},\"a\"]", "SUBSCRIBE: match must be a string");
    refused("[16,1,{\"eligible\":[\"x\"]},\"a\"]",
            "PUBLISH: eligible must be a list of ids");
    refused("[16,1,{\"exclude_authid\":[1]},\"a\"]",
            "PUBLISH: exclude_authid must be a list of strings");
    refused("[1,\"realm1\",{\"roles\":[]}]", "HELLO: roles must be a dict");
    refused("[16,1,{\"acknowledge\":null},\"a\"]",
            "PUBLISH: acknowledge must be true or false");
}

static void twice(void)
{
    TEST("no key comes twice, known or unknown, however it is spelled");
    refused("[16,1,{\"acknowledge\":true,\"acknowledge\":true},\"a\"]",
            "PUBLISH: 'acknowledge' is there twice");
    refused("[16,1,{\"acknowledge\":true,\"a\\u0063knowledge\":false},\"a\"]",
            "PUBLISH: 'acknowledge' is there twice");
    refused("[16,1,{\"_own\":1,\"b\":2,\"_own\":1},\"a\"]",
            "PUBLISH: '_own' is there twice");
    refused("[16,1,{\"\\u0078\":1,\"x\":1},\"a\"]", "PUBLISH: 'x' is there twice");
    refused("[16,1,{\"\":1,\"\":1},\"a\"]", "PUBLISH: '' is there twice");
    refused("[1,\"r\",{\"authid\":null,\"authid\":\"me\"}]",
            "HELLO: 'authid' is there twice");
    refused("[32,1,{\"timeout\":1,\"timeout\":1},\"a\"]",
            "SUBSCRIBE: 'timeout' is there twice");
    refused("[5,\"x\",{\"a\":1,\"a\":1}]", "AUTHENTICATE: 'a' is there twice");
    CHECK(accepts("[16,1,{\"a\":1,\"aa\":1,\"\":1,\"A\":1,\"a\\u0000\":1},\"a\"]"));
    CHECK(accepts("[1,\"r\",{\"authextra\":{\"a\":1,\"a\":2}}]"));
}

/* A dict of `n` unknown keys, which may come twice at the end. */
static char *many(int n, const char *end)
{
    size_t size = (size_t)n * 16 + 100, at;
    char *text = malloc(size);

    at = (size_t)snprintf(text, size, "[16,1,{\"acknowledge\":true");
    for (int i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, size - at, ",\"key%d\":0", i);
    snprintf(text + at, size - at, "%s},\"a\"]", end);
    return text;
}

static void limit(void)
{
    char *text;

    TEST("unknown keys are ignored up to a limit, and found when they come twice");
    CHECK(accepts(text = many(LIMIT_UNKNOWN_KEYS, "")));
    free(text);
    refused(text = many(LIMIT_UNKNOWN_KEYS, ",\"key0\":1"),
            "PUBLISH: 'key0' is there twice");
    free(text);
    refused(text = many(LIMIT_UNKNOWN_KEYS, ",\"retain\":1"),
            "PUBLISH: retain must be true or false");
    free(text);
    refused(text = many(LIMIT_UNKNOWN_KEYS + 1, ""),
            "PUBLISH: more than 256 unknown options or details");
    free(text);
}

/* Dicts that did not come with a message, but from who builds one. */
static void raw_dicts(void)
{
    static const struct {
        const char *dict, *words;
    } bad[] = {
        { "[]", "CALL: options or details: must be a dict" },
        { "12", "CALL: options or details: must be a dict" },
        { "[{}]", "CALL: options or details: must be a dict" },
        { "{\"a\":1,}", "CALL: options or details: expected a key" },
        { "{\"a\":}", "CALL: options or details: expected a value" },
        { "{\"timeout\":[1}", "CALL: options or details: expected ',' or ']'" },
        { "{\"a\":1}{}", "CALL: options or details: text behind the value" },
        { "{\"a\":1", "CALL: options or details: unexpected end" },
    };
    struct msg m = { .row = msg_row(MSG_CALL), .wire = &wire_json };
    struct opts o;
    struct fault f = { .text = "accepted" };

    TEST("a dict from elsewhere is refused when it is not one");
    for (size_t i = 0; i < COUNT(bad); i++) {
        m.dict = slice_of(bad[i].dict);
        CHECK(!opts_decode(&o, &m, &f));
        CHECK_STR(f.text, bad[i].words);
    }
    m.dict = SLICE("{}");
    CHECK(opts_decode(&o, &m, &f) && !o.present);
}

void test_opts(void)
{
    keys();
    numbers_and_bits();
    texts();
    long_texts();
    faults();
    twice();
    limit();
    raw_dicts();
}
