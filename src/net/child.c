/* child.c - child processes. See child.h.
 *
 * fork and exec, not posix_spawn: the signal at the host's death has to be asked for by
 * the child itself. Between the two only what is safe in a signal handler is called. A
 * failed exec is told to the host through a pipe that a successful one closes.
 *
 * A group may be signalled until its leader's end is taken: up to then the number cannot
 * belong to anybody else. So leftovers are killed first, and the end is taken after. */
#include "net/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILL_WAIT 1000 /* ms that a killed process may take to be gone */

struct failure { /* why there is no child; the child itself tells the last two */
    int error;   /* errno */
    enum stage { STAGE_START, STAGE_WATCH, STAGE_CWD, STAGE_EXEC } stage;
};

/* ---- descriptors ------------------------------------------------------------------- */

static void shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* 0, 1 and 2 may be free in a host whose own are closed; dup2 in the child would then
 * overwrite what it still needs. */
static int above_standard(int fd)
{
    int high;

    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(fd);
    return high;
}

static bool open_pipe(int *reading, int *writing)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    *reading = above_standard(ends[0]);
    *writing = above_standard(ends[1]);
    return *reading >= 0 && *writing >= 0;
}

/* Opens both ends of one stream: the host's in *ours, the child's in *theirs. */
static bool open_stream(enum child_stream which, enum child_end end, int *ours,
                        int *theirs)
{
    switch (end) {
    case CHILD_PIPE:
        if (!(which == CHILD_STDIN ? open_pipe(theirs, ours) : open_pipe(ours, theirs)))
            return false;
        return fcntl(*ours, F_SETFL, O_NONBLOCK) == 0;
    case CHILD_NULL:
        *theirs = above_standard(open("/dev/null", O_RDWR | O_CLOEXEC));
        return *theirs >= 0;
    case CHILD_INHERIT:
    case CHILD_STDOUT_TOO:
        break; /* move_streams finds it */
    }
    return true;
}

/* ---- in the child ------------------------------------------------------------------ */

static void move_streams(const struct child_options *o, const int theirs[CHILD_STREAMS])
{
    for (int i = 0; i < CHILD_STREAMS; i++) {
        if (o->streams[i] == CHILD_STDOUT_TOO)
            dup2(STDOUT_FILENO, i);
        else if (o->streams[i] != CHILD_INHERIT)
            dup2(theirs[i], i);
    }
    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC); /* the app's files, too */
}

/* Ignoring SIGPIPE is the host's taste, and a mask is inherited. */
static void clear_signals(void)
{
    sigset_t none;

    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void become(const struct child_options *o,
                             const int theirs[CHILD_STREAMS], int report, pid_t host)
{
    struct failure f;

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != host)
        _exit(128 + SIGTERM); /* it died before it could be asked for */
    clear_signals();
    move_streams(o, theirs);
    if (o->cwd && chdir(o->cwd) < 0) {
        f = (struct failure){ errno, STAGE_CWD };
    } else {
        if (o->env)
            environ = (char **)o->env;
        execvp(o->argv[0], o->argv);
        f = (struct failure){ errno, STAGE_EXEC };
    }
    if (write(report, &f, sizeof f) < 0)
        _exit(126);
    _exit(127);
}

/* ---- starting ---------------------------------------------------------------------- */

static bool fail(const struct child_options *o, const struct failure *f, char *error,
                 size_t size)
{
    const char *name = o->argv[0], *why = strerror(f->error);

    if (f->stage == STAGE_CWD)
        snprintf(error, size, "cannot run \"%s\" in the directory \"%s\": %s", name,
                 o->cwd, why);
    else if (f->stage == STAGE_WATCH)
        snprintf(error, size,
                 "cannot run \"%s\": its end cannot be watched here (pidfd_open: %s)",
                 name, why);
    else if (f->stage == STAGE_EXEC && f->error == ENOENT && !strchr(name, '/'))
        snprintf(error, size, "cannot run \"%s\": no such command in PATH", name);
    else
        snprintf(error, size, "cannot run \"%s\": %s", name, why);
    return false;
}

