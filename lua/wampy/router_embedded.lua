-- router_embedded.lua - wampy.routers.Embedded: a router inside this host, with the same verbs as
-- the others. Clients of the same host are joined to it in memory.

local codes = require "wampy.codes"
local config = require "wampy.config"
local config_doors = require "wampy.config_doors"
local core = require "wampy.core"
local decisions = require "wampy.decisions"
local errors = require "wampy.errors"
local nearest = require "wampy.nearest"
local router = require "wampy.router"
local tasks = require "wampy.tasks"
local trial = require "wampy.trial"
local tls = require "wampy.tls"

local embedded = {}

-- A router inside this host.
-- @object wampy.routers.Embedded
-- @tfield string? url of its first listener, when it is started
-- @tfield integer? port of its first listener
local Embedded = router.class("wampy.routers.Embedded")
embedded.Embedded = Embedded

--- A router inside this host.
-- @param t { realm = "realm1" or a list of names, listen = "127.0.0.1:0" (a LISTEN, a list of
-- them, or false: in memory only), config_path = or config = a Crossbar.io configuration,
-- strict_ids, strict_uris, compress = true for WebSocket clients that offer compression,
-- tls = { cert, key, ca_path } for LISTENs that are wss://, auth = who may
-- join, as Crossbar.io has it: { ticket = { principals = { joe = { ticket = "...", role = "user" }
-- } } }, roles = list of the names of roles, or of roles of Crossbar.io's form, authenticator =
-- function(realm, authid, details) -> { role = ..., secret = ... } or the URI of a procedure,
-- authorizer = function(session, uri, action, options) -> boolean or a URI }
-- @return Embedded, not started
function Embedded.new(t)
  local known = { realm = 1, listen = 1, config_path = 1, config = 1, strict_ids = 1,
    strict_uris = 1, compress = 1, auth = 1, tls = 1, roles = 1, authenticator = 1, authorizer = 1 }
  for name in pairs(t) do
    if not known[name] then
      errors.raise("WampyError", ("Embedded: unknown field %q%s"):format(tostring(name),
        nearest.hint(name, known)))
    end
  end
  local self = setmetatable({ listen = t.listen, urls = {} }, Embedded)
  local read = t.config_path and config.load(t.config_path)
    or t.config and config.read(t.config, "config", function(line) codes.warn(line, "W356") end)
  self.config = { strict_ids = t.strict_ids, strict_uris = t.strict_uris,
    realms = read and read.realms or {}, principals = read and read.principals,
    doors = read and read.doors }
  self.compress = t.compress
  self.tls = t.tls and tls.server(t.tls, "Embedded: tls") or nil
  self._transports = read and read.transports or { { listen = "127.0.0.1:0" } }
  if not read then
    for i, name in ipairs(type(t.realm) == "table" and t.realm or { t.realm or "realm1" }) do
      if not core.uri_ok(name) then
        errors.raise("WampyError", ("Embedded: invalid realm %q"):format(name))
      end
      self.config.realms[i] = { name = name, roles = {} }
    end
  end
  self._decide = decisions.settle(self.config, t)
  if not self.config.doors then config_doors.join(self._transports) end
  return self
end

--- Where it listens, and how, as core.router's listen takes it: what was asked for, else the
-- transports of its configuration.
-- @return list, of which there is one
function Embedded:_where()
  if self._list then return self._list end
  local listen, result = self.listen, {}
  local own = self._transports[1].tls
  if listen == nil then listen = self._transports end
  for i, place in ipairs(type(listen) == "table" and listen or { listen or nil }) do
    if type(place) ~= "table" then place = { listen = place, tls = own } end
    for _, part in ipairs(config_doors.parts(place)) do
      part.compress = part.compress or self.compress
    end
    result[i] = setmetatable({ tls = self.tls }, { __index = place })
  end
  self._list = result
  return result
end

local function listen(self)
  self.urls = {}
  for i, place in ipairs(self._router:listen(self:_where())) do
    self.urls[i] = place.url
    if i == 1 then self.url, self.port = place.url, place.port end
  end
end

--- Starts it.
-- @return self, with `url` and `port` of its first listener; raises ConnectionError when it
-- cannot listen
function Embedded:start()
  if self._router then return self end
  trial.forbid("starts a router")
  self._router = core.router(self.config, self._decide)
  tasks.guard()
  local ok, e = pcall(listen, self)
  if not ok then
    self._router:close()
    self._router = nil
    error(e, 0)
  end
  return self
end

--- Becomes what another router would be, while it runs; who is connected stays so, as far as he may
-- (docs/ROUTER.md, HUP).
-- @param other wampy.routers.Embedded, not started; raises ConnectionError, and nothing is changed,
-- when it cannot listen where that would
function Embedded:_become(other)
  local before = self._list
  self._list = other:_where()
  local ok, e = pcall(listen, self)
  if not ok then
    self._list = before
    error(e, 0)
  end
  self.config, self._decide = other.config, other._decide
  self._router:reload(self.config, self._decide)
end

--- For clients in this host: they are joined to it in memory.
function Embedded:server()
  if not self._router then errors.raise("WampyError", "the embedded router is not started") end
  return self._router
end

--- Says GOODBYE to everybody and closes.
-- @param drain seconds that this may take, default 1
function Embedded:stop(drain)
  if not self._router then return end
  self._router:shutdown()
  local limit = core.now() + (drain or 1)
  while not self._router:idle() and core.now() < limit do tasks.sleep(0.005) end
  self._router:close()
  self._router, self.urls = nil, {}
end

--- Writes its sessions into the log.
function Embedded:dump()
  if self._router then self._router:dump() end
end

--- Counters: peers, sessions, subscriptions, registrations, invocations, dropped.
-- @treturn table<string,integer>
function Embedded:stats()
  return self:server():stats()
end

Embedded.__close = function(self) self:stop() end

return embedded
