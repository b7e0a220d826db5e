/* load: the load generator. One process plays every peer that is not under test.
 *
 * usage: load MODE --port PORT [options]       one line of JSON on standard output
 *
 *   call     callers, and callees unless --callees 0, when the app under test answers --uri
 *   serve    answers an app that calls "bench_next" in a loop; the last answer is "stop"
 *   publish  one publisher and --subscribers of its own
 *   flood    one publisher; the app under test subscribes to "bench_event" and publishes
 *            {seq, count} to "bench_ack" for each event whose number 1,000 divides
 *   echo     frames to an echo server and back (--raw: without the upgrade)
 *   idle     --sessions joined sessions, kept until standard input ends
 *   start    runs the command after "--"; from then to its first answer to --uri
 *
 * `serve` and `idle` say "ready" when the other side may begin; `serve` then reads the process id
 * to watch from standard input, the other modes take it from --pid.
 *
 * It knows no server by name. The idea: each mode sets peers up, hands them to the loop, and its
 * message handlers do all the rest: a completion is counted by the meter, and the next is begun.
 */
#include "meter.h"
#include "peer.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    RING = 256,        /* calls or events under way of one peer, at most */
    ACK_EVERY = 1000,  /* events, in flood */
    FLOOD_AHEAD = 4000, /* events that the app has not acknowledged, at most */
    STALL = 10000,     /* ms without anything to read: the rest is lost */
    PATIENCE = 20000   /* ms for an app to come up */
};

struct options {
    const char *mode, *realm, *uri;
    char *const *command;
    int port, pid, callers, callees, subscribers, sessions;
    uint64_t window, size, warmup, count;
    bool raw;
};

struct caller {
    struct peer peer;
    uint64_t id[RING], since[RING];
    char uri[64];
};

struct subscriber {
    struct peer peer;
    uint64_t next; /* number of the event that is due */
};

static struct options opt = { .realm = "realm1", .uri = "bench_echo", .callers = 1,
                              .callees = 1, .subscribers = 10, .sessions = 1000,
                              .window = 1, .size = 32, .warmup = 200, .count = 10000 };
static struct meter meter;
static struct slice payload; /* a JSON string of opt.size characters */
static uint64_t begun;       /* calls, events or frames so far */
static uint64_t event_since[RING * 32];
static uint64_t acked, acked_count, warm_count;
static const char *serve_tail;

/* --- helpers --------------------------------------------------------------------------------- */

static void *zeroed(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (!p)
        die("out of memory");
    return p;
}

static struct slice quoted(uint64_t size)
{
    char *p = zeroed(size + 3, 1);
    memset(p, 'x', size + 2);
    p[0] = p[size + 1] = '"';
    return text(p, size + 2);
}

static void join(struct peer *p, void (*on_message)(struct peer *, struct slice), void *role)
{
    p->on_message = on_message;
    p->role = role;
    if (peer_connect(p, opt.port) < 0)
        die("nobody answers on port %d: %s", opt.port, strerror(errno));
    if (peer_join(p, opt.realm) < 0)
        die("the router refused realm %s", opt.realm);
}

static void run(void)
{
    while (!meter_finished(&meter)) {
        if (loop_turn(STALL))
            continue;
        meter.lost += meter.total - meter.done;
        die("nothing for %d s after %" PRIu64 " of %" PRIu64, STALL / 1000, meter.done,
            meter.total);
    }
    meter_print(&meter, opt.mode);
}

/* The arguments of a message are exactly the payload. */
static bool is_payload(struct slice args)
{
    return args.n >= payload.n + 2 && args.p[0] == '[' &&
           slice_is(text(args.p + 1, payload.n), payload);
}

/* --- call: callers and callees --------------------------------------------------------------- */

