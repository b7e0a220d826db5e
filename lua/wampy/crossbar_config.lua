-- crossbar_config.lua - finding a Crossbar.io router in its configuration: where its first
-- WebSocket transport listens.
--
-- The configuration is Crossbar.io's own and it judges the rest; wampy/config.lua reads one for the
-- embedded router and is strict.

local config_file = require "wampy.config_file"
local errors = require "wampy.errors"

local crossbar_config = {}

local function wrong(fmt, ...)
  errors.raise("WampyError", fmt:format(...))
end

--- Decodes a configuration file, by its name YAML (.yaml, .yml) or JSON.
-- @param path the file
-- @return table; raises WampyError
function crossbar_config.decode(path)
  local t = config_file.decode(path)
  if type(t) ~= "table" then
    wrong("%s: expected an object, got %s", path, t == nil and "nothing" or "a " .. type(t))
  end
  return t
end

-- What is at `t[name]`, if it is a table: configurations come as they are.
local function part(t, name)
  local value = type(t) == "table" and t[name]
  return type(value) == "table" and value or {}
end

-- The path of a WebSocket among those of a web or universal transport, the first by name: the root
-- before all others.
local function websocket_path(paths)
  local names = {}
  for name, at in pairs(paths) do
    if type(name) == "string" and part(paths, name) == at and at.type == "websocket" then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names[1] and "/" .. names[1]:gsub("^/", "")
end

-- The path at which a transport speaks WebSocket; nil when it does not.
local function path_of(transport)
  if transport.type == "websocket" then return "/" end
  if transport.type == "web" then return websocket_path(part(transport, "paths")) end
  if transport.type ~= "universal" then return nil end
  return websocket_path(part(transport, "websocket"))
    or websocket_path(part(part(transport, "web"), "paths"))
end

-- A wildcard listens on the loopback, too; a certificate is made for a name.
local function host_of(endpoint, tls)
  local host = endpoint.interface
  local version6 = endpoint.version == 6
  if type(host) ~= "string" or host == "" or host == "0.0.0.0" or host == "::" then
    host = tls and "localhost" or (version6 or host == "::") and "::1" or "127.0.0.1"
  end
  return host:find(":", 1, true) and "[" .. host .. "]" or host
end

local function url_of(endpoint, path, at)
  local tls = type(endpoint.tls) == "table"
  if endpoint.type == "unix" and type(endpoint.path) == "string" then
    return "ws+unix://" .. endpoint.path
  elseif endpoint.type ~= "tcp" then
    wrong("%s.type: expected tcp or unix, got %s", at, tostring(endpoint.type))
  end
  local port = math.tointeger(endpoint.port)
  if not port or port < 1 or port > 65535 then
    wrong("%s.port: expected a port from 1 to 65535, got %s", at, tostring(endpoint.port))
  end
  return ("%s://%s:%d%s"):format(tls and "wss" or "ws", host_of(endpoint, tls), port, path)
end

--- The URL of the first transport with a WebSocket.
-- @param t decoded configuration
-- @param name for messages, the file's name
-- @return url; raises WampyError
function crossbar_config.url(t, name)
  for i, worker in ipairs(part(t, "workers")) do
    for j, transport in ipairs(part(worker, "transports")) do
      local path = type(transport) == "table" and path_of(transport)
      if path then
        return url_of(part(transport, "endpoint"), path,
          ("%s.workers[%d].transports[%d].endpoint"):format(name, i - 1, j - 1))
      end
    end
  end
  wrong("%s: no worker has a transport that speaks WebSocket", name)
end

return crossbar_config
