/* serve.c - the main loop of a process that is only a router, and its signals. No
 * lua_State exists here: the command line and the configuration have been read, and their
 * state closed; HUP has them read again, by a state of its own.
 *
 * Signals are noted as they come, and worked off between two turns of the loop. */
#include "serve.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/notify.h"

#define ERROR_TEXT 1400

struct serving {
    const struct serve_job *job; /* the first */
    struct host *host;
    struct server *server;
    struct places places;
    struct access_log *access; /* owned; NULL: none */
    struct host_timer watchdog;
    int ends;          /* signals that ask for the end */
    bool reload, dump; /* a signal asks for it */
    bool taken;        /* a configuration, by the reload under way */
    uint64_t grace;    /* ms */
};

/* ---- signals ----------------------------------------------------------------------- */

static void on_end(int signo, void *user)
{
    struct serving *s = user;

    if (++s->ends > 1)
        _exit(128 + signo);
}

static void on_request(int signo, void *user)
{
    struct serving *s = user;

    if (signo == SIGHUP)
        s->reload = true;
    else
        s->dump = true;
}

/* Before anybody is told that we are here. */
static void watch_signals(struct serving *s)
{
    struct loop *l = host_loop(s->host);

    loop_signal(l, SIGINT, on_end, s);
    loop_signal(l, SIGTERM, on_end, s);
    loop_signal(l, SIGUSR1, on_request, s);
    if (s->job->reload)
        loop_signal(l, SIGHUP, on_request, s);
}

static void unwatch_signals(struct serving *s)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGUSR1, SIGHUP };

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        loop_unsignal(host_loop(s->host), signals[i]);
}

static void on_watchdog(struct host_timer *t)
{
    struct serving *s =
        (struct serving *)(void *)((char *)t - offsetof(struct serving, watchdog));

    notify("WATCHDOG=1");
    host_timer_set(s->host, t, host_now(s->host) + notify_interval());
}

/* ---- one job after the other ------------------------------------------------------- */

static void show_places(const struct serving *s, const struct serve_job *job)
{
    char shown[ERROR_TEXT];

    for (size_t i = 0; i < s->places.count; i++) {
        url_format(&s->places.at[i].url, shown, sizeof shown);
        printf("%-12s %s  %s\n", "router", shown, job->config->realms[0].name);
        if (i == 0 && job->listening)
            job->listening(shown, job->user);
    }
    fflush(stdout);
}

/* Of why it cannot listen (lua/wampy/codes.lua). */
static const char *code_of(const struct conn_end *end)
{
    return end->error == CONN_TLS ? "[W411]" : "[W410]";
}

static void take(const struct serve_job *job, void *to)
{
    struct serving *s = to;
    struct conn_end end;

    if (!places_take(&s->places, s->server, job->places, &end)) {
        log_error("%s %s", end.text, code_of(&end));
        return;
    }
    server_reload(s->server, job->config);
    s->grace = job->grace;
    s->taken = true;
}

static void reload(struct serving *s)
{
    s->taken = false;
    notify_reloading();
    s->job->reload(take, s, s->job->user);
    if (s->access)
        access_log_reopen(s->access);
    if (s->taken)
        log_info("router: the configuration has been read again");
    else
        log_error("router: the configuration stays as it was [W355]");
    notify("READY=1");
}

/* What signals have asked for. */
static void attend(struct serving *s)
{
    bool again = s->reload, dump = s->dump;

    s->reload = s->dump = false;
    if (again)
        reload(s);
    if (dump)
        server_dump(s->server);
}

static void run(struct serving *s)
{
    uint64_t until;

    while (!s->ends) {
        host_turn(s->host, -1);
        attend(s);
    }
    notify("STOPPING=1");
    server_shutdown(s->server);
    until = loop_now() + s->grace;
    while (!server_idle(s->server) && loop_now() < until)
        host_turn(s->host, 20);
}

/* ---- beginning and end ------------------------------------------------------------- */

static bool open_access(struct serving *s)
{
    const char *path = s->job->access_log;

    if (!path)
        return true;
    s->access = access_log_open(path, s->job->json);
    if (!s->access) {
        log_error("access log %s: %s [W906]", path, strerror(errno));
        return false;
    }
    server_access(s->server, &(struct access_hook){ access_log_tell, s->access });
    return true;
}

/* As the prelude does under its errors (lua/wampy/codes.lua). */
static void advise(const char *code)
{
    if (!log_is_json() && isatty(STDERR_FILENO))
        fprintf(stderr, "try: wampy-lua help %.4s\n", code + 1);
}

/* The exit code, when it cannot. */
static int begin(struct serving *s)
{
    struct conn_end end;

    watch_signals(s);
    if (!open_access(s))
        return 3;
    if (!places_take(&s->places, s->server, s->job->places, &end)) {
        log_error("%s %s", end.text, code_of(&end));
        advise(code_of(&end));
        return 4;
    }
    show_places(s, s->job);
    notify("READY=1");
    s->watchdog.fire = on_watchdog;
    if (notify_interval())
        on_watchdog(&s->watchdog);
    return 0;
}

int serve(const struct serve_job *job)
{
    struct host *h = host_new(LOOP_AUTO);
    struct serving s = {
        .job = job, .host = h, .server = server_new(h, job->config), .grace = job->grace
    };
    int code;

    server_trace(s.server);
    code = begin(&s);

    if (!code)
        run(&s);
    unwatch_signals(&s);
    host_timer_clear(h, &s.watchdog);
    places_fini(&s.places);
    server_free(s.server);
    access_log_close(s.access);
    host_free(h);
    return code;
}