static void call_begin(struct caller *c)
{
    char head[128], *at = put(head, LIT("[48,"));
    uint64_t id = ++c->peer.last_id;
    c->id[id % RING] = id;
    c->since[id % RING] = now_ns();
    begun++;
    at = put(put_number(at, id), LIT(",{},\""));
    at = put(put(at, text(c->uri, strlen(c->uri))), LIT("\",["));
    at = put(at, LIT(""));
    static struct slice tail; /* payload and two brackets */
    if (!tail.p) {
        char *p = zeroed(payload.n + 2, 1);
        put(put(p, payload), LIT("]]"));
        tail = text(p, payload.n + 2);
    }
    peer_say(&c->peer, text(head, (size_t)(at - head)), tail);
}

static void caller_hears(struct peer *p, struct slice message)
{
    struct caller *c = p->role;
    struct slice part[MAX_ELEMENTS];
    int n = message_split(message, part, 4);
    bool is_error = n > 0 && slice_number(part[0]) == M_ERROR;
    uint64_t id = n > 2 ? slice_number(part[is_error ? 2 : 1]) : 0;
    if (id == 0 || c->id[id % RING] != id)
        die("an answer to no call: %.*s", (int)(message.n < 200 ? message.n : 200), message.p);
    if (is_error || n < 4 || !is_payload(part[3]))
        meter.errors++;
    c->id[id % RING] = 0;
    meter_done(&meter, c->since[id % RING]);
    if (begun < meter.total)
        call_begin(c);
}

static void callee_hears(struct peer *p, struct slice message)
{
    struct slice part[MAX_ELEMENTS];
    int n = message_split(message, part, 5);
    if (n < 5 || slice_number(part[0]) != M_INVOCATION)
        die("not an invocation: %.*s", (int)message.n, message.p);
    char head[64], *at = put(put_number(put(head, LIT("[70,")), slice_number(part[1])),
                             LIT(",{},"));
    peer_say(p, text(head, (size_t)(at - head)), text(part[4].p, part[4].n + 1));
}

/* Calls again until the procedure is there. */
static void wait_for_app(struct caller *c)
{
    char call[128];
    struct slice reply, part[MAX_ELEMENTS];
    uint64_t until = now_ns() + (uint64_t)PATIENCE * 1000000u;
    do {
        int n = snprintf(call, sizeof call, "[48,%" PRIu64 ",{},\"%s\",[0]]",
                         ++c->peer.last_id, c->uri);
        if (peer_ask(&c->peer, text(call, (size_t)n), &reply) < 0 ||
            message_split(reply, part, 2) < 2)
            die("the router has closed a connection");
        if (slice_number(part[0]) == M_RESULT)
            return;
        usleep(20000);
    } while (now_ns() < until);
    die("no answer to %s within %d s", c->uri, PATIENCE / 1000);
}

static void mode_call(void)
{
    struct caller *callers = zeroed((size_t)opt.callers, sizeof *callers);
    struct peer *callees = zeroed((size_t)opt.callees + 1, sizeof *callees);
    for (int i = 0; i < opt.callees; i++) {
        char uri[64];
        snprintf(uri, sizeof uri, "bench_own_%d", i);
        join(&callees[i], callee_hears, NULL);
        peer_declare(&callees[i], M_REGISTER, uri);
        loop_add(&callees[i]);
    }
    for (int i = 0; i < opt.callers; i++) {
        struct caller *c = &callers[i];
        snprintf(c->uri, sizeof c->uri, "%s", opt.uri);
        if (opt.callees)
            snprintf(c->uri, sizeof c->uri, "bench_own_%d", i % opt.callees);
        join(&c->peer, caller_hears, c);
        if (i == 0 && opt.callees == 0)
            wait_for_app(c);
        loop_add(&c->peer);
    }
    meter_init(&meter, opt.warmup, opt.count, opt.pid);
    for (int i = 0; i < opt.callers; i++)
        for (uint64_t w = 0; w < opt.window && begun < meter.total; w++)
            call_begin(&callers[i]);
    run();
}

/* --- serve: the app calls -------------------------------------------------------------------- */

