/* notes.c - who is there, who came, and why he went: for people and logs.
 *
 * Nothing is noted until somebody has asked for it once, and then only names: what
 * anybody says or proves is in no note. Texts are copied, because their owners are about
 * to go. */
#include <stdlib.h>

#include "base/mem.h"
#include "router/attempt.h"

static char *copy(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

static struct note *note_new(struct peer *p, enum note_kind kind)
{
    struct note *n = xcalloc(1, sizeof *n);

    n->kind = kind;
    n->user = p->user;
    list_push(&p->router->notes, &n->link);
    return n;
}

bool router_who(const struct peer *p, struct who *who)
{
    const struct member *m = p->member;

    if (!m)
        return false;
    *who = (struct who){ m->id, m->realm->name, m->authid, m->role->name, m->authmethod };
    return true;
}

static void describe(struct note *n, const struct peer *p)
{
    struct who who;

    if (!router_who(p, &who))
        return;
    n->session = who.session;
    n->realm = xstrdup(who.realm);
    n->authid = xstrdup(who.authid);
    n->role = xstrdup(who.role);
    n->method = xstrdup(who.method);
}

void note_joined(struct peer *p)
{
    p->router->stats.joins++;
    if (p->router->noting)
        describe(note_new(p, NOTE_JOINED), p);
}

void note_left(struct peer *p, struct slice reason)
{
    struct note *n;

    if (!p->router->noting)
        return;
    n = note_new(p, NOTE_LEFT);
    describe(n, p);
    n->reason = xstrndup(reason.p, reason.n);
}

void note_refused(struct peer *p, const char *reason)
{
    struct note *n;

    p->router->stats.refusals++;
    if (!p->router->noting)
        return;
    n = note_new(p, NOTE_REFUSED);
    n->reason = xstrdup(reason);
    if (!p->attempt)
        return;
    n->realm = xstrdup(p->attempt->realm->name);
    n->authid = copy(p->attempt->authid);
    n->method = xstrdup(p->attempt->method->name);
}

void router_take_notes(struct router *r)
{
    r->noting = true;
}

struct note *router_next_note(struct router *r)
{
    struct list *node = list_pop(&r->notes);

    return node ? list_entry(node, struct note, link) : NULL;
}

void note_free(struct note *n)
{
    free(n->realm);
    free(n->authid);
    free(n->role);
    free(n->method);
    free(n->reason);
    free(n);
}
