/* dealer.c - procedures: who registered what, and who of them is to answer (WAMP:
 * remote procedure calls, shared registration).
 *
 * One registration a pattern and match policy, shared by as many callees as its
 * invocation policy lets in, gone with the last. Not known here: calls (call.c), which
 * have picked their callee and go on when the registration has gone, and those that wait
 * for a callee (waiting.c). */
#include <stdlib.h>

#include "base/mem.h"
#include "router/private.h"

static struct registration *registration_new(struct realm *realm, struct slice uri,
                                             enum uri_match match, enum invoke invoke)
{
    struct registration *reg = xcalloc(1, sizeof *reg);

    held_init(&reg->held, &realm->procedures, uri, match);
    reg->invoke = invoke;
    list_init(&reg->waiting);
    realm->router->stats.registrations++;
    return reg;
}

static void registration_free(struct registration *reg)
{
    reg->held.catalog->realm->router->stats.registrations--;
    held_fini(&reg->held);
    free(reg);
}

static struct callee *callee_of(struct list *node)
{
    return list_entry(node, struct callee, holder.link);
}

static void callee_add(struct member *m, struct registration *reg, const struct opts *o)
{
    struct callee *c = xcalloc(1, sizeof *c);

    holder_init(&c->holder, &reg->held, m);
    c->wants_caller = opt_is(o, OPT_DISCLOSE_CALLER, false);
    c->keeps_time = opt_is(o, OPT_FORWARD_TIMEOUT, false) &&
                    roles_can(&m->roles, ROLE_CALLEE, FEATURE_CALL_TIMEOUT);
    c->concurrency = (uint64_t)opt_int(o, OPT_CONCURRENCY);
    list_init(&c->calls);
    map_put(&m->registrations, reg->held.id, c);
}

/* The member's map has let go of it already. */
static void callee_free(struct callee *c)
{
    struct registration *reg = (struct registration *)c->holder.held;
    struct member *m = c->holder.member;

    seat_close(c);
    holder_fini(&c->holder);
    free(c);
    meta_removed(m, &reg->held);
    if (reg->held.count) {
        waiting_serve(reg);
    } else {
        waiting_fail(reg);
        registration_free(reg);
    }
}

static void answer(struct member *m, enum msg_code code, const struct msg *request,
                   uint64_t id)
{
    struct msg a = {
        .row = msg_row(code), .wire = m->peer->wire, .request = request->request, .id = id
    };

    member_send(m, &a);
}

/* ---- REGISTER ---------------------------------------------------------------------- */

static const char *const invoke_names[] = { "single", "roundrobin", "random", "first",
                                            "last" };

const char *invoke_name(enum invoke invoke)
{
    return invoke_names[invoke];
}

static bool invoke_of(const struct opts *o, enum invoke *invoke, struct fault *f)
{
    *invoke = INVOKE_SINGLE;
    if (!opt_has(o, OPT_INVOKE))
        return true;
    for (unsigned i = 0; i < sizeof invoke_names / sizeof *invoke_names; i++) {
        if (slice_is(opt_text(o, OPT_INVOKE), invoke_names[i])) {
            *invoke = (enum invoke)i;
            return true;
        }
    }
    fault_set(
        f, "wamp.error.invalid_argument",
        "REGISTER.Options.invoke is none of single, roundrobin, random, first, last");
    return false;
}

/* Takes a registration from all its callees. Frees it. */
static void revoke(struct registration *reg)
{
    size_t count = reg->held.count;
    uint64_t id = reg->held.id;

    while (count--)
        dealer_revoke(callee_of(reg->held.holders.next)->holder.member, id,
                      (struct slice){ 0 });
}

/* Whether a REGISTER is one that we take, whoever has the procedure. */
static bool acceptable(struct member *m, const struct msg *message, const struct opts *o,
                       enum invoke *invoke, struct fault *f)
{
    if (!member_may(m, message, o, ALLOW_REGISTER, f) || !invoke_of(o, invoke, f))
        return false;
    if (meta_owns(message->uri)) {
        fault_set(f, "wamp.error.invalid_uri",
                  "REGISTER.Procedure: names below wampy.router. are the router's own");
        return false;
    }
    if (opt_has(o, OPT_CONCURRENCY) && !opt_int(o, OPT_CONCURRENCY)) {
        fault_set(f, "wamp.error.invalid_argument",
                  "REGISTER.Options.concurrency must be at least 1");
        return false;
    }
    if (m->registrations.count >= LIMIT_REGISTRATIONS) {
        fault_set(f, "wamp.error.unavailable", "too many registrations");
        return false;
    }
    return true;
}

