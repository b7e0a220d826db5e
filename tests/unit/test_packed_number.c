/* test_packed_number.c - numbers of MsgPack and CBOR: every width, the ends of int64 and
 * what is beyond them, floats of 16, 32 and 64 bits, bignums.
 *
 * What is beyond int64 is a float, as in JSON and in Lua. */
#include <math.h>

#include "packed_rows.h"

void test_packed_number(void);

static const struct packed_row written[] = {
    { &wire_msgpack, "00", "0" },
    { &wire_msgpack, "01", "1" },
    { &wire_msgpack, "17", "23" },
    { &wire_msgpack, "18", "24" },
    { &wire_msgpack, "7f", "127" },
    { &wire_msgpack, "cc80", "128" },
    { &wire_msgpack, "ccff", "255" },
    { &wire_msgpack, "cd0100", "256" },
    { &wire_msgpack, "cdffff", "65535" },
    { &wire_msgpack, "ce00010000", "65536" },
    { &wire_msgpack, "ceffffffff", "4294967295" },
    { &wire_msgpack, "cf0000000100000000", "4294967296" },
    { &wire_msgpack, "cf0020000000000000", "9007199254740992" },
    { &wire_msgpack, "cf7fffffffffffffff", "9223372036854775807" },
    { &wire_msgpack, "ff", "-1" },
    { &wire_msgpack, "e8", "-24" },
    { &wire_msgpack, "e7", "-25" },
    { &wire_msgpack, "e0", "-32" },
    { &wire_msgpack, "d0df", "-33" },
    { &wire_msgpack, "d080", "-128" },
    { &wire_msgpack, "d1ff7f", "-129" },
    { &wire_msgpack, "d1ff00", "-256" },
    { &wire_msgpack, "d1feff", "-257" },
    { &wire_msgpack, "d18000", "-32768" },
    { &wire_msgpack, "d2ffff7fff", "-32769" },
    { &wire_msgpack, "d2ffff0000", "-65536" },
    { &wire_msgpack, "d2fffeffff", "-65537" },
    { &wire_msgpack, "d280000000", "-2147483648" },
    { &wire_msgpack, "d3ffffffff7fffffff", "-2147483649" },
    { &wire_msgpack, "d3ffffffff00000000", "-4294967296" },
    { &wire_msgpack, "d3fffffffeffffffff", "-4294967297" },
    { &wire_msgpack, "d38000000000000000", "-9223372036854775808" },
    { &wire_msgpack, "cb3fe0000000000000", "0.5" },
    { &wire_msgpack, "cb3ff0000000000000", "1.0" },
    { &wire_msgpack, "cb8000000000000000", "-0.0" },
    { &wire_msgpack, "cb3fb999999999999a", "0.1" },
    { &wire_msgpack, "cb7e37e43c8800759c", "1e+300" },
    { &wire_msgpack, "cb0000000000000001", "5e-324" },
    { &wire_cbor, "00", "0" },
    { &wire_cbor, "01", "1" },
    { &wire_cbor, "17", "23" },
    { &wire_cbor, "1818", "24" },
    { &wire_cbor, "187f", "127" },
    { &wire_cbor, "1880", "128" },
    { &wire_cbor, "18ff", "255" },
    { &wire_cbor, "190100", "256" },
    { &wire_cbor, "19ffff", "65535" },
    { &wire_cbor, "1a00010000", "65536" },
    { &wire_cbor, "1affffffff", "4294967295" },
    { &wire_cbor, "1b0000000100000000", "4294967296" },
    { &wire_cbor, "1b0020000000000000", "9007199254740992" },
    { &wire_cbor, "1b7fffffffffffffff", "9223372036854775807" },
    { &wire_cbor, "20", "-1" },
    { &wire_cbor, "37", "-24" },
    { &wire_cbor, "3818", "-25" },
    { &wire_cbor, "381f", "-32" },
    { &wire_cbor, "3820", "-33" },
    { &wire_cbor, "387f", "-128" },
    { &wire_cbor, "3880", "-129" },
    { &wire_cbor, "38ff", "-256" },
    { &wire_cbor, "390100", "-257" },
    { &wire_cbor, "397fff", "-32768" },
    { &wire_cbor, "398000", "-32769" },
    { &wire_cbor, "39ffff", "-65536" },
    { &wire_cbor, "3a00010000", "-65537" },
    { &wire_cbor, "3a7fffffff", "-2147483648" },
    { &wire_cbor, "3a80000000", "-2147483649" },
    { &wire_cbor, "3affffffff", "-4294967296" },
    { &wire_cbor, "3b0000000100000000", "-4294967297" },
    { &wire_cbor, "3b7fffffffffffffff", "-9223372036854775808" },
    { &wire_cbor, "fb3fe0000000000000", "0.5" },
    { &wire_cbor, "fb3ff0000000000000", "1.0" },
    { &wire_cbor, "fb8000000000000000", "-0.0" },
    { &wire_cbor, "fb3fb999999999999a", "0.1" },
    { &wire_cbor, "fb7e37e43c8800759c", "1e+300" },
    { &wire_cbor, "fb0000000000000001", "5e-324" },
};

