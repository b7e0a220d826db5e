/* test_host_room.c - a client that waits for room in its queue, over a socket between two
 * hosts: what its own loop writes before it waits is room, too. */
#include <stddef.h>

#include "check.h"
#include "host.h"

void test_host_room(void);

struct scene {
    struct host *near, *far; /* of the client; of the server */
    struct server *server;
    struct client *client;
    struct host_timer limit;
    bool joined, room, late;
};

static void on_event(void *user, struct event *e)
{
    ((struct scene *)user)->joined |= e->kind == EVENT_JOINED;
}

static void on_room(void *user)
{
    ((struct scene *)user)->room = true;
}

static void on_late(struct host_timer *t)
{
    struct scene *s = (struct scene *)(void *)((char *)t - offsetof(struct scene, limit));

    s->late = true;
}

static void on_tap(void *user, struct buf *message, unsigned way)
{
    (void)user, (void)way;
    buf_unref(message);
}

static bool on_run(void *user)
{
    (void)user;
    return false;
}

static void start(struct scene *s)
{
    static struct realm_config realm = { .name = (char *)"realm1" };
    const struct router_config router = { .realms = &realm, .count = 1 };
    const struct client_config config = { .session = { .realm = "realm1" },
                                          .wire = &wire_json };
    const struct host_hooks hooks = { on_event, on_tap, on_room, on_run, s };
    const struct net_options net = { 0 };
    char error[300], text[100];
    struct conn_end how;
    struct listener *listener;
    struct url url;

    *s = (struct scene){ .near = host_new(LOOP_AUTO), .far = host_new(LOOP_AUTO) };
    s->limit.fire = on_late;
    host_set_hooks(s->near, &hooks);
    host_set_hooks(s->far, &hooks);
    s->server = server_new(s->far, &router);
    CHECK(url_parse_listen(&url, "127.0.0.1:0", error, sizeof error));
    listener = server_listen(s->server, &url, &net, &how);
    CHECK(listener);
    snprintf(text, sizeof text, "ws://127.0.0.1:%d", listener_port(listener));
    CHECK(url_parse(&url, text, error, sizeof error));
    s->client = client_connect(s->near, &url, &config, s);
    for (int i = 0; i < 20000 && !s->joined; i++) {
        host_turn(s->near, 1);
        host_turn(s->far, 1);
    }
    CHECK(s->joined);
}

static void end(struct scene *s)
{
    host_timer_clear(s->near, &s->limit);
    client_free(s->client);
    server_free(s->server);
    host_free(s->near);
    host_free(s->far);
}

static void publish(struct scene *s, unsigned times)
{
    const struct request q = { .uri = SLICE("com.a"), .args = SLICE("[\"some text\"]") };

    while (times--)
        CHECK_INT(session_publish(client_session(s->client), &q, host_now(s->near)), 0);
    client_touch(s->client);
}

static void tells_of_room_that_its_own_loop_makes(void)
{
    struct scene s;

    start(&s);
    publish(&s, 1000);
    client_await_room(s.client, 1000);
    CHECK(client_queued(s.client) > 1000);
    host_timer_set(s.near, &s.limit, host_now(s.near) + 20000);
    while (!s.room && !s.late)
        host_turn(s.near, -1);
    CHECK(s.room && !s.late);
    CHECK(client_queued(s.client) <= 1000);
    end(&s);
}

static void tells_once_and_whoever_looks_again_waits_again(void)
{
    struct scene s;

    start(&s);
    client_await_room(s.client, 1);
    host_turn(s.near, 0);
    CHECK(s.room);
    s.room = false;
    publish(&s, 10);
    host_turn(s.near, 0);
    host_turn(s.near, 0);
    CHECK(!s.room);
    end(&s);
}

void test_host_room(void)
{
    TEST("a client hears of the room that its own loop makes before it waits");
    tells_of_room_that_its_own_loop_makes();
    TEST("a client hears of room once for each time that it asks");
    tells_once_and_whoever_looks_again_waits_again();
}
