/* l_edit.c - core.editor: a line that is edited at the terminal, for wampy/repl.lua.
 *
 * libedit edits, our loop drives it: `next` takes what has been typed so far and never
 * waits, so that pings and events go on while somebody thinks. While a line is shown,
 * whatever else is written (events, the log) appears above it.
 *
 * libedit reads through get_char, from our buffer: it would wait for the rest of an
 * escape sequence for ever, and a terminal sends a lone escape, too. */
#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "base/log.h"
#include "base/mem.h"
#include "lua/state.h"

#define HISTORY 1000     /* lines that are offered again */
#define SEQUENCE_MS 50   /* how long the rest of an escape sequence may take */
#define END_OF_INPUT 4   /* what libedit puts into an empty line for Ctrl-D */
#define DEFAULT_WIDTH 80 /* columns, when the terminal does not say */

static const char EDITOR[] = "wampy.editor";

struct editor {
    EditLine *el;     /* owned; NULL once it is closed */
    History *history; /* owned */
    char *prompt;     /* owned */
    bool shown;       /* a line is being edited: the terminal is in its mode */
    bool plain;       /* a terminal that knows no escape sequences */
    bool tab;         /* the last key was Tab */
    bool ended;       /* there is no more input */
    char in[4096];    /* typed, and not taken yet: from..to */
    size_t from, to;
};

/* ---- input ------------------------------------------------------------------------- */

/* Whether there is something to take; waits for it as long as said. */
static bool fill(struct editor *e, int ms)
{
    struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
    ssize_t n;

    if (e->from < e->to)
        return true;
    if (e->ended || poll(&p, 1, ms) <= 0)
        return false;
    n = read(STDIN_FILENO, e->in, sizeof e->in);
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
        e->ended = true;
    e->from = 0;
    e->to = n > 0 ? (size_t)n : 0;
    return n > 0;
}

/* For libedit: the next character; -1 when it does not come. */
static int get_char(EditLine *el, wchar_t *out)
{
    struct editor *e;
    mbstate_t state = { 0 };
    size_t n = (size_t)-2; /* what is there so far begins a character */

    el_get(el, EL_CLIENTDATA, &e);
    while (n == (size_t)-2) {
        if (!fill(e, SEQUENCE_MS))
            return -1;
        n = mbrtowc(out, &e->in[e->from++], 1, &state);
    }
    if (n == (size_t)-1)
        *out = L'?';
    return 1;
}

static char *get_prompt(EditLine *el)
{
    struct editor *e;

    el_get(el, EL_CLIENTDATA, &e);
    return e->prompt;
}

/* For libedit: Tab was typed. */
static unsigned char on_tab(EditLine *el, int ch)
{
    struct editor *e;

    (void)ch;
    el_get(el, EL_CLIENTDATA, &e);
    e->tab = true;
    return CC_NORM;
}

/* ---- the screen -------------------------------------------------------------------- */

static int width(const struct editor *e)
{
    int columns = 0;

    el_get(e->el, EL_GETTC, "co", &columns);
    return columns > 0 ? columns : DEFAULT_WIDTH;
}

/* Columns that a text takes; control characters are shown as two. */
static int columns_of(const char *text, const char *end)
{
    mbstate_t state = { 0 };
    int columns = 0;

    while (text < end) {
        wchar_t c;
        size_t n = mbrtowc(&c, text, (size_t)(end - text), &state);
        int w = n < (size_t)-2 ? wcwidth(c) : 1;

        columns += w < 0 ? 2 : w;
        text += n && n < (size_t)-2 ? n : 1;
    }
    return columns;
}

/* Takes the line off the screen: the cursor stands where it began. */
static void hide(void *user)
{
    struct editor *e = user;
    const LineInfo *line = el_line(e->el);
    int rows = (columns_of(e->prompt, e->prompt + strlen(e->prompt)) +
                columns_of(line->buffer, line->cursor)) /
               width(e);

    if (e->plain)
        fputs("\n", stdout);
    else if (rows > 0)
        fprintf(stdout, "\r\33[%dA\33[J", rows);
    else
        fputs("\r\33[J", stdout);
    fflush(stdout);
}

static void show(void *user)
{
    struct editor *e = user;

    el_set(e->el, EL_REFRESH);
}

static void begin(struct editor *e)
{
    e->shown = true;
    el_set(e->el, EL_UNBUFFERED, 1);
    log_set_screen(hide, show, e);
}

/* The terminal is as it was. */
static void finish(struct editor *e)
{
    if (!e->shown)
        return;
    e->shown = false;
    log_set_screen(NULL, NULL, NULL);
    el_set(e->el, EL_UNBUFFERED, 0);
}

/* ---- keys -------------------------------------------------------------------------- */

/* What would wait for a further key within libedit does nothing; Ctrl-R goes back to the
 * lines that begin like this one. */
static void bind_keys(EditLine *el)
{
    static const char *const keys[][2] = {
        { "^I", "wampy-tab" },
        { "^R", "ed-search-prev-history" },
        { "^S", "ed-search-next-history" },
        { "^V", "ed-unassigned" },
        { "^[X", "ed-unassigned" },
        { "^[x", "ed-unassigned" },
        { "^[[3~", "ed-delete-next-char" },
        { "^[[1~", "ed-move-to-beg" },
        { "^[[4~", "ed-move-to-end" },
        { "^[[1;5C", "em-next-word" },
        { "^[[1;5D", "ed-prev-word" },
    };

    el_set(el, EL_EDITOR, "emacs");
    el_wset(el, EL_ADDFN, L"wampy-tab", L"completes a name", on_tab); /* is not copied */
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        el_set(el, EL_BIND, keys[i][0], keys[i][1], NULL);
}

