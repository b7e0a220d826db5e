/* inbox.c - parts of a stream that wait for their reader. See inbox.h. */
#include "lua/inbox.h"

#include <stdlib.h>

#include "base/mem.h"
#include "lua/state.h"

void inbox_init(struct inbox *in, size_t limit)
{
    *in = (struct inbox){ .limit = limit };
    list_init(&in->readers);
}

void inbox_fini(struct inbox *in)
{
    inbox_clear(in);
    inbox_wake(in);
    free(in->at);
    in->at = NULL;
    in->cap = 0;
}

static void grow(struct inbox *in)
{
    size_t cap = in->cap ? in->cap * 2 : 8;
    struct part *at = xmalloc(cap * sizeof *at);

    for (size_t i = 0; i < in->count; i++)
        at[i] = in->at[(in->first + i) & (in->cap - 1)];
    free(in->at);
    in->at = at;
    in->first = 0;
    in->cap = cap;
}

bool inbox_put(struct inbox *in, const struct msg *m)
{
    if (in->overflowed)
        return true;
    if (in->count >= in->limit && !in->called) {
        in->overflowed = true;
        inbox_clear(in);
        inbox_wake(in);
        return false;
    }
    if (in->count == in->cap)
        grow(in);
    in->at[(in->first + in->count++) & (in->cap - 1)] =
        (struct part){ m->wire, m->args, m->kwargs, buf_ref(m->bytes) };
    inbox_wake(in);
    return true;
}

const struct part *inbox_first(const struct inbox *in)
{
    return in->count ? &in->at[in->first] : NULL;
}

void inbox_drop(struct inbox *in)
{
    struct buf *bytes = in->at[in->first].bytes;

    in->first = (in->first + 1) & (in->cap - 1);
    in->count--;
    buf_unref(bytes);
}

void inbox_clear(struct inbox *in)
{
    while (in->count)
        inbox_drop(in);
}

void inbox_wake(struct inbox *in)
{
    struct list *node;

    while ((node = list_pop(&in->readers))) {
        in->called = true;
        task_wake(list_entry(node, struct task, wait_link));
    }
}

int inbox_wait(lua_State *L, struct inbox *in, lua_KContext ctx, lua_KFunction k)
{
    struct state *S = state_of(L);

    if (wait_mode(S, L) != WAIT_NEVER)
        list_push(&in->readers, &task_self(S)->wait_link);
    return task_wait(L, S, NEVER, ctx, k);
}

void inbox_ran(struct inbox *in)
{
    in->called = false;
}
