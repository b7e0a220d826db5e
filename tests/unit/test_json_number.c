/* test_json_number.c - numbers: what is an integer, what a float, and that both are
 * exact.
 *
 * The oracle for floats is the C library: strtod for reading, and for writing that the
 * text reads back as the same bits with no more digits than printf needs. Grammar is
 * tested with the files of tests/json. */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "walk.h"

void test_json_number(void);

/* ---- reading ----------------------------------------------------------------------- */

static enum token read_one(const char *text, struct reader *r)
{
    reader_init(r, &wire_json, slice_of(text));
    return reader_next(r);
}

static void integers(void)
{
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {
        { "0", 0 },
        { "-0", 0 },
        { "-1", -1 },
        { "9007199254740993", 9007199254740993 },
        { "-9007199254740993", -9007199254740993 },
        { "999999999999999999", 999999999999999999 },
        { "1000000000000000000", 1000000000000000000 },
        { "9223372036854775807", INT64_MAX },
        { "-9223372036854775807", -INT64_MAX },
        { "-9223372036854775808", INT64_MIN },
    };
    struct reader r;

    TEST("integers of int64 are exact integers");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(read_one(cases[i].text, &r) == TOKEN_INT);
        CHECK_INT(r.integer, cases[i].value);
        CHECK(reader_next(&r) == TOKEN_END);
    }
}

static void floats(void)
{
    static const char *const cases[] = {
        /* outside int64 */
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551615",
        "18446744073709551616",
        "10000000000000000000",
        "99999999999999999999999999999999",
        /* integral, but written as floats */
        "0.0",
        "-0.0",
        "1.0",
        "1e0",
        "-0e0",
        "1E5",
        "100e-2",
        "0e999999999999999999999",
        /* few digits: one multiplication or division */
        "0.1",
        "-0.5",
        "1.5e3",
        "123456789012345e22",
        "123456789012345e-22",
        "1e22",
        "1e-22",
        /* just past that */
        "1e23",
        "1e-23",
        "1234567890123456e1",
        "9007199254740993.0",
        "0.1234567890123456",
        /* the edges of double */
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "2.2250738585072014e-308",
        "2.2250738585072011e-308",
        "4.9406564584124654e-324",
        "2.4703282292062328e-324",
        "2.4703282292062327e-324",
        "1e-400",
        "-1e-400",
        "1e-99999999999999999999999",
        /* half way between two, and a little to each side */
        "9007199254740992.5",
        "9007199254740993e0",
        "9007199254740993.00000000000000000000000000000000000001",
        "9007199254740992.99999999999999999999999999999999999999",
        "1.00000000000000011102230246251565404236316680908203125",
        "1.00000000000000011102230246251565404236316680908203124",
        "1.00000000000000011102230246251565404236316680908203126",
    };
    struct reader r;

    TEST("all other numbers are the nearest double");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double expected = strtod(cases[i], NULL);

        if (read_one(cases[i], &r) != TOKEN_FLOAT ||
            memcmp(&r.number, &expected, sizeof expected))
            check_fail(__FILE__, __LINE__, cases[i]);
    }
}

/* Many digits, with a point and an exponent at random: longer than what can matter. */
static void long_numbers(void)
{
    static char text[1300];
    uint64_t seed = 11;

    TEST("numbers of a thousand digits are the nearest double, wherever the point is");
    for (int round = 0; round < 400; round++) {
        unsigned digits = 1 + random_below(&seed, 1200),
                 point = random_below(&seed, digits);
        unsigned same =
            random_below(&seed, 3); /* long runs of 0 or 9 are the hard cases */
        struct reader r;
        size_t n = 0;
        double expected;

        text[n++] = (char)('1' + random_below(&seed, 9));
        for (unsigned i = 0; i < digits; i++) {
            if (i == point)
                text[n++] = '.';
            text[n++] = (char)(same && i > 15 && i + 1 < digits
                                   ? (same == 1 ? '0' : '9')
                                   : '0' + (int)random_below(&seed, 10));
        }
        snprintf(text + n, sizeof text - n, "e%d",
                 (int)random_below(&seed, 600) - 300 - (int)point);
        expected = strtod(text, NULL);
        if (read_one(text, &r) != (isinf(expected) ? TOKEN_ERROR : TOKEN_FLOAT))
            check_fail(__FILE__, __LINE__, text);
        else if (!isinf(expected) && memcmp(&r.number, &expected, sizeof expected))
            check_fail(__FILE__, __LINE__, text);
    }
}

/* 2.5 times the smallest double lies half way between two doubles and has 752 digits. */
static void sticky_digit(void)
{
    static char text[1300];
    struct reader r;
    size_t n;

    TEST("a digit behind the 768th decides when all in front lie half way");
    if (LDBL_MANT_DIG == DBL_MANT_DIG) {
        printf("unit: long double is double here, no half way number made\n");
        return;
    }
    n = (size_t)snprintf(text, sizeof text, "%.1075Lf", 0x2.8p-1074L);
    CHECK(read_one(text, &r) == TOKEN_FLOAT && r.number == 0x2p-1074);
    memset(text + n, '0', 100);
    memcpy(text + n + 100, "1", 2);
    CHECK(read_one(text, &r) == TOKEN_FLOAT && r.number == 0x3p-1074);
    text[n + 100] = '0';
    CHECK(read_one(text, &r) == TOKEN_FLOAT && r.number == 0x2p-1074);
}

