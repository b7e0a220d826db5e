/* tls.c - OpenSSL contexts from PEM files, and clear words for what OpenSSL finds.
 *
 * OpenSSL's own texts ("no start line", "sslv3 alert certificate unknown") do not tell
 * what to do. So files are opened and read here, step by step, and each step knows what
 * it was looking for.
 *
 * Not known here: connections (ws_tls.c for clients, tunnel.c for servers). */
#include "net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

LOG_PRINTF(2, 3) static bool fail(char *error, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(error, TLS_ERROR_SIZE, fmt, ap);
    va_end(ap);
    ERR_clear_error();
    return false;
}

/* ---- PEM files --------------------------------------------------------------------- */

/* The file, not empty; NULL with the reason in `error`. */
static BIO *open_pem(const char *path, const char *what, char *error)
{
    FILE *file = fopen(path, "rb");
    int c = file ? getc(file) : EOF;

    if (!file || (c == EOF && ferror(file)))
        fail(error, "%s %.150s: %s", what, path, strerror(errno));
    else if (c == EOF)
        fail(error, "%s %.150s: the file is empty", what, path);
    if (c == EOF) {
        if (file)
            fclose(file);
        return NULL;
    }
    rewind(file);
    return BIO_new_fp(file, BIO_CLOSE);
}

/* Ours never asks the terminal for a passphrase. */
static int no_passphrase(char *out, int size, int writing, void *asked)
{
    (void)out, (void)size, (void)writing;
    *(bool *)asked = true;
    return -1;
}

/* Calls `use` for each certificate of the file. */
static bool each_certificate(const char *path, const char *what,
                             int (*use)(void *user, X509 *x), void *user, char *error)
{
    BIO *file = open_pem(path, what, error);
    unsigned n = 0;
    X509 *x;
    bool bad;

    if (!file)
        return false;
    for (; (x = PEM_read_bio_X509_AUX(file, NULL, NULL, NULL)) != NULL; n++) {
        use(user, x);
        X509_free(x);
    }
    bad = !n || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE;
    BIO_free(file);
    ERR_clear_error();
    return !bad ||
           fail(error, "%s %.150s: %s (expected PEM, -----BEGIN CERTIFICATE-----)", what,
                path, n ? "a certificate is damaged" : "no certificate in it");
}

static int use_trusted(void *store, X509 *x)
{
    return X509_STORE_add_cert(store, x);
}

static int use_issuer(void *context, X509 *x)
{
    return SSL_CTX_add_client_CA(context, x) &&
           X509_STORE_add_cert(SSL_CTX_get_cert_store(context), x);
}

/* The first is our own, the rest its chain. */
static int use_own(void *context, X509 *x)
{
    if (!SSL_CTX_get0_certificate(context))
        return SSL_CTX_use_certificate(context, x);
    return (int)SSL_CTX_add1_chain_cert(context, x);
}

static EVP_PKEY *read_key(const char *path, char *error)
{
    BIO *file = open_pem(path, "key", error);
    bool asked = false;
    EVP_PKEY *key;

    if (!file)
        return NULL;
    key = PEM_read_bio_PrivateKey(file, NULL, no_passphrase, &asked);
    BIO_free(file);
    if (!key)
        fail(error, "key %.150s: %s", path,
             asked ? "it is encrypted; decrypt it first (openssl pkey)"
                   : "no private key in it (expected PEM, -----BEGIN PRIVATE KEY-----)");
    return key;
}

static bool use_key(SSL_CTX *context, const struct tls_options *o, char *error)
{
    EVP_PKEY *key = read_key(o->key, error);
    bool ok = key && SSL_CTX_use_PrivateKey(context, key);

    if (key && !ok)
        fail(error, "key %.150s: it does not belong to the certificate %.150s", o->key,
             o->cert);
    EVP_PKEY_free(key);
    return ok;
}

static bool use_identity(SSL_CTX *context, const struct tls_options *o, char *error)
{
    if (!o->cert != !o->key)
        return fail(error, "a %s without a %s: give both",
                    o->cert ? "certificate" : "key", o->cert ? "key" : "certificate");
    if (!o->cert)
        return true;
    if (!each_certificate(o->cert, "certificate", use_own, context, error))
        return false;
    if (!SSL_CTX_get0_certificate(context))
        return fail(error, "certificate %.150s: OpenSSL refuses it (a weak key?)",
                    o->cert);
    for (const char *const *path = o->chain; *path; path++)
        if (!each_certificate(*path, "chain certificate", use_own, context, error))
            return false;
    return use_key(context, o, error);
}

/* ---- contexts ---------------------------------------------------------------------- */

X509_STORE *tls_trust(const struct tls_options *o, char *error)
{
    X509_STORE *store = X509_STORE_new();
    bool ok = true;

    if (!o->insecure)
        X509_STORE_set_default_paths(store);
    for (const char *const *path = o->cas; ok && *path; path++)
        ok = each_certificate(*path, "CA file", use_trusted, store, error);
    ERR_clear_error();
    if (ok)
        return store;
    X509_STORE_free(store);
    return NULL;
}

static SSL_CTX *context_new(const SSL_METHOD *method)
{
    SSL_CTX *context = SSL_CTX_new(method);

    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    return context;
}

SSL_CTX *tls_client_context(const struct tls_options *o, X509_STORE *trust, char *error)
{
    SSL_CTX *context = context_new(TLS_client_method());

    SSL_CTX_set1_cert_store(context, trust);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    if (use_identity(context, o, error))
        return context;
    SSL_CTX_free(context);
    return NULL;
}

