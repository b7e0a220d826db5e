-- runner.lua - `wampy-lua run`: loads apps, starts them, keeps them running, and ends with an exit
-- code that says how it went (docs: exit codes).

local backoff = require "wampy.backoff"
local bindings = require "wampy.bindings"
local codes = require "wampy.codes"
local config = require "wampy.config"
local connection = require "wampy.connection"
local core = require "wampy.core"
local errors = require "wampy.errors"
local loader = require "wampy.loader"
local reload = require "wampy.reload"
local routers = require "wampy.routers"
local saying = require "wampy.saying"
local service = require "wampy.service"
local tasks = require "wampy.tasks"
local wampy = require "wampy"

local runner = {}

local LUA_ERROR, NO_APP = 1, 3 -- exit codes

-- The exit code that an error stands for: an app that has run is not one that does not load.
local function exit_code(e, options)
  local code = e.exit or errors.is_error(e) and connection.exit_code(e) or NO_APP
  if code ~= NO_APP or not options.has_run then return code end
  return e.cause and connection.exit_code(e.cause, true) or LUA_ERROR
end

local function complain(e, options)
  local text = type(e) == "table" and (e.message or tostring(e)) or tostring(e)
  if errors.is_error(e) then
    text = (e.where and not e.transport and not e.uri) and e.where .. ": " .. e.message or e.message
    if e:is(errors.RemoteError) then text = tostring(e):gsub("^RemoteError: ", "") end
  end
  local own = errors.is_error(e) -- the place is named; others get their traceback
  local trace = type(e) == "table" and not own and core.log_level() ~= "error" and e.traceback
  local exit = exit_code(e, options)
  codes.complain(text, exit == LUA_ERROR and "W100" or e,
    trace and errors.app_frames(trace):gsub("^\n", "") or nil)
  return exit
end

-- Where the apps are to connect, by flags and configuration. Starts the embedded router.
local function set_up(options)
  local forced, given_realm = options.forced, options.forced.realm
  local read = options.config -- an embedded router reads it again, and warns
    and config.load(options.config, options.quiet and function() end or nil)
  if read then
    forced.realm = forced.realm or read.realms[1].name
    if not options.router then forced.url = forced.url or read.transports[1].url end
  end
  local router
  if options.router then
    local listen = options.router ~= "default" and options.router
      or not read and "127.0.0.1:8080" or nil
    local realm = given_realm or os.getenv("WAMPY_REALM") or options.fallback.realm or "realm1"
    router = routers.Embedded {
      listen = listen, realm = not read and realm or nil, config_path = options.config,
      tls = options.router_tls,
    }:start()
    service.router = router
    for _, url in ipairs(router.urls) do
      saying.say("router", url, read and read.realms[1].name or realm)
    end
    if not forced.url then forced.router = router end
  end
  local reconnect = options.retries ~= 0
  connection.apply(options, reconnect and options.retries and { tries = options.retries }
    or reconnect)
  return router
end

local function start(client, options)
  backoff.retry(function() client:start() end, { tries = options.retries }, client.name)
  for _, entry in ipairs(client._roles) do
    for _, uri in ipairs(entry.kind ~= "timer" and entry.uris or {}) do
      saying.role(entry.kind == "callee" and "registered" or "subscribed", uri, entry.where)
    end
  end
end

-- ---- leaving ----------------------------------------------------------------

-- Gives up every client's bindings of one kind, and waits for the handlers that still run.
local function finish(release, handlers, limit)
  local clients = tasks.clients()
  for _, client in ipairs(clients) do
    if client.connected then pcall(release, client) end
  end
  for _, client in ipairs(clients) do
    while handlers(client._core) > 0 and core.now() < limit do tasks.sleep(0.01) end
  end
end

-- Ends without losing anything. Calls come first, because their handlers may wait for events.
local function leave_in_peace(options)
  local limit = core.now() + (options.grace or 5)
  finish(bindings.unregister_all, function(c) return c:serving() end, limit)
  finish(bindings.unsubscribe_all, function(c) return (select(2, c:serving())) end, limit)
  tasks.stop()
