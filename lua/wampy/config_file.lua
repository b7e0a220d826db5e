-- config_file.lua - decoding a configuration file: JSON, and YAML where the module lyaml is
-- installed.

local core = require "wampy.core"
local errors = require "wampy.errors"

local config_file = {}

local function wrong(fmt, ...)
  errors.raise("WampyError", fmt:format(...))
end

local function read(path)
  local file, e = io.open(path, "rb")
  if not file then wrong("configuration %s", e) end
  local text = file:read("a")
  file:close()
  if not text then wrong("%s: cannot be read", path) end
  return text
end

-- YAML's lists are Lua's; as JSON's they are marked. One that is empty might be an object as well:
-- where a configuration may have nothing, it is a list more often.
local function mark(value, null)
  if type(value) ~= "table" then return value end
  for key, v in pairs(value) do value[key] = v == null and core.null or mark(v, null) end
  if value[1] ~= nil or next(value) == nil then setmetatable(value, core.array_mt) end
  return value
end

local function decode_yaml(path)
  local found, lyaml = pcall(require, "lyaml")
  if not found then
    wrong("%s: reading YAML needs the Lua module lyaml (Debian package lua-yaml)", path)
  end
  local ok, t = pcall(lyaml.load, read(path))
  if not ok then wrong("%s: not YAML: %s", path, tostring(t):gsub("^[^\n]-:%d+: ", "")) end
  return mark(t, lyaml.null)
end

local function decode_json(path)
  local t, what = core.json_decode(read(path))
  if t == nil then wrong("%s: not JSON: %s", path, what) end
  return t
end

--- Decodes a file, by its name YAML (.yaml, .yml) or JSON.
-- @param path the file
-- @return table or whatever is in it; raises WampyError
function config_file.decode(path)
  local decode = path:find("%.ya?ml$") and decode_yaml or decode_json
  return decode(path)
end

return config_file
