/* test_ws_tls.c - wss:// between our client and our listener, over real sockets: messages
 * of all sizes, every way to end, and what is trusted. Certificates are made here. */
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "raw.h"

void test_ws_tls(void);

static struct loop *loop;
static struct listener *listener;
static struct recorder client, server;
static struct raw raw;
static char dir[] = "/tmp/wampy-tls-XXXXXX", cert[64], key[64], other[64];

/* ---- certificates ------------------------------------------------------------------ */

/* A self-signed certificate for 127.0.0.1, valid for an hour. */
static void make_certificate(const char *cert_path, const char *key_path)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    X509_EXTENSION *names =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    FILE *file;

    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"unit",
                               -1, -1, 0);
    X509_set_issuer_name(x, name);
    X509_add_ext(x, names, -1);
    X509_set_pubkey(x, pkey);
    X509_sign(x, pkey, EVP_sha256());
    file = fopen(cert_path, "w");
    CHECK(file && PEM_write_X509(file, x));
    fclose(file);
    file = fopen(key_path, "w");
    CHECK(file && PEM_write_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL));
    fclose(file);
    X509_EXTENSION_free(names);
    X509_free(x);
    EVP_PKEY_free(pkey);
}

static void make_files(void)
{
    char spare[64];

    CHECK(mkdtemp(dir) != NULL);
    snprintf(cert, sizeof cert, "%s/cert", dir);
    snprintf(key, sizeof key, "%s/key", dir);
    snprintf(other, sizeof other, "%s/other", dir);
    snprintf(spare, sizeof spare, "%s/spare", dir);
    make_certificate(cert, key);
    make_certificate(other, spare);
    unlink(spare);
}

static void remove_files(void)
{
    unlink(cert);
    unlink(key);
    unlink(other);
    rmdir(dir);
    memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
}

/* ---- two sides --------------------------------------------------------------------- */

static void listen_with(struct tls_options tls, struct conn_end *end)
{
    struct net_options o = { .tls = tls, .connect_timeout = 1000 };
    struct url url;
    char error[200];

    CHECK(url_parse_listen(&url, "wss://127.0.0.1:0/", error, sizeof error));
    recorder_reset(&server);
    listener = listener_open(loop, &url, &o, recorder_accept, &server, end);
}

static void dial(struct tls_options tls)
{
    struct net_options o = { .tls = tls };
    struct url url;
    char text[64], error[200];

    snprintf(text, sizeof text, "wss://127.0.0.1:%d/", listener_port(listener));
    CHECK(url_parse(&url, text, error, sizeof error));
    recorder_reset(&client);
    recorder_reset(&server);
    client.conn = ws_connect(loop, &url, &o, &recorder_handler, &client);
}

static void join(void)
{
    dial((struct tls_options){ .cas = { cert } });
    RUN_UNTIL(loop, (client.opened && server.opened) || client.closed);
    CHECK(client.opened && server.opened);
}

static void leave(void)
{
    conn_close(client.conn, 1000, NULL);
    RUN_UNTIL(loop, client.closed && server.closed);
    CHECK(client.closed && server.closed);
}

static struct buf *letters(size_t n)
{
    struct buf *b = buf_new(n);

    for (size_t i = 0; i < n; i++)
        b->data[i] = (char)('a' + i % 23);
    b->len = n;
    return b;
}

/* ---- cases ------------------------------------------------------------------------- */

static void carries_messages_of_all_sizes(void)
{
    static const size_t sizes[] = { 0,     1,     125,   126,        16383,
                                    16384, 65535, 65536, 200 * 1000, 5 * 1000 * 1000 };

    server.echo = true;
    join();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buf *b = letters(sizes[i]);
        int before = client.messages;

        conn_send(client.conn, buf_ref(b));
        RUN_UNTIL(loop, client.messages > before || client.closed);
        CHECK_INT(client.messages, before + 1);
        CHECK(client.last && slice_eq(slice_buf(client.last), slice_buf(b)));
        buf_unref(b);
    }
    leave();
    server.echo = false;
}

static void carries_many_at_once_in_order(void)
{
    char text[20] = "";

    join();
    for (int i = 1; i <= 3000; i++) {
        int n = snprintf(text, sizeof text, "[%d]", i);

        conn_send(server.conn, buf_from(text, (size_t)n));
    }
    RUN_UNTIL(loop, client.messages == 3000 || client.closed);
    CHECK_INT(client.messages, 3000);
    CHECK_STR(client.text, text);
    leave();
}

