/* ws_tls.c - wss:// of a client: lws speaks TLS, with an OpenSSL context of ours. A
 * client of rss:// takes the context only (raw_tls.c).
 *
 * lws takes a context with a vhost, so each set of settings has a vhost of its own, made
 * when it is first wanted: reading the system's CAs takes far longer than everything
 * else that a start does. It is counted by its connections and kept for the next one;
 * files that have changed make new settings.
 *
 * lws tells of a failed handshake in words of its own, or none. So OpenSSL is listened
 * to: callbacks of ours note with the SSL what is wrong with a certificate, the last
 * alert and the last error.
 *
 * Not known here: PEM files and sentences (tls.c), TLS of a server (ws_tunnel.c). */
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "net/ws_private.h"

#define IDLE_KEPT 8 /* settings that nobody uses are kept for a later connection */

/* One set of settings. */
struct ws_tls {
    struct list node; /* in net->tls, the one used last at the end */
    unsigned uses;    /* connections */
    struct buf *key;  /* owned: the settings as text, to be compared */
    size_t trust_key; /* as much of it as is about CAs */
    char *name;       /* owned: whom the certificate must be for */
    bool insecure;
    X509_STORE *trust; /* counted */
    SSL_CTX *context;  /* owned */
    struct lws_vhost *vhost;
};

/* ---- what OpenSSL tells ------------------------------------------------------------ */

/* Why a handshake failed, as far as is known. */
struct failure {
    int alert, reason; /* 0: none */
    char text[TLS_ERROR_SIZE];
};

static int of_context = -1; /* index of a context's struct ws_tls */
static int of_ssl = -1;     /* of an SSL's struct failure, which it owns */

static struct failure *failure_of(const SSL *ssl)
{
    struct failure *f = SSL_get_ex_data(ssl, of_ssl);

    if (f)
        return f;
    f = xcalloc(1, sizeof *f);
    SSL_set_ex_data((SSL *)(uintptr_t)ssl, of_ssl, f);
    return f;
}

static void failure_free(void *parent, void *f, CRYPTO_EX_DATA *data, int index,
                         long argl, void *argp)
{
    (void)parent, (void)data, (void)index, (void)argl, (void)argp;
    free(f);
}

static const struct ws_tls *tls_of(const SSL *ssl)
{
    return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), of_context);
}

/* lws has one of its own, which asks whichever vhost comes first. */
static int on_verify(int ok, X509_STORE_CTX *found)
{
    const SSL *ssl =
        X509_STORE_CTX_get_ex_data(found, SSL_get_ex_data_X509_STORE_CTX_idx());
    const struct ws_tls *tls = tls_of(ssl);

    if (ok || !tls->insecure) {
        if (!ok)
            tls_explain_certificate(found, tls->name, failure_of(ssl)->text);
        return ok;
    }
    X509_STORE_CTX_set_error(found, X509_V_OK);
    return 1;
}

static void on_info(const SSL *ssl, int where, int value)
{
    unsigned long error = ERR_peek_last_error();

    if (where == SSL_CB_HANDSHAKE_START) {
        tls_expect((SSL *)(uintptr_t)ssl, tls_of(ssl)->name);
        SSL_set_verify((SSL *)(uintptr_t)ssl, SSL_VERIFY_PEER, on_verify);
    } else if (where == SSL_CB_READ_ALERT && (value & 0xff) != SSL_AD_CLOSE_NOTIFY) {
        failure_of(ssl)->alert = value & 0xff;
    } else if ((where & SSL_CB_EXIT) && value <= 0 && error) {
        failure_of(ssl)->reason = ERR_GET_REASON(error);
    }
}

const char *ws_tls_why(const SSL *ssl, int *alert)
{
    const struct failure *f = failure_of(ssl);

    *alert = f->alert;
    return f->text[0] ? f->text : tls_explain_failure(f->alert, f->reason);
}

bool ws_tls_explain(struct ws *ws)
{
    SSL *ssl = ws->tls ? lws_get_ssl(ws->wsi) : NULL;
    int alert = 0;
    const char *text = ssl ? ws_tls_why(ssl, &alert) : NULL;

    if (!ssl || (!text && SSL_is_init_finished(ssl)))
        return false;
    if (text)
        ws_end(ws, CONN_TLS, alert, "%s", text);
    else
        ws_end(ws, CONN_LOST, 0,
               "closed the connection during the TLS handshake; is it wss:// that is "
               "spoken there?");
    return true;
}

/* ---- settings ---------------------------------------------------------------------- */

