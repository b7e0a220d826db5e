/* fuzz_router.c - the input is a program for several peers of one router: opening,
 * closing, messages (whole, mutated, or any bytes), ticks, taking output.
 *
 * What must hold whatever happens: output goes only to peers that are open and not
 * being closed; it is what a router may send; invocation ids count up by one in a
 * session, but for those that continue a call in parts until its last part; a call gets
 * at most one final answer, and only who made it; who was challenged joins after a good
 * proof only; when all peers are closed nothing is left. Some peers do not read.
 *
 * Not known here: which reaction is the right one (tests/talk/router).
 *
 * covers: src/router */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "require.h"
#include "base/log.h"
#include "router/router.h"
#include "wamp/auth.h"
#include "wamp/transcode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PEERS 5
#define HISTORIES 2 /* subscriptions that are always there */
#define QUEUE 20000 /* bytes that may wait for a peer */
#define IDS 256     /* calls with smaller ids are followed */

struct slot {
    struct peer *peer; /* NULL while not open */
    const struct wire *wire;
    bool closing;        /* OUTPUT_CLOSE or OUTPUT_CUT came out */
    size_t backlog;      /* bytes that wait at its transport, for all the router knows */
    bool proved;         /* the proof was good that went in last */
    bool asked;          /* a ticket is good if who is asked about it says so */
    char challenge[512]; /* the Extra of CHALLENGE while it is not answered, or "" */
    char method[16];     /* and its method */
    uint64_t invocation;
    bool pending[IDS];
    bool open[IDS]; /* invocations whose last part has not come */
};

struct run {
    const uint8_t *p, *end; /* the program */
    struct router *router;
    uint64_t now, random;
    struct slot slots[PEERS];
    bool dynamic; /* authenticators are asked */
    bool packed;  /* every other peer speaks MsgPack */
    bool known;   /* the peers' addresses are */
};

static unsigned byte(struct run *r)
{
    return r->p < r->end ? *r->p++ : 0;
}

static uint64_t random_next(void *ctx)
{
    struct run *r = ctx;

    r->random = r->random * 6364136223846793005ULL + 1442695040888963407ULL;
    return r->random ^ (r->random >> 29);
}

/* ---- what comes out ---------------------------------------------------------------- */

static void settled(struct slot *s, uint64_t id)
{
    if (id >= IDS)
        return;
    REQUIRE(s->pending[id]);
    s->pending[id] = false;
}

static void invoked(struct slot *s, const struct msg *m)
{
    if (m->request <= s->invocation)
        REQUIRE(m->request < IDS && s->open[m->request]);
    else
        REQUIRE(m->request == ++s->invocation);
    if (m->request < IDS)
        s->open[m->request] = says_progress(m);
}

static void keep(char *to, size_t size, struct slice text)
{
    REQUIRE(text.n < size);
    memcpy(to, text.p, text.n);
    to[text.n] = '\0';
}

static void keep_challenge(struct slot *s, const struct msg *m)
{
    struct buf *json = transcode(m->dict, s->wire, &wire_json);

    REQUIRE(json);
    keep(s->challenge, sizeof s->challenge, slice_buf(json));
    buf_unref(json);
}

static void check_message(struct slot *s, const struct msg *m)
{
    REQUIRE(m->row->from & FROM_ROUTER);
    switch (m->row->code) {
    case MSG_CHALLENGE:
        REQUIRE(!s->challenge[0]);
        keep(s->method, sizeof s->method, m->text);
        keep_challenge(s, m);
        s->proved = false;
        break;
    case MSG_WELCOME:
        REQUIRE(!s->challenge[0] || s->proved ||
                (s->asked && !strcmp(s->method, "ticket")));
        s->challenge[0] = '\0';
        s->invocation = 0;
        memset(s->pending, 0, sizeof s->pending);
        memset(s->open, 0, sizeof s->open);
        break;
    case MSG_INVOCATION:
        invoked(s, m);
        break;
    case MSG_INTERRUPT:
        REQUIRE(m->request <= s->invocation);
        break;
    case MSG_RESULT:
        if (!says_progress(m))
            settled(s, m->request);
        break;
    case MSG_ERROR:
        REQUIRE(m->type != MSG_INVOCATION);
        if (m->type == MSG_CALL)
            settled(s, m->request);
        break;
    default:
        break;
    }
}

