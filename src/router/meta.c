/* meta.c - calls of the router's own procedures (WAMP: meta APIs): which there are, who
 * may call them, and how the answer goes out.
 *
 * The answer is written in the caller's format at once; no call is kept. Ending what
 * others have (sessions, registrations, subscriptions) takes more than a realm that
 * allows everything: a permission that was written for wamp. names (role_grants_meta). */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "router/meta.h"

#define KEY(keyword) (1u << KW_##keyword)
#define FAREWELL (KEY(REASON) | KEY(MESSAGE))
#define FILTERS ((2u << KW_UNTIL_PUBLICATION) - (1u << KW_REVERSE))

/* clang-format off */
static const struct procedure procedures[] = {
    { "wamp.session.count", TAKES_ROLES, 0, 0, session_count },
    { "wamp.session.list", TAKES_ROLES, 0, 0, session_list },
    { "wamp.session.get", TAKES_ID, 0, 0, session_get },
    { "wamp.session.kill", TAKES_ID, FAREWELL, GRANTED | MUTE, session_kill },
    { "wamp.session.kill_by_authid", TAKES_NAME, FAREWELL, GRANTED,
      session_kill_by_authid },
    { "wamp.session.kill_by_authrole", TAKES_NAME, FAREWELL, GRANTED,
      session_kill_by_authrole },
    { "wamp.session.kill_all", TAKES_NOTHING, FAREWELL, GRANTED, session_kill_all },
    { "wamp.session.add_testament", TAKES_PAYLOAD, KEY(SCOPE) | KEY(PUBLISH_OPTIONS), 0,
      testament_add },
    { "wamp.session.flush_testaments", TAKES_NOTHING, KEY(SCOPE), 0, testament_flush },
    { "wamp.registration.list", TAKES_NOTHING, 0, 0, held_list },
    { "wamp.registration.lookup", TAKES_URI_AND_MATCH, 0, 0, held_lookup },
    { "wamp.registration.match", TAKES_URI, 0, 0, held_match },
    { "wamp.registration.get", TAKES_ID, 0, 0, held_get },
    { "wamp.registration.list_callees", TAKES_ID, 0, 0, held_holders },
    { "wamp.registration.count_callees", TAKES_ID, 0, 0, held_count },
    { "wamp.registration.remove_callee", TAKES_TWO_IDS, KEY(REASON), GRANTED | MUTE,
      held_remove },
    { "wamp.subscription.list", TAKES_NOTHING, 0, 0, held_list },
    { "wamp.subscription.lookup", TAKES_URI_AND_MATCH, 0, 0, held_lookup },
    { "wamp.subscription.match", TAKES_URI, 0, 0, held_match },
    { "wamp.subscription.get", TAKES_ID, 0, 0, held_get },
    { "wamp.subscription.list_subscribers", TAKES_ID, 0, 0, held_holders },
    { "wamp.subscription.count_subscribers", TAKES_ID, 0, 0, held_count },
    { "wamp.subscription.remove_subscriber", TAKES_TWO_IDS, KEY(REASON), GRANTED | MUTE,
      held_remove },
    { "wamp.subscription.get_events", TAKES_ID_AND_LIMIT, FILTERS, WHOLE, history_get },
    { "wampy.router.stats", TAKES_NOTHING, 0, GRANTED, stats_get },
};
/* clang-format on */

static const struct procedure *procedure_of(struct slice uri)
{
    for (size_t i = 0; i < sizeof procedures / sizeof *procedures; i++)
        if (slice_is(uri, procedures[i].name))
            return &procedures[i];
    return NULL;
}

static struct catalog *catalog_of(struct realm *realm, const char *procedure)
{
    if (!strncmp(procedure, "wamp.registration.", 18))
        return &realm->procedures;
    return !strncmp(procedure, "wamp.subscription.", 18) ? &realm->topics : NULL;
}

/* ---- ids --------------------------------------------------------------------------- */

