/* child.h - a child process: its pipes, its end, and signals to it.
 *
 * A child leads a process group of its own (a terminal's Ctrl-C is the host's alone),
 * has none of the host's descriptors but the three that it is given, and gets SIGTERM
 * when the host dies. Its end is learnt from a pidfd (Linux 5.3), so SIGCHLD stays the
 * app's. Nothing here waits, except child_spawn for the exec and child_end for a process
 * that was killed. */
#ifndef NET_CHILD_H
#define NET_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum child_stream { CHILD_STDIN, CHILD_STDOUT, CHILD_STDERR, CHILD_STREAMS };

enum child_end {
    CHILD_PIPE,      /* a pipe to the host */
    CHILD_NULL,      /* /dev/null */
    CHILD_INHERIT,   /* the host's own */
    CHILD_STDOUT_TOO /* for stderr: where stdout goes */
};

struct child_options {
    char *const *argv; /* NULL-terminated; argv[0] is looked for in the child's PATH */
    char *const *env;  /* NULL-terminated "NAME=value"; NULL: the host's */
    const char *cwd;   /* NULL: the host's */
    enum child_end streams[CHILD_STREAMS];
};

struct child {
    pid_t pid;             /* also its group; 0: none, or its end has been taken */
    int pidfd;             /* readable once it has ended; -1: none */
    int fd[CHILD_STREAMS]; /* the host's ends of the pipes, non-blocking; -1: none */
    int code; /* after its end: exit code, 128 + signal, -1 when somebody else took it */
};

/* Runs a command. False puts what is wrong into `error`; *c is then as after child_end.
 */
bool child_spawn(struct child *c, const struct child_options *o, char *error,
                 size_t error_size);

/* > 0: bytes read; 0: the end; -1: nothing now. */
ssize_t child_read(struct child *c, enum child_stream which, void *buf, size_t n);

/* >= 0: bytes taken; -1: it reads no more. */
ssize_t child_write(struct child *c, const void *p, size_t n);
void child_shut(struct child *c, enum child_stream which);

/* To the process itself, or to its whole group. Nothing once its end has been taken. */
void child_signal(struct child *c, int signo, bool group);

/* Whether it has ended: then its end is taken and `code` is set. With `group`, what is
 * left of its process group is killed first. */
bool child_reap(struct child *c, bool group);

/* Kills the group if the child still runs, and closes everything. Safe twice. */
void child_end(struct child *c);

#endif
