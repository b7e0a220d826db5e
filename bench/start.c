/* start: how long a service takes from its start to its first answer, and what it then
 * holds.
 *
 * usage: start PORT URI COMMAND...      one line of JSON on standard output
 *
 * It knows nothing of the service but a port and a procedure. The idea: the clock runs
 * from before the fork; then the whole of connect, upgrade, join and call is tried every
 * half millisecond until it succeeds once. Resident memory is read at that moment, and
 * the command is terminated.
 */
#include "peer.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE = 20000 /* ms */ };

static long resident_kib(pid_t pid)
{
    char path[64], line[256];
    long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmRSS: %ld", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib;
}

/* Whether the whole of connect, join and call succeeded. */
static bool answered(int port, const char *uri)
{
    struct peer p = { 0 };
    char call[128];
    struct slice reply, part[MAX_ELEMENTS];
    if (peer_connect(&p, port) < 0)
        return false;
    int n = snprintf(call, sizeof call, "[48,1,{},\"%s\",[\"you\"]]", uri);
    bool yes = peer_join(&p, "realm1") == 0 &&
               peer_ask(&p, text(call, (size_t)n), &reply) == 0 &&
               message_split(reply, part, 2) == 2 && slice_number(part[0]) == M_RESULT;
    peer_close(&p);
    return yes;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        die("usage: start PORT URI COMMAND...");
    int port = atoi(argv[1]);
    const char *uri = argv[2];
    char **command = argv + 3;
    uint64_t since = now_ns();
    pid_t pid = fork();
    if (pid == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO); /* its words are no part of the report */
        execvp(command[0], command);
        die("cannot run %s: %s", command[0], strerror(errno));
    }
    while (!answered(port, uri)) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            die("%s has ended", command[0]);
        if (now_ns() - since > (uint64_t)PATIENCE * 1000000u) {
            kill(pid, SIGKILL);
            die("no answer to %s within %d s", uri, PATIENCE / 1000);
        }
        usleep(500);
    }
    uint64_t elapsed = now_ns() - since;
    long resident = resident_kib(pid);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    printf("{\"mode\":\"start\",\"errors\":0,\"lost\":0,\"elapsed_ns\":%" PRIu64
           ",\"resident_kib\":%ld}\n",
           elapsed, resident);
}
