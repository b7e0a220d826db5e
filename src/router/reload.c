/* reload.c - a new configuration for a router that runs (router_reload).
 *
 * Whoever is there stays, as far as the new rules let him: sessions go when their realm,
 * their role or the principal that they joined as is no more; a subscription or
 * registration goes when its holder may not have it any more. Who is just proving who he
 * is has begun under rules that hold no longer, and has to begin again.
 *
 * All that points into the old configuration is done away with before that is freed. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "router/attempt.h"

static const struct slice changed = SLICE("the router's configuration has changed");

/* ---- sessions ---------------------------------------------------------------------- */

/* Whether a store still has the one that a session joined as, by that method and in that
 * role. */
static bool is_known(const struct principals *ps, const struct member *m, int method)
{
    struct slice authid = { 0 };
    const struct principal *p;

    if (method != AUTH_ANONYMOUS)
        authid = slice_of(m->authid);
    p = principals_find(ps, (enum auth_method)method, authid);
    return p && principal_fits(p, m->realm) && !strcmp(p->role, m->role->name);
}

/* Whether the one that a session joined as may still join: by its door, or, where that is
 * no more, by any. Others decide about those that they know themselves. */
static bool may_stay(const struct member *m)
{
    const struct doors *doors = &m->realm->router->doors;
    const struct principals *ps = doors_store(doors, m->peer->door);
    int method = attempt_method_of(m->authmethod);

    if (!realm_role(m->realm, m->role->name))
        return false;
    if (method < 0 || strcmp(m->authprovider, "static") != 0)
        return true;
    if (ps)
        return is_known(ps, m, method);
    for (size_t i = 0; i < doors->store_count; i++)
        if (is_known(doors->stores[i], m, method))
            return true;
    return false;
}

/* The first that the member holds and may not hold; 0: none. */
static uint64_t forbidden(const struct map *holdings, const struct role_rules *role,
                          unsigned action)
{
    const struct holder *o;
    uint64_t id;
    size_t at = 0;

    while ((o = map_next(holdings, &at, &id, NULL))) {
        const struct pattern *p = &o->held->pattern;

        if (!role->authorizer && !role_allows(role, action, pattern_uri(p), p->match))
            return id;
    }
    return 0;
}

static void revoke_forbidden(struct member *m)
{
    struct slice reason = SLICE("wamp.error.not_authorized");
    uint64_t id;

    while ((id = forbidden(&m->subscriptions, m->role, ALLOW_SUBSCRIBE)))
        broker_revoke(m, id, reason);
    while ((id = forbidden(&m->registrations, m->role, ALLOW_REGISTER)))
        dealer_revoke(m, id, reason);
}

/* ---- realms ------------------------------------------------------------------------ */

/* The new roles are in their realm; `m` still has the old one. */
static void settle(struct peer *p)
{
    struct member *m = p->member;

    if (!may_stay(m)) {
        peer_goodbye(p, SLICE("wamp.close.killed"), changed);
        return;
    }
    authorize_pause(m);
    m->role = realm_role(m->realm, m->role->name);
    revoke_forbidden(m);
}

static void renew_realm(struct realm *realm, const struct realm_config *config)
{
    struct realm_roles old = realm_set_roles(realm, config);
    struct list *node, *tmp;

    list_each (node, tmp, &realm->router->peers) {
        struct peer *p = list_entry(node, struct peer, link);

        if (p->member && p->member->realm == realm)
            settle(p);
    }
    realm_roles_free(&old);
    broker_open(realm, config);
}

static void close_realm(struct realm *realm)
{
    struct list *node, *tmp;

    list_each (node, tmp, &realm->router->peers) {
        struct peer *p = list_entry(node, struct peer, link);

        if (p->member && p->member->realm == realm)
            peer_goodbye(p, SLICE("wamp.close.close_realm"), changed);
    }
    realm_free(realm);
}

static bool has_realm(const struct router_config *config, const char *name)
{
    for (size_t i = 0; i < config->count; i++)
        if (!strcmp(config->realms[i].name, name))
            return true;
    return false;
}

/* One that is not in the configuration; NULL: none. */
static struct realm *surplus(const struct router *r, const struct router_config *config)
{
    struct realm *realm;
    size_t at = 0;

    while ((realm = map_next(&r->realms, &at, NULL, NULL)))
        if (!has_realm(config, realm->name))
            return realm;
    return NULL;
}

/* ---- all of it --------------------------------------------------------------------- */

static void interrupt_attempts(struct router *r)
{
    struct list *node, *tmp;

    list_each (node, tmp, &r->peers)
        peer_interrupt(list_entry(node, struct peer, link));
}

/* What waited for the word of an authorizer asks again, under the new rules. */
static void resume_waiting(struct router *r)
{
    struct list *node, *tmp;

    list_each (node, tmp, &r->peers) {
        struct peer *p = list_entry(node, struct peer, link);

        if (p->member)
            authorize_resume(p->member);
    }
}

/* What points into the old stores are attempts, which have been interrupted. */
static void renew_doors(struct router *r, const struct router_config *config)
{
    struct doors old = r->doors;
    struct list *node, *tmp;

    r->doors = (struct doors){ 0 };
    doors_init(&r->doors, config, &r->rng);
    list_each (node, tmp, &r->peers) {
        struct peer *p = list_entry(node, struct peer, link);

        p->door = doors_follow(&r->doors, &old, p->door);
    }
    doors_fini(&old);
}

void router_reload(struct router *r, const struct router_config *config, uint64_t now)
{
    struct realm *realm;

    r->now = now;
    interrupt_attempts(r);
    while ((realm = surplus(r, config))) {
        map_del_bytes(&r->realms, slice_of(realm->name));
        close_realm(realm);
    }
    renew_doors(r, config);
    router_set_limits(r, config);
    for (size_t i = 0; i < config->count; i++) {
        realm = map_get_bytes(&r->realms, slice_of(config->realms[i].name));
        if (realm)
            renew_realm(realm, &config->realms[i]);
        else
            router_add_realm(r, &config->realms[i]);
    }
    router_offer(r);
    resume_waiting(r);
}
