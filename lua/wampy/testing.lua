-- testing.lua - wampy.testing: routers, clients, networks and waits for the specs of apps
-- (lua-api: testing; docs/guide has a chapter).
--
-- Made for busted, which closes what a test has opened and fails a test that leaves something
-- behind (testing_busted.lua). Elsewhere `stop_all` closes it.

local core = require "wampy.core"
local Client = require "wampy.client"
local MessageHandler = require "wampy.message_handler"
local border = require "wampy.testing_busted"
local errors = require "wampy.errors"
local network = require "wampy.testing_network"
local process = require "wampy.process"
local router = require "wampy.testing_router"
local scope = require "wampy.testing_scope"
local spies = require "wampy.testing_spies"
local wait = require "wampy.testing_wait"

local testing = {
  wait_for_session = wait.wait_for_session, wait_for_registrations = wait.wait_for_registrations,
  wait_for_subscriptions = wait.wait_for_subscriptions, wait_for_messages = wait.wait_for_messages,
  assert_stops_raising = wait.assert_stops_raising, expect_event = wait.expect_event,
  router = router.new, network = network.new, fail = network.fail, hang = network.hang,
}

local function bad(fmt, ...)
  errors.raise("WampyError", fmt:format(...))
end

-- ---- clients and apps ---------------------------------------------------------------------------

local function fields_of(what, t)
  if type(t) ~= "table" or not (t.router or t.url) then
    bad("testing.%s: expected { router = ... }", what)
  end
  return t
end

--- A started client, stopped when the test is over.
-- @param t fields of wampy.Client, of which `router` (a router or a network) is needed
-- @return the started client
function testing.client(t)
  return network.join(Client, nil, t and t.router and t.router.realm, fields_of("client", t))
end

--- Starts an app; it is stopped when the test is over.
-- @param app class made by wampy.Client:extend
-- @param t fields of wampy.Client, of which `router` (a router or a network) is needed
-- @return the started client
function testing.start(app, t)
  return network.join(app, nil, t and t.router and t.router.realm, fields_of("start", t))
end

--- Closes everything that was opened here: clients, then networks and routers. In a test of busted,
-- what the test has opened; as after_each it is welcome, but not needed.
function testing.stop_all()
  local wrong = scope.close(scope.pick())
  if not border.present then router.close() end
  if wrong[1] then error(table.concat(wrong, "; "), 2) end
end

-- ---- one handler --------------------------------------------------------------------------------

-- Calls fn(app, peer) with an app that is joined and a peer of it, and closes what it opened.
local function with_app(what, app, fn)
  if type(app) ~= "table" or not app.extend then
    bad("testing.%s: expected a class or a started client, got %s", what, type(app))
  end
  if app._core then
    if not app.connected then bad("testing.%s: the client %s is not started", what, app.name) end
    local peer <close> = Client { url = app.url, router = app.config.router, realm = app.realm,
      name = "testing." .. what }:start()
    return fn(app, peer)
  end
  local net <close> = network.new {}
  local started <close> = net:start(app)
  local peer <close> = net:client { name = "testing." .. what }
  return fn(started, peer)
end

--- Calls a procedure of an app without any router of one's own: arguments are bound, results and
-- errors come back exactly as over the wire.
-- @param app class, or a started client
-- @param uri procedure
-- @param ... arguments, kwargs{}, options{}
-- @return its results; raises RemoteError
function testing.invoke(app, uri, ...)
  local args = table.pack(...)
  return with_app("invoke", app, function(_, peer)
    return peer:call(uri, table.unpack(args, 1, args.n))
  end)
end

