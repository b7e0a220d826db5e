-- bindings.lua - what a client has registered and subscribed: the handlers of its class's roles,
-- and live registrations and subscriptions, which a new session restores.

local codecs = require "wampy.codecs"
local core = require "wampy.core"
local errors = require "wampy.errors"
local signature = require "wampy.signature"

local bindings = {}

local function bad(fmt, ...)
  errors.raise("WampyError", fmt:format(...))
end

-- Checks that a function's first parameter fits how it will be called.
local function check_self(sig, method, uri)
  local first = sig.params and sig.params[1]
  if sig.stated or not first then return end
  if method and first ~= "self" and first ~= "_" then
    bad("%s: the handler of %q is called as a method: its first parameter must be self, not %s",
      sig.where, uri, first)
  elseif not method and first == "self" then
    bad("%s: a function given to register or subscribe is not called as a method (%q)", sig.where,
      uri)
  end
end

-- The core's handler object for a function.
local function handler(self, kind, uri, fn, options, method)
  local buffer = options.buffer
  if buffer ~= nil and (math.type(buffer) ~= "integer" or buffer < 1) then
    bad("%s: option buffer must be an integer >= 1, got %s", uri, tostring(buffer))
  end
  local sig = signature.of(fn, options.params)
  check_self(sig, method, uri)
  local params = sig.params
  if params and method and not sig.stated then params = table.move(params, 2, #params, 1, {}) end
  return core.handler {
    fn = fn, self = method and self or nil, method = method, params = params, stated = sig.stated,
    vararg = sig.vararg, callee = kind == "callee", label = sig.where, uri = uri,
    concurrency = options.concurrency, buffer = options.buffer,
    pattern = options.match ~= nil and options.match ~= "exact", ppt = codecs.keys(options),
  }, sig.where
end

-- Options that are ours and not sent.
local own_options = { params = true, topic = true, interval = true, buffer = true,
  ppt_scheme = true, ppt_serializer = true, ppt_cipher = true, ppt_keyid = true }

--- What of a role's options is sent.
function bindings.sent(options)
  local copy = {}
  for name, value in pairs(options) do
    if not own_options[name] then copy[name] = value end
  end
  return copy
end

--- Makes the handlers of roles of a client, so that a mistake is found before anything is sent.
-- @param self client
-- @param list of roles.collect
function bindings.prepare(self, list)
  for _, entry in ipairs(list) do
    if entry.kind ~= "timer" and not entry.handlers then
      local handlers = {}
      for i, uri in ipairs(entry.uris) do
          handlers[i], entry.where =
            handler(self, entry.kind, uri, entry.fn, entry.options, true)
      end
      entry.handlers, entry.ids = handlers, {}
    end
  end
end

local function add(self, kind, uri, h, options)
  local limit = { timeout = self.config.connect_timeout }
  if kind == "callee" then
    local id = self._core:register(uri, h, bindings.sent(options), limit)
    self.registration_map[id] = uri
    return id
  end
  local id = self._core:subscribe(uri, h, bindings.sent(options), limit)
  local known = self.subscription_map[id] or { topic = uri, handlers = {} }
  known.handlers[#known.handlers + 1] = h
  self.subscription_map[id] = known
  return id
end

--- Registers and subscribes what the class of a client declares.
function bindings.register_roles(self)
  for _, entry in ipairs(self._roles or {}) do
    for i in ipairs(entry.kind ~= "timer" and entry.uris or {}) do bindings.bind(self, entry, i) end
  end
end

--- Registers or subscribes one URI of a role.
-- @param self client
-- @param entry of roles.collect, prepared
-- @param i which of its URIs
function bindings.bind(self, entry, i)
  entry.ids[i] = add(self, entry.kind, entry.uris[i], entry.handlers[i], entry.options)
end

-- A live registration or subscription.
-- @object wampy.Registration
-- @tfield integer id
-- @tfield string|string[] uri
-- @tfield (string|string[])? topic of a subscription
local Held = { __name = "wampy.Registration" }
Held.__index = Held

-- Registers or subscribes (again): at once, and in each new session.
function Held:restore()
  for i, uri in ipairs(self.uris) do
    self.ids[i] = add(self.client, self.kind, uri, self.handlers[i], self.options)
  end
  self.id = self.ids[1]
end

--- Ends one registration or subscription.
-- @param client client
-- @param bound role or live registration: { kind, ids, handlers }
-- @param i which of its URIs
function bindings.unbind(client, bound, i)
  local id, h = bound.ids[i], bound.handlers[i]
  if bound.kind == "callee" then
    client._core:unregister(id)
    client.registration_map[id] = nil
    return
  end
  client._core:unsubscribe(id, h)
  local known = client.subscription_map[id]
  for j, each in ipairs(known and known.handlers or {}) do
    if each == h then table.remove(known.handlers, j) break end
  end
  if known and not known.handlers[1] then client.subscription_map[id] = nil end
end

local function release(held)
  local client = held.client
  if core.wait_mode() == "never" then core.park(0) end -- raises, before anything is given up
  for i, h in ipairs(client._held) do
    if h == held then table.remove(client._held, i) break end
  end
  if not client.connected then return end
  for i in ipairs(held.ids) do bindings.unbind(client, held, i) end
end

--- Ends every registration of a client in this session: no new calls come in, and those that have
-- come are still answered.
function bindings.unregister_all(self)
  for id in pairs(self.registration_map) do self._core:unregister(id) end
  self.registration_map = {}
end

--- Ends every subscription of a client in this session.
function bindings.unsubscribe_all(self)
  for id, known in pairs(self.subscription_map) do
    for _, h in ipairs(known.handlers) do self._core:unsubscribe(id, h) end
  end
  self.subscription_map = {}
end

--- Ends the registration.
function Held:unregister() release(self) end

--- Ends the subscription; other handlers of the topic go on.
function Held:unsubscribe() release(self) end

--- Registers or subscribes a function now, and in each new session.
-- @param self client
-- @param kind "callee" or "subscriber"
-- @param uri URI, or a list of URIs
-- @param fn function(args...)
-- @param options as sent, or nil
-- @return a live registration or subscription
function bindings.hold(self, kind, uri, fn, options)
  if type(fn) ~= "function" then
    bad("%s: expected a function, got %s", kind == "callee" and "register" or "subscribe", type(fn))
  end
  local held = setmetatable({ client = self, kind = kind, options = options or {}, ids = {},
    handlers = {}, uris = type(uri) == "table" and uri or { uri }, uri = uri }, Held)
  for i, u in ipairs(held.uris) do
    held.handlers[i] = handler(self, kind, u, fn, held.options, false)
  end
  held:restore()
  self._held[#self._held + 1] = held
  return held
end

return bindings
