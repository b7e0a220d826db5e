-- announce.lua - the field `roles` of a client, written as wampy writes it: which roles and
-- features it announces in HELLO.
--
-- A role that is named without `features` announces all that works. What is announced here is
-- what the router may count on; what a client does with it is not known here.

local core = require "wampy.core"
local errors = require "wampy.errors"
local nearest = require "wampy.nearest"

local announce = {}

local function bad(fmt, ...)
  errors.raise("WampyError", "Client: field roles" .. fmt:format(...))
end

local function names(t)
  local list = {}
  for name in pairs(t) do list[#list + 1] = name end
  table.sort(list)
  return table.concat(list, ", ")
end

local function expect(value, want, path)
  if type(value) ~= want then bad("%s: expected a %s, got %s", path, want, type(value)) end
  return value
end

-- The features that this role's table asks for.
local function features_of(role, t)
  local known, path = core.client_features[role], ".roles." .. role
  local set = {}
  for name, on in pairs(t.features and expect(t.features, "table", path .. ".features") or known) do
    if not known[name] then
      bad("%s.features: unknown feature %q (there are: %s)%s", path, tostring(name), names(known),
        nearest.hint(name, known))
    end
    set[name] = expect(on, "boolean", ("%s.features.%s"):format(path, name)) or nil
  end
  for name, on in pairs(t) do -- wampy writes shared_registration beside features
    if name == "shared_registration" and role == "callee" then
      set[name] = expect(on, "boolean", path .. "." .. name) or nil
    elseif name ~= "features" then
      bad("%s: unknown field %q", path, tostring(name))
    end
  end
  return set
end

--- The roles and features to announce.
-- @param field the field `roles`, or nil
-- @return dict for HELLO, nil for everything that works; raises WampyError naming what is wrong
function announce.roles(field)
  for name in pairs(field or {}) do
    if name ~= "roles" and name ~= "authmethods" and name ~= "authid" then
      bad(": unknown field %q (expected roles, authmethods, authid)", tostring(name))
    end
  end
  local given = field and field.roles
  if given == nil then return nil end
  local dict = {}
  for role, t in pairs(expect(given, "table", ".roles")) do
    if not core.client_features[role] then
      bad(".roles: unknown role %q (there are: %s)%s", tostring(role), names(core.client_features),
        nearest.hint(role, core.client_features))
    end
    dict[role] = { features = features_of(role, expect(t, "table", ".roles." .. role)) }
  end
  if not next(dict) then bad(".roles: expected at least one of %s", names(core.client_features)) end
  return dict
end

return announce
