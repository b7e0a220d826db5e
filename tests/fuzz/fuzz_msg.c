/* fuzz_msg.c - any bytes as a message: decoded, judged, its options and roles read,
 * encoded.
 *
 * What must hold: a message that is good encodes to a message that is good and equal
 * to it, field by field, in every element; what is refused is refused by name, in
 * valid UTF-8; nothing is left over, and nothing is read behind the end (the
 * sanitizers see to that).
 *
 * Not known here: which messages are good (tests/unit/test_msg.c).
 *
 * covers: src/wamp/msg.c src/wamp/opts.c src/wamp/roles.c src/wamp/uri.c */
#include <stdint.h>
#include <string.h>

#include "require.h"
#include "wamp/roles.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_fault(const struct fault *f, const char *uri)
{
    REQUIRE(!uri || !strcmp(f->uri, uri));
    REQUIRE(f->text[0] && utf8_ok(slice_of(f->text)));
}

static bool slice_same(struct slice a, struct slice b)
{
    return !a.p == !b.p && slice_eq(a, b);
}

/* An absent A in front of a K comes back as []. */
static void check_same(const struct msg *a, const struct msg *b)
{
    REQUIRE(a->row == b->row && a->request == b->request && a->id == b->id);
    REQUIRE(a->publication == b->publication && a->type == b->type);
    REQUIRE(slice_same(a->uri, b->uri) && slice_same(a->text, b->text));
    REQUIRE(slice_same(a->dict, b->dict) && slice_same(a->kwargs, b->kwargs));
    REQUIRE(slice_same(a->args, b->args) ||
            (!a->args.p && a->kwargs.p && slice_is(b->args, "[]")));
}

static void check_encoded(const struct msg *m)
{
    struct buf *bytes = msg_encode(m, &wire_json);
    struct msg back;
    struct fault f;

    if (!msg_decode(&back, &wire_json, bytes, &f))
        failed(__FILE__, __LINE__, f.text);
    check_same(m, &back);
    msg_fini(&back);
    buf_unref(bytes);
}

static void check_allowed(const struct msg *m)
{
    struct fault f;

    for (unsigned from = FROM_CLIENT; from <= FROM_ROUTER; from++) {
        for (unsigned state = STATE_OPENING; state <= STATE_CLOSING; state <<= 1) {
            if (!msg_allowed(m, from, state, &f))
                check_fault(&f, "wamp.error.protocol_violation");
            else
                REQUIRE((m->row->from & from) && (m->row->states & state));
        }
    }
}

/* Roles that were read are written, and read again to the same bits. */
static void check_roles(const struct opts *o, const struct msg *m)
{
    struct roles r, back;
    struct writer w;
    struct fault f;

    if (!roles_decode(&r, m->wire, opt_text(o, OPT_ROLES), ~0u, &f)) {
        check_fault(&f, "wamp.error.protocol_violation");
        return;
    }
    writer_init(&w, &wire_json, 0);
    roles_encode(&r, &w);
    REQUIRE(roles_decode(&back, &wire_json, slice_buf(w.buf), r.roles, &f));
    REQUIRE(!memcmp(&r, &back, sizeof r));
    writer_fini(&w);
}

static void check_opts(const struct msg *m)
{
    struct opts o;
    struct fault f;

    if (!opts_decode(&o, m, &f)) {
        check_fault(&f, "wamp.error.protocol_violation");
        return;
    }
    for (int key = OPT_TIMEOUT; key < OPT_MATCH; key++)
        REQUIRE(opt_int(&o, (enum opt)key) >= 0);
    for (int key = OPT_MATCH; key < OPT_COUNT; key++) {
        struct slice s = opt_text(&o, (enum opt)key);

        REQUIRE(!s.n || slice_in(s, m->bytes) || (o.scratch && slice_in(s, o.scratch)));
        REQUIRE(utf8_ok(s));
    }
    if (!msg_uri_ok(m, &o, false, &f))
        check_fault(&f, NULL);
    else if (!msg_uri_ok(m, &o, true, &f))
        check_fault(&f, "wamp.error.invalid_uri");
    if (opt_has(&o, OPT_ROLES))
        check_roles(&o, m);
    opts_fini(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf *bytes = buf_from(data, size);
    struct msg m, moved;
    struct fault f;

    if (msg_decode(&m, &wire_json, bytes, &f)) {
        msg_move(&moved, &m);
        check_allowed(&moved);
        check_opts(&moved);
        check_encoded(&moved);
        msg_fini(&moved);
    } else {
        check_fault(&f, "wamp.error.protocol_violation");
    }
    REQUIRE(bytes->refs == 1);
    buf_unref(bytes);
    return 0;
}
