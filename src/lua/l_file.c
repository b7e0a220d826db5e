/* l_file.c - making files and folders, for the verbs that write something: what is there
 * already is never written over. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lua/state.h"

static int failed(lua_State *L, const char *path, int error)
{
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s", path, strerror(error));
    return 2;
}

static bool write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, text, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        text += n;
        size -= (size_t)n;
    }
    return true;
}

/* core.make_folder(path) -> true | nil, why not */
static int l_make_folder(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);

    if (mkdir(path, 0777) < 0)
        return failed(L, path, errno);
    lua_pushboolean(L, true);
    return 1;
}

/* core.make_file(path, text [, private]) -> true | nil, why not. A private one is for its
 * owner alone. */
static int l_make_file(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    size_t size;
    const char *text = luaL_checklstring(L, 2, &size);
    mode_t mode = lua_toboolean(L, 3) ? 0600 : 0666;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    int error = 0;

    if (fd < 0)
        return failed(L, path, errno);
    if (!write_all(fd, text, size))
        error = errno;
    if (close(fd) < 0 && !error)
        error = errno;
    if (error) {
        unlink(path);
        return failed(L, path, error);
    }
    lua_pushboolean(L, true);
    return 1;
}

static const luaL_Reg functions[] = { { "make_folder", l_make_folder },
                                      { "make_file", l_make_file },
                                      { NULL, NULL } };

void open_file(lua_State *L, struct state *S)
{
    state_register(L, S, functions);
}
