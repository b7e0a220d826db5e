/* tls.h - TLS settings of the app, made into OpenSSL contexts, and what OpenSSL says
 * made into sentences. No sockets, no lws.
 *
 * Every failure is one line in `error` (TLS_ERROR_SIZE bytes) that names the file. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>

#define TLS_ERROR_SIZE 400
#define TLS_FILES 16 /* of one list, with its NULL */

struct tls_options { /* zero-initialised = none; all paths are of PEM files */
    /* a client: CAs besides the system's; a server: CAs of the clients, of which each
     * must then show a certificate */
    const char *cas[TLS_FILES];
    const char *cert, *key;       /* our own certificate (with its chain) and its key */
    const char *chain[TLS_FILES]; /* further certificates of the chain */
    const char *server_name;      /* a client: in place of the URL's host; may be NULL */
    bool insecure;                /* a client: the server may be anybody */
};

/* The CAs that a client trusts, to be freed by X509_STORE_free. NULL on failure. */
X509_STORE *tls_trust(const struct tls_options *o, char *error);

/* Contexts for TLS 1.2 and 1.3; NULL on failure. The client's store is counted. */
SSL_CTX *tls_client_context(const struct tls_options *o, X509_STORE *trust, char *error);
SSL_CTX *tls_server_context(const struct tls_options *o, char *error);

/* The server that this client wants: name indication, and the name or IP address that
 * the certificate must have. */
void tls_expect(SSL *ssl, const char *name);

/* What is wrong with a server's certificate, and what to do about it. */
void tls_explain_certificate(X509_STORE_CTX *found, const char *name, char *error);

/* Why a handshake failed, from an alert of the peer (0: none) and OpenSSL's reason. */
const char *tls_explain_failure(int alert, int reason);

#endif
