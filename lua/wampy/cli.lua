-- cli.lua - the command line: what the arguments of `wampy-lua` mean.
--
-- Parsing, help and "did you mean" are lua-argparse's. The result is a plain table; nothing is
-- connected or started here.

local argparse = require "argparse"
local cli_flags = require "wampy.cli_flags"
local cli_router = require "wampy.cli_router"
local core = require "wampy.core"
local serializers = require "wampy.serializers"
local serving = require "wampy.serving"

local cli = {}

local bad_identity, common, duration = cli_flags.bad_identity, cli_flags.common, cli_flags.duration
local usage = cli_flags.usage

local EPILOG = "wampy-lua FILE [ARGS] runs a Lua script with the wampy module inside, as lua does."

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

local function run_command(parser)
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
  common(c)
  c:epilog("Examples:\n  wampy-lua run hello.lua --router\n"
    .. "  wampy-lua run weather.lua:WeatherApp --url ws://router.example:8080/ws\n"
    .. "  wampy-lua run shop.orders:Orders shop.stock:Stock --config crossbar.json\n"
    .. "What follows -- is given to the apps as arg.")
end

local function new_parser()
  local parser = argparse("wampy-lua", "WAMP applications in Lua.", EPILOG)
  parser:add_help("-h --help")
  parser:flag("--version -V", "Print the version.")
  parser:command_target("verb"):require_command(false)
  run_command(parser)
  cli_router.command(parser)
  parser:command("help", "Print help."):argument("topic", "A verb."):args("?")
  parser:command("version", "Print the version."):flag("--json", "As JSON.")
  return parser
end

-- Flags that take a value only with "=", so that an app may follow them.
local optional = { ["--router"] = true, ["--access-log"] = true, ["--metrics"] = true }

-- `--` ends our arguments.
local function prepare(args)
  local ours, rest = {}, {}
  local list = ours
  for _, a in ipairs(args) do
    if a == "--" and list == ours then
      list = rest
    else
      list[#list + 1] = list == ours and optional[a] and a .. "=default" or a
    end
  end
  return ours, rest
end

local function first_lines(text, n)
  local lines = {}
  for line in text:gmatch("[^\n]+") do
    if #lines < n then lines[#lines + 1] = line end
  end
  return table.concat(lines, " ")
end

local function version_text(json)
  if json then
    return core.json_encode { name = "wampy-lua", version = core.version, lua = _VERSION } .. "\n"
  end
  return ("wampy-lua %s (%s)\n"):format(core.version, _VERSION)
end

local function log_format(result)
  local format = result.log_format or os.getenv("WAMPY_LOG_FORMAT")
  if format and format ~= "text" and format ~= "json" then
    return usage(("WAMPY_LOG_FORMAT: expected text or json, got '%s'"):format(format))
  end
  core.log_json(format == "json")
end

local function log_level(result)
  local level = result.verbose and "debug" or result.quiet and "error" or result.log
    or os.getenv("WAMPY_LOG")
  if not level then return end
  if not pcall(core.log_level, level) then
    return usage(("WAMPY_LOG: expected error, warn, info, debug or trace, got '%s'"):format(level))
  end
end

-- What can be judged of a run's flags without connecting; nil when all is well.
local function bad_flag(result)
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
  return { verb = "run", apps = result.app, router = not worker and result.router or nil,
    config = result.config, url = result.url or worker and worker.url, realm = result.realm,
    retries = result.retries, grace = result.grace, once = result.once,
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

local function for_verb(result, rest, worker)
  if result.verb == "router" then return cli_router.plan(result) end
  if result.verb ~= "run" then return usage("a verb is missing; try wampy-lua --help") end
  local bad = bad_flag(result) or bad_identity(result)
  if bad then return usage(bad) end
  if result.config and serving.is_lua(result.config) then return usage(NO_LUA) end
  if result.workers and not worker then return for_crew(result) end
  return for_run(result, rest, worker)
end

--- Parses the command line.
-- @param args list of arguments, without the program's name
-- @param worker what a process of `run --workers` was told: the result is then for that process
-- @return { verb = "run", ... }, { verb = "crew", workers, grace, settings, listen },
-- { verb = "router", settings, listen = list of { listen, tls, ... } }, { verb = "serve", router },
-- or { exit = code, stdout =, stderr = }
function cli.parse(args, worker)
  local parser = new_parser()
  local ours, rest = prepare(args)
  if not ours[1] then
    return { exit = 2, stderr = parser:get_usage() .. "\n\n" .. EPILOG .. "\n" }
  end
  if ours[1] == "help" or ours[1] == "--help" or ours[1] == "-h" then
    local command = ours[2] and ours[1] == "help" and ours[2]
    for _, c in ipairs(parser._commands) do
      if c._name == command then return { exit = 0, stdout = c:get_help() .. "\n" } end
    end
    if command then return usage(("no help for '%s'"):format(command)) end
    return { exit = 0, stdout = parser:get_help() .. "\n" }
  end
  local ok, result = parser:pparse(ours)
  if not ok then return usage(first_lines(tostring(result), 2)) end
  if result.version and not result.verb then return { exit = 0, stdout = version_text() } end
  local bad = log_level(result) or log_format(result)
  if bad then return bad end
  if result.verb == "version" then return { exit = 0, stdout = version_text(result.json) } end
  return for_verb(result, rest, worker)
end

return cli
