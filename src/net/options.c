/* options.c - the defaults of options. See options.h. */
#include "net/options.h"

#include <stdlib.h>

#include "base/mem.h"
#include "wamp/limits.h"

static const char *const default_subprotocols[] = { "wamp.2.json", NULL };

static const char **copy_list(const char *const *list)
{
    size_t n = 0;
    const char **copy;

    if (!list)
        return NULL;
    while (list[n])
        n++;
    copy = xcalloc(n + 1, sizeof *copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = xstrdup(list[i]);
    return copy;
}

static void free_list(const char **list)
{
    for (const char **p = list; p && *p; p++)
        free((char *)(uintptr_t)*p);
    free(list);
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
    s->subprotocols = copy_list(o->subprotocols ? o->subprotocols : default_subprotocols);
    s->headers = copy_list(o->headers);
    s->server_text = o->server_text ? xstrdup(o->server_text) : NULL;
    return s;
}

void net_settings_unref(struct net_settings *s)
{
    if (--s->refs > 0)
        return;
    free_list(s->subprotocols);
    free_list(s->headers);
    free(s->server_text);
    free(s);
}
