/* serve.c - the main loop of a process that is only a router. No lua_State exists here:
 * the command line and the configuration have been read, and their state closed. */
#include "serve.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "host.h"

#define DRAIN_MS 2000 /* for peers to answer GOODBYE */
#define URL_TEXT 1400 /* the longest URL, or why there is none */

struct serving {
    int signals;
};

static void signalled(int signo, void *user)
{
    struct serving *s = user;

    if (++s->signals > 1)
        _exit(128 + signo);
}

/* Puts the URL it listens on into `shown`, or why it does not. */
static bool listen_on(struct server *server, const struct serve_place *place, char *shown,
                      size_t size)
{
    struct conn_end end = { 0 };
    struct url url;
    struct listener *ln;

    if (!url_parse_listen(&url, place->listen, shown, size))
        return false;
    ln = server_listen(server, &url, &place->options, &end);
    if (!ln) {
        snprintf(shown, size, "%s", end.text);
        return false;
    }
    if (!url.unix_socket)
        url.port = listener_port(ln);
    url_format(&url, shown, size);
    return true;
}

static bool listen_on_all(struct server *server, const struct serve_job *job)
{
    char shown[URL_TEXT], first[URL_TEXT] = "";

    for (size_t i = 0; i < job->count; i++) {
        if (!listen_on(server, &job->places[i], shown, sizeof shown)) {
            log_error("%s", shown);
            return false;
        }
        printf("%-12s %s  %s\n", "router", shown, job->config->realms[0].name);
        if (i == 0)
            memcpy(first, shown, sizeof first);
    }
    fflush(stdout);
    if (job->listening)
        job->listening(first, job->user);
    return true;
}

static void run(struct host *h, struct server *server, struct serving *s)
{
    uint64_t until;

    while (!s->signals)
        host_turn(h, -1);
    server_shutdown(server);
    until = loop_now() + DRAIN_MS;
    while (!server_idle(server) && loop_now() < until)
        host_turn(h, 20);
}

int serve(const struct serve_job *job)
{
    struct host *h = host_new(LOOP_AUTO);
    struct server *server = server_new(h, job->config);
    struct serving s = { 0 };
    bool ok;

    /* before anybody is told that we are here */
    loop_signal(host_loop(h), SIGINT, signalled, &s);
    loop_signal(host_loop(h), SIGTERM, signalled, &s);
    ok = listen_on_all(server, job);
    if (ok)
        run(h, server, &s);
    loop_unsignal(host_loop(h), SIGINT);
    loop_unsignal(host_loop(h), SIGTERM);
    server_free(server);
    host_free(h);
    return ok ? 0 : 4;
}
