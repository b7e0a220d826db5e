/* realm.c - who has joined a realm, under which id and name, and what their role may
 * do.
 *
 * A role's permissions are URI patterns in the same index that topics and procedures
 * use: the most specific one that covers what is asked decides, and where none does,
 * the answer is no. The question comes before any look-up, so that refusals do not
 * tell what exists. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "router/private.h"

/* ---- roles ------------------------------------------------------------------------- */

static void role_init(struct role_rules *role, const struct role_config *config)
{
    role->name = xstrdup(config->name);
    if (config->authorizer)
        role->authorizer = xstrdup(config->authorizer);
    role->rules = xcalloc(config->count, sizeof *role->rules);
    for (size_t i = 0; i < config->count; i++) {
        const struct permission *p = &config->permissions[i];
        struct slice uri = slice_of(p->uri);
        struct rule *rule =
            (struct rule *)patterns_get(&role->permissions, uri, p->match);

        if (!rule) {
            rule = &role->rules[role->count++];
            pattern_init(&rule->pattern, uri, p->match);
            patterns_add(&role->permissions, &rule->pattern);
        }
        rule->allow = p->allow;
        rule->disclose = p->disclose;
        rule->trust = p->trusted ? (int64_t)p->trust : -1;
        role->trusts |= p->trusted;
    }
}

static void role_fini(struct role_rules *role)
{
    for (size_t i = 0; i < role->count; i++) {
        patterns_remove(&role->permissions, &role->rules[i].pattern);
        pattern_fini(&role->rules[i].pattern);
    }
    patterns_fini(&role->permissions);
    verdicts_free(role->verdicts);
    free(role->authorizer);
    free(role->rules);
    free(role->name);
}

bool role_allows(const struct role_rules *role, unsigned action, struct slice uri,
                 enum uri_match match)
{
    const struct rule *rule;

    if (role->all)
        return true;
    rule = (const struct rule *)patterns_best(&role->permissions, uri, match);
    return rule && (rule->allow & action) == action;
}

bool role_allows_within(const struct role_rules *role, unsigned action, struct slice uri)
{
    return role->authorizer || role_allows(role, action, uri, MATCH_EXACT);
}

bool role_grants_meta(const struct role_rules *role, struct slice uri)
{
    const struct rule *rule =
        (const struct rule *)patterns_best(&role->permissions, uri, MATCH_EXACT);

    return rule &&
           (slice_has_prefix(pattern_uri(&rule->pattern), SLICE("wamp.")) ||
            slice_has_prefix(pattern_uri(&rule->pattern), SLICE("wampy.router.")));
}

int64_t role_trust(const struct role_rules *role, struct slice uri)
{
    const struct rule *rule = NULL;

    if (role->trusts)
        rule = (const struct rule *)patterns_best(&role->permissions, uri, MATCH_EXACT);
    return rule ? rule->trust : -1;
}

/* ---- realms ------------------------------------------------------------------------ */

struct realm_roles realm_set_roles(struct realm *realm, const struct realm_config *config)
{
    struct realm_roles old = { realm->roles, realm->role_count };

    realm->role_count = config->count ? config->count : 1;
    realm->roles = xcalloc(realm->role_count, sizeof *realm->roles);
    if (!config->count) {
        realm->roles[0].name = xstrdup("anonymous");
        realm->roles[0].all = true;
    }
    for (size_t i = 0; i < config->count; i++)
        role_init(&realm->roles[i], &config->roles[i]);
    realm->strict_uris = config->strict_uris || realm->router->strict_uris;
    realm->no_meta = config->no_meta;
    return old;
}

void realm_roles_free(struct realm_roles *roles)
{
    for (size_t i = 0; i < roles->count; i++)
        role_fini(&roles->at[i]);
    free(roles->at);
}

struct realm *realm_new(struct router *r, const struct realm_config *config)
{
    struct realm *realm = xcalloc(1, sizeof *realm);

    realm->name = xstrdup(config->name);
    realm->router = r;
    realm->topics.realm = realm->procedures.realm = realm;
    realm_set_roles(realm, config);
    retained_init(&realm->retained);
    broker_open(realm, config);
    return realm;
}

static void catalog_fini(struct catalog *c)
{
    patterns_fini(&c->patterns);
    map_fini(&c->ids);
}

/* Nobody is a member any more. */
void realm_free(struct realm *realm)
{
    service_free(realm->service);
    realm_roles_free(&(struct realm_roles){ realm->roles, realm->role_count });
    map_fini(&realm->members);
    broker_close(realm);
    retained_fini(&realm->retained);
    catalog_fini(&realm->topics);
    catalog_fini(&realm->procedures);
    free(realm->offers);
    free(realm->name);
    free(realm);
}

