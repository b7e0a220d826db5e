/* load: the load generator. One process plays every peer that is not under test.
 *
 * usage: load MODE --port PORT [--OPTION VALUE]...   one line of JSON on standard output
 *
 *   call     callers, and callees unless --callees 0: then the app under test has --uri
 *   serve    answers an app that calls "bench_next" in a loop; the last answer is "stop"
 *   publish  one publisher and --subscribers of its own
 *   flood    one publisher; the app under test subscribes to "bench_event" and publishes
 *            {seq, count} to "bench_ack" for each event whose number 1,000 divides
 *   echo     frames to an echo server and back (--raw 1: without the upgrade)
 *   idle     --sessions joined sessions, kept until standard input ends; each with
 *            --topics subscriptions of its own
 *   vanish   a session of --topics subscriptions loses its link; the time to join of the
 *            next one, --count times
 *
 * With --tls 1 all of it goes over TLS. In mode call --format is that of the callers,
 * --callee_format of the callees, if it is another one.
 *
 * `serve` and `idle` say "ready" when the other side may begin; `serve` then reads the
 * process id to watch from standard input, the other modes take it from --pid.
 *
 * It knows no server by name. The idea: each mode sets peers up, hands them to the loop,
 * and its message handlers do all the rest: a completion is counted by the meter, and the
 * next is begun.
 */
#include "meter.h"
#include "peer.h"
#include "tls.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    RING = 256,         /* more than the calls under way of one peer */
    ACK_EVERY = 1000,   /* events, in flood */
    FLOOD_AHEAD = 4000, /* events that the app has not acknowledged, at most */
    EVENT_RING = 8192,  /* more than that */
    STALL = 5000,       /* ms without anything to read: the rest is lost */
    PATIENCE = 20000    /* ms for an app to come up */
};

struct options {
    const char *mode, *realm, *uri, *format, *callee_format;
    uint64_t port, pid, callers, callees, subscribers, sessions;
    uint64_t window, size, warmup, count, raw, tls, topics;
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

static struct options opt = { .realm = "realm1",
                              .uri = "bench_echo",
                              .format = "json",
                              .callers = 1,
                              .callees = 1,
                              .subscribers = 10,
                              .sessions = 1000,
                              .window = 1,
                              .size = 32,
                              .warmup = 200,
                              .count = 10000,
                              .topics = 0 };
static struct meter meter;
static struct slice payload;       /* a JSON string of opt.size characters */
static struct slice last_argument; /* payload and the end of a message */
static uint64_t begun;             /* calls, events or frames so far */
static uint64_t event_since[EVENT_RING];
static uint64_t acked, acked_count, warm_count;

/* --- helpers ------------------------------------------------------------------------ */

static void *zeroed(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (!p)
        die("out of memory");
    return p;
}

static void make_payload(void)
{
    char *p = zeroed(opt.size + 4, 1);
    memset(p, 'x', opt.size + 1);
    p[0] = '"';
    put(p + opt.size + 1, LIT("\"]]"));
    payload = text(p, opt.size + 2);
    last_argument = text(p, opt.size + 4);
}

static void join(struct peer *p, void (*on_message)(struct peer *, struct slice),
                 void *role)
{
    p->on_message = on_message;
    p->role = role;
    if (peer_connect(p, (int)opt.port) < 0)
        die("nobody answers on port %d: %s", (int)opt.port, strerror(errno));
    if (peer_join(p, opt.realm) < 0)
        die("the router refused realm %s", opt.realm);
}

/* A turn of the loop; what has not come when nothing more comes is lost. */
static void turn(void)
{
    if (loop_turn(STALL))
        return;
    meter.lost += meter.total - meter.done;
    meter_end(&meter);
}

static void run(void)
{
    while (!meter_finished(&meter))
        turn();
    meter_print(&meter, opt.mode);
}

/* The first argument of a message is the payload. */
static bool is_payload(struct slice args)
{
    return args.n >= payload.n + 2 && args.p[0] == '[' &&
           slice_is(text(args.p + 1, payload.n), payload);
}

/* --- call: callers and callees ------------------------------------------------------ */

static void call_begin(struct caller *c)
{
    char head[128], *at = put(head, LIT("[48,"));
    uint64_t id = ++c->peer.last_id;
    c->id[id % RING] = id;
    c->since[id % RING] = now_ns();
    begun++;
    at = put(put_number(at, id), LIT(",{},\""));
    at = put(put(at, text(c->uri, strlen(c->uri))), LIT("\",["));
    peer_say(&c->peer, text(head, (size_t)(at - head)), last_argument);
}

static void caller_hears(struct peer *p, struct slice message)
{
    struct caller *c = p->role;
    struct slice part[MAX_ELEMENTS];
    int n = message_split(message, part, 4);
    bool is_error = n > 0 && slice_number(part[0]) == M_ERROR;
    uint64_t id = n > 2 ? slice_number(part[is_error ? 2 : 1]) : 0;
    if (id == 0 || c->id[id % RING] != id)
        die("an answer to no call: %.*s", (int)(message.n < 200 ? message.n : 200),
            message.p);
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
    char head[64],
        *at = put(put_number(put(head, LIT("[70,")), slice_number(part[1])), LIT(",{},"));
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
    struct caller *callers = zeroed(opt.callers, sizeof *callers);
    struct peer *callees = zeroed(opt.callees + 1, sizeof *callees);
    for (uint64_t i = 0; i < opt.callees; i++) {
        char uri[64];
        snprintf(uri, sizeof uri, "bench_own_%" PRIu64, i);
        callees[i].format = format_of(opt.callee_format ? opt.callee_format : opt.format);
        join(&callees[i], callee_hears, NULL);
        peer_declare(&callees[i], M_REGISTER, uri);
        loop_add(&callees[i]);
    }
    for (uint64_t i = 0; i < opt.callers; i++) {
        struct caller *c = &callers[i];
        snprintf(c->uri, sizeof c->uri, "%s", opt.uri);
        if (opt.callees)
            snprintf(c->uri, sizeof c->uri, "bench_own_%" PRIu64, i % opt.callees);
        c->peer.format = format_of(opt.format);
        join(&c->peer, caller_hears, c);
        if (i == 0 && opt.callees == 0)
            wait_for_app(c);
        loop_add(&c->peer);
    }
    meter_init(&meter, opt.warmup, opt.count, (int)opt.pid);
    for (uint64_t i = 0; i < opt.callers; i++)
        for (uint64_t w = 0; w < opt.window && begun < meter.total; w++)
            call_begin(&callers[i]);
    run();
}

/* --- serve: the app calls ----------------------------------------------------------- */

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
             last ? LIT("\"stop\"]]") : last_argument);
}

