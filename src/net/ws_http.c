/* ws_http.c - reading and judging the HTTP request of a WebSocket client. See ws_http.h.
 *
 * Pure text: no sockets, no lws. Strict where a mistake would show up later as
 * something else (Host, key, version), easy where clients differ (case, order, lists,
 * other headers). */
#include "net/ws_http.h"

#include <string.h>
#include <strings.h>

static struct slice trim(struct slice s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s.p++, s.n--;
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

static bool same(struct slice s, const char *name)
{
    return strlen(name) == s.n && strncasecmp(s.p, name, s.n) == 0;
}

/* The text before `stop`, which is taken off `s` with it; all of it when there is
 * none. */
static struct slice cut(struct slice *s, char stop)
{
    const char *at = s->n ? memchr(s->p, stop, s->n) : NULL;
    struct slice before = { s->p, at ? (size_t)(at - s->p) : s->n };
    size_t used = before.n + (at != NULL);

    s->p += used;
    s->n -= used;
    return before;
}

bool header_has(struct slice list, const char *token)
{
    while (list.n)
        if (same(trim(cut(&list, ',')), token))
            return true;
    return false;
}

static bool token_ok(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7f)
            return false;
    return s.n > 0;
}

static void note_header(struct request *r, struct slice name, struct slice value)
{
    if (same(name, "Host"))
        r->host = value, r->hosts++;
    else if (same(name, "Upgrade"))
        r->upgrade = value;
    else if (same(name, "Connection"))
        r->connection = value;
    else if (same(name, "Sec-WebSocket-Key"))
        r->key = value;
    else if (same(name, "Sec-WebSocket-Version"))
        r->ws_version = value;
    else if (same(name, "Sec-WebSocket-Protocol") && r->offer_lines < 8)
        r->offers[r->offer_lines++] = value;
    else if (same(name, "Sec-WebSocket-Extensions") && r->extension_lines < 4)
        r->extensions[r->extension_lines++] = value;
    else if (same(name, "Origin"))
        r->origin = value, r->origins++;
    else if (same(name, "If-None-Match"))
        r->none_match = value;
    else if (same(name, "If-Modified-Since"))
        r->modified_since = value;
    else if (same(name, "Content-Length") || same(name, "Transfer-Encoding"))
        r->body = !same(value, "0");
}

bool request_parse(struct request *r, struct slice head)
{
    struct slice line = cut(&head, '\n');

    *r = (struct request){ 0 };
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    r->method = cut(&line, ' ');
    r->target = cut(&line, ' ');
    if (!token_ok(r->method) || !token_ok(r->target))
        return false;
    r->version = line;
    if (!slice_has_prefix(line, SLICE("HTTP/")))
        return false;
    while (head.n) {
        struct slice value = cut(&head, '\n'), name;

        if (value.n && value.p[value.n - 1] == '\r')
            value.n--;
        if (!value.n)
            break;
        if (!memchr(value.p, ':', value.n) || memchr(value.p, '\0', value.n))
            return false;
        name = cut(&value, ':');
        if (!token_ok(name))
            return false;
        note_header(r, name, trim(value));
    }
    return true;
}

static bool key_ok(struct slice key)
{
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789+/";

    for (size_t i = 0; i < 22 && key.n == 24; i++)
        if (!key.p[i] || !strchr(base64, key.p[i]))
            return false;
    return key.n == 24 && key.p[22] == '=' && key.p[23] == '=';
}

const char *request_choose(const struct request *r, const char *const *known)
{
    for (unsigned i = 0; i < r->offer_lines; i++) {
        struct slice list = r->offers[i];

        while (list.n) {
            struct slice name = trim(cut(&list, ','));

            for (const char *const *k = known; *k; k++)
                if (slice_is(name, *k))
                    return *k;
        }
    }
    return NULL;
}

/* That the client could do with a smaller window is of no interest; that it asks us for
 * one is more than we do. */
static bool deflate_parameter_ok(struct slice parameter)
{
    struct slice name = trim(cut(&parameter, '='));

    if (same(name, "client_max_window_bits"))
        return true;
    return !parameter.n && (same(name, "server_no_context_takeover") ||
                            same(name, "client_no_context_takeover"));
}

static bool is_deflate(struct slice offer)
{
    if (!same(trim(cut(&offer, ';')), "permessage-deflate"))
        return false;
    while (offer.n)
        if (!deflate_parameter_ok(trim(cut(&offer, ';'))))
            return false;
    return true;
}

bool request_offers_deflate(const struct request *r)
{
    for (unsigned i = 0; i < r->extension_lines; i++) {
        struct slice list = r->extensions[i];

        while (list.n)
            if (is_deflate(trim(cut(&list, ','))))
                return true;
    }
    return false;
}

const char *request_fault(const struct request *r)
{
    if (!slice_is(r->version, "HTTP/1.1"))
        return "a WebSocket upgrade needs HTTP/1.1\n";
    if (r->hosts != 1 || !r->host.n)
        return "the Host header is missing or not the only one\n";
    if (!header_has(r->connection, "upgrade"))
        return "the Connection header does not say Upgrade\n";
    if (!key_ok(r->key))
        return "the Sec-WebSocket-Key header is missing or no 16 bytes in base64\n";
    if (r->body)
        return "a WebSocket upgrade has no body\n";
    if (r->origins > 1)
        return "the Origin header is there more than once\n";
    return NULL;
}
