-- config_transport.lua - a transport of a Crossbar.io configuration: where a router listens, what
-- is spoken there, and where an app finds it.
--
-- Of type websocket, rawsocket, web (paths, config_web.lua) or universal (RawSocket, and WebSocket
-- by its own paths or those of its web), on a tcp or unix endpoint. What becomes of each key is in
-- config_keys.lua.

local checks = require "wampy.config_check"
local config_auth = require "wampy.config_auth"
local config_web = require "wampy.config_web"
local core = require "wampy.core"
local keys = require "wampy.config_keys"
local serializers = require "wampy.serializers"

local config_transport = {}

local check, list, object = checks.check, checks.list, checks.object
local wrong = checks.wrong

local MAX_MESSAGE = 64 * 1024 * 1024 -- as Crossbar.io has it; what is over our own limit is cut
local MAX_TIME = 24 * 60 * 60 * 1000 -- ms

-- ---- where ------------------------------------------------------------------------------------

local function read_files(t, field, path, name)
  local result = {}
  if t[field] == nil then return result end
  for i, file in ipairs(list(t[field], path .. "." .. field)) do
    check(file, "string", ("%s.%s[%d]"):format(path, field, i - 1))
    result[i] = checks.beside(name, file)
  end
  return result
end

local function read_tls(t, path, name, warn)
  if t == nil then return end
  object(t, keys.tls, path, warn)
  return {
    cert = checks.beside(name, check(t.certificate, "string", path .. ".certificate")),
    key = checks.beside(name, check(t.key, "string", path .. ".key")),
    chain = read_files(t, "chain_certificates", path, name),
    cas = read_files(t, "ca_certificates", path, name),
  }
end

-- A number, or "$NAME": the environment variable that has it.
local function port_of(port, path)
  local name = type(port) == "string" and port:match("^%$([%a_][%w_]*)$")
  if not name then return port end
  local value = os.getenv(name)
  if not value then wrong(path, "the environment variable %s is not set", name) end
  return math.tointeger(tonumber(value)) or value
end

-- The path of a Unix socket, which has to be absolute in a URL.
local function socket_path(endpoint, path, name)
  local own = checks.beside(name, check(endpoint.path, "string", path .. ".path"))
  if own:sub(1, 1) == "/" then return own end
  local folder, file = own:match("^(.*/)([^/]+)$")
  local absolute = core.real_path(folder or ".")
  if not absolute then wrong(path .. ".path", "there is no folder %s", folder) end
  return absolute .. "/" .. (file or own)
end

-- What stands behind "ws" or "rs" in a URL, without a path.
local function read_endpoint(endpoint, path, name, warn)
  object(endpoint, keys.endpoint, path, warn)
  if endpoint.type == "unix" then
    return "+unix://" .. socket_path(endpoint, path, name)
  elseif endpoint.type ~= "tcp" then
    wrong(path .. ".type", "expected tcp or unix, got %s", tostring(endpoint.type))
  end
  local port = port_of(endpoint.port, path .. ".port")
  if math.type(port) ~= "integer" or port < 0 or port > 65535 then
    wrong(path .. ".port", "expected a port from 0 to 65535, got %s", tostring(port))
  end
  local host = endpoint.interface or "127.0.0.1"
  check(host, "string", path .. ".interface")
  if host:find(":", 1, true) then host = "[" .. host .. "]" end
  return ("%s://%s:%d"):format(endpoint.tls and "s" or "", host, port)
end

-- ---- what is spoken ---------------------------------------------------------------------------

local function read_max_message(options, path)
  local n = options.max_message_size
  if n == nil then return end
  if math.type(n) ~= "integer" or n < 0 or n > MAX_MESSAGE then
    wrong(path .. ".max_message_size", "expected bytes from 0 to %d, got %s", MAX_MESSAGE,
      tostring(n))
  end
  return n > 0 and n or nil
end

-- Nil for whatever page.
local function read_origins(origins, path)
  if origins == nil then return end
  for i, pattern in ipairs(list(origins, path)) do
    check(pattern, "string", ("%s[%d]"):format(path, i - 1))
    if pattern == "*" then return nil end
  end
  return origins
end

-- What core's options of a listener are called here; times are ms in both.
local times = { auto_ping_interval = "ping_interval", auto_ping_timeout = "ping_timeout",
  open_handshake_timeout = "connect_timeout", close_handshake_timeout = "close_timeout" }

local function read_websocket_options(options, path, part)
  for key, field in pairs(times) do
    if options[key] ~= nil then
      part[field] = checks.integer(options[key], path .. "." .. key, 0, MAX_TIME)
    end
  end
  local nodelay = checks.boolean(options.tcp_nodelay, path .. ".tcp_nodelay", true)
  local needed = checks.boolean(options.require_websocket_subprotocol,
    path .. ".require_websocket_subprotocol", true)
  part.delay, part.any_subprotocol = not nodelay or nil, not needed or nil
  part.origins = read_origins(options.allowed_origins, path .. ".allowed_origins")
  part.null_origin = checks.boolean(options.allow_null_origin, path .. ".allow_null_origin")
end