static bool take(struct run *r)
{
    struct output out;
    struct slot *s;
    struct msg m;
    struct fault f;

    if (!router_next_out(r->router, &out))
        return false;
    s = out.user;
    REQUIRE(s->peer == out.peer && !s->closing);
    if (out.kind == OUTPUT_CLOSE || out.kind == OUTPUT_CUT) {
        REQUIRE(!out.bytes && out.close_code >= 1000);
        s->closing = true;
        return true;
    }
    REQUIRE(msg_decode(&m, s->wire, out.bytes, &f));
    REQUIRE((out.kind == OUTPUT_EVENT) == (m.row->code == MSG_EVENT));
    check_message(s, &m);
    msg_fini(&m);
    buf_unref(out.bytes);
    return true;
}

static void drain(struct run *r)
{
    struct note *n;

    while (take(r))
        ;
    while ((n = router_next_note(r->router)))
        note_free(n);
}

/* ---- what goes in ------------------------------------------------------------------ */

#define PRIVATE "4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510"
#define PUBLIC "1adfc8bfe1d35616e64dffbd900096f23b066f914c8c2ffbb66f6075b96e116d"
#define SECRET "a secret that is not hit upon"

static const char *const realms[] = { "all", "some", "none", "no one", "ruled", "asked" };

static const char *const roles[] = {
    "{\"roles\":{\"caller\":{},\"callee\":{},\"publisher\":{},\"subscriber\":{}}}",
    "{\"roles\":{\"callee\":{\"features\":{\"registration_revocation\":true}}}}",
    "{\"roles\":{\"caller\":{}},\"authmethods\":[\"ticket\",\"anonymous\"]}",
    "{\"roles\":{\"caller\":{}},\"authmethods\":[\"ticket\"]}",
    "{\"roles\":{}}",
    "{}",
#define LOGIN(method, authid, extra)                                      \
    "{\"roles\":{\"caller\":{},\"callee\":{}},\"authmethods\":[\"" method \
    "\",\"ticket\"],\"authid\":" authid ",\"authextra\":" extra "}"
    LOGIN("ticket", "\"joe\"", "null"),
    LOGIN("ticket", "\"x\"", "{}"),
    LOGIN("wampcra", "\"joe\"", "null"),
    LOGIN("wampcra", "\"x\"", "{\"pubkey\":7}"),
    LOGIN("cryptosign", "null", "{\"pubkey\":\"" PUBLIC "\"}"),
    LOGIN("cryptosign", "\"joe\"", "{\"pubkey\":\"" PUBLIC "\",\"x\":[{}]}"),
    LOGIN("cryptosign", "\"joe\"", "{\"pubkey\":\"\\u0031\"}"),
    LOGIN("wamp-scram", "\"joe\"", "{\"nonce\":\"a\\u0041=\"}"),
    LOGIN("wamp-scram", "\"x\"", "{\"nonce\":\"abc\",\"channel_binding\":null}"),
};

static const char *const uris[] = {
    "com.a",  "com.b",  "com.a.b", "com.",   "com..b", ".a",           "",  "com.a.b.c",
    "wamp.a", "com..c", "..",      "com. a", "secret", "com.a\\u0062", "c", "com.a..c",
};

/* The router's own procedures and topics. */
static const char *const metas[] = {
    "wamp.session.count",
    "wamp.session.list",
    "wamp.session.get",
    "wamp.session.kill",
    "wamp.session.kill_by_authid",
    "wamp.session.kill_by_authrole",
    "wamp.session.kill_all",
    "wamp.registration.list",
    "wamp.registration.lookup",
    "wamp.registration.match",
    "wamp.registration.get",
    "wamp.registration.list_callees",
    "wamp.subscription.list",
    "wamp.subscription.lookup",
    "wamp.subscription.match",
    "wamp.subscription.count_subscribers",
    "wamp.session.add_testament",
    "wamp.session.flush_testaments",
    "wamp.subscription.get_events",
    "wamp.subscription.remove_subscriber",
    "wamp.registration.remove_callee",
    "wampy.router.stats",
    "wamp.session.on_leave",
    "wamp.session.on_join",
    "wamp.registration.on_create",
    "wamp.registration.on_delete",
    "wamp.subscription.on_subscribe",
    "wamp.subscription.on_unsubscribe",
};

