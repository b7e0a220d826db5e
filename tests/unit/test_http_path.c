/* test_http_path.c - what is asked for by HTTP: targets, routes, types, origins. */
#include "check.h"
#include "net/http_path.h"

void test_http_path(void);

/* ---- targets ----------------------------------------------------------------------- */

static const struct {
    const char *target, *path; /* NULL: refused */
} targets[] = {
    { "/", "/" },
    { "/index.html", "/index.html" },
    { "/a/b/", "/a/b/" },
    { "/a?b=/../c", "/a" },
    { "/a#b", "/a" },
    { "/a%20b", "/a b" },
    { "/%C3%A9.txt", "/\xc3\xa9.txt" },
    { "/a..b/c.", "/a..b/c." },
    { "/%7e/%41", "/~/A" },
    { "/100%25", "/100%" },
    { "http://host/a/b", "/a/b" },
    { "https://host:1/a", "/a" },
    { "http://host", "/" },
    { "", NULL },
    { "*", NULL },
    { "a", NULL },
    { "ftp://host/a", NULL },
    { "/..", NULL },
    { "/../etc/passwd", NULL },
    { "/a/../b", NULL },
    { "/a/..", NULL },
    { "/%2e%2e/etc", NULL },
    { "/.%2e/etc", NULL },
    { "/a/%2E%2E/b", NULL },
    { "/..%2fetc", NULL },
    { "/a%2Fb", NULL },
    { "/a%5cb", NULL },
    { "/a\\b", NULL },
    { "/.git/config", NULL },
    { "/a/.htpasswd", NULL },
    { "/.", NULL },
    { "/./a", NULL },
    { "//evil.example/", NULL },
    { "/a//b", NULL },
    { "/a%00b", NULL },
    { "/a%0ab", NULL },
    { "/a%7f", NULL },
    { "/a b", NULL },
    { "/a\xc3\xa9", NULL },
    { "/%", NULL },
    { "/%4", NULL },
    { "/%4g", NULL },
    { "/%g4", NULL },
    { "/%%41", NULL },
};

static void reads_targets(void)
{
    char path[HTTP_PATH_SIZE], note[HTTP_PATH_SIZE + 100];

    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        bool ok = http_path(slice_of(targets[i].target), path);

        snprintf(note, sizeof note, "%s gives %s", targets[i].target, ok ? path : "no");
        if (ok != (targets[i].path != NULL) || (ok && strcmp(path, targets[i].path) != 0))
            check_fail(__FILE__, __LINE__, note);
    }
}

/* Nothing that hides in an encoding comes out: every byte, as it is and encoded. */
static void decodes_every_byte(void)
{
    char target[8], path[HTTP_PATH_SIZE];

    for (int c = 0; c < 256; c++) {
        bool control = c < ' ' || c == 0x7f, special = c == '/' || c == '\\' || c == '.';

        snprintf(target, sizeof target, "/%%%02x", (unsigned)c);
        CHECK_INT(http_path(slice_of(target), path), !control && !special);
        if (!control && !special)
            CHECK_INT((unsigned char)path[1], c);
        memcpy(target, "/x", 2);
        target[2] = (char)c;
        CHECK_INT(http_path((struct slice){ target, 3 }, path),
                  c > ' ' && c < 0x7f && c != '\\' && c != '%');
    }
}

static void has_room_for_what_fits(void)
{
    char target[HTTP_PATH_SIZE + 1], path[HTTP_PATH_SIZE];

    memset(target, 'a', sizeof target);
    target[0] = '/';
    CHECK(http_path((struct slice){ target, HTTP_PATH_SIZE - 1 }, path));
    CHECK_INT(strlen(path), HTTP_PATH_SIZE - 1);
    CHECK(!http_path((struct slice){ target, HTTP_PATH_SIZE }, path));
}

/* ---- routes ------------------------------------------------------------------------ */

static const struct http_route routes[] = {
    { .kind = HTTP_FILES, .path = "/" },
    { .kind = HTTP_WEBSOCKET, .path = "/ws" },
    { .kind = HTTP_FILES, .path = "/ws/docs" },
    { .kind = HTTP_WEBSOCKET, .path = "/both" },
    { .kind = HTTP_FILES, .path = "/both" },
    { .kind = HTTP_REPORT, .path = "/metrics" },
};

static long long route(const char *path, bool websocket)
{
    const struct http_route *r =
        http_route_of(routes, sizeof routes / sizeof *routes, path, websocket);

    return r ? r - routes : -1;
}

static void finds_the_longest_route(void)
{
    CHECK_INT(route("/", false), 0);
    CHECK_INT(route("/wsx", false), 0);
    CHECK_INT(route("/ws", false), 1);
    CHECK_INT(route("/ws/", false), 1);
    CHECK_INT(route("/ws/docs/a", false), 2);
    CHECK_INT(route("/metrics", false), 5);
    CHECK_INT(route("/both", false), 4);
    CHECK_INT(route("/both/x", true), 3);
    CHECK_INT(route("/ws/docs/a", true), 1);
    CHECK_INT(route("/", true), -1);
    CHECK(!http_route_of(NULL, 0, "/", false));
}

/* ---- origins ----------------------------------------------------------------------- */

static const struct {
    const char *pattern, *origin;
    bool ok;
} origins[] = {
    { "*", "https://any.example:1", true },
    { "https://a.example", "https://a.example", true },
    { "https://a.example", "HTTPS://A.example", true },
    { "https://a.example:443", "https://a.example", true },
    { "http://a.example:80", "http://a.example", true },
    { "http://a.example:*", "http://a.example:8080", true },
    { "http://a.example:*", "http://a.example", true },
    { "*://*.example:*", "https://a.b.example", true },
    { "http://[::1]:80", "http://[::1]", true },
    { "http://*", "http://a.example", true },
    { "https://a.example", "http://a.example", false },
    { "https://a.example", "https://a.example:8443", false },
    { "https://a.example", "https://a.example.evil.example", false },
    { "https://*.example", "https://a.example.evil.test", false },
    { "https://a.example", "https://axexample", false },
    { "https://*.a.example", "https://a.example", false },
    { "", "https://a.example", false },
    { "*", "null", false },
    { "*", "file:///tmp/a.html", false },
};

static void holds_origins_against_patterns(void)
{
    const char *two[] = { "http://no.example", NULL, NULL }, *none[] = { NULL };

    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
        two[1] = origins[i].pattern;
        if (http_origin_ok(two, false, slice_of(origins[i].origin)) != origins[i].ok)
            check_fail(__FILE__, __LINE__, origins[i].origin);
    }
    CHECK(http_origin_ok(none, true, SLICE("null")));
    CHECK(!http_origin_ok(none, true, SLICE("https://a.example")));
}

void test_http_path(void)
{
    TEST("a target is decoded once, and what could mean something else is refused");
    reads_targets();
    decodes_every_byte();
    has_room_for_what_fits();
    TEST("the longest route answers, a WebSocket only what asks for one");
    finds_the_longest_route();
    TEST("a type follows from the end of a name");
    CHECK_STR(http_type("/a/b.html"), "text/html; charset=utf-8");
    CHECK_STR(http_type("/a.min.JS"), "text/javascript; charset=utf-8");
    CHECK_STR(http_type("/a.js/b"), "application/octet-stream");
    CHECK_STR(http_type(""), "application/octet-stream");
    TEST("origins match patterns with stars, with or without the port they imply");
    holds_origins_against_patterns();
}
