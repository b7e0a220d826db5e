/* test_packed.c - MsgPack and CBOR: which bytes are which value, which are none, and
 * which bytes a value is written in.
 *
 * A row is bytes in hexadecimal and what they are as JSON, or why they are refused and
 * where. What is accepted is also cut off behind each of its bytes, which must be
 * refused, in an allocation of just that size. Numbers are in test_packed_number.c,
 * random values in test_wire_random.c. */
#include "base/mem.h"
#include "packed_rows.h"

void test_packed(void);

static const struct packed_row accepted[] = {
    { &wire_msgpack, "c0", "null" },
    { &wire_msgpack, "d40000", "null" },
    { &wire_msgpack, "c2", "false" },
    { &wire_msgpack, "c3", "true" },
    { &wire_msgpack, "a0", "\"\"" },
    { &wire_msgpack, "a3c3a961", "\"\303\251a\"" },
    { &wire_msgpack, "d90161", "\"a\"" },
    { &wire_msgpack, "da000161", "\"a\"" },
    { &wire_msgpack, "db0000000161", "\"a\"" },
    { &wire_msgpack, "c400", "\"\\u0000\"" },
    { &wire_msgpack, "c403ff0001", "\"\\u0000/wAB\"" },
    { &wire_msgpack, "c50001ff", "\"\\u0000/w==\"" },
    { &wire_msgpack, "c600000001ff", "\"\\u0000/w==\"" },
    { &wire_msgpack, "90", "[]" },
    { &wire_msgpack, "93019280c080", "[1,[{},null],{}]" },
    { &wire_msgpack, "dc000101", "[1]" },
    { &wire_msgpack, "dd0000000101", "[1]" },
    { &wire_msgpack, "80", "{}" },
    { &wire_msgpack, "82a161c0a16281a163910a", "{\"a\":null,\"b\":{\"c\":[10]}}" },
    { &wire_msgpack, "de0001d9016101", "{\"a\":1}" },
    { &wire_msgpack, "df00000001a16101", "{\"a\":1}" },

    { &wire_cbor, "f6", "null" },
    { &wire_cbor, "f7", "null" },
    { &wire_cbor, "f4", "false" },
    { &wire_cbor, "f5", "true" },
    { &wire_cbor, "60", "\"\"" },
    { &wire_cbor, "63c3a961", "\"\303\251a\"" },
    { &wire_cbor, "780161", "\"a\"" },
    { &wire_cbor, "79000161", "\"a\"" },
    { &wire_cbor, "7a0000000161", "\"a\"" },
    { &wire_cbor, "7b000000000000000161", "\"a\"" },
    { &wire_cbor, "7fff", "\"\"" },
    { &wire_cbor, "7f61616060626263ff", "\"abc\"" },
    { &wire_cbor, "40", "\"\\u0000\"" },
    { &wire_cbor, "43ff0001", "\"\\u0000/wAB\"" },
    { &wire_cbor, "5f41ff420001ff", "\"\\u0000/wAB\"" },
    { &wire_cbor, "80", "[]" },
    { &wire_cbor, "8301820203820405", "[1,[2,3],[4,5]]" },
    { &wire_cbor, "9fff", "[]" },
    { &wire_cbor, "9f018202039f0405ffff", "[1,[2,3],[4,5]]" },
    { &wire_cbor, "9b000000000000000101", "[1]" },
    { &wire_cbor, "a0", "{}" },
    { &wire_cbor, "a26161016162820203", "{\"a\":1,\"b\":[2,3]}" },
    { &wire_cbor, "bfff", "{}" },
    { &wire_cbor, "bf61610161629f0203ffff", "{\"a\":1,\"b\":[2,3]}" },
    { &wire_cbor, "bf7f6161ff01ff", "{\"a\":1}" },
    { &wire_cbor, "c001", "1" },
    { &wire_cbor, "d9d9f7826161c16162", "[\"a\",\"b\"]" },
    { &wire_cbor, "c0c1c4f6", "null" },
    { &wire_cbor, "a1c1616101", "{\"a\":1}" },
};

