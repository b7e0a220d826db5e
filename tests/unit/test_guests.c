/* test_guests.c - connections are counted by address, and by listener. See
 * net/guests.h. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "check.h"
#include "net/guests.h"

void test_guests(void);

static struct sockaddr_storage address(const char *text)
{
    struct sockaddr_storage a = { 0 };
    struct sockaddr_in *v4 = (struct sockaddr_in *)&a;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a;

    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
        a.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
        a.ss_family = AF_INET6;
    else
        a.ss_family = AF_UNIX;
    return a;
}

static struct guest *enter(struct guests *all, const char *text, unsigned most)
{
    struct sockaddr_storage a = address(text);

    return guest_enter(all, &a, most);
}

/* Whether `other` counts as `one` does. */
static bool alike(const char *one, const char *other)
{
    struct guests all = { 0 };
    struct guest *a = enter(&all, one, 1), *b = enter(&all, other, 1);
    bool refused = !b;

    CHECK(a);
    guest_leave(a);
    guest_leave(b);
    CHECK_INT(all.count, 0);
    CHECK_INT(all.addresses.count, 0);
    guests_fini(&all);
    return refused;
}

static void counts(void)
{
    struct guests all = { 0 };
    struct guest *a = enter(&all, "10.0.0.1", 2), *b = enter(&all, "10.0.0.1", 2), *c;

    CHECK(a && b && !enter(&all, "10.0.0.1", 2));
    c = enter(&all, "10.0.0.2", 2);
    CHECK(c);
    CHECK_INT(all.count, 3);
    guest_leave(b);
    b = enter(&all, "10.0.0.1", 2);
    CHECK(b);
    guest_leave(a);
    guest_leave(b);
    guest_leave(c);
    guest_leave(NULL);
    CHECK_INT(all.count, 0);
    guests_fini(&all);
}

static void counts_of_a_listener(void)
{
    struct crowd *c = crowd_new(), *a, *b;
    bool told = true;

    a = crowd_enter(c);
    b = crowd_enter(c);
    CHECK(!crowd_full(c, 3, &told) && !crowd_full(c, 0, &told));
    CHECK(crowd_full(c, 2, &told) && !told);
    CHECK(crowd_full(c, 2, &told) && told);
    crowd_leave(a);
    CHECK(!crowd_full(c, 2, &told));
    a = crowd_enter(c);
    CHECK(crowd_full(c, 2, &told) && !told);
    crowd_free(c); /* its connections outlive it */
    crowd_leave(b);
    crowd_leave(a);
    crowd_leave(NULL);
}

void test_guests(void)
{
    TEST("an address has so many connections, and may have others when some have ended");
    counts();

    TEST("a listener has so many connections, and says once that it is full");
    counts_of_a_listener();

    TEST("who can choose his address counts by what he cannot choose");
    CHECK(alike("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"));
    CHECK(!alike("2001:db8:1:2::1", "2001:db8:1:3::1"));
    CHECK(alike("10.0.0.1", "::ffff:10.0.0.1"));
    CHECK(!alike("::ffff:10.0.0.1", "::ffff:10.0.0.2"));

    TEST("a unix socket may have any number of connections");
    CHECK(!alike("", ""));
}
