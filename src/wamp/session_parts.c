/* session_parts.c - calls whose arguments come in parts (WAMP: progressive call
 * invocations), those that we make and those that we serve.
 *
 *     CALL 7 {progress} "com.sum" [1]     INVOCATION 1 {progress} [1]
 *     CALL 7 {progress} "com.sum" [2]     INVOCATION 1 {progress} [2]
 *     CALL 7 {} "com.sum" [3]             INVOCATION 1 {} [3]
 *
 * A caller's call keeps its procedure as long as parts may be sent. All options but
 * `progress` are those of the first part (the router has kept them), so later parts say
 * nothing else.
 *
 * A callee may have answered before the last part, and the router may not have known when
 * it sent another: such a part has an id up to the highest one that came and belongs to
 * no open invocation, and is dropped. That holds from the first invocation in parts on;
 * before it, ids may come in any order.
 *
 * Not known here: what becomes of the parts. */
#include <assert.h>

#include "base/mem.h"
#include "wamp/session_private.h"

/* ---- those we make ----------------------------------------------------------------- */

void session_open_parts(struct pending *p, const struct msg *m)
{
    p->procedure = buf_from(m->uri.p, m->uri.n);
}

void session_close_parts(struct pending *p)
{
    buf_unref(p->procedure);
    p->procedure = NULL;
}

/* The call, if it takes more parts. */
static struct pending *find_open(const struct session *s, uint64_t call)
{
    struct pending *p = map_get(&s->pending, call);

    return p && p->procedure ? p : NULL;
}

struct pending *session_call_of_part(const struct session *s, const struct msg *m)
{
    struct pending *p = m->row->code == MSG_CALL ? find_open(s, m->request) : NULL;

    return p && slice_eq(m->uri, slice_buf(p->procedure)) ? p : NULL;
}

int session_send_part(struct session *s, struct pending *p, struct msg *m, bool last)
{
    int error = session_send(s, m);

    if (error)
        return error;
    session_start_timer(s, p);
    if (last)
        session_close_parts(p);
    return SESSION_OK;
}

int session_part(struct session *s, uint64_t call, bool last, struct slice args,
                 struct slice kwargs, uint64_t now)
{
    struct pending *p = find_open(s, call);
    struct msg m = { .row = msg_row(MSG_CALL),
                     .wire = s->wire,
                     .request = call,
                     .args = args,
                     .kwargs = kwargs };

    assert(!s->busy);
    s->now = now;
    if (s->state != SESSION_JOINED)
        return session_refuse(s, SESSION_NOT_JOINED, "not joined");
    if (!p)
        return session_refuse(s, SESSION_UNKNOWN, "the call takes no more arguments");
    m.uri = slice_buf(p->procedure);
    if (!last)
        m.dict = slice_buf(s->progress);
    return session_send_part(s, p, &m, last);
}

/* ---- those we serve ---------------------------------------------------------------- */

bool session_on_part(struct session *s, struct msg *m, unsigned state,
                     const struct wishes *w)
{
    struct event *e;

    if (!(state & IN_PARTS))
        return false;
    if (!w->parts)
        map_put(&s->invocations, m->request, bits_put(state & ~(unsigned)IN_PARTS));
    e = session_event(s, EVENT_PART);
    e->hand = state & BY_HAND;
    e->progress = w->parts;
    msg_move(&e->m, m);
    return true;
}

bool session_is_late_part(struct session *s, const struct msg *m, const struct wishes *w)
{
    if (s->served_parts && m->request <= s->last_invocation)
        return true;
    s->served_parts |= w->parts;
    if (m->request > s->last_invocation)
        s->last_invocation = m->request;
    return false;
}
