-- cli_run.lua - the verb run on the command line: its flags, and what they come to.

local cli_flags = require "wampy.cli_flags"
local cli_router = require "wampy.cli_router"
local core = require "wampy.core"
local serializers = require "wampy.serializers"
local serving = require "wampy.serving"

local cli_run = {}

local bad_identity, common, duration = cli_flags.bad_identity, cli_flags.common, cli_flags.duration
local usage = cli_flags.usage

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

local MAX_WORKERS = 256 -- beyond any machine's cores; a slip of the finger stops here

local function workers(text)
  local n = math.tointeger(tonumber(text))
  if not n or n < 1 or n > MAX_WORKERS then
    return nil, ("--workers: expected a number from 1 to %d, got '%s'"):format(MAX_WORKERS, text)
  end
  return n
end

local function tls_flags(command, whose)
  command:option("--ca", "CA certificates besides the system's (WAMPY_CA)."):argname("FILE")
  command:option("--cert", whose .. " certificate (WAMPY_CERT)."):argname("FILE")
  command:option("--cert-key", "Its private key (WAMPY_CERT_KEY)."):argname("FILE")
end

-- Who an app is. Secrets are in files and variables: a command line is for everybody to read.
local function auth_options(command)
  command:option("--authid", "Who the apps are (WAMPY_AUTHID)."):argname("NAME")
  command:option("--authmethod", "Methods offered, ticket,wampcra ... (WAMPY_AUTHMETHOD; default: "
    .. "by the secret)."):argname("LIST")
  command:option("--secret-file", "File with a secret or password (WAMPYSECRET)."):argname("FILE")
  command:option("--ticket-file", "File with a ticket (WAMPY_TICKET)."):argname("FILE")
  command:option("--key", "File with an Ed25519 private key (WAMPY_PRIVATE_KEY)."):argname("FILE")
end

--- Declares the verb.
-- @param parser of argparse
function cli_run.command(parser)
  local c = parser:command("run", "Load apps and run them until they end.")
  c:argument("app", "app.lua, app.lua:Class or dotted.module:Class."):args("+"):argname("APP")
  c:option("--router", "Start an embedded router first, listening on LISTEN (default 8080).")
    :argname("[=LISTEN]")
  c:option("--config", "A Crossbar.io configuration: url and realm; with --router, the router.")
    :argname("FILE")
  c:option("-u --url", "Router (WAMPY_URL; default ws://localhost:8080)."):argname("URL")
  c:option("-r --realm", "Realm (WAMPY_REALM; default realm1)."):argname("NAME")
  c:option("-s --serializer", "Formats in order of preference, as msgpack,json "
    .. "(WAMPY_SERIALIZER; default json)."):argname("LIST"):convert(formats)
  auth_options(c)
  tls_flags(c, "Client")
  c:flag("--insecure", "Accept any certificate of the router.")
  c:option("--server-name", "Name that the router's certificate must have (default: of the URL).")
    :argname("NAME")
  c:option("--retries", "Attempts to connect before giving up (default inf)."):argname("N")
    :convert(retries)
  c:option("--connect-timeout", "Seconds for connecting and joining (default 10)."):argname("S")
    :convert(duration)
  c:option("--ping", "Seconds of silence before a ping, 0 = off (default 10)."):argname("S")
    :convert(duration)
  c:option("--workers", "Run N processes of the apps, and start again those that die.")
    :argname("N"):convert(workers)
  c:option("--grace", "Time for handlers to finish at the end (default 5s)."):argname("TIME")
    :convert(duration)
  c:flag("--once", "Leave after the main chunk.")
  c:flag("--watch", "Reload the apps whenever their files are saved.")
  common(c)
  c:epilog("Examples:\n  wampy-lua run hello.lua --router\n"
    .. "  wampy-lua run weather.lua:WeatherApp --url ws://router.example:8080/ws\n"
    .. "  wampy-lua run shop.orders:Orders shop.stock:Stock --config crossbar.json\n"
    .. "What follows -- is given to the apps as arg.")
end

-- What can be judged of a run's flags without connecting; nil when all is well.
local function bad_flag(result)
  if result.watch and result.once then return "give --watch or --once, not both" end
  local url, e = core.parse_url(result.url or "ws://localhost")
  if not url then return "--url: " .. e end
  if result.router and result.router ~= "default" then
    url, e = core.parse_listen(result.router)
    if not url then return "--router: " .. e end
  end
  if result.realm and not core.uri_ok(result.realm) then
    return ("--realm: invalid realm '%s'"):format(result.realm)
  end
  local files = {}
  for _, flag in ipairs { "secret_file", "ticket_file", "key" } do
    if result[flag] then files[#files + 1] = "--" .. flag:gsub("_", "-") end
  end
  if files[2] then return ("give %s or %s, not both"):format(files[1], files[2]) end
end

local secure = { wss = true, rss = true }

-- The flags of TLS are the router's where it listens on wss:// or rss://, else the clients'.
local function run_tls(result)
  local url = core.parse_listen(result.router or "")
  local identity = { cert = result.cert, key = result.cert_key, ca_path = result.ca }
  if url and secure[url.scheme] then return { router_tls = identity, tls = {} } end
  return { cert_path = result.ca, tls = { cert = result.cert, key = result.cert_key,
    insecure = result.insecure, server_name = result.server_name } }
end

local function for_run(result, rest, worker)
  local tls = run_tls(result)
  return { verb = "run", module = "wampy.runner", apps = result.app,
    router = not worker and result.router or nil, config = result.config,
    url = result.url or worker and worker.url, realm = result.realm,
    retries = result.retries, grace = result.grace, once = result.once, watch = result.watch,
    connect_timeout = result.connect_timeout, ping = result.ping, cert_path = tls.cert_path,
    serializers = result.serializer,
    tls = tls.tls, router_tls = tls.router_tls, args = rest, worker = worker,
    auth = { authid = result.authid, authmethod = result.authmethod,
      secret_file = result.secret_file, ticket_file = result.ticket_file, key = result.key } }
end

-- The processes of `run --workers`: with --router one more, which has the router that run would
-- have had inside.
local function for_crew(result)
  local crew = {}
  if run_tls(result).router_tls then
    return usage("--workers: their router listens on ws://; wampy-lua router serves wss://")
  end
  if result.router then
    local realm = result.realm or os.getenv("WAMPY_REALM")
    crew = cli_router.plan { config = result.config, realm = { not result.config and realm or nil },
      listen = { result.router ~= "default" and result.router or nil }, origin = {} }
    if crew.exit then return crew end
  end
  return { verb = "crew", workers = result.workers, grace = result.grace or 5,
    settings = crew.settings, listen = crew.listen }
end

local NO_LUA = "--config: a Lua file is for the verb router; run takes a Crossbar.io configuration"

--- What the flags of the verb come to.
-- @param result as the parser has it
-- @param rest list of the arguments behind "--"
-- @param worker what a process of `run --workers` was told, or nil
-- @return { verb = "run", module, ... }, { verb = "crew", workers, grace, settings, listen }, or
-- { exit = code, stderr = }
function cli_run.plan(result, rest, worker)
  local bad = bad_flag(result) or bad_identity(result)
  if bad then return usage(bad) end
  if result.config and serving.is_lua(result.config) then return usage(NO_LUA) end
  if result.workers and not worker then return for_crew(result) end
  return for_run(result, rest, worker)
end

return cli_run
