/* drive_session.c - lets a .talk file speak with a session: from below as `router`, from
 * above as `app`. session/README.md has the verbs and how events look as text.
 *
 * Not known here: what is right. The driver says what the file says, and shows what came
 * out. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "talk.h"
#include "wamp/session.h"

#define WORD_MAX 300

struct driver {
    struct session *session; /* owned */
    uint64_t now;
    char *note; /* owned; what the last verb has to say to the app, in front of events */
    bool close_told;
    bool app_open; /* the app was named: before that it cannot have missed anything */
};

/* What stands behind a verb. Slices are borrowed from the line. */
struct words {
    struct slice first; /* URI or id; "quoted" when it has blanks */
    struct slice args, kwargs, options;
    uint64_t timeout;
};

static void note(struct driver *d, const char *fmt, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

static void note(struct driver *d, const char *fmt, ...)
{
    char text[1000];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    free(d->note);
    d->note = xstrdup(text);
}

/* ---- reading a line ---------------------------------------------------------------- */

static bool starts(const char **p, const char *word)
{
    size_t n = strlen(word);

    if (strncmp(*p, word, n) != 0)
        return false;
    *p += n;
    return true;
}

static struct slice json_value(const char **p)
{
    struct reader r;
    struct slice value = { 0 };

    reader_init(&r, &wire_json, slice_of(*p));
    if (!reader_skip(&r, &value))
        return (struct slice){ 0 };
    *p = value.p + value.n;
    return value;
}

static struct slice plain_word(const char **p)
{
    struct slice w = { *p, strcspn(*p, " ") };

    *p += w.n;
    return w;
}

/* A JSON string without its quotes, or a word. */
static struct slice name(const char **p)
{
    struct slice w;

    if (**p != '"')
        return plain_word(p);
    w = json_value(p);
    return w.n < 2 ? w : (struct slice){ w.p + 1, w.n - 2 };
}

static bool read_words(struct words *w, const char *p, bool named)
{
    *w = (struct words){ 0 };
    if (named)
        w->first = name(&p);
    for (p += strspn(p, " "); *p; p += strspn(p, " ")) {
        struct slice *into = *p == '[' ? &w->args : &w->kwargs;

        if (starts(&p, "timeout=")) {
            w->timeout = strtoull(p, (char **)&p, 10);
            continue;
        }
        if (starts(&p, "options="))
            into = &w->options;
        *into = json_value(&p);
        if (!into->p)
            return false;
    }
    return true;
}

static uint64_t number(struct slice word)
{
    return word.p ? strtoull(word.p, NULL, 10) : 0;
}

static const char *c_string(struct slice word, char *into)
{
    if (!word.n)
        return NULL;
    snprintf(into, WORD_MAX, "%.*s", (int)word.n, word.p);
    return into;
}

/* ---- verbs ------------------------------------------------------------------------- */

static const char *error_name(int error)
{
    static const char *const names[] = { "ok",         "not_joined", "bad_uri",
                                         "no_feature", "too_large",  "busy",
                                         "unknown",    "timeout",    "lost",
                                         "bad_option" };

    return names[-error];
}

static void report(struct driver *d, int64_t result)
{
    if (result < 0)
        note(d, "refused %s \"%s\"", error_name((int)result),
             session_last_error(d->session));
}

static int64_t request(struct driver *d, const char *verb, const struct words *w)
{
    static const struct {
        const char *verb;
        int64_t (*run)(struct session *, const struct request *, uint64_t);
    } verbs[] = { { "call", session_call },
                  { "publish", session_publish },
                  { "register", session_register },
                  { "subscribe", session_subscribe } };
    struct request q = { .uri = w->first,
                         .options = w->options,
                         .args = w->args,
                         .kwargs = w->kwargs,
                         .timeout = w->timeout };

    for (size_t i = 0; i < 4; i++)
        if (!strcmp(verb, verbs[i].verb))
            return verbs[i].run(d->session, &q, d->now);
    return 1;
}

static int64_t by_id(struct driver *d, const char *verb, uint64_t id, const char *rest)
{
    struct session *s = d->session;
    char word[WORD_MAX];
    struct words w;

    if (!strcmp(verb, "unregister"))
        return session_unregister(s, id, NULL, d->now);
    if (!strcmp(verb, "unsubscribe"))
        return session_unsubscribe(s, id, NULL, d->now);
    if (!strcmp(verb, "cancel"))
        return session_cancel(s, id, c_string(name(&rest), word), d->now);
    if (!strcmp(verb, "forget"))
        session_forget(s, id);
    if (!strcmp(verb, "fail") && read_words(&w, rest, true))
        return session_fail(s, id, w.first,
                            &(struct answer){ w.args, w.kwargs, w.options });
    if (!strcmp(verb, "yield") && read_words(&w, rest, false))
        return session_yield(s, id, false,
                             &(struct answer){ w.args, w.kwargs, w.options });
    if (!strcmp(verb, "progress") && read_words(&w, rest, false))
        return session_yield(s, id, true,
                             &(struct answer){ w.args, w.kwargs, w.options });
    if (!strcmp(verb, "part") && read_words(&w, rest, false))
        return session_part(s, id, false, w.args, w.kwargs, d->now);
    if (!strcmp(verb, "last") && read_words(&w, rest, false))
        return session_part(s, id, true, w.args, w.kwargs, d->now);
    return 1;
}

static int64_t by_hand(struct driver *d, const char *message)
{
    struct buf *b = buf_from(message, strlen(message));
    int64_t result = session_hand(d->session, b, d->now);

    buf_unref(b);
    return result;
}

static void tell_state(struct driver *d)
{
    static const char *const names[] = { "new", "joining", "joined", "leaving",
                                         "closed" };
    const struct session *s = d->session;

    note(d, "state %s id %" PRIu64 " pending %zu late %" PRIu64, names[session_state(s)],
         session_id(s), session_pending(s), session_late(s));
}

/* Verbs about the session itself. */
static bool by_session(struct driver *d, const char *verb, struct slice first,
                       const char *rest)
{
    char a[WORD_MAX], b[WORD_MAX];
    const char *word = c_string(first, a);

    if (!strcmp(verb, "leave"))
        session_leave(d->session, word, c_string(name(&rest), b), d->now);
    else if (!strcmp(verb, "abort"))
        session_abort(d->session, word, c_string(name(&rest), b), d->now);
    else if (!strcmp(verb, "authenticate"))
        report(d, session_authenticate(d->session, first, json_value(&rest)));
    else if (!strcmp(verb, "state"))
        tell_state(d);
    else
        return false;
    return true;
}

static bool is_one_of(const char *verb, const char *list)
{
    size_t n = strlen(verb);

    for (const char *p = list; (p = strstr(p, verb)); p += n)
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
            return true;
    return false;
}

static bool app(struct driver *d, const char *verb, const char *arg)
{
    const char *rest = arg;
    struct slice first = name(&rest);
    struct words w;

    rest += strspn(rest, " ");
    if (is_one_of(verb, "call publish register subscribe")) {
        if (!read_words(&w, arg, true))
            return false;
        report(d, request(d, verb, &w));
        return true;
    }
    if (is_one_of(verb, "unregister unsubscribe cancel forget fail yield progress part "
                        "last")) {
        report(d, by_id(d, verb, number(first), rest));
        return true;
    }
    if (!strcmp(verb, "send")) {
        report(d, by_hand(d, arg));
        return true;
    }
    if (strcmp(verb, "open") != 0)
        return by_session(d, verb, first, rest);
    d->app_open = true;
    return true;
}

static bool router(struct driver *d, const char *verb, const char *arg)
{
    struct buf *b;

    if (!strcmp(verb, "open")) {
        session_opened(d->session, d->now);
    } else if (!strcmp(verb, "closed")) {
        session_closed(d->session, *arg ? arg : NULL, d->now);
    } else if (!strcmp(verb, "send")) {
        b = buf_from(arg, strlen(arg));
        session_feed(d->session, b, d->now);
        buf_unref(b);
    } else {
        return false;
    }
    return true;
}

static bool act(void *data, const char *who, const char *what, const char *arg,
                char *error, unsigned long size)
{
    bool ok = !strcmp(who, "app") ? app(data, what, arg) : router(data, what, arg);

    if (!ok)
        snprintf(error, size, "no such verb, or bad words: %s %s", what, arg);
    return ok;
}

/* ---- events as text ---------------------------------------------------------------- */

static void say(struct buf **b, const char *fmt, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

static void say(struct buf **b, const char *fmt, ...)
{
    char text[500];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    buf_append(b, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

static void say_slice(struct buf **b, struct slice s)
{
    if (!s.p)
        return;
    buf_append(b, " ", 1);
    buf_append(b, s.p, s.n);
}

static void say_payload(struct buf **b, const struct msg *m)
{
    say_slice(b, m->args);
    say_slice(b, m->kwargs);
}

static void say_error(struct buf **b, const struct event *e)
{
    say(b, "error %" PRIu64, e->request);
    if (e->m.row)
        say_slice(b, e->m.uri);
    else
        say(b, " %s", e->error ? error_name(e->error) : e->reason);
    say_payload(b, &e->m);
}

static void say_answer(struct buf **b, const struct event *e)
{
    static const char *const names[] = {
        [EVENT_REGISTERED] = "registered",
        [EVENT_UNREGISTERED] = "unregistered",
        [EVENT_SUBSCRIBED] = "subscribed",
        [EVENT_UNSUBSCRIBED] = "unsubscribed",
    };
    bool gives = e->kind == EVENT_REGISTERED || e->kind == EVENT_SUBSCRIBED;

    say(b, "%s %" PRIu64, names[e->kind], e->request);
    if (gives || !e->request)
        say(b, " %" PRIu64, e->m.id);
    if (!e->request)
        say(b, " %s", e->reason ? e->reason : "-");
}

static void say_session(struct buf **b, const struct event *e)
{
    if (e->kind == EVENT_JOINED)
        say(b, "joined %" PRIu64, e->m.id);
    else
        say(b, "challenge %.*s", (int)e->m.text.n, e->m.text.p);
    say_slice(b, e->m.dict);
}

static void say_served(struct buf **b, const struct event *e)
{
    const struct msg *m = &e->m;

    if (e->kind == EVENT_EVENT)
        say(b, "event %" PRIu64 " %" PRIu64, m->id, m->publication);
    else if (e->kind == EVENT_INVOCATION)
        say(b, "invocation %" PRIu64 " %" PRIu64, m->request, m->id);
    else if (e->kind == EVENT_PART)
        say(b, "%s %" PRIu64, e->progress ? "part" : "last", m->request);
    else
        say(b, "interrupt %" PRIu64, m->request);
    if (e->timeout)
        say(b, " timeout %" PRIu64, e->timeout);
    if (e->kind != EVENT_PART)
        say_slice(b, m->dict);
    say_payload(b, m);
}

static void say_event(struct buf **b, const struct event *e)
{
    if (e->hand)
        say(b, "hand ");
    switch (e->kind) {
    case EVENT_JOINED:
    case EVENT_CHALLENGE:
        say_session(b, e);
        break;
    case EVENT_LEFT:
        say(b, "left %s %s", error_name(e->error), e->reason ? e->reason : "-");
        if (e->text)
            say(b, " \"%s\"", e->text);
        break;
    case EVENT_RESULT:
        say(b, "%s %" PRIu64, e->progress ? "progress" : "result", e->request);
        say_payload(b, &e->m);
        break;
    case EVENT_ERROR:
        say_error(b, e);
        break;
    case EVENT_PUBLISHED:
        say(b, "published %" PRIu64 " %" PRIu64, e->request, e->m.publication);
        break;
    case EVENT_EVENT:
    case EVENT_INVOCATION:
    case EVENT_PART:
    case EVENT_INTERRUPT:
        say_served(b, e);
        break;
    default:
        say_answer(b, e);
        break;
    }
}

static char *next_event(struct driver *d)
{
    char *text = d->note;
    struct event e;
    struct buf *b;

    if (!d->app_open)
        return NULL;
    d->note = NULL;
    if (text || !session_next_event(d->session, &e))
        return text;
    b = buf_new(100);
    say_event(&b, &e);
    event_done(&e);
    text = xstrndup(b->data, b->len);
    buf_unref(b);
    return text;
}

static char *next_message(struct driver *d)
{
    struct buf *b = session_next_out(d->session);
    char *text;

    if (b) {
        text = xstrndup(b->data, b->len);
        buf_unref(b);
        return text;
    }
    if (d->close_told || !session_wants_close(d->session))
        return NULL;
    d->close_told = true;
    return xstrdup("!closed");
}

static char *next(void *data, const char *who)
{
    return !strcmp(who, "app") ? next_event(data) : next_message(data);
}

/* ---- the machine ------------------------------------------------------------------- */

/* Options: hello={...}, roles=caller, agent=NAME, max_message=BYTES, join_timeout=MS. */
static bool read_options(struct session_config *c, const char *p, char *agent)
{
    for (p += strspn(p, " "); *p; p += strspn(p, " ")) {
        if (starts(&p, "hello="))
            c->hello = json_value(&p);
        else if (starts(&p, "agent="))
            c->agent = c_string(plain_word(&p), agent);
        else if (starts(&p, "max_message="))
            c->max_message = strtoull(p, (char **)&p, 10);
        else if (starts(&p, "join_timeout="))
            c->join_timeout = strtoull(p, (char **)&p, 10);
        else if (starts(&p, "roles=caller"))
            c->roles.roles = 1u << ROLE_CALLER;
        else
            return false;
    }
    return true;
}

static uint64_t no_luck(void *ctx)
{
    (void)ctx;
    return 1;
}

static void *start(const char *options)
{
    struct session_config config = { .realm = "realm1" };
    struct rng rng = { no_luck, NULL };
    char agent[WORD_MAX];
    struct driver *d;

    if (!read_options(&config, options, agent))
        return NULL;
    d = xcalloc(1, sizeof *d);
    d->session = session_new(&wire_json, &config, &rng);
    return d;
}

static void stop(void *data)
{
    struct driver *d = data;

    session_free(d->session);
    free(d->note);
    free(d);
}

static void tick(void *data, unsigned long ms)
{
    struct driver *d = data;

    d->now += ms;
    session_tick(d->session, d->now);
}

const struct talk_driver talk_session = { "session", start, stop, act, tick, next };
