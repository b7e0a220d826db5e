/* test_child.c - child processes: their streams, their end, and what they inherit. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "net/child.h"

void test_child(void);

static char error[400];

static bool spawn_with(struct child *c, const char *text, struct child_options o)
{
    char *argv[] = { "sh", "-c", (char *)text, NULL };

    o.argv = argv;
    return child_spawn(c, &o, error, sizeof error);
}

static bool spawn(struct child *c, const char *text)
{
    return spawn_with(c, text, (struct child_options){ .streams = { CHILD_PIPE } });
}

static void await(int fd, short events)
{
    struct pollfd p = { .fd = fd, .events = events };

    CHECK_INT(poll(&p, 1, 10000), 1);
}

/* Everything that it writes to its stdout. */
static const char *output(struct child *c)
{
    static char text[1000];
    size_t size = 0;
    ssize_t n = -1;

    while (n != 0 && size < sizeof text - 1) {
        n = child_read(c, CHILD_STDOUT, text + size, sizeof text - 1 - size);
        if (n < 0)
            await(c->fd[CHILD_STDOUT], POLLIN);
        else
            size += (size_t)n;
    }
    text[size] = '\0';
    return text;
}

static int end(struct child *c)
{
    await(c->pidfd, POLLIN);
    CHECK(child_reap(c, false));
    return c->code;
}

static void runs_and_ends(void)
{
    struct child c;
    char none[1];

    CHECK(spawn(&c, "read x; echo got $x; exit 3"));
    CHECK(!child_reap(&c, false));
    CHECK_INT(child_read(&c, CHILD_STDOUT, none, 1), -1);
    CHECK_INT(child_write(&c, "this\n", 5), 5);
    CHECK_STR(output(&c), "got this\n");
    CHECK_INT(end(&c), 3);
    CHECK_INT(c.pid, 0);
    CHECK(child_reap(&c, false));
    CHECK_INT(child_write(&c, "x", 1), -1);
    CHECK_INT(c.fd[CHILD_STDIN], -1);
    child_end(&c);
    child_end(&c);
    CHECK_INT(c.code, 3);
    CHECK_INT(child_read(&c, CHILD_STDOUT, none, 1), 0);
}

static void dies(void)
{
    struct child c;

    CHECK(spawn(&c, "kill -USR1 $$"));
    CHECK_INT(end(&c), 128 + SIGUSR1);
    child_end(&c);
    CHECK(spawn(&c, "exec sleep 60"));
    child_signal(&c, SIGINT, false);
    CHECK_INT(end(&c), 128 + SIGINT);
    child_signal(&c, SIGINT, true); /* to nobody */
    child_end(&c);
    CHECK(spawn(&c, "trap '' TERM; exec sleep 60"));
    child_end(&c);
    CHECK_INT(c.code, 128 + SIGKILL);
    CHECK_INT(c.pidfd, -1);
}

static void takes_its_group_along(void)
{
    struct child c;
    pid_t left;

    CHECK(spawn(&c, "sleep 60 >&- & echo $!"));
    left = (pid_t)atoi(output(&c));
    await(c.pidfd, POLLIN);
    CHECK_INT(kill(left, 0), 0);
    CHECK(child_reap(&c, true));
    child_end(&c);
    for (int i = 0; i < 1000 && kill(left, 0) == 0; i++)
        poll(NULL, 0, 10); /* init collects it */
    CHECK(kill(left, 0) < 0);
}

static void inherits_what_it_is_given(void)
{
    struct child_options o = { .streams = { CHILD_NULL, CHILD_PIPE, CHILD_STDOUT_TOO } };
    char *env[] = { "A=1", "PATH=/usr/bin:/bin", NULL };
    struct child c;

    o.env = env;
    o.cwd = "/";
    CHECK(spawn_with(&c, "cat; pwd; echo $A $HOME >&2", o));
    CHECK_STR(output(&c), "/\n1\n");
    CHECK_INT(end(&c), 0);
    child_end(&c);
}

static void works_without_standard_descriptors(void)
{
    int saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    struct child c;

    close(STDIN_FILENO);
    CHECK(spawn(&c, "cat; echo done"));
    CHECK_INT(child_write(&c, "x\n", 2), 2);
    child_shut(&c, CHILD_STDIN);
    CHECK_STR(output(&c), "x\ndone\n");
    CHECK_INT(end(&c), 0);
    child_end(&c);
    if (saved >= 0) {
        dup2(saved, STDIN_FILENO);
        close(saved);
    }
}

static void says_why_it_cannot_be_run(void)
{
    char *none[] = { "no-such-command", NULL }, *path[] = { "/no/such", NULL },
         *fine[] = { "true", NULL };
    struct child_options o = { .argv = none };
    struct child c;

    CHECK(!child_spawn(&c, &o, error, sizeof error));
    CHECK_STR(error, "cannot run \"no-such-command\": no such command in PATH");
    CHECK_INT(c.pid, 0);
    CHECK_INT(c.fd[CHILD_STDOUT], -1);
    o.argv = path;
    CHECK(!child_spawn(&c, &o, error, sizeof error));
    CHECK_STR(error, "cannot run \"/no/such\": No such file or directory");
    o.argv = fine;
    o.cwd = "/no/such";
    CHECK(!child_spawn(&c, &o, error, sizeof error));
    CHECK_STR(error, "cannot run \"true\" in the directory \"/no/such\": "
                     "No such file or directory");
}

void test_child(void)
{
    void (*former)(int) = signal(SIGPIPE, SIG_IGN);

    TEST("child: talks, ends, and its code is kept");
    runs_and_ends();
    TEST("child: a signal that ended it is told by the code");
    dies();
    TEST("child: what is left of its group is killed when asked");
    takes_its_group_along();
    TEST("child: has the directory, environment and streams that it is given");
    inherits_what_it_is_given();
    TEST("child: starts in a host whose stdin is closed");
    works_without_standard_descriptors();
    TEST("child: what cannot be run is named");
    says_why_it_cannot_be_run();
    signal(SIGPIPE, former);
}
