/* test_wire_random.c - in each format random values are written and read back, also by
 * way of another format; random damage is judged the same by every way through the text.
 *
 * The seeds are fixed: each run tests the same. A value is made by pushing random tokens
 * into a writer and into a list of what is expected, which is then compared with what the
 * reader gives. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "check.h"
#include "walk.h"
#include "wamp/transcode.h"

void test_wire_random(void);

#define TOKENS_MAX 400

struct expected {
    enum token token;
    int64_t integer;
    double number;
    size_t at, n; /* of a string, in the pool */
};

struct made {
    uint64_t seed;
    struct writer w;
    struct buf *pool;                                      /* the bytes of all strings */
    struct expected tokens[TOKENS_MAX + 12 * LIMIT_DEPTH]; /* siblings still come */
    size_t n;
};

static struct expected *expect(struct made *m, enum token t)
{
    struct expected *e = &m->tokens[m->n++];

    *e = (struct expected){ .token = t };
    return e;
}

/* ---- random values ----------------------------------------------------------------- */

static void add_char(struct made *m)
{
    static const char *const some[] = { "\"",
                                        "\\",
                                        "\n",
                                        "\x01",
                                        "\x1f",
                                        "\x7f",
                                        "/",
                                        "\xc3\xa9",
                                        "\xe2\x82\xac",
                                        "\xf0\x9f\x98\x80",
                                        "\xed\x9f\xbf",
                                        "\xef\xbf\xbf",
                                        "\xf4\x8f\xbf\xbf" };
    unsigned pick = random_below(&m->seed, 60);
    char c = (char)('a' + random_below(&m->seed, 26));
    struct slice s = { &c, 1 };

    if (pick < sizeof some / sizeof *some)
        s = slice_of(some[pick]);
    buf_append(&m->pool, s.p, s.n);
}

/* Random text, or random bytes, at the end of the pool. */
static struct slice add_bytes(struct made *m, struct expected *e, bool text)
{
    unsigned n = random_below(&m->seed, random_below(&m->seed, 8) ? 20 : 200);

    e->at = m->pool->len;
    for (unsigned i = 0; i < n; i++) {
        char c = (char)random_next(&m->seed);

        if (text)
            add_char(m);
        else
            buf_append(&m->pool, &c, 1);
    }
    e->n = m->pool->len - e->at;
    return (struct slice){ m->pool->data + e->at, e->n };
}

static void make_integer(struct made *m)
{
    int64_t i = (int64_t)random_next(&m->seed) >> random_below(&m->seed, 64);

    expect(m, TOKEN_INT)->integer = i;
    writer_int(&m->w, i);
}

static void make_float(struct made *m)
{
    uint64_t bits = random_next(&m->seed);
    double f;

    memcpy(&f, &bits, sizeof f);
    if (!isfinite(f) || random_below(&m->seed, 2))
        f = (double)(int64_t)(bits >> 40) / 1000;
    expect(m, TOKEN_FLOAT)->number = f;
    writer_float(&m->w, f);
}

static void make_scalar(struct made *m)
{
    switch (random_below(&m->seed, 7)) {
    case 0:
        expect(m, TOKEN_NULL);
        writer_null(&m->w);
        break;
    case 1:
        expect(m, TOKEN_TRUE);
        writer_bool(&m->w, true);
        break;
    case 2:
        expect(m, TOKEN_FALSE);
        writer_bool(&m->w, false);
        break;
    case 3:
        make_integer(m);
        break;
    case 4:
        make_float(m);
        break;
    case 5:
        writer_string(&m->w, add_bytes(m, expect(m, TOKEN_STRING), true));
        break;
    default:
        writer_binary(&m->w, add_bytes(m, expect(m, TOKEN_BINARY), false));
        break;
    }
}

static void make_value(struct made *m, unsigned depth)
{
    bool container = depth < LIMIT_DEPTH && random_below(&m->seed, 3) > 0;
    bool dict = random_below(&m->seed, 2);
    unsigned n = m->n < TOKENS_MAX ? random_below(&m->seed, 6) : 0;

    if (!container) {
        make_scalar(m);
        return;
    }
    expect(m, dict ? TOKEN_DICT : TOKEN_LIST);
    dict ? writer_dict(&m->w, n) : writer_list(&m->w, n);
    for (unsigned i = 0; i < n; i++) {
        if (dict)
            writer_key(&m->w, add_bytes(m, expect(m, TOKEN_KEY), true));
        make_value(m, depth + 1);
    }
    expect(m, dict ? TOKEN_DICT_END : TOKEN_LIST_END);
    dict ? writer_dict_end(&m->w) : writer_list_end(&m->w);
}

static void make(struct made *m, const struct wire *wire, uint64_t seed)
{
    m->seed = seed;
    m->n = 0;
    m->pool = buf_new(1000);
    writer_init(&m->w, wire, 0);
    make_value(m, 0);
}

