/* l_terminal.c - what the command line wants of its descriptors: whether one is a
 * terminal, a secret typed there without being seen, and input read as it comes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "lua/state.h"

#define SECRET_MAX 4096 /* bytes; what is typed beyond them is refused */
#define PIECE 65536     /* bytes read at once */

/* core.is_terminal(fd) -> boolean */
static int l_is_terminal(lua_State *L)
{
    lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
    return 1;
}

/* core.read(fd) -> text, as much as there is; nil at the end. Waits when there is none:
 * core.readable comes first */
static int l_read(lua_State *L)
{
    int fd = (int)luaL_checkinteger(L, 1);
    luaL_Buffer b;
    char *room = luaL_buffinitsize(L, &b, PIECE);
    ssize_t n;

    do
        n = read(fd, room, PIECE);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return 0;
    luaL_pushresultsize(&b, (size_t)n);
    return 1;
}

/* core.set_variable(name, value): of the environment, unless it is set already */
static int l_set_variable(lua_State *L)
{
    setenv(luaL_checkstring(L, 1), luaL_checkstring(L, 2), 0);
    return 0;
}

/* ---- secrets ----------------------------------------------------------------------- */

static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };

#define ENDINGS (sizeof ending / sizeof *ending)

static volatile sig_atomic_t came; /* the signal that came while a secret was asked for */

static void note(int signo)
{
    came = signo;
}

/* A line, without its end; -1 at the end of input, after a signal, or when it is longer
 * than there is room. */
static ssize_t read_line(int fd, char *line, size_t size)
{
    size_t n = 0;
    char c;

    while (!came) {
        ssize_t got = read(fd, &c, 1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || n == size)
            return -1;
        if (c == '\n')
            return (ssize_t)n;
        line[n++] = c;
    }
    return -1;
}

static bool say(int fd, const char *text)
{
    return write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Reads a line that is not shown; nothing typed behind the prompt is lost. Whatever ends
 * this, the terminal shows what is typed afterwards: a signal that came meanwhile waits
 * for that. */
static ssize_t read_hidden(int fd, const char *prompt, char *line, size_t size)
{
    struct sigaction action = { .sa_handler = note }, before[ENDINGS];
    struct termios shown, hidden;
    ssize_t n = -1;

    if (tcgetattr(fd, &shown) < 0)
        return -1;
    came = 0;
    for (size_t i = 0; i < ENDINGS; i++)
        sigaction(ending[i], &action, &before[i]);
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    if (tcsetattr(fd, TCSAFLUSH, &hidden) == 0 && say(fd, prompt))
        n = read_line(fd, line, size);
    tcsetattr(fd, TCSAFLUSH, &shown);
    for (size_t i = 0; i < ENDINGS; i++)
        sigaction(ending[i], &before[i], NULL);
    if (came)
        raise(came);
    return n;
}

/* core.ask_secret(prompt) -> what is typed at the terminal, without being shown | nil
 * when there is no terminal, or nothing comes of it */
static int l_ask_secret(lua_State *L)
{
    const char *prompt = luaL_checkstring(L, 1);
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    char line[SECRET_MAX];
    ssize_t n;

    if (fd < 0)
        return 0;
    n = read_hidden(fd, prompt, line, sizeof line);
    say(fd, "\n");
    close(fd);
    if (n < 0)
        return 0;
    lua_pushlstring(L, line, (size_t)n);
    explicit_bzero(line, sizeof line);
    return 1;
}

static const luaL_Reg functions[] = { { "is_terminal", l_is_terminal },
                                      { "read", l_read },
                                      { "set_variable", l_set_variable },
                                      { "ask_secret", l_ask_secret },
                                      { NULL, NULL } };

void open_terminal(lua_State *L, struct state *S)
{
    state_register(L, S, functions);
}
