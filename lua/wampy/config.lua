-- config.lua - reading a Crossbar.io configuration (config.json, version 2): which realms, roles
-- and permissions a router gets, where it listens, and where an app finds it.
--
-- What is used: workers of type router: realms (name, roles: name, permissions; store:
-- event-history), their transports (config_transport.lua), and who may join by them
-- (config_auth.lua). A key of our own is `trust` of a permission. Anything else is named in a
-- warning; anything wrong is an error that gives its path in the file.

local checks = require "wampy.config_check"
local config_auth = require "wampy.config_auth"
local config_transport = require "wampy.config_transport"
local core = require "wampy.core"
local errors = require "wampy.errors"

local config = {}

local check, list, set = checks.check, checks.list, checks.set
local warn_unknown, wrong = checks.warn_unknown, checks.wrong

local keys = {
  top = set("version", "workers", "controller", "$schema"),
  worker = set("type", "realms", "transports", "id"),
  realm = set("name", "roles", "id", "store"),
  store = set("type", "limit", "event-history"),
  history = set("uri", "match", "limit"),
  role = set("name", "permissions", "authorizer", "id"),
  permission = set("uri", "match", "allow", "cache", "disclose", "trust"),
}

-- Who is told to the others: the caller, the publisher.
local function read_disclose(disclose, path)
  if disclose == nil then return end
  for who, yes in pairs(check(disclose, "table", path)) do
    if who ~= "caller" and who ~= "publisher" then wrong(path, "unknown key %q", tostring(who)) end
    check(yes, "boolean", path .. "." .. who)
  end
  return disclose.caller, disclose.publisher
end

local function read_match(t, path)
  local match = t.match == nil and "exact" or t.match
  if match ~= "exact" and match ~= "prefix" and match ~= "wildcard" then
    wrong(path .. ".match", "expected exact, prefix or wildcard, got %s", tostring(match))
  end
  return match
end

-- An integer; `default` when it is not there.
local function read_integer(value, path, least, most, default)
  if value == nil and default then return default end
  if math.type(value) ~= "integer" or value < least or value > most then
    wrong(path, "expected an integer from %d to %d, got %s", least, most, tostring(value))
  end
  return value
end

local function read_permission(p, path, warn)
  check(p, "table", path)
  warn_unknown(p, keys.permission, path, warn)
  local uri = check(p.uri, "string", path .. ".uri")
  local match = read_match(p, path)
  if uri:sub(-1) == "*" and p.match == nil then -- Crossbar's short form
    uri, match = uri:sub(1, -2), "prefix"
  end
  local allow = p.allow == nil and {} or check(p.allow, "table", path .. ".allow")
  for action, yes in pairs(allow) do
    if not set("call", "register", "publish", "subscribe", "force_reregister")[action] then
      wrong(path .. ".allow", "unknown action %q", action)
    end
    check(yes, "boolean", path .. ".allow." .. action)
  end
  local caller, publisher = read_disclose(p.disclose, path .. ".disclose")
  local force = allow.force_reregister -- ours; to Crossbar.io it is a part of register
  if force == nil then force = allow.register end
  local trust = p.trust ~= nil and read_integer(p.trust, path .. ".trust", 0, 0x7fffffff) or nil
  return { uri = uri, match = match, call = allow.call, register = allow.register,
    publish = allow.publish, subscribe = allow.subscribe, force_reregister = force,
    trust = trust, disclose_caller = caller, disclose_publisher = publisher }
end

--- Reads a role of a realm.
-- @param role { name, permissions or authorizer }
-- @param path its place
-- @param warn function(text)
-- @return the router's form; `bare` when it has neither
function config.read_role(role, path, warn)
  check(role, "table", path)
  warn_unknown(role, keys.role, path, warn)
  local result = { name = check(role.name, "string", path .. ".name"), permissions = {} }
  if role.authorizer ~= nil then
    if role.permissions ~= nil then wrong(path, "give permissions or an authorizer, not both") end
    result.authorizer = checks.procedure(role.authorizer, path .. ".authorizer")
    return result
  end
  result.bare = role.permissions == nil
  local permissions = role.permissions or setmetatable({}, core.array_mt)
  for i, p in ipairs(list(permissions, path .. ".permissions")) do
    result.permissions[i] = read_permission(p, ("%s.permissions[%d]"):format(path, i - 1), warn)
  end
  return result
end

local most_events = 100000 -- of one history, as limits.h has it

