/* test_attempt.c - what stands behind the router's authentication: the texts in an
 * authextra, who is found and who is made up, dates, and the proof that the router gives
 * in wamp-scram. The conversations are tests/talk/router/auth_*.talk. */
#include "check.h"
#include "router/attempt.h"
#include "wamp/base64.h"

#include <stdlib.h>

void test_attempt(void);

static uint64_t mixed(void *ctx)
{
    uint64_t x = *(uint64_t *)ctx += 0x9E3779B97F4A7C15ULL;

    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    return x ^ (x >> 27);
}

/* ---- authextra --------------------------------------------------------------------- */

/* "a=VALUE b=VALUE" of a dict, "-" for an absent one; "bad". */
static const char *extras_of(struct slice dict)
{
    static char text[64];
    struct extra e[] = { { .name = SLICE("a") }, { .name = SLICE("b") } };
    const char *a = "-", *b = "-";
    int na = 1, nb = 1;

    if (!extras_read(e, 2, &wire_json, dict)) {
        extras_fini(e, 2);
        return "bad";
    }
    if (e[0].text.p)
        a = e[0].text.p, na = (int)e[0].text.n;
    if (e[1].text.p)
        b = e[1].text.p, nb = (int)e[1].text.n;
    snprintf(text, sizeof text, "a=%.*s b=%.*s", na, a, nb, b);
    extras_fini(e, 2);
    return text;
}

static const char *extras(const char *json)
{
    return extras_of(slice_of(json));
}

static const char *long_extra(size_t n)
{
    struct buf *b = buf_from("{\"b\":\"x\",\"c\":\"", 14);
    const char *got;

    b->data[10] = 'a'; /* "c" becomes "a" */
    for (size_t i = 0; i < n; i++)
        buf_append(&b, "y", 1);
    buf_append(&b, "\"}", 2);
    got = strcmp(extras_of(slice_buf(b)), "bad") != 0 ? "good" : "bad";
    buf_unref(b);
    return got;
}

static void test_extras(void)
{
    TEST("the strings of an authextra are read, and nothing else");
    CHECK_STR(extras_of((struct slice){ 0 }), "a=- b=-");
    CHECK_STR(extras("{}"), "a=- b=-");
    CHECK_STR(extras("{\"a\":\"x\",\"z\":[{\"a\":\"no\"}],\"b\":\"y\"}"), "a=x b=y");
    CHECK_STR(extras("{\"\\u0061\":\"\\u0078\",\"b\":null}"), "a=x b=-");
    CHECK_STR(extras("{\"b\":\"1\",\"a\":\"\\n2\"}"), "a=\n2 b=1");

    TEST("a value of another type, or one that comes twice, is bad");
    CHECK_STR(extras("{\"a\":1}"), "bad");
    CHECK_STR(extras("{\"a\":true}"), "bad");
    CHECK_STR(extras("{\"a\":[\"x\"]}"), "bad");
    CHECK_STR(extras("{\"a\":{}}"), "bad");
    CHECK_STR(extras("{\"a\":\"x\",\"a\":\"x\"}"), "bad");
    CHECK_STR(extras("{\"a\":\"x\",\"\\u0061\":null,\"a\":\"y\"}"), "bad");
    CHECK_STR(extras("{\"a\":\"\\u0000AQID\"}"), "bad");

    TEST("a text is 1024 bytes at most");
    CHECK_STR(long_extra(LIMIT_AUTH_TEXT), "good");
    CHECK_STR(long_extra(LIMIT_AUTH_TEXT + 1), "bad");
}

/* ---- principals -------------------------------------------------------------------- */

#define MANY 20

static char user[] = "user", admin[] = "admin";
static char home[] = "home", away[] = "away";

static struct principal_config principal(enum auth_method method, const char *authid,
                                         const char *secret)
{
    return (struct principal_config){ .method = method,
                                      .authid = strdup(authid),
                                      .role = user,
                                      .secret = buf_from(secret, strlen(secret)) };
}

static void forget(struct principal_config *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(p[i].authid);
        buf_unref(p[i].secret);
        buf_unref(p[i].salt);
    }
}

/* A router of two realms, "home" with a role user and "away" without it. */
static struct router *router_of(struct principal_config *principals, size_t count,
                                uint64_t *seed)
{
    static struct role_config roles[] = { { .name = user }, { .name = admin } };
    static struct realm_config realms[] = {
        { .name = home, .roles = roles, .count = 2 },
        { .name = away, .roles = roles + 1, .count = 1 }
    };
    const struct router_config c = {
        .realms = realms, .count = 2, .principals = principals, .principal_count = count
    };
    const struct rng rng = { mixed, seed };

    return router_new(&c, &rng);
}

