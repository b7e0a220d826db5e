/* date.c - the time of day as text: RFC 3339 (ISO 8601), written in UTC with
 * milliseconds.
 *
 * Not known here: what time it is. The C library's calendar would do the same, but it
 * reads a clock's zone, and this room has none. */
#include <ctype.h>
#include <stdio.h>

#include "router/private.h"

#define DAY_MS 86400000u

/* A date of the Gregorian calendar. Years are counted from March, in eras of 400: then
 * the day that some years have more is the last of its year. */
static void date_of(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    uint64_t since = days + 719468; /* from 1 March of year 0 */
    unsigned in_era = (unsigned)(since % 146097);
    unsigned of_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    unsigned in_year = in_era - (365 * of_era + of_era / 4 - of_era / 100);
    unsigned from_march = (5 * in_year + 2) / 153;

    *day = in_year - (153 * from_march + 2) / 5 + 1;
    *month = from_march < 10 ? from_march + 3 : from_march - 9;
    *year = (unsigned)(since / 146097) * 400 + of_era + (*month <= 2);
}

void date_write(uint64_t ms, struct writer *w)
{
    unsigned year, month, day, rest = (unsigned)(ms % DAY_MS);
    char text[80];

    date_of(ms / DAY_MS, &year, &month, &day);
    snprintf(text, sizeof text, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", year, month, day,
             rest / 3600000, rest / 60000 % 60, rest / 1000 % 60, rest % 1000);
    writer_string(w, slice_of(text));
}

/* ---- reading ----------------------------------------------------------------------- */

/* The inverse of date_of. */
static int64_t days_of(int year, int month, int day)
{
    int from_march = month > 2 ? month - 3 : month + 9;
    int64_t y = year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t in_year = (153 * from_march + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + in_year - 719468;
}

/* Cuts a number of `n` digits off, and what stands behind it, unless that is 0. */
static bool take_number(struct slice *s, size_t n, char behind, int *value)
{
    *value = 0;
    if (s->n < n + (behind != 0))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!isdigit((unsigned char)s->p[i]))
            return false;
        *value = *value * 10 + (s->p[i] - '0');
    }
    if (behind && toupper((unsigned char)s->p[n]) != behind)
        return false;
    *s = (struct slice){ s->p + n + (behind != 0), s->n - n - (behind != 0) };
    return true;
}

/* Cuts ".digits" off, if it is there. */
static bool take_fraction(struct slice *s, int *ms)
{
    int weight = 100;
    size_t i = 1;

    *ms = 0;
    if (!s->n || *s->p != '.')
        return true;
    for (; i < s->n && isdigit((unsigned char)s->p[i]); i++, weight /= 10)
        *ms += (s->p[i] - '0') * weight;
    *s = (struct slice){ s->p + i, s->n - i };
    return i > 1;
}

/* Z, or how far the time is ahead of UTC. */
static bool take_offset(struct slice s, int *minutes)
{
    int hour, minute, sign;

    *minutes = 0;
    if (s.n == 1)
        return *s.p == 'Z' || *s.p == 'z';
    if (s.n != 6 || (*s.p != '+' && *s.p != '-'))
        return false;
    sign = *s.p == '+' ? 1 : -1;
    s = (struct slice){ s.p + 1, s.n - 1 };
    if (!take_number(&s, 2, ':', &hour) || !take_number(&s, 2, 0, &minute))
        return false;
    *minutes = sign * (hour * 60 + minute);
    return hour < 24 && minute < 60;
}

static bool is_date(int year, int month, int day)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month >= 1 && month <= 12 && day >= 1 &&
           day <= lengths[month - 1] + (leap && month == 2);
}

bool date_read(struct slice text, int64_t *ms)
{
    int year, month, day, hour, minute, second, fraction, ahead;

    if (!take_number(&text, 4, '-', &year) || !take_number(&text, 2, '-', &month) ||
        !take_number(&text, 2, 'T', &day) || !is_date(year, month, day))
        return false;
    if (!take_number(&text, 2, ':', &hour) || !take_number(&text, 2, ':', &minute) ||
        !take_number(&text, 2, 0, &second) || hour > 23 || minute > 59 || second > 60)
        return false;
    if (!take_fraction(&text, &fraction) || !take_offset(text, &ahead))
        return false;
    *ms = days_of(year, month, day) * (int64_t)DAY_MS +
          ((int64_t)hour * 60 + minute - ahead) * 60000 + second * 1000 + fraction;
    return true;
}
