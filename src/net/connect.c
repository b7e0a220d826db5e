/* connect.c - which transport a URL is for. See connect.h. */
#include "net/connect.h"

#include <string.h>

#include "net/raw.h"
#include "net/ws.h"

/* A scheme says first what is spoken, and then what it runs on. */
static const struct {
    const char *begins;
    struct conn *(*connect)(struct loop *l, const struct url *url,
                            const struct net_options *o,
                            const struct conn_handler *handler, void *user);
} transports[] = { { "rs", raw_client_connect }, { "ws", ws_connect } };

struct conn *connect_url(struct loop *l, const struct url *url,
                         const struct net_options *o, const struct conn_handler *handler,
                         void *user)
{
    size_t i = 0;

    while (strncmp(url->scheme, transports[i].begins, 2) != 0)
        i++; /* url_parse knows no others */
    return transports[i].connect(l, url, o, handler, user);
}
