rockspec_format = "3.0"
package = "wampy-lua"
version = "scm-1"
source = { url = "git+file://." } -- a release names its tarball here
description = {
  summary = "WAMP apps in Lua: remote procedures and publish and subscribe",
  detailed = [[
    A program and a module for apps that speak WAMP (Web Application Messaging Protocol): call
    and serve remote procedures, publish and subscribe to topics, with a router built in.
    The program embeds Lua 5.4; the module works in a plain lua5.4.]],
  license = "MIT",
  labels = { "wamp", "rpc", "pubsub", "websocket" },
}
supported_platforms = { "linux" }
dependencies = { "lua ~> 5.4", "argparse >= 0.7", "lua-cjson" }
external_dependencies = { -- libargon2 is used besides where pkg-config finds it (wamp-scram)
  LIBWEBSOCKETS = { header = "libwebsockets.h", library = "websockets" },
  OPENSSL = { header = "openssl/ssl.h", library = "ssl" },
  ZLIB = { header = "zlib.h", library = "z" },
  LIBEV = { header = "ev.h", library = "ev" },
  LIBEDIT = { header = "histedit.h", library = "edit" },
}
build = {
  type = "make",
  build_target = "all",
  install_target = "install",
  build_variables = {
    CC = "$(CC)",
    CFLAGS = "$(CFLAGS)",
    LUA = "$(LUA)",
    LUA_INCDIR = "$(LUA_INCDIR)",
  },
  install_variables = {
    CC = "$(CC)",
    CFLAGS = "$(CFLAGS)",
    LUA = "$(LUA)",
    LUA_INCDIR = "$(LUA_INCDIR)",
    PREFIX = "$(PREFIX)",
    BINDIR = "$(BINDIR)",
    LUADIR = "$(LUADIR)",
    LIBDIR = "$(LIBDIR)",
    MANDIR = "$(PREFIX)/man",
  },
}
test = { type = "busted" }
