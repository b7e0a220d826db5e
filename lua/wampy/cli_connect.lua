-- cli_connect.lua - the flags of every verb that connects: where to, as whom, how; with their
-- variables and profiles. A flag wins over the environment, that over a profile, that over what is
-- built in.

local cli_flags = require "wampy.cli_flags"
local cli_profile = require "wampy.cli_profile"
local core = require "wampy.core"
local errors = require "wampy.errors"
local serializers = require "wampy.serializers"
local settings = require "wampy.settings"

local cli_connect = {}

local duration = settings.duration

-- ---- flags --------------------------------------------------------------------------------------

-- Secrets are in files and variables: a command line is for everybody to read.
local function identity(c)
  c:option("--authid", "Who joins (WAMPY_AUTHID)."):argname("NAME")
  c:option("--authmethod", "Methods offered, ticket,wampcra ... (WAMPY_AUTHMETHOD; default: "
    .. "by the secret)."):argname("LIST")
  c:option("--secret-file", "File with a secret or password (WAMPYSECRET)."):argname("FILE")
  c:option("--ticket-file", "File with a ticket (WAMPY_TICKET)."):argname("FILE")
  c:option("--key", "File with an Ed25519 private key (WAMPY_PRIVATE_KEY)."):argname("FILE")
  c:flag("--ask-secret", "Ask for a secret at the terminal, which does not show it.")
end

local function security(c)
  c:option("--ca", "CA certificates besides the system's (WAMPY_CA)."):argname("FILE")
  c:option("--cert", "Client certificate (WAMPY_CERT)."):argname("FILE")
  c:option("--cert-key", "Its private key (WAMPY_CERT_KEY)."):argname("FILE")
  c:flag("--insecure", "Accept any certificate of the router (WAMPY_INSECURE).")
  c:option("--server-name", "Name that the router's certificate must have "
    .. "(WAMPY_SERVER_NAME; default: of the URL).")
    :argname("NAME")
end

-- How often it tries again is for each verb to say: `tries`, for the help.
local function declare(c, tries)
  c:option("-u --url", "Router (WAMPY_URL; default ws://localhost:8080)."):argname("URL")
  c:option("-r --realm", "Realm (WAMPY_REALM; default realm1)."):argname("NAME")
  c:option("-s --serializer", "Formats in order of preference, as msgpack,json "
    .. "(WAMPY_SERIALIZER; default json)."):argname("LIST"):convert(serializers.parse)
  identity(c)
  security(c)
  c:option("-H --header", "Header of the upgrade request, 'Name: value' (WAMPY_HEADER; may be "
    .. "repeated)."):argname("LINE"):count("*"):convert(settings.header)
  c:option("--retries", ("Attempts to connect after the first (WAMPY_RETRIES; default %s).")
    :format(tries)):argname("N"):convert(settings.retries)
  c:option("--connect-timeout", "Time for connecting and joining (WAMPY_CONNECT_TIMEOUT; "
    .. "default 10s)."):argname("TIME"):convert(duration)
  c:option("--ping", "Silence before a ping, 0 = off (WAMPY_PING; default 10s)."):argname("TIME")
    :convert(duration)
  c:option("-p --profile", "Take what is not given from a profile (WAMPY_PROFILE).")
    :argname("NAME")
  c:option("--env-file", "Take variables that are not set from a file of NAME=VALUE lines.")
    :argname("FILE")
end

--- Declares the flags.
-- @param c command of argparse
-- @param tries what --retries is by default, for the help
function cli_connect.flags(c, tries)
  cli_flags.group(c, "Connection", function() declare(c, tries) end)
end

-- ---- what they come to --------------------------------------------------------------------------

local function bad_secrets(result)
  local given = {}
  for _, flag in ipairs { "secret_file", "ticket_file", "key", "ask_secret" } do
    if result[flag] then given[#given + 1] = "--" .. flag:gsub("_", "-") end
  end
  return given[2] and ("give %s or %s, not both"):format(given[1], given[2])
end

local function fault_of(result)
  local url, e = core.parse_url(result.url or "ws://localhost")
  if not url then return "--url: " .. e end
  if result.realm and not core.uri_ok(result.realm) then
    return ("--realm: invalid realm '%s'"):format(result.realm)
  end
  return bad_secrets(result) or cli_flags.bad_identity(result)
end

local function profile_of(result)
  local name = result.profile or os.getenv("WAMPY_PROFILE")
  if not name or name == "" then return { auth = {}, fields = {} } end
  return cli_profile.read(name)
end

-- How often to try again: by flag, variable or profile; nil when none says.
local function retries_of(result, profile)
  local text = os.getenv("WAMPY_RETRIES")
  if result.retries or not text or text == "" then return result.retries or profile.retries end
  local n, fault = settings.retries(text)
  return n or errors.raise("WampyError", "WAMPY_RETRIES: " .. fault)
end

local function forced(result)
  return { url = result.url, realm = result.realm, connect_timeout = result.connect_timeout,
    ping_interval = result.ping, serializers = result.serializer, cert_path = result.ca,
    headers = result.header and result.header[1] and result.header or nil,
    tls = { cert = result.cert, key = result.cert_key, insecure = result.insecure,
      server_name = result.server_name } }
end

local function auth(result)
  return { authid = result.authid, authmethod = result.authmethod, ask = result.ask_secret,
    secret_file = result.secret_file, ticket_file = result.ticket_file, key = result.key }
end

--- What the flags of a verb that connects come to.
-- @param result as the parser has it
-- @return what connection.apply takes, and `retries` where one of them says it; or nil and what is
-- wrong
function cli_connect.settle(result)
  local fault = fault_of(result)
  if fault then return nil, fault end
  local ok, settled = pcall(function()
    local profile = profile_of(result)
    return { forced = forced(result), fallback = profile.fields, auth = auth(result),
      profile_auth = profile.auth, retries = retries_of(result, profile) }
  end)
  if ok then return settled end
  return nil, errors.is_error(settled) and settled.message or tostring(settled)
end

return cli_connect
