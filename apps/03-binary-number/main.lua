-- A service that writes whole numbers in base two: get_binary_number(number).
-- rpc.get_binary_number(kwargs { number = 100 }) -> "0b1100100"
local wampy = require "wampy"

local BinaryNumberService = wampy.Client:extend("BinaryNumberService")

local function binary(n)
  local digits = {}
  repeat
    table.insert(digits, 1, n & 1)
    n = n >> 1
  until n == 0
  return table.concat(digits)
end

BinaryNumberService.get_binary_number = wampy.callee(function(_, number)
  local n = math.tointeger(number)
  if not n then
    error(wampy.error("com.example.not_a_whole_number", tostring(number)))
  end
  local sign = n < 0 and "-" or ""
  return sign .. "0b" .. binary(n < 0 and -n or n)
end)

return BinaryNumberService
