-- cli_router.lua - the verb `router` of the command line: its flags, and what they come to. The
-- configuration is read and checked here, so that serving needs no Lua, and read again by the same
-- way when it has changed (src/main_router.c).

local checks = require "wampy.config_check"
local cli_flags = require "wampy.cli_flags"
local codes = require "wampy.codes"
local config = require "wampy.config"
local config_doors = require "wampy.config_doors"
local core = require "wampy.core"
local serving = require "wampy.serving"

local cli_router = {}

local usage = cli_flags.usage

local GRACE = 2 -- seconds for peers to answer GOODBYE

--- Adds the verb to a parser.
function cli_router.command(parser)
  local c = parser:command("router")
  c:option("--listen", "URL, HOST:PORT or PORT (default 127.0.0.1:8080; may be repeated).")
    :argname("LISTEN"):count("*")
  c:option("--realm -r", "Realm (default realm1; may be repeated)."):argname("NAME"):count("*")
  c:option("--config", "A Crossbar.io configuration (JSON or YAML), or a Lua file."):argname("FILE")
  c:option("--web", "Serve the files of DIR, too, to whoever asks by HTTP."):argname("DIR")
  c:option("--origin", "Pages that may connect, https://*.example.org (default: all; repeatable).")
    :argname("PATTERN"):count("*")
  c:flag("--compress", "Compress messages for WebSocket clients that offer it.")
  c:option("--metrics", "Show counters to Prometheus at PATH (default /metrics).")
    :argname("[=PATH]")
  c:option("--access-log", "Write who comes and goes into FILE (default -, stdout).")
    :argname("[=FILE]")
  c:option("--cert", "Certificate for LISTENs that are wss://, in PEM."):argname("FILE")
  c:option("--cert-key", "Its private key."):argname("FILE")
  c:option("--ca", "CA of the clients, each of which must then show a certificate.")
    :argname("FILE")
  c:option("--grace", "Time for peers to answer GOODBYE at the end (default 2s)."):argname("TIME")
    :convert(cli_flags.duration)
  c:flag("--check", "Read and check everything, say what would be done, and end.")
  cli_flags.common(c)
  c:epilog("Examples:\n  wampy-lua router\n"
    .. "  wampy-lua router --listen 0.0.0.0:9000 --realm realm1 --realm realm2\n"
    .. "  wampy-lua router --web public\n"
    .. "  wampy-lua router --config crossbar.json --check\n"
    .. "HUP reads the configuration again, USR1 writes the sessions into the log.")
end

-- ---- what it comes to -------------------------------------------------------------------------

local function failure(lines)
  for i, line in ipairs(lines) do lines[i] = codes.line(line, { message = line, exit = 3 }) end
  return { exit = 3, stderr = table.concat(lines) }
end

-- Realms of the command line.
local function named_realms(names)
  local realms = {}
  for i, name in ipairs(names[1] and names or { "realm1" }) do
    if not core.uri_ok(name) then return nil, ("--realm: invalid realm '%s'"):format(name) end
    realms[i] = { name = name, roles = {} }
  end
  return realms
end

-- Where it listens: as the command line says, else as the configuration does.
local function places(result, transports)
  local tls = result.cert and { cert = result.cert, key = result.cert_key, cas = { result.ca } }
  local list, first = {}, transports[1] or {}
  for i, l in ipairs(result.listen) do list[i] = { listen = l, tls = first.tls } end
  if not list[1] then list = transports end
  for _, place in ipairs(list) do
    local url, e = core.parse_listen(place.listen)
    if not url then return nil, "--listen: " .. e end
    place.tls = tls or place.tls
  end
  return list
end

local function add_route(place, route)
  place.routes = place.routes or { { kind = "websocket", path = "/" } }
  table.insert(place.routes, route)
end

-- What the flags --web, --metrics, --origin and --compress say, for every place that speaks HTTP.
local function add_web(result, list)
  local metrics = result.metrics == "default" and "/metrics" or result.metrics
  if result.web and not checks.is_folder(result.web) then
    return ("--web: there is no folder %s"):format(result.web)
  end
  if metrics and (not metrics:find("^/[%w]") or metrics:find("[%c%%?#\\]")) then
    return ("--metrics: expected a path such as /metrics, got '%s'"):format(metrics)
  end
  for _, place in ipairs(list) do
    if not core.parse_listen(place.listen).scheme:find("^rs") then
      if result.web then
        add_route(place, { kind = "files", path = "/", directory = result.web })
      end
      if metrics then add_route(place, { kind = "report", path = metrics }) end
      for _, part in ipairs(config_doors.parts(place)) do
        if result.origin[1] then part.origins = result.origin end
        part.compress = result.compress or part.compress
      end
    end
  end
end

-- ---- checking ---------------------------------------------------------------------------------

