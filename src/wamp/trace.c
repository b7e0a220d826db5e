/* trace.c - which messages are shown. See trace.h.
 *
 * Most messages do not say which URI they are about: an answer has the id of its request,
 * an event that of its subscription. Where a prefix is asked for, these are kept from the
 * message that knew the URI to the last one that needs it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/map.h"
#include "base/mem.h"
#include "wamp/opts.h"
#include "wamp/trace_private.h"

#define CODES (MSG_YIELD + 1)

static struct {
    bool on;
    bool codes[CODES];
    char prefix[LIMIT_URI]; /* "": any URI, or none */
} shown;

/* ---- what is asked for ------------------------------------------------------------- */

static const struct {
    const char *name;
    enum msg_code codes[10];
} groups[] = {
    { "session",
      { MSG_HELLO, MSG_WELCOME, MSG_ABORT, MSG_CHALLENGE, MSG_AUTHENTICATE,
        MSG_GOODBYE } },
    { "pub", { MSG_PUBLISH, MSG_PUBLISHED, MSG_EVENT } },
    { "sub",
      { MSG_SUBSCRIBE, MSG_SUBSCRIBED, MSG_UNSUBSCRIBE, MSG_UNSUBSCRIBED, MSG_EVENT } },
    { "call",
      { MSG_CALL, MSG_CANCEL, MSG_RESULT, MSG_INVOCATION, MSG_INTERRUPT, MSG_YIELD } },
    { "reg", { MSG_REGISTER, MSG_REGISTERED, MSG_UNREGISTER, MSG_UNREGISTERED } },
};

static bool take_group(struct slice word, bool codes[CODES])
{
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (slice_is(word, groups[i].name)) {
            for (size_t k = 0; groups[i].codes[k]; k++)
                codes[groups[i].codes[k]] = true;
            return true;
        }
    return false;
}

static bool take_message(struct slice word, bool codes[CODES])
{
    for (unsigned i = 0; i < msg_row_count; i++)
        if (word.n == strlen(msg_rows[i].name) &&
            !strncasecmp(word.p, msg_rows[i].name, word.n)) {
            codes[msg_rows[i].code] = true;
            return true;
        }
    return false;
}

static bool take_word(struct slice word, bool codes[CODES], char prefix[LIMIT_URI])
{
    if (slice_has_prefix(word, SLICE("uri:")) && word.n > 4 && word.n - 4 < LIMIT_URI) {
        snprintf(prefix, LIMIT_URI, "%.*s", (int)word.n - 4, word.p + 4);
        return true;
    }
    if (slice_is(word, "all")) {
        memset(codes, true, CODES);
        return true;
    }
    return take_group(word, codes) || take_message(word, codes);
}

bool trace_set(const char *text, char *error, size_t size)
{
    bool codes[CODES] = { false };
    char prefix[LIMIT_URI] = "";
    struct slice word;
    bool named = false; /* some messages, not only a prefix */

    for (const char *p = text; *p; p += word.n + (p[word.n] == ',')) {
        word = (struct slice){ p, strcspn(p, ",") };
        if (!take_word(word, codes, prefix)) {
            snprintf(error, size,
                     "expected call, pub, sub, reg, session, a message such as event, "
                     "uri:PREFIX or all, got '%.*s'",
                     word.n < 100 ? (int)word.n : 100, word.p);
            return false;
        }
        named = named || !slice_has_prefix(word, SLICE("uri:"));
    }
    shown.on = *text;
    if (!named)
        memset(codes, true, sizeof codes);
    memcpy(shown.codes, codes, sizeof codes);
    memcpy(shown.prefix, prefix, sizeof prefix);
    return true;
}

bool trace_is_on(void)
{
    return shown.on;
}

/* ---- what a message is about ------------------------------------------------------- */

struct trace {
    struct map requests; /* request id -> URI, owned; those of the client */
    struct map invocations, registrations, subscriptions; /* likewise */
    uint64_t session;                                     /* as WELCOME said; 0 before */
};

struct trace *trace_new(void)
{
    return shown.on ? xcalloc(1, sizeof(struct trace)) : NULL;
}

static void map_drop(struct map *m)
{
    size_t at = 0;
    char *uri;

    while ((uri = map_next(m, &at, NULL, NULL)))
        free(uri);
    map_fini(m);
}

