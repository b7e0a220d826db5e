/* check.h - the unit tests' whole framework: CHECK, a list of tests, one line per
 * failure.
 *
 * Each tests/unit/test_<file>.c defines `void test_<file>(void)`, made of
 * TEST("behaviour") sections; the Makefile generates the list that main.c runs. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

extern int check_passed, check_failed; /* sections */
void check_begin(const char *name);    /* ends the section before */
void check_fail(const char *file, int line, const char *what);

#define TEST(name) check_begin(name)
#define CHECK(cond) ((cond) ? (void)0 : check_fail(__FILE__, __LINE__, #cond))
#define CHECK_STR(a, b)                                                         \
    do {                                                                        \
        const char *check_a = (a), *check_b = (b);                              \
        char check_text[600];                                                   \
        snprintf(check_text, sizeof check_text, "%s is \"%s\", not \"%s\"", #a, \
                 check_a ? check_a : "(null)", check_b ? check_b : "(null)");   \
        if (!check_a || !check_b || strcmp(check_a, check_b) != 0)              \
            check_fail(__FILE__, __LINE__, check_text);                         \
    } while (0)
#define CHECK_INT(a, b)                                                              \
    do {                                                                             \
        long long check_a = (long long)(a), check_b = (long long)(b);                \
        char check_text[200];                                                        \
        snprintf(check_text, sizeof check_text, "%s is %lld, not %lld", #a, check_a, \
                 check_b);                                                           \
        if (check_a != check_b)                                                      \
            check_fail(__FILE__, __LINE__, check_text);                              \
    } while (0)

#endif