void ids_add(struct ids *ids, uint64_t id)
{
    if (ids->count == ids->cap) {
        ids->cap = ids->cap ? ids->cap * 2 : 16;
        ids->at = xrealloc(ids->at, ids->cap * sizeof *ids->at);
    }
    ids->at[ids->count++] = id;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

void ids_sort(struct ids *ids)
{
    if (ids->count)
        qsort(ids->at, ids->count, sizeof *ids->at, compare);
}

void ids_write(struct ids *ids, struct writer *w)
{
    ids_sort(ids);
    writer_list(w, ids->count);
    for (size_t i = 0; i < ids->count; i++)
        writer_int(w, (int64_t)ids->at[i]);
    writer_list_end(w);
}

void ids_fini(struct ids *ids)
{
    free(ids->at);
}

_Static_assert(LIMIT_META_IDS * 17 + 4096 < LIMIT_MESSAGE_SIZE, "16 digits and a comma");

bool query_fits(struct query *q, size_t ids)
{
    if (ids <= LIMIT_META_IDS)
        return true;
    fault_set(&q->fault, "wamp.error.payload_size_exceeded",
              "%s: there are %zu, and an answer has room for %d", q->procedure->name, ids,
              LIMIT_META_IDS);
    return false;
}

bool query_unknown(struct query *q)
{
    static const char *const kinds[][2] = {
        { "session", "wamp.error.no_such_session" },
        { "registration", "wamp.error.no_such_registration" },
        { "subscription", "wamp.error.no_such_subscription" }
    };
    int kind = !q->catalog ? 0 : 2 - (q->catalog == &q->caller->realm->procedures);

    fault_set(&q->fault, kinds[kind][1], "there is no %s %llu", kinds[kind][0],
              (unsigned long long)q->id);
    return false;
}

/* ---- the call ---------------------------------------------------------------------- */

/* Whether the caller may call it, and whether it is there: in this order. */
static bool admit(struct query *q, const struct msg *message, const struct opts *o)
{
    struct member *m = q->caller;

    if (!member_may(m, message, o, ALLOW_CALL, &q->fault))
        return false;
    if (opt_is(o, OPT_PROGRESS, false) || opt_has(o, OPT_PPT_SCHEME)) {
        fault_set(&q->fault, "wamp.error.feature_not_supported",
                  "the router's own procedures take plain arguments");
        return false;
    }
    q->procedure = procedure_of(message->uri);
    if (!q->procedure || (m->realm->no_meta && uri_reserved(message->uri))) {
        fault_set(&q->fault, "wamp.error.no_such_procedure",
                  "the router has no such procedure");
        return false;
    }
    if (q->procedure->traits & GRANTED && !role_grants_meta(m->role, message->uri)) {
        fault_set(&q->fault, "wamp.error.not_authorized",
                  "%s: no permission of this role is for it", q->procedure->name);
        return false;
    }
    q->catalog = catalog_of(m->realm, q->procedure->name);
    return true;
}

static void send_result(struct query *q, uint64_t request)
{
    struct buf *args = writer_take(&q->w);
    struct msg result = { .row = msg_row(MSG_RESULT),
                          .wire = q->caller->peer->wire,
                          .request = request };

    if (!(q->procedure->traits & MUTE))
        result.args = slice_buf(args);
    if (!member_send(q->caller, &result)) {
        peer_refusal(q->caller->peer, &q->fault);
        member_error(q->caller, MSG_CALL, request, &q->fault);
    }
    buf_unref(args);
}

static bool answer(struct query *q, const struct msg *message)
{
    writer_init(&q->w, q->caller->peer->wire, 256);
    if (!(q->procedure->traits & WHOLE))
        writer_list(&q->w, !(q->procedure->traits & MUTE));
    if (!q->procedure->answer(q)) {
        writer_fini(&q->w);
        return false;
    }
    if (!(q->procedure->traits & WHOLE))
        writer_list_end(&q->w);
    send_result(q, message->request);
    return true;
}

bool meta_owns(struct slice uri)
{
    return uri_reserved(uri) || slice_has_prefix(uri, SLICE("wampy.router."));
}

void meta_call(struct member *m, const struct msg *message, const struct opts *o)
{
    struct query q = { .caller = m };

    if (!admit(&q, message, o) || !query_take(&q, message) || !answer(&q, message))
        member_error(m, MSG_CALL, message->request, &q.fault);
    query_fini(&q);
}
