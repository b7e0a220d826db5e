/* meta_session.c - the procedures wamp.session.*: who has joined, and whose session
 * ends now (WAMP: session meta API).
 *
 * What is told of a session is what its own WELCOME said; nothing of its transport. A
 * caller never ends its own session. */
#include "router/meta.h"

void session_write(const struct member *m, struct writer *w)
{
    writer_dict(w, MEMBER_DETAILS + 1);
    writer_key(w, SLICE("session"));
    writer_int(w, (int64_t)m->id);
    member_describe(m, w);
    writer_dict_end(w);
}

/* ---- choosing ---------------------------------------------------------------------- */

typedef bool choice(const struct query *q, const struct member *m);

static bool has_listed_role(const struct query *q, const struct member *m)
{
    return !q->filtered || map_get_bytes(&q->authroles, slice_of(m->role->name));
}

static bool has_authid(const struct query *q, const struct member *m)
{
    return m != q->caller && slice_eq(slice_of(m->authid), q->text);
}

static bool has_authrole(const struct query *q, const struct member *m)
{
    return m != q->caller && slice_is(q->text, m->role->name);
}

static bool is_other(const struct query *q, const struct member *m)
{
    return m != q->caller;
}

static void choose(const struct query *q, choice *chosen, struct ids *ids)
{
    struct member *m;
    size_t at = 0;

    while ((m = map_next(&q->caller->realm->members, &at, NULL, NULL)))
        if (chosen(q, m))
            ids_add(ids, m->id);
}

/* ---- reading ----------------------------------------------------------------------- */

bool session_count(struct query *q)
{
    struct ids ids = { 0 };

    choose(q, has_listed_role, &ids);
    writer_int(&q->w, (int64_t)ids.count);
    ids_fini(&ids);
    return true;
}

bool session_list(struct query *q)
{
    struct ids ids = { 0 };
    bool fits = query_fits(q, q->caller->realm->members.count);

    if (fits) {
        choose(q, has_listed_role, &ids);
        ids_write(&ids, &q->w);
    }
    ids_fini(&ids);
    return fits;
}

bool session_get(struct query *q)
{
    const struct member *m = map_get(&q->caller->realm->members, q->id);

    if (!m)
        return query_unknown(q);
    session_write(m, &q->w);
    return true;
}

/* ---- killing ----------------------------------------------------------------------- */

static void kill_one(const struct query *q, const struct member *m)
{
    struct slice reason = query_text(q, KW_REASON);

    peer_goodbye(m->peer, reason.p ? reason : SLICE("wamp.close.killed"),
                 query_text(q, KW_MESSAGE));
}

/* Ends the sessions that are chosen, in the order of their ids, which are in `ids` for
 * the caller to free. */
static void kill_chosen(const struct query *q, choice *chosen, struct ids *ids)
{
    choose(q, chosen, ids);
    ids_sort(ids);
    for (size_t i = 0; i < ids->count; i++)
        kill_one(q, map_get(&q->caller->realm->members, ids->at[i]));
}

static bool kill_and_count(struct query *q, choice *chosen)
{
    struct ids ids = { 0 };

    kill_chosen(q, chosen, &ids);
    writer_int(&q->w, (int64_t)ids.count);
    ids_fini(&ids);
    return true;
}

bool session_kill(struct query *q)
{
    const struct member *m = map_get(&q->caller->realm->members, q->id);

    if (!m || m == q->caller)
        return query_unknown(q);
    kill_one(q, m);
    return true;
}

bool session_kill_by_authid(struct query *q)
{
    struct ids ids = { 0 };
    bool fits = query_fits(q, q->caller->realm->members.count);

    if (fits) {
        kill_chosen(q, has_authid, &ids);
        ids_write(&ids, &q->w);
    }
    ids_fini(&ids);
    return fits;
}

bool session_kill_by_authrole(struct query *q)
{
    return kill_and_count(q, has_authrole);
}

/* Only the caller could hear of it, and knows. */
bool session_kill_all(struct query *q)
{
    struct realm *realm = q->caller->realm;

    realm->muted = true;
    kill_and_count(q, is_other);
    realm->muted = false;
    return true;
}