static void what_was_sent_arrives_before_the_end(void)
{
    join();
    conn_send(server.conn, letters(3 * 1000 * 1000));
    conn_close(server.conn, 1001, "bye");
    RUN_UNTIL(loop, client.closed && server.closed);
    CHECK_INT(client.messages, 1);
    CHECK_INT(client.length, 3 * 1000 * 1000);
    CHECK_INT(client.end.error, CONN_CLOSED);
    CHECK_INT(client.end.code, 1001);
}

static void a_client_that_trusts_somebody_else_stays_out(void)
{
    dial((struct tls_options){ .cas = { other } });
    RUN_UNTIL(loop, client.closed);
    CHECK_INT(client.end.error, CONN_TLS);
    CHECK(strstr(client.end.text, "self-signed") != NULL);
    dial((struct tls_options){ .cas = { cert }, .server_name = "else.example" });
    RUN_UNTIL(loop, client.closed);
    CHECK_INT(client.end.error, CONN_TLS);
    CHECK(strstr(client.end.text, "not for else.example") != NULL);
    CHECK_INT(server.opened, 0);
    dial((struct tls_options){ .insecure = true });
    RUN_UNTIL(loop, client.opened || client.closed);
    CHECK_INT(client.opened, 1);
    leave();
}

static void settings_come_and_go(void)
{
    char name[32];

    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "h%d.example", i);
        dial((struct tls_options){ .cas = { cert }, .server_name = name });
        RUN_UNTIL(loop, client.closed);
        CHECK_INT(client.end.error, CONN_TLS);
    }
    join();
    leave();
}

static void bad_files_are_named(void)
{
    struct conn_end end;
    struct listener *kept = listener;

    dial((struct tls_options){ .cas = { "/nonexistent/ca" } });
    RUN_UNTIL(loop, client.closed);
    CHECK_INT(client.end.error, CONN_TLS);
    CHECK(strstr(client.end.text, "CA file /nonexistent/ca: No such file") != NULL);
    dial((struct tls_options){ .cert = key, .key = key });
    RUN_UNTIL(loop, client.closed);
    CHECK(strstr(client.end.text, "no certificate in it") != NULL);
    listen_with((struct tls_options){ 0 }, &end);
    CHECK(!listener && end.error == CONN_TLS);
    CHECK(strstr(end.text, "TLS needs a certificate and its key") != NULL);
    listen_with((struct tls_options){ .cert = other, .key = key }, &end);
    CHECK(!listener && strstr(end.text, "does not belong to the certificate") != NULL);
    listener = kept;
}

/* Bytes that are no TLS; each is hung up on, and others are not disturbed. */
static void who_speaks_no_tls_is_hung_up_on(void)
{
    static const char *const texts[] = { "", "\x16", "\x16\x03\x01\x02",
                                         "nonsense\r\n\r\n" };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        raw_connect(&raw, loop, listener_port(listener));
        raw_text(&raw, texts[i]);
        CHECK(raw_wait_eof(&raw));
        raw_close(&raw);
    }
    raw_connect(&raw, loop, listener_port(listener));
    raw_text(&raw, "GET / HTTP/1.1\r\n\r\n");
    CHECK(raw_wait_text(&raw, "HTTP/1.1 400 Bad Request"));
    CHECK(raw_wait_text(&raw, "use wss, not ws"));
    raw_close(&raw);
    join();
    leave();
}

static void both_close_at_once(void)
{
    join();
    conn_close(client.conn, 1000, NULL);
    conn_close(server.conn, 1000, NULL);
    RUN_UNTIL(loop, client.closed && server.closed);
    CHECK(client.closed && server.closed);
}

static void whole(enum loop_backend backend)
{
    struct conn_end end;

    loop = loop_new(backend);
    listen_with((struct tls_options){ .cert = cert, .key = key }, &end);
    CHECK(listener != NULL);
    TEST("TLS carries messages of every length, both ways");
    carries_messages_of_all_sizes();
    TEST("TLS carries many messages at once, in order");
    carries_many_at_once_in_order();
    TEST("TLS brings what was sent before the end");
    what_was_sent_arrives_before_the_end();
    TEST("TLS is for a server that is trusted, or for insecure clients");
    a_client_that_trusts_somebody_else_stays_out();
    TEST("TLS settings are counted and forgotten");
    settings_come_and_go();
    TEST("TLS names the file that is wrong");
    bad_files_are_named();
    TEST("TLS is hung up on who speaks none");
    who_speaks_no_tls_is_hung_up_on();
    TEST("TLS ends when both sides close at once");
    both_close_at_once();
    TEST("TLS outlives its listener");
    join();
    listener_close(listener);
    leave();
    loop_free(loop);
    recorder_reset(&client);
    recorder_reset(&server);
}

void test_ws_tls(void)
{
    make_files();
    whole(LOOP_EV);
    whole(LOOP_POLL);
    remove_files();
}