static const struct realm *realm_of(struct router *r, const char *name)
{
    return map_get_bytes(&r->realms, slice_of(name));
}

static void test_finding(void)
{
    struct principal_config config[] = { principal(AUTH_TICKET, "joe", "t"),
                                         principal(AUTH_WAMPCRA, "joe", "s"),
                                         principal(AUTH_TICKET, "ann", "u") };
    uint64_t seed = 1;
    struct router *r;
    const struct principals *ps;

    config[2].realm = away;
    r = router_of(config, 3, &seed);
    ps = r->doors.stores[0];
    TEST("a principal is found by method and name");
    CHECK(
        slice_is(slice_buf(principals_find(ps, AUTH_TICKET, SLICE("joe"))->secret), "t"));
    CHECK(slice_is(slice_buf(principals_find(ps, AUTH_WAMPCRA, SLICE("joe"))->secret),
                   "s"));
    CHECK(!principals_find(ps, AUTH_WAMPCRA, SLICE("ann")));
    CHECK(!principals_find(ps, AUTH_TICKET, SLICE("")));
    CHECK(!principals_find(ps, AUTH_SCRAM, SLICE("joe")));
    CHECK(!principals_find(ps, AUTH_ANONYMOUS, (struct slice){ 0 }));

    TEST("he fits a realm that has his role and is not another than his own");
    CHECK(principal_fits(principals_find(ps, AUTH_TICKET, SLICE("joe")),
                         realm_of(r, "home")));
    CHECK(!principal_fits(principals_find(ps, AUTH_TICKET, SLICE("joe")),
                          realm_of(r, "away")));
    CHECK(!principal_fits(principals_find(ps, AUTH_TICKET, SLICE("ann")),
                          realm_of(r, "home")));
    CHECK_INT(realm_of(r, "home")->offers[0], 1 << AUTH_TICKET | 1 << AUTH_WAMPCRA);
    CHECK_INT(realm_of(r, "away")->offers[0], 0);
    router_free(r);
    forget(config, 3);
}

static void test_keys(void)
{
    const char first[] = "0123456789abcdef0123456789abcdef";
    const char second[] = "fedcba9876543210fedcba9876543210";
    struct principal_config config[] = { principal(AUTH_CRYPTOSIGN, "bob", first) };
    uint64_t seed = 1;
    struct router *r;

    buf_append(&config[0].secret, second, AUTH_DIGEST);
    r = router_of(config, 1, &seed);
    TEST("each key of a principal finds him, and no other bytes do");
    CHECK(principals_find_key(r->doors.stores[0], slice_of(first)) ==
          r->doors.stores[0]->at);
    CHECK(principals_find_key(r->doors.stores[0], slice_of(second)) ==
          r->doors.stores[0]->at);
    CHECK(!principals_find_key(
        r->doors.stores[0],
        (struct slice){ r->doors.stores[0]->at->secret->data + 1, 32 }));
    router_free(r);
    forget(config, 1);
}

