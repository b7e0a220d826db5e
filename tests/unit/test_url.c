/* test_url.c - what is a router URL, what is not, and what is said about it. */
#include "net/url.h"

#include "check.h"

void test_url(void);

static const struct {
    const char *text, *host, *path, *back;
    int port;
} good[] = {
    { "ws://localhost", "localhost", "/", "ws://localhost:8080/", 8080 },
    { "ws://localhost:9000/ws", "localhost", "/ws", "ws://localhost:9000/ws", 9000 },
    { "WS://Example.org:1", "Example.org", "/", "ws://Example.org:1/", 1 },
    { "wss://a.b-c_d.e/x?y=z&k=%20", "a.b-c_d.e", "/x?y=z&k=%20",
      "wss://a.b-c_d.e:443/x?y=z&k=%20", 443 },
    { "ws://host?token=a/b", "host", "/?token=a/b", "ws://host:8080/?token=a/b", 8080 },
    { "ws://127.0.0.1:65535/", "127.0.0.1", "/", "ws://127.0.0.1:65535/", 65535 },
    { "ws://[::1]", "::1", "/", "ws://[::1]:8080/", 8080 },
    { "ws://[2001:db8::7]:81/p", "2001:db8::7", "/p", "ws://[2001:db8::7]:81/p", 81 },
    { "ws://h:0080/", "h", "/", "ws://h:80/", 80 },
    { "ws+unix:///run/router.sock", "", "/run/router.sock", "ws+unix:///run/router.sock",
      0 },
    { "rs://h", "h", "/", "rs://h:8080", 8080 },
    { "rss://h", "h", "/", "rss://h:443", 443 },
    { "rs+unix:///s", "", "/s", "rs+unix:///s", 0 },
};

static const struct {
    const char *text, *what;
} bad[] = {
    { "", "it is empty" },
    { "localhost:8080", "the scheme is missing" },
    { "://x", "unknown scheme" },
    { "http://localhost", "unknown scheme" },
    { "wss+unix:///x", "unknown scheme" },
    { "w://x", "unknown scheme" },
    { "ws://", "the host is missing" },
    { "ws:///path", "the host is missing" },
    { "ws://:8080", "the host is missing" },
    { "ws://h:", "the port is missing" },
    { "ws://h:x", "the port is not a number" },
    { "ws://h:-1", "the port is not a number" },
    { "ws://h:80 ", "printable ASCII" },
    { "ws://h:0", "the port is 0" },
    { "ws://h:65536", "the port is over 65535" },
    { "ws://h:99999999999999999999", "the port is over 65535" },
    { "ws://::1:8080", "goes into brackets" },
    { "ws://[::1", "closing bracket" },
    { "ws://[::1]8080", "follows the bracket" },
    { "ws://[127.0.0.1]", "no IPv6 address" },
    { "ws://[fe80::1%25eth0]", "no IPv6 address" },
    { "ws://[]", "host is missing" },
    { "ws://user:secret@host", "user and password" },
    { "ws://host/#top", "fragment" },
    { "ws://ho st", "printable ASCII" },
    { "ws://h\xc3\xb6st", "printable ASCII" },
    { "ws://host/\n", "printable ASCII" },
    { "ws://ho*st", "no host name has" },
    { "rs://host/ws", "RawSocket has no path" },
    { "rs://host/?a=b", "RawSocket has no path" },
    { "universal+ws://host", "unknown scheme" },
    { "ws+unix://", "absolute path" },
    { "ws+unix:///", "absolute path" },
    { "ws+unix://relative", "absolute path" },
};

static void parses_good_urls(void)
{
    struct url u;
    char error[512], back[2048];

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CHECK(url_parse(&u, good[i].text, error, sizeof error));
        CHECK(!strcmp(u.host, good[i].host));
        CHECK(!strcmp(u.path, good[i].path));
        CHECK_INT(u.port, good[i].port);
        CHECK_INT(u.tls, strstr(u.scheme, "ss") != NULL);
        CHECK_INT(u.unix_socket, strstr(u.scheme, "+unix") != NULL);
        CHECK_INT(u.ipv6, strchr(good[i].text, '[') != NULL);
        url_format(&u, back, sizeof back);
        CHECK(!strcmp(back, good[i].back));
        CHECK(url_parse(&u, back, error, sizeof error));
    }
}

static void explains_bad_urls(void)
{
    struct url u;
    char error[512];

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        error[0] = '\0';
        CHECK(!url_parse(&u, bad[i].text, error, sizeof error));
        if (!strstr(error, bad[i].what))
            CHECK_STR(error, bad[i].what);
        CHECK(!strncmp(error, "invalid url \"", 13));
        CHECK(strstr(error, "(expected ws://host[:port][/path]") != NULL);
        CHECK(!strchr(error, '\n'));
    }
}

