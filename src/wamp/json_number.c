/* json_number.c - doubles from decimal text and back, exactly, whatever the locale.
 *
 * Not known here: the grammar of numbers (json_scan.c has checked it), integers.
 *
 * One idea for each direction. Reading: a number is its significant digits times a power
 * of ten. With few of both, one multiplication or division of exact doubles is rightly
 * rounded; otherwise strtod does it, given "<digits>e<exponent>", which has no decimal
 * point and so means the same in every locale. Writing: a double with few decimals is an
 * integer over a small power of ten, and that is exact when dividing gives the double
 * back; otherwise printf with 15, 16 or 17 digits, the first that reads back the same. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wamp/json.h"

/* Digits that can matter: the point half way between two doubles has at most 767. Of
 * those behind, only whether there is one that is not 0. */
#define DIGITS_MAX 768

#define EXACT_DIGITS 15 /* an integer of so many digits is a double */
#define EXACT_POWER 22  /* 10^22 is a double, and so are all below */
#define PLACES_MAX 6    /* decimals for which the fast way of writing is tried */

static const double tens[EXACT_POWER + 1] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,
                                              1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
                                              1e18, 1e19, 1e20, 1e21, 1e22 };

struct decimal {
    char digits[DIGITS_MAX + 32]; /* without leading zeros; room for "1e-999999" */
    size_t n;
    int64_t exponent; /* of ten, behind the last digit */
    bool more;        /* a digit other than 0 was left off */
};

static void add_digit(struct decimal *d, char c, bool fraction)
{
    bool taken = d->n < DIGITS_MAX;

    if (taken && (d->n || c != '0'))
        d->digits[d->n++] = c;
    else if (!taken && c != '0')
        d->more = true;
    if (fraction && taken)
        d->exponent--;
    if (!fraction && !taken)
        d->exponent++;
}

static int64_t exponent_of(const char *p, const char *end)
{
    bool negative = *p == '-';
    int64_t e = 0;

    if (negative || *p == '+')
        p++;
    for (; p < end; p++)
        if (e < INT64_MAX / 100)
            e = e * 10 + (*p - '0');
    return negative ? -e : e;
}

static double few_digits(const struct decimal *d)
{
    int64_t m = 0;

    for (size_t i = 0; i < d->n; i++)
        m = m * 10 + (d->digits[i] - '0');
    return d->exponent < 0 ? (double)m / tens[-d->exponent]
                           : (double)m * tens[d->exponent];
}

static double many_digits(struct decimal *d)
{
    int64_t e = d->exponent;

    if (d->more) {
        d->digits[d->n++] = '1';
        e--;
    }
    if (e > 9999) /* far outside the range of double already */
        e = 9999;
    if (e < -9999)
        e = -9999;
    snprintf(d->digits + d->n, 16, "e%d", (int)e);
    return strtod(d->digits, NULL);
}

double json_number_read(const char *p, const char *end)
{
    struct decimal d;
    bool negative = *p == '-', fraction = false;
    double f = 0;

    d.n = 0;
    d.exponent = 0;
    d.more = false;
    for (p += negative; p < end && *p != 'e' && *p != 'E'; p++)
        if (*p == '.')
            fraction = true;
        else
            add_digit(&d, *p, fraction);
    if (p < end)
        d.exponent += exponent_of(p + 1, end);
    if (FLT_EVAL_METHOD == 0 && d.n <= EXACT_DIGITS && d.exponent >= -EXACT_POWER &&
        d.exponent <= EXACT_POWER)
        f = few_digits(&d);
    else if (d.n)
        f = many_digits(&d);
    return negative ? -f : f;
}

/* Writes `i` with a point in front of its last `places` digits. */
static size_t put_decimal(char *out, int64_t i, int places)
{
    char text[JSON_NUMBER_SIZE], *p = text + sizeof text;
    uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    size_t n;

    for (int digits = 0; u || digits <= places; digits++, u /= 10) {
        if (places && digits == places)
            *--p = '.';
        *--p = (char)('0' + u % 10);
    }
    if (i < 0)
        *--p = '-';
    n = (size_t)(text + sizeof text - p);
    memcpy(out, p, n);
    return n;
}

size_t json_integer_write(char out[JSON_NUMBER_SIZE], int64_t i)
{
    return put_decimal(out, i, 0);
}

/* The length, or 0 when `f` has more decimals or more digits than this way can do. */
static size_t put_places(char *out, double f)
{
    for (int places = 1; places <= PLACES_MAX; places++) {
        double scaled = f * tens[places];

        if (fabs(scaled) >= 1e15)
            break;
        if ((double)(int64_t)scaled == scaled && scaled / tens[places] == f)
            return put_decimal(out, (int64_t)scaled, places);
    }
    return 0;
}

/* printf's text with whatever the locale has for a point made a point; ".0" if it looks
 * like an integer. */
static size_t put_text(char *out, const char *text)
{
    size_t n = 0;
    bool isfloat = false, point = false;

    for (; *text; text++) {
        bool known = strchr("0123456789+-e", *text) != NULL;

        if (known)
            out[n++] = *text;
        else if (!point)
            out[n++] = '.';
        point = point || !known;
        isfloat = isfloat || !known || *text == 'e';
    }
    if (!isfloat) {
        out[n++] = '.';
        out[n++] = '0';
    }
    return n;
}

size_t json_number_write(char out[JSON_NUMBER_SIZE], double f)
{
    char text[JSON_NUMBER_SIZE];
    size_t n = f == 0 ? 0 : put_places(out, f); /* -0.0 has no integer */
    int digits = fabs(f) < DBL_MIN ? 1 : 15;    /* the smallest doubles have fewer */

    if (n)
        return n;
    for (;; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, f);
        if (digits >= 17 || strtod(text, NULL) == f)
            break;
    }
    return put_text(out, text);
}
