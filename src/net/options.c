/* options.c - the defaults of options. See options.h. */
#include "net/options.h"

#include <stdlib.h>

#include "base/mem.h"
#include "wamp/limits.h"

static const char *const default_subprotocols[] = { "wamp.2.json", NULL };

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
    s->subprotocols = o->subprotocols ? o->subprotocols : default_subprotocols;
    s->headers = o->headers;
    s->server_text = o->server_text ? xstrdup(o->server_text) : NULL;
    return s;
}

void net_settings_unref(struct net_settings *s)
{
    if (--s->refs > 0)
        return;
    free(s->server_text);
    free(s);
}
