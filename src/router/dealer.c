/* dealer.c - procedures: who registered what, and who of them is to answer (WAMP:
 * remote procedure calls, shared registration).
 *
 * One registration a pattern and match policy, shared by as many callees as its
 * invocation policy lets in, gone with the last. Not known here: calls (call.c), which
 * have picked their callee and go on when the registration has gone. */
#include <stdlib.h>

#include "base/mem.h"
#include "router/private.h"

static struct registration *registration_new(struct realm *realm, struct slice uri,
                                             enum uri_match match, enum invoke invoke)
{
    struct registration *reg = xcalloc(1, sizeof *reg);

    held_init(&reg->held, &realm->procedures, uri, match);
    reg->invoke = invoke;
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
    map_put(&m->registrations, reg->held.id, c);
}

/* The member's map has let go of it already. */
static void callee_free(struct callee *c)
{
    struct registration *reg = (struct registration *)c->holder.held;
    struct member *m = c->holder.member;

    holder_fini(&c->holder);
    free(c);
    meta_removed(m, &reg->held);
    if (!reg->held.count)
        registration_free(reg);
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

/* Takes a registration from all its callees, and tells those who understand (WAMP:
 * registration revocation). Frees it. */
static void revoke(struct registration *reg)
{
    size_t count = reg->held.count;
    uint64_t id = reg->held.id;

    while (count--) {
        struct callee *c = callee_of(reg->held.holders.next);
        struct member *m = c->holder.member;
        struct details d = { 0 };
        struct buf *details;
        struct msg u = { .row = msg_row(MSG_UNREGISTERED) };

        details_int(&d, OPT_REGISTRATION, id);
        details_text(&d, OPT_REASON, SLICE("wamp.error.unregistered"));
        details = details_encode(&d, m->peer->wire);
        u.dict = slice_buf(details);
        if (roles_can(&m->roles, ROLE_CALLEE, FEATURE_REGISTRATION_REVOCATION))
            member_send(m, &u);
        buf_unref(details);
        map_del(&m->registrations, id);
        callee_free(c);
    }
}

/* Finds or makes the registration; NULL fills `f`. */
static struct registration *admit(struct member *m, const struct msg *message,
                                  const struct opts *o, struct fault *f)
{
    struct registration *reg;
    enum invoke invoke;

    if (!member_may(m, message, o, ALLOW_REGISTER, f) || !invoke_of(o, &invoke, f))
        return NULL;
    if (m->registrations.count >= LIMIT_REGISTRATIONS) {
        fault_set(f, "wamp.error.unavailable", "too many registrations");
        return NULL;
    }
    reg = (struct registration *)patterns_get(&m->realm->procedures.patterns,
                                              message->uri, opt_match(o));
    if (reg && opt_is(o, OPT_FORCE_REREGISTER, false)) {
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
    if (fresh)
        meta_added(m, &reg->held);
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

static struct callee *pick(struct registration *reg)
{
    const struct rng *rng = &reg->held.catalog->realm->router->rng;
    struct list *node = reg->held.holders.next;

    if (reg->invoke == INVOKE_LAST)
        node = reg->held.holders.prev;
    else if (reg->invoke == INVOKE_RANDOM)
        node = nth(reg, rng->next(rng->ctx) % reg->held.count);
    if (reg->invoke == INVOKE_ROUNDROBIN) {
        list_remove(node);
        list_push(&reg->held.holders, node);
    }
    return callee_of(node);
}

/* Nobody answers for the router's own names, whatever pattern he registered. A pattern
 * was allowed as a whole; a more specific permission may still take single procedures
 * out of it. */
struct callee *dealer_pick(struct realm *realm, struct slice uri)
{
    struct registration *reg = NULL;
    struct callee *c;

    if (!uri_reserved(uri))
        reg = (struct registration *)patterns_best(&realm->procedures.patterns, uri,
                                                   MATCH_EXACT);
    if (!reg)
        return NULL;
    c = pick(reg);
    if (reg->held.pattern.match != MATCH_EXACT &&
        !role_allows_within(c->holder.member->role, ALLOW_REGISTER, uri))
        return NULL;
    return c;
}
