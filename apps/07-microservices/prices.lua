-- What things cost, in cents. Keeps nothing, so that any worker may answer.
local wampy = require "wampy"

local Prices = wampy.Client:extend("Prices")

local cents = { apple = 30, pear = 45, quince = 90 }

Prices.get_price = wampy.callee { invoke = "roundrobin" } (function(_, item)
  if not cents[item] then error(wampy.error("shop.error.no_such_item", item)) end
  return cents[item]
end)

return Prices
