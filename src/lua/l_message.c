/* l_message.c - whole messages from Lua: sent by hand, and the answers to those.
 *
 * What comes for messages sent by hand waits as letters, bounded, until recv_message
 * asks. How a message looks in Lua is message.c. */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "lua/errors.h"
#include "lua/l_client.h"
#include "lua/message.h"

struct letter {
    struct list link;  /* in lc->unread */
    struct buf *bytes; /* owned: one reference on the whole message */
};

/* ---- letters ----------------------------------------------------------------------- */

static void wake_readers(struct l_client *lc)
{
    struct list *node;

    while ((node = list_pop(&lc->readers)))
        task_wake(list_entry(node, struct task, wait_link));
}

static bool is_full(const struct l_client *lc)
{
    return lc->unread_count >= LIMIT_UNREAD || lc->unread_bytes >= LIMIT_MESSAGE_SIZE;
}

/* A caller must not wait for an answer that nobody will give. */
static void refuse_invocation(struct l_client *lc, const struct event *e)
{
    if (e->kind != EVENT_INVOCATION)
        return;
    session_fail(client_session(lc->c), e->m.request, SLICE("wamp.error.unavailable"),
                 &(struct answer){ 0 });
    client_touch(lc->c);
}

void unread_put(struct l_client *lc, struct event *e)
{
    struct letter *letter;

    if (!e->m.row) /* lost with the session, which has its own way to be told */
        return;
    if (is_full(lc)) {
        log_warn("%zu messages wait for recv_message: %s is dropped [W905]",
                 lc->unread_count, e->m.row->name);
        refuse_invocation(lc, e);
        return;
    }
    letter = xcalloc(1, sizeof *letter);
    letter->bytes = buf_ref(e->m.bytes);
    lc->unread_count++;
    lc->unread_bytes += letter->bytes->len;
    list_push(&lc->unread, &letter->link);
    wake_readers(lc);
}

/* The oldest letter's bytes; the reference passes. NULL when there is none. */
static struct buf *unread_take(struct l_client *lc)
{
    struct list *node = list_pop(&lc->unread);
    struct letter *letter;
    struct buf *bytes;

    if (!node)
        return NULL;
    letter = list_entry(node, struct letter, link);
    bytes = letter->bytes;
    lc->unread_count--;
    lc->unread_bytes -= bytes->len;
    free(letter);
    return bytes;
}

void unread_drop(struct l_client *lc)
{
    struct buf *bytes;

    while ((bytes = unread_take(lc)))
        buf_unref(bytes);
    wake_readers(lc);
}

/* ---- bindings ---------------------------------------------------------------------- */

/* An answer to an INVOCATION takes it out of the message handler's hands. */
static void take_over(struct l_client *lc, struct buf *bytes)
{
    struct msg m;
    struct fault f;

    if (!msg_decode(&m, lc->wire, bytes, &f))
        return;
    if (m.row->code == MSG_YIELD ||
        (m.row->code == MSG_ERROR && m.type == MSG_INVOCATION))
        tap_answer(lc, m.request);
    msg_fini(&m);
}

/* client:send(message) -> its request id, if it has one. A request without one gets the
 * next. */
static int l_send(lua_State *L)
{
    struct l_client *lc = check_joined(L, 1);
    uint64_t request = session_next_request(client_session(lc->c));
    struct buf *bytes = check_message(L, lc, 2, &request);
    int64_t result;

    take_over(lc, bytes);
    result = session_hand(client_session(lc->c), bytes, host_now(lc->S->host));
    buf_unref(bytes);
    client_touch(lc->c);
    if (result < 0)
        return raise_error(L, result == SESSION_BUSY ? "QueueFull" : "WampyError", "%s",
                           session_last_error(client_session(lc->c)));
    lua_pushinteger(L, (lua_Integer)request);
    return 1;
}

static int receive(lua_State *L);

static int receive_k(lua_State *L, int status, lua_KContext ctx)
{
    struct state *S = state_of(L);

    (void)status;
    (void)ctx;
    list_remove(&task_self(S)->wait_link);
    task_check(L, S);
    return receive(L);
}

/* (client, deadline in ms): the next letter; waits for one until then. */
static int receive(lua_State *L)
{
    struct l_client *lc = check_client(L, 1);
    uint64_t deadline = (uint64_t)lua_tointeger(L, 2);
    struct buf *bytes = unread_take(lc);

    if (bytes) {
        lua_pushlstring(L, bytes->data, bytes->len); /* anchored while it is read */
        buf_unref(bytes);
        push_message(L, lc->wire, check_slice(L, -1));
        return 1;
    }
    if (!lc->c || session_state(client_session(lc->c)) != SESSION_JOINED)
        return raise_error(L, "ConnectionError", "recv_message: the session has ended");
    if (host_now(lc->S->host) >= deadline) {
        lua_pushnil(L);
        lua_pushliteral(L, "timeout");
        return 2;
    }
    if (wait_mode(lc->S, L) != WAIT_NEVER)
        list_push(&lc->readers, &task_self(lc->S)->wait_link);
    return task_wait(L, lc->S, deadline, 0, receive_k);
}

/* client:receive(seconds) -> message that came for one sent by hand | nil, "timeout" */
static int l_receive(lua_State *L)
{
    struct l_client *lc = check_client(L, 1);
    double seconds = luaL_checknumber(L, 2);
    uint64_t deadline = (uint64_t)INT64_MAX;

    luaL_argcheck(L, seconds >= 0, 2, "expected seconds (a number >= 0)");
    if (seconds < 1e9)
        deadline = host_now(lc->S->host) + to_ms(seconds);
    lua_settop(L, 1);
    lua_pushinteger(L, (lua_Integer)deadline);
    return receive(L);
}

const luaL_Reg client_messages[] = { { "send", l_send },
                                     { "receive", l_receive },
                                     { NULL, NULL } };
