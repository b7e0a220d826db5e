/* http_path.c - request targets, routes, names of content types, origins. See
 * http_path.h.
 *
 * The idea: a path is decoded once, and afterwards nothing is special in it. Whatever
 * could mean something else to somebody below (a dot segment, a second slash, a NUL, a
 * backslash) is not repaired but refused, so that there is nothing to get round.
 *
 * Not known here: files, sockets, headers. */
#include "net/http_path.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- targets ----------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next byte of a target, which is not empty; -1 when it may not be there. */
static int next_byte(struct slice *s)
{
    int c = (unsigned char)*s->p, high, low;

    if (c != '%') {
        s->p++, s->n--;
        return c > ' ' && c < 0x7f && c != '\\' ? c : -1;
    }
    if (s->n < 3)
        return -1;
    high = hex_digit(s->p[1]);
    low = hex_digit(s->p[2]);
    s->p += 3, s->n -= 3;
    c = high * 16 + low;
    return high < 0 || low < 0 || c < ' ' || c == 0x7f || c == '/' || c == '\\' ? -1 : c;
}

/* "http://host/path" -> "/path"; what is no such thing stays. */
static struct slice origin_form(struct slice t)
{
    const char *at;
    size_t skip;

    if (!slice_has_prefix(t, SLICE("http://")) && !slice_has_prefix(t, SLICE("https://")))
        return t;
    skip = t.p[4] == 's' ? 8 : 7;
    at = memchr(t.p + skip, '/', t.n - skip);
    if (!at)
        return SLICE("/");
    return (struct slice){ at, t.n - (size_t)(at - t.p) };
}

bool http_path(struct slice target, char out[HTTP_PATH_SIZE])
{
    struct slice t = origin_form(target);
    size_t n = 0;

    if (!t.n || t.p[0] != '/')
        return false;
    while (t.n && *t.p != '?' && *t.p != '#') {
        int c = next_byte(&t);
        bool first = n > 0 && out[n - 1] == '/';

        if (c < 0 || (first && (c == '.' || c == '/')) || n + 1 >= HTTP_PATH_SIZE)
            return false;
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return true;
}

/* ---- routes ------------------------------------------------------------------------ */

static bool covers(const struct http_route *r, const char *path)
{
    size_t n = strlen(r->path);

    if (n == 1)
        return true;
    return !strncmp(path, r->path, n) && (!path[n] || path[n] == '/');
}

static bool better(const struct http_route *r, const struct http_route *than)
{
    size_t n, m;

    if (!than)
        return true;
    n = strlen(r->path);
    m = strlen(than->path);
    return n > m || (n == m && than->kind == HTTP_WEBSOCKET);
}

const struct http_route *http_route_of(const struct http_route *routes, size_t count,
                                       const char *path, bool websocket)
{
    const struct http_route *best = NULL;

    for (size_t i = 0; i < count; i++)
        if ((!websocket || routes[i].kind == HTTP_WEBSOCKET) &&
            covers(&routes[i], path) && better(&routes[i], best))
            best = &routes[i];
    return best;
}

/* ---- content types ----------------------------------------------------------------- */

const char *http_type(const char *path)
{
    static const char *const types[][2] = {
        { "html", "text/html; charset=utf-8" },
        { "htm", "text/html; charset=utf-8" },
        { "js", "text/javascript; charset=utf-8" },
        { "mjs", "text/javascript; charset=utf-8" },
        { "css", "text/css; charset=utf-8" },
        { "txt", "text/plain; charset=utf-8" },
        { "md", "text/markdown; charset=utf-8" },
        { "csv", "text/csv; charset=utf-8" },
        { "lua", "text/plain; charset=utf-8" },
        { "json", "application/json" },
        { "map", "application/json" },
        { "webmanifest", "application/manifest+json" },
        { "xml", "application/xml" },
        { "wasm", "application/wasm" },
        { "pdf", "application/pdf" },
        { "svg", "image/svg+xml" },
        { "png", "image/png" },
        { "jpg", "image/jpeg" },
        { "jpeg", "image/jpeg" },
        { "gif", "image/gif" },
        { "webp", "image/webp" },
        { "avif", "image/avif" },
        { "ico", "image/vnd.microsoft.icon" },
        { "woff", "font/woff" },
        { "woff2", "font/woff2" },
        { "ttf", "font/ttf" },
        { "mp3", "audio/mpeg" },
        { "ogg", "audio/ogg" },
        { "mp4", "video/mp4" },
        { "webm", "video/webm" },
    };
    const char *name = strrchr(path, '/'), *dot = strrchr(name ? name : path, '.');

    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (!strcasecmp(dot + 1, types[i][0]))
            return types[i][1];
    return "application/octet-stream";
}

/* ---- origins ----------------------------------------------------------------------- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Whether the pattern is all of the text. One star is come back to at most: the last. */
static bool matches(const char *pattern, struct slice text)
{
    const char *star = NULL;
    size_t i = 0, from = 0;

    while (i < text.n) {
        if (*pattern == '*') {
            star = ++pattern;
            from = i;
        } else if (*pattern && lower(*pattern) == lower(text.p[i])) {
            pattern++;
            i++;
        } else if (star) {
            pattern = star;
            i = ++from;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

/* Whether a host says its port; an IPv6 address has colons of its own. */
static bool has_port(const char *host, size_t n)
{
    const char *bracket = memchr(host, ']', n), *from = bracket ? bracket : host;

    return memchr(from, ':', n - (size_t)(from - host)) != NULL;
}

/* The origin with the port that its scheme stands for; nothing when it has one, or the
 * scheme stands for none. */
static struct slice with_port(struct slice origin, char *out, size_t size)
{
    bool secure = slice_has_prefix(origin, SLICE("https://"));
    size_t skip = secure ? 8 : 7;
    int n;

    if (!secure && !slice_has_prefix(origin, SLICE("http://")))
        return (struct slice){ 0 };
    if (has_port(origin.p + skip, origin.n - skip) || origin.n + 5 > size)
        return (struct slice){ 0 };
    n = snprintf(out, size, "%.*s:%d", (int)origin.n, origin.p, secure ? 443 : 80);
    return (struct slice){ out, (size_t)n };
}

bool http_origin_ok(const char *const *patterns, bool null_ok, struct slice origin)
{
    char text[512];
    struct slice full = with_port(origin, text, sizeof text);

    if (slice_is(origin, "null") || slice_has_prefix(origin, SLICE("file:")))
        return null_ok;
    for (; *patterns; patterns++)
        if (matches(*patterns, origin) || (full.n && matches(*patterns, full)))
            return true;
    return false;
}
