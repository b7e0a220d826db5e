/* prelude.h - the Lua half of the product, embedded. The table is generated at build
 * time from lua/ (tools/embed.lua), so that one binary is enough and tracebacks still
 * name files. */
#ifndef LUA_PRELUDE_H
#define LUA_PRELUDE_H

#include <stddef.h>

struct prelude_file {
    const char *module;    /* "wampy.client" */
    const char *chunkname; /* "@wampy/client.lua" */
    const char *code;      /* compiled, with its lines and names */
    size_t size;
};

extern const struct prelude_file prelude_files[]; /* ends with module NULL */

#endif
