/* test_link.c - what two ends joined in memory see: the order of events, the same
 * bytes, one end for each. */
#include <stdlib.h>

#include "base/heap.h"
#include "check.h"
#include "net/link.h"
#include "wamp/limits.h"

void test_link(void);

/* One log for both ends: "a+" opened, "a:text" message, "a-code" closed, "a~" drained. */
static char seen[200];
static struct conn_end ends[2];

static void note(struct conn *c, const char *text)
{
    snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s%s%s", *seen ? " " : "",
             (const char *)c->user, text);
}

static void opened(struct conn *c, struct slice subprotocol)
{
    CHECK(slice_is(subprotocol, "wamp.2.json"));
    note(c, "+");
}

static void message(struct conn *c, struct buf *m)
{
    char text[40];

    snprintf(text, sizeof text, ":%.*s", (int)(m->len < 20 ? m->len : 20), m->data);
    note(c, text);
}

static void closed(struct conn *c, const struct conn_end *end)
{
    char text[20];

    snprintf(text, sizeof text, "-%d", end->code);
    note(c, text);
    ends[*(const char *)c->user - 'a'] = *end;
}

static void drained(struct conn *c)
{
    note(c, "~");
}

static const struct conn_handler handler = { opened, message, closed, drained };
static struct conn *a, *b;

static struct links *pair(void)
{
    struct links *ls = links_new();

    seen[0] = '\0';
    memset(ends, 0, sizeof ends);
    link_pair(ls, SLICE("wamp.2.json"), &handler, "a", &handler, "b", &a, &b);
    return ls;
}

static void say(struct conn *c, const char *text)
{
    conn_send(c, buf_from(text, strlen(text)));
}

static void carries_messages_in_order(void)
{
    struct links *ls = pair();

    CHECK(!links_idle(ls));
    CHECK_STR(seen, "");
    CHECK(links_pump(ls));
    CHECK_STR(seen, "a+ b+");
    CHECK(links_idle(ls) && !links_pump(ls));
    say(a, "1");
    say(b, "2");
    say(a, "3");
    CHECK_STR(seen, "a+ b+"); /* nothing is delivered from inside conn_send */
    CHECK_INT(a->queued, 2);
    links_pump(ls);
    CHECK_STR(seen, "a+ b+ b:1 a:2 b:3");
    CHECK_INT(a->queued, 0);
    links_free(ls);
    CHECK(strstr(seen, "a-") && strstr(seen, "b-"));
}

static void hands_on_the_same_bytes(void)
{
    struct links *ls = pair();
    struct buf *m = buf_from("x", 1);

    conn_send(a, buf_ref(m));
    conn_send(b, buf_ref(m));
    CHECK_INT(m->refs, 3);
    links_pump(ls);
    CHECK_INT(m->refs, 1);
    buf_unref(m);
    links_free(ls);
}

static void closes_behind_the_last_message(void)
{
    struct links *ls = pair();

    say(a, "1");
    say(b, "late");
    conn_close(a, 1000, "bye");
    conn_close(a, 1001, "again");
    say(a, "never");
    links_pump(ls);
    CHECK_STR(seen, "b+ b:1 b-1000 a-1000");
    CHECK_INT(ends[0].error, CONN_OK);
    CHECK_INT(ends[1].error, CONN_CLOSED);
    CHECK(strstr(ends[1].text, "1000 bye") != NULL);
    CHECK(links_idle(ls));
    links_free(ls);
}

static void closes_from_both_sides(void)
{
    struct links *ls = pair();

    links_pump(ls);
    conn_close(b, 1000, NULL);
    conn_close(a, 1001, NULL);
    links_pump(ls);
    CHECK_STR(seen, "a+ b+ a-1000 b-1001");
    CHECK_INT(ends[0].error, CONN_OK);
    CHECK_INT(ends[1].error, CONN_OK);
    links_free(ls);
}

static void tolerates_sends_to_who_is_gone(void)
{
    struct links *ls = pair();

    links_pump(ls);
    conn_close(a, 1000, NULL);
    say(b, "1");
    say(b, "2");
    links_pump(ls);
    CHECK_STR(seen, "a+ b+ b-1000 a-1000");
    links_free(ls);
}

static void breaks_like_a_cut_cable(void)
{
    struct links *ls = pair();

    links_pump(ls);
    say(a, "lost");
    link_break(b);
    say(a, "lost too");
    conn_close(b, 1000, NULL);
    CHECK_STR(seen, "a+ b+");
    links_pump(ls);
    CHECK_INT(ends[0].error, CONN_LOST);
    CHECK_INT(ends[1].error, CONN_OK);
    CHECK(links_idle(ls));
    CHECK(!strchr(seen, ':'));
    links_free(ls);
}

static void ends_what_is_open_when_freed(void)
{
    struct links *ls = pair();

    say(a, "1");
    links_free(ls);
    CHECK_STR(seen, "b-1001 a-1001");
}

static void tells_when_a_full_queue_has_drained(void)
{
    struct links *ls = pair();
    struct buf *big = buf_new(LIMIT_MESSAGE_SIZE);

    big->len = LIMIT_MESSAGE_SIZE;
    memset(big->data, '.', big->len);
    links_pump(ls);
    conn_send(a, buf_ref(big));
    links_pump(ls);
    CHECK(!strchr(seen, '~'));
    for (int i = 0; i < 4; i++)
        conn_send(a, buf_ref(big));
    CHECK_INT(a->queued, 4 * (size_t)LIMIT_MESSAGE_SIZE);
    links_pump(ls);
    CHECK(strstr(seen, "~") && strstr(seen, "~") == strrchr(seen, '~'));
    CHECK_INT(a->queued, 0);
    buf_unref(big);
    links_free(ls);
}