local function read_compression(compression, path, warn)
  if compression == nil then return end
  object(compression, keys.compression, path, warn)
  if compression.deflate == nil then return end
  object(compression.deflate, keys.deflate, path .. ".deflate", warn)
  return true
end

local function read_options(options, path, warn, part, raw)
  if options == nil then return end
  object(options, raw and keys.rawsocket_options or keys.websocket_options, path, warn)
  part.max_message_size = read_max_message(options, path)
  if raw then return end
  read_websocket_options(options, path, part)
  part.compress = read_compression(options.compression, path .. ".compression", warn)
end

-- Those that we have; nil for all of them, false when there is none.
local function read_serializers(t, path, warn)
  if t == nil then return end
  local result = {}
  for i, name in ipairs(list(t, path)) do
    check(name, "string", ("%s[%d]"):format(path, i - 1))
    if serializers.is_known(name) then result[#result + 1] = name end
  end
  if result[1] then return result end
  warn(("%s: none of these is available"):format(path))
  return false
end

-- A transport, or the part of one, that speaks one protocol. Nil when it cannot be used.
-- What its `auth` is good for: config_doors.lua.
local function read_part(t, known, path, warn, raw)
  object(t, known, path, warn)
  local part = { serializers = read_serializers(t.serializers, path .. ".serializers", warn),
    auth = t.auth, principals = t.auth ~= nil and config_auth.read(t.auth, path .. ".auth") or nil }
  read_options(t.options, path .. ".options", warn, part, raw)
  return part.serializers ~= false and part or nil
end

local function read_websocket_path(t, path, warn)
  return read_part(t, keys.part, path, warn)
end

-- By type: each reads a transport's object, and gives what is spoken, the scheme, and a prefix of
-- the LISTEN, if there is one.
local readers = {}

--- One WebSocket, on every path.
function readers.websocket(t, path, _, warn)
  local part = read_part(t, keys.websocket, path, warn)
  if part then part.path, part.way = "/", "/" end
  return part, "ws"
end

local function read_raw(t, known, path, warn)
  local part = read_part(t, known, path, warn, true)
  if part then part.way = " rawsocket" end
  return part
end

--- RawSocket alone.
function readers.rawsocket(t, path, _, warn)
  return read_raw(t, keys.rawsocket, path, warn), "rs"
end

--- WebSockets, files and metrics, by their paths.
function readers.web(t, path, name, warn)
  if t.auth ~= nil then wrong(path .. ".auth", "belongs to a path of type websocket") end
  object(t, keys.web, path, warn)
  return config_web.read({ { t.paths, path .. ".paths" } }, name, warn, read_websocket_path), "ws"
end

-- The WebSocket of a universal transport: its own paths, and those of its web.
local function read_both(t, path, name, warn)
  local sets = {}
  if t.websocket ~= nil then sets[1] = { t.websocket, path .. ".websocket" } end
  if t.web ~= nil then
    object(t.web, keys.universal_web, path .. ".web", warn)
    sets[#sets + 1] = { t.web.paths, path .. ".web.paths" }
  end
  return sets[1] and config_web.read(sets, name, warn, read_websocket_path)
end

--- RawSocket, and what a web transport has, on one port.
function readers.universal(t, path, name, warn)
  object(t, keys.universal, path, warn)
  local raw = t.rawsocket and read_raw(t.rawsocket, keys.part, path .. ".rawsocket", warn)
  local ws = read_both(t, path, name, warn)
  if not raw or not ws then return raw or ws, raw and "rs" or "ws" end
  if ws.files_only then
    raw.routes, raw.path = ws.routes, "/"
    return raw, "ws", "universal+"
  end
  ws.parts = ws.parts or {}
  table.insert(ws.parts, raw)
  ws.raw_part = #ws.parts
  return ws, "ws", "universal+"
end

--- Reads a transport.
-- @param t decoded object
-- @param path its place in the file
-- @param name the file's name
-- @param warn function(text), called for everything that is ignored
-- @return { listen = LISTEN, url = where an app connects, at = its endpoint, and what
-- src/lua/listen_options.h has, of the first that it speaks; files_only = true where no WAMP is
-- spoken }, or nil for a transport that cannot be used. It and each of its parts have way = a name
-- for how one comes to it, auth, and principals = router's form of that: config_doors.lua
function config_transport.read(t, path, name, warn)
  local reader = readers[t.type]
  if not reader then return nil end
  local rest = read_endpoint(t.endpoint, path .. ".endpoint", name, warn)
  local tls = read_tls(t.endpoint.tls, path .. ".endpoint.tls", name, warn)
  local part, scheme, prefix = reader(t, path, name, warn)
  if not part then return nil end
  local listen = scheme .. rest .. (rest:find("^%+unix") and "" or part.path or "")
  part.tls, part.path, part.listen = tls, nil, (prefix or "") .. listen
  part.max_connections = t.max_connections ~= nil
    and checks.integer(t.max_connections, path .. ".max_connections", 1, 0x7fffffff) or nil
  part.at = rest:match("//(.*)")
  local own = part.way == " rawsocket" and "rs" .. rest or listen
  part.url = type(t.url) == "string" and t.url or own:gsub("//0%.0%.0%.0:", "//127.0.0.1:", 1)
  return part
end

return config_transport