static const char *const meta_arguments[] = {
    "",
    ",[1]",
    ",[2]",
    ",[3]",
    ",[\"com.a\"]",
    ",[\"com.\",{\"match\":\"prefix\"}]",
    ",[\"com..b\",{\"match\":\"wildcard\",\"x\":[{}]}]",
    ",[[\"anonymous\"]]",
    ",[\"anonymous\"],{\"reason\":\"com.a\",\"message\":\"x\"}",
    ",[],{\"reason\":null,\"message\":\"\\u0041\"}",
    ",[null,null]",
    ",[{\"match\":1}],{\"reason\":1}",
    ",[1,1],{\"reason\":\"com.a\"}",
    ",[1,null],{\"topic\":\"com.a\",\"reverse\":true,\"limit\":2}",
    ",[1],{\"from_time\":\"1970-01-01T00:00:00.5+01:00\",\"limit\":1}",
    ",[2],{\"after_publication\":7,\"scope\":\"detached\"}",
    ",[\"com.a\",[1],{\"k\":1}],{\"scope\":\"detached\"}",
    ",[\"com.b\"],{\"publish_options\":{\"retain\":true,\"eligible\":[1]}}",
};

static const char *const options[] = {
    "{}",
    "{\"match\":\"prefix\"}",
    "{\"match\":\"wildcard\"}",
    "{\"match\":\"other\"}",
    "{\"retain\":true}",
    "{\"retain\":true,\"eligible_authrole\":[\"admin\"]}",
    "{\"get_retained\":true}",
    "{\"get_retained\":true,\"match\":\"prefix\"}",
    "{\"get_retained\":true,\"match\":\"wildcard\"}",
    "{\"acknowledge\":true,\"exclude_me\":false}",
    "{\"exclude\":[1,2],\"eligible_authrole\":[\"anonymous\"],\"exclude_me\":false}",
    "{\"exclude\":[],\"disclose_me\":true}",
    "{\"exclude_authid\":[\"x\"],\"exclude_authrole\":[\"\\u0061\"]}",
    "{\"invoke\":\"roundrobin\",\"disclose_caller\":true}",
    "{\"invoke\":\"random\",\"match\":\"prefix\"}",
    "{\"invoke\":\"last\",\"match\":\"wildcard\"}",
    "{\"invoke\":\"none\"}",
    "{\"force_reregister\":true,\"invoke\":\"first\"}",
    "{\"receive_progress\":true,\"timeout\":10}",
    "{\"timeout\":3000,\"disclose_me\":true,\"ppt_scheme\":\"x_a\"}",
    "{\"progress\":true}",
    "{\"progress\":true,\"timeout\":20,\"ppt_scheme\":\"mqtt\"}",
    "{\"invoke\":\"roundrobin\",\"concurrency\":1,\"forward_timeout\":true}",
    "{\"invoke\":\"first\",\"concurrency\":2}",
    "{\"concurrency\":1,\"force_reregister\":true}",
    "{\"mode\":\"kill\"}",
    "{\"mode\":\"killnowait\"}",
    "{\"mode\":\"skip\"}",
    "{\"eligible_authid\":[\"x\"],\"acknowledge\":1}",
};

#define PICK(r, list) (list)[byte(r) % (sizeof(list) / sizeof *(list))]

