/* test_ids.c - WAMP ids: their range, drawing them at random and counting them up. */
#include "check.h"
#include "wamp/ids.h"

void test_ids(void);

/* A random source that says what it was told, then the last of it again and again. */
struct script {
    const uint64_t *draws;
    size_t count, used;
};

static uint64_t next(void *ctx)
{
    struct script *s = ctx;

    return s->draws[s->used++ < s->count ? s->used - 1 : s->count - 1];
}

static uint64_t draw(const uint64_t *draws, size_t count, size_t *used)
{
    struct script s = { draws, count, 0 };
    struct rng rng = { next, &s };
    uint64_t id = id_random(&rng);

    *used = s.used;
    return id;
}

#define BITS(id) ((uint64_t)(id) << 10) /* what a source says for this id */

static void random_ids(void)
{
    static const uint64_t least[] = { BITS(1) }, most[] = { BITS(ID_MAX) };
    static const uint64_t outside[] = { 0, BITS(ID_MAX + 1), UINT64_MAX, 1023, BITS(7) };
    static const uint64_t low[] = { BITS(5) | 1023 };
    size_t used;

    TEST("a random id is anything from 1 to 2^53");
    CHECK_INT(draw(least, 1, &used), 1);
    CHECK_INT(used, 1);
    CHECK_INT(draw(most, 1, &used), 9007199254740992);
    CHECK_INT(draw(low, 1, &used), 5);

    TEST("what falls outside is drawn again");
    CHECK_INT(draw(outside, 5, &used), 7);
    CHECK_INT(used, 5);
}

/* A counter run through a mixer is random enough to see a bias of some per cent. */
static uint64_t mixed(void *ctx)
{
    uint64_t x = *(uint64_t *)ctx += 0x9E3779B97F4A7C15ULL;

    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31);
}

static void spread(void)
{
    uint64_t state = 1;
    struct rng rng = { mixed, &state };
    int parts[8] = { 0 };

    TEST("random ids spread over the whole range");
    for (int i = 0; i < 8000; i++) {
        uint64_t id = id_random(&rng);

        CHECK(id >= 1 && id <= ID_MAX);
        parts[(id - 1) >> 50]++;
    }
    for (int i = 0; i < 8; i++)
        CHECK(parts[i] > 850 && parts[i] < 1150);
}

void test_ids(void)
{
    TEST("ids go from 1 to 2^53");
    CHECK(id_ok(1) && id_ok(2147483648) && id_ok(9007199254740991) &&
          id_ok(9007199254740992));
    CHECK(!id_ok(0) && !id_ok(-1) && !id_ok(9007199254740993) && !id_ok(INT64_MAX));
    CHECK(!id_ok(INT64_MIN));

    TEST("the next id is one more, and 1 after the last");
    CHECK_INT(id_next(0), 1);
    CHECK_INT(id_next(1), 2);
    CHECK_INT(id_next(9007199254740991), 9007199254740992);
    CHECK_INT(id_next(9007199254740992), 1);
    CHECK_INT(id_next(UINT64_MAX), 1);

    random_ids();
    spread();
}
