-- config.lua - reading a Crossbar.io configuration (config.json, version 2): which realms, roles
-- and permissions a router gets, where it listens, and where an app finds it.
--
-- What is used: workers of type router: realms (name, roles: name, permissions; store:
-- event-history), one transport of type websocket or web on a tcp or unix endpoint, and who may
-- join by it (config_auth.lua). A key of our own is `trust` of a permission. Anything else is named
-- in a warning; anything wrong is an error that gives its path in the file.

local checks = require "wampy.config_check"
local config_auth = require "wampy.config_auth"
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
  transport = set("type", "endpoint", "paths", "url", "id", "serializers", "auth"),
  endpoint = set("type", "port", "interface", "path", "backlog", "tls"),
  tls = set("certificate", "key", "chain_certificates", "ca_certificates"),
  websocket = set("type", "serializers", "url", "auth"),
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

-- A path in the file is relative to the file.
local function beside(file, path)
  if path:sub(1, 1) == "/" then return path end
  return (file:match("^(.*/)") or "") .. path
end

local function read_files(t, field, path, name)
  local result = {}
  if t[field] == nil then return result end
  for i, file in ipairs(list(t[field], path .. "." .. field)) do
    check(file, "string", ("%s.%s[%d]"):format(path, field, i - 1))
    result[i] = beside(name, file)
  end
  return result
end

local function read_tls(t, path, name, warn)
  check(t, "table", path)
  warn_unknown(t, keys.tls, path, warn)
  return {
    cert = beside(name, check(t.certificate, "string", path .. ".certificate")),
    key = beside(name, check(t.key, "string", path .. ".key")),
    chain = read_files(t, "chain_certificates", path, name),
    cas = read_files(t, "ca_certificates", path, name),
  }
end

local function read_endpoint(endpoint, path, warn)
  check(endpoint, "table", path)
  warn_unknown(endpoint, keys.endpoint, path, warn)
  if endpoint.type == "unix" then
    return "ws+unix://" .. check(endpoint.path, "string", path .. ".path")
  elseif endpoint.type ~= "tcp" then
    wrong(path .. ".type", "expected tcp or unix, got %s", tostring(endpoint.type))
  end
  local port = endpoint.port
  if math.type(port) ~= "integer" or port < 0 or port > 65535 then
    wrong(path .. ".port", "expected a port from 0 to 65535, got %s", tostring(port))
  end
  local host = endpoint.interface or "127.0.0.1"
  check(host, "string", path .. ".interface")
  if host:find(":", 1, true) then host = "[" .. host .. "]" end
  return ("%s://%s:%d"):format(endpoint.tls and "wss" or "ws", host, port)
end

-- The first path of type websocket of a web transport, by name: its URL path, `auth`, and where
-- that stands. Nothing when there is none.
local function read_paths(t, path, warn)
  local suffix, auth, where
  if t.auth ~= nil then wrong(path .. ".auth", "belongs to a path of type websocket") end
  check(t.paths, "table", path .. ".paths")
  for _, name in ipairs(checks.sorted(t.paths)) do
    local p, at = t.paths[name], ("%s.paths.%s"):format(path, name)
    if type(p) == "table" and p.type == "websocket" and not suffix then
      suffix, auth, where = "/" .. (name == "/" and "" or name), p.auth, at .. ".auth"
      warn_unknown(p, keys.websocket, at, warn)
    else
      warn(("%s is not supported and ignored"):format(at))
    end
  end
  return suffix, auth, where
end

-- A websocket transport, or the first websocket path of a web transport.
local function read_transport(t, path, name, warn)
  warn_unknown(t, keys.transport, path, warn)
  local listen = read_endpoint(t.endpoint, path .. ".endpoint", warn)
  local tls = t.endpoint.tls and read_tls(t.endpoint.tls, path .. ".endpoint.tls", name, warn)
  local suffix, auth, where = "/", t.auth, path .. ".auth"
  if t.type == "web" then
    suffix, auth, where = read_paths(t, path, warn)
    if not suffix then return nil end
  end
  local principals = auth ~= nil and config_auth.read(auth, where) or nil
  if listen:find("^ws%+unix") then
    return { listen = listen, url = listen, principals = principals }
  end
  local url = listen:gsub("//0%.0%.0%.0:", "//127.0.0.1:") .. suffix
  return { listen = listen .. suffix, url = type(t.url) == "string" and t.url or url,
    principals = principals, tls = tls }
end

local function read_worker(worker, path, result, name, warn)
  warn_unknown(worker, keys.worker, path, warn)
  for i, realm in ipairs(list(worker.realms, path .. ".realms")) do
    table.insert(result.realms, read_realm(realm, ("%s.realms[%d]"):format(path, i - 1), warn))
  end
  for i, t in ipairs(list(worker.transports, path .. ".transports")) do
    local at = ("%s.transports[%d]"):format(path, i - 1)
    check(t, "table", at)
    local found = (t.type == "websocket" or t.type == "web") and read_transport(t, at, name, warn)
    if not found or result.transport then
      warn(("%s (type %s) is not supported and ignored"):format(at, tostring(t.type)))
    else
      result.transport = found
    end
  end
end

--- Reads a decoded configuration.
-- @param t the decoded file
-- @param name for messages, the file's name
-- @param warn function(text), called for everything that is ignored
-- @return { realms = router's form, transport = { listen =, url =, tls = core's form },
-- principals = router's form, or nil when there is no `auth` }
function config.read(t, name, warn)
  check(t, "table", name)
  local result = { realms = {} }
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
  if not result.transport then wrong(name, "no transport of type websocket or web") end
  result.principals = result.transport.principals
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