static const struct packed_row refused[] = {
    { &wire_msgpack, "", "unexpected end at 0" },
    { &wire_msgpack, "c1", "the reserved byte 0xC1 at 0" },
    { &wire_msgpack, "91c1", "the reserved byte 0xC1 at 1" },
    { &wire_msgpack, "d400", "an extension type at 0" },
    { &wire_msgpack, "d40001", "an extension type at 0" },
    { &wire_msgpack, "d40100", "an extension type at 0" },
    { &wire_msgpack, "d400ff", "an extension type at 0" },
    { &wire_msgpack, "c70100ff", "an extension type at 0" },
    { &wire_msgpack, "c9ffffffff00", "an extension type at 0" },
    { &wire_msgpack, "0101", "bytes behind the value at 1" },
    { &wire_msgpack, "9000", "bytes behind the value at 1" },
    { &wire_msgpack, "a1ff", "invalid UTF-8 at 1" },
    { &wire_msgpack, "a3eda080", "invalid UTF-8 at 1" },
    { &wire_msgpack, "81a1ff01", "invalid UTF-8 at 2" },
    { &wire_msgpack, "810101", "a key must be a string at 1" },
    { &wire_msgpack, "81c4016101", "a key must be a string at 1" },
    { &wire_msgpack, "819001", "a key must be a string at 1" },
    { &wire_msgpack, "81c001", "a key must be a string at 1" },
    { &wire_msgpack, "dbffffffff61", "unexpected end at 6" },
    { &wire_msgpack, "c6ffffffff61", "unexpected end at 6" },
    { &wire_msgpack, "ddffffffff01", "more elements than bytes at 0" },
    { &wire_msgpack, "91ddffffffff01", "more elements than bytes at 1" },
    { &wire_msgpack, "dfffffffff01", "more elements than bytes at 0" },
    { &wire_msgpack, "82a16101", "more elements than bytes at 0" },
    { &wire_msgpack, "9201", "more elements than bytes at 0" },
    { &wire_msgpack, "ca7fc00000", "a number that is not finite at 1" },
    { &wire_msgpack, "cb7ff0000000000000", "a number that is not finite at 1" },

    { &wire_cbor, "", "unexpected end at 0" },
    { &wire_cbor, "1c", "a reserved code at 0" },
    { &wire_cbor, "5d", "a reserved code at 0" },
    { &wire_cbor, "1f", "a reserved code at 0" },
    { &wire_cbor, "df01", "a reserved code at 0" },
    { &wire_cbor, "e0", "an unknown simple value at 0" },
    { &wire_cbor, "f3", "an unknown simple value at 0" },
    { &wire_cbor, "f8ff", "an unknown simple value at 0" },
    { &wire_cbor, "fc", "an unknown simple value at 0" },
    { &wire_cbor, "ff", "unexpected break at 0" },
    { &wire_cbor, "81ff", "unexpected break at 1" },
    { &wire_cbor, "c1ff", "unexpected break at 1" },
    { &wire_cbor, "bf6161ff", "unexpected break at 3" },
    { &wire_cbor, "9fc1ff", "unexpected break at 2" },
    { &wire_cbor, "0101", "bytes behind the value at 1" },
    { &wire_cbor, "9fff00", "bytes behind the value at 2" },
    { &wire_cbor, "61ff", "invalid UTF-8 at 1" },
    { &wire_cbor, "7f61c361a9ff", "invalid UTF-8 at 2" },
    { &wire_cbor, "7f4161ff", "a piece of a string of another kind at 1" },
    { &wire_cbor, "5f6161ff", "a piece of a string of another kind at 1" },
    { &wire_cbor, "7f7f6161ffff", "a piece of a string of another kind at 1" },
    { &wire_cbor, "7f01ff", "a piece of a string of another kind at 1" },
    { &wire_cbor, "a10101", "a key must be a string at 1" },
    { &wire_cbor, "a1416101", "a key must be a string at 1" },
    { &wire_cbor, "a18001", "a key must be a string at 1" },
    { &wire_cbor, "7bffffffffffffffff61", "unexpected end at 10" },
    { &wire_cbor, "5bffffffffffffffff61", "unexpected end at 10" },
    { &wire_cbor, "9bffffffffffffffff01", "more elements than bytes at 0" },
    { &wire_cbor, "9bfffffffffffffffe01", "more elements than bytes at 0" },
    { &wire_cbor, "bbffffffffffffffff01", "more elements than bytes at 0" },
    { &wire_cbor, "bb8000000000000001616101", "more elements than bytes at 0" },
    { &wire_cbor, "8201", "more elements than bytes at 0" },
    { &wire_cbor, "f97e00", "a number that is not finite at 1" },
    { &wire_cbor, "f9fc00", "a number that is not finite at 1" },
    { &wire_cbor, "fa7f800000", "a number that is not finite at 1" },
    { &wire_cbor, "fb7ff8000000000000", "a number that is not finite at 1" },
};