/* Writes one message; ids are small so that they meet. */
static void write_message(struct run *r, char *to, size_t size)
{
    static const char *const bodies[] = { "", ",[1,\"x\"]", ",[],{\"k\":[{}]}" };
    unsigned kind = byte(r) % 16, id = 1 + byte(r) % 32;

    if (kind == 0)
        snprintf(to, size, "[1,\"%s\",%s]", PICK(r, realms), PICK(r, roles));
    else if (kind == 1)
        snprintf(to, size, "[6,{},\"wamp.close.close_realm\"]");
    else if (kind == 2)
        snprintf(to, size, "[3,{},\"wamp.close.close_realm\"]");
    else if (kind == 3)
        snprintf(to, size, "[%d,%u,%u]", byte(r) & 1 ? 34 : 66, id, 1 + byte(r) % 32);
    else if (kind == 4)
        snprintf(to, size, "[49,%u,%s]", id, PICK(r, options));
    else if (kind == 5)
        snprintf(to, size, "[70,%u,%s%s]", id, PICK(r, options), PICK(r, bodies));
    else if (kind == 6)
        snprintf(to, size, "[8,68,%u,%s,\"%s\"%s]", id, PICK(r, options), PICK(r, uris),
                 PICK(r, bodies));
    else if (kind < 9)
        snprintf(to, size, "[16,%u,%s,\"%s\"%s]", id, PICK(r, options), PICK(r, uris),
                 PICK(r, bodies));
    else if (kind < 12)
        snprintf(to, size, "[48,%u,%s,\"%s\"%s]", id, PICK(r, options), PICK(r, uris),
                 PICK(r, bodies));
    else if (kind == 14)
        snprintf(to, size, "[48,%u,{},\"%s\"%s]", id, PICK(r, metas),
                 PICK(r, meta_arguments));
    else if (kind == 15)
        snprintf(to, size, "[32,%u,%s,\"%s\"]", id, PICK(r, options), PICK(r, metas));
    else
        snprintf(to, size, "[%d,%u,%s,\"%s\"]", kind == 12 ? 32 : 64, id,
                 PICK(r, options), PICK(r, uris));
}

/* The same in the slot's format, if it is anything in JSON. */
static struct buf *spoken(const struct slot *s, struct buf *json)
{
    struct buf *b =
        s->wire == &wire_json ? NULL : transcode(slice_buf(json), &wire_json, s->wire);

    if (!b)
        return json;
    buf_unref(json);
    return b;
}

static void feed(struct run *r, struct slot *s, struct buf *b)
{
    struct msg m;
    struct fault f;

    if (s->peer) {
        drain(r); /* so that `pending` is up to date */
        b = spoken(s, b);
        if (msg_decode(&m, s->wire, b, &f)) {
            if (m.row->code == MSG_CALL && m.request < IDS)
                s->pending[m.request] = true;
            msg_fini(&m);
        }
        router_feed(r->router, s->peer, b, r->now);
    }
    buf_unref(b);
}

static void say(struct run *r, struct slot *s, bool mutate)
{
    char text[1024];
    size_t n;

    write_message(r, text, sizeof text);
    n = strlen(text);
    for (unsigned i = mutate ? 1 + byte(r) % 4 : 0; i; i--)
        text[byte(r) % n] = (char)byte(r);
    feed(r, s, buf_from(text, n));
}

/* One of the messages around a shared procedure whose callees take one call at a time,
 * and turn calls down; ids are few. */
static void say_shared(struct run *r, struct slot *s)
{
    static const struct {
        const char *head, *tail; /* of the id */
    } messages[] = {
        { "[64,", ",{\"invoke\":\"roundrobin\",\"concurrency\":1},\"com.s\"]" },
        { "[64,", ",{\"invoke\":\"roundrobin\",\"forward_timeout\":true},\"com.s\"]" },
        { "[48,", ",{\"progress\":true,\"timeout\":50},\"com.s\",[1]]" },
        { "[48,", ",{\"timeout\":50},\"com.s\",[2]]" },
        { "[48,", ",{},\"com.s\",[3]]" },
        { "[70,", ",{}]" },
        { "[70,", ",{\"progress\":true}]" },
        { "[8,68,", ",{},\"wamp.error.unavailable\"]" },
        { "[49,", ",{\"mode\":\"kill\"}]" },
        { "[49,", ",{}]" },
    };
    unsigned what = byte(r) % (sizeof messages / sizeof *messages);
    char text[128];

    snprintf(text, sizeof text, "%s%u%s", messages[what].head, 1 + byte(r) % 8,
             messages[what].tail);
    feed(r, s, buf_from(text, strlen(text)));
}

static void say_bytes(struct run *r, struct slot *s)
{
    size_t n = byte(r), rest = (size_t)(r->end - r->p);

    if (n > rest)
        n = rest;
    feed(r, s, buf_from(r->p, n));
    r->p += n;
}

