/* url.c - taking router URLs apart, strictly. See url.h.
 *
 * Not known here: name resolution, or which of the transports exist. What is accepted is
 * what RFC 3986 calls scheme, host, port, path and query, in ASCII; user names,
 * fragments, spaces and unbracketed IPv6 addresses are refused with a word about it,
 * because each of them is a typing mistake that would otherwise show up much later as a
 * connection failure.
 *
 * Every parsing step returns NULL, or what is wrong in a few words. */
#include "net/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"

#define EXPECTED                                                                      \
    "expected ws://host[:port][/path], wss://host[:port][/path] or ws+unix:///path; " \
    "for "                                                                            \
    "RawSocket rs in place of ws"
#define EXPECTED_LISTEN EXPECTED "; HOST:PORT or PORT"
#define UNIVERSAL "universal+"
#define UNIX_PATH_MAX 107 /* sun_path, less its NUL */

static const struct {
    const char *name;
    int port;
    bool tls, unix_socket;
} schemes[] = {
    { "ws", 8080, false, false },  { "wss", 443, true, false },
    { "ws+unix", 0, false, true }, { "rs", 8080, false, false },
    { "rss", 443, true, false },   { "rs+unix", 0, false, true },
};

static const char *take_scheme(struct url *u, struct slice s)
{
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (strlen(schemes[i].name) != s.n || strncasecmp(schemes[i].name, s.p, s.n) != 0)
            continue;
        memcpy(u->scheme, schemes[i].name, s.n + 1);
        u->port = schemes[i].port;
        u->tls = schemes[i].tls;
        u->unix_socket = schemes[i].unix_socket;
        return NULL;
    }
    return "unknown scheme";
}

static const char *take_port(struct url *u, struct slice s, bool zero_ok)
{
    int port = 0;

    if (s.n == 0)
        return "the port is missing behind the colon";
    for (size_t i = 0; i < s.n; i++) {
        if (!isdigit((unsigned char)s.p[i]))
            return "the port is not a number";
        port = port * 10 + (s.p[i] - '0');
        if (port > 65535)
            return "the port is over 65535";
    }
    if (port == 0 && !zero_ok)
        return "the port is 0";
    u->port = port;
    return NULL;
}

static const char *copy_host(struct url *u, struct slice s)
{
    if (s.n == 0)
        return "the host is missing";
    if (s.n >= sizeof u->host)
        return "the host is too long";
    memcpy(u->host, s.p, s.n);
    u->host[s.n] = '\0';
    return NULL;
}

static const char *take_name(struct url *u, struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!isalnum((unsigned char)s.p[i]) && !strchr("-._", s.p[i]))
            return "the host has a character that no host name has";
    return copy_host(u, s);
}

static const char *take_ipv6(struct url *u, struct slice s)
{
    struct in6_addr address;
    const char *wrong = copy_host(u, s);

    if (!wrong && inet_pton(AF_INET6, u->host, &address) != 1)
        wrong = "what stands in brackets is no IPv6 address";
    u->ipv6 = true;
    return wrong;
}

/* host[:port] or [ipv6][:port]. */
static const char *take_authority(struct url *u, struct slice s, bool listen)
{
    bool bracket = s.n && s.p[0] == '[';
    const char *stop = s.n ? memchr(s.p, bracket ? ']' : ':', s.n) : NULL;
    struct slice host = s, rest = { s.p + s.n, 0 };
    const char *wrong;

    if (bracket && !stop)
        return "the closing bracket is missing";
    if (stop) {
        host.n = (size_t)(stop - s.p);
        rest = (struct slice){ stop + bracket, s.n - host.n - bracket };
    }
    if (!bracket && rest.n && memchr(rest.p + 1, ':', rest.n - 1))
        return "an IPv6 address goes into brackets";
    wrong = bracket ? take_ipv6(u, (struct slice){ host.p + 1, host.n - 1 })
                    : take_name(u, host);
    if (wrong || rest.n == 0)
        return wrong;
    if (rest.p[0] != ':')
        return "something other than a port follows the bracket";
    return take_port(u, (struct slice){ rest.p + 1, rest.n - 1 }, listen);
}

static const char *take_path(struct url *u, struct slice s)
{
    bool slash = s.n && s.p[0] == '/';

    if (s.n + !slash >= sizeof u->path)
        return "the path is too long";
    u->path[0] = '/';
    if (s.n)
        memcpy(u->path + !slash, s.p, s.n);
    u->path[s.n + !slash] = '\0';
    return NULL;
}

