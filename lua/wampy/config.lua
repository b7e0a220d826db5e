-- config.lua - reading a Crossbar.io configuration (config.json, version 2): which realms, roles
-- and permissions a router gets, where it listens, and where an app finds it.
--
-- What is used: workers of type router: realms (name, roles: name, permissions), one transport of
-- type websocket or web on a tcp or unix endpoint. Anything else is named in a warning; anything
-- wrong is an error that gives its path in the file.

local core = require "wampy.core"
local errors = require "wampy.errors"

local config = {}

local function wrong(path, fmt, ...)
  errors.raise("WampyError", ("%s: %s"):format(path, fmt:format(...)))
end

local function kind(value)
  if value == nil then return "nothing" end
  return getmetatable(value) == core.array_mt and "a list" or type(value)
end

local function check(value, want, path)
  if kind(value) ~= want then
    wrong(path, "expected %s, got %s", want == "table" and "an object" or "a " .. want, kind(value))
  end
  return value
end

local function list(value, path)
  if getmetatable(value) ~= core.array_mt then wrong(path, "expected a list") end
  return value
end

-- Names the keys of `t` that are not in `known`.
local function warn_unknown(t, known, path, warn)
  local names = {}
  for key in pairs(t) do
    if not known[key] then names[#names + 1] = key end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    warn(("%s.%s is not supported and ignored"):format(path, name))
  end
end

local function set(...)
  local s = {}
  for _, name in ipairs { ... } do s[name] = true end
  return s
end

local keys = {
  top = set("version", "workers", "controller", "$schema"),
  worker = set("type", "realms", "transports", "id"),
  realm = set("name", "roles", "id"),
  role = set("name", "permissions", "id"),
  permission = set("uri", "match", "allow", "cache", "disclose"),
  transport = set("type", "endpoint", "paths", "url", "id", "serializers"),
  endpoint = set("type", "port", "interface", "path", "backlog"),
  websocket = set("type", "serializers", "url"),
}

local function read_permission(p, path, warn)
  check(p, "table", path)
  warn_unknown(p, keys.permission, path, warn)
  local uri = check(p.uri, "string", path .. ".uri")
  local match = p.match or "exact"
  if uri:sub(-1) == "*" and p.match == nil then -- Crossbar's short form
    uri, match = uri:sub(1, -2), "prefix"
  end
  if match ~= "exact" and match ~= "prefix" and match ~= "wildcard" then
    wrong(path .. ".match", "expected exact, prefix or wildcard, got %s", tostring(match))
  end
  local allow = p.allow == nil and {} or check(p.allow, "table", path .. ".allow")
  for action, yes in pairs(allow) do
    if not set("call", "register", "publish", "subscribe", "force_reregister")[action] then
      wrong(path .. ".allow", "unknown action %q", action)
    end
    check(yes, "boolean", path .. ".allow." .. action)
  end
  local force = allow.force_reregister -- ours; to Crossbar.io it is a part of register
  if force == nil then force = allow.register end
  return { uri = uri, match = match, call = allow.call, register = allow.register,
    publish = allow.publish, subscribe = allow.subscribe, force_reregister = force }
end

local function read_role(role, path, warn)
  check(role, "table", path)
  warn_unknown(role, keys.role, path, warn)
  local result = { name = check(role.name, "string", path .. ".name"), permissions = {} }
  local permissions = role.permissions or setmetatable({}, core.array_mt)
  for i, p in ipairs(list(permissions, path .. ".permissions")) do
    result.permissions[i] = read_permission(p, ("%s.permissions[%d]"):format(path, i - 1), warn)
  end
  return result
end

local function read_realm(realm, path, warn)
  check(realm, "table", path)
  warn_unknown(realm, keys.realm, path, warn)
  local result = { name = check(realm.name, "string", path .. ".name"), roles = {} }
  if not core.uri_ok(result.name) then wrong(path .. ".name", "invalid realm %q", result.name) end
  for i, role in ipairs(list(realm.roles, path .. ".roles")) do
    result.roles[i] = read_role(role, ("%s.roles[%d]"):format(path, i - 1), warn)
  end
  return result
end

local function read_endpoint(endpoint, path, warn)
  check(endpoint, "table", path)
  warn_unknown(endpoint, keys.endpoint, path, warn)
  if endpoint.type == "unix" then
    return "ws+unix://" .. check(endpoint.path, "string", path .. ".path"), nil
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
  return ("ws://%s:%d"):format(host, port), host
end

-- A websocket transport, or the first websocket path of a web transport.
local function read_transport(t, path, warn)
  warn_unknown(t, keys.transport, path, warn)
  local listen = read_endpoint(t.endpoint, path .. ".endpoint", warn)
  local suffix = "/"
  if t.type == "web" then
    suffix = nil
    for name, p in pairs(check(t.paths, "table", path .. ".paths")) do
      if type(p) == "table" and p.type == "websocket" then
        suffix = "/" .. (name == "/" and "" or name)
        warn_unknown(p, keys.websocket, path .. ".paths." .. name, warn)
      else
        warn(("%s.paths.%s is not supported and ignored"):format(path, name))
      end
    end
    if not suffix then return nil end
  end
  if listen:find("^ws%+unix") then return { listen = listen, url = listen } end
  local url = listen:gsub("//0%.0%.0%.0:", "//127.0.0.1:") .. suffix
  return { listen = listen .. suffix, url = type(t.url) == "string" and t.url or url }
end

local function read_worker(worker, path, result, warn)
  warn_unknown(worker, keys.worker, path, warn)
  for i, realm in ipairs(list(worker.realms, path .. ".realms")) do
    table.insert(result.realms, read_realm(realm, ("%s.realms[%d]"):format(path, i - 1), warn))
  end
  for i, t in ipairs(list(worker.transports, path .. ".transports")) do
    local at = ("%s.transports[%d]"):format(path, i - 1)
    check(t, "table", at)
    local found = (t.type == "websocket" or t.type == "web") and read_transport(t, at, warn)
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
-- @return { realms = router's form, transport = { listen =, url = } }
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
      read_worker(worker, path, result, warn)
    else
      warn(("%s (type %s) is not supported and ignored"):format(path, tostring(worker.type)))
    end
  end
  if not result.realms[1] then wrong(name, "no realm in any worker of type router") end
  if not result.transport then wrong(name, "no transport of type websocket or web") end
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
