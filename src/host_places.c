/* host_places.c - where a router listens, at its start and when its configuration is
 * read again.
 *
 * A place is its address: a port of an interface, or the path of a Unix socket. What is
 * spoken there, and by which rules, is its options, which a listener can be given anew;
 * whoever is connected stays so. Everything that can fail is done first. See host.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "host.h"

static bool same_place(const struct place_listener *have, const struct url *url,
                       const char *listen)
{
    if (have->url.unix_socket || url->unix_socket)
        return have->url.unix_socket == url->unix_socket &&
               !strcmp(have->url.path, url->path);
    if (!url->port) /* any: the one that was found for these words */
        return !strcmp(have->listen, listen);
    return have->url.port == url->port && !strcmp(have->url.host, url->host);
}

/* What is there for a place, and nobody has claimed; NULL when nothing is. */
static struct place_listener *find(struct places *p, const struct url *url,
                                   const char *listen)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->at[i].listener && same_place(&p->at[i], url, listen))
            return &p->at[i];
    return NULL;
}

/* How one place of a job is to come about. */
struct step {
    const struct place *place;
    struct url url;
    struct place_listener *from;    /* where `kept` was claimed, and is no more */
    struct listener *kept, *opened; /* one of them is NULL */
};

static bool prepare(struct step *s, struct places *p, struct server *server,
                    struct conn_end *end)
{
    bool ok;

    *end = (struct conn_end){ 0 };
    if (!url_parse_listen(&s->url, s->place->listen, end->text, sizeof end->text))
        return false;
    s->from = find(p, &s->url, s->place->listen);
    if (s->from) {
        s->kept = s->from->listener;
        s->from->listener = NULL;
        s->url.port = s->from->url.port;
        ok = listener_can(&s->url, &s->place->options, end);
    } else {
        s->opened = server_listen(server, &s->url, &s->place->options, end);
        ok = s->opened != NULL;
    }
    if (s->opened && !s->url.unix_socket)
        s->url.port = listener_port(s->opened);
    return ok;
}

/* What was opened is closed, what was claimed is put back. */
static void undo(const struct step *steps, size_t n, struct server *server)
{
    for (size_t i = 0; i < n; i++) {
        if (steps[i].opened)
            server_unlisten(server, steps[i].opened);
        if (steps[i].kept)
            steps[i].from->listener = steps[i].kept;
    }
}

static void carry_out(const struct step *steps, size_t n, struct places *p,
                      struct server *server)
{
    struct places now = { xcalloc(n, sizeof *now.at), n };

    for (size_t i = 0; i < p->count; i++)
        if (p->at[i].listener)
            server_unlisten(server, p->at[i].listener);
    for (size_t i = 0; i < n; i++) {
        const struct step *s = &steps[i];

        if (s->kept)
            server_renew(s->kept, &s->url, &s->place->options);
        now.at[i] = (struct place_listener){ .url = s->url,
                                             .listen = xstrdup(s->place->listen),
                                             .listener = s->kept ? s->kept : s->opened };
    }
    places_fini(p);
    *p = now;
}

bool places_take(struct places *p, struct server *server, const struct place_list *list,
                 struct conn_end *end)
{
    struct step *steps = xcalloc(list->count, sizeof *steps);
    size_t n = 0;
    bool ok = true;

    while (ok && n < list->count) {
        steps[n].place = &list->at[n];
        ok = prepare(&steps[n++], p, server, end);
    }
    if (ok)
        carry_out(steps, n, p, server);
    else
        undo(steps, n, server);
    free(steps);
    return ok;
}

void places_fini(struct places *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->at[i].listen);
    free(p->at);
    *p = (struct places){ 0 };
}