/* Of one that is no good, and has no pidfd to wait with: it is gone in a moment. */
static void collect(struct child *c)
{
    if (c->pid > 0) {
        kill(c->pid, SIGKILL);
        while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    c->pid = 0;
}

/* Forks and waits for the exec. */
static bool start(struct child *c, const struct child_options *o,
                  const int theirs[CHILD_STREAMS], struct failure *f)
{
    int told = -1, report = -1;
    pid_t host = getpid();
    ssize_t n = -1;

    if (open_pipe(&told, &report) && (c->pid = fork()) == 0)
        become(o, theirs, report, host);
    f->error = errno;
    shut(&report);
    while (c->pid > 0 && (n = read(told, f, sizeof *f)) < 0 && errno == EINTR)
        continue;
    shut(&told);
    if (n == 0) {
        c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
        *f = (struct failure){ errno, STAGE_WATCH };
    }
    if (c->pidfd < 0)
        collect(c);
    return c->pidfd >= 0;
}

bool child_spawn(struct child *c, const struct child_options *o, char *error,
                 size_t error_size)
{
    int theirs[CHILD_STREAMS] = { -1, -1, -1 };
    struct failure f = { 0 };
    bool ok = true;

    *c = (struct child){ .pidfd = -1, .fd = { -1, -1, -1 } };
    for (int i = 0; ok && i < CHILD_STREAMS; i++)
        ok = open_stream((enum child_stream)i, o->streams[i], &c->fd[i], &theirs[i]);
    if (ok)
        ok = start(c, o, theirs, &f);
    else
        f.error = errno;
    for (int i = 0; i < CHILD_STREAMS; i++)
        shut(&theirs[i]);
    if (ok)
        return true;
    child_end(c);
    return fail(o, &f, error, error_size);
}

/* ---- talking ----------------------------------------------------------------------- */

static bool again(void)
{
    return errno == EAGAIN || errno == EINTR;
}

ssize_t child_read(struct child *c, enum child_stream which, void *buf, size_t n)
{
    ssize_t got = c->fd[which] < 0 ? 0 : read(c->fd[which], buf, n);

    if (got >= 0)
        return got;
    return again() ? -1 : 0;
}

ssize_t child_write(struct child *c, const void *p, size_t n)
{
    ssize_t taken = c->fd[CHILD_STDIN] < 0 ? -1 : write(c->fd[CHILD_STDIN], p, n);

    if (taken >= 0)
        return taken;
    if (c->fd[CHILD_STDIN] >= 0 && again())
        return 0;
    child_shut(c, CHILD_STDIN);
    return -1;
}

void child_shut(struct child *c, enum child_stream which)
{
    shut(&c->fd[which]);
}

/* ---- ending ------------------------------------------------------------------------ */

void child_signal(struct child *c, int signo, bool group)
{
    if (!c->pid)
        return;
    if (group)
        kill(-c->pid, signo);
    kill(c->pid, signo); /* it may have left its group */
}

static int code_of(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static bool has_ended(const struct child *c)
{
    siginfo_t info = { 0 };

    if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
        return errno == ECHILD;
    return info.si_pid == c->pid;
}

bool child_reap(struct child *c, bool group)
{
    int status;

    if (!c->pid)
        return true;
    if (!has_ended(c))
        return false;
    if (group)
        kill(-c->pid, SIGKILL);
    c->code = waitpid(c->pid, &status, WNOHANG) == c->pid ? code_of(status) : -1;
    c->pid = 0;
    return true;
}

void child_end(struct child *c)
{
    struct pollfd end = { .fd = c->pidfd, .events = POLLIN };

    if (!child_reap(c, true)) {
        child_signal(c, SIGKILL, true);
        poll(&end, 1, KILL_WAIT);
        child_reap(c, true);
        c->pid = 0;
    }
    for (int i = 0; i < CHILD_STREAMS; i++)
        child_shut(c, (enum child_stream)i);
    shut(&c->pidfd);
}
