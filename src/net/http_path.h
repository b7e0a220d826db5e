/* http_path.h - what the target of a request means: a path that is safe to look up below
 * a folder, and which of a listener's routes answers it. Pure text, no files. */
#ifndef NET_HTTP_PATH_H
#define NET_HTTP_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define HTTP_PATH_SIZE 1024 /* of a path with its NUL */

enum http_kind {
    HTTP_WEBSOCKET, /* an upgrade is taken here; a plain GET gets a few words */
    HTTP_FILES,     /* of a folder */
    HTTP_REPORT     /* a text that the listener's owner writes when it is asked for */
};

/* What is answered at a path and below it. */
struct http_route {
    enum http_kind kind;
    char *path;       /* "/", or like "/ws" */
    char *directory;  /* of files; else NULL */
    char *index;      /* of files: what stands for a folder; NULL: index.html */
    unsigned max_age; /* of files: s that they may be cached unasked */
    unsigned part;    /* of a WebSocket: whose rules it has (options.h) */
};

/* Decodes "/a%20b/?q=1" to "/a b/", and the absolute form of a target as well. False when
 * it is no path, or one that nobody has a reason to ask for: with control characters,
 * encoded slashes, backslashes, or segments that begin with a dot. */
bool http_path(struct slice target, char out[HTTP_PATH_SIZE]);

/* The longest route that is the path or above it, of a WebSocket or of anything; files
 * and reports come before a WebSocket at the same path. NULL when there is none. */
const struct http_route *http_route_of(const struct http_route *routes, size_t count,
                                       const char *path, bool websocket);

/* The Content-Type of a file, by the end of its name. */
const char *http_type(const char *path);

/* Whether a page from this Origin may connect: `patterns` are NULL-terminated, with * for
 * anything, and are held against the origin as it is written and with its port. */
bool http_origin_ok(const char *const *patterns, bool null_ok, struct slice origin);

#endif
