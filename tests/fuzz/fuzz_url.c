/* fuzz_url.c - the texts that strangers hand to net/: a URL or LISTEN argument, and an
 * HTTP request with its path and Origin. covers: src/net/url.c src/net/ws_http.c
 * src/net/http_path.c
 *
 * What is taken must come back the same from url_format; what is refused must say so
 * on one line. Of a request, every slice must lie inside it; a path never leads out of
 * its folder. */
#include <stdlib.h>
#include <string.h>

#include "net/http_path.h"
#include "net/url.h"
#include "net/ws_http.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void check_refused(const char *error)
{
    check(!strncmp(error, "invalid url \"", 13));
    check(!strchr(error, '\n') && strlen(error) < 399);
}

static void fuzz_url(const char *text)
{
    struct url u, again;
    char error[400], back[2048];

    if (url_parse_listen(&u, text, error, sizeof error))
        check(u.scheme[0] && u.path[0] == '/' && u.port >= 0 && u.port <= 65535);
    else
        check_refused(error);
    if (!url_parse(&u, text, error, sizeof error)) {
        check_refused(error);
        return;
    }
    url_format(&u, back, sizeof back);
    check(url_parse(&again, back, error, sizeof error));
    check(!strcmp(u.scheme, again.scheme) && !strcmp(u.host, again.host));
    check(!strcmp(u.path, again.path) && u.port == again.port);
    check(u.tls == again.tls && u.ipv6 == again.ipv6 &&
          u.unix_socket == again.unix_socket);
}

static void check_inside(struct slice s, struct slice whole)
{
    check(!s.p || (s.p >= whole.p && s.p + s.n <= whole.p + whole.n));
}

static void fuzz_path(struct slice target)
{
    static const struct http_route routes[] = { { .kind = HTTP_FILES, .path = "/" },
                                                { .kind = HTTP_WEBSOCKET, .path = "/ws" },
                                                { .kind = HTTP_FILES, .path = "/a/b" } };
    char path[HTTP_PATH_SIZE];

    if (!http_path(target, path))
        return;
    check(path[0] == '/' && strlen(path) < HTTP_PATH_SIZE);
    check(!strstr(path, "/.") && !strstr(path, "//") && !strpbrk(path, "\\\r\n"));
    check(http_route_of(routes, 3, path, false) != NULL);
    http_route_of(routes, 3, path, true);
    check(strchr(http_type(path), '/') != NULL);
}

static void fuzz_origin(struct slice origin)
{
    static const char *const all[] = { "*", NULL }, *const some[] = { "*://*.b:*",
                                                                      "a*b*c", "", NULL };

    check(http_origin_ok(all, true, origin));
    http_origin_ok(some, false, origin);
}

static void fuzz_request(struct slice head)
{
    static const char *const known[] = { "wamp.2.json", "wamp.2.msgpack", NULL };
    struct request r;

    if (!request_parse(&r, head))
        return;
    check_inside(r.method, head);
    check_inside(r.version, head);
    check_inside(r.key, head);
    check_inside(r.target, head);
    check_inside(r.origin, head);
    check_inside(r.none_match, head);
    fuzz_path(r.target);
    if (r.origin.p)
        fuzz_origin(r.origin);
    check_inside(r.upgrade, head);
    check(r.offer_lines <= 8);
    for (unsigned i = 0; i < r.offer_lines; i++)
        check_inside(r.offers[i], head);
    check(request_fault(&r) || r.key.n == 24);
    request_choose(&r, known);
    request_offers_deflate(&r);
    header_has(r.upgrade, "websocket");
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    char *text = malloc(size + 1); /* exact, so that a step beyond it is seen */

    if (size)
        memcpy(text, data, size);
    fuzz_request((struct slice){ text, size });
    fuzz_path((struct slice){ text, size });
    fuzz_origin((struct slice){ text, size });
    text[size] = '\0';
    fuzz_url(text);
    free(text);
    return 0;
}
