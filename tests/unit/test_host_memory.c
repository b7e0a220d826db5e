/* test_host_memory.c - a server whose peers together hold too many messages: who holds
 * most is cut off, and nobody else notices.
 *
 * The peers are in memory; one's link is paused, so that it holds what is sent to it. */
#include <stdlib.h>

#include "base/mem.h"
#include "check.h"
#include "host.h"

void test_host_memory(void);

#define MEBI (1024u * 1024)
#define ROLES "{\"roles\":{\"publisher\":{},\"subscriber\":{}}}"

struct member {
    struct conn *conn;
    unsigned events;
    int code; /* of the close; 0: none yet */
};

struct scene {
    struct host *host;
    struct server *server;
    struct member publisher, reader, sleeper;
};

static void opened(struct conn *c, struct slice subprotocol)
{
    (void)c;
    (void)subprotocol;
}

static void message(struct conn *c, struct buf *m)
{
    struct member *member = c->user;

    member->events += !strncmp(m->data, "[36,", 4);
}

static void closed(struct conn *c, const struct conn_end *end)
{
    struct member *member = c->user;

    member->conn = NULL;
    member->code = end->code;
}

static const struct conn_handler handler = { opened, message, closed, NULL };

static void turn(struct scene *s)
{
    for (int i = 0; i < 3; i++)
        host_turn(s->host, 0);
}

static void say(struct scene *s, struct member *m, const char *text)
{
    conn_send(m->conn, buf_from(text, strlen(text)));
    turn(s);
}

static void join(struct scene *s, struct member *m)
{
    *m = (struct member){ 0 };
    m->conn = server_link(s->server, SLICE("wamp.2.json"), &handler, m);
    say(s, m, "[1,\"realm1\"," ROLES "]");
    say(s, m, "[32,1,{},\"com.news\"]");
}

static void start(struct scene *s, size_t max_memory)
{
    static struct realm_config realm = { .name = (char *)"realm1" };
    const struct router_config config = { .realms = &realm,
                                          .count = 1,
                                          .max_memory = max_memory };

    s->host = host_new(LOOP_POLL);
    s->server = server_new(s->host, &config);
    join(s, &s->publisher);
    join(s, &s->reader);
    join(s, &s->sleeper);
}

static void end(struct scene *s)
{
    server_free(s->server);
    host_free(s->host);
}

/* Events of a MiB each. */
static void publish(struct scene *s, unsigned times)
{
    char *text = xmalloc(MEBI + 1);

    memset(text, 'x', MEBI);
    memcpy(text, "[16,2,{},\"com.news\",[\"", 22);
    memcpy(text + MEBI - 3, "\"]]", 4);
    while (times--)
        say(s, &s->publisher, text);
    free(text);
}

static void cuts_off_the_greediest(void)
{
    size_t before = buf_held();
    struct scene s;

    start(&s, 4 * MEBI);
    link_pause(s.sleeper.conn, true);
    publish(&s, 20);
    CHECK_INT(s.reader.events, 20);
    CHECK(buf_held() - before < 6 * MEBI);
    link_heal(s.sleeper.conn);
    turn(&s);
    CHECK_INT(s.sleeper.code, 1008);
    CHECK(!s.reader.code && !s.publisher.code);
    CHECK_INT(server_stats(s.server).sessions, 2);
    end(&s);
    CHECK_INT(buf_held(), before);
}

static void shared_messages_count_once(void)
{
    struct scene s;

    start(&s, 8 * MEBI);
    link_pause(s.sleeper.conn, true);
    link_pause(s.reader.conn, true);
    publish(&s, 6); /* twelve in queues, six in memory */
    link_heal(s.sleeper.conn);
    link_heal(s.reader.conn);
    turn(&s);
    CHECK_INT(s.sleeper.events, 6);
    CHECK_INT(s.reader.events, 6);
    CHECK_INT(server_stats(s.server).sessions, 3);
    end(&s);
}

void test_host_memory(void)
{
    TEST("past the limit of all messages who holds most is cut off, and nobody else");
    cuts_off_the_greediest();

    TEST("what many wait for is in the memory once");
    shared_messages_count_once();
}
