/* drive_router.c - lets talks speak to a router: names are transports, `>` feeds a
 * message.
 *
 * Ids come from a seeded generator, the clock stands still between ticks. What the
 * router wants sent is sorted by name as soon as it comes out; a close is a line
 * "!closed CODE". */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "router/router.h"
#include "router_auth.h"
#include "talk.h"

#define EPOCH 1767323044678 /* at 1000, a talk's start: 2026-01-02T03:04:05.678Z */

struct line {
    struct list link;
    char *text; /* owned */
};

struct caller_name {
    struct list link;
    char *name;              /* owned */
    struct peer *peer;       /* NULL while its transport is not open */
    size_t backlog;          /* bytes that its transport is taken to have */
    struct list lines;       /* of struct line: what came out */
    char *hello, *challenge; /* owned; the last ones, for `proves`; NULL: none yet */
};

struct drive {
    struct router *router;
    struct router_config config;
    struct rng rng;
    uint64_t random, now;
    struct list names;
    uint64_t questions[16]; /* ids of those that `above` has not answered */
    size_t question_count;
};

/* ---- options ----------------------------------------------------------------------- */

static struct realm_config *realm_of(struct router_config *c, const char *name, size_t n)
{
    for (size_t i = 0; i < c->count; i++)
        if (strlen(c->realms[i].name) == n && !strncmp(c->realms[i].name, name, n))
            return &c->realms[i];
    c->realms = xrealloc(c->realms, (c->count + 1) * sizeof *c->realms);
    c->realms[c->count] = (struct realm_config){ .name = xstrndup(name, n) };
    return &c->realms[c->count++];
}

static struct role_config *role_of(struct realm_config *realm, const char *name, size_t n)
{
    for (size_t i = 0; i < realm->count; i++)
        if (strlen(realm->roles[i].name) == n && !strncmp(realm->roles[i].name, name, n))
            return &realm->roles[i];
    realm->roles = xrealloc(realm->roles, (realm->count + 1) * sizeof *realm->roles);
    realm->roles[realm->count] = (struct role_config){ .name = xstrndup(name, n) };
    return &realm->roles[realm->count++];
}

static unsigned actions_of(const char *p, size_t n)
{
    unsigned allow = 0;

    for (size_t i = 0; i < n; i++)
        allow |= p[i] == 'c'   ? ALLOW_CALL
                 : p[i] == 'r' ? ALLOW_REGISTER
                 : p[i] == 'f' ? ALLOW_FORCE
                 : p[i] == 'p' ? ALLOW_PUBLISH
                 : p[i] == 's' ? ALLOW_SUBSCRIBE
                               : 0u;
    return allow;
}

static unsigned disclosed_by(struct slice letters)
{
    unsigned disclose = 0;

    for (size_t i = 0; i < letters.n; i++)
        disclose |= letters.p[i] == 'C'   ? ALLOW_CALL
                    : letters.p[i] == 'P' ? ALLOW_PUBLISH
                                          : 0u;
    return disclose;
}

/* The fields of "A:B:...:REST", of which `n` stand in front of a colon; false when there
 * are fewer. */
static bool split(const char *p, struct slice *field, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        field[i] = (struct slice){ p, strcspn(p, ":") };
        p += field[i].n;
        if (!*p++)
            return false;
    }
    field[n] = slice_of(p);
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* REALM:ROLE:MATCH:ACTIONS:URI */
static bool allow_option(struct router_config *c, const char *p)
{
    struct slice field[5], actions;
    struct permission permission = { 0 };
    struct role_config *role;

    if (!split(p, field, 4) || !uri_match_of(field[2], &permission.match))
        return false;
    actions = field[3];
    permission.allow = actions_of(actions.p, actions.n);
    permission.disclose = disclosed_by(actions);
    permission.trusted = actions.n && is_digit(actions.p[actions.n - 1]);
    if (permission.trusted)
        permission.trust = (uint32_t)(actions.p[actions.n - 1] - '0');
    permission.uri = xstrndup(field[4].p, field[4].n);
    role = role_of(realm_of(c, field[0].p, field[0].n), field[1].p, field[1].n);
    role->permissions =
        xrealloc(role->permissions, (role->count + 1) * sizeof *role->permissions);
    role->permissions[role->count++] = permission;
    return true;
}

/* REALM:ROLE:URI; without a URI `above` decides. */
static bool authorizer_option(struct router_config *c, const char *p)
{
    struct slice field[3];
    struct role_config *role;

    if (!split(p, field, 2))
        return false;
    role = role_of(realm_of(c, field[0].p, field[0].n), field[1].p, field[1].n);
    role->authorizer = xstrndup(field[2].p, field[2].n);
    return true;
}

/* REALM:MATCH:LIMIT:URI */
static bool history_option(struct router_config *c, const char *p)
{
    struct slice field[4];
    struct history_config history = { 0 };
    struct realm_config *realm;

    if (!split(p, field, 3) || !uri_match_of(field[1], &history.match))
        return false;
    history.limit = strtoul(field[2].p, NULL, 10);
    history.uri = xstrndup(field[3].p, field[3].n);
    realm = realm_of(c, field[0].p, field[0].n);
    realm->histories =
        xrealloc(realm->histories, (realm->history_count + 1) * sizeof *realm->histories);
    realm->histories[realm->history_count++] = history;
    return true;
}

