/* talk.c - runs conversations written as text: `talk FOLDER-OR-FILE...`. README.md
 * here has the format, talk.h what a driver must do.
 *
 * Each file gets a fresh machine. A file ends at its first failure, which is printed
 * with file and line. Whatever comes out of a machine must be expected: output that
 * nobody asked for fails the next line of that peer, or the end of the file. */
#include "talk.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "match.h"

/* A driver that is not linked in is NULL: each machine can be tested without the
 * other. */
#if defined(__GNUC__)
#define WEAK __attribute__((weak))
#else
#define WEAK
#endif
extern const struct talk_driver talk_session WEAK, talk_router WEAK;

#define PEERS_MAX 64

struct talk {
    const char *path;
    const struct talk_driver *driver;
    void *machine; /* owned */
    struct vars vars;
    char *peers[PEERS_MAX]; /* owned names */
    size_t peer_count;
    int line;
    bool failed;
};

static int passed, failed;

static void fail(struct talk *t, const char *fmt, ...)
{
    va_list ap;

    if (t->failed)
        return;
    t->failed = true;
    printf("%s:%d: ", t->path, t->line);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
}

/* ---- one line ---------------------------------------------------------------------- */

/* Cuts the next word off. */
static char *word(char **at)
{
    char *p = *at + strspn(*at, " \t"), *from = p;

    p += strcspn(p, " \t");
    if (*p)
        *p++ = '\0';
    *at = p + strspn(p, " \t");
    return from;
}

static void expect_silence(struct talk *t, const char *who)
{
    char *extra = t->driver->next(t->machine, who);

    if (extra)
        fail(t, "%s got %s, which nobody expected", who, extra);
    free(extra);
}

static void act(struct talk *t, const char *who, const char *what, const char *rest)
{
    char error[512] = "refused", *arg = vars_expand(&t->vars, rest);

    expect_silence(t, who);
    if (!arg)
        fail(t, "an unbound variable in: %s", rest);
    else if (!t->failed &&
             !t->driver->act(t->machine, who, what, arg, error, sizeof error))
        fail(t, "%s %s: %s", who, what, error);
    free(arg);
}

static void expect(struct talk *t, const char *who, const char *pattern)
{
    char *got = t->driver->next(t->machine, who);

    if (!got)
        fail(t, "%s got nothing, expected %s", who, pattern);
    else if (!match_text(&t->vars, pattern, got))
        fail(t, "%s got %s, expected %s", who, got, pattern);
    free(got);
}

static bool known(struct talk *t, const char *who)
{
    for (size_t i = 0; i < t->peer_count; i++)
        if (!strcmp(t->peers[i], who))
            return true;
    return false;
}

static void meet(struct talk *t, const char *who, const char *what)
{
    if (known(t, who))
        return;
    if (t->peer_count == PEERS_MAX) {
        fail(t, "more than %d peers", PEERS_MAX);
        return;
    }
    t->peers[t->peer_count++] = xstrdup(who);
    if (strcmp(what, "open") != 0)
        act(t, who, "open", "");
}

static void begin(struct talk *t, char *rest)
{
    const char *machine = word(&rest);

    if (!strcmp(machine, "session"))
        t->driver = &talk_session;
    else if (!strcmp(machine, "router"))
        t->driver = &talk_router;
    if (!t->driver)
        fail(t, "there is no machine '%s' in this build", machine);
    else if (!(t->machine = t->driver->start(rest)))
        fail(t, "bad options: %s", rest);
}

static void run_line(struct talk *t, char *text)
{
    char *who = word(&text), *what;

    if (!t->machine) {
        if (strcmp(who, "machine") != 0)
            fail(t, "the first line must be 'machine router' or 'machine session'");
        else
            begin(t, text);
        return;
    }
    if (!strcmp(who, "tick")) {
        t->driver->tick(t->machine, strtoul(text, NULL, 10));
        return;
    }
    what = word(&text);
    meet(t, who, what);
    if (t->failed)
        return;
    if (!strcmp(what, ">"))
        act(t, who, "send", text);
    else if (!strcmp(what, "<"))
        expect(t, who, text);
    else if (!strcmp(what, "silent"))
        expect_silence(t, who);
    else
        act(t, who, *what == '!' ? what + 1 : what, text);
}

/* ---- one file ---------------------------------------------------------------------- */

/* Reads a line and the indented ones that carry it on, without comments. NULL at the
 * end. */
static char *read_line(FILE *f, int *line, int *next)
{
    struct buf *b = buf_new(256);
    char *text = NULL, *s = NULL;
    size_t cap = 0;
    ssize_t n;
    int c;

    while ((c = getc(f)) != EOF) {
        ungetc(c, f);
        if (b->len && c != ' ' && c != '\t' && c != '#' && c != '\n')
            break;
        if ((n = getline(&text, &cap, f)) < 0)
            break;
        ++*next;
        if (n && text[n - 1] == '\n')
            n--;
        if (c == '#' || c == '\n')
            continue;
        if (!b->len)
            *line = *next;
        buf_append(&b, text, (size_t)n);
    }
    if (b->len)
        s = xstrndup(b->data, b->len);
    free(text);
    buf_unref(b);
    return s;
}

static void finish(struct talk *t)
{
    for (size_t i = 0; i < t->peer_count; i++) {
        if (!t->failed)
            expect_silence(t, t->peers[i]);
        free(t->peers[i]);
    }
    if (t->machine)
        t->driver->stop(t->machine);
    vars_fini(&t->vars);
}

static void run_file(const char *path)
{
    struct talk t = { .path = path };
    FILE *f = fopen(path, "r");
    int next = 0;
    char *line;

    if (!f) {
        fail(&t, "%s", strerror(errno));
    } else {
        while (!t.failed && (line = read_line(f, &t.line, &next))) {
            run_line(&t, line);
            free(line);
        }
        fclose(f);
        if (!t.machine)
            fail(&t, "nothing was said");
    }
    finish(&t);
    t.failed ? failed++ : passed++;
}

/* ---- all files --------------------------------------------------------------------- */

static bool is_talk(const char *path)
{
    size_t n = strlen(path);

    return n > 5 && !strcmp(path + n - 5, ".talk");
}

static void run_path(const char *path, bool named)
{
    struct dirent **entries = NULL;
    char child[4096];
    struct stat st;
    int n;

    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        if (named || is_talk(path))
            run_file(path);
        return;
    }
    n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        snprintf(child, sizeof child, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            run_path(child, false);
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        run_path(argv[i], true);
    printf("talk: %d passed, %d failed\n", passed, failed);
    return failed > 0 || passed == 0;
}
