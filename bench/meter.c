/* meter: see meter.h.
 *
 * It knows no clock but the kernel's monotonic one and the CPU clock of one process.
 * Latencies are all kept and sorted at the end: percentiles are exact, and the store is
 * touched in order.
 */
#include "meter.h"
#include "wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t cpu_ns(int pid)
{
    clockid_t clock;
    struct timespec t;
    if (pid == 0)
        return 0;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        die("process %d has gone", pid);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void begin(struct meter *m)
{
    m->started = now_ns();
    m->cpu_started = cpu_ns(m->pid);
}

void meter_init(struct meter *m, uint64_t warmup, uint64_t count, int pid)
{
    *m = (struct meter){ .warmup = warmup, .total = warmup + count, .pid = pid };
    m->latency = malloc(count * sizeof *m->latency);
    if (!m->latency)
        die("out of memory");
    memset(m->latency, 0, count * sizeof *m->latency);
    if (warmup == 0)
        begin(m);
}

void meter_done(struct meter *m, uint64_t since)
{
    uint64_t late = since ? now_ns() - since : 0;
    if (m->done >= m->warmup && m->done < m->total && since)
        m->latency[m->latencies++] = late > UINT32_MAX ? UINT32_MAX : (uint32_t)late;
    m->done++;
    if (m->done == m->warmup)
        begin(m);
    if (m->done == m->total)
        meter_end(m);
}

void meter_end(struct meter *m)
{
    m->done = m->total;
    m->cpu_ended = cpu_ns(m->pid);
    m->ended = now_ns();
}

bool meter_finished(const struct meter *m)
{
    return m->done >= m->total;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t percentile(const struct meter *m, uint64_t per_mille)
{
    return m->latencies ? m->latency[(m->latencies - 1) * per_mille / 1000] : 0;
}

void meter_print(struct meter *m, const char *mode)
{
    qsort(m->latency, m->latencies, sizeof *m->latency, by_size);
    printf("{\"mode\":\"%s\",\"count\":%" PRIu64 ",\"errors\":%" PRIu64
           ",\"lost\":%" PRIu64 ",\"elapsed_ns\":%" PRIu64 ",\"cpu_ns\":%" PRIu64,
           mode, m->total - m->warmup, m->errors, m->lost, m->ended - m->started,
           m->cpu_ended - m->cpu_started);
    printf(",\"p50_ns\":%u,\"p90_ns\":%u,\"p99_ns\":%u,\"max_ns\":%u}\n",
           percentile(m, 500), percentile(m, 900), percentile(m, 990),
           percentile(m, 1000));
}
