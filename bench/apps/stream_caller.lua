-- The app under test that reads a stream, and prints what its parts have cost at either end.
local wampy = require "wampy"

local Caller = wampy.Client:extend("Caller")
local COUNT, WARMUP = tonumber(os.getenv "BENCH_COUNT"), tonumber(os.getenv "BENCH_WARMUP")

local function kib()
  local file <close> = assert(io.open("/proc/self/status"))
  return tonumber(file:read("a"):match("VmRSS:%s+(%d+)"))
end

function Caller:on_join()
  local bad, seen, began, spent, resident = 0, 0, 0, 0, 0
  for i, seq in self:stream("bench_stream", COUNT, WARMUP) do
    seen = i
    if seq ~= i then bad = bad + 1 end
    if i == WARMUP then began, spent, resident = wampy.now(), os.clock(), kib() end
  end
  local cpu, elapsed, grown = os.clock() - spent, wampy.now() - began, kib() - resident
  local callee_ns, callee_grown = self:call("bench_spent")
  print(('{"count": %d, "bad": %d, "elapsed_ns": %.0f, "caller_ns": %.0f, "caller_kib": %d, '
    .. '"callee_ns": %.0f, "callee_kib": %d}'):format(COUNT - WARMUP, bad + COUNT - seen,
    elapsed * 1e9, cpu * 1e9, grown, callee_ns, callee_grown))
  io.stdout:flush()
  wampy.stop()
end

return Caller