static const struct packed_row written[] = {
    { &wire_msgpack, "c0", "null" },
    { &wire_msgpack, "c2", "false" },
    { &wire_msgpack, "c3", "true" },
    { &wire_msgpack, "a0", "\"\"" },
    { &wire_msgpack, "a2c3a9", "\"é\"" },
    { &wire_msgpack, "90", "[]" },
    { &wire_msgpack, "80", "{}" },
    { &wire_msgpack, "930192028082a16190a16281a163c0",
      "[1,[2,{}],{\"a\":[],\"b\":{\"c\":null}}]" },
    { &wire_msgpack, "9390919090", "[[],[[]],[]]" },
    { &wire_msgpack, "81a081a091a0", "{\"\":{\"\":[\"\"]}}" },
    { &wire_cbor, "f6", "null" },
    { &wire_cbor, "f4", "false" },
    { &wire_cbor, "f5", "true" },
    { &wire_cbor, "60", "\"\"" },
    { &wire_cbor, "62c3a9", "\"é\"" },
    { &wire_cbor, "80", "[]" },
    { &wire_cbor, "a0", "{}" },
    { &wire_cbor, "83018202a0a26161806162a16163f6",
      "[1,[2,{}],{\"a\":[],\"b\":{\"c\":null}}]" },
    { &wire_cbor, "8380818080", "[[],[[]],[]]" },
    { &wire_cbor, "a160a1608160", "{\"\":{\"\":[\"\"]}}" },
    { &wire_msgpack, "c400", "\"\\u0000\"" },
    { &wire_msgpack, "c403ff0001", "\"\\u0000/wAB\"" },
    { &wire_cbor, "40", "\"\\u0000\"" },
    { &wire_cbor, "43ff0001", "\"\\u0000/wAB\"" },
};

/* ---- sizes ------------------------------------------------------------------------- */

/* How the head of something of n bytes or elements is spelled. */
static const struct {
    size_t n;
    const char *string[2], *binary[2], *list[2], *dict[2]; /* MsgPack, CBOR */
} heads[] = {
    { 15, { "af", "6f" }, { "c40f", "4f" }, { "9f", "8f" }, { "8f", "af" } },
    { 16, { "b0", "70" }, { "c410", "50" }, { "dc0010", "90" }, { "de0010", "b0" } },
    { 23, { "b7", "77" }, { "c417", "57" }, { "dc0017", "97" }, { "de0017", "b7" } },
    { 24,
      { "b8", "7818" },
      { "c418", "5818" },
      { "dc0018", "9818" },
      { "de0018", "b818" } },
    { 31,
      { "bf", "781f" },
      { "c41f", "581f" },
      { "dc001f", "981f" },
      { "de001f", "b81f" } },
    { 32,
      { "d920", "7820" },
      { "c420", "5820" },
      { "dc0020", "9820" },
      { "de0020", "b820" } },
    { 255,
      { "d9ff", "78ff" },
      { "c4ff", "58ff" },
      { "dc00ff", "98ff" },
      { "de00ff", "b8ff" } },
    { 256,
      { "da0100", "790100" },
      { "c50100", "590100" },
      { "dc0100", "990100" },
      { "de0100", "b90100" } },
    { 65535,
      { "daffff", "79ffff" },
      { "c5ffff", "59ffff" },
      { "dcffff", "99ffff" },
      { "deffff", "b9ffff" } },
    { 65536,
      { "db00010000", "7a00010000" },
      { "c600010000", "5a00010000" },
      { "dd00010000", "9a00010000" },
      { "df00010000", "ba00010000" } },
};

static void check_head(const struct wire *wire, struct writer *w, const char *hex)
{
    struct buf *head = from_hex(slice_of(hex));

    CHECK(slice_has_prefix(slice_buf(w->buf), slice_buf(head)));
    CHECK(!judge(wire, slice_buf(w->buf)).error);
    buf_unref(head);
    writer_fini(w);
}

