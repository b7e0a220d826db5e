-- decisions.lua - the functions `authenticator` and `authorizer` of an embedded router: what they
-- are given, and what becomes of what they return.
--
-- The router asks in JSON (src/lua/l_decide.c) and judges the answer itself: a function is held to
-- nothing that a WAMP procedure would not be held to. An error is logged, and is a no.

local checks = require "wampy.config_check"
local config = require "wampy.config"
local config_auth = require "wampy.config_auth"
local codes = require "wampy.codes"
local core = require "wampy.core"
local errors = require "wampy.errors"

local decisions = {}

-- Null is nil: in a table it is a key that is not there.
local function denulled(value)
  if value == core.null then return nil end
  if type(value) == "table" then
    for key, v in next, value do
      if v == core.null then value[key] = nil end
    end
  end
  return value
end

local function explain(e)
  return errors.is_error(e) and tostring(e) or debug.traceback(tostring(e), 2)
end

local function run(decide, args)
  local answer = decide(denulled(args[1]), denulled(args[2]), denulled(args[3]), denulled(args[4]))
  return answer ~= nil and core.json_encode(answer) or nil
end

--- The function that answers what a router asks.
-- @param authenticator function(realm, authid, details) -> role or table, or nil
-- @param authorizer function(session, uri, action, options) -> boolean or table, or nil
-- @return function(who, json) -> json or nil, as core.router takes it; nil when there is neither
function decisions.decider(authenticator, authorizer)
  if not authenticator and not authorizer then return nil end
  return function(who, json)
    local decide = who and authenticator or not who and authorizer
    if not decide then return nil end
    local ok, answer = xpcall(run, explain, decide, core.json_decode(json))
    if ok then return answer end
    codes.log(("in the %s of the router: %s"):format(who and "authenticator" or "authorizer",
      errors.app_frames(answer)), "W904")
  end
end

-- A function, or the URI of a procedure: nil, or that function, and what the router is told.
local function whom(t, field)
  local value = t[field]
  if value == nil then return nil, nil end
  if type(value) == "function" then return value, "" end
  if type(value) ~= "string" then
    errors.raise("WampyError", ("Embedded: field %s: expected a function or the URI of a procedure,"
      .. " got %s"):format(field, type(value)))
  end
  return nil, checks.procedure(value, "Embedded: field " .. field)
end

-- Roles that may do everything, or of Crossbar.io's form.
local function read_roles(list)
  local roles = {}
  for i, role in ipairs(checks.list(list, "roles")) do
    roles[i] = type(role) == "string" and config_auth.open_role(role)
      or config.read_role(role, ("roles[%d]"):format(i),
        function(line) codes.warn(line, "W356") end)
  end
  return roles
end

local function is_dynamic(principals)
  for _, p in ipairs(principals) do
    if p.authenticator then return true end
  end
  return false
end

-- Roles are made for realms that have none.
local function set_principals(settings, principals)
  settings.principals, settings.doors = principals, nil
  for _, realm in ipairs(settings.realms) do
    if not realm.roles[1] then config_auth.add_roles(realm, principals) end
    if not realm.roles[1] and is_dynamic(principals) then
      errors.raise("WampyError", "Embedded: an authenticator needs the field roles, such as "
        .. "{ \"user\" }: those that it gives")
    end
  end
  config_auth.check_roles(principals, settings.realms)
end

-- Every role that has no permissions of its own, and no authorizer.
local function set_authorizer(settings, authorizer)
  for _, realm in ipairs(settings.realms) do
    if not realm.roles[1] then realm.roles[1] = config_auth.open_role("anonymous") end
    for _, role in ipairs(realm.roles) do
      if role.bare then role.authorizer, role.permissions = authorizer, {} end
    end
  end
end

--- Gives a router's settings who may join and who decides.
-- @param settings { realms, principals, doors } as core.router takes them; realms named by the
-- fields of the router have no roles yet
-- @param t fields of the router: auth, roles, authenticator, authorizer
-- @return function for core.router that decides, or nil; raises WampyError
function decisions.settle(settings, t)
  local authenticator, above = whom(t, "authenticator")
  local authorizer, decides = whom(t, "authorizer")
  if t.roles ~= nil then
    for _, realm in ipairs(settings.realms) do
      if realm.roles[1] then
        errors.raise("WampyError", "Embedded: field roles: the configuration has roles")
      end
      realm.roles = read_roles(t.roles)
    end
  end
  local auth = t.auth or above and config_auth.dynamic()
  if auth ~= nil then set_principals(settings, config_auth.read(auth, "auth", above)) end
  if decides then set_authorizer(settings, decides) end
  return decisions.decider(authenticator, authorizer)
end

return decisions