static const struct packed_row accepted[] = {
    { &wire_msgpack, "cc05", "5" },
    { &wire_msgpack, "cd0005", "5" },
    { &wire_msgpack, "ce00000005", "5" },
    { &wire_msgpack, "cf0000000000000005", "5" },
    { &wire_msgpack, "d005", "5" },
    { &wire_msgpack, "d0fb", "-5" },
    { &wire_msgpack, "d1fffb", "-5" },
    { &wire_msgpack, "d2fffffffb", "-5" },
    { &wire_msgpack, "d3fffffffffffffffb", "-5" },
    { &wire_msgpack, "d37fffffffffffffff", "9223372036854775807" },
    { &wire_msgpack, "cf8000000000000000", "9.223372036854775807e18" },
    { &wire_msgpack, "cfffffffffffffffff", "1.8446744073709552e19" },
    { &wire_msgpack, "ca3fc00000", "1.5" },
    { &wire_msgpack, "ca3dcccccd", "0.10000000149011612" },
    { &wire_msgpack, "ca80000000", "-0.0" },

    { &wire_cbor, "1805", "5" },
    { &wire_cbor, "190005", "5" },
    { &wire_cbor, "1a00000005", "5" },
    { &wire_cbor, "1b0000000000000005", "5" },
    { &wire_cbor, "3804", "-5" },
    { &wire_cbor, "390004", "-5" },
    { &wire_cbor, "3a00000004", "-5" },
    { &wire_cbor, "3b0000000000000004", "-5" },
    { &wire_cbor, "3b7fffffffffffffff", "-9223372036854775808" },
    { &wire_cbor, "1b8000000000000000", "9.223372036854775807e18" },
    { &wire_cbor, "1bffffffffffffffff", "1.8446744073709552e19" },
    { &wire_cbor, "3b8000000000000000", "-9.223372036854775807e18" },
    { &wire_cbor, "3bffffffffffffffff", "-1.8446744073709552e19" },
    { &wire_cbor, "f90000", "0.0" },
    { &wire_cbor, "f98000", "-0.0" },
    { &wire_cbor, "f93c00", "1.0" },
    { &wire_cbor, "f93e00", "1.5" },
    { &wire_cbor, "f97bff", "65504.0" },
    { &wire_cbor, "f90001", "5.960464477539063e-8" },
    { &wire_cbor, "f90400", "0.00006103515625" },
    { &wire_cbor, "f9c400", "-4.0" },
    { &wire_cbor, "fa47c35000", "100000.0" },
    { &wire_cbor, "fa7f7fffff", "3.4028234663852886e38" },
    { &wire_cbor, "fb3ff199999999999a", "1.1" },

    { &wire_cbor, "c240", "0" },
    { &wire_cbor, "c24105", "5" },
    { &wire_cbor, "c34104", "-5" },
    { &wire_cbor, "c2420005", "5" },
    { &wire_cbor, "c2487fffffffffffffff", "9223372036854775807" },
    { &wire_cbor, "c3487fffffffffffffff", "-9223372036854775808" },
    { &wire_cbor, "c2488000000000000000", "9.223372036854775807e18" },
    { &wire_cbor, "c249010000000000000000", "1.8446744073709552e19" },
    { &wire_cbor, "c349010000000000000000", "-1.8446744073709552e19" },
    { &wire_cbor, "c25f4101480000000000000000ff", "1.8446744073709552e19" },
    { &wire_cbor, "c249010000000000000800", "1.8446744073709552e19" }, /* even */
    { &wire_cbor, "c249010000000000000801", "1.8446744073709556e19" },
    { &wire_cbor, "c24a01000000000000080001", "4.722366482869646e21" },
    { &wire_cbor, "c2f6", "null" }, /* no bignum, and the tag says nothing */
};

static void number(const struct wire *wire, struct slice bytes, double expected)
{
    struct reader r;

    reader_init(&r, wire, bytes);
    CHECK(reader_next(&r) == TOKEN_FLOAT && r.number == expected);
}

/* Halves are few enough to try them all, against ldexp's own. */
static void halves(void)
{
    for (unsigned bits = 0; bits < 65536; bits++) {
        char text[3] = { (char)0xF9, (char)(bits >> 8), (char)bits };
        struct slice bytes = { text, 3 };
        unsigned exponent = bits >> 10 & 31, fraction = bits & 1023;
        double f = exponent ? (1 + fraction / 1024.0) * exp2((int)exponent - 15)
                            : fraction / 1024.0 * exp2(-14);

        if (exponent == 31)
            CHECK(walk_next(&wire_cbor, bytes).error);
        else
            number(&wire_cbor, bytes, bits >> 15 ? -f : f);
    }
}

static void huge(void)
{
    char text[140] = { (char)0xC2, 0x58, (char)128 };
    struct slice bytes = { text, 131 };

    text[3] = (char)0x80; /* 2^1023 */
    number(&wire_cbor, bytes, 0x1p1023);
    memset(text + 3, 0xFF, 128); /* rounds to 2^1024 */
    CHECK_STR(walk_next(&wire_cbor, bytes).error, "number out of range");
    text[2] = (char)136;
    bytes.n = 139;
    CHECK_STR(walk_next(&wire_cbor, bytes).error, "number out of range");
}

void test_packed_number(void)
{
    TEST("numbers are written as others write them");
    for (size_t i = 0; i < COUNT(written); i++)
        check_written(&written[i]);

    TEST("numbers of every width are read");
    for (size_t i = 0; i < COUNT(accepted); i++)
        check_value(&accepted[i]);

    TEST("every half");
    halves();

    TEST("bignums are numbers as far as a double goes");
    huge();
}
