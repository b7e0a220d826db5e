-- testing_wait.lua - waiting for what a test is about: sessions, registrations, messages, handlers
-- that have run, and functions that stop raising.
--
-- Each wait has a limit, and an error that says what there was when it passed.

local core = require "wampy.core"
local errors = require "wampy.errors"
local tasks = require "wampy.tasks"

local wait = {
  PATIENCE = 5, -- seconds of each wait, as in wampy
}

local STEP = 0.005 -- seconds between two looks

local function check_client(what, client)
  if type(client) ~= "table" or type(client.registration_map) ~= "table" then
    errors.raise("WampyError", ("%s: expected a client, got %s"):format(what, type(client)))
  end
end

local function check_count(what, n)
  if math.type(n) ~= "integer" or n < 0 then
    errors.raise("WampyError", ("%s: expected a number >= 0, got %s"):format(what, tostring(n)))
  end
end

local function wait_until(condition, complaint)
  local limit = core.now() + wait.PATIENCE
  while not condition() do
    if core.now() >= limit then
      errors.raise("TimeoutError", complaint())
    end
    tasks.sleep(STEP)
  end
end

-- ---- clients ----------------------------------------------------------------------------------

--- Waits until a client has joined its realm.
-- @param client a Client
-- @return its Session; raises TimeoutError after 5 s
function wait.wait_for_session(client)
  check_client("wait_for_session", client)
  wait_until(function() return client.session end, function()
    return ("wait_for_session: %s has not joined %s within %g s (%s)"):format(client.name,
      client.realm, wait.PATIENCE, tasks.started[client] and "started" or "not started")
  end)
  return client.session
end