static bool option(struct drive *d, const char *word)
{
    if (!strcmp(word, "strict_ids"))
        d->config.strict_ids = true;
    else if (!strncmp(word, "door=", 5))
        door_option(&d->config, word + 5);
    else if (!strcmp(word, "strict_uris"))
        d->config.strict_uris = true;
    else if (!strncmp(word, "strict=", 7))
        realm_of(&d->config, word + 7, strlen(word + 7))->strict_uris = true;
    else if (!strncmp(word, "no_meta=", 8))
        realm_of(&d->config, word + 8, strlen(word + 8))->no_meta = true;
    else if (!strncmp(word, "realm=", 6))
        realm_of(&d->config, word + 6, strlen(word + 6));
    else if (!strncmp(word, "queue=", 6))
        d->config.max_queue = strtoul(word + 6, NULL, 10);
    else if (!strncmp(word, "seed=", 5))
        d->random = strtoull(word + 5, NULL, 10);
    else if (!strncmp(word, "principal=", 10))
        return principal_option(&d->config, word + 10);
    else if (!strncmp(word, "history=", 8))
        return history_option(&d->config, word + 8);
    else if (!strncmp(word, "authenticator=", 14))
        return authenticator_option(&d->config, word + 14);
    else if (!strncmp(word, "authorizer=", 11))
        return authorizer_option(&d->config, word + 11);
    else
        return !strncmp(word, "allow=", 6) && allow_option(&d->config, word + 6);
    return true;
}

static bool options(struct drive *d, const char *text)
{
    char *copy = xstrdup(text), *save = NULL;
    bool ok = true;

    for (char *w = strtok_r(copy, " \t", &save); w && ok;
         w = strtok_r(NULL, " \t", &save))
        ok = option(d, w);
    free(copy);
    return ok;
}

static void config_fini(struct router_config *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct realm_config *realm = &c->realms[i];

        for (size_t j = 0; j < realm->count; j++) {
            struct role_config *role = &realm->roles[j];

            for (size_t k = 0; k < role->count; k++)
                free(role->permissions[k].uri);
            free(role->permissions);
            free(role->authorizer);
            free(role->name);
        }
        for (size_t j = 0; j < realm->history_count; j++)
            free(realm->histories[j].uri);
        free(realm->histories);
        free(realm->roles);
        free(realm->name);
    }
    free(c->realms);
    principals_fini(c);
}

/* ---- names ------------------------------------------------------------------------- */

static struct caller_name *name_of(struct drive *d, const char *who)
{
    struct list *node, *tmp;
    struct caller_name *n;

    list_each (node, tmp, &d->names) {
        n = list_entry(node, struct caller_name, link);
        if (!strcmp(n->name, who))
            return n;
    }
    n = xcalloc(1, sizeof *n);
    n->name = xstrdup(who);
    list_init(&n->lines);
    list_push(&d->names, &n->link);
    return n;
}

static void say(struct caller_name *n, char *text)
{
    struct line *line = xcalloc(1, sizeof *line);

    line->text = text;
    list_push(&n->lines, &line->link);
}

/* Keeps a message that begins like this. */
static void keep(char **slot, const char *start, const char *text, size_t n)
{
    if (n < strlen(start) || strncmp(text, start, strlen(start)) != 0)
        return;
    free(*slot);
    *slot = xstrndup(text, n);
}

/* `above` hears what the router asks, and has room for what a talk asks at a time. */
static void hear(struct drive *d)
{
    struct question q;

    while (router_next_question(d->router, &q)) {
        struct buf *text = buf_from(q.who ? "who " : "may ", 4);

        assert(d->question_count < sizeof d->questions / sizeof *d->questions);
        d->questions[d->question_count++] = q.id;
        buf_append(&text, q.args->data, q.args->len);
        say(name_of(d, "above"), xstrndup(text->data, text->len));
        buf_unref(text);
        buf_unref(q.args);
    }
}

/* Puts in an answer to the oldest question. */
static bool answer(struct drive *d, const char *json)
{
    uint64_t id = d->questions[0];
    struct slice text = { 0 };

    if (!d->question_count)
        return false;
    memmove(d->questions, d->questions + 1, --d->question_count * sizeof *d->questions);
    if (json && *json)
        text = slice_of(json);
    router_answer(d->router, id, text, d->now);
    return true;
}

static void drain(struct drive *d)
{
    struct output out;

    while (router_next_out(d->router, &out)) {
        struct caller_name *n = out.user;
        char text[32];

        assert(n->peer == out.peer);
        if (out.kind == OUTPUT_CLOSE || out.kind == OUTPUT_CUT) {
            snprintf(text, sizeof text, "!%s %d",
                     out.kind == OUTPUT_CUT ? "cut" : "closed", out.close_code);
            say(n, xstrdup(text));
        } else {
            say(n, xstrndup(out.bytes->data, out.bytes->len));
            keep(&n->challenge, "[4,", out.bytes->data, out.bytes->len);
        }
        buf_unref(out.bytes);
    }
    hear(d);
}