static void test_decoys(void)
{
    struct principal_config config[MANY];
    uint64_t seed = 1, other_seed = 2;
    size_t seen = 0;
    bool was[MANY] = { false };
    struct router *r, *other;
    const struct realm *realm;
    struct buf *salt, *again, *elsewhere;

    for (size_t i = 0; i < MANY; i++) {
        config[i] = principal(i % 2 ? AUTH_WAMPCRA : AUTH_TICKET, "x", "s");
        config[i].salt = i % 2 ? buf_from("salt123", 7) : NULL;
        config[i].iterations = config[i].keylen = 1;
    }
    r = router_of(config, MANY, &seed);
    other = router_of(config, MANY, &other_seed);
    realm = realm_of(r, "home");
    TEST("a decoy is one of the method's principals, always the same for a name");
    for (char name[] = "aa"; name[0] <= 'z'; name[0]++) {
        for (name[1] = 'a'; name[1] <= 'z'; name[1]++) {
            const struct principals *ps = r->doors.stores[0];
            const struct principal *p =
                principals_decoy(ps, realm, AUTH_WAMPCRA, slice_of(name));

            CHECK(p && p->method == AUTH_WAMPCRA);
            CHECK(p == principals_decoy(ps, realm, AUTH_WAMPCRA, slice_of(name)));
            seen += !was[p - ps->at];
            was[p - ps->at] = true;
        }
    }
    CHECK_INT(seen, MANY / 2);

    TEST("its salt is as long as theirs, hangs on the name and on the router");
    salt = principals_salt(r->doors.stores[0], &r->doors.stores[0]->at[1], SLICE("ann"));
    again = principals_salt(r->doors.stores[0], &r->doors.stores[0]->at[1], SLICE("ann"));
    elsewhere =
        principals_salt(other->doors.stores[0], &r->doors.stores[0]->at[1], SLICE("ann"));
    CHECK_INT(salt->len, 7);
    CHECK(utf8_ok(slice_buf(salt)));
    CHECK(slice_eq(slice_buf(salt), slice_buf(again)));
    CHECK(!slice_eq(slice_buf(salt), slice_buf(elsewhere)));
    buf_unref(again);
    again = principals_salt(r->doors.stores[0], &r->doors.stores[0]->at[1], SLICE("eve"));
    CHECK(!slice_eq(slice_buf(salt), slice_buf(again)));
    buf_unref(salt);
    buf_unref(again);
    buf_unref(elsewhere);
    router_free(r);
    router_free(other);
    forget(config, MANY);
}

static void test_secrets(void)
{
    struct principal_config config[] = { principal(AUTH_WAMPCRA, "ann", "secret1") };
    uint64_t seed = 1;
    struct router *r;

    config[0].salt = buf_from("salt123", 7);
    config[0].iterations = 100;
    config[0].keylen = 16;
    r = router_of(config, 1, &seed);
    TEST("of a salted secret the derived key is kept");
    CHECK(slice_is(slice_buf(r->doors.stores[0]->at[0].secret),
                   "prq7+YkJ1/KlW1X0YczMHw=="));
    TEST("secrets are compared as a whole");
    CHECK(principals_equal(r->doors.stores[0], SLICE("abc"), SLICE("abc")));
    CHECK(principals_equal(r->doors.stores[0], SLICE(""), SLICE("")));
    CHECK(!principals_equal(r->doors.stores[0], SLICE("abc"), SLICE("abcd")));
    CHECK(!principals_equal(r->doors.stores[0], SLICE("abc"), SLICE("abd")));
    CHECK(!principals_equal(r->doors.stores[0], SLICE("abc"), SLICE("")));
    router_free(r);
    forget(config, 1);
}

/* ---- wamp-scram -------------------------------------------------------------------- */

static const struct opts *hello_of(const char *dict, struct msg *m, struct opts *o)
{
    struct fault f;

    *m = (struct msg){ .row = msg_row(MSG_HELLO),
                       .wire = &wire_json,
                       .dict = slice_of(dict) };
    CHECK(opts_decode(o, m, &f));
    return o;
}

/* The answers that a challenge of the same principal got before are no answers to the
 * next. */
static void test_replay(void)
{
    static const char dict[] = "{\"authmethods\":[\"wampcra\"],\"authid\":\"ann\"}";
    struct principal_config config[] = { principal(AUTH_WAMPCRA, "ann", "secret") };
    struct buf *extra[2], *signature;
    struct attempt *a[2];
    uint64_t seed = 1;
    struct router *r = router_of(config, 1, &seed);
    struct opts o;
    struct msg m;
    struct fault f;

    hello_of(dict, &m, &o);
    for (int i = 0; i < 2; i++)
        a[i] = attempt_new(&(struct entry){ (struct realm *)realm_of(r, "home"),
                                            r->doors.stores[0], &wire_json },
                           &o, &extra[i], &f);
    signature = auth_cra_sign(SLICE("secret"), slice_buf(a[0]->challenge));
    m = (struct msg){ .row = msg_row(MSG_AUTHENTICATE),
                      .wire = &wire_json,
                      .text = slice_buf(signature) };
    TEST("no challenge comes twice, and a signature is good for one");
    CHECK(!slice_eq(slice_buf(a[0]->challenge), slice_buf(a[1]->challenge)));
    CHECK(attempt_check(a[0], &m));
    CHECK(!attempt_check(a[1], &m));
    for (int i = 0; i < 2; i++) {
        attempt_free(a[i]);
        buf_unref(extra[i]);
    }
    opts_fini(&o);
    buf_unref(signature);
    router_free(r);
    forget(config, 1);
}

