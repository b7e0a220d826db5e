-- config_transport.lua - a transport of a Crossbar.io configuration: where a router listens, what
-- is spoken there, and where an app finds it.
--
-- Of type websocket, rawsocket, web (its first path of type websocket) or universal (RawSocket, and
-- WebSocket by its own paths or those of its web), on a tcp or unix endpoint.

local checks = require "wampy.config_check"
local config_auth = require "wampy.config_auth"

local config_transport = {}

local check, list, set = checks.check, checks.list, checks.set
local warn_unknown, wrong = checks.warn_unknown, checks.wrong

local keys = {
  websocket = set("type", "endpoint", "url", "id", "serializers", "options", "auth"),
  rawsocket = set("type", "endpoint", "url", "id", "serializers", "options", "auth"),
  web = set("type", "endpoint", "paths", "url", "id"),
  universal = set("type", "endpoint", "rawsocket", "websocket", "web", "url", "id"),
  paths = set("paths"),
  part = set("type", "serializers", "options", "url", "auth"),
  options = set("max_message_size"),
  endpoint = set("type", "port", "interface", "path", "backlog", "tls"),
  tls = set("certificate", "key", "chain_certificates", "ca_certificates"),
}

local MAX_MESSAGE = 64 * 1024 * 1024 -- as Crossbar.io has it; what is over our own limit is cut
local available = set("json")

-- ---- where ------------------------------------------------------------------------------------

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
  if t == nil then return end
  check(t, "table", path)
  warn_unknown(t, keys.tls, path, warn)
  return {
    cert = beside(name, check(t.certificate, "string", path .. ".certificate")),
    key = beside(name, check(t.key, "string", path .. ".key")),
    chain = read_files(t, "chain_certificates", path, name),
    cas = read_files(t, "ca_certificates", path, name),
  }
end

-- What stands behind "ws" or "rs" in a URL, without a path.
local function read_endpoint(endpoint, path, warn)
  check(endpoint, "table", path)
  warn_unknown(endpoint, keys.endpoint, path, warn)
  if endpoint.type == "unix" then
    return "+unix://" .. check(endpoint.path, "string", path .. ".path")
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
  return ("%s://%s:%d"):format(endpoint.tls and "s" or "", host, port)
end

-- ---- what is spoken ---------------------------------------------------------------------------

local function read_max_message(options, path, warn)
  if options == nil then return end
  check(options, "table", path)
  warn_unknown(options, keys.options, path, warn)
  local n = options.max_message_size
  if n == nil then return end
  if math.type(n) ~= "integer" or n < 0 or n > MAX_MESSAGE then
    wrong(path .. ".max_message_size", "expected bytes from 0 to %d, got %s", MAX_MESSAGE,
      tostring(n))
  end
  return n > 0 and n or nil
end

