-- reload.lua - new code for running apps: their files are loaded on trial, and their classes get
-- the clients that are there (exchange.lua). Asked for by a saved file or by HUP.
--
-- What cannot be exchanged so - a file that makes its own clients, other classes, other defaults -
-- is a restart, which is the runner's business. What does not load changes nothing.

local codes = require "wampy.codes"
local core = require "wampy.core"
local errors = require "wampy.errors"
local exchange = require "wampy.exchange"
local loader = require "wampy.loader"
local saying = require "wampy.saying"
local service = require "wampy.service"
local sources = require "wampy.sources"
local tasks = require "wampy.tasks"
local trial = require "wampy.trial"
local watching = require "wampy.watching"

local Reload = { __name = "wampy.reload" }
Reload.__index = Reload

--- Notes what runs: from now on it can be exchanged.
-- @param loaded list of what loader.load gave for each app
-- @param clients list of the clients, in that order
function Reload:running(loaded, clients)
  self.loaded, self.clients = loaded, clients
end

-- ---- on trial -----------------------------------------------------------------------------------

local function load_all(apps)
  local loaded = {}
  for i, app in ipairs(apps) do loaded[i] = loader.load(app) end
  return loaded
end

local function equal(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for k, v in pairs(a) do if not equal(v, b[k]) then return false end end
  for k in pairs(b) do if a[k] == nil then return false end end
  return true
end

-- What keeps the classes of one app from following the former ones; nil when nothing does.
local function obstacle(before, after)
  for i = 1, math.max(#before, #after) do
    local old, new = before[i], after[i]
    if not old or not new or old.__name ~= new.__name then return "has other classes" end
    if not equal(old.defaults, new.defaults) then return "has other defaults" end
  end
end

-- The plans of all clients; or nil and what makes a restart necessary. Raises what is wrong with
-- the files. One that returns nothing any more is most likely half written.
local function prepare(self)
  local loaded, plans = load_all(self.apps), {}
  for i, app in ipairs(self.apps) do
    if not loaded[i][1] and self.loaded[i][1] then
      error({ code = "W304", message = app .. " returns no class any more" }, 0)
    end
    local why = obstacle(self.loaded[i], loaded[i])
    if why then return { restart = why } end
  end
  for _, list in ipairs(loaded) do
    for _, class in ipairs(list) do
      plans[#plans + 1] = exchange.prepare(self.clients[#plans + 1], class)
    end
  end
  return { plans = plans, loaded = loaded }
end

-- Loads everything anew and exchanges it, or leaves all as it was.
-- @return plans; or nil and the error; or nil, nil and why it has to be a restart
local function exchange_all(self)
  local before = self.sources:unload()
  local result, e, refused = trial.run(prepare, self)
  if not result or result.restart then
    self.sources:restore(before)
    return nil, not refused and e or nil, refused or result and result.restart
  end
  for _, plan in ipairs(result.plans) do exchange.apply(plan) end
  self.loaded = result.loaded
  return result.plans
end

-- ---- what is said -------------------------------------------------------------------------------

local function describe(e)
  if errors.is_error(e) then return e.message end
  return type(e) == "table" and e.message or tostring(e)
end

local function complain(e)
  codes.log(describe(e) .. "; the former code goes on", e)
  if type(e) == "table" and not errors.is_error(e) and e.traceback then
    io.stderr:write((errors.app_frames(e.traceback):gsub("^\n", "")), "\n")
  end
end

local words = {
  callee = { new = "registered", gone = "unregistered" },
  subscriber = { new = "subscribed", gone = "unsubscribed" },
}

local function tell(plan, failures)
  local failed = {}
  for _, each in ipairs(failures) do
    failed[each.place] = true
    codes.log(("%s: %s"):format(each.place.entry.uris[each.place.i], describe(each.error)),
      each.error)
  end
  for _, which in ipairs { "gone", "new" } do
    for _, place in ipairs(plan[which]) do
      if not failed[place] then
        saying.say(words[place.entry.kind][which], ("%-20s"):format(place.entry.uris[place.i]),
          place.entry.where)
      end
    end
  end
end

-- A registration that a hook made stays with the function that it was given.
local function warn_of_held(client)
  local n = #client._held
  if n > 0 then
    codes.warn(("%s: %d registration%s made by register or subscribe keep%s the former code")
      :format(client.name, n, n == 1 and "" or "s", n == 1 and "s" or ""), "W915")
  end
end

-- ---- one reload ---------------------------------------------------------------------------------

-- With the gates of all clients: none of them comes up meanwhile.
local function with_gates(clients, i, fn)
  if not clients[i] then return fn() end
  local _ <close> = clients[i]._gate:lock()
  return with_gates(clients, i + 1, fn)
end

local function once(self)
  local plans, e, restart = exchange_all(self)
  if self.watching then self.watching.curious = not plans end
  if restart then return restart end
  if not plans then return complain(e) end
  for _, plan in ipairs(plans) do tell(plan, exchange.settle(plan)) end
  for _, client in ipairs(self.clients) do warn_of_held(client) end
  saying.say("reloaded", table.concat(self.apps, " "))
end

--- Exchanges the code of all apps, or says why not.
-- @return what makes a restart necessary; nil when none is
function Reload:now()
  if not self.loaded then return "is in its main chunk" end
  if #self.clients == 0 then return "makes its own clients" end
  return with_gates(self.clients, 1, function() return once(self) end)
end

-- ---- being asked --------------------------------------------------------------------------------

local function serve(self, restart)
  while true do
    self.asked:wait()
    self.asked:clear()
    service.reloading()
    local why = self:now()
    if why then return restart(why) end
    service.ready()
  end
end

local function watch(self)
  while true do
    self.watching:wait(function() return self.sources:files() end)
    self.asked:set()
  end
end

--- Starts to listen for HUP, and for saved files where they are watched.
-- @param restart function(why), called at most once
function Reload:listen(restart)
  core.on_signal("HUP", function() self.asked:set() end)
  tasks.spawn(serve, self, restart)
  if self.watching then tasks.spawn(watch, self) end
end

--- Prepares for reloads of these apps, before they are loaded.
-- @param options { apps = list of APP arguments, watch = whether saved files ask for it }
-- @return reload; raises as loader.path does
local function new(options)
  local paths = {}
  for i, app in ipairs(options.apps) do paths[i] = loader.path(app) end
  local self = setmetatable({ apps = options.apps, asked = tasks.event(),
    sources = sources.new(paths), clients = {} }, Reload)
  if options.watch then
    self.watching = watching.new()
    self.watching:watch(paths)
  end
  return self
end

return { new = new }