/* A client that knows the password, and what it must be told. */
static void test_verifier(void)
{
    static const char dict[] = "{\"authmethods\":[\"wamp-scram\"],\"authid\":\"joe\","
                               "\"authextra\":{\"nonce\":\"abc\"}}";
    struct principal_config config[] = { principal(AUTH_SCRAM, "joe", "") };
    unsigned char salted[AUTH_DIGEST], keys[2 * AUTH_DIGEST], proof[AUTH_DIGEST],
        verifier[AUTH_DIGEST];
    struct slice secret = { (const char *)salted, sizeof salted };
    struct buf *extra, *message, *signature, *wanted;
    uint64_t seed = 1;
    struct attempt *a;
    struct router *r;
    struct auth_scram s;
    struct opts o;
    struct msg m;
    struct fault f;
    char authextra[200];

    config[0].salt = buf_from("saltsalt", 8);
    config[0].iterations = 4096;
    CHECK(auth_pbkdf2(SLICE("pencil"), SLICE("saltsalt"), 4096, salted, sizeof salted));
    auth_scram_keys(secret, keys, keys + AUTH_DIGEST);
    buf_append(&config[0].secret, keys, sizeof keys);
    r = router_of(config, 1, &seed);
    a = attempt_new(&(struct entry){ (struct realm *)realm_of(r, "home"),
                                     r->doors.stores[0], &wire_json },
                    hello_of(dict, &m, &o), &extra, &f);
    CHECK(a && a->known);
    s = (struct auth_scram){ .authid = SLICE("joe"),
                             .client_nonce = SLICE("abc"),
                             .nonce = slice_buf(a->challenge),
                             .salt = SLICE("c2FsdHNhbHQ="),
                             .binding = SLICE("biws"),
                             .iterations = 4096 };
    message = auth_scram_message(&s);
    auth_scram_proof(secret, slice_buf(message), proof);
    auth_scram_verifier(keys + AUTH_DIGEST, slice_buf(message), verifier);
    signature = base64_text((struct slice){ (const char *)proof, sizeof proof });
    wanted = base64_text((struct slice){ (const char *)verifier, sizeof verifier });
    snprintf(authextra, sizeof authextra, "{\"nonce\":\"%.*s\"}", (int)s.nonce.n,
             s.nonce.p);
    m = (struct msg){ .row = msg_row(MSG_AUTHENTICATE),
                      .wire = &wire_json,
                      .text = slice_buf(signature),
                      .dict = slice_of(authextra) };

    TEST("the nonce of CHALLENGE begins with the client's");
    CHECK(slice_has_prefix(s.nonce, SLICE("abc")) && s.nonce.n == 3 + 32);
    TEST("a good proof is answered with the verifier, signed with ServerKey");
    CHECK(attempt_check(a, &m));
    CHECK(a->verifier && slice_eq(slice_buf(a->verifier), slice_buf(wanted)));
    attempt_free(a);
    router_free(r);
    opts_fini(&o);
    buf_unref(extra);
    buf_unref(message);
    buf_unref(signature);
    buf_unref(wanted);
    forget(config, 1);
}

/* ---- dates ------------------------------------------------------------------------- */

static const char *date(uint64_t ms)
{
    static char text[64];
    struct writer w;
    struct buf *b;

    writer_init(&w, &wire_json, 64);
    date_write(ms, &w);
    b = writer_take(&w);
    snprintf(text, sizeof text, "%.*s", (int)b->len, b->data);
    buf_unref(b);
    return text;
}

static void test_dates(void)
{
    TEST("a time is written as ISO 8601 has it");
    CHECK_STR(date(0), "\"1970-01-01T00:00:00.000Z\"");
    CHECK_STR(date(951782399999), "\"2000-02-28T23:59:59.999Z\"");
    CHECK_STR(date(951782400000), "\"2000-02-29T00:00:00.000Z\"");
    CHECK_STR(date(1704067199001), "\"2023-12-31T23:59:59.001Z\"");
    CHECK_STR(date(1767323044678), "\"2026-01-02T03:04:04.678Z\"");
    CHECK_STR(date(4107542400000), "\"2100-03-01T00:00:00.000Z\"");
}

void test_attempt(void)
{
    test_extras();
    test_finding();
    test_keys();
    test_decoys();
    test_secrets();
    test_replay();
    test_verifier();
    test_dates();
}