static void mode_serve(void)
{
    static struct peer callee;
    char line[32];
    join(&callee, server_hears, NULL);
    peer_declare(&callee, M_REGISTER, "bench_next");
    loop_add(&callee);
    puts("ready");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin))
        opt.pid = strtoull(line, NULL, 10);
    meter_init(&meter, opt.warmup, opt.count, (int)opt.pid);
    run();
    loop_turn(100);
}

/* --- publish and flood -------------------------------------------------------------- */

static void event_begin(struct peer *p, uint64_t number)
{
    char head[128], *at = put_number(put(head, LIT("[16,")), ++p->last_id);
    at = put(put_number(put(at, LIT(",{},\"bench_event\",[")), number), LIT(","));
    event_since[number % EVENT_RING] = now_ns();
    peer_say(p, text(head, (size_t)(at - head)), last_argument);
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
    meter_done(&meter, event_since[number % EVENT_RING]);
}

static void mode_publish(void)
{
    static struct peer publisher;
    uint64_t fanout = opt.subscribers;
    struct subscriber *subscribers = zeroed(fanout, sizeof *subscribers);
    for (uint64_t i = 0; i < fanout; i++) {
        join(&subscribers[i].peer, subscriber_hears, &subscribers[i]);
        peer_declare(&subscribers[i].peer, M_SUBSCRIBE, "bench_event");
        loop_add(&subscribers[i].peer);
    }
    join(&publisher, NULL, NULL);
    loop_add(&publisher);
    meter_init(&meter, opt.warmup * fanout, opt.count * fanout, (int)opt.pid);
    uint64_t total = opt.warmup + opt.count;
    while (!meter_finished(&meter)) {
        while (begun < total && /* without a window all at once */
               (!opt.window || begun * fanout < meter.done + opt.window * fanout))
            event_begin(&publisher, begun++);
        turn();
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
        meter_done(&meter, acked % ACK_EVERY ? 0 : event_since[acked % EVENT_RING]);
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
    meter_init(&meter, warmup, opt.count / ACK_EVERY * ACK_EVERY, (int)opt.pid);
    while (!meter_finished(&meter)) {
        while (begun < meter.total && begun < acked + FLOOD_AHEAD)
            event_begin(&publisher, ++begun);
        turn();
    }
    if (meter.lost == 0)
        meter.lost = meter.total - meter.warmup - (acked_count - warm_count);
    meter_print(&meter, opt.mode);
}

/* --- echo --------------------------------------------------------------------------- */

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
    struct caller *callers = zeroed(opt.callers, sizeof *callers);
    for (uint64_t i = 0; i < opt.callers; i++) {
        struct peer *p = &callers[i].peer;
        p->on_message = echoer_hears;
        p->role = &callers[i];
        if ((opt.raw ? peer_connect_raw : peer_connect)(p, (int)opt.port) < 0)
            die("nobody answers on port %d: %s", (int)opt.port, strerror(errno));
        loop_add(p);
    }
    meter_init(&meter, opt.warmup, opt.count, (int)opt.pid);
    for (uint64_t i = 0; i < opt.callers; i++)
        for (uint64_t w = 0; w < opt.window && begun < meter.total; w++)
            echo_begin(&callers[i]);
    run();
}

