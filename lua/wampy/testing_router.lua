-- testing_router.lua - testing.router: a router with a socket on a free port, for one test.
--
-- It is embedded, unless WAMPY_TEST_ROUTER=crossbar asks for a real Crossbar.io: then the same
-- specs run on that. A Crossbar.io takes seconds to start, so that tests of a run that ask for the
-- same configuration share one: what its clients registered and subscribed went with them when the
-- test before was over. One that a test has stopped is not used again.

local config_file = require "wampy.config_file"
local core = require "wampy.core"
local errors = require "wampy.errors"
local process = require "wampy.process"
local routers = require "wampy.routers"
local scope = require "wampy.testing_scope"

local router = {}

local function bad(fmt, ...)
  errors.raise("WampyError", fmt:format(...))
end

-- ---- embedded ---------------------------------------------------------------------------------

local function embedded(t)
  local fields = { listen = "127.0.0.1:0" }
  for name, value in pairs(t) do fields[name] = value end
  local made = routers.Embedded(fields):start()
  made.realm = made.config.realms[1].name
  return scope.add(made, function(r) r:stop() end)
end

-- ---- Crossbar.io ------------------------------------------------------------------------------

local everything = { call = true, register = true, publish = true, subscribe = true }

-- One router worker, everything allowed to anonymous clients.
local function default_config(realm)
  local array = function(...) return setmetatable({ ... }, core.array_mt) end
  return {
    version = 2, controller = {},
    workers = array { type = "router",
      realms = array { name = realm, roles = array { name = "anonymous",
        permissions = array { uri = "", match = "prefix", allow = everything } } },
      transports = array { type = "websocket",
        endpoint = { type = "tcp", interface = "127.0.0.1", port = 0 } } },
  }
end

local function is_websocket(transport)
  return transport.type == "websocket" or transport.type == "web" or transport.type == "universal"
end

local function first_realm(t)
  for _, worker in ipairs(t.workers or {}) do
    local realm = type(worker) == "table" and type(worker.realms) == "table" and worker.realms[1]
    if type(realm) == "table" then return realm.name end
  end
end

-- The endpoint of the first transport that may speak WebSocket gets another port.
local function move_to(t, port, name)
  for _, worker in ipairs(t.workers or {}) do
    for _, transport in ipairs(type(worker) == "table" and worker.transports or {}) do
      local endpoint = type(transport) == "table" and transport.endpoint
      if endpoint and endpoint.type == "tcp" and is_websocket(transport) then
        endpoint.port = port
        return
      end
    end
  end
  bad("testing.router: %s has no WebSocket transport on a tcp endpoint", name)
end

local function free_port()
  local probe <close> = routers.Embedded { listen = "127.0.0.1:0" }:start()
  return probe.port
end

local function folder()
  local code, path, e = process.exec { "mktemp", "-d", "-t", "wampy-crossbar-XXXXXX" }
  if code ~= 0 then bad("testing.router: mktemp: %s", e) end
  return path:match("[^\n]+")
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local known = { realm = true, config_path = true, config = true, command = true }

local function configuration(t)
  for name in pairs(t) do
    if not known[name] then
      bad("testing.router: field %q is not for Crossbar.io (WAMPY_TEST_ROUTER=crossbar)",
        tostring(name))
    end
  end
  if t.config_path then return config_file.decode(t.config_path), t.config_path end
  if t.config then return core.json_decode(core.json_encode(t.config)), "config" end
  return default_config(t.realm or "realm1"), "the default configuration"
end

local shared = {} -- configuration without its port -> { router =, directory = }

local function launch(t, decoded, name)
  local directory = folder()
  move_to(decoded, free_port(), name)
  write(directory .. "/config.json", core.json_encode(decoded))
  local path = directory .. "/config.json"
  local ok, crossbar = pcall(function()
    return routers.Crossbar { config_path = path, command = t.command }:start()
  end)
  if not ok then
    process.exec { "rm", "-rf", directory }
    error(crossbar, 0)
  end
  crossbar.realm = first_realm(decoded)
  return { router = crossbar, directory = directory }
end

local function retire(key)
  local node = shared[key]
  shared[key] = nil
  pcall(node.router.stop, node.router)
  process.exec { "rm", "-rf", node.directory }
end

local function crossbar(t)
  local decoded, name = configuration(t)
  move_to(decoded, 0, name)
  local key = core.json_encode(decoded)
  if shared[key] and not shared[key].router:alive() then retire(key) end
  shared[key] = shared[key] or scope.keep(function() return launch(t, decoded, name) end)
  return shared[key].router
end

--- Ends the Crossbar.io processes that tests share.
function router.close()
  for key in pairs(shared) do retire(key) end
end

-- ---- the choice -------------------------------------------------------------------------------

--- A started router on a free port.
-- @param t { realm = "realm1", config_path = or config = a Crossbar.io configuration, whose port is
-- replaced by a free one } and, for the embedded one, what wampy.routers.Embedded takes
-- @return router with `url`, and `realm`, its first one, which testing.client and testing.start
-- take; raises what keeps it from starting
function router.new(t)
  local kind = os.getenv("WAMPY_TEST_ROUTER") or "embedded"
  if kind == "embedded" then return embedded(t or {}) end
  if kind == "crossbar" then return crossbar(t or {}) end
  bad("WAMPY_TEST_ROUTER: expected embedded or crossbar, got %q", kind)
end

return router
