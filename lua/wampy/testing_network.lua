-- testing_network.lua - a network in memory for one test: a router without a socket, peers that are
-- made up, a clock that can be put forward, and links that can fail.
--
-- It is set up in far less than a millisecond and deterministic: nothing is under way any more when
-- the main chunk goes on. What goes through it can be looked at (testing_spies.lua).

local core = require "wampy.core"
local Client = require "wampy.client"
local errors = require "wampy.errors"
local routers = require "wampy.routers"
local scope = require "wampy.testing_scope"
local spies = require "wampy.testing_spies"
local tasks = require "wampy.tasks"

local network = {}

local function bad(fmt, ...)
  errors.raise("WampyError", fmt:format(...))
end

-- ---- time -------------------------------------------------------------------------------------

-- The clock of a test.
-- @object wampy.testing.Clock
local Clock = { __name = "wampy.testing.Clock" }
Clock.__index = Clock

--- Puts the clock of this process forward: timers, timeouts, pauses and pings that fall due on the
-- way run at their own time and in their order, with all that follows from it in memory.
-- @param seconds >= 0
function Clock.advance(_, seconds)
  if type(seconds) ~= "number" or not (seconds >= 0 and seconds <= 1e9) then
    bad("clock:advance: expected seconds >= 0, got %s", tostring(seconds))
  end
  core.test.advance(seconds)
end

--- What wampy.now() gives.
-- @return number of seconds
function Clock.now() return core.now() end

-- ---- faults -----------------------------------------------------------------------------------

-- The link of a client to a network.
-- @object wampy.testing.Link
local Link = { __name = "wampy.testing.Link" }
Link.__index = Link

local function disturb(link, fault, value)
  if not core.test.link(link.client._core, fault, value) then
    bad("link: %s has no link in memory (%s)", link.client.name,
      link.client.connected and "it is joined by a socket" or "it is not connected")
  end
end

--- Nothing gets through any more, either way, and nobody is told: pings find it.
function Link:pause() disturb(self, "pause") end

--- What was held up gets through.
function Link:resume() disturb(self, "resume") end

--- Breaks it: both ends lose the connection.
function Link:drop() disturb(self, "drop") end

--- From now on everything takes this long.
-- @param seconds each way; 0 ends it
function Link:delay(seconds)
  if type(seconds) ~= "number" or seconds ~= seconds or seconds < 0 then
    bad("link:delay: expected seconds >= 0, got %s", tostring(seconds))
  end
  disturb(self, "delay", seconds)
end

--- Breaks it when the client has received so many more bytes: inside a message, as a rule.
-- @param bytes of messages, >= 0
function Link:cut_after(bytes)
  if math.type(bytes) ~= "integer" or bytes < 0 then
    bad("link:cut_after: expected a number of bytes >= 0, got %s", tostring(bytes))
  end
  disturb(self, "cut_after", bytes)
end

-- ---- made-up callees --------------------------------------------------------------------------

local Fail = { __name = "wampy.testing.fail" }
local Hang = { __name = "wampy.testing.hang" }

--- For net:callee: every call is answered with this error.
-- @param uri "com.app.error.no_such_user"
-- @param ... arguments, and a kwargs{} at the end
-- @return a value for net:callee
function network.fail(uri, ...)
  errors.error(uri, ...) -- raises now if the URI is bad
  return setmetatable({ uri = uri, args = table.pack(...) }, Fail)
end

--- For net:callee: calls are never answered; one that is canceled ends.
-- @return a value for net:callee
function network.hang()
  return setmetatable({}, Hang)
end

local function behaviour(net, what)
  local mt = getmetatable(what)
  if mt == Fail then
    return function(...) -- luacheck: ignore 212
      error(errors.error(what.uri, table.unpack(what.args, 1, what.args.n)))
    end
  elseif mt == Hang then
    return function(...) net._over:wait() end -- luacheck: ignore 212
  elseif type(what) == "function" then
    return what
  end
  return function(...) return what end -- luacheck: ignore 212
end

-- ---- the network ------------------------------------------------------------------------------

-- A router in memory, with made-up callees, spies and faults.
-- @object wampy.testing.Network
-- @tfield wampy.routers.Embedded router
-- @tfield wampy.testing.Clock clock
-- @tfield table<string,table[]> calls what procedures got, by URI
-- @tfield table<string,table[]> published by topic
local Network = { __name = "wampy.testing.Network" }
Network.__index = Network

local open = {} -- networks, in the order in which they were opened