static void key_add(struct buf **key, const char *what, const char *value)
{
    struct stat st;

    if (!value)
        return;
    buf_append(key, what, strlen(what) + 1);
    buf_append(key, value, strlen(value) + 1);
    if (strcmp(what, "name") != 0 && stat(value, &st) == 0) {
        buf_append(key, &st.st_ino, sizeof st.st_ino);
        buf_append(key, &st.st_mtim, sizeof st.st_mtim);
    }
}

static struct buf *key_of(const struct tls_options *o, const char *name, size_t *trust)
{
    struct buf *key = buf_new(256);

    buf_append(&key, o->insecure ? "!" : "", 1);
    for (const char *const *path = o->cas; *path; path++)
        key_add(&key, "ca", *path);
    *trust = key->len;
    key_add(&key, "cert", o->cert);
    key_add(&key, "key", o->key);
    key_add(&key, "name", name);
    return key;
}

static void tls_free(struct ws_tls *tls)
{
    list_remove(&tls->node);
    SSL_CTX_free(tls->context);
    X509_STORE_free(tls->trust);
    buf_unref(tls->key);
    free(tls->name);
    free(tls);
}

static struct ws_tls *find(struct ws_net *net, const struct buf *key, size_t n)
{
    struct list *node, *tmp;

    list_each (node, tmp, &net->tls) {
        struct ws_tls *tls = list_entry(node, struct ws_tls, node);

        if ((n == key->len ? tls->key->len : tls->trust_key) == n &&
            !memcmp(tls->key->data, key->data, n))
            return tls;
    }
    return NULL;
}

/* Settings with the same CAs share them: those of the system are what takes long. */
static X509_STORE *trust_of(struct ws_net *net, const struct ws_tls *tls,
                            const struct tls_options *o, char *error)
{
    struct ws_tls *other = find(net, tls->key, tls->trust_key);

    if (!other)
        return tls_trust(o, error);
    X509_STORE_up_ref(other->trust);
    return other->trust;
}

static bool make(struct ws_net *net, struct ws_tls *tls, const struct tls_options *o,
                 char *error)
{
    if (of_context < 0) {
        of_context = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
        of_ssl = SSL_get_ex_new_index(0, NULL, NULL, NULL, failure_free);
    }
    tls->trust = trust_of(net, tls, o, error);
    tls->context = tls->trust ? tls_client_context(o, tls->trust, error) : NULL;
    if (!tls->context)
        return false;
    SSL_CTX_set_ex_data(tls->context, of_context, tls);
    SSL_CTX_set_info_callback(tls->context, on_info);
    tls->vhost = ws_vhost_new(net, "wss", tls->context);
    return true;
}

static void forget_idle(struct ws_net *net)
{
    struct list *node, *tmp;
    unsigned idle = 0;

    list_each (node, tmp, &net->tls)
        idle += !list_entry(node, struct ws_tls, node)->uses;
    list_each (node, tmp, &net->tls) {
        struct ws_tls *tls = list_entry(node, struct ws_tls, node);

        if (tls->uses || idle <= IDLE_KEPT)
            continue;
        idle--;
        lws_vhost_destroy(tls->vhost);
        tls_free(tls);
    }
}

struct ws_tls *ws_tls_get(struct ws_net *net, const struct tls_options *o,
                          const char *host, char *error)
{
    const char *name = o->server_name ? o->server_name : host;
    size_t trust;
    struct buf *key = key_of(o, name, &trust);
    struct ws_tls *tls = find(net, key, key->len);

    if (tls) {
        buf_unref(key);
    } else {
        tls = xcalloc(1, sizeof *tls);
        list_init(&tls->node);
        tls->key = key;
        tls->trust_key = trust;
        tls->name = xstrdup(name);
        tls->insecure = o->insecure;
        forget_idle(net);
        if (!make(net, tls, o, error)) {
            tls_free(tls);
            return NULL;
        }
    }
    list_remove(&tls->node);
    list_push(&net->tls, &tls->node);
    tls->uses++;
    return tls;
}

struct lws_vhost *ws_tls_vhost(const struct ws_tls *tls)
{
    return tls->vhost;
}

SSL *ws_tls_client(const struct ws_tls *tls)
{
    SSL *ssl = SSL_new(tls->context);

    SSL_set_connect_state(ssl);
    return ssl;
}

void ws_tls_put(struct ws_tls *tls)
{
    if (tls)
        tls->uses--;
}

void ws_tls_free_all(struct ws_net *net)
{
    struct list *node, *tmp;

    list_each (node, tmp, &net->tls)
        tls_free(list_entry(node, struct ws_tls, node));
}
