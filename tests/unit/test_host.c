/* test_host.c - several hosts in one process. */
#include "base/map.h"
#include "check.h"
#include "host.h"

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

void test_host(void)
{
    TEST("a second host leaves the tables of the first as they are");
    leaves_maps_alone();
}
