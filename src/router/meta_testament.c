/* meta_testament.c - wamp.session.add_testament and flush_testaments: what a session
 * leaves to be published when it has ended, however it ends (WAMP: testaments).
 *
 * A testament is the PUBLISH that the session would have sent, made and judged when it is
 * added, and judged again when it is published. Sessions are not resumed here: the scopes
 * "detached" and "destroyed" come one behind the other. */
#include <stdlib.h>

#include "base/mem.h"
#include "router/meta.h"

struct testament {
    struct list link;
    bool detached;      /* the other scope is "destroyed" */
    uint64_t id;        /* that its publication will have */
    struct msg message; /* owned */
};

static struct testament *testament_of(struct list *node)
{
    return list_entry(node, struct testament, link);
}

static size_t size_of(const struct testament *t)
{
    return t->message.bytes->cap;
}

static void testament_free(struct member *m, struct testament *t)
{
    list_remove(&t->link);
    m->testament_count--;
    m->testament_bytes -= size_of(t);
    msg_fini(&t->message);
    free(t);
}

/* The `scope` of the call. False fills the fault. */
static bool scope_of(struct query *q, bool *detached)
{
    struct slice scope = query_text(q, KW_SCOPE);

    *detached = slice_is(scope, "detached");
    if (!scope.p || *detached || slice_is(scope, "destroyed"))
        return true;
    fault_set(&q->fault, "wamp.error.testament_error",
              "%s: scope must be \"destroyed\" or \"detached\"", q->procedure->name);
    return false;
}

/* ---- adding ------------------------------------------------------------------------ */

/* The PUBLISH. Who has gone gets no acknowledgement and no event: of these options
 * nothing remains. */
static struct buf *encode(const struct query *q)
{
    const struct msg m = { .row = msg_row(MSG_PUBLISH),
                           .request = 1,
                           .dict = query_text(q, KW_PUBLISH_OPTIONS),
                           .uri = q->text,
                           .args = q->args,
                           .kwargs = q->kwargs };

    return msg_encode(&m, q->caller->peer->wire);
}

/* Whether the options are good, and the caller may publish this now. */
static bool may_publish(struct query *q, const struct msg *message)
{
    struct opts o;
    bool may;

    if (!opts_decode(&o, message, &q->fault)) {
        q->fault.uri = "wamp.error.invalid_argument";
        return false;
    }
    may = passthru_ok(q->caller, message, &o, &q->fault);
    if (may)
        may = member_may(q->caller, message, &o, ALLOW_PUBLISH, &q->fault);
    else
        q->fault.uri = "wamp.error.invalid_argument";
    opts_fini(&o);
    return may;
}

static bool has_room(struct query *q, size_t bytes)
{
    const struct member *m = q->caller;

    if (m->testament_count < LIMIT_TESTAMENTS &&
        m->testament_bytes + bytes <= LIMIT_TESTAMENT_BYTES)
        return true;
    fault_set(&q->fault, "wamp.error.unavailable",
              "a session may leave %d testaments of %u bytes together", LIMIT_TESTAMENTS,
              LIMIT_TESTAMENT_BYTES);
    return false;
}

static void testament_new(struct member *m, struct msg *message, bool detached)
{
    struct testament *t = xcalloc(1, sizeof *t);

    msg_move(&t->message, message);
    t->detached = detached;
    t->id = id_random(&m->realm->router->rng);
    list_push(&m->testaments, &t->link);
    m->testament_count++;
    m->testament_bytes += size_of(t);
}

bool testament_add(struct query *q)
{
    struct member *m = q->caller;
    struct buf *bytes = encode(q);
    struct msg message;
    bool detached, ok = false;

    if (msg_decode(&message, m->peer->wire, bytes, &q->fault)) {
        ok =
            scope_of(q, &detached) && may_publish(q, &message) && has_room(q, bytes->cap);
        if (ok) {
            testament_new(m, &message, detached);
            writer_int(&q->w, (int64_t)testament_of(m->testaments.prev)->id);
        }
        msg_fini(&message);
    }
    buf_unref(bytes);
    return ok;
}

bool testament_flush(struct query *q)
{
    struct list *node, *tmp;
    bool detached;
    int64_t n = 0;

    if (!scope_of(q, &detached))
        return false;
    list_each (node, tmp, &q->caller->testaments) {
        if (testament_of(node)->detached != detached)
            continue;
        testament_free(q->caller, testament_of(node));
        n++;
    }
    writer_int(&q->w, n);
    return true;
}

/* ---- publishing -------------------------------------------------------------------- */

static void publish(struct member *m, const struct testament *t)
{
    struct opts o;
    struct fault f; /* none: the options were good when it was added */

    opts_decode(&o, &t->message, &f);
    broker_testify(m, &t->message, &o, t->id);
    opts_fini(&o);
}

static void publish_scope(struct member *m, bool detached)
{
    struct list *node, *tmp;

    list_each (node, tmp, &m->testaments)
        if (testament_of(node)->detached == detached)
            publish(m, testament_of(node));
}

void testaments_leave(struct member *m)
{
    if (!m->realm->muted) {
        publish_scope(m, true);
        publish_scope(m, false);
    }
    while (m->testament_count)
        testament_free(m, testament_of(m->testaments.next));
}