local function topics_of(app)
  local list = {}
  for _, s in pairs(app.subscription_map) do list[#list + 1] = s.topic end
  table.sort(list)
  return list[1] and "it subscribes to " .. table.concat(list, ", ") or "it subscribes to nothing"
end

--- Publishes an event to an app without any router of one's own, and waits until its handlers have
-- run to their end.
-- @param app class, or a started client
-- @param topic
-- @param ... arguments, kwargs{}, options{}
-- @return the app's client, to be looked at; raises what a handler raised
function testing.event(app, topic, ...)
  local args = table.pack(...)
  return with_app("event", app, function(client, peer)
    local n = wait.handlers_of(client, topic)
    if n == 0 then
      bad("testing.event: %s has no handler for %s: %s", client.name, topic, topics_of(client))
    end
    local e <close> = wait.expect_event(client, topic, n)
    peer:publish(topic, table.unpack(args, 1, args.n))
    e:wait()
    if e.errors[1] then error(e.errors[1], 0) end
    return client
  end)
end

-- ---- raw messages -------------------------------------------------------------------------------

-- A transport to a router, for messages by hand.
-- @object wampy.testing.Peer
local Peer = { __name = "wampy.testing.Peer" }
Peer.__index = Peer

--- A transport to a router that speaks WAMP by hand, in JSON: it joins nothing by itself.
-- @param at a router, a network, or a URL
-- @return Peer, closed when the test is over
function testing.peer(at)
  local target = at
  if type(at) == "table" then target = at.server and at:server() or at.url end
  if target == nil then bad("testing.peer: expected a router, a network or a URL") end
  return scope.add(setmetatable({ _peer = core.peer(target) }, Peer), Peer.close)
end

--- Sends a message.
-- @param message list, such as { 1, "realm1", { roles = ... } }; or a string, as it is
function Peer:send(message)
  self._peer:send(type(message) == "string" and message or core.json_encode(message))
end

--- Receives a message.
-- @param timeout seconds, default 5
-- @return list; nil and "timeout", or how the transport was closed
function Peer:recv(timeout)
  local text, why = self._peer:recv(timeout or wait.PATIENCE)
  if not text then return nil, why end
  return core.json_decode(text)
end

--- Closes the transport without a GOODBYE. Harmless twice.
function Peer:close()
  self._peer:close()
end

Peer.__close = Peer.close
Peer.__tostring = function() return "peer" end

-- ---- messages of a client -----------------------------------------------------------------------

-- Keeps every message that its client receives in `messages`, in order, and handles it.
-- @object wampy.testing.CollectingMessageHandler : wampy.MessageHandler
-- @tfield wampy.messages.Message[] messages
testing.CollectingMessageHandler = MessageHandler:extend("CollectingMessageHandler")
testing.CollectingMessageHandler.collects = true

--- Begins with no messages.
function testing.CollectingMessageHandler:init()
  self.messages = {}
end

--- Keeps the message and hands it on.
function testing.CollectingMessageHandler:handle_message(message)
  self.messages[#self.messages + 1] = message
  self["handle_" .. message.name](self, message)
end

-- ---- the program --------------------------------------------------------------------------------

local function is_file(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file and path
end

-- $WAMPY_LUA; the running executable; the one beside wampy/core.so in a build; or that of PATH.
local function program()
  local own = core.real_path("/proc/self/exe")
  local module = package.searchpath("wampy.core", package.cpath)
  return os.getenv("WAMPY_LUA") or own and own:match(".*/wampy%-lua$")
    or module and is_file((module:gsub("wampy/core%.so$", "wampy-lua"))) or "wampy-lua"
end

--- Runs a command to its end; "wampy-lua" is the program that runs the test, or $WAMPY_LUA.
-- @param t { "wampy-lua", "call", ... } and the fields of wampy.exec
-- @return exit code, stdout, stderr
function testing.run(t)
  if type(t) ~= "table" then bad("testing.run: expected { \"command\", ... }, got %s", type(t)) end
  local command = {}
  for name, value in pairs(t) do command[name] = value end
  if command[1] == "wampy-lua" then command[1] = program() end
  return process.exec(command)
end

-- ---- under busted -------------------------------------------------------------------------------

if border.present then
  border.attach(router.close)
  spies.register(network.books)
end

return testing
