/* passthru.c - who may send and get payload that the router does not look into (WAMP:
 * payload passthru mode; and what came before it, opaque.h).
 *
 * Its keys say how to read the payload: by which scheme, in which format, encrypted how
 * and for whom. They travel with it as they are (details_passthru). Both ends must have
 * announced the feature: who did not would take sealed bytes for arguments.
 *
 *     scheme   ppt_serializer                ppt_cipher                    ppt_keyid
 *     wamp     cbor, flatbuffers: required   xsalsa20poly1305, aes256gcm   any
 *     mqtt     native, json, msgpack, cbor   -                             -
 *     x_...    any                           any                           any */
#include "router/private.h"

#define BIT(key) (1ULL << OPT_##key)
#define PPT (BIT(PPT_SCHEME) | BIT(PPT_SERIALIZER) | BIT(PPT_CIPHER) | BIT(PPT_KEYID))
#define ENC (BIT(ENC_ALGO) | BIT(ENC_KEY) | BIT(ENC_SERIALIZER))

/* Whether the value of a key is one of a list that ends with NULL. */
static bool is_one_of(const struct opts *o, enum opt key, const char *const *values)
{
    struct slice value = opt_text(o, key);

    while (*values && !slice_is(value, *values))
        values++;
    return *values;
}

/* The key that is not as its scheme has it, OPT_COUNT for none. */
static enum opt wrong_key(const struct opts *o)
{
    static const char *const wamp_serializers[] = { "cbor", "flatbuffers", NULL };
    static const char *const ciphers[] = { "xsalsa20poly1305", "aes256gcm", NULL };
    static const char *const mqtt_serializers[] = { "native", "json", "msgpack", "cbor",
                                                    NULL };
    struct slice scheme = opt_text(o, OPT_PPT_SCHEME);

    if (slice_has_prefix(scheme, SLICE("x_")))
        return OPT_COUNT;
    if (slice_is(scheme, "wamp")) {
        if (!is_one_of(o, OPT_PPT_SERIALIZER, wamp_serializers))
            return OPT_PPT_SERIALIZER;
        return !opt_has(o, OPT_PPT_CIPHER) || is_one_of(o, OPT_PPT_CIPHER, ciphers)
                   ? OPT_COUNT
                   : OPT_PPT_CIPHER;
    }
    if (!slice_is(scheme, "mqtt"))
        return OPT_PPT_SCHEME;
    if (opt_has(o, OPT_PPT_SERIALIZER) &&
        !is_one_of(o, OPT_PPT_SERIALIZER, mqtt_serializers))
        return OPT_PPT_SERIALIZER;
    return opt_has(o, OPT_PPT_CIPHER)  ? OPT_PPT_CIPHER
           : opt_has(o, OPT_PPT_KEYID) ? OPT_PPT_KEYID
                                       : OPT_COUNT;
}

static enum role sender_role(const struct msg *message)
{
    switch (message->row->code) {
    case MSG_CALL:
        return ROLE_CALLER;
    case MSG_PUBLISH:
        return ROLE_PUBLISHER;
    default:
        return ROLE_CALLEE;
    }
}

static bool announced(const struct member *sender, const struct msg *message,
                      enum feature feature, struct fault *f)
{
    enum role role = sender_role(message);

    if (roles_can(&sender->roles, role, feature))
        return true;
    fault_set(f, "wamp.error.protocol_violation", "%s: the %s did not announce %s",
              message->row->name, role_name(role), feature_name(feature));
    return false;
}

static bool ppt_ok(const struct member *sender, const struct msg *message,
                   const struct opts *o, struct fault *f)
{
    enum opt wrong;

    if (!announced(sender, message, FEATURE_PAYLOAD_PASSTHRU_MODE, f))
        return false;
    wrong = wrong_key(o);
    if (wrong == OPT_COUNT)
        return true;
    fault_set(f, "wamp.error.protocol_violation",
              "%s: %s is not a value that payload passthru mode has here",
              message->row->name, opt_name(wrong));
    return false;
}

static bool enc_ok(const struct member *sender, const struct msg *message,
                   struct fault *f)
{
    if (message->opaque)
        return announced(sender, message, FEATURE_PAYLOAD_TRANSPARENCY, f);
    fault_set(f, "wamp.error.protocol_violation",
              "%s: enc_... without a payload in place of the arguments",
              message->row->name);
    return false;
}

bool passthru_ok(const struct member *sender, const struct msg *message,
                 const struct opts *o, struct fault *f)
{
    return (!(o->present & PPT) || ppt_ok(sender, message, o, f)) &&
           (!(o->present & ENC) || enc_ok(sender, message, f));
}

static bool fits(const struct member *receiver, enum role role, const struct opts *o,
                 uint64_t keys, enum feature feature)
{
    return !(o->present & keys) || roles_can(&receiver->roles, role, feature);
}

bool passthru_fits(const struct member *receiver, enum role role, const struct opts *o)
{
    return fits(receiver, role, o, PPT, FEATURE_PAYLOAD_PASSTHRU_MODE) &&
           fits(receiver, role, o, ENC, FEATURE_PAYLOAD_TRANSPARENCY);
}

const char *passthru_feature(const struct opts *o)
{
    return feature_name(o->present & ENC ? FEATURE_PAYLOAD_TRANSPARENCY
                                         : FEATURE_PAYLOAD_PASSTHRU_MODE);
}