static const char *take_socket(struct url *u, struct slice s)
{
    if (s.n < 2 || s.p[0] != '/')
        return "a unix socket needs an absolute path, with three slashes in a row";
    if (s.n > UNIX_PATH_MAX)
        return "the path is too long for a unix socket (107 bytes)";
    return take_path(u, s);
}

static const char *plain(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7f)
            return "only printable ASCII without spaces is allowed (percent-encode the "
                   "rest)";
    return NULL;
}

static const char *take_rest(struct url *u, struct slice s, bool listen)
{
    size_t n = 0;
    const char *wrong;

    if (u->unix_socket)
        return take_socket(u, s);
    if (s.n && memchr(s.p, '#', s.n))
        return "a fragment (#...) means nothing here";
    while (n < s.n && s.p[n] != '/' && s.p[n] != '?')
        n++;
    if (n && memchr(s.p, '@', n))
        return "user and password do not belong into the url";
    wrong = take_authority(u, (struct slice){ s.p, n }, listen);
    if (!wrong && u->scheme[0] == 'r' && s.n > n &&
        !slice_is((struct slice){ s.p + n, s.n - n }, "/"))
        wrong = "RawSocket has no path";
    return wrong ? wrong : take_path(u, (struct slice){ s.p + n, s.n - n });
}

static const char *take_url(struct url *u, struct slice s, bool listen)
{
    const char *colon = strstr(s.p, "://");
    const char *wrong = s.n ? plain(s) : "it is empty";
    size_t n = colon ? (size_t)(colon - s.p) : 0;

    if (!wrong && !colon)
        wrong = "the scheme is missing";
    if (!wrong)
        wrong = take_scheme(u, (struct slice){ s.p, n });
    return wrong ? wrong : take_rest(u, (struct slice){ colon + 3, s.n - n - 3 }, listen);
}

static const char *take_listen(struct url *u, struct slice s)
{
    const char *wrong = s.n ? plain(s) : "it is empty";

    if (wrong)
        return wrong;
    take_scheme(u, SLICE("ws"));
    memcpy(u->path, "/", 2);
    if (strspn(s.p, "0123456789") == s.n) {
        copy_host(u, SLICE("127.0.0.1"));
        return take_port(u, s, true);
    }
    u->port = -1;
    wrong = take_authority(u, s, true);
    return !wrong && u->port < 0 ? "the port is missing" : wrong;
}

/* The text comes from anywhere: the error shows it on one line and cut to a sane
 * length. */
static bool refuse(const char *text, const char *wrong, const char *expected, char *error,
                   unsigned long size)
{
    char shown[121];
    size_t n = strnlen(text, sizeof shown - 1);

    for (size_t i = 0; i < n; i++)
        shown[i] = isprint((unsigned char)text[i]) ? text[i] : '?';
    shown[n] = '\0';
    snprintf(error, size, "invalid url \"%s%s\": %s (%s)", shown, text[n] ? "..." : "",
             wrong, expected);
    return false;
}

bool url_parse(struct url *u, const char *text, char *error, unsigned long error_size)
{
    const char *wrong;

    memset(u, 0, sizeof *u);
    wrong = take_url(u, slice_of(text), false);
    return wrong ? refuse(text, wrong, EXPECTED, error, error_size) : true;
}

bool url_parse_listen(struct url *u, const char *text, char *error,
                      unsigned long error_size)
{
    struct slice s = slice_of(text);
    const char *wrong;

    memset(u, 0, sizeof *u);
    u->universal = slice_has_prefix(s, SLICE(UNIVERSAL));
    if (u->universal)
        s = slice_of(text + strlen(UNIVERSAL));
    wrong = strstr(text, "://") ? take_url(u, s, true) : take_listen(u, s);
    if (!wrong && u->universal && u->scheme[0] == 'r')
        wrong = "universal goes with ws, wss or ws+unix";
    return wrong ? refuse(text, wrong, EXPECTED_LISTEN, error, error_size) : true;
}

void url_format(const struct url *u, char *out, unsigned long size)
{
    if (u->unix_socket)
        snprintf(out, size, "%s://%s", u->scheme, u->path);
    else
        snprintf(out, size, u->ipv6 ? "%s://[%s]:%d%s" : "%s://%s:%d%s", u->scheme,
                 u->host, u->port, u->scheme[0] == 'r' ? "" : u->path);
}
