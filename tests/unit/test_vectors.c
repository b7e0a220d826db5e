/* test_vectors.c - the specification's own test vectors of single messages, in JSON,
 * MsgPack and CBOR.
 *
 * A sample is bytes in several spellings with the attributes they decode to, or a
 * message that has to be accepted or refused. Bytes in MsgPack and CBOR are the
 * message that they are in JSON, whole and in each of its elements, and what we write.
 * What is skipped is what we say that we do not do: keys of other implementations, and
 * a message of theirs. The number of each is printed and fixed, so that a sample does
 * not get lost. */
#include "message.h"
#include "packed_rows.h"
#include "vectors.h"
#include "wamp/opts.h"

void test_vectors(void);

static const char *const files[] = {
    "advanced/cancel",    "advanced/eventreceived",
    "advanced/interrupt", "advanced/publish_with_publisher_exclusion_disabled",
    "basic/abort",        "basic/authenticate",
    "basic/call",         "basic/challenge",
    "basic/error",        "basic/event",
    "basic/goodbye",      "basic/hello",
    "basic/invocation",   "basic/publish",
    "basic/published",    "basic/register",
    "basic/registered",   "basic/result",
    "basic/subscribe",    "basic/subscribed",
    "basic/unregister",   "basic/unregistered",
    "basic/unsubscribe",  "basic/unsubscribed",
    "basic/welcome",      "basic/yield",
};

/* Why a sample is skipped: a word in its message. */
static struct {
    const char *word, *why;
    int count, expected;
} skips[] = {
    { "forward_for", "forward_for: router to router", 0, 13 },
    { "transaction_hash", "transaction_hash: not of WAMP", 0, 4 },
    { "x_acknowledged_delivery", "x_...: implementations' own", 0, 2 },
    { "[337", "code 337: not of WAMP", 0, 1 },
};

static int decoded, packed, judged;

#define EXPECTED_PACKED 35 /* samples with bytes; their values are never skipped */

static bool is_skipped(const char *text)
{
    for (size_t i = 0; i < COUNT(skips); i++) {
        if (strstr(text, skips[i].word)) {
            skips[i].count++;
            return true;
        }
    }
    return false;
}

/* ---- bytes ------------------------------------------------------------------------- */

/* An opaque payload, whose bytes are given in hex. */
static struct slice payload(const struct msg *m, char out[200])
{
    struct buf *scratch = NULL;
    struct reader r;
    struct slice bytes;
    size_t n = 1;

    if (!m->opaque)
        return SLICE("null");
    reader_init(&r, m->wire, m->args);
    CHECK(reader_next(&r) == TOKEN_BINARY);
    bytes = reader_text(&r, &scratch);
    CHECK(bytes.n < 95);
    out[0] = '"';
    for (size_t i = 0; i < bytes.n; i++, n += 2)
        snprintf(out + n, 200 - n, "%02x", (unsigned char)bytes.p[i]);
    out[n] = '"';
    buf_unref(scratch);
    return (struct slice){ out, n + 1 };
}

/* A message's field as JSON in `out`: what the attribute of this name must be. */
static struct slice field(const struct msg *m, const char *name, char out[200])
{
    static const char *const ids[] = { "session_id", "registration_id", "subscription_id",
                                       "subscription" };
    static const char *const uris[] = { "realm", "topic", "procedure", "reason",
                                        "error" };
    static const char *const dicts[] = { "options", "details", "extra" };

    for (size_t i = 0; i < COUNT(dicts); i++)
        if (!strcmp(name, dicts[i]))
            return m->dict;
    if (!strcmp(name, "args"))
        return m->args.p && !m->opaque ? m->args : SLICE("null");
    if (!strcmp(name, "kwargs"))
        return m->kwargs.p ? m->kwargs : SLICE("null");
    if (!strcmp(name, "roles"))
        return json_member(m->dict, "roles");
    if (!strcmp(name, "payload"))
        return payload(m, out);
    out[0] = '\0';
    for (size_t i = 0; i < COUNT(ids); i++)
        if (!strcmp(name, ids[i]))
            snprintf(out, 200, "%llu", (unsigned long long)m->id);
    for (size_t i = 0; i < COUNT(uris); i++)
        if (!strcmp(name, uris[i]))
            snprintf(out, 200, "\"%.*s\"", (int)m->uri.n, m->uri.p);
    if (!strcmp(name, "method") || !strcmp(name, "signature"))
        snprintf(out, 200, "\"%.*s\"", (int)m->text.n, m->text.p);
    if (!strcmp(name, "message_type"))
        snprintf(out, 200, "%d", (int)m->row->code);
    if (!strcmp(name, "request_type"))
        snprintf(out, 200, "%d", m->type);
    if (!strcmp(name, "request_id"))
        snprintf(out, 200, "%llu", (unsigned long long)m->request);
    if (!strcmp(name, "publication_id") || !strcmp(name, "publication"))
        snprintf(out, 200, "%llu", (unsigned long long)m->publication);
    return slice_of(out);
}

static void check_attributes(const struct msg *m, struct slice attributes)
{
    struct reader r;
    struct slice value;
    char name[100], out[200];

    reader_init(&r, &wire_json, attributes);
    CHECK(reader_next(&r) == TOKEN_DICT);
    while (reader_next(&r) == TOKEN_KEY) {
        snprintf(name, sizeof name, "%.*s", (int)r.text.n, r.text.p);
        CHECK(reader_skip(&r, &value));
        if (!json_same(value, field(m, name, out)))
            complain(name, "not the value that is expected");
    }
}

