/* dealer.c - procedures: who registered what (WAMP: remote procedure calls).
 *
 * One registration a pattern and policy, gone with its last callee. Not known here: calls
 * (call.c), which have picked their callee and go on when the registration has gone. */
#include <stdlib.h>

#include "base/mem.h"
#include "router/private.h"

static struct registration *registration_new(struct realm *realm, struct slice uri,
                                             enum uri_match match)
{
    struct registration *reg = xcalloc(1, sizeof *reg);

    pattern_init(&reg->pattern, uri, match);
    reg->realm = realm;
    reg->id = realm->router->last_id = id_next(realm->router->last_id);
    list_init(&reg->callees);
    patterns_add(&realm->procedures, &reg->pattern);
    realm->router->stats.registrations++;
    return reg;
}

static void registration_free(struct registration *reg)
{
    patterns_remove(&reg->realm->procedures, &reg->pattern);
    pattern_fini(&reg->pattern);
    reg->realm->router->stats.registrations--;
    free(reg);
}

static void callee_add(struct member *m, struct registration *reg)
{
    struct callee *c = xcalloc(1, sizeof *c);

    c->registration = reg;
    c->member = m;
    list_push(&reg->callees, &c->link);
    map_put(&m->registrations, reg->id, c);
}

/* The member's map has let go of it already. */
static void callee_free(struct callee *c)
{
    struct registration *reg = c->registration;

    list_remove(&c->link);
    free(c);
    if (list_empty(&reg->callees))
        registration_free(reg);
}

static void answer(struct member *m, enum msg_code code, const struct msg *request, uint64_t id)
{
    struct msg a = { .row = msg_row(code),
                     .wire = m->peer->wire,
                     .request = request->request,
                     .id = id };

    member_send(m, &a);
}

/* Finds or makes the registration; NULL fills `f`. */
static struct registration *admit(struct member *m, const struct msg *message,
                                  const struct opts *o, struct fault *f)
{
    if (!member_may(m, message, o, ALLOW_REGISTER, f))
        return NULL;
    if (opt_has(o, OPT_INVOKE) && !slice_is(opt_text(o, OPT_INVOKE), "single")) {
        fault_set(f, "wamp.error.feature_not_supported", "REGISTER.Options.invoke: only single");
        return NULL;
    }
    if (patterns_get(&m->realm->procedures, message->uri, opt_match(o))) {
        fault_set(f, "wamp.error.procedure_already_exists", "the procedure is registered");
        return NULL;
    }
    if (m->registrations.count >= LIMIT_REGISTRATIONS) {
        fault_set(f, "wamp.error.unavailable", "too many registrations");
        return NULL;
    }
    return registration_new(m->realm, message->uri, opt_match(o));
}

void dealer_register(struct member *m, struct msg *message, const struct opts *o)
{
    struct fault f;
    struct registration *reg = admit(m, message, o, &f);

    if (!reg) {
        member_error(m, MSG_REGISTER, message->request, &f);
        return;
    }
    callee_add(m, reg);
    answer(m, MSG_REGISTERED, message, reg->id);
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
    callee_free(c);
    answer(m, MSG_UNREGISTERED, message, 0);
}

void dealer_leave(struct member *m)
{
    struct callee *c;
    size_t at = 0;

    while ((c = map_next(&m->registrations, &at, NULL, NULL)))
        callee_free(c);
    map_fini(&m->registrations);
}
