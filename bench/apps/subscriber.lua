-- The app under test as subscriber: counts events and acknowledges each thousandth.
local wampy = require "wampy"

local Subscriber = wampy.Client:extend("Subscriber")
local count = 0

Subscriber.on_bench_event = wampy.subscriber { topic = "bench_event" } (function(self, seq)
  if seq > 0 then count = count + 1 end
  if seq % 1000 == 0 then self:publish { topic = "bench_ack", seq = seq, count = count } end
end)

return Subscriber