/* Finds or makes the registration; NULL fills `f`. */
static struct registration *admit(struct member *m, const struct msg *message,
                                  const struct opts *o, struct fault *f)
{
    struct registration *reg;
    enum invoke invoke;

    if (!acceptable(m, message, o, &invoke, f))
        return NULL;
    reg = (struct registration *)patterns_get(&m->realm->procedures.patterns,
                                              message->uri, opt_match(o));
    if (reg && opt_is(o, OPT_FORCE_REREGISTER, false)) {
        if (!member_may(m, message, o, ALLOW_FORCE, f))
            return NULL;
        revoke(reg);
        reg = NULL;
    }
    if (reg && (invoke == INVOKE_SINGLE || invoke != reg->invoke)) {
        fault_set(f, "wamp.error.procedure_already_exists",
                  "the procedure is registered");
        return NULL;
    }
    return reg ? reg : registration_new(m->realm, message->uri, opt_match(o), invoke);
}

/* Who shares a registration already keeps its one place in it. */
void dealer_register(struct member *m, struct msg *message, const struct opts *o)
{
    struct fault f;
    struct registration *reg = admit(m, message, o, &f);
    bool fresh;

    if (!reg) {
        member_error(m, MSG_REGISTER, message->request, &f);
        return;
    }
    fresh = !map_get(&m->registrations, reg->held.id);
    if (fresh)
        callee_add(m, reg, o);
    answer(m, MSG_REGISTERED, message, reg->held.id);
    if (fresh) {
        meta_added(m, &reg->held);
        waiting_serve(reg);
    }
}

void dealer_unregister(struct member *m, struct msg *message)
{
    struct callee *c = map_del(&m->registrations, message->id);
    struct fault f;

    if (!c) {
        fault_set(&f, "wamp.error.no_such_registration", "not registered");
        member_error(m, MSG_UNREGISTER, message->request, &f);
        return;
    }
    answer(m, MSG_UNREGISTERED, message, 0);
    callee_free(c);
}

bool dealer_revoke(struct member *m, uint64_t id, struct slice reason)
{
    struct callee *c = map_del(&m->registrations, id);

    if (!c)
        return false;
    held_tell_revoked(c->holder.held, m, reason);
    callee_free(c);
    return true;
}

void dealer_leave(struct member *m)
{
    struct callee *c;
    size_t at = 0;

    while ((c = map_next(&m->registrations, &at, NULL, NULL)))
        callee_free(c);
    map_fini(&m->registrations);
}

/* ---- picking ----------------------------------------------------------------------- */

static struct list *nth(struct registration *reg, uint64_t n)
{
    struct list *node = reg->held.holders.next;

    while (n--)
        node = node->next;
    return node;
}

/* With whom the policy begins. */
static struct list *foremost(struct registration *reg)
{
    const struct rng *rng = &reg->held.catalog->realm->router->rng;

    if (reg->invoke == INVOKE_LAST)
        return reg->held.holders.prev;
    if (reg->invoke == INVOKE_RANDOM)
        return nth(reg, rng->next(rng->ctx) % reg->held.count);
    return reg->held.holders.next;
}

/* Who comes after: around the ring of holders, past its head. */
static struct list *following(struct registration *reg, struct list *node)
{
    bool back = reg->invoke == INVOKE_LAST;
    struct list *next = back ? node->prev : node->next;

    if (next == &reg->held.holders)
        next = back ? next->prev : next->next;
    return next;
}

/* A pattern was allowed as a whole; a more specific permission may still take single
 * procedures out of it. */
static bool may_answer(const struct callee *c, struct slice uri, const struct map *tried)
{
    const struct member *m = c->holder.member;

    return !m->gone && (!tried || !map_get(tried, m->id)) &&
           (c->holder.held->pattern.match == MATCH_EXACT ||
            role_allows_within(m->role, ALLOW_REGISTER, uri));
}

static bool has_room(const struct callee *c)
{
    return !c->concurrency || c->busy < c->concurrency;
}

/* Whether one callee has all calls while it is there: the others do not help it. */
static bool stands_alone(const struct registration *reg)
{
    return reg->invoke == INVOKE_FIRST || reg->invoke == INVOKE_LAST;
}

struct callee *dealer_pick(struct registration *reg, struct slice uri,
                           const struct map *tried, bool *busy)
{
    struct list *node = foremost(reg);

    *busy = false;
    for (size_t i = 0; i < reg->held.count; i++, node = following(reg, node)) {
        struct callee *c = callee_of(node);

        if (!may_answer(c, uri, tried))
            continue;
        if (has_room(c)) {
            if (reg->invoke == INVOKE_ROUNDROBIN) {
                list_remove(node);
                list_push(&reg->held.holders, node);
            }
            return c;
        }
        *busy = true;
        if (stands_alone(reg))
            break;
    }
    return NULL;
}

/* Nobody answers for the router's own names, whatever pattern he registered. */
struct registration *dealer_find(struct realm *realm, struct slice uri)
{
    if (uri_reserved(uri))
        return NULL;
    return (struct registration *)patterns_best(&realm->procedures.patterns, uri,
                                                MATCH_EXACT);
}