end

-- ---- as one of several workers ----------------------------------------------------------------

-- When the supervisor asks for it.
local function leave_when_told(options)
  core.readable(options.worker.control)
  leave_in_peace(options)
end

-- All workers run the same: what the first one prints in its first life stands for all.
local function be_worker(options)
  local worker = options.worker
  local first = worker.number == 1 and worker.lives == 0
  math.randomseed(math.random(0), worker.number) -- forks would draw the same numbers
  if not first then saying.hush() end
  options.quiet = not first or worker.url ~= nil -- the parent has read the router's configuration
  options.ready = worker.ready
  tasks.spawn(leave_when_told, options)
end

-- ---- starting again ---------------------------------------------------------------------------

-- What a reload cannot do: the process becomes one that has just been started. One of several
-- workers leaves that to the parent, which replaces one after the other.
local function restart(options, why)
  saying.say("restarting", options.apps[1] .. " " .. why)
  if options.worker then
    if options.worker.number == 1 then options.worker.replace() end
    return
  end
  if options.broken then options.start_again() end
  options.restarting = true
  rawset(os, "exit", options.start_again) -- the main chunk may have its own idea of the end
  leave_in_peace(options)
  tasks.sleep(options.grace or 5)
  options.start_again() -- the main chunk goes on and on
end

-- What was started again and does not load waits to be mended. Only a signal ends that.
-- @return exit code
local function wait_for_mending(options)
  if not (options.again and options.watch) then return 3 end
  core.log("info", "waiting for a change")
  options.broken = true
  pcall(tasks.sleep, math.huge)
  return 0
end

-- ---- running ----------------------------------------------------------------------------------

local function ready()
  print("ready.")
  io.stdout:flush()
  service.begin()
end

-- The clients of all that the apps gave.
local function clients_of(loaded)
  local clients = {}
  for _, list in ipairs(loaded) do
    for _, app in ipairs(list) do
      clients[#clients + 1] = rawget(app, "is_class") and app() or app
    end
  end
  return clients
end

local function run(options)
  local router, loaded = set_up(options), {}
  options.reload = reload.new(options)
  options.reload:listen(function(why) restart(options, why) end)
  for i, app in ipairs(options.apps) do loaded[i] = loader.load(app) end
  local clients = clients_of(loaded)
  options.reload:running(loaded, clients)
  for _, client in ipairs(clients) do start(client, options) end
  saying.roles_end()
  if options.once then return 0, router end
  return tasks.run(), router
end

--- Runs apps until they end.
-- @param options what connection.apply takes, and { apps, router = LISTEN or "default", config,
-- retries, grace (seconds), once, watch, start_again = function, again = whether it was started so,
-- router_tls, args, worker = { number, lives, control = descriptor that is readable when it is to
-- leave in peace, ready = function, replace = function } }
-- @return exit code
function runner.run(options)
  wampy.args = options.args or {}
  _G.arg = wampy.args
  options.ready, options.quiet = ready, options.router ~= nil
  if options.worker then be_worker(options) end
  tasks.running = function() -- here, or in the main chunk of an app that runs itself
    tasks.running = function() end
    options.has_run = true
    options.ready()
  end
  core.watch_signals(true)
  core.on_signal("USR1", service.dump)
  local ok, code, router = xpcall(run, function(e)
    if errors.is_error(e) or type(e) == "table" and e.exit then return e end
    local trace = debug.traceback("", 2)
    return { code = "W300", message = errors.at_home(tostring(e), trace) .. errors.meant(e),
      traceback = trace }
  end, options)
  if not ok then
    local e = code
    if errors.is_error(e, errors.Canceled) and core.signals() > 0 then
      code = 0
    else
      code = complain(e, options)
      if code == NO_APP then code = wait_for_mending(options) end
    end
  end
  core.clear_signals()
  tasks.stop_all()
  tasks.wind_down(options.grace or 5)
  if router then router:stop() end
  if options.restarting then options.start_again() end
  return code
end

return runner