static void server_hears(struct peer *p, struct slice message)
{
    static uint64_t since;
    struct slice part[MAX_ELEMENTS];
    if (message_split(message, part, 5) < 5 || slice_number(part[0]) != M_INVOCATION)
        die("not an invocation: %.*s", (int)message.n, message.p);
    meter_done(&meter, since);
    since = now_ns();
    char head[64], *at = put(put_number(put(head, LIT("[70,")), slice_number(part[1])),
                             LIT(",{},["));
    bool last = meter_finished(&meter);
    peer_say(p, text(head, (size_t)(at - head)),
             last ? LIT("\"stop\"]]") : text(serve_tail, strlen(serve_tail)));
}

static void mode_serve(void)
{
    static struct peer callee;
    char line[32], *tail = zeroed(payload.n + 3, 1);
    put(put(tail, payload), LIT("]]"));
    serve_tail = tail;
    join(&callee, server_hears, NULL);
    peer_declare(&callee, M_REGISTER, "bench_next");
    loop_add(&callee);
    puts("ready");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin))
        opt.pid = atoi(line);
    meter_init(&meter, opt.warmup, opt.count, opt.pid);
    run();
    loop_turn(100);
}

/* --- publish and flood ----------------------------------------------------------------------- */

static void event_begin(struct peer *p, uint64_t number)
{
    char head[128], *at = put_number(put(head, LIT("[16,")), ++p->last_id);
    at = put_number(put(at, LIT(",{},\"bench_event\",[")), number);
    static struct slice tail;
    if (!tail.p) {
        char *q = zeroed(payload.n + 3, 1);
        put(put(put(q, LIT(",")), payload), LIT("]]"));
        tail = text(q, payload.n + 3);
    }
    event_since[number % (RING * 32)] = now_ns();
    peer_say(p, text(head, (size_t)(at - head)), tail);
}

static void subscriber_hears(struct peer *p, struct slice message)
{
    struct subscriber *s = p->role;
    struct slice part[MAX_ELEMENTS];
    if (message_split(message, part, 5) < 5 || slice_number(part[0]) != M_EVENT)
        die("not an event: %.*s", (int)message.n, message.p);
    uint64_t number = 0;
    for (const char *at = part[4].p + 1; *at >= '0' && *at <= '9'; at++)
        number = number * 10 + (uint64_t)(*at - '0');
    if (number < s->next)
        meter.errors++;
    for (; s->next < number; s->next++) {
        meter.lost++;
        meter_done(&meter, 0);
    }
    s->next = number + 1;
    meter_done(&meter, event_since[number % (RING * 32)]);
}

static void mode_publish(void)
{
    static struct peer publisher;
    uint64_t fanout = (uint64_t)opt.subscribers;
    struct subscriber *subscribers = zeroed(fanout, sizeof *subscribers);
    for (uint64_t i = 0; i < fanout; i++) {
        join(&subscribers[i].peer, subscriber_hears, &subscribers[i]);
        peer_declare(&subscribers[i].peer, M_SUBSCRIBE, "bench_event");
        loop_add(&subscribers[i].peer);
    }
    join(&publisher, NULL, NULL);
    loop_add(&publisher);
    meter_init(&meter, opt.warmup * fanout, opt.count * fanout, opt.pid);
    uint64_t total = opt.warmup + opt.count;
    while (!meter_finished(&meter)) {
        while (begun < total && begun * fanout < meter.done + opt.window * fanout)
            event_begin(&publisher, begun++);
        if (!loop_turn(STALL))
            die("nothing for %d s after %" PRIu64 " events of %" PRIu64, STALL / 1000,
                meter.done, meter.total);
    }
    meter_print(&meter, opt.mode);
}

static uint64_t key_number(struct slice message, struct slice key)
{
    const char *at = memmem(message.p, message.n, key.p, key.n);
    const char *end = message.p + message.n;
    uint64_t n = 0;
    for (at = at ? at + key.n : end; at < end && (*at == ' ' || *at == ':'); at++)
        ;
    for (; at < end && *at >= '0' && *at <= '9'; at++)
        n = n * 10 + (uint64_t)(*at - '0');
    return n;
}