--- The books of the networks that are open.
function network.books()
  local list = {}
  for i, net in ipairs(open) do list[i] = net._book end
  return list
end

-- Who makes up callees where not everybody may join.
local maker = { authid = "net:callee", ticket = "net:callee" }

-- Lets the maker of callees in, besides those whom `auth` names.
local function with_maker(auth)
  local all = { ticket = { type = "static", principals = {} } }
  for method, section in pairs(auth) do
    if method ~= "ticket" then all[method] = section end
  end
  local given = type(auth.ticket) == "table" and auth.ticket or {}
  for name, value in pairs(given) do
    if name ~= "principals" then all.ticket[name] = value end
  end
  for name, principal in pairs(given.principals or {}) do
    all.ticket.principals[name] = principal
  end
  all.ticket.principals[maker.authid] = { ticket = maker.ticket, role = maker.authid }
  return all
end

--- Makes a network.
-- @param t { realm = "realm1", auth = who may join and how, as wampy.routers.Embedded takes it,
-- and its other fields }
-- @return Network with `router`, `clock`, `calls`, `published`
function network.new(t)
  local fields = { listen = false }
  for name, value in pairs(t or {}) do fields[name] = value end
  if type(fields.auth) == "table" then fields.auth = with_maker(fields.auth) end
  local router = routers.Embedded(fields):start()
  local self = setmetatable({ router = router, realm = router.config.realms[1].name,
    clock = setmetatable({}, Clock), _auth = fields.auth and maker,
    _book = spies.open(router:server()), _callees = {}, _over = tasks.event() }, Network)
  self.calls, self.published = self._book.calls, self._book.published
  open[#open + 1] = self
  return scope.add(self, Network.close)
end

--- A started client on this network.
-- @param t fields of wampy.Client
-- @return the started client
function Network:client(t)
  return network.join(Client, self, self.realm, t)
end

--- Starts an app on this network.
-- @param app class
-- @param t fields of wampy.Client
-- @return the started client
function Network:start(app, t)
  return network.join(app, self, self.realm, t)
end

--- Makes up a procedure: what it gets is in `calls`.
-- @param uri procedure; one that was made up before is replaced
-- @param what the value to be returned, a function, testing.fail(...) or testing.hang()
-- @param options of the registration, or nil
-- @return Registration
function Network:callee(uri, what, options)
  local former = self._callees[uri]
  if former then former:unregister() end
  self._maker = self._maker or self:client { name = "net:callee", auth = self._auth }
  self._callees[uri] = self._maker:register(uri, behaviour(self, what), options)
  return self._callees[uri]
end

--- The link of a client.
-- @param client that has joined this network
-- @return Link: `:pause()`, `:resume()`, `:drop()`, `:delay(seconds)`, `:cut_after(bytes)`
function Network.link(_, client)
  if type(client) ~= "table" or not client._core then
    bad("net:link: expected a client, got %s", type(client))
  end
  return setmetatable({ client = client }, Link)
end

--- Takes the router away: its clients lose their links, and nobody can join until `net:up()`.
function Network:down()
  self._down = true
  for client in pairs(tasks.started) do
    if client.config.router == self then core.test.link(client._core, "drop") end
  end
end

--- The router is back: it can be joined again.
function Network:up()
  self._down = false
end

--- So that a network can stand for a router: `testing.client { router = net }`.
function Network:server()
  if self._down then errors.raise("ConnectionError", "the network is down") end
  return self.router:server()
end

--- Closes it; the kit does so when the test is over. Harmless twice.
function Network:close()
  for i, net in ipairs(open) do
    if net == self then table.remove(open, i) break end
  end
  if self._book.closed then return end
  spies.close(self._book)
  self._over:set()
  if self._maker then scope.stop_client(self._maker) end
  self.router:stop()
end

Network.stop = Network.close
Network.__close = Network.close

Network.__tostring = function(self) return "network " .. self.realm end

-- ---- joining ----------------------------------------------------------------------------------

--- Makes and starts a client of a router, under the scope of this moment.
-- @param class Client, or an app
-- @param router a router, or a network
-- @param realm of the client unless `t` has one
-- @param t fields of wampy.Client
function network.join(class, router, realm, t)
  if type(class) ~= "table" or class ~= Client and not rawget(class, "is_class") then
    bad("start: expected a class made by wampy.Client:extend, got %s", type(class))
  end
  local fields = {}
  for name, value in pairs(t or {}) do fields[name] = value end
  fields.router = fields.router or not fields.url and router or nil
  fields.realm = fields.realm or realm
  return scope.client(class(fields))
end

return network
