/* opaque.c - what a message says of a payload that only its ends can read.
 *
 *     enc_algo         cryptobox, mqtt, xbr, x_...                    there always
 *     enc_serializer   json, msgpack, cbor, ubjson, flatbuffers, x_...
 *     enc_key          any text
 *
 * A receiver that checks the words (Autobahn) ends its session over one that it does not
 * know; so they are checked where they come in. */
#include "wamp/opaque.h"

#include "wamp/opts.h"

static const char *const algorithms[] = { "cryptobox", "mqtt", "xbr", NULL };
static const char *const serializers[] = { "json",   "msgpack",     "cbor",
                                           "ubjson", "flatbuffers", NULL };

bool opaque_is_said(const struct msg *m)
{
    struct opts o;
    struct fault f;
    bool said = opts_decode(&o, m, &f);

    if (!said)
        return false;
    said = opt_has(&o, OPT_ENC_ALGO);
    opts_fini(&o);
    return said;
}

/* An implementation's own word: x_, or x_ and a name of two letters at least. */
static bool is_custom(struct slice word)
{
    if (!slice_has_prefix(word, SLICE("x_")) || word.n == 3)
        return false;
    for (size_t i = 2; i < word.n; i++) {
        char c = word.p[i];
        bool letter = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';

        if (!letter && (i == 2 || (!digit && c != '_')))
            return false;
    }
    return true;
}

static bool is_word(const struct msg *m, const struct opts *o, enum opt key,
                    const char *const *words, struct fault *f)
{
    struct slice word = opt_text(o, key);

    if (!opt_has(o, key) || is_custom(word))
        return true;
    for (; *words; words++)
        if (slice_is(word, *words))
            return true;
    fault_set(f, "wamp.error.protocol_violation", "%s: there is no %s '%.*s'",
              m->row->name, opt_name(key), (int)(word.n < 64 ? word.n : 64), word.p);
    return false;
}

bool opaque_ok(const struct msg *m, struct fault *f)
{
    struct opts o;
    bool ok;

    if (m->kwargs.p) {
        fault_set(f, "wamp.error.protocol_violation",
                  "%s: keyword arguments beside a payload with enc_algo", m->row->name);
        return false;
    }
    if (!opts_decode(&o, m, f))
        return false;
    ok = is_word(m, &o, OPT_ENC_ALGO, algorithms, f) &&
         is_word(m, &o, OPT_ENC_SERIALIZER, serializers, f);
    opts_fini(&o);
    return ok;
}
