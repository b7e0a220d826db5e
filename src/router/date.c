/* date.c - the time of day as text: ISO 8601, UTC, with milliseconds.
 *
 * Not known here: what time it is. The C library's calendar would do the same, but it
 * reads a clock's zone, and this room has none. */
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
