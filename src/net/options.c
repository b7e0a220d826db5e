/* options.c - the defaults of options. See options.h. */
#include "net/options.h"

#include <stdlib.h>

#include "base/mem.h"
#include "wamp/limits.h"

#define CLOSE_MS 1000 /* that a closing connection may stand still before it is cut */

static const char *const default_subprotocols[] = { "wamp.2.json", NULL };

static char *copy(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

static const char **copy_list(const char *const *list)
{
    size_t n = 0;
    const char **copies;

    if (!list)
        return NULL;
    while (list[n])
        n++;
    copies = xcalloc(n + 1, sizeof *copies);
    for (size_t i = 0; i < n; i++)
        copies[i] = xstrdup(list[i]);
    return copies;
}

static void free_list(const char **list)
{
    for (const char **p = list; p && *p; p++)
        free((char *)(uintptr_t)*p);
    free(list);
}

/* What concerns a WebSocket listener. */
static void copy_server(struct net_settings *s, const struct net_options *o)
{
    s->origins = copy_list(o->origins);
    s->null_origin = o->null_origin;
    s->any_subprotocol = o->any_subprotocol;
    s->delay = o->delay;
    s->close_timeout = o->close_timeout ? o->close_timeout : CLOSE_MS;
    s->report = o->report;
    s->route_count = o->route_count;
    s->routes = xcalloc(o->route_count, sizeof *s->routes);
    for (size_t i = 0; i < o->route_count; i++) {
        s->routes[i] = o->routes[i];
        s->routes[i].path = copy(o->routes[i].path);
        s->routes[i].directory = copy(o->routes[i].directory);
        s->routes[i].index = copy(o->routes[i].index);
    }
}

/* Until a connection has said what it speaks it has the longest time of all. */
static void copy_parts(struct net_settings *s, const struct net_options *o,
                       uint64_t connect_timeout)
{
    s->raw_part = o->raw_part;
    s->part_count = o->part_count;
    s->parts = xcalloc(o->part_count, sizeof(struct net_settings *));
    for (size_t i = 0; i < o->part_count; i++) {
        s->parts[i] = net_settings_new(&o->parts[i], connect_timeout);
        if (s->connect_timeout < s->parts[i]->connect_timeout)
            s->connect_timeout = s->parts[i]->connect_timeout;
    }
}

struct net_settings *net_settings_new(const struct net_options *o,
                                      uint64_t connect_timeout)
{
    static const struct net_options none;
    struct net_settings *s = xcalloc(1, sizeof *s);

    if (!o)
        o = &none;
    s->refs = 1;
    s->connect_timeout = o->connect_timeout ? o->connect_timeout : connect_timeout;
    s->ping_interval = o->ping_interval;
    s->ping_timeout = o->ping_timeout;
    s->raw_pings = o->raw_pings;
    s->max_message = o->max_message ? o->max_message : LIMIT_MESSAGE_SIZE;
    s->max_queue = o->max_queue ? o->max_queue : LIMIT_QUEUE;
    s->max_each = o->max_each ? o->max_each : LIMIT_CONNECTIONS_EACH;
    s->max_all = o->max_all;
    s->door = o->door;
    s->subprotocols = copy_list(o->subprotocols ? o->subprotocols : default_subprotocols);
    s->headers = copy_list(o->headers);
    s->compress = o->compress;
    s->proxy = o->proxy;
    s->proxy.host = copy(o->proxy.host);
    s->proxy.authorization = copy(o->proxy.authorization);
    s->server_text = copy(o->server_text);
    copy_server(s, o);
    copy_parts(s, o, connect_timeout);
    return s;
}

struct net_settings *net_settings_part(struct net_settings *s, unsigned part)
{
    return part && part <= s->part_count ? s->parts[part - 1] : s;
}

void http_routes_free(struct http_route *routes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(routes[i].path);
        free(routes[i].directory);
        free(routes[i].index);
    }
    free(routes);
}

void net_settings_unref(struct net_settings *s)
{
    if (--s->refs > 0)
        return;
    free_list(s->subprotocols);
    free_list(s->headers);
    free((char *)(uintptr_t)s->proxy.host);
    free((char *)(uintptr_t)s->proxy.authorization);
    free(s->server_text);
    free_list(s->origins);
    http_routes_free(s->routes, s->route_count);
    for (size_t i = 0; i < s->part_count; i++)
        net_settings_unref(s->parts[i]);
    free(s->parts);
    free(s);
}
