-- The service that the others work for: it asks them by rpc, wherever they run. Every half a second
-- each worker tells what it sold.
local wampy = require "wampy"

local Orders = wampy.Client:extend("Orders")

Orders.sold = 0

Orders.order = wampy.callee { invoke = "roundrobin" } (function(self, item, count)
  local price = self.rpc.get_price(item)
  local left = self.rpc.take(item, count)
  self.sold = self.sold + count
  return { item = item, cents = price * count, left = left, worker = os.getenv("WAMPY_WORKER") }
end)

Orders.report = wampy.timer { interval = 0.5 } (function(self)
  if self.sold == 0 then return end
  self:publish("shop.sold", self.sold)
  self.sold = 0
end)

return Orders
