-- runner.lua - `wampy-lua run`: loads apps, starts them, keeps them running, and ends with an exit
-- code that says how it went (docs: exit codes).

local backoff = require "wampy.backoff"
local bindings = require "wampy.bindings"
local config = require "wampy.config"
local core = require "wampy.core"
local credentials = require "wampy.credentials"
local errors = require "wampy.errors"
local fields = require "wampy.fields"
local loader = require "wampy.loader"
local routers = require "wampy.routers"
local tasks = require "wampy.tasks"
local wampy = require "wampy"

local runner = {}

local function say(what, ...)
  io.stdout:write(("%-12s "):format(what), table.concat({ ... }, "  "), "\n")
  io.stdout:flush()
end

--- The exit code that an error stands for.
-- @param e what was raised while a client started or ran
function runner.exit_code(e)
  if type(e) == "table" and e.exit then return e.exit end
  if not errors.is_error(e) then return 3 end
  if e:is(errors.RemoteError) then return 6 end
  if e:is(errors.AuthenticationError) then return 5 end
  if e.after_join then return 8 end
  if e.uri and not e:is(errors.WampProtocolError) then return 5 end
  if e:is(errors.TimeoutError) then return 7 end
  if e:is(errors.ConnectionError) or e:is(errors.WebsocketProtocolError)
    or e:is(errors.IncompleteFrameError) or e:is(errors.WampProtocolError) then
    return 4
  end
  return 3
end

local function complain(e)
  local text = type(e) == "table" and (e.message or tostring(e)) or tostring(e)
  if errors.is_error(e) then
    text = (e.where and not e.transport and not e.uri) and e.where .. ": " .. e.message or e.message
    if e:is(errors.RemoteError) then text = tostring(e):gsub("^RemoteError: ", "") end
  end
  core.log("error", text)
  local own = errors.is_error(e) -- the place is named; others get their traceback
  if type(e) == "table" and not own and e.traceback and core.log_level() ~= "error" then
    io.stderr:write((e.traceback:gsub("^\n", "")), "\n")
  end
  return runner.exit_code(e)
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
    local realm = given_realm or os.getenv("WAMPY_REALM") or "realm1"
    router = routers.Embedded {
      listen = listen, realm = not read and realm or nil, config_path = options.config,
      tls = options.router_tls,
    }:start()
    for _, url in ipairs(router.urls) do
      say("router", url, read and read.realms[1].name or realm)
    end
    if not forced.url then forced.router = router end
  end
  fields.forced = forced
  credentials.force(options.auth)
  fields.fallback = { reconnect = options.retries and { tries = options.retries } or true }
  if options.retries == 0 then fields.fallback.reconnect = false end
  return router
end

local function start(client, options)
  backoff.retry(function() client:start() end, { tries = options.retries }, client.name)
  for _, entry in ipairs(client._roles) do
    for _, uri in ipairs(entry.kind ~= "timer" and entry.uris or {}) do
      options.say(entry.kind == "callee" and "registered" or "subscribed", ("%-20s"):format(uri),
        entry.where)
    end
  end
end

-- Cancels the tasks that still wait, and gives their <close> variables the grace time.
local function wind_down(options)
  local limit = core.now() + (options.grace or 5)
  core.turn(0) -- what was spawned and never ran yet can be cancelled only when it waits
  core.cancel_all()
  while core.tasks() > 0 and core.now() < limit and core.signals() < 2 do core.turn(0.05) end
end

-- ---- as one of several workers ----------------------------------------------------------------

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

-- Ends without losing anything, when the supervisor asks for it. Calls come first, because their
-- handlers may wait for events.
local function leave_in_peace(options)
  core.readable(options.worker.control)
  local limit = core.now() + (options.grace or 5)
  finish(bindings.unregister_all, function(c) return c:serving() end, limit)
  finish(bindings.unsubscribe_all, function(c) return (select(2, c:serving())) end, limit)
  tasks.stop()
end

-- All workers run the same: what the first one prints in its first life stands for all.
local function be_worker(options)
  local worker = options.worker
  local first = worker.number == 1 and worker.lives == 0
  math.randomseed(math.random(0), worker.number) -- forks would draw the same numbers
  if not first then options.say = function() end end
  options.quiet = not first or worker.url ~= nil -- the parent has read the router's configuration
  options.ready = worker.ready
  tasks.spawn(leave_in_peace, options)
end

-- ---- running ----------------------------------------------------------------------------------

local function ready()
  print("ready.")
  io.stdout:flush()
end

local function run(options)
  local apps = {}
  local router = set_up(options)
  for _, app in ipairs(options.apps) do
    for _, one in ipairs(loader.load(app)) do apps[#apps + 1] = one end
  end
  for _, app in ipairs(apps) do
    start(rawget(app, "is_class") and app() or app, options)
  end
  if options.once then return 0, router end
  if next(tasks.started) then options.ready() end
  return tasks.run(), router
end

--- Runs apps until they end.
-- @param options { apps, forced = fields of every client, router = LISTEN or "default", config,
-- retries, grace (seconds), once, auth = { authid, authmethod, secret_file, ticket_file, key },
-- router_tls, args, worker = { number, lives, control = descriptor that is
-- readable when it is to leave in peace, ready = function } }
-- @return exit code
function runner.run(options)
  wampy.args = options.args or {}
  _G.arg = wampy.args
  options.say, options.ready, options.quiet = say, ready, options.router ~= nil
  if options.worker then be_worker(options) end
  core.watch_signals(true)
  local ok, code, router = xpcall(run, function(e)
    if errors.is_error(e) or type(e) == "table" and e.exit then return e end
    return { exit = 3, message = tostring(e), traceback = debug.traceback("", 2) }
  end, options)
  if not ok then
    local e = code
    if errors.is_error(e, errors.Canceled) and core.signals() > 0 then
      code = 0
    else
      code = complain(e)
    end
  end
  core.clear_signals()
  tasks.stop_all()
  wind_down(options)
  if router then router:stop() end
  return code
end

return runner
