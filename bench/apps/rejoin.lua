-- The app under test that loses its router: says when it is joined, with everything on it. One
-- step of its back-off is a quarter of a second, always.
local wampy = require "wampy"

local Rejoin = wampy.Client:extend("Rejoin")

Rejoin.defaults = { reconnect = { initial = 0.25, factor = 1, jitter = 0 } }
Rejoin.bench_echo = wampy.callee(function(_, text) return text end)
Rejoin.bench_event = wampy.subscriber "bench.event" (function() end)

function Rejoin:on_join() -- luacheck: ignore self
  print("joined")
  io.stdout:flush()
end

return Rejoin
