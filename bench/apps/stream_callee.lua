-- The app under test that sends a stream: parts of a result, and afterwards what they have cost.
local wampy = require "wampy"

local Callee = wampy.Client:extend("Callee")
local TEXT = ("x"):rep(32)
local spent, resident -- at the part that counts as the first

local function kib()
  local file <close> = assert(io.open("/proc/self/status"))
  return tonumber(file:read("a"):match("VmRSS:%s+(%d+)"))
end

Callee.bench_stream = wampy.callee(function(_, count, warmup, details)
  for i = 1, count do
    if i == warmup then spent, resident = os.clock(), kib() end
    details:progress(i, TEXT)
  end
  return count
end)

Callee.bench_spent = wampy.callee(function()
  return (os.clock() - spent) * 1e9 // 1, kib() - resident
end)

function Callee:on_join() -- luacheck: ignore self
  print("joined")
  io.stdout:flush()
end

return Callee