/* ---- faults ------------------------------------------------------------------------ */

static void at(struct links *ls, uint64_t now)
{
    links_tick(ls, now);
    links_pump(ls);
}

static struct links *opened_pair(void)
{
    struct links *ls = pair();

    links_pump(ls);
    seen[0] = '\0';
    return ls;
}

static void holds_everything_while_paused(void)
{
    struct links *ls = opened_pair();

    say(a, "1");
    link_pause(a, true);
    say(a, "2");
    say(b, "3");
    at(ls, 500);
    CHECK_STR(seen, "");
    CHECK_INT(a->queued, 2);
    link_pause(b, false);
    at(ls, 501);
    CHECK_STR(seen, "b:1 b:2 a:3");
    links_free(ls);
}

static void delays_in_order(void)
{
    struct links *ls = opened_pair();

    link_delay(a, 100);
    say(a, "1");
    at(ls, 50);
    link_delay(a, 10);
    say(a, "2"); /* is due earlier, and waits behind the first */
    CHECK_INT(links_deadline(ls), 100);
    at(ls, 99);
    CHECK_STR(seen, "");
    at(ls, 100);
    CHECK_STR(seen, "b:1 b:2");
    links_free(ls);
}

static void breaks_inside_a_message(void)
{
    struct links *ls = opened_pair();

    link_cut_after(b, 5);
    say(a, "123");
    say(a, "4567");
    say(a, "never");
    say(b, "lost");
    links_pump(ls);
    CHECK(strstr(seen, "b:123") && !strstr(seen, ":4567"));
    CHECK_INT(ends[1].error, CONN_TRUNCATED);
    CHECK_INT(ends[1].code, 2);
    CHECK_INT(ends[0].error, CONN_LOST);
    CHECK(links_idle(ls));
    links_free(ls);
}

static void breaks_between_two_messages(void)
{
    struct links *ls = opened_pair();

    link_cut_after(b, 3);
    say(a, "123");
    say(a, "4");
    links_pump(ls);
    CHECK_STR(seen, "b:123 b-0 a-0");
    CHECK_INT(ends[1].error, CONN_LOST);
    links_free(ls);
}

static void finds_a_dead_link_by_pings(void)
{
    struct links *ls = opened_pair();

    link_pings(a, 100, 50);
    CHECK_INT(links_deadline(ls), NEVER); /* a good link needs none */
    at(ls, 1000);
    link_pause(b, true);
    at(ls, 1100);
    at(ls, 1149);
    CHECK_STR(seen, "");
    at(ls, 1150);
    CHECK_STR(seen, "a-0");
    CHECK_INT(ends[0].error, CONN_TIMEOUT);
    say(b, "to nobody");
    link_pause(b, false);
    at(ls, 1151);
    CHECK_STR(seen, "a-0 b-0");
    CHECK_INT(ends[1].error, CONN_LOST);
    links_free(ls);
}

static void keeps_a_slow_link_whose_pings_are_answered(void)
{
    struct links *ls = opened_pair();

    link_pings(a, 100, 50);
    link_delay(a, 20);
    for (uint64_t now = 0; now < 1000; now += 10)
        at(ls, now);
    CHECK_STR(seen, "");
    link_delay(a, 0);
    at(ls, 2000);
    at(ls, 3000);
    CHECK_STR(seen, "");
    CHECK_INT(links_deadline(ls), NEVER);
    links_free(ls);
}

static void closes_on_a_dead_link_in_time(void)
{
    struct links *ls = opened_pair();

    link_pause(a, true);
    conn_close(a, 1000, NULL);
    at(ls, 999);
    CHECK_STR(seen, "");
    at(ls, 1000);
    CHECK_STR(seen, "a-0");
    CHECK_INT(ends[0].error, CONN_OK);
    links_free(ls); /* the other end hears of it now */
    CHECK(strstr(seen, "b-") != NULL);
}

void test_link(void)
{
    TEST("a link carries messages in order, only when pumped");
    carries_messages_in_order();
    TEST("a link hands on the same buf");
    hands_on_the_same_bytes();
    TEST("a link closes behind the last message, once for each end");
    closes_behind_the_last_message();
    TEST("a link closes from both sides at once");
    closes_from_both_sides();
    TEST("a link tolerates sends to an end that is gone");
    tolerates_sends_to_who_is_gone();
    TEST("a link breaks like a cut cable");
    breaks_like_a_cut_cable();
    TEST("links end what is open when they are freed");
    ends_what_is_open_when_freed();
    TEST("a link tells when a full queue has drained");
    tells_when_a_full_queue_has_drained();
    TEST("a link that is paused holds everything, and lets it go in order");
    holds_everything_while_paused();
    TEST("a link that is slow keeps the order");
    delays_in_order();
    TEST("a link that is cut breaks inside a message");
    breaks_inside_a_message();
    TEST("a link that is cut between two messages is lost");
    breaks_between_two_messages();
    TEST("a link that stands still is found by pings");
    finds_a_dead_link_by_pings();
    TEST("a link that is slow is kept while pings are answered");
    keeps_a_slow_link_whose_pings_are_answered();
    TEST("a link that stands still can be closed");
    closes_on_a_dead_link_in_time();
}