static void name_free(struct caller_name *n)
{
    struct list *node;

    while ((node = list_pop(&n->lines))) {
        struct line *line = list_entry(node, struct line, link);

        free(line->text);
        free(line);
    }
    free(n->name);
    free(n->hello);
    free(n->challenge);
    free(n);
}

/* ---- the driver -------------------------------------------------------------------- */

static uint64_t random_next(void *ctx) /* splitmix64 */
{
    struct drive *d = ctx;
    uint64_t z = d->random += 0x9e3779b97f4a7c15ULL;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static void stop(void *driver)
{
    struct drive *d = driver;
    struct list *node;

    if (d->router)
        router_free(d->router);
    while ((node = list_pop(&d->names)))
        name_free(list_entry(node, struct caller_name, link));
    config_fini(&d->config);
    free(d);
}

/* The options of a machine, or of a reload. */
static bool configure(struct drive *d, const char *text)
{
    d->config = (struct router_config){ .agent = "talk", .epoch = EPOCH };
    if (!options(d, text))
        return false;
    if (!d->config.count)
        realm_of(&d->config, "realm1", 6);
    return true;
}

static bool reload(struct drive *d, const char *text)
{
    struct router_config old = d->config;
    bool ok = configure(d, text ? text : "");

    if (ok)
        router_reload(d->router, &d->config, d->now);
    config_fini(&old);
    return ok;
}

static void *start(const char *text)
{
    struct drive *d = xcalloc(1, sizeof *d);

    log_set_level(LOG_ERROR); /* what deciders say that is no answer is warned about */
    list_init(&d->names);
    d->rng = (struct rng){ random_next, d };
    d->now = 1000;
    if (!configure(d, text)) {
        stop(d);
        return NULL;
    }
    d->router = router_new(&d->config, &d->rng);
    return d;
}

static bool open_peer(struct drive *d, struct caller_name *n)
{
    if (n->peer)
        return false;
    n->peer = router_open(d->router, &wire_json, n, d->now);
    n->backlog = 0;
    router_backlog(n->peer, &n->backlog);
    return true;
}

static bool close_peer(struct drive *d, struct caller_name *n)
{
    if (!n->peer)
        return false;
    router_closed(d->router, n->peer, d->now);
    n->peer = NULL;
    return true;
}

static bool send_text(struct drive *d, struct caller_name *n, const char *text)
{
    struct buf *b = buf_from(text, strlen(text));

    keep(&n->hello, "[1,", text, strlen(text));
    if (n->peer)
        router_feed(d->router, n->peer, b, d->now);
    buf_unref(b);
    return n->peer != NULL;
}

static bool send_proof(struct drive *d, struct caller_name *n, const char *secret)
{
    char *text = prove(n->hello, n->challenge, secret);
    bool ok = text && send_text(d, n, text);

    free(text);
    return ok;
}

static bool act(void *driver, const char *who, const char *what, const char *arg,
                char *error, unsigned long size)
{
    struct drive *d = driver;
    struct caller_name *n = name_of(d, who);
    bool ok = true;

    if (!strcmp(what, "open"))
        ok = !strcmp(who, "all") || !strcmp(who, "above") || open_peer(d, n);
    else if (!strcmp(what, "closed"))
        ok = close_peer(d, n);
    else if (!strcmp(what, "send"))
        ok = send_text(d, n, arg);
    else if (!strcmp(what, "backlog"))
        n->backlog = strtoul(arg, NULL, 10);
    else if (!strcmp(what, "proves"))
        ok = send_proof(d, n, arg);
    else if (!strcmp(what, "takes") && n && n->peer)
        router_limit(n->peer, strtoul(arg, NULL, 10));
    else if (!strcmp(what, "answers"))
        ok = answer(d, arg);
    else if (!strcmp(what, "from") && n->peer)
        router_origin(n->peer, slice_of(arg));
    else if (!strcmp(what, "by") && n->peer)
        router_door(n->peer, (unsigned)strtoul(arg, NULL, 10));
    else if (!strcmp(who, "all") && !strcmp(what, "shutdown"))
        router_shutdown(d->router, d->now);
    else if (!strcmp(who, "all") && !strcmp(what, "reload"))
        ok = reload(d, arg);
    else
        ok = false;
    if (!ok)
        snprintf(error, size, "not possible now, or an unknown verb");
    drain(d);
    return ok;
}

static void tick(void *driver, unsigned long ms)
{
    struct drive *d = driver;

    d->now += ms;
    router_tick(d->router, d->now);
    drain(d);
}

static char *next(void *driver, const char *who)
{
    struct list *node = list_pop(&name_of(driver, who)->lines);
    struct line *line;
    char *text;

    if (!node)
        return NULL;
    line = list_entry(node, struct line, link);
    text = line->text;
    free(line);
    return text;
}

const struct talk_driver talk_router = { "router", start, stop, act, tick, next };