static void knows_the_edges_of_length(void)
{
    struct url u;
    char text[3000], error[512];

    memset(text, 'a', sizeof text);
    memcpy(text, "ws://", 5);
    text[5 + 255] = '\0';
    CHECK(url_parse(&u, text, error, sizeof error));
    CHECK_INT(strlen(u.host), 255);
    text[5 + 255] = 'a', text[5 + 256] = '\0';
    CHECK(!url_parse(&u, text, error, sizeof error));
    CHECK(strstr(error, "too long") && strstr(error, "...\""));

    memset(text, 'a', sizeof text);
    memcpy(text, "ws://h/", 7);
    text[6 + 1023] = '\0';
    CHECK(url_parse(&u, text, error, sizeof error));
    CHECK_INT(strlen(u.path), 1023);
    text[6 + 1023] = 'a', text[6 + 1024] = '\0';
    CHECK(!url_parse(&u, text, error, sizeof error));

    memset(text, 'a', sizeof text);
    memcpy(text, "ws://h?", 7);
    text[6 + 1022] = '\0';
    CHECK(url_parse(&u, text, error, sizeof error));
    CHECK_INT(strlen(u.path), 1023);
    text[6 + 1022] = 'a', text[6 + 1023] = '\0';
    CHECK(!url_parse(&u, text, error, sizeof error));

    memset(text, 'a', sizeof text);
    memcpy(text, "ws+unix:///", 11);
    text[10 + 107] = '\0';
    CHECK(url_parse(&u, text, error, sizeof error));
    text[10 + 107] = 'a', text[10 + 108] = '\0';
    CHECK(!url_parse(&u, text, error, sizeof error));
}

static void listens(void)
{
    struct url u;
    char error[512];
    static const struct {
        const char *text, *host;
        int port;
    } ok[] = {
        { "8080", "127.0.0.1", 8080 },
        { "0", "127.0.0.1", 0 },
        { "0.0.0.0:9000", "0.0.0.0", 9000 },
        { "localhost:0", "localhost", 0 },
        { "[::]:8080", "::", 8080 },
        { "ws://[::1]:0/x", "::1", 0 },
        { "wss://h", "h", 443 },
    };
    static const char *const wrong[] = { "",      "localhost", "localhost:", "65536",
                                         "[::1]", "::1:8080",  ":8080",      "-1",
                                         "ws://", "a:b" };

    for (size_t i = 0; i < sizeof ok / sizeof *ok; i++) {
        CHECK(url_parse_listen(&u, ok[i].text, error, sizeof error));
        CHECK(!strcmp(u.host, ok[i].host));
        CHECK_INT(u.port, ok[i].port);
        CHECK(u.scheme[0] != '\0' && u.path[0] == '/');
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        error[0] = '\0';
        CHECK(!url_parse_listen(&u, wrong[i], error, sizeof error));
        CHECK(strstr(error, "HOST:PORT or PORT") != NULL);
    }
    CHECK(url_parse_listen(&u, "ws+unix:///tmp/x.sock", error, sizeof error));
    CHECK(!strcmp(u.path, "/tmp/x.sock"));
    CHECK(!u.universal);
}

static void listens_for_both(void)
{
    static const char *const ok[] = { "universal+ws://127.0.0.1:0/", "universal+wss://h",
                                      "universal+ws+unix:///s", "universal+127.0.0.1:0",
                                      "universal+8080" };
    static const char *const wrong[] = { "universal+rs://h", "universal+",
                                         "universal+universal+1", "universal://h:1",
                                         "universal+rs+unix:///s" };
    struct url u;
    char text[200], error[512];

    for (size_t i = 0; i < sizeof ok / sizeof *ok; i++) {
        CHECK(url_parse_listen(&u, ok[i], error, sizeof error));
        CHECK(u.universal);
    }
    url_format(&u, text, sizeof text);
    CHECK_STR(text, "ws://127.0.0.1:8080/");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK(!url_parse_listen(&u, wrong[i], error, sizeof error));
        CHECK(strstr(error, wrong[i]) != NULL);
    }
}

void test_url(void)
{
    TEST("takes good urls apart and puts them together again");
    parses_good_urls();
    TEST("says in one line what is wrong with a url");
    explains_bad_urls();
    TEST("knows the longest host, path and socket path");
    knows_the_edges_of_length();
    TEST("takes a LISTEN argument: a url, HOST:PORT or PORT");
    listens();
    TEST("takes universal+ in front of a LISTEN argument for WebSocket");
    listens_for_both();
}
