/* deferred.c - CALLs that may have to be sent to another callee, and sending them there.
 *
 * Most calls are forgotten but for their ids once their INVOCATION is on its way. Kept,
 * as they came, are those that wait for a callee with room (waiting.c), and those of a
 * shared registration whose callee announced that it may turn them down (WAMP: call
 * re-routing). Who turns a call down with wamp.error.unavailable is not asked again; when
 * nobody is left the caller gets wamp.error.no_available_callee.
 *
 * What one caller makes the router keep has a bound, LIMIT_DEFERRED. One beyond it is not
 * kept, and gets its callee's own answer. */
#include <stdlib.h>

#include "base/mem.h"
#include "router/private.h"

/* What the message holds on to. */
static size_t size_of(const struct msg *message)
{
    return sizeof(struct deferred) + message->bytes->cap;
}

bool deferred_admits(const struct member *caller, const struct msg *message)
{
    return caller->deferred + size_of(message) <= LIMIT_DEFERRED;
}

bool deferred_for(const struct callee *callee)
{
    const struct registration *reg = (const struct registration *)callee->holder.held;

    return reg->invoke != INVOKE_SINGLE &&
           roles_can(&callee->holder.member->roles, ROLE_CALLEE, FEATURE_CALL_REROUTE);
}

void deferred_take(struct call *c, struct msg *message)
{
    c->deferred = xcalloc(1, sizeof *c->deferred);
    msg_move(&c->deferred->message, message);
    c->caller->deferred += size_of(&c->deferred->message);
}

void deferred_drop(struct call *c)
{
    if (!c->deferred)
        return;
    c->caller->deferred -= size_of(&c->deferred->message);
    msg_fini(&c->deferred->message);
    map_fini(&c->deferred->tried);
    free(c->deferred);
    c->deferred = NULL;
}

/* Sends a call that has been withdrawn to whom it was not sent yet. */
static void send_on(struct call *c, struct registration *reg)
{
    const struct deferred *deferred = c->deferred;
    bool busy;
    struct callee *next =
        dealer_pick(reg, deferred->message.uri, &deferred->tried, &busy);

    if (!next && busy && waiting_admits(reg))
        waiting_push(reg, c);
    else
        call_resume(c, next);
}

/* What came of the call already, and arguments that were not kept, cannot be sent to
 * somebody else. */
bool deferred_reroute(struct call *c)
{
    struct catalog *procedures = &c->caller->realm->procedures;
    struct registration *reg = map_get(&procedures->ids, c->registration);
    uint64_t callee = c->callee->id;

    if (!roles_can(&c->callee->roles, ROLE_CALLEE, FEATURE_CALL_REROUTE) || c->parts ||
        c->answered || c->killed)
        return false;
    if (!reg || reg->invoke == INVOKE_SINGLE) {
        call_resume(c, NULL);
        return true;
    }
    if (!c->deferred)
        return false;
    map_put(&c->deferred->tried, callee, c);
    call_withdraw(c);
    send_on(c, reg);
    return true;
}