/* Whether the message encodes to one of the spellings. */
static bool encodes_to_one(const struct msg *m, struct slice variants)
{
    struct buf *b = msg_encode(m, &wire_json);
    bool found = false;

    for (size_t i = 0;;) {
        struct slice variant = json_element(variants, &i);
        const char *text = json_string(json_member(variant, "bytes"));

        if (!variant.p)
            break;
        found |= text && slice_is(slice_buf(b), text);
    }
    buf_unref(b);
    return found;
}

/* Decodes one spelling; whether it encodes to one of them. A dict keeps its spaces, so
 * not all do. */
static bool check_spelling(const char *text, struct slice sample, struct slice variants)
{
    struct msg m;
    struct fault f;
    bool found;

    decoded++;
    if (!decode(&m, text, &f)) {
        complain(text, f.text);
        return false;
    }
    check_attributes(&m, json_member(sample, "expected_attributes"));
    found = encodes_to_one(&m, variants);
    msg_fini(&m);
    return found;
}

static void check_bytes(struct slice sample, struct slice variants)
{
    bool found = false;
    const char *text;

    for (size_t i = 0;
         (text = json_string(json_member(json_element(variants, &i), "bytes")));)
        found |= check_spelling(text, sample, variants);
    if (!found)
        complain(json_string(json_member(sample, "description")),
                 "encodes to no spelling");
}

/* ---- bytes in MsgPack and CBOR ----------------------------------------------------- */

/* The message decodes, and is written in the same bytes again. */
static void check_packed_message(const struct wire *wire, struct buf *bytes)
{
    struct msg m;
    struct fault f;
    struct buf *again;

    if (!msg_decode(&m, wire, bytes, &f)) {
        complain(wire->name, f.text);
        return;
    }
    again = msg_encode(&m, wire);
    if (!slice_eq(slice_buf(again), slice_buf(bytes)))
        complain(wire->name, "encodes to other bytes");
    buf_unref(again);
    msg_fini(&m);
}

static void check_packed_bytes(const struct wire *wire, const char *hex, const char *json,
                               bool skipped)
{
    struct buf *bytes = from_hex(slice_of(hex)), *ours = from_json(wire, json);
    struct buf *text = to_json(wire, slice_buf(bytes));

    packed++;
    if (!skipped)
        check_packed_message(wire, bytes);
    if (!text || !json_same(slice_buf(text), slice_of(json)))
        complain(hex, "not the message that it is in JSON");
    if (!slice_eq(slice_buf(ours), slice_buf(bytes)))
        complain(json, "written otherwise");
    buf_unref(text);
    buf_unref(ours);
    buf_unref(bytes);
}

static void check_packed(struct slice sample, const struct wire *wire, const char *json,
                         bool skipped)
{
    struct slice variants = json_member(json_member(sample, "serializers"), wire->name);
    const char *hex;

    for (size_t i = 0;
         (hex = json_string(json_member(json_element(variants, &i), "bytes_hex")));)
        check_packed_bytes(wire, hex, json, skipped);
}

/* ---- accepted or refused ----------------------------------------------------------- */

static bool accepted(const char *text, struct fault *f)
{
    struct msg m;
    struct opts o;
    bool ok;

    if (!decode(&m, text, f))
        return false;
    ok = opts_decode(&o, &m, f) && msg_uri_ok(&m, &o, true, f);
    opts_fini(&o);
    msg_fini(&m);
    return ok;
}

static void check_verdict(const char *text, struct slice sample)
{
    struct slice error = json_member(sample, "expected_error");
    const char *word = json_string(json_member(error, "contains"));
    struct fault f = { .text = "" };
    bool ok = accepted(text, &f);

    judged++;
    if (ok != !error.p)
        complain(text, ok ? "should be refused" : f.text);
    else if (!ok && !(word && strstr(f.text, word)))
        complain(text, f.text);
}

/* ---- files ------------------------------------------------------------------------- */

static void check_sample(struct slice sample)
{
    struct slice variants = json_member(json_member(sample, "serializers"), "json");
    struct slice message = json_member(sample, "wmsg");
    size_t first = 0;
    const char *bytes = json_string(json_member(json_element(variants, &first), "bytes"));
    char text[TEXT_MAX];
    bool skipped;

    CHECK(bytes || message.p);
    if (bytes)
        message = slice_of(bytes);
    snprintf(text, sizeof text, "%.*s", (int)message.n, message.p);
    skipped = is_skipped(text);
    if (!bytes) {
        if (!skipped)
            check_verdict(text, sample);
        return;
    }
    if (!skipped)
        check_bytes(sample, variants);
    check_packed(sample, &wire_msgpack, text, skipped);
    check_packed(sample, &wire_cbor, text, skipped);
}

static bool check_file(const char *name)
{
    char path[200];
    struct buf *file;
    struct slice samples, sample;
    size_t i = 0;

    snprintf(path, sizeof path, "wamp-proto/singlemessage/%s.json", name);
    file = vectors_read(path);
    if (!file)
        return false;
    samples = json_member(slice_buf(file), "samples");
    while ((sample = json_element(samples, &i)).p)
        check_sample(sample);
    CHECK(i > 0);
    buf_unref(file);
    return true;
}

void test_vectors(void)
{
    size_t found = 0;

    TEST("the specification's vectors of single messages");
    for (size_t i = 0; i < COUNT(files); i++)
        found += check_file(files[i]);
    if (!found) {
        vectors_absent("the specification's single messages");
        return;
    }
    CHECK_INT(found, COUNT(files));
    printf("unit: %d vectors decoded and encoded, %d in MsgPack and CBOR, %d judged\n",
           decoded, packed, judged);
    CHECK_INT(packed, 2 * EXPECTED_PACKED);
    for (size_t i = 0; i < COUNT(skips); i++) {
        printf("unit: %d vectors skipped, %s\n", skips[i].count, skips[i].why);
        CHECK_INT(skips[i].count, skips[i].expected);
    }
}
