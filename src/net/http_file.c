/* http_file.c - finding a file below a folder. See http_file.h.
 *
 * That nothing outside of the folder is found is the kernel's work: openat2 with
 * RESOLVE_BENEATH refuses whatever would leave it, by "..", by an absolute path or by a
 * symbolic link, and there is no moment between a check and the opening.
 *
 * Not known here: requests, and how a file is sent. */
#include "net/http_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "net/http_path.h"

static int open_beneath(const char *directory, const char *path)
{
    struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    int dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;

    if (dir < 0) {
        log_warn("%s: %s", directory, strerror(errno));
        return -1;
    }
    fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
    if (fd < 0 && (errno == ENOSYS || errno == EMFILE || errno == ENFILE))
        log_warn("%s/%s: %s", directory, path, strerror(errno));
    close(dir);
    return fd;
}

static void write_date(time_t t, char out[HTTP_DATE_SIZE])
{
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(out, HTTP_DATE_SIZE, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

void http_date_now(char out[HTTP_DATE_SIZE])
{
    write_date(time(NULL), out);
}

static enum http_found describe(struct http_file *f)
{
    struct stat st;

    if (fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode)) {
        f->size = st.st_size;
        write_date(st.st_mtime, f->modified);
        snprintf(f->tag, sizeof f->tag, "\"%llx-%lx-%llx\"",
                 (unsigned long long)st.st_mtim.tv_sec, (unsigned long)st.st_mtim.tv_nsec,
                 (unsigned long long)st.st_size);
        return HTTP_FOUND;
    }
    close(f->fd);
    f->fd = -1;
    return S_ISDIR(st.st_mode) ? HTTP_FOLDER : HTTP_MISSING;
}

enum http_found http_file_open(struct http_file *f, const char *directory,
                               const char *path, const char *index)
{
    char name[HTTP_PATH_SIZE * 2];
    size_t n = strlen(path);
    bool folder = !n || path[n - 1] == '/';
    int size = snprintf(name, sizeof name, "%s%s", path, folder ? index : "");

    if (size < 0 || (size_t)size >= sizeof name)
        return HTTP_MISSING;
    f->type = http_type(name);
    f->fd = open_beneath(directory, name);
    return f->fd < 0 ? HTTP_MISSING : describe(f);
}

/* Whether the tag is among those of the list, each perhaps weak. */
static bool lists_tag(struct slice list, const char *tag)
{
    size_t n = strlen(tag);

    return slice_is(list, "*") || (list.n >= n && memmem(list.p, list.n, tag, n));
}

/* A date is held against ours as text: who has the file got it from us. */
bool http_file_unchanged(const struct http_file *f, struct slice none_match,
                         struct slice modified_since)
{
    if (none_match.p)
        return lists_tag(none_match, f->tag);
    return modified_since.p && slice_is(modified_since, f->modified);
}