/* --- idle --------------------------------------------------------------------------- */

static void idler_hears(struct peer *p, struct slice message)
{
    (void)p;
    (void)message;
}

/* Subscribes to opt.topics topics that nobody else has. */
static void subscribe_own(struct peer *p, uint64_t owner)
{
    char uri[64];
    for (uint64_t i = 0; i < opt.topics; i++) {
        snprintf(uri, sizeof uri, "bench.of_%" PRIu64 ".%" PRIu64, owner, i);
        peer_declare(p, M_SUBSCRIBE, uri);
    }
}

static void mode_idle(void)
{
    struct peer *idlers = zeroed(opt.sessions, sizeof *idlers);
    struct pollfd input = { .fd = 0, .events = POLLIN };
    uint64_t since = now_ns();
    for (uint64_t i = 0; i < opt.sessions; i++) {
        join(&idlers[i], idler_hears, NULL);
        subscribe_own(&idlers[i], i);
        bytes_free(&idlers[i].in);
        loop_add(&idlers[i]);
    }
    printf("ready {\"mode\":\"idle\",\"count\":%" PRIu64 ",\"elapsed_ns\":%" PRIu64 "}\n",
           opt.sessions, now_ns() - since);
    fflush(stdout);
    while (poll(&input, 1, 0) == 0)
        loop_turn(100);
}

static void mode_vanish(void)
{
    meter_init(&meter, opt.warmup, opt.count, (int)opt.pid);
    for (uint64_t i = 0; i < meter.total; i++) {
        struct peer holder = { 0 }, next = { 0 };
        join(&holder, idler_hears, NULL);
        subscribe_own(&holder, i);
        if (peer_connect(&next, (int)opt.port) < 0)
            die("nobody answers on port %d: %s", (int)opt.port, strerror(errno));
        peer_close(&holder);
        uint64_t since = now_ns();
        if (peer_join(&next, opt.realm) < 0)
            die("the router refused realm %s", opt.realm);
        meter_done(&meter, since);
        peer_close(&next);
    }
    meter_print(&meter, opt.mode);
}

/* Comes, joins and goes; one after the other. */
static void mode_join(void)
{
    meter_init(&meter, opt.warmup, opt.count, (int)opt.pid);
    for (uint64_t i = 0; i < meter.total; i++) {
        struct peer p = { 0 };
        uint64_t since = now_ns();
        join(&p, idler_hears, NULL);
        meter_done(&meter, since);
        peer_close(&p);
    }
    meter_print(&meter, opt.mode);
}

/* --- the command line --------------------------------------------------------------- */

static const struct {
    const char *name;
    uint64_t *number;
    const char **word;
} flags[] = {
    { "--port", &opt.port, NULL },
    { "--pid", &opt.pid, NULL },
    { "--realm", NULL, &opt.realm },
    { "--uri", NULL, &opt.uri },
    { "--callers", &opt.callers, NULL },
    { "--callees", &opt.callees, NULL },
    { "--window", &opt.window, NULL },
    { "--size", &opt.size, NULL },
    { "--count", &opt.count, NULL },
    { "--warmup", &opt.warmup, NULL },
    { "--raw", &opt.raw, NULL },
    { "--subscribers", &opt.subscribers, NULL },
    { "--sessions", &opt.sessions, NULL },
    { "--tls", &opt.tls, NULL },
    { "--topics", &opt.topics, NULL },
    { "--format", NULL, &opt.format },
    { "--callee_format", NULL, &opt.callee_format },
};

static void set_option(const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (strcmp(flags[i].name, name) != 0)
            continue;
        if (flags[i].word)
            *flags[i].word = value;
        else
            *flags[i].number = strtoull(value, NULL, 10);
        return;
    }
    die("no such option: %s", name);
}

static const struct {
    const char *name;
    void (*run)(void);
} modes[] = {
    { "call", mode_call },     { "serve", mode_serve }, { "publish", mode_publish },
    { "flood", mode_flood },   { "echo", mode_echo },   { "idle", mode_idle },
    { "vanish", mode_vanish }, { "join", mode_join },
};

int main(int argc, char **argv)
{
    struct rlimit files;
    if (argc < 2 || argc % 2 != 0)
        die("usage: load MODE --port PORT [--OPTION VALUE]...");
    opt.mode = argv[1];
    for (int i = 2; i < argc; i += 2)
        set_option(argv[i], argv[i + 1]);
    if (opt.port == 0 || opt.window >= RING)
        die("no port, or a window of more than %d", RING - 1);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (opt.tls)
        tls_use();
    make_payload();
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (strcmp(modes[i].name, opt.mode) != 0)
            continue;
        modes[i].run();
        return 0;
    }
    die("no such mode: %s", opt.mode);
}
