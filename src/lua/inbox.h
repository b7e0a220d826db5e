/* inbox.h - parts of a stream that have come, and wait for the task that reads them: of a
 * call's result (l_stream.c), or of its arguments (l_job.c).
 *
 * WAMP has no flow control, so there is a limit. It does not hold for a reader who was
 * woken and has not had his turn yet: whoever goes on as soon as he can has not fallen
 * behind, however much came at once. */
#ifndef LUA_INBOX_H
#define LUA_INBOX_H

#include <lua.h>

#include "lua/task.h"
#include "wamp/msg.h"

/* The payload of one message. */
struct part {
    const struct wire *wire;
    struct slice args, kwargs; /* into `bytes` */
    struct buf *bytes;         /* one reference */
};

struct inbox {
    struct part *at; /* owned ring of `cap`, a power of two, or 0 */
    size_t first, count, cap;
    size_t limit;
    struct list readers; /* tasks that wait for a part */
    bool called;         /* a reader was woken, or made, and has not run yet */
    bool overflowed;     /* more came than it holds: nothing is taken any more */
};

void inbox_init(struct inbox *in, size_t limit);
void inbox_fini(struct inbox *in); /* wakes the readers, who must not look at it again */

/* Takes the payload of `m`, and wakes the reader. False when it overflows just now: all
 * is dropped, now and later. */
bool inbox_put(struct inbox *in, const struct msg *m);

const struct part *inbox_first(const struct inbox *in); /* NULL: none. Good until drop */
void inbox_drop(struct inbox *in);                      /* the first one */
void inbox_clear(struct inbox *in);
void inbox_wake(struct inbox *in); /* something else happened that a reader waits for */

/* Waits for the next put or wake, then goes on in `k`, where inbox_ran comes first. */
int inbox_wait(lua_State *L, struct inbox *in, lua_KContext ctx, lua_KFunction k);
void inbox_ran(struct inbox *in);

#endif
