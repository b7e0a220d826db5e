-- config.lua - reading a Crossbar.io configuration (version 2): which realms, roles and permissions
-- a router gets, where it listens, and where an app finds it.
--
-- Used are the workers of type router: their realms, their transports (config_transport.lua), and
-- who may join by them (config_auth.lua). What becomes of each key is in config_keys.lua. Anything
-- wrong is an error that gives its path in the file.

local checks = require "wampy.config_check"
local codes = require "wampy.codes"
local config_auth = require "wampy.config_auth"
local config_doors = require "wampy.config_doors"
local config_file = require "wampy.config_file"
local config_transport = require "wampy.config_transport"
local core = require "wampy.core"
local keys = require "wampy.config_keys"

local config = {}

local check, object, set, wrong = checks.check, checks.object, checks.set, checks.wrong

local function empty()
  return setmetatable({}, core.array_mt)
end

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

local function read_permission(p, path, warn)
  object(p, keys.permission, path, warn)
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
  local trust = p.trust ~= nil and checks.integer(p.trust, path .. ".trust", 0, 0x7fffffff) or nil
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
  object(role, keys.role, path, warn)
  local result = { name = check(role.name, "string", path .. ".name"), permissions = {} }
  if role.authorizer ~= nil then
    if role.permissions ~= nil then wrong(path, "give permissions or an authorizer, not both") end
    result.authorizer = checks.procedure(role.authorizer, path .. ".authorizer")
    return result
  end
  result.bare = role.permissions == nil
  result.permissions = checks.each(role.permissions or empty(), path .. ".permissions",
    read_permission, warn)
  return result
end

local most_events = 100000 -- of one history, as limits.h has it

local function read_history(t, path, limit, warn)
  object(t, keys.history, path, warn)
  local uri, match = check(t.uri, "string", path .. ".uri"), read_match(t, path)
  if not core.uri_ok(uri, match) then wrong(path .. ".uri", "invalid URI %q", uri) end
  if uri == "wamp" or uri:find("^wamp%.") then
    wrong(path .. ".uri", "the router's own events have no history")
  end
  return { uri = uri, match = match,
    limit = checks.integer(t.limit, path .. ".limit", 1, most_events, limit) }
end

-- The histories of a realm: Crossbar.io's store, of which there is the type memory.
local function read_store(store, path, warn)
  local seen = {}
  if store == nil then return nil end
  object(store, keys.store, path, warn)
  if store.type ~= "memory" then
    wrong(path .. ".type", "expected memory, got %s", tostring(store.type))
  end
  local limit = checks.integer(store.limit, path .. ".limit", 1, most_events, 100)
  return checks.each(store["event-history"] or empty(), path .. ".event-history", function(t, at)
    local history = read_history(t, at, limit, warn)
    local name = history.match .. " " .. history.uri
    if seen[name] then wrong(at, "is there twice, also as %s", seen[name]) end
    seen[name] = at:match("%[%d+%]$")
    return history
  end)
end

local function read_realm_options(options, path, warn, realm)
  if options == nil then return end
  object(options, keys.realm_options, path, warn)
  local rule = options.uri_check
  if rule ~= nil and rule ~= "strict" and rule ~= "loose" then
    wrong(path .. ".uri_check", "expected strict or loose, got %s", tostring(rule))
  end
  realm.strict_uris = rule == "strict" or nil
  realm.no_meta = not checks.boolean(options.enable_meta_api, path .. ".enable_meta_api", true)
    or nil
end

local function read_realm(realm, path, warn)
  object(realm, keys.realm, path, warn)
  local result = { name = check(realm.name, "string", path .. ".name") }
  if not core.uri_ok(result.name) then wrong(path .. ".name", "invalid realm %q", result.name) end
  result.roles = checks.each(realm.roles, path .. ".roles", config.read_role, warn)
  result.histories = read_store(realm.store, path .. ".store", warn)
  read_realm_options(realm.options, path .. ".options", warn, result)
  return result
end

-- One that has files only comes last, for apps look at the first.
local function add_transport(t, path, result, name, warn)
  local found = config_transport.read(check(t, "table", path), path, name, warn)
  if not found then
    if checks.mistaken() then return end -- perhaps that is why
    warn(("%s (type %s) is not supported and ignored"):format(path, tostring(t.type)))
  elseif found.files_only then
    table.insert(result.others, found)
  else
    table.insert(result.transports, found)
  end
end

local function read_worker(worker, path, result, name, warn)
  if check(worker, "table", path).type ~= "router" then
    warn(("%s (type %s) is not supported and ignored"):format(path, tostring(worker.type)))
    return
  end
  object(worker, keys.worker, path, warn)
  local realms = checks.each(worker.realms, path .. ".realms", read_realm, warn)
  table.move(realms, 1, #realms, #result.realms + 1, result.realms)
  checks.each(worker.transports, path .. ".transports", add_transport, result, name, warn)
end

-- What no part is to blame for.
local function check_whole(result, name)
  if checks.mistaken() then return nil end
  if not result.realms[1] then wrong(name, "no realm in any worker of type router") end
  if not result.transports[1] then
    wrong(name, "no transport of type websocket, web, rawsocket or universal")
  end
  table.move(result.others, 1, #result.others, #result.transports + 1, result.transports)
  result.others = nil
  result.principals, result.doors = config_doors.assign(result.transports)
  config_auth.check_roles(result.principals, result.realms)
  return result
end

--- Reads a decoded configuration.
-- @param t the decoded file
-- @param name for messages, the file's name
-- @param warn function(text), called for everything that is ignored
-- @return { realms = router's form, transports = list of config_transport.read's form,
-- principals, doors = of config_doors.assign }
function config.read(t, name, warn)
  local result = { realms = {}, transports = {}, others = {} }
  object(t, keys.top, name, warn)
  if t.version ~= nil and t.version ~= 2 then
    wrong(name .. ".version", "expected 2, got %s", tostring(t.version))
  end
  checks.each(t.workers, name .. ".workers", read_worker, result, name, warn)
  return check_whole(result, name)
end

local function log_warning(line)
  codes.warn(line, "W356")
end

--- Reads a file, of JSON or YAML. See read.
function config.load(path, warn)
  return config.read(config_file.decode(path), path, warn or log_warning)
end

--- Reads a file for all of its mistakes.
-- @param path the file
-- @return as read, or nil; list of mistakes, in the order of the file
function config.judge(path)
  return checks.collect(config.load, path)
end

return config