const struct role_rules *realm_role(const struct realm *realm, const char *name)
{
    for (size_t i = 0; i < realm->role_count; i++)
        if (!strcmp(realm->roles[i].name, name))
            return &realm->roles[i];
    return NULL;
}

/* ---- members ----------------------------------------------------------------------- */

uint64_t realm_free_id(const struct realm *realm)
{
    uint64_t id;

    do
        id = id_random(&realm->router->rng);
    while (map_get(&realm->members, id));
    return id;
}

/* A name that says nothing and that nobody else has: 80 random bits. */
static char *authid_make(const struct rng *rng)
{
    uint64_t high = rng->next(rng->ctx), low = rng->next(rng->ctx);
    char text[24];

    snprintf(text, sizeof text, "%04llx%016llx", (unsigned long long)(high >> 48),
             (unsigned long long)low);
    return xstrdup(text);
}

struct member *member_new(struct peer *p, struct realm *realm, const struct identity *who)
{
    struct member *m = xcalloc(1, sizeof *m);

    m->peer = p;
    m->realm = realm;
    m->role = who->role;
    m->authmethod = who->authmethod;
    m->authprovider = who->authprovider;
    m->id = map_get(&realm->members, who->session) ? realm_free_id(realm) : who->session;
    m->authid = who->authid ? xstrdup(who->authid) : authid_make(&p->router->rng);
    list_init(&m->testaments);
    return m;
}

void member_free(struct member *m)
{
    buf_unref(m->authextra);
    free(m->authid);
    free(m);
}

struct member *member_join(struct peer *p, struct realm *realm,
                           const struct identity *who)
{
    struct member *m = member_new(p, realm, who);

    map_put(&realm->members, m->id, m);
    p->router->stats.sessions++;
    return m;
}

/* In the order of visibility (WAMP: ending a session): nothing more is sent to it, its
 * callers are answered, its callees are told; then the realm hears what has gone with
 * it and what it left to say, and last that it has. */
void member_leave(struct member *m)
{
    m->gone = true;
    map_del(&m->realm->members, m->id);
    authorize_leave(m);
    call_leave(m);
    broker_leave(m);
    dealer_leave(m);
    testaments_leave(m);
    meta_left(m);
    m->realm->router->stats.sessions--;
    member_free(m);
}

void member_describe(const struct member *m, struct writer *w)
{
    writer_key(w, SLICE("authid"));
    writer_string(w, slice_of(m->authid));
    writer_key(w, SLICE("authrole"));
    writer_string(w, slice_of(m->role->name));
    writer_key(w, SLICE("authmethod"));
    writer_string(w, slice_of(m->authmethod));
    writer_key(w, SLICE("authprovider"));
    writer_string(w, slice_of(m->authprovider));
}

bool member_send(struct member *m, const struct msg *message)
{
    return m->gone || peer_send(m->peer, message);
}

/* [text], or nothing where there is no text. */
static struct buf *text_list(const struct wire *wire, const char *text)
{
    struct writer w;

    if (!*text)
        return NULL;
    writer_init(&w, wire, 256);
    writer_list(&w, 1);
    writer_string(&w, slice_of(text));
    writer_list_end(&w);
    return writer_take(&w);
}

void member_error(struct member *m, int type, uint64_t request, const struct fault *f)
{
    struct buf *args;
    struct msg e = { .row = msg_row(MSG_ERROR),
                     .wire = m->peer->wire,
                     .type = type,
                     .request = request,
                     .uri = slice_of(f->uri) };

    if (m->gone)
        return;
    args = text_list(e.wire, f->text);
    if (args)
        e.args = slice_buf(args);
    member_send(m, &e);
    buf_unref(args);
}

/* And settles whether the others are told who it is. */
static bool may(struct member *m, unsigned action, struct slice uri, enum uri_match match)
{
    const struct rule *rule;

    if (m->role->authorizer)
        return (m->granted & action) == action;
    if (m->role->all)
        return true;
    rule = (const struct rule *)patterns_best(&m->role->permissions, uri, match);
    m->discloses = rule && (rule->disclose & action);
    return rule && (rule->allow & action) == action;
}

bool member_may(struct member *m, const struct msg *message, const struct opts *o,
                unsigned action, struct fault *f)
{
    bool pattern = action & (ALLOW_REGISTER | ALLOW_SUBSCRIBE);

    if (!msg_uri_ok(message, o, m->realm->strict_uris, f))
        return false;
    if (!may(m, action, message->uri, pattern ? opt_match(o) : MATCH_EXACT)) {
        fault_set(f, "wamp.error.not_authorized", "%s: not allowed for this role",
                  message->row->name);
        return false;
    }
    return true;
}
