-- layers.lua: enforces the room table of docs/ARCHITECTURE.md over the #include lines.
-- usage: layers.lua FILE...
--
-- A room is a folder of src, or the files host, serve, supervise or main there. `ours` says from
-- which rooms (or single headers) it may include; `system` is what it may include besides the C
-- library's own headers; `never_call` are functions that would bring in a clock or chance by the
-- back door.
-- A row of `files` widens its room's row for one file. Whatever is not listed is refused.
local libc = {}
for h in ("assert ctype errno float inttypes limits locale math setjmp signal stdarg stdalign "
  .. "stdatomic stdbool stddef stdint stdio stdlib string strings time unistd"):gmatch("%w+") do
  libc[h .. ".h"] = true
end

local pure = "[^%w_](%l+)%s*%("
local no_chance = { time = true, clock = true, clock_gettime = true, gettimeofday = true,
  rand = true, random = true, getrandom = true }

local rooms = {
  base = { ours = { "base" } },
  wamp = { ours = { "base", "wamp" }, never = { "time.h", "unistd.h", "signal.h" },
    never_call = no_chance },
  router = { ours = { "base", "wamp", "router" }, without = "^wamp/session",
    never = { "time.h", "unistd.h", "signal.h" }, never_call = no_chance },
  net = { ours = { "base", "net", "wamp/limits.h" },
    system = { "^sys/", "^net", "^arpa/", "^fcntl%.h$", "^poll%.h$", "^time%.h$", "^openssl/" } },
  host = { ours = { "base", "wamp", "router", "net", "host.h", "host_private.h" },
    system = { "^sys/random%.h$" } },
  serve = { ours = { "base", "wamp", "router", "net", "host.h", "serve.h" },
    system = { "^sys/" } },
  supervise = { ours = { "base", "net/notify.h", "supervise.h", "supervise_private.h" },
    system = { "^sys/", "^poll%.h$" } },
  lua = { ours = { "base", "wamp", "router", "net", "host.h", "lua" }, without = "^net/ws_",
    system = { "^sys/", "^fcntl%.h$", "^lua%.h$", "^lauxlib%.h$", "^lualib%.h$" } },
  main = { ours = { "base", "wamp", "router", "net", "host.h", "serve.h", "supervise.h",
      "main_private.h", "lua" },
    system = { "^sys/", "^fcntl%.h$", "^lua%.h$", "^lauxlib%.h$", "^lualib%.h$", "^getopt%.h$",
      "^malloc%.h$" } },
}

local files = {
  ["wamp/aead.c"] = { "^openssl/" },
  ["wamp/auth.c"] = { "^openssl/", "^argon2%.h$" },
  ["net/ws_private.h"] = { "^libwebsockets%.h$" },
  ["net/ws_deflate.c"] = { "^zlib%.h$" },
  ["net/http_file.c"] = { "^linux/openat2%.h$" },
  ["lua/l_terminal.c"] = { "^termios%.h$" },
  ["lua/l_edit.c"] = { "^histedit%.h$", "^poll%.h$", "^wchar%.h$" },
  ["net/loop.c"] = { "^libwebsockets%.h$", "^ev%.h$" },
}

local function matches(name, patterns)
  for _, pattern in ipairs(patterns or {}) do
    if name:find(pattern) then return true end
  end
  return false
end

local function contains(list, name)
  for _, each in ipairs(list or {}) do
    if each == name then return true end
  end
  return false
end

local function ours_ok(room, name)
  if room.without and name:find(room.without) then return false end
  return contains(room.ours, name) or contains(room.ours, name:match("^(%w+)/"))
end

local function system_ok(room, file, name)
  if contains(room.never, name) then return false end
  return libc[name] or matches(name, room.system) or matches(name, files[file])
end

local bad = 0
local function refuse(path, line, text)
  bad = bad + 1
  print(("%s:%d: %s"):format(path, line, text))
end

local function check_line(path, file, room, number, line)
  local quoted = line:match('^%s*#%s*include%s*"(.-)"')
  local angled = line:match("^%s*#%s*include%s*<(.-)>")
  if quoted and not ours_ok(room, quoted) then
    refuse(path, number, "this room does not know " .. quoted)
  elseif angled and not system_ok(room, file, angled) then
    refuse(path, number, "this room does not use <" .. angled .. ">")
  end
  for name in (" " .. line):gmatch(room.never_call and pure or "%z") do
    if room.never_call[name] then
      refuse(path, number, name .. "() in a room where clock and chance are arguments")
    end
  end
end

for _, path in ipairs(arg) do
  local file = path:match("src/(.*)")
  local room = rooms[file:match("^(%w+)/") or file:match("^(%l+)[_%l]*%.")]
  if not room then
    refuse(path, 1, "no room of this name: tools/layers.lua and docs/ARCHITECTURE.md list them")
  else
    local number = 0
    for line in io.lines(path) do
      number = number + 1
      check_line(path, file, room, number, line)
    end
  end
end
os.exit(bad == 0 and #arg > 0)
