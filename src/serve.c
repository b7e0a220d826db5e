/* serve.c - the main loop of a process that is only a router. No lua_State exists here:
 * the command line and the configuration have been read, and their state closed. */
#include "serve.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "host.h"

#define DRAIN_MS 2000 /* for peers to answer GOODBYE */

struct serving {
    int signals;
};

static void signalled(int signo, void *user)
{
    struct serving *s = user;

    if (++s->signals > 1)
        _exit(128 + signo);
}

static bool listen_on(struct server *server, const char *text, const char *realm,
                      const struct tls_options *tls)
{
    struct ws_options o = { .ping_interval = 10000, .ping_timeout = 10000, .tls = *tls };
    struct conn_end end = { 0 };
    struct url url;
    char shown[1400];
    int port;

    if (!url_parse_listen(&url, text, shown, sizeof shown)) {
        fprintf(stderr, "error: %s\n", shown);
        return false;
    }
    port = server_listen(server, &url, &o, &end);
    if (port < 0) {
        fprintf(stderr, "error: %s\n", end.text);
        return false;
    }
    if (!url.unix_socket)
        url.port = port;
    url_format(&url, shown, sizeof shown);
    printf("%-12s %s  %s\n", "router", shown, realm);
    fflush(stdout);
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

int serve(const struct router_config *config, char *const *listen, size_t count,
          const struct tls_options *tls)
{
    struct host *h = host_new(LOOP_AUTO);
    struct server *server = server_new(h, config);
    struct serving s = { 0 };
    bool ok = true;

    /* before anybody is told that we are here */
    loop_signal(host_loop(h), SIGINT, signalled, &s);
    loop_signal(host_loop(h), SIGTERM, signalled, &s);
    for (size_t i = 0; ok && i < count; i++)
        ok = listen_on(server, listen[i], config->realms[0].name, tls);
    if (ok)
        run(h, server, &s);
    loop_unsignal(host_loop(h), SIGINT);
    loop_unsignal(host_loop(h), SIGTERM);
    server_free(server);
    host_free(h);
    return ok ? 0 : 4;
}
