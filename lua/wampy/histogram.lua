-- histogram.lua - how long many things took, in a table whose size does not grow with their number.
--
-- Times are counted in buckets that grow by a hundredth each: a quantile is right to one per cent.

local Histogram = { __name = "wampy.histogram" }
Histogram.__index = Histogram

local UNIT = 1e-6            -- seconds; what is shorter counts as this
local GROWTH = math.log(1.01)

--- Counts a time.
-- @param seconds number
function Histogram:add(seconds)
  local bucket = math.floor(math.log(math.max(seconds, UNIT) / UNIT) / GROWTH)
  self.buckets[bucket] = (self.buckets[bucket] or 0) + 1
  self.count = self.count + 1
  self.most = math.max(self.most, seconds)
end

--- The time that this part of them did not take longer than.
-- @param part from 0 to 1
-- @return seconds, at most one per cent too many; 0 when nothing was counted
function Histogram:quantile(part)
  local order, seen = {}, 0
  for bucket in pairs(self.buckets) do order[#order + 1] = bucket end
  table.sort(order)
  local wanted = math.ceil(part * self.count)
  for _, bucket in ipairs(order) do
    seen = seen + self.buckets[bucket]
    if seen >= wanted then return math.min(UNIT * math.exp((bucket + 1) * GROWTH), self.most) end
  end
  return 0
end

--- Makes an empty one.
-- @return histogram with `count`, and `most`, the longest time
local function new()
  return setmetatable({ buckets = {}, count = 0, most = 0 }, Histogram)
end

return { new = new }
