-- fields.lua - the fields of wampy.Client { ... }: what each may be, and which of several places
-- that give one wins.

local announce = require "wampy.announce"
local check = require "wampy.check"
local core = require "wampy.core"
local constants = require "wampy.constants"
local errors = require "wampy.errors"
local proxy = require "wampy.proxy"
local serializers = require "wampy.serializers"
local settings = require "wampy.settings"
local tls = require "wampy.tls"

-- Set by the command line: fields that win over everything (its flags), and defaults that lose to
-- everything but the built-in ones (its profile).
local fields = { forced = {}, fallback = {} }

local function bad(fmt, ...)
  errors.raise("WampyError", fmt:format(...))
end

-- "Name: value" for each header, from a list of such lines or a table of names.
local function header_lines(t)
  local lines = {}
  for name, value in pairs(t or {}) do
    if math.type(name) == "integer" then
      lines[name] = value
    else
      lines[#lines + 1] = ("%s: %s"):format(name, tostring(value))
    end
  end
  return lines
end

local MAX_HEADERS = 31 -- of the upgrade request, besides its own

local function are_headers(t)
  if type(t) ~= "table" then return false end
  local lines = header_lines(t)
  for _, line in ipairs(lines) do
    if not settings.is_header(line) then return false end
  end
  return #lines <= MAX_HEADERS
end

local function is_count(v) return math.type(v) == "integer" and v > 0 end

local backoff_rules = {
  initial = check.seconds, max = check.seconds,
  factor = { "a number >= 1", function(v) return type(v) == "number" and v >= 1 and v < 1e6 end },
  jitter = { "a number from 0 to 1",
    function(v) return type(v) == "number" and v >= 0 and v <= 1 end },
  tries = { "a number >= 0", function(v) return type(v) == "number" and v >= 0 end },
}

local function is_router(v)
  return type(v) == "table" and (type(v.server) == "function" or type(v.url) == "string")
end

-- Fields of the constructor, as rules of check.lua. The field `auth` is for credentials.lua.
local rules = {
  url = "string", realm = "string", name = "string", connect_timeout = check.seconds,
  call_timeout = check.seconds, ping_interval = check.seconds, ping_timeout = check.seconds,
  max_message_size = { "a number of bytes, from 1 to 16 MiB",
    function(v) return is_count(v) and v <= constants.MAX_MESSAGE_SIZE end },
  max_tasks = { "a whole number > 0", is_count },
  headers = { "at most 31 lines \"Name: value\"", are_headers }, roles = "table", auth = true,
  router = { "a Router object", is_router },
  reconnect = { "true, false or a table",
    function(v) return type(v) == "boolean" or type(v) == "table" end },
  cert_path = "string", tls = "table", serializers = { "a list of names",
    function(v) return type(v) == "table" and v[1] ~= nil end },
  compress = "boolean", cookies = "boolean",
  proxy = { "a URL http://[user:password@]host[:port], or false",
    function(v) return v == false or type(v) == "string" and proxy.parse(v) ~= nil end },
  codecs = "table", message_handler = true, -- Client looks at them
}

local function check_fields(t)
  check.fields("Client", t, rules)
  if t.url and t.router then bad("Client: give url or router, not both") end
  if type(t.reconnect) == "table" then
    check.fields("Client: reconnect", t.reconnect, backoff_rules)
  end
  if t.tls then tls.check_client(t.tls, "Client: tls") end
  if t.realm and not core.uri_ok(t.realm) then
    bad("Client: field realm: invalid URI %q", t.realm)
  end
  announce.roles(t.roles)
  local fault = t.serializers and serializers.fault(t.serializers)
  if fault then bad("Client: field serializers: %s", fault) end
end

local function environment()
  return settings.fields(function(_, variable) return os.getenv(variable), variable end)
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

-- Words of the environment or of a profile: what is wrong is said with the name that it has there.
local function check_words(config, given)
  if given.url and config.url then
    local ok, e = core.parse_url(config.url)
    if not ok then bad("%s: %s", given.url, e) end
  end
  if given.realm and not core.uri_ok(config.realm) then
    bad("%s: invalid realm '%s'", given.realm, config.realm)
  end
end

local builtin = {
  url = constants.DEFAULT_URL, realm = constants.DEFAULT_REALM, connect_timeout = 10,
  ping_timeout = 10, reconnect = false, -- ping_interval: 10; over RawSocket only when it is given
  serializers = { "json" },
}

--- Settles what a client's fields are. First hit wins: flags, constructor, class, environment,
-- profile, built in.
-- @param class the client's class
-- @param given the table given to the constructor
-- @return table with every field that has a value; raises WampyError naming a wrong one
function fields.settle(class, given)
  check_fields(given)
  check_fields(class.defaults or {})
  local layers = { fields.forced, given, class.defaults or {}, environment(), fields.fallback,
    builtin }
  local config, given_as = {}, {}
  for name in pairs(rules) do
    for _, layer in ipairs(name ~= "auth" and layers or {}) do -- no secret stays here
      if layer[name] ~= nil then
        config[name] = layer[name]
        given_as[name] = layer.given and layer.given[name]
        break
      end
    end
  end
  for _, layer in ipairs(layers) do -- a router stands for a url: the first layer with one decides
    if layer.router then config.url = nil break end
    if layer.url then config.router = nil break end
  end
  check_words(config, given_as)
  config.tls, config.headers = settle_tls(layers), header_lines(config.headers)
  return config
end

return fields