/* The string of a key of the challenge, as it stands there; empty when there is none. */
static struct slice challenge_text(const struct slot *s, const char *key)
{
    const char *at = strstr(s->challenge, key);
    const char *from = at ? at + strlen(key) + 3 : ""; /* behind ":" and its quotes */

    return (struct slice){ from, strcspn(from, "\"") };
}

/* Reverses the escapes of a challenge of wampcra, which has no others. */
static struct buf *unescaped(const struct slot *s)
{
    const char *at = strstr(s->challenge, "\"challenge\":\"");
    struct buf *b = buf_new(sizeof s->challenge);

    for (at = at ? at + 13 : ""; *at && *at != '"'; at++) {
        at += *at == '\\' && at[1];
        buf_append(&b, at, 1);
    }
    return b;
}

static struct buf *cra_proof(const struct slot *s)
{
    struct buf *key = auth_cra_key(SLICE(SECRET), SLICE("salt"), 2, 16);
    struct buf *text = unescaped(s), *proof;

    proof = auth_cra_sign(slice_buf(key), slice_buf(text));
    buf_unref(key);
    buf_unref(text);
    return proof;
}

static struct buf *sign_proof(const struct slot *s)
{
    unsigned char key[AUTH_DIGEST], proof[AUTH_SIGNATURE + AUTH_DIGEST];
    struct slice text = { (const char *)proof + AUTH_SIGNATURE, AUTH_DIGEST };
    struct buf *hex = buf_new(2 * sizeof proof);

    REQUIRE(auth_unhex(key, SLICE(PRIVATE), sizeof key));
    REQUIRE(
        auth_unhex(proof + AUTH_SIGNATURE, challenge_text(s, "challenge"), AUTH_DIGEST));
    REQUIRE(auth_sign(key, text, proof));
    hex->len = 2 * sizeof proof;
    auth_hex(hex->data, (struct slice){ (const char *)proof, sizeof proof });
    return hex;
}