static void flooder_hears(struct peer *p, struct slice message)
{
    (void)p;
    uint64_t seq = key_number(message, LIT("\"seq\""));
    acked_count = key_number(message, LIT("\"count\""));
    while (acked < seq) {
        acked++;
        meter_done(&meter, acked % ACK_EVERY ? 0 : event_since[acked % (RING * 32)]);
    }
    if (seq == meter.warmup)
        warm_count = acked_count;
}

static void mode_flood(void)
{
    static struct peer publisher;
    uint64_t until = now_ns() + (uint64_t)PATIENCE * 1000000u;
    join(&publisher, flooder_hears, NULL);
    peer_declare(&publisher, M_SUBSCRIBE, "bench_ack");
    loop_add(&publisher);
    do {
        if (now_ns() > until)
            die("no bench_ack within %d s", PATIENCE / 1000);
        event_begin(&publisher, 0);
    } while (!loop_turn(20));
    uint64_t warmup = (opt.warmup + ACK_EVERY - 1) / ACK_EVERY * ACK_EVERY;
    meter_init(&meter, warmup, opt.count / ACK_EVERY * ACK_EVERY, opt.pid);
    while (!meter_finished(&meter)) {
        while (begun < meter.total && begun < acked + FLOOD_AHEAD)
            event_begin(&publisher, ++begun);
        if (!loop_turn(STALL))
            die("no bench_ack after event %" PRIu64 " of %" PRIu64, acked, meter.total);
    }
    meter.lost = meter.total - meter.warmup - (acked_count - warm_count);
    meter_print(&meter, opt.mode);
}

/* --- echo ------------------------------------------------------------------------------------ */

static void echo_begin(struct caller *c)
{
    c->since[++c->peer.last_id % RING] = now_ns();
    begun++;
    peer_say(&c->peer, payload, LIT(""));
}

/* id[0] counts what has come back: answers are in order. */
static void echoer_hears(struct peer *p, struct slice message)
{
    struct caller *c = p->role;
    if (!slice_is(message, payload))
        meter.errors++;
    meter_done(&meter, c->since[++c->id[0] % RING]);
    if (begun < meter.total)
        echo_begin(c);
}

static void mode_echo(void)
{
    struct caller *callers = zeroed((size_t)opt.callers, sizeof *callers);
    for (int i = 0; i < opt.callers; i++) {
        struct peer *p = &callers[i].peer;
        p->on_message = echoer_hears;
        p->role = &callers[i];
        if ((opt.raw ? peer_connect_raw : peer_connect)(p, opt.port) < 0)
            die("nobody answers on port %d: %s", opt.port, strerror(errno));
        loop_add(p);
    }
    meter_init(&meter, opt.warmup, opt.count, opt.pid);
    for (int i = 0; i < opt.callers; i++)
        for (uint64_t w = 0; w < opt.window && begun < meter.total; w++)
            echo_begin(&callers[i]);
    run();
}

/* --- idle ------------------------------------------------------------------------------------ */

static void idler_hears(struct peer *p, struct slice message)
{
    (void)p;
    (void)message;
}

static void mode_idle(void)
{
    struct peer *idlers = zeroed((size_t)opt.sessions, sizeof *idlers);
    struct pollfd input = { .fd = 0, .events = POLLIN };
    uint64_t since = now_ns();
    for (int i = 0; i < opt.sessions; i++) {
        join(&idlers[i], idler_hears, NULL);
        bytes_free(&idlers[i].in);
        loop_add(&idlers[i]);
    }
    printf("ready {\"mode\":\"idle\",\"count\":%d,\"elapsed_ns\":%" PRIu64 "}\n",
           opt.sessions, now_ns() - since);
    fflush(stdout);
    while (poll(&input, 1, 0) == 0)
        loop_turn(100);
}

