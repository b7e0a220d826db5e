-- matrix.lua: one client of each format over a transport: join, call, publish, receive, the largest
-- message that passes, and one byte more. Prints a line for each format.
-- usage: wampy-lua matrix.lua URL BYTES, BYTES being the longest message that both sides take
local wampy = require "wampy"
local core = require "wampy.core"

local url, most = arg[1], math.tointeger(arg[2])

-- A text with which that PUBLISH is `size` bytes long. (All texts over 64 KiB have heads alike.)
local function filling(format, request, size)
  local message = { 16, request, { acknowledge = true }, "com.big", { ("x"):rep(70000) } }
  local overhead = #core.encode(format, message) - 70000
  return ("x"):rep(size - overhead)
end

local function try_format(format)
  local c <close> = wampy.Client { url = url, serializers = { format }, call_timeout = 60 }:start()
  local echo = ("com.echo.%s.%s"):format(format, url:match("^%a+"))
  local heard, acknowledge = wampy.queue(), wampy.options { acknowledge = true }
  c:register(echo, function(x) return x end) -- request 1
  c:subscribe("com.topic", function(x) heard:put(x) end) -- 2
  local sent = { 1 << 53, 0.5, "ü", { a = wampy.array {} } }
  local got = c:call(echo, sent) -- 3
  assert(got[1] == 1 << 53 and got[2] == 0.5 and got[3] == "ü" and #got[4].a == 0)
  c:publish("com.topic", sent, wampy.options { exclude_me = false }) -- 4
  assert(heard:get(30)[3] == "ü")
  c:publish("com.big", filling(format, 5, most), acknowledge)
  local ok, e = pcall(c.publish, c, "com.big", filling(format, 6, most + 1), acknowledge)
  assert(not ok, "more than the longest message has passed")
  return ("%s %s: %s"):format(format, e.name, e.message)
end

for _, format in ipairs(core.serializers) do print(try_format(format)) end