static bool use_client_cas(SSL_CTX *context, const struct tls_options *o, char *error)
{
    for (const char *const *path = o->cas; *path; path++)
        if (!each_certificate(*path, "CA file", use_issuer, context, error))
            return false;
    if (o->cas[0])
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           NULL);
    return true;
}

SSL_CTX *tls_server_context(const struct tls_options *o, char *error)
{
    SSL_CTX *context;

    if (!o->cert && !o->key) {
        fail(error, "TLS needs a certificate and its key (two PEM files)");
        return NULL;
    }
    context = context_new(TLS_server_method());
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); /* tickets will do */
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"wampy", 5);
    /* WebSocket has an end of its own: a missing close_notify is a lost link, no more */
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, 64 * 1024);
    if (use_identity(context, o, error) && use_client_cas(context, o, error))
        return context;
    SSL_CTX_free(context);
    return NULL;
}

void tls_expect(SSL *ssl, const char *name)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    bool address = X509_VERIFY_PARAM_set1_ip_asc(param, name);

    ERR_clear_error();
    if (!address)
        X509_VERIFY_PARAM_set1_ip(param, NULL, 0);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM_set1_host(param, address ? NULL : name, 0);
    /* no addresses there: RFC 6066, 3 */
    SSL_set_tlsext_host_name(ssl, address ? NULL : (void *)(uintptr_t)name);
    SSL_set_alpn_protos(ssl, NULL, 0); /* Crossbar.io fails on any offer */
}

/* ---- sentences --------------------------------------------------------------------- */

static void one_name(const GENERAL_NAME *name, char *out, socklen_t size)
{
    const ASN1_STRING *s = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;

    out[0] = '\0';
    if (name->type == GEN_DNS)
        snprintf(out, size, "%.*s", ASN1_STRING_length(s), ASN1_STRING_get0_data(s));
    else if (name->type == GEN_IPADD)
        inet_ntop(ASN1_STRING_length(s) == 4 ? AF_INET : AF_INET6,
                  ASN1_STRING_get0_data(s), out, size);
}

/* The names in a certificate, the first few of them. */
static void names_of(X509 *x, char *out, size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    size_t n = 0;
    char name[64];

    out[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && n + sizeof name < size; i++) {
        one_name(sk_GENERAL_NAME_value(names, i), name, sizeof name);
        if (name[0])
            n += (size_t)snprintf(out + n, size - n, n ? ", %s" : "%s", name);
    }
    GENERAL_NAMES_free(names);
    if (!out[0] && X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName,
                                             out, (int)size) <= 0)
        snprintf(out, size, "nobody");
}

static void issuer_of(X509 *x, char *out, size_t size)
{
    X509_NAME *issuer = X509_get_issuer_name(x);

    if (X509_NAME_get_text_by_NID(issuer, NID_commonName, out, (int)size) <= 0 &&
        X509_NAME_get_text_by_NID(issuer, NID_organizationName, out, (int)size) <= 0)
        snprintf(out, size, "somebody without a name");
}

static void day_of(const ASN1_TIME *t, char *out, size_t size)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(t, &tm) != 1 || !strftime(out, size, "%Y-%m-%d %H:%M UTC", &tm))
        snprintf(out, size, "a date unknown");
}

void tls_explain_certificate(X509_STORE_CTX *found, const char *name, char *error)
{
    int code = X509_STORE_CTX_get_error(found);
    X509 *x = X509_STORE_CTX_get_current_cert(found);
    char text[160] = "";

    switch (x ? code : X509_V_ERR_UNSPECIFIED) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        day_of(X509_get0_notAfter(x), text, sizeof text);
        fail(error, "the certificate has expired (%s); the server needs a new one", text);
        return;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        day_of(X509_get0_notBefore(x), text, sizeof text);
        fail(error, "the certificate is not valid before %s; is the clock here right?",
             text);
        return;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        names_of(x, text, sizeof text);
        fail(error,
             "the certificate is for %s, not for %.60s; connect by its name, or give "
             "tls.server_name",
             text, name);
        return;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        fail(error, "the certificate is self-signed; give it as cert_path to trust it");
        return;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        issuer_of(x, text, sizeof text);
        fail(error,
             "the certificate is from an unknown CA, %.60s; give the CA's "
             "certificate as cert_path",
             text);
        return;
    default:
        fail(error, "the certificate is not good: %s",
             X509_verify_cert_error_string(code));
    }
}

const char *tls_explain_failure(int alert, int reason)
{
    switch (alert) {
    case 0:
        break;
    case SSL_AD_CERTIFICATE_REQUIRED:
        return "the server wants a client certificate; give tls.cert and tls.key";
    case SSL_AD_HANDSHAKE_FAILURE:
        return "the server refused the TLS handshake (no cipher in common, or it wants a "
               "client certificate: tls.cert, tls.key)";
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
        return "the server does not accept the client certificate (tls.cert)";
    case SSL_AD_PROTOCOL_VERSION:
        return "the server has no TLS version in common with us (1.2 and 1.3)";
    case SSL_AD_UNRECOGNIZED_NAME:
        return "the server does not know this name (tls.server_name)";
    default:
        return SSL_alert_desc_string_long(alert);
    }
    switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
        return "no TLS is spoken there; is it ws:// and not wss:// (or rs, not rss)?";
    case SSL_R_UNSUPPORTED_PROTOCOL:
        return "the server has no TLS version in common with us (1.2 and 1.3)";
    default:
        return NULL;
    }
}
