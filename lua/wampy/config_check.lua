-- config_check.lua - what the readers of a configuration share: each value is checked, and what is
-- wrong is an error that begins with its path in the file.

local keys = require "wampy.config_keys"
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

--- A path in a file is relative to the file.
function checks.beside(file, path)
  if path:sub(1, 1) == "/" then return path end
  return (file:match("^(.*/)") or "") .. path
end

--- Whether a path is that of a folder which can be entered.
function checks.is_folder(path)
  local file = io.open(path .. "/.", "rb")
  if file then file:close() end
  return file ~= nil
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

-- What becomes of one key; see config_keys.lua.
local function judge(status, value, path, warn)
  if status == keys.USED or status == keys.FINE then return end
  if type(status) == "table" then
    if value ~= status.fixed then
      warn(("%s is ignored: it is always %s here"):format(path, tostring(status.fixed)))
    end
  elseif status == nil or status == keys.WARNED then
    warn(("%s is not supported and ignored"):format(path))
  else
    checks.wrong(path, "is not supported: %s", status)
  end
end

--- Checks that a value is an object, and what becomes of its keys.
-- @param t object
-- @param known one of the tables of config_keys.lua
-- @param path place of `t`
-- @param warn function(text), told of what is ignored
-- @return t
function checks.object(t, known, path, warn)
  checks.check(t, "table", path)
  for _, name in ipairs(checks.sorted(t)) do
    judge(known[name], t[name], path .. "." .. name, warn)
  end
  return t
end

--- An integer in a range; `default` when it is not there.
function checks.integer(value, path, least, most, default)
  if value == nil and default then return default end
  if math.type(value) ~= "integer" or value < least or value > most then
    checks.wrong(path, "expected an integer from %d to %d, got %s", least, most, tostring(value))
  end
  return value
end

--- A boolean; `default` when it is not there.
function checks.boolean(value, path, default)
  if value == nil then return default end
  return checks.check(value, "boolean", path)
end

-- ---- all mistakes at once ---------------------------------------------------------------------

local mistakes -- list while they are collected; else nil

--- Reads a part of a configuration, whose mistakes do not concern what stands beside it.
-- @return what fn returns; nothing when it raised and mistakes are collected
function checks.part(fn, ...)
  if not mistakes then return fn(...) end
  local ok, result = pcall(fn, ...)
  if ok then return result end
  if not errors.is_error(result) then error(result, 0) end
  mistakes[#mistakes + 1] = result.message
end

--- Reads each element of a list of a file. What is wrong with one is raised, or collected.
-- @param t list
-- @param path its place
-- @param fn function(element, path of the element, ...)
-- @return list of what fn returned, without what could not be read
function checks.each(t, path, fn, ...)
  local result = {}
  for i, element in ipairs(checks.list(t, path)) do
    result[#result + 1] = checks.part(fn, element, ("%s[%d]"):format(path, i - 1), ...)
  end
  return result
end

--- Whether something wrong has been collected: what is put together of the parts is not whole.
function checks.mistaken()
  return mistakes ~= nil and mistakes[1] ~= nil
end

--- Calls a function, and collects what is wrong with the parts that it reads.
-- @return what it returned, or nil when it raised; list of messages
function checks.collect(fn, ...)
  local found = {}
  mistakes = found
  local ok, result = pcall(checks.part, fn, ...)
  mistakes = nil
  if not ok then error(result, 0) end
  return result, found
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
