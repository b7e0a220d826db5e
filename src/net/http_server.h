/* http_server.h - HTTP answers to a greeting: a line of text, a report, a file. */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include "net/listener_private.h"
#include "net/ws_http.h"

/* Answers with text and hangs up. `headers` are whole lines, or "". */
void http_answer(struct greeting *g, const char *status, const char *headers,
                 const char *text);

/* Answers a GET or HEAD that is no upgrade. */
void http_serve(struct greeting *g, const struct request *r);

#endif