static void range(void)
{
    static const char *const over[] = {
        "1e309", "-1e309",        "1.7976931348623159e308",
        "1e400", "123456789e301", "1e99999999999999999999"
    };
    static char digits[402];
    struct reader r;

    TEST("what rounds to infinity is out of range, however it is written");
    for (size_t i = 0; i < sizeof over / sizeof *over; i++) {
        CHECK(read_one(over[i], &r) == TOKEN_ERROR);
        CHECK_STR(r.error, "number out of range");
    }
    memset(digits, '9', 400);
    CHECK(read_one(digits, &r) == TOKEN_ERROR);
    memset(digits, '0', 400);
    memcpy(digits, "0.", 2);
    CHECK(read_one(digits, &r) == TOKEN_FLOAT && r.number == 0);
}

/* ---- writing ----------------------------------------------------------------------- */

static const char *written(struct writer *w)
{
    static char text[64];

    snprintf(text, sizeof text, "%.*s", (int)w->buf->len, w->buf->data);
    writer_fini(w);
    return text;
}

static const char *write_float(double f)
{
    struct writer w;

    writer_init(&w, &wire_json, 0);
    writer_float(&w, f);
    return written(&w);
}

static const char *write_int(int64_t i)
{
    struct writer w;

    writer_init(&w, &wire_json, 0);
    writer_int(&w, i);
    return written(&w);
}

static void written_integers(void)
{
    uint64_t seed = 3;

    TEST("integers are written as they are");
    CHECK_STR(write_int(0), "0");
    CHECK_STR(write_int(-1), "-1");
    CHECK_STR(write_int(9007199254740993), "9007199254740993");
    CHECK_STR(write_int(INT64_MAX), "9223372036854775807");
    CHECK_STR(write_int(INT64_MIN), "-9223372036854775808");

    TEST("any integer reads back the same");
    for (int i = 0; i < 20000; i++) {
        int64_t value = (int64_t)(random_next(&seed) >> random_below(&seed, 64));
        struct reader r;

        value = i % 2 ? value : -value;
        CHECK(read_one(write_int(value), &r) == TOKEN_INT && r.integer == value);
    }
}

static void written_floats(void)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        { 0.0, "0.0" },
        { -0.0, "-0.0" },
        { 1, "1.0" },
        { -1, "-1.0" },
        { 100, "100.0" },
        { 0.1, "0.1" },
        { -0.5, "-0.5" },
        { 0.001, "0.001" },
        { 1.0 / 3, "0.3333333333333333" },
        { 21.75, "21.75" },
        { 123456.789, "123456.789" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 1e15, "1e+15" },
        { 99999999999999, "99999999999999.0" },
        { 9007199254740993.0, "9007199254740992.0" },
        { 1e100, "1e+100" },
        { 1e-7, "1e-07" },
        { 5e-324, "5e-324" },
        { DBL_MAX, "1.7976931348623157e+308" },
        { DBL_MIN, "2.2250738585072014e-308" },
        { 1.5e300, "1.5e+300" },
    };

    TEST("floats are short and never look like integers");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_STR(write_float(cases[i].value), cases[i].text);
}

static int significant(const char *text)
{
    int n = 0, zeros = 0;

    for (; *text && *text != 'e'; text++) {
        if (*text < '0' || *text > '9' || (!n && *text == '0'))
            continue;
        zeros = *text == '0' ? zeros + 1 : 0;
        n++;
    }
    return n - zeros;
}

/* The fewest digits that printf needs for a text that reads back the same. */
static int needed(double f)
{
    char text[64];

    for (int digits = 1; digits < 17; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, f);
        if (strtod(text, NULL) == f)
            return digits;
    }
    return 17;
}

static void check_round_trip(double f)
{
    const char *text = write_float(f);
    struct reader r;

    if (read_one(text, &r) != TOKEN_FLOAT || memcmp(&r.number, &f, sizeof f))
        check_fail(__FILE__, __LINE__, text);
    if (f != 0 && significant(text) > needed(f))
        check_fail(__FILE__, __LINE__, text);
}

static void round_trips(void)
{
    uint64_t seed = 5;

    TEST("any finite double reads back the same, with no more digits than it needs");
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = random_next(&seed);
        double f;

        memcpy(&f, &bits, sizeof f);
        if (isfinite(f))
            check_round_trip(f);
    }
    for (int e = -1074; e <= 1023; e++)
        check_round_trip(ldexp(1, e));

    TEST("so do numbers with few decimals, and their neighbours");
    for (int i = 0; i < 20000; i++) {
        double f = (double)(int)random_below(&seed, 2000000) / 1000 - 1000;

        check_round_trip(f);
        check_round_trip(nextafter(f, 1e9));
        check_round_trip(f * 1e9);
    }
}

/* A locale whose decimal point is a comma, if this machine has one. */
static bool comma_locale(void)
{
    static const char *const names[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "ru_RU.UTF-8",
                                         "de_DE.utf8",  "fr_FR.utf8",  "ru_RU.utf8" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (setlocale(LC_NUMERIC, names[i]))
            return true;
    return false;
}

static void locale(void)
{
    struct reader r;

    TEST("the locale does not matter");
    if (!comma_locale())
        printf(
            "unit: no locale with a decimal comma here, numbers not tested under one\n");
    CHECK_STR(write_float(1.0 / 3), "0.3333333333333333");
    CHECK_STR(write_float(1.5e300), "1.5e+300");
    CHECK_STR(write_float(0.25), "0.25");
    CHECK(read_one("0.33333333333333331", &r) == TOKEN_FLOAT && r.number == 1.0 / 3);
    setlocale(LC_NUMERIC, "C");
}

void test_json_number(void)
{
    integers();
    floats();
    long_numbers();
    sticky_digit();
    range();
    written_integers();
    written_floats();
    round_trips();
    locale();
}
