/* test_host.c - several hosts in one process, and what a turn waits for. */
#include <sys/socket.h>
#include <unistd.h>

#include "base/map.h"
#include "check.h"
#include "host.h"
#include "raw.h"

void test_host(void);

static void leaves_maps_alone(void)
{
    struct host *first = host_new(LOOP_POLL), *second;
    struct map map = { 0 };
    char names[64][16];

    for (int i = 0; i < 64; i++) {
        snprintf(names[i], sizeof names[i], "com.%d", i);
        map_put_bytes(&map, slice_of(names[i]), names[i]);
    }
    second = host_new(LOOP_POLL);
    for (int i = 0; i < 64; i++)
        CHECK(map_get_bytes(&map, slice_of(names[i])) == names[i]);
    map_fini(&map);
    host_free(second);
    host_free(first);
}

/* ---- turns ------------------------------------------------------------------------- */

#define MAX_QUEUE 1000 /* bytes, of the client here */

/* A client that has joined a hand-made router, which says no more than it must. */
struct scene {
    struct host *host;
    struct client *client;
    struct raw router;
    struct host_timer late; /* fires when a turn has waited for nothing */
    int listener, joined, left, rooms, lates;
};

static struct scene scene;

static void on_event(void *user, struct event *e)
{
    (void)user;
    scene.joined += e->kind == EVENT_JOINED;
    scene.left += e->kind == EVENT_LEFT;
}

static void on_tap(void *user, struct buf *message, unsigned way)
{
    (void)user;
    (void)way;
    buf_unref(message);
}

static void on_room(void *user)
{
    (void)user;
    scene.rooms++;
}

static bool on_run(void *user)
{
    (void)user;
    return false;
}

static void on_late(struct host_timer *t)
{
    (void)t;
    scene.lates++;
}

static void connect_to(int port)
{
    const struct client_config config = { .session = { .realm = "realm1" },
                                          .wire = &wire_json,
                                          .net = { .max_queue = MAX_QUEUE } };
    char text[60], error[200];
    struct url url;

    snprintf(text, sizeof text, "ws://127.0.0.1:%d/", port);
    CHECK(url_parse(&url, text, error, sizeof error));
    scene.client = client_connect(scene.host, &url, &config, NULL);
}

static void join(void)
{
    static const struct host_hooks hooks = { on_event, on_tap, on_room, on_run, NULL };
    static const char welcome[] = "[2,1,{\"roles\":{\"broker\":{}}}]";
    char hello[1000];
    int port, tries = 1000;

    memset(&scene, 0, sizeof scene);
    scene.late.fire = on_late;
    scene.host = host_new(LOOP_POLL);
    host_set_hooks(scene.host, &hooks);
    scene.listener = raw_listen(&port);
    connect_to(port);
    raw_accept(&scene.router, host_loop(scene.host), scene.listener);
    CHECK(raw_answer(&scene.router, "wamp.2.json"));
    while (recv(scene.router.fd, hello, sizeof hello, MSG_DONTWAIT) <= 0 && tries--)
        host_turn(scene.host, 10);
    raw_frame(&scene.router, 0x81, welcome, strlen(welcome), false);
    while (!scene.joined && tries--)
        host_turn(scene.host, 10);
    CHECK_INT(scene.joined, 1);
}

/* Queues more than the queue's limit, without anything being written. */
static void publish(void)
{
    static char args[2 * MAX_QUEUE];
    const struct request q = { .uri = SLICE("com.topic"), .args = { args, sizeof args } };

    memset(args, ' ', sizeof args);
    args[0] = '[';
    args[sizeof args - 1] = ']';
    session_publish(client_session(scene.client), &q, host_now(scene.host));
    client_touch(scene.client);
    host_turn(scene.host, 0);
    CHECK(client_full(scene.client));
    client_await_room(scene.client, MAX_QUEUE / 2);
    scene.rooms = 0;
    host_timer_set(scene.host, &scene.late, host_clock(scene.host) + 20000);
}

static void leave(void)
{
    host_timer_clear(scene.host, &scene.late);
    client_free(scene.client);
    raw_close(&scene.router);
    close(scene.listener);
    for (int i = 0; i < 10; i++)
        host_turn(scene.host, 10);
    host_free(scene.host);
}

static void hears_of_room(void)
{
    join();
    publish();
    host_turn(scene.host, -1);
    CHECK(scene.rooms > 0 && !client_full(scene.client));
    CHECK_INT(scene.lates, 0);
    leave();
}

static void hears_of_the_end(void)
{
    struct linger reset = { .l_onoff = 1 };

    join();
    publish();
    setsockopt(scene.router.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    raw_close(&scene.router);
    host_turn(scene.host, -1);
    CHECK_INT(scene.left, 1);
    CHECK_INT(scene.lates, 0);
    leave();
}

void test_host(void)
{
    TEST("a second host leaves the tables of the first as they are");
    leaves_maps_alone();
    TEST("a turn that empties a queue tells so, and does not wait before");
    hears_of_room();
    TEST("a turn that finds a link lost while it writes tells so, and does not wait "
         "before");
    hears_of_the_end();
}
