-- What is left of things. It has a state, so one worker answers (invoke = "first"), and the others
-- follow what it does by its events: whoever is next in line knows what is left.
local wampy = require "wampy"

local Stock = wampy.Client:extend("Stock")

local function shelf(self)
  self.left = self.left or { apple = 100, pear = 100, quince = 3 }
  return self.left
end

Stock.take = wampy.callee { invoke = "first" } (function(self, item, count)
  local left = (shelf(self)[item] or 0) - count
  if left < 0 then error(wampy.error("shop.error.sold_out", item)) end
  shelf(self)[item] = left
  self:publish("shop.left", item, left)
  return left
end)

Stock.follow = wampy.subscriber "shop.left" (function(self, item, left)
  shelf(self)[item] = left
end)

return Stock
