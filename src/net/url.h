/* url.h - the URLs of routers: ws://host[:port][/path][?query], wss://, ws+unix:///path,
 * rs://, rss://, rs+unix:///path; IPv6 literals in brackets. Pure text, no sockets. */
#ifndef NET_URL_H
#define NET_URL_H

#include <stdbool.h>

struct url {
    char scheme[10]; /* "ws", "wss", "ws+unix", "rs", "rss", "rs+unix" */
    char host[256];  /* without brackets; empty for a unix socket */
    /* default 8080 for ws and rs, 443 for wss and rss; 0 for a unix socket */
    int port;
    /* with query; "/" by default, and always for rs and rss; the socket's path for
     * +unix */
    char path[1024];
    bool tls, unix_socket, ipv6;
    bool universal; /* of a LISTEN: for RawSocket, too */
};

/* Parses; false puts one line into `error`:
 * invalid url "…": <what> (expected ws://host[:port][/path], …). */
bool url_parse(struct url *u, const char *text, char *error, unsigned long error_size);

/* A LISTEN argument (cli.md): a URL, HOST:PORT or PORT (ws on 127.0.0.1), or one of these
 * behind "universal+": a port for WebSocket and RawSocket. */
bool url_parse_listen(struct url *u, const char *text, char *error,
                      unsigned long error_size);

/* Writes it back, "ws://[::1]:8080/path": as a client is to use it, so without
 * "universal+". */
void url_format(const struct url *u, char *out, unsigned long size);

#endif
