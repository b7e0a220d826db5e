-- cli_connect.lua - the flags of every verb that connects: where to, as whom, how; with their
-- variables, files of variables and profiles. A flag wins over the environment, that over a
-- profile, that over what is built in.

local cli_flags = require "wampy.cli_flags"
local core = require "wampy.core"
local serializers = require "wampy.serializers"

local cli_connect = {}

local duration, usage = cli_flags.duration, cli_flags.usage

-- ---- flags --------------------------------------------------------------------------------------

local function retries(text)
  if text == "inf" then return math.huge end
  local n = math.tointeger(tonumber(text))
  if not n or n < 0 then return nil, ("expected a number or inf, got '%s'"):format(text) end
  return n
end

local function formats(text)
  local list, fault = serializers.parse(text)
  return list, fault and "--serializer: " .. fault
end

local function header(text)
  if text:find("^[%w!#$%%&'*+.^_`|~-]+:[^%c]*$") then return text end
  return nil, ("--header: expected 'Name: value', got '%s'"):format(text)
end

-- Secrets are in files and variables: a command line is for everybody to read.
local function identity(c)
  c:option("--authid", "Who joins (WAMPY_AUTHID)."):argname("NAME")
  c:option("--authmethod", "Methods offered, ticket,wampcra ... (WAMPY_AUTHMETHOD; default: "
    .. "by the secret)."):argname("LIST")
  c:option("--secret-file", "File with a secret or password (WAMPYSECRET)."):argname("FILE")
  c:option("--ticket-file", "File with a ticket (WAMPY_TICKET)."):argname("FILE")
  c:option("--key", "File with an Ed25519 private key (WAMPY_PRIVATE_KEY)."):argname("FILE")
end

local function security(c)
  c:option("--ca", "CA certificates besides the system's (WAMPY_CA)."):argname("FILE")
  c:option("--cert", "Client certificate (WAMPY_CERT)."):argname("FILE")
  c:option("--cert-key", "Its private key (WAMPY_CERT_KEY)."):argname("FILE")
  c:flag("--insecure", "Accept any certificate of the router.")
  c:option("--server-name", "Name that the router's certificate must have (default: of the URL).")
    :argname("NAME")
end

--- Declares the flags.
-- @param c command of argparse
-- @param tries what --retries is by default, for the help
function cli_connect.flags(c, tries)
  c:option("-u --url", "Router (WAMPY_URL; default ws://localhost:8080)."):argname("URL")
  c:option("-r --realm", "Realm (WAMPY_REALM; default realm1)."):argname("NAME")
  c:option("-s --serializer", "Formats in order of preference, as msgpack,json "
    .. "(WAMPY_SERIALIZER; default json)."):argname("LIST"):convert(formats)
  identity(c)
  security(c)
  c:option("-H --header", "Header of the upgrade request, 'Name: value' (may be repeated).")
    :argname("LINE"):count("*"):convert(header)
  c:option("--retries", ("Attempts to connect after the first (WAMPY_RETRIES; default %s).")
    :format(tries)):argname("N"):convert(retries)
  c:option("--connect-timeout", "Time for connecting and joining (WAMPY_CONNECT_TIMEOUT; "
    .. "default 10s)."):argname("TIME"):convert(duration)
  c:option("--ping", "Silence before a ping, 0 = off (WAMPY_PING; default 10s)."):argname("TIME")
    :convert(duration)
  c:option("-p --profile", "Take what is not given from a profile (WAMPY_PROFILE).")
    :argname("NAME")
  c:option("--env-file", "Take variables that are not set from a file of NAME=VALUE lines.")
    :argname("FILE")
end

-- ---- files --------------------------------------------------------------------------------------

local function read_file(path)
  local file, e = io.open(path, "rb")
  if not file then return nil, e end
  local text, fault = file:read("a")
  file:close()
  return text, fault and path .. ": " .. fault
end

-- From now on os.getenv knows the variables of a file, too.
local function take_variables(path)
  local text, e = read_file(path)
  if not text then return "--env-file: " .. e end
  local vars, number = {}, 0
  for line in (text .. "\n"):gmatch("(.-)\r?\n") do
    number = number + 1
    local name, value = line:match("^%s*([%a_][%w_]*)%s*=%s*(.-)%s*$")
    if name then
      vars[name] = value:match("^\"(.*)\"$") or value:match("^'(.*)'$") or value
    elseif not line:find("^%s*#") and not line:find("^%s*$") then
      return ("--env-file: %s:%d: expected NAME=VALUE"):format(path, number)
    end
  end
  local getenv = os.getenv
  os.getenv = function(name) return getenv(name) or vars[name] end -- luacheck: ignore 122
