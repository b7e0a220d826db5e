/* http_file.h - a file below a folder, for whoever asks by HTTP. */
#ifndef NET_HTTP_FILE_H
#define NET_HTTP_FILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"

#define HTTP_DATE_SIZE 32
#define HTTP_TAG_SIZE 48

enum http_found { HTTP_FOUND, HTTP_MISSING, HTTP_FOLDER };

struct http_file {
    int fd;                        /* owned */
    off_t size;                    /* bytes */
    const char *type;              /* Content-Type */
    char modified[HTTP_DATE_SIZE]; /* as HTTP writes it */
    char tag[HTTP_TAG_SIZE];       /* ETag, with its quotes */
};

/* Opens a file by a path that http_path has passed; a path that ends in "/", or is empty,
 * means the file `index` of that folder. Symbolic links lead to what is in the folder,
 * and nowhere else. Only plain files are found; a folder without its "/" is
 * HTTP_FOLDER. */
enum http_found http_file_open(struct http_file *f, const char *directory,
                               const char *path, const char *index);

/* Whether the peer has it as it is: by its If-None-Match or else If-Modified-Since, which
 * may be absent. */
bool http_file_unchanged(const struct http_file *f, struct slice none_match,
                         struct slice modified_since);

/* The time of day as HTTP writes it. */
void http_date_now(char out[HTTP_DATE_SIZE]);

#endif