/* A good proof by the method, or what only looks like one. */
static struct buf *proof_of(const struct slot *s, bool *good)
{
    *good = true;
    if (!strcmp(s->method, "ticket"))
        return buf_from(SECRET, sizeof SECRET - 1);
    if (!strcmp(s->method, "wampcra"))
        return cra_proof(s);
    if (!strcmp(s->method, "cryptosign"))
        return sign_proof(s);
    *good = false;
    return buf_from("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 44);
}

/* Answers a challenge; in bits, what is wrong with it. */
static void authenticate(struct run *r, struct slot *s)
{
    unsigned wrong = byte(r);
    char text[1024];
    struct slice nonce;
    struct buf *proof;
    bool good;

    drain(r);
    if (!s->challenge[0])
        return;
    nonce = challenge_text(s, "nonce");
    proof = proof_of(s, &good);
    if (wrong & 1) {
        char *at = &proof->data[byte(r) % proof->len];

        *at = *at == 'a' ? 'b' : 'a';
        good = false;
    }
    if (wrong & 2)
        nonce.n = nonce.n ? nonce.n - 1 : 0;
    snprintf(text, sizeof text, "[5,\"%.*s\",{\"nonce\":\"%.*s\",\"x\":%s}]",
             (int)proof->len, proof->data, (int)nonce.n, nonce.p,
             wrong & 4 ? "null" : "[1]");
    s->proved = good;
    buf_unref(proof);
    feed(r, s, buf_from(text, strlen(text)));
}

/* Answers what the router asks, oldest first, or a question that it never had. */
static void decide(struct run *r)
{
    static const char *const answers[] = {
        "",
        "true",
        "false",
        "7",
        "{\"allow\":true,\"cache\":true,\"disclose\":true}",
        "{\"allow\":false,\"cache\":false}",
        "{\"allow\":true,\"\\u0061llow\":1}",
        "{\"role\":\"anonymous\",\"ticket\":\"" SECRET "\",\"extra\":{\"a\":[{}]}}",
        "{\"role\":\"anonymous\",\"secret\":\"" SECRET "\",\"realm\":\"some\"}",
        "{\"role\":\"anonymous\",\"secret\":\"" SECRET
        "\",\"salt\":\"salt\",\"iterations\":2,\"keylen\":16}",
        "{\"role\":\"anonymous\",\"authid\":\"joe\",\"pubkey\":\"" PUBLIC "\"}",
        "{\"role\":\"anonymous\",\"authorized_keys\":[\"" PUBLIC "\",\"\\u0031\"]}",
        "{\"role\":\"admin\",\"secret\":null}",
        "{\"role\":[],",
    };
    struct slice answer = slice_of(PICK(r, answers));
    struct question q = { .id = byte(r) };

    drain(r);
    if (router_next_question(r->router, &q))
        buf_unref(q.args);
    router_answer(r->router, q.id, answer.n ? answer : (struct slice){ 0 }, r->now);
}

/* It reads less than it is sent; or everything ends. */
static void choke(struct run *r, struct slot *s)
{
    unsigned n = byte(r);

    if (n == 255)
        router_shutdown(r->router, r->now);
    else
        s->backlog = n * (QUEUE / 200u);
}

static void open_peer(struct run *r, struct slot *s)
{
    bool odd = (s - r->slots) & 1;

    if (s->peer)
        return;
    *s = (struct slot){ .asked = r->dynamic };
    s->wire = r->packed && odd ? &wire_msgpack : &wire_json;
    s->peer = router_open(r->router, s->wire, s, r->now);
    if (r->known)
        router_origin(s->peer, odd ? SLICE("::1") : SLICE("127.0.0.1"));
    router_backlog(s->peer, &s->backlog);
}

static void close_peer(struct run *r, struct slot *s)
{
    struct peer *p = s->peer;

    s->peer = NULL;
    if (p)
        router_closed(r->router, p, r->now);
}

static void step(struct run *r)
{
    unsigned op = byte(r);
    struct slot *s = &r->slots[op % PEERS];

    switch (op / PEERS % 16) {
    case 0:
    case 1:
        open_peer(r, s);
        break;
    case 2:
        close_peer(r, s);
        break;
    case 3:
        r->now += (uint64_t)byte(r) * byte(r);
        router_tick(r->router, r->now);
        break;
    case 4:
        take(r);
        break;
    case 5:
        say_bytes(r, s);
        break;
    case 6:
    case 7:
        say(r, s, true);
        break;
    case 8:
        choke(r, s);
        break;
    case 10:
    case 11:
        say_shared(r, s);
        break;
    case 9:
        authenticate(r, s);
        break;
    case 12:
        decide(r);
        break;
    default:
        say(r, s, false);
        break;
    }
}

/* ---- one run ----------------------------------------------------------------------- */

static struct router *router_make(struct run *r)
{
    static struct permission some[] = {
        { .uri = (char *)"com.", .match = MATCH_PREFIX, .allow = ALLOW_ALL },
        { .uri = (char *)"com.a.b",
          .match = MATCH_EXACT,
          .allow = ALLOW_CALL | ALLOW_PUBLISH,
          .disclose = ALLOW_CALL | ALLOW_PUBLISH,
          .trusted = true,
          .trust = 3 },
        { .uri = (char *)".a", .match = MATCH_WILDCARD, .allow = ALLOW_SUBSCRIBE },
        { .uri = (char *)"com.", .match = MATCH_PREFIX, .allow = ALLOW_ALL },
        { .uri = (char *)"wamp.",
          .match = MATCH_PREFIX,
          .allow = ALLOW_CALL | ALLOW_SUBSCRIBE },
        { .uri = (char *)"wampy.router.stats", .allow = ALLOW_CALL },
    };
    static struct history_config kept[] = { { (char *)"com.a", MATCH_EXACT, 3 },
                                            { (char *)"", MATCH_PREFIX, 5 } };
    static struct role_config role = { (char *)"anonymous", some, 6, NULL };
    static struct role_config other = { (char *)"admin", some, 6, NULL };
    static struct role_config ruled = { (char *)"anonymous", NULL, 0, (char *)"" };
    static struct role_config asked = { (char *)"anonymous", NULL, 0, (char *)"com.a" };
    static struct realm_config config[] = {
        { .name = (char *)"all", .histories = kept, .history_count = HISTORIES },
        { .name = (char *)"some", .roles = &role, .count = 1 },
        { .name = (char *)"none", .roles = &other, .count = 1 },
        { .name = (char *)"ruled", .roles = &ruled, .count = 1 },
        { .name = (char *)"asked", .roles = &asked, .count = 1 }
    };
    static char above[] = DECIDES_ABOVE;
    static char name[] = "anonymous", joe[] = "joe";
    unsigned char key[AUTH_DIGEST];
    struct buf *secret = buf_from(SECRET, sizeof SECRET - 1), *salt = buf_from("salt", 4);
    struct buf *keys = buf_from(PUBLIC PUBLIC, 2 * AUTH_DIGEST), *public;
    struct principal_config principals[] = {
        { .role = name },
        { AUTH_TICKET, joe, name, NULL, .secret = secret },
        { AUTH_WAMPCRA, joe, name, NULL, secret, salt, .iterations = 2, .keylen = 16 },
        { AUTH_CRYPTOSIGN, joe, name, NULL, .secret = NULL },
        { AUTH_SCRAM, joe, name, NULL, keys, salt, .iterations = 4096 },
    };
    const struct router_config c = { .realms = config,
                                     .count = 5,
                                     .principals = principals,
                                     .principal_count = 5,
                                     .strict_ids = byte(r) == 1,
                                     .max_queue = QUEUE,
                                     .agent = byte(r) & 1 ? "fuzz" : NULL };
    const struct rng rng = { random_next, r };
    struct router *router;
    unsigned way;

