/* main.c - runs every unit test of the generated list (or those named in argv) and
 * counts. */
#include "check.h"

#include "unit_list.h" /* generated: UNIT(test_buf) UNIT(test_json) ... */

#define UNIT(name) void name(void);
UNIT_LIST
#undef UNIT

int check_passed, check_failed;

static const char *section;
static bool section_bad;

static void finish(void)
{
    if (section)
        section_bad ? check_failed++ : check_passed++;
    section = NULL;
    section_bad = false;
}

void check_begin(const char *name)
{
    finish();
    section = name;
}

void check_fail(const char *file, int line, const char *what)
{
    section_bad = true;
    fprintf(stderr, "%s:%d: %s: %s\n", file, line, section ? section : "?", what);
}

static const struct {
    const char *name;
    void (*run)(void);
} units[] = {
#define UNIT(name) { #name, name },
    UNIT_LIST
#undef UNIT
};

static bool wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], name))
            return true;
    return argc == 1;
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (!wanted(units[i].name, argc, argv))
            continue;
        units[i].run();
        finish();
    }
    printf("unit: %d passed, %d failed\n", check_passed, check_failed);
    return check_failed > 0 || check_passed == 0;
}
