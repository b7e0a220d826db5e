-- serializers.lua - the formats of messages: which there are, and lists of them by preference.
--
-- Each has a second form for WebSockets, "json.batched": messages that are due at the same time go
-- out as one. It is for peers of ours only, and never spoken unless somebody asks for it.

local core = require "wampy.core"

local serializers = {}

local known = {}
for _, name in ipairs(core.serializers) do known[name], known[name .. ".batched"] = true, true end

local NAMES = table.concat(core.serializers, ", ")

--- Whether there is a serializer of this name.
function serializers.is_known(name)
  return known[name] == true
end

--- What is wrong with a list of formats.
-- @param list names in order of preference
-- @return text, or nil when nothing is
function serializers.fault(list)
  local seen = {}
  for _, name in ipairs(list) do
    if not known[name] then
      return ("%q is not available (%s are; also as json.batched)"):format(tostring(name), NAMES)
    end
    if seen[name] then return ("%q is named twice"):format(name) end
    seen[name] = true
  end
  if not list[1] then return "names at least one of " .. NAMES end
end

--- Reads a list as in "msgpack,json".
-- @param text names with commas between them
-- @return list | nil, what is wrong with it
function serializers.parse(text)
  local list = {}
  for name in (text .. ","):gmatch("%s*([^,]-)%s*,") do list[#list + 1] = name end
  local fault = serializers.fault(list)
  if fault then return nil, fault end
  return list
end

return serializers