    REQUIRE(auth_unhex(key, SLICE(PUBLIC), sizeof key));
    public = buf_from(key, sizeof key);
    principals[3].secret = public;
    way = byte(r);
    r->dynamic = way & 1;
    r->known = way & 2;
    if (r->dynamic)
        for (size_t i = 1; i < c.principal_count; i++)
            principals[i].authenticator = above;
    router = router_new(&c, &rng);
    if (way & 4)
        router_take_notes(router);
    buf_unref(public);
    buf_unref(keys);
    buf_unref(salt);
    buf_unref(secret);
    return router;
}

static void join_all(struct run *r, const char *realm)
{
    static const char all[] =
        "[1,\"%s\",{\"roles\":{\"caller\":{},\"publisher\":{},"
        "\"subscriber\":{},\"callee\":{\"features\":{"
        "\"call_canceling\":true,\"progressive_call_results\":true}}}}]";
    static const char more[] =
        "[1,\"%s\",{\"roles\":{\"caller\":{\"features\":{"
        "\"progressive_call_invocations\":true,\"payload_passthru_mode\":true}},"
        "\"publisher\":{},\"subscriber\":{},\"callee\":{\"features\":{"
        "\"call_canceling\":true,\"progressive_call_invocations\":true,"
        "\"call_timeout\":true,\"call_reroute\":true,"
        "\"progressive_call_results\":true,\"payload_passthru_mode\":true}}}}]";

    char hello[512];

    for (size_t i = 0; i + 1 < PEERS; i++) {
        open_peer(r, &r->slots[i]);
        snprintf(hello, sizeof hello, i & 1 ? more : all, realm);
        feed(r, &r->slots[i], buf_from(hello, strlen(hello)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run *r = calloc(1, sizeof *r);
    struct router_stats left;
    unsigned joined;

    if (!r)
        abort();
    log_set_level(LOG_ERROR); /* who does not read is warned about */
    r->p = data;
    r->end = data + size;
    r->router = router_make(r);
    joined = byte(r);
    r->packed = joined & 2;
    if (joined & 1)
        join_all(r, joined & 4 ? "some" : "all");
    while (r->p < r->end)
        step(r);
    for (size_t i = 0; i < PEERS; i++)
        close_peer(r, &r->slots[i]);
    drain(r);
    left = router_stats(r->router);
    REQUIRE(!left.peers && !left.sessions && left.subscriptions == HISTORIES &&
            !left.registrations);
    REQUIRE(!left.invocations && router_deadline(r->router) == NEVER);
    router_free(r->router);
    free(r);
    return 0;
}