local function read_history(t, path, limit, warn)
  check(t, "table", path)
  warn_unknown(t, keys.history, path, warn)
  local uri, match = check(t.uri, "string", path .. ".uri"), read_match(t, path)
  if not core.uri_ok(uri, match) then wrong(path .. ".uri", "invalid URI %q", uri) end
  if uri == "wamp" or uri:find("^wamp%.") then
    wrong(path .. ".uri", "the router's own events have no history")
  end
  return { uri = uri, match = match,
    limit = read_integer(t.limit, path .. ".limit", 1, most_events, limit) }
end

-- The histories of a realm: Crossbar.io's store, of which there is the type memory.
local function read_store(store, path, warn)
  local histories, seen = {}, {}
  if store == nil then return nil end
  check(store, "table", path)
  warn_unknown(store, keys.store, path, warn)
  if store.type ~= "memory" then
    wrong(path .. ".type", "expected memory, got %s", tostring(store.type))
  end
  local limit = read_integer(store.limit, path .. ".limit", 1, most_events, 100)
  local list_path = path .. ".event-history"
  for i, t in ipairs(list(store["event-history"] or setmetatable({}, core.array_mt), list_path)) do
    local at = ("%s[%d]"):format(list_path, i - 1)
    local history = read_history(t, at, limit, warn)
    local name = history.match .. " " .. history.uri
    if seen[name] then wrong(at, "is there twice, also as [%d]", seen[name] - 1) end
    seen[name], histories[i] = i, history
  end
  return histories
end

local function read_realm(realm, path, warn)
  check(realm, "table", path)
  warn_unknown(realm, keys.realm, path, warn)
  local result = { name = check(realm.name, "string", path .. ".name"), roles = {} }
  if not core.uri_ok(result.name) then wrong(path .. ".name", "invalid realm %q", result.name) end
  for i, role in ipairs(list(realm.roles, path .. ".roles")) do
    result.roles[i] = config.read_role(role, ("%s.roles[%d]"):format(path, i - 1), warn)
  end
  result.histories = read_store(realm.store, path .. ".store", warn)
  return result
end

-- A router has one store of those who may join: a transport for others is not opened.
local function read_worker(worker, path, result, name, warn)
  warn_unknown(worker, keys.worker, path, warn)
  for i, realm in ipairs(list(worker.realms, path .. ".realms")) do
    table.insert(result.realms, read_realm(realm, ("%s.realms[%d]"):format(path, i - 1), warn))
  end
  for i, t in ipairs(list(worker.transports, path .. ".transports")) do
    local at = ("%s.transports[%d]"):format(path, i - 1)
    local found = config_transport.read(check(t, "table", at), at, name, warn)
    local first = result.transports[1]
    if not found then
      warn(("%s (type %s) is not supported and ignored"):format(at, tostring(t.type)))
    elseif first and not checks.same(found.auth, first.auth) then
      warn(("%s is ignored: its auth is not that of the first transport"):format(at))
    else
      table.insert(result.transports, found)
    end
  end
end

--- Reads a decoded configuration.
-- @param t the decoded file
-- @param name for messages, the file's name
-- @param warn function(text), called for everything that is ignored
-- @return { realms = router's form, transports = list of config_transport.read's form,
-- principals = router's form, or nil when there is no `auth` }
function config.read(t, name, warn)
  check(t, "table", name)
  local result = { realms = {}, transports = {} }
  warn_unknown(t, keys.top, name, warn)
  if t.version ~= nil and t.version ~= 2 then
    wrong(name .. ".version", "expected 2, got %s", tostring(t.version))
  end
  for i, worker in ipairs(list(t.workers, name .. ".workers")) do
    local path = ("%s.workers[%d]"):format(name, i - 1)
    check(worker, "table", path)
    if worker.type == "router" then
      read_worker(worker, path, result, name, warn)
    else
      warn(("%s (type %s) is not supported and ignored"):format(path, tostring(worker.type)))
    end
  end
  if not result.realms[1] then wrong(name, "no realm in any worker of type router") end
  if not result.transports[1] then
    wrong(name, "no transport of type websocket, web, rawsocket or universal")
  end
  result.principals = result.transports[1].principals
  if result.principals then config_auth.check_roles(result.principals, result.realms) end
  return result
end

--- Decodes a file of JSON.
-- @param path the file
-- @return table; raises when it cannot be read or is not JSON
function config.decode(path)
  local file, e = io.open(path, "rb")
  if not file then errors.raise("WampyError", ("configuration %s"):format(e)) end
  local text = file:read("a")
  file:close()
  if not text then errors.raise("WampyError", ("%s: cannot be read"):format(path)) end
  local t, what = core.json_decode(text)
  if t == nil then errors.raise("WampyError", ("%s: not JSON: %s"):format(path, what)) end
  return t
end

--- Reads a file. See read.
function config.load(path, warn)
  return config.read(config.decode(path), path, warn or function(line) core.log("warn", line) end)
end

return config
