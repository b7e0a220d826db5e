-- parts.lua: arguments in parts between ours and wampy.js, each as caller and as callee, while
-- results come in parts, too.
-- usage: wampy-lua parts.lua URL ROUTER          prints TAP, as the other peers of rpc/ do
local wampy = require "wampy"

local url = arg[1]
local HERE = arg[0]:match("^(.*)/") or "."
local other, client

-- Both are lists of numbers.
local function equal(got, wanted)
  got, wanted = table.concat(got, " "), table.concat(wanted, " ")
  if got ~= wanted then error(("%s, not %s"):format(got, wanted), 2) end
end

-- Adds up what comes, and says so after each part.
local function sum(first, details)
  local n = first
  details:progress(n)
  for _, value in details:chunks() do
    n = n + value
    details:progress(n)
  end
  return n
end

local tests = {
  { "joins", function()
    other = wampy.process.spawn { "node", HERE .. "/wampy_parts.js", url, stdout = "pipe" }
    for line in other:lines() do
      if line == "ready" then break end
    end
    client = wampy.Client { url = url, call_timeout = 20 }:start()
    client:register("interop.parts.lua.sum", sum)
  end },
  { "our caller sends parts to its callee", function()
    local seen = {}
    local up = client:open("interop.parts.wampy_js.total", 1, wampy.options {
      on_progress = function(n) seen[#seen + 1] = n end })
    up:send(2)
    up:send(3)
    equal({ up:finish(4) }, { 10 })
    equal(seen, { 1, 3, 6 })
  end },
  { "its caller sends parts to our callee", function()
    local result, seen = client:call("interop.parts.wampy_js.send", "interop.parts.lua.sum",
      { 1, 2, 3, 4 })
    equal({ result }, { 10 })
    equal(seen, { 1, 3, 6, 10 })
  end },
  { "its caller sends two parts", function()
    local result = client:call("interop.parts.wampy_js.send", "interop.parts.lua.sum", { 7, 0 })
    equal({ result }, { 7 })
  end },
  { "leaves", function()
    client:stop()
    other:stop()
  end },
}

for _, test in ipairs(tests) do
  local ok, e = xpcall(test[2], function(e) return debug.traceback(tostring(e), 2) end)
  print(ok and "ok - " .. test[1] or ("not ok - %s # %s"):format(test[1], e:gsub("\n", "\\n")))
end
