-- cli_run.lua - the verb run on the command line: its flags, and what they come to.

local cli_connect = require "wampy.cli_connect"
local cli_flags = require "wampy.cli_flags"
local cli_router = require "wampy.cli_router"
local core = require "wampy.core"
local serving = require "wampy.serving"

local cli_run = {}

local common, duration, usage = cli_flags.common, cli_flags.duration, cli_flags.usage

local MAX_WORKERS = 256 -- beyond any machine's cores; a slip of the finger stops here

local function workers(text)
  local n = math.tointeger(tonumber(text))
  if not n or n < 1 or n > MAX_WORKERS then
    return nil, ("expected a number from 1 to %d, got '%s'"):format(MAX_WORKERS, text)
  end
  return n
end

--- Declares the verb.
-- @param parser of argparse
function cli_run.command(parser)
  local c = parser:command("run")
  c:argument("app", "app.lua, app.lua:Class or dotted.module:Class."):args("+"):argname("APP")
  c:option("--router", "Start an embedded router first, listening on LISTEN (default 8080).")
    :argname("[=LISTEN]")
  c:option("--config", "A Crossbar.io configuration: url and realm; with --router, the router.")
    :argname("FILE")
  cli_connect.flags(c, "inf")
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

-- What is wrong with the verb's own flags; nil when nothing is.
local function bad_flag(result)
  if result.watch and result.once then return "give --watch or --once, not both" end
  if not result.router or result.router == "default" then return end
  local url, e = core.parse_listen(result.router)
  return not url and "--router: " .. e or nil
end

local secure = { wss = true, rss = true }

-- The flags of TLS are the router's where it listens on wss:// or rss://, else the clients'.
local function router_tls(result)
  local url = core.parse_listen(result.router or "")
  if not url or not secure[url.scheme] then return end
  local identity = { cert = result.cert, key = result.cert_key, ca_path = result.ca }
  result.cert, result.cert_key, result.ca = nil, nil, nil
  return identity
end

local function for_run(result, rest, worker, plan)
  plan.verb, plan.module, plan.apps, plan.args = "run", "wampy.runner", result.app, rest
  plan.router, plan.config = not worker and result.router or nil, result.config
  plan.grace, plan.once, plan.watch, plan.worker = result.grace, result.once, result.watch, worker
  plan.forced.url = plan.forced.url or worker and worker.url
  return plan
end

-- The processes of `run --workers`: with --router one more, which has the router that run would
-- have had inside.
local function for_crew(result, plan)
  local crew = {}
  if plan.router_tls then
    return usage("--workers: their router listens on ws://; wampy-lua router serves wss://")
  elseif result.ask_secret then
    return usage("--workers: each would ask; give --secret-file in place of --ask-secret")
  end
  if result.router then
    local realm = result.realm or os.getenv("WAMPY_REALM") or plan.fallback.realm
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
  local bad = bad_flag(result) or cli_flags.bad_identity(result)
  if bad then return usage(bad) end
  if result.config and serving.is_lua(result.config) then return usage(NO_LUA) end
  local identity = router_tls(result)
  local plan, fault = cli_connect.settle(result)
  if not plan then return usage(fault) end
  if identity then plan.router_tls, plan.forced.tls = identity, {} end
  if result.workers and not worker then return for_crew(result, plan) end
  return for_run(result, rest, worker, plan)
end

return cli_run