/* Text is UTF-8, whatever the locale thinks. */
static void use_utf8(void)
{
    setlocale(LC_CTYPE, "");
    if (MB_CUR_MAX == 1)
        setlocale(LC_CTYPE, "C.UTF-8");
}

static void open_editor(struct editor *e)
{
    const char *term = getenv("TERM");
    HistEvent event;

    use_utf8();
    e->plain = !term || !*term || !strcmp(term, "dumb");
    e->prompt = xstrdup("");
    e->history = history_init();
    history(e->history, &event, H_SETSIZE, HISTORY);
    e->el = el_init("wampy-lua", stdin, stdout, stderr);
    el_set(e->el, EL_CLIENTDATA, e);
    el_set(e->el, EL_GETCFN, get_char);
    el_set(e->el, EL_PROMPT, get_prompt);
    el_set(e->el, EL_HIST, history, e->history);
    bind_keys(e->el);
}

/* ---- for Lua ----------------------------------------------------------------------- */

/* core.editor() -> editor of lines at stdin, which has to be a terminal */
static int l_editor(lua_State *L)
{
    struct editor *e = lua_newuserdatauv(L, sizeof *e, 0);

    memset(e, 0, sizeof *e);
    luaL_setmetatable(L, EDITOR);
    open_editor(e);
    return 1;
}

static struct editor *check_editor(lua_State *L)
{
    struct editor *e = luaL_checkudata(L, 1, EDITOR);

    luaL_argcheck(L, e->el, 1, "the editor is closed");
    return e;
}

/* editor:begin(prompt): shows an empty line, to be edited until `next` has it */
static int l_begin(lua_State *L)
{
    struct editor *e = check_editor(L);
    const char *prompt = luaL_checkstring(L, 2);

    finish(e);
    free(e->prompt);
    e->prompt = xstrdup(prompt);
    begin(e);
    return 0;
}

static int push(lua_State *L, const char *what, const char *text, size_t size)
{
    lua_pushstring(L, what);
    lua_pushlstring(L, text, size);
    return 2;
}

/* editor:next() -> "line", text | "tab", the text before the cursor | "end" | nil: it is
 * being typed; core.readable tells when there is more */
static int l_next(lua_State *L)
{
    struct editor *e = check_editor(L);
    const LineInfo *line;
    int n;

    while (fill(e, 0)) {
        const char *text = el_gets(e->el, &n);

        if (e->tab) {
            e->tab = false;
            line = el_line(e->el);
            return push(L, "tab", line->buffer, (size_t)(line->cursor - line->buffer));
        }
        if (text && n > 0 && text[n - 1] == '\n')
            return push(L, "line", text, (size_t)n - 1);
        if (text && n == 1 && text[0] == END_OF_INPUT)
            return push(L, "end", "", 0);
    }
    return e->ended ? push(L, "end", "", 0) : 0;
}

/* editor:finish(): the line is not shown as being edited any more */
static int l_finish(lua_State *L)
{
    finish(check_editor(L));
    return 0;
}

/* editor:above(text): writes text, with its line end, above what is being edited */
static int l_above(lua_State *L)
{
    struct editor *e = check_editor(L);
    size_t size;
    const char *text = luaL_checklstring(L, 2, &size);

    if (e->shown)
        hide(e);
    fwrite(text, 1, size, stdout);
    fflush(stdout);
    if (e->shown)
        show(e);
    return 0;
}

/* editor:insert(text): at the cursor */
static int l_insert(lua_State *L)
{
    struct editor *e = check_editor(L);
    const char *text = luaL_checkstring(L, 2);

    hide(e);
    el_insertstr(e->el, text);
    show(e);
    return 0;
}

/* editor:remember(line): for the arrow keys */
static int l_remember(lua_State *L)
{
    struct editor *e = check_editor(L);
    HistEvent event;

    history(e->history, &event, H_ENTER, luaL_checkstring(L, 2));
    return 0;
}

/* editor:resume(): the process was stopped and goes on: its terminal has another mode */
static int l_resume(lua_State *L)
{
    struct editor *e = check_editor(L);

    if (!e->shown)
        return 0;
    el_set(e->el, EL_PREP_TERM, 0);
    el_set(e->el, EL_PREP_TERM, 1);
    show(e);
    return 0;
}

/* editor:resize(): the terminal has another size */
static int l_resize(lua_State *L)
{
    struct editor *e = check_editor(L);

    if (e->shown)
        hide(e);
    el_resize(e->el);
    if (e->shown)
        show(e);
    return 0;
}

/* editor:width() -> columns of the terminal */
static int l_width(lua_State *L)
{
    lua_pushinteger(L, width(check_editor(L)));
    return 1;
}

/* editor:close(): the terminal is as it was; safe twice */
static int l_close(lua_State *L)
{
    struct editor *e = luaL_checkudata(L, 1, EDITOR);

    if (!e->el)
        return 0;
    finish(e);
    el_end(e->el);
    history_end(e->history);
    free(e->prompt);
    e->el = NULL;
    return 0;
}

static const luaL_Reg methods[] = { { "begin", l_begin },   { "next", l_next },
                                    { "finish", l_finish }, { "above", l_above },
                                    { "insert", l_insert }, { "remember", l_remember },
                                    { "resume", l_resume }, { "resize", l_resize },
                                    { "width", l_width },   { "close", l_close },
                                    { NULL, NULL } };
static const luaL_Reg events[] = { { "__gc", l_close },
                                   { "__close", l_close },
                                   { NULL, NULL } };
static const luaL_Reg functions[] = { { "editor", l_editor }, { NULL, NULL } };

void open_edit(lua_State *L, struct state *S)
{
    state_class(L, S, EDITOR, events, methods);
    state_register(L, S, functions);
}