local function row(what, ...)
  return ("%-12s %s\n"):format(what, table.concat({ ... }, "  "))
end

local function describe_realm(realm)
  local roles = {}
  for i, role in ipairs(realm.roles) do roles[i] = role.name end
  return row("realm", realm.name, roles[1] and "roles " .. table.concat(roles, ", ")
    or "everybody may do everything")
end

-- Who may join by a door: how many by each method.
local function describe_door(settings, number)
  local door = settings.doors and settings.doors[(number or 0) + 1] or {} -- one for all
  local counts, names = {}, {}
  for _, p in ipairs(settings.principals or {}) do
    if p.store == door.store then
      if not counts[p.method] then names[#names + 1] = p.method end
      counts[p.method] = (counts[p.method] or 0) + 1
    end
  end
  table.sort(names)
  for i, name in ipairs(names) do names[i] = ("%s (%d)"):format(name, counts[name]) end
  return names[1] and "auth " .. table.concat(names, ", ") or "everybody may join"
end

local function describe_route(place, route, settings)
  if route.kind ~= "websocket" then
    return row("", route.path, route.directory and "files of " .. route.directory or "metrics")
  end
  local part = route.part and place.parts[route.part] or place
  return row("", route.path, "WebSocket", describe_door(settings, part.door))
end

local function describe_place(place, settings)
  local lines = { row("listen", place.listen,
    not place.routes and describe_door(settings, place.door) or nil) }
  for _, route in ipairs(place.routes or {}) do
    lines[#lines + 1] = describe_route(place, route, settings)
  end
  if place.listen:find("^universal") then
    local part = place.raw_part and place.parts[place.raw_part] or place
    lines[#lines + 1] = row("", "RawSocket", describe_door(settings, part.door))
  end
  return table.concat(lines)
end

local function describe(plan)
  local lines = {}
  for _, realm in ipairs(plan.settings.realms) do lines[#lines + 1] = describe_realm(realm) end
  for _, place in ipairs(plan.listen) do
    lines[#lines + 1] = describe_place(place, plan.settings)
  end
  return { exit = 0, stdout = table.concat(lines) .. "ok\n" }
end

-- Whether it could listen, but for the ports.
local function check_places(list)
  local mistakes = {}
  for _, place in ipairs(list) do
    local ok, e = core.listen_check(place.listen, place)
    if not ok then mistakes[#mistakes + 1] = e end
  end
  return mistakes
end

-- The same of a Lua file, with the router that it has made.
local function settings_of_lua(path)
  local router, e = serving.load(path)
  if not router then return nil, failure { e } end
  return { realms = router.config.realms, principals = router.config.principals,
    doors = router.config.doors, transports = router:_where(), router = router }
end

-- What is read of a configuration, or stands in for one: realms, principals, doors, transports. Nil
-- with the result of a command line that is wrong.
local function settings_of(result)
  if not result.config then
    local realms, e = named_realms(result.realm)
    if not realms then return nil, usage(e) end
    return { realms = realms, transports = { { listen = "127.0.0.1:8080" } } }
  elseif result.realm[1] then
    return nil, usage("give --config or --realm, not both")
  elseif serving.is_lua(result.config) then
    return settings_of_lua(result.config)
  end
  local read, mistakes = config.judge(result.config)
  if mistakes[1] then return nil, failure(mistakes) end
  return read
end

-- A router, which keeps Lua when a Lua file has made it: then the same comes to pass there.
local function plan_of(result)
  local read, failed = settings_of(result)
  if not read then return failed end
  local list, bad = places(result, read.transports)
  bad = bad or add_web(result, list)
  if bad then return usage(bad) end
  local plan = { verb = "router", listen = list,
    settings = { realms = read.realms, principals = read.principals, doors = read.doors },
    grace = result.grace or GRACE,
    access_log = result.access_log == "default" and "-" or result.access_log,
    json = (result.log_format or os.getenv("WAMPY_LOG_FORMAT")) == "json" }
  if read.router then
    plan.verb, plan.module, plan.router, plan.path = "serve", "wampy.serving", read.router,
      result.config
    plan.anew = function() return plan_of(result) end
  end
  if not result.check then return plan end
  local mistakes = check_places(list)
  return mistakes[1] and failure(mistakes) or describe(plan)
end

--- What the flags of the verb come to.
-- @param result as the parser has it; realm, listen and origin are lists
-- @return { verb = "router", settings, listen = list of { listen, tls, ... }, grace, access_log,
-- json }; the same with verb = "serve", module, router = wampy.routers.Embedded, path = its file,
-- anew = function that reads it anew, as this does; or { exit = code, stdout =, stderr = }
function cli_router.plan(result)
  local bad = cli_flags.bad_identity(result)
  if bad then return usage(bad) end
  return plan_of(result)
end

return cli_router