/* --- start ----------------------------------------------------------------------------------- */

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
static bool answered(void)
{
    struct peer p = { 0 };
    char call[128];
    struct slice reply, part[MAX_ELEMENTS];
    if (peer_connect(&p, opt.port) < 0)
        return false;
    int n = snprintf(call, sizeof call, "[48,1,{},\"%s\",[\"you\"]]", opt.uri);
    bool yes = peer_join(&p, opt.realm) == 0 &&
               peer_ask(&p, text(call, (size_t)n), &reply) == 0 &&
               message_split(reply, part, 2) == 2 && slice_number(part[0]) == M_RESULT;
    peer_close(&p);
    return yes;
}

static void mode_start(void)
{
    uint64_t since = now_ns();
    pid_t pid = fork();
    if (pid == 0) {
        execvp(opt.command[0], opt.command);
        die("cannot run %s: %s", opt.command[0], strerror(errno));
    }
    while (!answered()) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            die("%s has ended", opt.command[0]);
        if (now_ns() - since > (uint64_t)PATIENCE * 1000000u) {
            kill(pid, SIGKILL);
            die("no answer to %s within %d s", opt.uri, PATIENCE / 1000);
        }
        usleep(500);
    }
    uint64_t elapsed = now_ns() - since;
    long resident = resident_kib(pid);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    printf("{\"mode\":\"start\",\"elapsed_ns\":%" PRIu64 ",\"resident_kib\":%ld}\n", elapsed,
           resident);
}

/* --- the command line ------------------------------------------------------------------------ */

static const struct option flags[] = {
    { "port", 1, NULL, 'p' },    { "pid", 1, NULL, 'P' },      { "realm", 1, NULL, 'r' },
    { "uri", 1, NULL, 'u' },     { "callers", 1, NULL, 'n' },  { "callees", 1, NULL, 'm' },
    { "window", 1, NULL, 'w' },  { "size", 1, NULL, 's' },     { "count", 1, NULL, 'c' },
    { "warmup", 1, NULL, 'W' },  { "subscribers", 1, NULL, 'S' },
    { "sessions", 1, NULL, 'i' }, { "raw", 0, NULL, 'R' },     { NULL, 0, NULL, 0 }
};

static void set_option(int flag, const char *value)
{
    long n = value ? strtol(value, NULL, 10) : 0;
    switch (flag) {
    case 'p': opt.port = (int)n; break;
    case 'P': opt.pid = (int)n; break;
    case 'r': opt.realm = value; break;
    case 'u': opt.uri = value; break;
    case 'n': opt.callers = (int)n; break;
    case 'm': opt.callees = (int)n; break;
    case 'w': opt.window = (uint64_t)n; break;
    case 's': opt.size = (uint64_t)n; break;
    case 'c': opt.count = (uint64_t)n; break;
    case 'W': opt.warmup = (uint64_t)n; break;
    case 'S': opt.subscribers = (int)n; break;
    case 'i': opt.sessions = (int)n; break;
    case 'R': opt.raw = true; break;
    default: exit(2);
    }
}

static const struct {
    const char *name;
    void (*run)(void);
} modes[] = {
    { "call", mode_call },   { "serve", mode_serve }, { "publish", mode_publish },
    { "flood", mode_flood }, { "echo", mode_echo },   { "idle", mode_idle },
    { "start", mode_start },
};

int main(int argc, char **argv)
{
    struct rlimit files;
    int flag;
    while ((flag = getopt_long(argc, argv, "", flags, NULL)) != -1)
        set_option(flag, optarg);
    if (optind == argc || opt.port == 0 || opt.window > RING / 2)
        die("usage: load MODE --port PORT [options]");
    opt.mode = argv[optind];
    opt.command = argv + optind + 1;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    payload = quoted(opt.size);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (strcmp(modes[i].name, opt.mode) != 0)
            continue;
        modes[i].run();
        return 0;
    }
    die("no such mode: %s", opt.mode);
}