static void unmake(struct made *m)
{
    writer_fini(&m->w);
    buf_unref(m->pool);
}

/* ---- reading them back ------------------------------------------------------------- */

static bool as_expected(const struct made *m, const struct expected *e,
                        const struct reader *r)
{
    struct buf *scratch = NULL;
    bool ok;

    if (e->token == TOKEN_INT)
        return e->integer == r->integer;
    if (e->token == TOKEN_FLOAT)
        return !memcmp(&e->number, &r->number, sizeof e->number);
    if (e->token != TOKEN_STRING && e->token != TOKEN_KEY && e->token != TOKEN_BINARY)
        return true;
    ok =
        slice_eq(reader_text(r, &scratch), (struct slice){ m->pool->data + e->at, e->n });
    buf_unref(scratch);
    return ok;
}

static bool reads_back(const struct made *m, const struct wire *wire,
                       const struct buf *bytes)
{
    struct reader r;

    reader_init(&r, wire, slice_buf(bytes));
    for (size_t i = 0; i < m->n; i++)
        if (reader_next(&r) != m->tokens[i].token || !as_expected(m, &m->tokens[i], &r))
            return false;
    return reader_next(&r) == TOKEN_END;
}

static bool by_way_of(const struct made *m, const struct wire *wire,
                      const struct wire *other)
{
    struct buf *there = transcode(slice_buf(m->w.buf), wire, other);
    struct buf *back = transcode(slice_buf(there), other, wire);
    bool ok =
        reads_back(m, other, there) && slice_eq(slice_buf(back), slice_buf(m->w.buf));

    buf_unref(there);
    buf_unref(back);
    return ok;
}

static void values(struct made *m, const struct wire *wire)
{
    size_t tokens = 0;

    TEST("random values read back as they were written");
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        make(m, wire, seed * 0x9E3779B97F4A7C15ULL);
        CHECK(reads_back(m, wire, m->w.buf));
        tokens += m->n;
        unmake(m);
    }
    CHECK(tokens > 20000);

    TEST("random values are the same in every format, and the same bytes back in the "
         "first");
    for (uint64_t seed = 1; seed <= 500; seed++) {
        make(m, wire, seed * 0xA24BAED4963EE407ULL);
        CHECK(by_way_of(m, wire, &wire_json));
        CHECK(by_way_of(m, wire, &wire_msgpack));
        CHECK(by_way_of(m, wire, &wire_cbor));
        unmake(m);
    }
}

static void copies(struct made *m)
{
    TEST("a copy that splices some of the values is the same, byte for byte");
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct buf *copy;

        make(m, &wire_json, seed * 0x9E3779B97F4A7C15ULL);
        CHECK(!walk_copy(&wire_json, slice_buf(m->w.buf), seed, &copy).error);
        CHECK(slice_eq(slice_buf(copy), slice_buf(m->w.buf)));
        buf_unref(copy);
        unmake(m);
    }
}

/* ---- damage ------------------------------------------------------------------------ */

static void damage_once(struct buf *b, uint64_t *seed)
{
    static const char likely[] = "\"\\[]{},:0e-.u\x80\xc3\xed \n\xdf\xdd\xff\xbf\x9f\xfa";
    size_t at = random_below(seed, (unsigned)b->len);

    switch (random_below(seed, 3)) {
    case 0:
        b->data[at] = likely[random_below(seed, sizeof likely - 1)];
        break;
    case 1:
        b->data[at] = (char)random_next(seed);
        break;
    default:
        memmove(b->data + at, b->data + at + 1, b->len - at - 1);
        b->len--;
        break;
    }
}

static void damage(struct made *m, const struct wire *wire)
{
    int rejected = 0;

    TEST("next and skip judge damaged texts alike: same error, same place");
    for (uint64_t seed = 1; seed <= 4000; seed++) {
        uint64_t state = seed * 0xD1B54A32D192ED03ULL;
        struct outcome next;
        struct buf *b;

        make(m, wire, state);
        b = buf_from(m->w.buf->data, m->w.buf->len);
        for (unsigned i = 1 + random_below(&state, 3); i > 0 && b->len > 0; i--)
            damage_once(b, &state);
        next = walk_next(wire, slice_buf(b));
        CHECK(outcome_eq(next, walk_skip(wire, slice_buf(b))));
        rejected += next.error != NULL;
        buf_unref(b);
        unmake(m);
    }
    CHECK(rejected > 2000 && rejected < 4000);
}

void test_wire_random(void)
{
    struct made *m = xmalloc(sizeof *m);

    for (int i = 0; i < WIRE_SUBPROTOCOLS / 2; i++) {
        const struct wire *wire = wire_of_subprotocol(slice_of(wire_subprotocols[i]));

        values(m, wire);
        damage(m, wire);
    }
    copies(m);
    free(m);
}
