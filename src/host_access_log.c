/* host_access_log.c - the access log: a line for each that comes or goes, as text
 * (key=value) or JSON. See host.h.
 *
 * A line is written whole, at once. What peers have said is quoted, so that nobody can
 * write a line that is not his. No line has what a message says, nor a proof. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "host.h"
#include "wamp/wire.h"

struct access_log {
    FILE *file; /* owned, unless it is stdout */
    char *path; /* owned; "-": stdout */
    bool json, failed;
};

/* ---- fields ------------------------------------------------------------------------ */

/* One line, as a list of names and values: a text, or a number. */
struct field {
    const char *name, *text; /* text NULL: a number */
    uint64_t number;
};

#define MAX_FIELDS 20

struct line {
    struct field at[MAX_FIELDS];
    size_t count;
    char time[40];
};

static void add_text(struct line *l, const char *name, const char *text)
{
    if (text)
        l->at[l->count++] = (struct field){ name, text, 0 };
}

static void add_number(struct line *l, const char *name, uint64_t number)
{
    l->at[l->count++] = (struct field){ name, NULL, number };
}

static void write_time(char *out, size_t size)
{
    struct timespec now;
    struct tm tm;
    size_t n;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    n = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, size - n, ".%03ldZ", now.tv_nsec / 1000000);
}

static void line_of(struct line *l, const struct access *a)
{
    l->count = 0;
    write_time(l->time, sizeof l->time);
    add_text(l, "time", l->time);
    add_text(l, "event", a->what);
    add_text(l, "peer", a->peer);
    add_text(l, "protocol", a->protocol);
    if (a->session)
        add_number(l, "session", a->session);
    add_text(l, "realm", a->realm);
    add_text(l, "authid", a->authid);
    add_text(l, "authrole", a->role);
    add_text(l, "authmethod", a->method);
    add_text(l, "reason", a->reason);
    add_number(l, "messages_in", a->traffic.messages_in);
    add_number(l, "messages_out", a->traffic.messages_out);
    add_number(l, "bytes_in", a->traffic.bytes_in);
    add_number(l, "bytes_out", a->traffic.bytes_out);
    add_number(l, "ms", a->ms);
}

/* ---- text and JSON ----------------------------------------------------------------- */

/* A transport's words may be anything. */
static struct slice clean(const char *text)
{
    struct slice s = slice_of(text);

    return utf8_ok(s) ? s : SLICE("(not UTF-8)");
}

static struct buf *as_json(const struct line *l)
{
    struct writer w;

    writer_init(&w, &wire_json, 400);
    writer_dict(&w, l->count);
    for (size_t i = 0; i < l->count; i++) {
        const struct field *f = &l->at[i];

        writer_key(&w, slice_of(f->name));
        if (f->text)
            writer_string(&w, clean(f->text));
        else
            writer_int(&w, (int64_t)f->number);
    }
    writer_dict_end(&w);
    return writer_take(&w);
}

static bool is_plain(const char *text)
{
    return *text && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789._:/@+-[]") == strlen(text);
}

/* A text that is more than a word, as JSON writes it. */
static void append_quoted(struct buf **b, const char *text)
{
    struct writer w;
    struct buf *quoted;

    writer_init(&w, &wire_json, 100);
    writer_string(&w, clean(text));
    quoted = writer_take(&w);
    buf_append(b, quoted->data, quoted->len);
    buf_unref(quoted);
}

static void append_value(struct buf **b, const struct field *f)
{
    char number[24];

    if (!f->text)
        snprintf(number, sizeof number, "%llu", (unsigned long long)f->number);
    if (!f->text || is_plain(f->text))
        buf_append(b, f->text ? f->text : number, strlen(f->text ? f->text : number));
    else
        append_quoted(b, f->text);
}

static struct buf *as_text(const struct line *l)
{
    struct buf *b = buf_new(400);

    for (size_t i = 0; i < l->count; i++) {
        if (i)
            buf_append(&b, " ", 1);
        buf_append(&b, l->at[i].name, strlen(l->at[i].name));
        buf_append(&b, "=", 1);
        append_value(&b, &l->at[i]);
    }
    return b;
}

void access_log_tell(const struct access *a, void *log)
{
    struct access_log *to = log;
    struct line l;
    struct buf *text;
    bool ok;

    if (!to->file)
        return;
    line_of(&l, a);
    text = to->json ? as_json(&l) : as_text(&l);
    buf_append(&text, "\n", 1);
    ok = fwrite(text->data, 1, text->len, to->file) == text->len && !fflush(to->file);
    buf_unref(text);
    if (!ok && !to->failed)
        log_warn("access log %s: %s [W906]", to->path, strerror(errno));
    to->failed = !ok;
}

/* ---- the file ---------------------------------------------------------------------- */

static FILE *open_file(const char *path)
{
    return strcmp(path, "-") ? fopen(path, "ae") : stdout;
}

struct access_log *access_log_open(const char *path, bool json)
{
    FILE *file = open_file(path);
    struct access_log *log;

    if (!file)
        return NULL;
    log = xcalloc(1, sizeof *log);
    log->file = file;
    log->path = xstrdup(path);
    log->json = json;
    return log;
}

static void close_file(struct access_log *log)
{
    if (log->file && log->file != stdout)
        fclose(log->file);
}

void access_log_reopen(struct access_log *log)
{
    close_file(log);
    log->file = open_file(log->path);
    if (!log->file)
        log_error("access log %s: %s [W906]", log->path, strerror(errno));
}

void access_log_close(struct access_log *log)
{
    if (!log)
        return;
    close_file(log);
    free(log->path);
    free(log);
}
