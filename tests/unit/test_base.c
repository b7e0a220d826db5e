/* test_base.c - buf, map, list, heap. */
#include "base/buf.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "check.h"

#include <stdlib.h>

void test_base(void);

static void bufs(void)
{
    struct buf *b = buf_new(0), *copy;

    TEST("a buf grows as it is appended to and keeps its bytes");
    for (int i = 0; i < 1000; i++)
        buf_append(&b, "0123456789", 10);
    CHECK_INT(b->len, 10000);
    CHECK(slice_has_prefix(slice_buf(b), SLICE("01234567890123")));

    TEST("buf_own copies only what is shared");
    CHECK((copy = buf_own(b)) == b);
    buf_ref(b);
    copy = buf_own(b);
    CHECK(copy != b && slice_eq(slice_buf(copy), slice_buf(b)) && b->refs == 1);
    buf_unref(copy);

    TEST("slice_in tells a slice of the buf from others");
    CHECK(slice_in((struct slice){ b->data + 5, b->len - 5 }, b));
    CHECK(!slice_in(SLICE("x"), b));
    CHECK(!slice_in((struct slice){ b->data + 5, b->len }, b));
    buf_unref(b);
}

static void id_maps(void)
{
    struct map m = { 0 };
    uint64_t sum = 0, key = 0;
    size_t at = 0;
    static char base[5001]; /* as many addresses to map to */

    TEST("an id map finds, replaces and deletes through growth and churn");
    for (uint64_t i = 1; i <= 5000; i++)
        CHECK(!map_put(&m, i * 7, base + i));
    for (uint64_t i = 1; i <= 5000; i += 2)
        CHECK(map_del(&m, i * 7) == base + i);
    for (uint64_t i = 1; i <= 5000; i++)
        CHECK(map_get(&m, i * 7) == (i % 2 ? NULL : base + i));
    CHECK(map_put(&m, 14, base + 9) == base + 2);
    CHECK_INT(m.count, 2500);

    TEST("an id map is walked completely");
    while (map_next(&m, &at, &key, NULL))
        sum += key / 7;
    CHECK_INT(sum, 2500ull * 2501);
    map_fini(&m);
    CHECK(!map_get(&m, 14) && !map_del(&m, 14));
}

static void byte_maps(void)
{
    struct map m = { 0 };
    char key[32];
    static char base[3000];

    TEST("a byte map tells keys apart by all of their bytes, the empty key too");
    map_seed(1, 2);
    CHECK(!map_put_bytes(&m, SLICE(""), base + 1));
    for (int i = 2; i < 3000; i++) {
        int n = snprintf(key, sizeof key, "com.example.%d", i);

        CHECK(!map_put_bytes(&m, (struct slice){ key, (size_t)n }, base + i));
    }
    CHECK(map_get_bytes(&m, SLICE("com.example.77")) == base + 77);
    CHECK(!map_get_bytes(&m, SLICE("com.example.7\0007")));
    CHECK(map_del_bytes(&m, SLICE("")) == base + 1);
    CHECK(!map_get_bytes(&m, SLICE("")));
    CHECK(map_get_bytes(&m, SLICE("com.example.2999")) == base + 2999);
    map_fini(&m);
}

static void lists(void)
{
    struct list head, a, b, *node, *tmp;
    int seen = 0;

    TEST("a list may lose its nodes while it is walked");
    list_init(&head);
    list_push(&head, &a);
    list_push(&head, &b);
    list_each (node, tmp, &head) {
        list_remove(node);
        seen++;
    }
    CHECK_INT(seen, 2);
    CHECK(list_empty(&head) && !list_linked(&a) && !list_pop(&head));
}

static void heaps(void)
{
    struct timer t[500] = { 0 };
    struct heap h = { 0 };
    uint64_t last = 0;
    int due = 0;

    TEST("a heap gives timers back in order, moved and cleared ones rightly");
    srand(7);
    for (int i = 0; i < 500; i++)
        heap_set(&h, &t[i], (uint64_t)(rand() % 1000));
    for (int i = 0; i < 500; i += 3)
        heap_set(&h, &t[i], (uint64_t)(rand() % 1000));
    for (int i = 1; i < 500; i += 5)
        heap_clear(&h, &t[i]);
    heap_clear(&h, &t[1]);
    CHECK(!heap_due(&h, heap_deadline(&h) - 1) || heap_deadline(&h) == 0);
    for (struct timer *x; (x = heap_due(&h, 2000)); due++) {
        CHECK(x->when >= last);
        last = x->when;
    }
    CHECK_INT(due, 400);
    CHECK(heap_deadline(&h) == NEVER);
    heap_fini(&h);
}

void test_base(void)
{
    bufs();
    id_maps();
    byte_maps();
    lists();
    heaps();
}