end

-- What a profile may say: the variable that wins over it, and what reads it.
local twins = {
  url = { "WAMPY_URL" }, realm = { "WAMPY_REALM" }, serializer = { "WAMPY_SERIALIZER", formats },
  authid = { "WAMPY_AUTHID" }, authmethod = { "WAMPY_AUTHMETHOD" },
  secret_file = { "WAMPYSECRET" }, ticket_file = { "WAMPY_TICKET" }, key = { "WAMPY_PRIVATE_KEY" },
  ca = { "WAMPY_CA" }, cert = { "WAMPY_CERT" }, cert_key = { "WAMPY_CERT_KEY" },
  server_name = { "WAMPY_SERVER_NAME" }, retries = { "WAMPY_RETRIES", retries },
  connect_timeout = { "WAMPY_CONNECT_TIMEOUT", duration }, ping = { "WAMPY_PING", duration },
}

local function profiles_path()
  local home = os.getenv("XDG_CONFIG_HOME")
  if not home or home == "" then home = (os.getenv("HOME") or "") .. "/.config" end
  return home .. "/wampy-lua/profiles.json"
end

-- The profile of a name; nil and what is wrong.
local function profile_of(name)
  local path = profiles_path()
  local text, e = read_file(path)
  if not text then return nil, ("--profile %s: %s"):format(name, e) end
  local all, fault = core.json_decode(text)
  if type(all) ~= "table" then
    return nil, ("%s: expected an object of profiles%s"):format(path, fault and ": " .. fault or "")
  end
  if type(all[name]) == "table" then return all[name] end
  local names = {}
  for each in pairs(all) do names[#names + 1] = tostring(each) end
  table.sort(names)
  return nil, ("--profile: there is no profile '%s' in %s (there are: %s)"):format(name, path,
    names[1] and table.concat(names, ", ") or "none")
end

local function take_profile(result, name)
  local profile, e = profile_of(name)
  if not profile then return e end
  for key, value in pairs(profile) do
    local field = tostring(key):gsub("-", "_")
    local twin = twins[field]
    if not twin then return ("profile %s: unknown key '%s'"):format(name, tostring(key)) end
    if result[field] == nil and not os.getenv(twin[1]) then
      local read = twin[2] or tostring
      result[field], e = read(tostring(value))
      if e then return ("profile %s: %s: %s"):format(name, key, e) end
    end
  end
end

-- Variables that only flags have: the fields of a client do not read them.
local function take_environment(result)
  for _, field in ipairs { "retries", "connect_timeout", "ping", "server_name" } do
    local variable, read = twins[field][1], twins[field][2] or tostring
    local value = os.getenv(variable)
    if result[field] == nil and value then
      local e
      result[field], e = read(value)
      if e then return ("%s: %s"):format(variable, e) end
    end
  end
end

-- ---- what they come to --------------------------------------------------------------------------

local function fault_of(result)
  local url, e = core.parse_url(result.url or "ws://localhost")
  if not url then return "--url: " .. e end
  if result.realm and not core.uri_ok(result.realm) then
    return ("--realm: invalid realm '%s'"):format(result.realm)
  end
  local files = {}
  for _, flag in ipairs { "secret_file", "ticket_file", "key" } do
    if result[flag] then files[#files + 1] = "--" .. flag:gsub("_", "-") end
  end
  if files[2] then return ("give %s or %s, not both"):format(files[1], files[2]) end
  return cli_flags.bad_identity(result)
end

--- Completes what the parser has by files and variables.
-- @param result as the parser has it; changed
-- @return nil, or the result of a command line that is wrong
function cli_connect.settle(result)
  local e = result.env_file and take_variables(result.env_file) or nil
  local profile = result.profile or os.getenv("WAMPY_PROFILE")
  e = e or profile and profile ~= "" and take_profile(result, profile)
    or take_environment(result) or fault_of(result)
  return e and usage(e) or nil
end

--- The fields of a client that the flags force.
-- @param result after settle
function cli_connect.fields(result)
  return { url = result.url, realm = result.realm, connect_timeout = result.connect_timeout,
    ping_interval = result.ping, serializers = result.serializer, cert_path = result.ca,
    headers = result.header and result.header[1] and result.header or nil,
    tls = { cert = result.cert, key = result.cert_key, insecure = result.insecure,
      server_name = result.server_name } }
end

--- Who joins, as credentials.force takes it.
function cli_connect.auth(result)
  return { authid = result.authid, authmethod = result.authmethod,
    secret_file = result.secret_file, ticket_file = result.ticket_file, key = result.key }
end

return cli_connect
