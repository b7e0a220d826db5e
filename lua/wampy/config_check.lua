-- config_check.lua - what the readers of a configuration share: each value is checked, and what is
-- wrong is an error that begins with its path in the file.

local core = require "wampy.core"
local errors = require "wampy.errors"

local checks = {}

--- Raises an error about a place in the configuration.
-- @param path place, such as "config.json.workers[0].type"
-- @param fmt text as for string.format, with its arguments behind it
function checks.wrong(path, fmt, ...)
  errors.raise("WampyError", ("%s: %s"):format(path, fmt:format(...)))
end

--- What kind of value it is, in the words of an error.
function checks.kind(value)
  if value == nil then return "nothing" end
  return getmetatable(value) == core.array_mt and "a list" or type(value)
end

--- Checks the type of a value.
-- @param value any
-- @param want a type's name; "table" is an object
-- @param path its place
-- @return value
function checks.check(value, want, path)
  local kind = checks.kind(value)
  if kind ~= want then
    checks.wrong(path, "expected %s, got %s", want == "table" and "an object" or "a " .. want, kind)
  end
  return value
end

--- Checks that a value is a list: of a file, or a Lua table with elements.
function checks.list(value, path)
  local marked = getmetatable(value) == core.array_mt
  if not marked and (type(value) ~= "table" or #value == 0) then
    checks.wrong(path, "expected a list")
  end
  return value
end

--- Checks that a value is the URI of a procedure.
-- @param value any
-- @param path its place
-- @return value
function checks.procedure(value, path)
  if type(value) ~= "string" or not core.uri_ok(value) or value:find("^wamp%.") then
    checks.wrong(path, "expected the URI of a procedure")
  end
  return value
end

--- A set of names.
function checks.set(...)
  local s = {}
  for _, name in ipairs { ... } do s[name] = true end
  return s
end

--- The keys of a table, sorted.
function checks.sorted(t)
  local names = {}
  for key in pairs(t) do names[#names + 1] = tostring(key) end
  table.sort(names)
  return names
end

--- Names the keys of `t` that are not in `known`.
-- @param t object
-- @param known set of names
-- @param path place of `t`
-- @param warn function(text)
function checks.warn_unknown(t, known, path, warn)
  for _, name in ipairs(checks.sorted(t)) do
    if not known[name] then warn(("%s.%s is not supported and ignored"):format(path, name)) end
  end
end

--- Whether two values are the same, down to the last one in them.
function checks.same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for key, value in pairs(a) do
    if not checks.same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

return checks
