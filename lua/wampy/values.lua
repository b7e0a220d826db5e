-- values.lua - marks for values: what goes out as keyword arguments, as a list, as bytes, as null
-- (lua-api: Values, Calling).

local core = require "wampy.core"

local values = { null = core.null, array_mt = core.array_mt }

core.kwargs_mt.__name = "wampy.kwargs"
core.kwargs_mt.__call = function(_, t) return values.kwargs(t) end -- a parameter named kwargs
core.options_mt.__name = "wampy.options"
core.array_mt.__name = "wampy.array"
core.binary_mt.__name = "wampy.binary"
core.binary_mt.__tostring = function(b) return b[1] end
core.binary_mt.__eq = function(a, b) return a[1] == b[1] end
core.binary_mt.__len = function(b) return #b[1] end

local function copy(t, what)
  if type(t) ~= "table" then
    error(what .. ": expected a table, got " .. type(t), 3)
  end
  local c = {}
  for k, v in next, t do c[k] = v end
  return c
end

--- Marks a copy of a table as keyword arguments.
-- @param t table with string keys
-- @return the marked copy, to stand at the end of a call's arguments or of a handler's results
function values.kwargs(t)
  return setmetatable(copy(t, "kwargs"), core.kwargs_mt)
end

--- Marks a copy of a table as options of a call or publish.
-- @param t options by the spec's names; `timeout` (seconds) and `on_progress` are ours
-- @return the marked copy
function values.options(t)
  return setmetatable(copy(t, "options"), core.options_mt)
end

--- Takes a mark off: a plain copy of a table.
-- @param t table, marked or not
-- @return a plain copy
function values.dict(t)
  return copy(t, "dict")
end

--- Marks a table as a list, so that an empty one goes out as [].
-- @param t table with keys 1 to n, or nothing
-- @return t itself, marked
function values.array(t)
  return setmetatable(t or {}, core.array_mt)
end

--- Bytes that are not text.
-- @param s string
-- @return a value that goes out as a byte string; tostring gives the bytes back
function values.binary(s)
  if type(s) ~= "string" then error("binary: expected a string, got " .. type(s), 2) end
  return setmetatable({ s }, core.binary_mt)
end

return values
