-- fields.lua - the fields of wampy.Client { ... }: what each may be, and which of several places
-- that give one wins. The field `auth` is for credentials.lua.

local announce = require "wampy.announce"
local core = require "wampy.core"
local constants = require "wampy.constants"
local errors = require "wampy.errors"
local tls = require "wampy.tls"

-- Set by `wampy-lua run`: fields that win over everything (its flags), and defaults that lose to
-- everything but the built-in ones.
local fields = { forced = {}, fallback = {} }

local function bad(fmt, ...)
  errors.raise("WampyError", fmt:format(...))
end

local function is_object(v) return type(v) == "table" end

-- Fields of the constructor: the type that a value must have, and what to call it.
local types = {
  url = "string", realm = "string", name = "string", connect_timeout = "number",
  call_timeout = "number", ping_interval = "number", ping_timeout = "number",
  max_message_size = "number", max_tasks = "number", headers = "table", roles = "table",
  router = is_object, reconnect = function(v) return type(v) == "boolean" or type(v) == "table" end,
  cert_path = "string", tls = "table",
  serializers = "table", message_handler = function() return true end, -- Client looks at it
}

local function check_field(name, value)
  if name == "auth" then return end -- credentials.lua judges it, and keeps what is in it
  local want = types[name]
  if not want then bad("Client: unknown field %q", tostring(name)) end
  local ok = type(want) == "function" and want(value) or type(value) == want
  if not ok then
    bad("Client: field %s: expected %s, got %s", name,
      type(want) == "string" and "a " .. want
        or name == "router" and "a Router object" or "true, false or a table", type(value))
  end
  if want == "number" and (value < 0 or value ~= value) then
    bad("Client: field %s: expected a number >= 0, got %s", name, tostring(value))
  end
end

local function check_fields(t)
  for name, value in pairs(t) do check_field(name, value) end
  if t.url and t.router then bad("Client: give url or router, not both") end
  if t.tls then tls.check_client(t.tls, "Client: tls") end
  if t.realm and not core.uri_ok(t.realm) then
    bad("Client: field realm: invalid URI %q", t.realm)
  end
  announce.roles(t.roles)
  for _, s in ipairs(t.serializers or {}) do
    if s ~= "json" then
      bad("Client: field serializers: %q is not available (json is)", tostring(s))
    end
  end
end

local function environment()
  local timeout = os.getenv("WAMPY_CALL_TIMEOUT")
  return {
    url = os.getenv("WAMPY_URL"), realm = os.getenv("WAMPY_REALM"),
    call_timeout = timeout and (tonumber(timeout) or bad("WAMPY_CALL_TIMEOUT: expected seconds")),
    cert_path = os.getenv("WAMPY_CA"),
    tls = { cert = os.getenv("WAMPY_CERT"), key = os.getenv("WAMPY_CERT_KEY") },
  }
end

-- The settings of TLS are settled one by one, but a certificate and its key stay together.
local function settle_tls(layers)
  local result = {}
  for i = #layers, 1, -1 do
    local t = layers[i].tls or {}
    if t.cert or t.key then result.cert, result.key = nil, nil end
    for name, value in pairs(t) do result[name] = value end
  end
  return result
end

local builtin = {
  url = constants.DEFAULT_URL, realm = constants.DEFAULT_REALM, connect_timeout = 10,
  ping_interval = 10, ping_timeout = 10, reconnect = false,
}

--- Settles what a client's fields are. First hit wins: flags of run, constructor, class,
-- environment, fallbacks of run, built in.
-- @param class the client's class
-- @param given the table given to the constructor
-- @return table with every field that has a value; raises WampyError naming a wrong one
function fields.settle(class, given)
  check_fields(given)
  check_fields(class.defaults or {})
  local layers = { fields.forced, given, class.defaults or {}, environment(), fields.fallback,
    builtin }
  local config = {}
  for name in pairs(types) do
    for _, layer in ipairs(layers) do
      if layer[name] ~= nil then
        config[name] = layer[name]
        break
      end
    end
  end
  for _, layer in ipairs(layers) do -- a router stands for a url: the first layer with one decides
    if layer.router then config.url = nil break end
    if layer.url then config.router = nil break end
  end
  config.tls = settle_tls(layers)
  return config
end

return fields