void trace_free(struct trace *t)
{
    if (!t)
        return;
    map_drop(&t->requests);
    map_drop(&t->invocations);
    map_drop(&t->registrations);
    map_drop(&t->subscriptions);
    free(t);
}

/* Keeps a URI; what would be too much is not shown, later. */
static void keep(struct map *m, uint64_t id, struct slice uri)
{
    if (uri.p && m->count < LIMIT_SUBSCRIPTIONS)
        free(map_put(m, id, xstrndup(uri.p, uri.n)));
}

static struct slice look(const struct map *m, uint64_t id)
{
    return slice_of(map_get(m, id));
}

static bool is_progress(const struct msg *m)
{
    struct opts o;
    struct fault f;
    bool yes;

    if (!opts_decode(&o, m, &f))
        return false;
    yes = opt_is(&o, OPT_PROGRESS, false);
    opts_fini(&o);
    return yes;
}

/* The map and the id under which the URI of an answer was kept. */
static struct map *asked(struct trace *t, const struct msg *m)
{
    bool served = m->row->code == MSG_YIELD || m->row->code == MSG_INTERRUPT ||
                  (m->row->code == MSG_ERROR && m->type == MSG_INVOCATION);

    return served ? &t->invocations : &t->requests;
}

static bool is_last(const struct msg *m)
{
    switch (m->row->code) {
    case MSG_RESULT:
    case MSG_YIELD:
        return !is_progress(m);
    case MSG_CANCEL:
    case MSG_INTERRUPT:
        return false;
    default:
        return true;
    }
}

/* Of a message that says its URI, or the id that stands for it; absent otherwise. Kept
 * for the messages that will follow. */
static struct slice begin(struct trace *t, const struct msg *m)
{
    struct slice uri = m->uri;

    switch (m->row->code) {
    case MSG_CALL:
    case MSG_PUBLISH:
    case MSG_REGISTER:
    case MSG_SUBSCRIBE:
        keep(&t->requests, m->request, uri);
        return uri;
    case MSG_UNREGISTER:
    case MSG_UNSUBSCRIBE:
        uri = look(m->row->code == MSG_UNREGISTER ? &t->registrations : &t->subscriptions,
                   m->id);
        keep(&t->requests, m->request, uri);
        return uri;
    case MSG_INVOCATION:
        uri = look(&t->registrations, m->id);
        keep(&t->invocations, m->request, uri);
        return uri;
    case MSG_EVENT:
        return look(&t->subscriptions, m->id);
    default:
        return (struct slice){ 0 };
    }
}

/* Whether an answer belongs to a URI of the prefix. */
static bool answers(struct trace *t, const struct msg *m)
{
    struct map *map = asked(t, m);
    struct slice uri = look(map, m->request);
    bool yes = slice_has_prefix(uri, slice_of(shown.prefix));

    if (m->row->code == MSG_REGISTERED)
        keep(&t->registrations, m->id, uri);
    if (m->row->code == MSG_SUBSCRIBED)
        keep(&t->subscriptions, m->id, uri);
    if (is_last(m))
        free(map_del(map, m->request));
    return yes;
}

static bool is_about(struct trace *t, const struct msg *m)
{
    struct slice uri;

    if (!shown.prefix[0])
        return true;
    uri = begin(t, m);
    return uri.p ? slice_has_prefix(uri, slice_of(shown.prefix)) : answers(t, m);
}

uint64_t trace_session(const struct trace *t)
{
    return t->session;
}

bool trace_message(struct trace *t, struct buf *message, const struct wire *wire,
                   char line[TRACE_TEXT])
{
    struct msg m;
    struct fault f;
    bool wanted;
    int n;

    if (!msg_decode(&m, wire, message, &f)) {
        snprintf(line, TRACE_TEXT, "? %s", f.text);
        return !shown.prefix[0];
    }
    if (m.row->code == MSG_WELCOME)
        t->session = m.id;
    wanted = is_about(t, &m) && (shown.codes[m.row->code] ||
                                 (m.row->code == MSG_ERROR && shown.codes[m.type]));
    n = snprintf(line, TRACE_TEXT, "%s ", m.row->name);
    if (wanted)
        trace_text(message, wire, m.row->code, line + n, TRACE_TEXT - (size_t)n);
    msg_fini(&m);
    return wanted;
}
