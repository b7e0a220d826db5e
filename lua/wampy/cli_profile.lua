-- cli_profile.lua - files that say what a command line does not: profiles, and files of variables.

local cli_flags = require "wampy.cli_flags"
local core = require "wampy.core"
local errors = require "wampy.errors"
local settings = require "wampy.settings"

local cli_profile = {}

local MAX = 1 << 20 -- bytes of such a file

--- Sets the variables of a file that are not set yet.
-- @param path file of lines NAME=VALUE, empty lines and comments
-- @return nil, or what is wrong
function cli_profile.take_variables(path)
  local text, e = cli_flags.read_file(path, MAX)
  if not text then return "--env-file: " .. e end
  local number = 0
  for line in (text .. "\n"):gmatch("(.-)\r?\n") do
    number = number + 1
    local name, value = line:gsub("^%s*export%s", ""):match("^%s*([%a_][%w_]*)%s*=%s*(.-)%s*$")
    if name then
      core.set_variable(name, value:match("^\"(.*)\"$") or value:match("^'(.*)'$") or value)
    elseif not line:find("^%s*#") and not line:find("^%s*$") then
      return ("--env-file: %s:%d: expected NAME=VALUE"):format(path, number)
    end
  end
end

-- ---- profiles -----------------------------------------------------------------------------------

local identity = { authid = true, authmethod = true, secret_file = true, ticket_file = true,
  key = true }

local function path_of()
  local home = os.getenv("XDG_CONFIG_HOME")
  if not home or home == "" then home = (os.getenv("HOME") or "") .. "/.config" end
  return home .. "/wampy-lua/profiles.json"
end

local function fail(fmt, ...)
  errors.raise("WampyError", fmt:format(...))
end

local function is_object(value)
  return type(value) == "table" and getmetatable(value) ~= core.array_mt
end

-- The object of a profile in the file.
local function find(name)
  local path = path_of()
  local text, e = cli_flags.read_file(path, MAX)
  if not text then fail("--profile %s: %s", name, e) end
  local all, fault = core.json_decode(text)
  if not is_object(all) then
    fail("%s: expected an object of profiles%s", path, fault and ": " .. fault or "")
  end
  if is_object(all[name]) then return all[name] end
  local names = {}
  for each in pairs(all) do names[#names + 1] = tostring(each) end
  table.sort(names)
  fail("--profile: there is no profile '%s' in %s (there are: %s)", name, path,
    names[1] and table.concat(names, ", ") or "none")
end

-- A value as the text that a flag would have been given; lists a line each.
local function text_of(value)
  if type(value) ~= "table" then return tostring(value) end
  local lines = {}
  for i, each in ipairs(value) do lines[i] = tostring(each) end
  return table.concat(lines, "\n")
end

--- Reads a profile.
-- @param name of it, in profiles.json of the folder of configurations
-- @return { fields = of a client, auth = as credentials.force takes it, retries = or nil }; raises
-- WampyError
function cli_profile.read(name)
  local profile = { auth = {} }
  local texts = {}
  for key, value in pairs(find(name)) do
    local setting = tostring(key):gsub("-", "_")
    if identity[setting] then
      profile.auth[setting] = text_of(value)
    elseif settings.known(setting) or setting == "retries" then
      texts[setting] = text_of(value)
    else
      fail("profile %s: unknown key '%s'", name, key)
    end
  end
  local fault
  if texts.retries then profile.retries, fault = settings.retries(texts.retries) end
  if fault then fail("profile %s: retries: %s", name, fault) end
  profile.fields = settings.fields(function(setting)
    return texts[setting], ("profile %s: %s"):format(name, setting)
  end)
  return profile
end

return cli_profile