-- Those that we have; nil for all of them, false when there is none.
local function read_serializers(t, path, warn)
  if t == nil then return end
  local result = {}
  for i, name in ipairs(list(t, path)) do
    check(name, "string", ("%s[%d]"):format(path, i - 1))
    if available[name] then result[#result + 1] = name end
  end
  if result[1] then return result end
  warn(("%s: none of these is available"):format(path))
  return false
end

-- A transport, or the part of one, that speaks one protocol. Nil when it cannot be used.
local function read_part(t, known, path, warn)
  check(t, "table", path)
  warn_unknown(t, known, path, warn)
  local serializers = read_serializers(t.serializers, path .. ".serializers", warn)
  local part = {
    serializers = serializers, max_message_size = read_max_message(t.options, path .. ".options",
      warn),
    auth = t.auth, principals = t.auth ~= nil and config_auth.read(t.auth, path .. ".auth") or nil,
  }
  return serializers ~= false and part or nil
end

-- The first path of type websocket among those of a web transport, by name; nil when there is none.
local function read_paths(paths, path, warn)
  local found
  check(paths, "table", path)
  for _, name in ipairs(checks.sorted(paths)) do
    local p, at = paths[name], ("%s.%s"):format(path, name)
    if type(p) == "table" and p.type == "websocket" and not found then
      found = read_part(p, keys.part, at, warn)
      if found then found.path = "/" .. (name == "/" and "" or name) end
    else
      warn(("%s is not supported and ignored"):format(at))
    end
  end
  return found
end

-- Type of a transport -> what reads it.
local readers = {}

--- WebSocket on every path of the port.
function readers.websocket(t, path, warn)
  local part = read_part(t, keys.websocket, path, warn)
  if part then part.path = "/" end
  return part, "ws"
end

--- RawSocket.
function readers.rawsocket(t, path, warn)
  return read_part(t, keys.rawsocket, path, warn), "rs"
end

--- WebSocket on one path; the others are not served.
function readers.web(t, path, warn)
  if t.auth ~= nil then wrong(path .. ".auth", "belongs to a path of type websocket") end
  warn_unknown(t, keys.web, path, warn)
  return read_paths(t.paths, path .. ".paths", warn), "ws"
end

local function union(a, b)
  if not a or not b then return nil end
  local seen, result = {}, {}
  for _, serializers in ipairs { a, b } do
    for _, name in ipairs(serializers) do
      if not seen[name] then result[#result + 1], seen[name] = name, true end
    end
  end
  return result
end

-- Both parts of one port, whose listener has one setting of each kind: the wider one, but never a
-- way in that the file does not give.
local function join(raw, ws, path, warn)
  if not checks.same(raw.auth, ws.auth) then
    warn(("%s.rawsocket is ignored: its auth is not that of the WebSocket"):format(path))
    return ws, "ws"
  end
  for _, field in ipairs { "serializers", "max_message_size" } do
    if not checks.same(raw[field], ws[field]) then
      warn(("%s: %s of rawsocket and WebSocket hold for both"):format(path, field))
    end
  end
  ws.serializers = union(raw.serializers, ws.serializers)
  ws.max_message_size = raw.max_message_size and ws.max_message_size
    and math.max(raw.max_message_size, ws.max_message_size)
  return ws, "ws", "universal+"
end

--- Both on one port.
function readers.universal(t, path, warn)
  warn_unknown(t, keys.universal, path, warn)
  local raw = t.rawsocket and read_part(t.rawsocket, keys.part, path .. ".rawsocket", warn)
  local ws = t.websocket and read_paths(t.websocket, path .. ".websocket", warn)
  if t.web then
    warn_unknown(check(t.web, "table", path .. ".web"), keys.paths, path .. ".web", warn)
    ws = read_paths(t.web.paths, path .. ".web.paths", warn) or ws
  end
  if not raw or not ws then return raw or ws, raw and "rs" or "ws" end
  return join(raw, ws, path, warn)
end

--- Reads a transport.
-- @param t decoded object
-- @param path its place in the file
-- @param name the file's name
-- @param warn function(text), called for everything that is ignored
-- @return { listen = LISTEN, url = where an app connects, tls = core's form, max_message_size,
-- serializers = list, principals = router's form, auth = what these were made of }, each but the
-- first two possibly nil; or nil for a transport that cannot be used
function config_transport.read(t, path, name, warn)
  local reader = readers[t.type]
  if not reader then return nil end
  local rest = read_endpoint(t.endpoint, path .. ".endpoint", warn)
  local tls = read_tls(t.endpoint.tls, path .. ".endpoint.tls", name, warn)
  local part, scheme, prefix = reader(t, path, warn)
  if not part then return nil end
  local listen = scheme .. rest .. (rest:find("^%+unix") and "" or part.path or "")
  part.tls, part.path, part.listen = tls, nil, (prefix or "") .. listen
  part.url = type(t.url) == "string" and t.url or listen:gsub("//0%.0%.0%.0:", "//127.0.0.1:", 1)
  return part
end

return config_transport
