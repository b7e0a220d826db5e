/* meter: what a run of the load generator reports: how many, how long, how late, at what
 * cost.
 *
 * It knows nothing of sockets or WAMP. The first `warmup` completions are not judged;
 * after them the meter reads the CPU clock of the process under test, and again at the
 * last one, so neither its start nor its idling before and after is charged to a call.
 *
 * The CPU clock is the kernel's own for the whole process (clock_getcpuclockid):
 * nanoseconds, all threads, those that have ended included.
 */
#ifndef BENCH_METER_H
#define BENCH_METER_H

#include <stdbool.h>
#include <stdint.h>

struct meter {
    uint64_t warmup, total; /* completions before judging; in all */
    uint64_t done, errors, lost;
    uint64_t started, ended;         /* ns, of the judged part */
    uint64_t cpu_started, cpu_ended; /* ns of the process under test */
    uint32_t *latency;               /* ns, one for each judged completion; owned */
    uint64_t latencies;
    int pid; /* 0: nobody is watched */
};

void meter_init(struct meter *m, uint64_t warmup, uint64_t count, int pid);
/* One completion; since is when it began, or 0 when that is unknown. */
void meter_done(struct meter *m, uint64_t since);
/* Ends the judged part before its last completion. */
void meter_end(struct meter *m);
bool meter_finished(const struct meter *m);
/* One line of JSON on standard output. */
void meter_print(struct meter *m, const char *mode);

#endif
