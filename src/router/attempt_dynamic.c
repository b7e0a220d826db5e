/* attempt_dynamic.c - attempts to join about which an authenticator is asked
 * (docs/AUTH.md: dynamic authenticators).
 *
 * It says who somebody is; that this is he is proved as ever, by the method, against what
 * it said. So it is asked when HELLO has come. A ticket it may want to see itself, and is
 * asked when that has come.
 *
 * Whom it does not know is challenged all the same, like the last one whom it knew, and
 * refused as for a wrong secret. Only how long it thinks is its own affair. */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "router/attempt.h"

bool attempt_asks_first(const struct attempt *a)
{
    return a->dynamic && a->dynamic->method != AUTH_TICKET;
}

bool attempt_wants_ticket(const struct attempt *a)
{
    return a->dynamic && a->dynamic->method == AUTH_TICKET;
}

void attempt_keep_ticket(struct attempt *a, struct slice ticket)
{
    a->ticket = buf_from(ticket.p, ticket.n);
}

/* ---- asking ------------------------------------------------------------------------ */

static void text_or_null(struct writer *w, const char *text)
{
    if (text)
        writer_string(w, slice_of(text));
    else
        writer_null(w);
}

static void write_details(const struct attempt *a, const struct peer *p, struct writer *w)
{
    writer_dict(w, a->ticket ? 6 : 5);
    writer_key(w, SLICE("session"));
    writer_int(w, (int64_t)a->session);
    writer_key(w, SLICE("authid"));
    text_or_null(w, a->authid);
    attempt_text(w, SLICE("authmethod"), slice_of(a->method->name));
    writer_key(w, SLICE("authextra"));
    if (a->authextra)
        value_carry(w, slice_buf(a->authextra), a->wire);
    else
        writer_null(w);
    if (a->ticket)
        attempt_text(w, SLICE("ticket"), slice_buf(a->ticket));
    inquiry_transport(p, w);
    writer_dict_end(w);
}

/* The realm where the authenticator is; a name that it has been given exists. */
static struct realm *where(const struct attempt *a)
{
    struct realm *realm = NULL;

    if (a->dynamic->realm)
        realm = map_get_bytes(&a->realm->router->realms, slice_of(a->dynamic->realm));
    return realm ? realm : a->realm;
}

void attempt_ask(struct attempt *a, struct peer *p)
{
    const struct asking about = { p, where(a), a->dynamic->authenticator };
    struct writer w;

    writer_init(&w, &wire_json, 512);
    writer_list(&w, 3);
    writer_string(&w, slice_of(a->realm->name));
    text_or_null(&w, a->authid);
    write_details(a, p, &w);
    writer_list_end(&w);
    a->inquiry = inquiry_new(&about, writer_take(&w));
}

/* ---- the answer -------------------------------------------------------------------- */

static void complain(const struct attempt *a, const char *what)
{
    const char *uri = a->dynamic->authenticator;

    log_warn("router: authenticator %s for %s: %s [W904]", *uri ? uri : "(function)",
             a->method->name, what);
}

/* The name under which he joins; "anonymous" has none of itself. */
static const char *name_of(const struct attempt *a, const struct finding *f)
{
    if (f->who.authid)
        return f->who.authid;
    return a->dynamic->method == AUTH_ANONYMOUS ? NULL : a->authid;
}

/* The realm that he joins; NULL: he cannot. */
static struct realm *place_of(const struct attempt *a, const struct finding *f)
{
    struct realm *realm = a->realm;

    if (f->who.realm)
        realm = map_get_bytes(&realm->router->realms, slice_of(f->who.realm));
    if (!realm)
        complain(a, "there is no such realm as it says");
    else if (!realm_role(realm, f->who.role))
        complain(a, "the realm has no such role as it says");
    else if (a->dynamic->method != AUTH_ANONYMOUS && !name_of(a, f))
        complain(a, "neither HELLO nor the answer has an authid");
    else
        return realm;
    return NULL;
}

/* What the next unknown one is to look like. */
static void remember(struct principal *dynamic, const struct principal *found)
{
    buf_unref(dynamic->salt);
    dynamic->salt = buf_ref(found->salt);
    dynamic->iterations = found->iterations;
    dynamic->keylen = found->keylen;
    dynamic->memory = found->memory;
    dynamic->argon2 = found->argon2;
}

static void accept(struct attempt *a, struct finding *f, struct realm *realm)
{
    const char *name = name_of(a, f);

    if (!f->who.authid && name)
        f->who.authid = xstrdup(name);
    a->found = xcalloc(1, sizeof *a->found);
    principal_init(a->found, &f->who);
    a->realm = realm;
    a->principal = a->found;
    a->known = true;
    a->salt = buf_ref(a->found->salt);
    if (f->extra.p)
        a->welcome = buf_from(f->extra.p, f->extra.n);
    remember(a->dynamic, a->found);
}

static bool found(struct attempt *a, const struct wire *wire, struct slice answer)
{
    struct realm *realm = NULL;
    struct finding f = { 0 };
    const char *lacks;

    if (!answer.p)
        return false;
    if (!finding_read(&f, a->dynamic->method, wire, answer, &lacks))
        complain(a, lacks);
    else if ((realm = place_of(a, &f)))
        accept(a, &f, realm);
    finding_fini(&f);
    return realm;
}

void attempt_learn(struct attempt *a, const struct wire *wire, struct slice answer)
{
    if (found(a, wire, answer))
        return;
    a->principal = a->dynamic;
    if (a->dynamic->salt)
        a->salt = principals_salt(a->principals, a->dynamic, slice_of(a->authid));
}

/* A ticket that it gave is compared; otherwise it has looked at ours itself. */
bool attempt_settled(const struct attempt *a)
{
    if (!a->known || (a->method->begin && !a->ticket))
        return false;
    return !a->ticket || !a->found->secret ||
           principals_equal(a->principals, slice_buf(a->found->secret),
                            slice_buf(a->ticket));
}
