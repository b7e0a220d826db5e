/* tls: the load generator over TLS, for what `wire.c` does by plain sockets.
 *
 * It looks at no certificate and has no settings: it measures what TLS costs the other
 * side. The idea: a table from descriptor to SSL, behind the hooks of wire.h.
 */
#include "tls.h"

#include "wire.h"

#include <errno.h>
#include <openssl/ssl.h>

enum { MOST = 4096 };

static SSL *ssl_of[MOST];

static int begin(int fd)
{
    static SSL_CTX *context;

    if (!context)
        context = SSL_CTX_new(TLS_client_method());
    if (!context || fd >= MOST)
        die("no TLS for this many connections");
    SSL_free(ssl_of[fd]);
    ssl_of[fd] = SSL_new(context);
    SSL_set_mode(ssl_of[fd],
                 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_set_fd(ssl_of[fd], fd);
    return SSL_connect(ssl_of[fd]) == 1 ? 0 : -1;
}

/* The result of SSL_read or SSL_write as recv and send would give it. */
static long result(SSL *ssl, int n)
{
    int error = n > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl, n);

    if (error == SSL_ERROR_ZERO_RETURN)
        return 0;
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        errno = EAGAIN;
    else if (error != SSL_ERROR_NONE)
        errno = ECONNRESET;
    return n > 0 ? n : -1;
}

static long receive(int fd, char *p, size_t n)
{
    return result(ssl_of[fd], SSL_read(ssl_of[fd], p, (int)n));
}

static long transmit(int fd, const char *p, size_t n)
{
    return result(ssl_of[fd], SSL_write(ssl_of[fd], p, (int)n));
}

void tls_use(void)
{
    wire_connected = begin;
    wire_recv = receive;
    wire_send = transmit;
}