static void check_bytes(const struct wire *wire, size_t n, bool binary, const char *hex)
{
    char *text = xcalloc(n, 1);
    struct writer w;

    memset(text, 'x', n);
    writer_init(&w, wire, 0);
    if (binary)
        writer_binary(&w, (struct slice){ text, n });
    else
        writer_string(&w, (struct slice){ text, n });
    check_head(wire, &w, hex);
    free(text);
}

static void check_container(const struct wire *wire, size_t n, bool dict, const char *hex)
{
    struct writer w;

    writer_init(&w, wire, 0);
    dict ? writer_dict(&w, n) : writer_list(&w, n);
    for (size_t i = 0; i < n; i++) {
        if (dict)
            writer_key(&w, SLICE("k"));
        writer_null(&w);
    }
    dict ? writer_dict_end(&w) : writer_list_end(&w);
    check_head(wire, &w, hex);
}

static void check_heads(void)
{
    const struct wire *const wires[] = { &wire_msgpack, &wire_cbor };

    for (size_t i = 0; i < COUNT(heads); i++) {
        for (size_t k = 0; k < COUNT(wires); k++) {
            check_bytes(wires[k], heads[i].n, false, heads[i].string[k]);
            check_bytes(wires[k], heads[i].n, true, heads[i].binary[k]);
            check_container(wires[k], heads[i].n, false, heads[i].list[k]);
            check_container(wires[k], heads[i].n, true, heads[i].dict[k]);
        }
    }
}

/* ---- nesting ----------------------------------------------------------------------- */

/* n containers, one in the other, of these bytes each; null in the middle. */
static struct buf *nested(unsigned n, const char *hex, const char *null, const char *end)
{
    struct buf *all = buf_new(8 * n), *one = from_hex(slice_of(hex));
    struct buf *middle = from_hex(slice_of(null)), *last = from_hex(slice_of(end));

    for (unsigned i = 0; i < n; i++)
        buf_append(&all, one->data, one->len);
    buf_append(&all, middle->data, middle->len);
    for (unsigned i = 0; i < n; i++)
        buf_append(&all, last->data, last->len);
    buf_unref(one);
    buf_unref(middle);
    buf_unref(last);
    return all;
}

static const struct {
    const struct wire *wire;
    const char *hex, *null, *end;
    size_t size; /* of the container's beginning */
} nestings[] = {
    { &wire_msgpack, "91", "c0", "", 1 },
    { &wire_msgpack, "81a161", "c0", "", 3 },
    { &wire_msgpack, "dd00000001", "c0", "", 5 },
    { &wire_cbor, "81", "f6", "", 1 },
    { &wire_cbor, "a16161", "f6", "", 3 },
    { &wire_cbor, "9f", "f6", "ff", 1 },
    { &wire_cbor, "bf6161", "f6", "ff", 3 },
    { &wire_cbor, "d9d9f781", "f6", "", 4 },
};

static void check_nesting(void)
{
    for (size_t i = 0; i < COUNT(nestings); i++) {
        const struct wire *wire = nestings[i].wire;
        struct buf *fits =
            nested(LIMIT_DEPTH, nestings[i].hex, nestings[i].null, nestings[i].end);
        struct buf *deeper =
            nested(LIMIT_DEPTH + 1, nestings[i].hex, nestings[i].null, nestings[i].end);
        struct outcome o = judge(wire, slice_buf(deeper));

        CHECK(!judge(wire, slice_buf(fits)).error);
        CHECK_STR(o.error, "nested deeper than 128");
        CHECK_INT(o.at, LIMIT_DEPTH * nestings[i].size);
        buf_unref(fits);
        buf_unref(deeper);
    }
}

void test_packed(void)
{
    TEST("good bytes are the value that they are, and nothing when they are cut off");
    for (size_t i = 0; i < COUNT(accepted); i++)
        check_value(&accepted[i]);

    TEST("bad bytes are refused in words, at their place");
    for (size_t i = 0; i < COUNT(refused); i++)
        check_refused(&refused[i]);

    TEST("values are written as others write them");
    for (size_t i = 0; i < COUNT(written); i++)
        check_written(&written[i]);

    TEST("every size has the shortest head there is");
    check_heads();

    TEST("containers nest 128 deep, and not deeper");
    check_nesting();

    TEST("nothing is no value");
    CHECK_STR(walk_next(&wire_msgpack, (struct slice){ 0 }).error, "unexpected end");
    CHECK_STR(walk_skip(&wire_cbor, (struct slice){ 0 }).error, "unexpected end");
}
