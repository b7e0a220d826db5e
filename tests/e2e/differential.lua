-- differential.lua: values in MsgPack and CBOR by others, read and written by us.
-- Each line of the input is "FORMAT HEX JSON"; each line of the output is what we write for the
-- value of the JSON, in hexadecimal, or "differs" when the bytes are another value.
local core = require "wampy.core"

local function same(x, y)
  if type(x) ~= "table" or type(y) ~= "table" then
    return x == y and math.type(x) == math.type(y) and (x ~= 0 or 1 / x == 1 / y)
  end
  if getmetatable(x) ~= getmetatable(y) then return false end
  for k, v in pairs(x) do
    if not same(v, y[k]) then return false end
  end
  for k in pairs(y) do
    if x[k] == nil then return false end
  end
  return true
end

for line in io.lines() do
  local format, hex, json = line:match("^(%S+) (%S+) (.*)$")
  local bytes = hex:gsub("..", function(byte) return string.char(tonumber(byte, 16)) end)
  local value, bad_json = core.json_decode(json)
  local read, bad_bytes = core.decode(format, bytes)
  if bad_json or bad_bytes or not same(read, value) then
    print("differs")
  else
    print((core.encode(format, value):gsub(".", function(c) return ("%02x"):format(c:byte()) end)))
  end
end