local function values_of(map, field)
  local list = {}
  for _, value in pairs(map) do list[#list + 1] = field and value[field] or value end
  table.sort(list)
  return list
end

local function wait_for_entries(what, client, n, map, field)
  check_client("wait_for_" .. what, client)
  check_count("wait_for_" .. what, n)
  local function list() return values_of(client[map], field) end
  wait_until(function() return #list() >= n end, function()
    local there = list()
    return ("wait_for_%s: %s has %d of %d within %g s%s%s"):format(what, client.name, #there, n,
      wait.PATIENCE, there[1] and ": " or "", table.concat(there, ", "))
  end)
end

--- Waits until a client has so many registrations, or more.
-- @param client a Client
-- @param n how many
function wait.wait_for_registrations(client, n)
  wait_for_entries("registrations", client, n, "registration_map")
end

--- Waits until a client has so many subscriptions, or more.
-- @param client a Client
-- @param n how many
function wait.wait_for_subscriptions(client, n)
  wait_for_entries("subscriptions", client, n, "subscription_map", "topic")
end

--- Waits until a client with a CollectingMessageHandler has received so many messages, or more.
-- @param client a Client
-- @param n how many
-- @return the list of them
function wait.wait_for_messages(client, n)
  check_client("wait_for_messages", client)
  check_count("wait_for_messages", n)
  local handler = client.config.message_handler
  if not handler or not handler.collects then
    errors.raise("WampyError", ("wait_for_messages: %s has no CollectingMessageHandler"):format(
      client.name))
  end
  wait_until(function() return #handler.messages >= n end, function()
    local names = {}
    for i, message in ipairs(handler.messages) do names[i] = message.name end
    return ("wait_for_messages: %s has received %d of %d within %g s%s%s"):format(client.name,
      #names, n, wait.PATIENCE, names[1] and ": " or "", table.concat(names, ", "))
  end)
  return handler.messages
end

-- ---- functions --------------------------------------------------------------------------------

local function expected(e, exception)
  if exception == nil then return true end
  if type(exception) == "string" then return tostring(e):find(exception) ~= nil end
  return errors.is_error(e, exception)
end

--- Calls a function again and again until it raises no more.
-- @param fn function without arguments
-- @param options { exception = error class, or pattern of the message, that may be raised (default
-- any), timeout = 5, interval = 0.1 (seconds) }
-- @return what fn returns; raises what fn raised last when the time is over, and at once what is
-- not `exception`
function wait.assert_stops_raising(fn, options)
  local o = options or {}
  local limit = core.now() + (o.timeout or wait.PATIENCE)
  while true do
    local r = table.pack(pcall(fn))
    if r[1] then return table.unpack(r, 2, r.n) end
    if not expected(r[2], o.exception) or core.now() >= limit then error(r[2], 0) end
    tasks.sleep(o.interval or 0.1)
  end
end

-- ---- handlers ---------------------------------------------------------------------------------

local watchers = {} -- set of Expectation

local function is_app(client, app)
  local class = client
  while class do
    if class == app then return true end
    class = class == client and getmetatable(client) or rawget(class, "super")
  end
  return false
end

local function handled(client, kind, uri, topic, ok, e)
  for watcher in pairs(watchers) do
    if kind == "event" and is_app(client, watcher.app)
      and (uri == watcher.topic or topic == watcher.topic) then
      watcher.count = watcher.count + 1
      if not ok then watcher.errors[#watcher.errors + 1] = e end
      if watcher.count >= watcher.wanted then watcher.done:set() end
    end
  end
end

-- How often a handler runs, from a moment on.
-- @object wampy.testing.Expectation
-- @tfield integer count
-- @tfield any[] errors what the handler raised
local Expectation = { __name = "wampy.testing.Expectation" }
Expectation.__index = Expectation

--- Waits until the handler has run to its end as often as expected.
-- @param timeout seconds, default 5
-- @return how often it has; raises TimeoutError
function Expectation:wait(timeout)
  timeout = timeout or wait.PATIENCE
  if not self.done:wait(timeout) then
    local text = "expect_event: the handler of %s of %s has run %d of %d times within %g s"
    errors.raise("TimeoutError", text:format(self.topic, self.app.name or self.app.__name,
      self.count, self.wanted, timeout))
  end
  return self.count
end

--- Counts no more.
function Expectation:close()
  watchers[self] = nil
  if not next(watchers) then core.observe(nil) end
end

Expectation.__close = Expectation.close

--- Counts how often an app's handler of a topic runs to its end, from now on.
-- @param app a class, or a client
-- @param topic as subscribed, or as published
-- @param n how often it is expected, default 1
-- @return Expectation with `count`, `errors` (what the handler raised) and `:wait([timeout])`; also
-- `<close>`
function wait.expect_event(app, topic, n)
  if type(app) ~= "table" or type(topic) ~= "string" then
    errors.raise("WampyError", "expect_event: expected a class or client, and a topic")
  end
  local self = setmetatable({ app = app, topic = topic, wanted = n or 1, count = 0, errors = {},
    done = tasks.event() }, Expectation)
  watchers[self] = true
  core.observe(handled)
  return self
end

local function matches(topic, subscribed, how)
  if how == "prefix" then return topic:sub(1, #subscribed) == subscribed end
  if how ~= "wildcard" then return topic == subscribed end
  local pattern = {} -- component by component; an empty one stands for any
  for component in (subscribed .. "."):gmatch("([^.]*)%.") do
    pattern[#pattern + 1] = component == "" and "[^.]+" or component:gsub("%p", "%%%0")
  end
  return topic:find("^" .. table.concat(pattern, "%.") .. "$") ~= nil
end

--- How many handlers of a started client an event on a topic runs.
function wait.handlers_of(client, topic)
  local n = 0
  local function count(bound)
    if bound.kind ~= "subscriber" then return end
    for _, uri in ipairs(bound.uris) do
      if matches(topic, uri, bound.options.match) then n = n + 1 end
    end
  end
  for _, entry in ipairs(client._roles or {}) do count(entry) end
  for _, held in ipairs(client._held) do count(held) end
  return n
end

return wait
