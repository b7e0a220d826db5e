-- client.lua - wampy.Client: classes of apps, their life, and the calls that apps make
-- (lua-api: Client).
--
-- A client object is a Lua table; what talks to the session is the core's client userdata in its
-- field `_core`. Joining again after a lost link is a loop here (Client:_rejoin); what a session
-- is and how messages travel is not known here.

local core = require "wampy.core"
local constants = require "wampy.constants"
local errors = require "wampy.errors"
local proxies = require "wampy.proxies"
local roles = require "wampy.roles"
local signature = require "wampy.signature"
local tasks = require "wampy.tasks"
local values = require "wampy.values"

local Client = { __name = "wampy.Client" }

-- Set by `wampy-lua run`: fields that win over everything (its flags), and defaults that lose to
-- everything but the built-in ones.
Client._forced, Client._fallback = {}, {}

local function bad(fmt, ...)
  errors.raise("WampyError", fmt:format(...))
end

-- ---- construction ---------------------------------------------------------------------------

local function is_object(v) return type(v) == "table" end

-- Fields of the constructor: the type that a value must have, and what to call it.
local fields = {
  url = "string", realm = "string", name = "string", connect_timeout = "number",
  call_timeout = "number", ping_interval = "number", ping_timeout = "number",
  max_message_size = "number", max_tasks = "number", headers = "table", roles = "table",
  router = is_object, reconnect = function(v) return type(v) == "boolean" or type(v) == "table" end,
  serializers = "table",
}

local function check_field(name, value)
  local want = fields[name]
  if not want then bad("Client: unknown field %q", tostring(name)) end
  local ok = type(want) == "function" and want(value) or type(value) == want
  if not ok then
    bad("Client: field %s: expected %s, got %s", name,
      type(want) == "string" and "a " .. want
        or name == "router" and "a Router object" or "true, false or a table", type(value))
  end
  if want == "number" and (value < 0 or value ~= value) then
    bad("Client: field %s: expected a number >= 0, got %s", name, tostring(value))
  end
end

local function check_fields(t)
  for name, value in pairs(t) do check_field(name, value) end
  if t.url and t.router then bad("Client: give url or router, not both") end
  if t.realm and not core.uri_ok(t.realm) then
    bad("Client: field realm: invalid URI %q", t.realm)
  end
  for _, s in ipairs(t.serializers or {}) do
    if s ~= "json" then
      bad("Client: field serializers: %q is not available (json is)", tostring(s))
    end
  end
end

local function environment()
  local timeout = os.getenv("WAMPY_CALL_TIMEOUT")
  return {
    url = os.getenv("WAMPY_URL"), realm = os.getenv("WAMPY_REALM"),
    call_timeout = timeout and (tonumber(timeout) or bad("WAMPY_CALL_TIMEOUT: expected seconds")),
  }
end

local builtin = {
  url = constants.DEFAULT_URL, realm = constants.DEFAULT_REALM, connect_timeout = 10,
  ping_interval = 10, ping_timeout = 10, reconnect = false,
}

-- First hit wins: flags of run, constructor, class, environment, fallbacks of run, built in.
local function settle(class, given)
  check_fields(given)
  check_fields(class.defaults or {})
  local layers = { Client._forced, given, class.defaults or {}, environment(), Client._fallback,
    builtin }
  local config = {}
  for name in pairs(fields) do
    for _, layer in ipairs(layers) do
      if layer[name] ~= nil then
        config[name] = layer[name]
        break
      end
    end
  end
  for _, layer in ipairs(layers) do -- a router stands for a url: the first layer with one decides
    if layer.router then config.url = nil break end
    if layer.url then config.router = nil break end
  end
  return config
end

local function construct(class, given)
  if given ~= nil and type(given) ~= "table" then
    bad("Client: expected a table of fields, got %s", type(given))
  end
  local self = setmetatable({}, class)
  self.config = settle(class, given or {})
  if self.config.url then
    local url, e = core.parse_url(self.config.url)
    if not url then bad("%s", e) end
    self.url = url.url
  end
  self.realm = self.config.realm
  self.name = self.config.name or class.__name
  self.connected = false
  self.registration_map, self.subscription_map = {}, {}
  self._core = core.client(self)
  self._held = {} -- live registrations and subscriptions that a new session restores
  self.call = proxies.CallProxy(self, function(...) return self._core:call(...) end)
  self.rpc = proxies.RpcProxy(function(...) return self._core:call(...) end)
  self.publish = proxies.PublishProxy(self, function(...) return self:_publish("publish", ...) end)
  if self.config.max_tasks then core.set_max_tasks(self.config.max_tasks) end
  return self
end

-- What every client has besides the methods of Client, or may be given as a hook: no role can be
-- named so.
Client._taken = {}
for _, name in ipairs {
  "call", "rpc", "publish", "session", "connected", "name", "url", "realm", "config",
  "registration_map", "subscription_map", "request_ids", "on_join", "on_leave", "on_disconnect",
  "on_error", "on_revoked", "super", "is_class", "defaults",
} do
  Client._taken[name] = true
end

-- `request_ids` is computed; everything else comes from the class.
local computed = { request_ids = function(self) return self._core:pending() end }

local function index(class)
  return function(self, key)
    local c = computed[key]
    if c then return c(self) end
    return class[key]
  end
end

Client.__index = index(Client)
setmetatable(Client, { __call = construct })

--- Makes a subclass: an app.
-- @param name for logs and messages; "App" when nil
-- @return class; fields that are Roles (callee, subscriber, timer) are registered by start
function Client:extend(name)
  local class = {}
  for key, value in next, self do
    if type(key) == "string" and key:find("^__") then class[key] = value end
  end
  class.__index = index(class)
  class.__name = name or "App"
  class.super = self
  class.is_class = true
  return setmetatable(class, { __call = construct, __index = self })
end

function Client.__close(self)
  self:stop()
end

function Client.__tostring(self)
  return ("%s (%s, %s)"):format(self.name, self.url or "embedded router",
    self.connected and "session " .. self.session.id or "not connected")
end

-- ---- joining --------------------------------------------------------------------------------

local refusals = {
  ["wamp.error.not_authorized"] = true, ["wamp.error.authentication_failed"] = true,
  ["wamp.error.authentication_denied"] = true, ["wamp.error.authentication_required"] = true,
  ["wamp.error.no_matching_auth_method"] = true, ["wamp.error.no_auth_method"] = true,
  ["wamp.error.no_such_principal"] = true, ["wamp.error.cannot_authenticate"] = true,
  ["wamp.error.authorization_failed"] = true,
}

-- The error for a session that did not come about, or has ended. Its fields say what
-- `wampy-lua run` needs: `uri` when the router refused, `transport` and `code` when the link did.
local function end_error(class, reason, text, transport, code)
  if reason == "wamp.close.transport_lost" or class == "TimeoutError" then
    reason = nil -- our own word, not the router's
  end
  if transport == "http_status" and code >= 500 and code < 600 then transport = "http_5xx" end
  local fields_of = { uri = reason, transport = transport, code = code }
  if transport == "truncated" then fields_of.required_bytes = code end
  if class == "left" then class = "ConnectionError" end
  if refusals[reason] then class = "AuthenticationError" end
  local message = text or reason or "the session ended"
  if reason and not message:find(reason, 1, true) then
    message = ("%s (%s)"):format(message, reason)
  end
  return errors.make(class, message, fields_of)
end

-- Where to: the in-memory link of an embedded router, or a URL.
local function target(self)
  local router = self.config.router
  if not router then return { url = self.url } end
  if router.server then return { server = router:server() } end
  return { url = router.url, cert_path = router.cert_path }
end

local function join(self)
  local c = self.config
  local options = target(self)
  for _, name in ipairs { "realm", "connect_timeout", "call_timeout", "ping_interval",
    "ping_timeout", "max_message_size", "headers" } do
    options[name] = c[name]
  end
  options.agent = core.agent or "wampy-lua " .. core.version
  local welcome, class, reason, text, transport, code = self._core:connect(options)
  if not welcome then error(end_error(class, reason, text, transport, code), 0) end
  local url = options.url and core.parse_url(options.url) or {}
  self.connected = true
  self.session = {
    id = welcome.session, realm = self.realm, roles = welcome.roles, host = url.host,
    port = url.port, authid = welcome.authid, authrole = welcome.authrole,
    authmethod = welcome.authmethod, details = welcome,
  }
end

local function hook(self, name, ...)
  local fn = self[name]
  if not fn then return end
  local ok, e = xpcall(fn, function(e)
    return errors.is_error(e) and e or debug.traceback(tostring(e), 2)
  end, self, ...)
  if not ok then core.log("error", ("in %s of %s: %s"):format(name, self.name, tostring(e))) end
end

local function start_timers(self)
  self._timers = {}
  for _, entry in ipairs(self._roles) do
    if entry.kind == "timer" then
      self._timers[#self._timers + 1] = tasks.every(entry.options.interval, function()
        entry.fn(self)
      end)
    end
  end
end

local function stop_timers(self)
  for _, timer in ipairs(self._timers or {}) do timer:stop() end
  self._timers = nil
end

local function bring_up(self)
  join(self)
  self:register_roles()
  for _, held in ipairs(self._held) do held:restore() end
  start_timers(self)
end

local starts = 0

--- Connects, joins the realm, registers and subscribes what the class declares.
-- @return self; raises ConnectionError, TimeoutError, AuthenticationError, RemoteError ...
function Client:start()
  if tasks.started[self] then return self end
  self._roles = self._roles or roles.collect(getmetatable(self), Client)
  self:_handlers()
  starts = starts + 1
  tasks.started[self] = starts
  self._over = tasks.event()
  local ok, e = pcall(bring_up, self)
  if not ok then
    self:_quit()
    error(e, 0)
  end
  tasks.regained(self)
  tasks.spawn(hook, self, "on_join", self.session.details)
  return self
end

-- Ends the session without ever raising, and forgets it.
function Client:_quit()
  self:_done()
  if self._reconnecting then self._reconnecting:cancel() end
  stop_timers(self)
  pcall(self._core.leave, self._core)
  self:_forget()
end

function Client:_forget()
  self.connected, self.session = false, nil
  self.registration_map, self.subscription_map = {}, {}
end

--- Says GOODBYE, waits for the answer (bounded), closes. Safe twice, and on a dead link.
function Client:stop()
  if not tasks.started[self] then return end
  local details = self.session
  self:_quit()
  if details then hook(self, "on_leave", "wamp.close.normal", {}) end
end

--- Waits until the client has stopped, or its link is lost for good.
function Client:wait_stopped()
  if tasks.started[self] then self._over:wait() end
end

-- The client is not started any more.
function Client:_done()
  tasks.started[self] = nil
  self._over:set()
end

-- ---- losing and regaining the link ------------------------------------------------------------

-- What retrying cannot mend: the app is wrong, the router said no, or something else than a router
-- answers.
local function is_final(e)
  return e.name == "WampyError"
    or e.uri ~= nil and e.uri ~= "wamp.close.system_shutdown" and e.uri ~= "wamp.close.normal"
    or e.transport == "http_status" or e.transport == "subprotocol" or e.transport == "tls"
end
Client._is_final = is_final

local backoff_defaults = { initial = 1.5, factor = 1.5, jitter = 0.1, max = 300, tries = math.huge }

local function backoff_of(config)
  if type(config) ~= "table" then return backoff_defaults end
  return setmetatable(config, { __index = backoff_defaults })
end

--- Tries again and again, with growing pauses, until `fn` succeeds or retrying is of no use.
-- @param fn function that raises an error of ours when it fails
-- Each change of reason is logged once.
-- @param config of the back-off, as the field `reconnect`
function Client:_retry(fn, config)
  local backoff = backoff_of(config)
  local pause, last = backoff.initial, nil
  for try = 1, math.huge do
    local ok, e = pcall(fn)
    if ok then return end
    if not errors.is_error(e) or e:is(errors.Canceled) or is_final(e) or try > backoff.tries then
      error(e, 0)
    end
    if e.message ~= last then
      core.log("warn", ("%s: %s; trying again in %.1f s"):format(self.name, e.message, pause))
    end
    last = e.message
    tasks.sleep(pause * (1 + backoff.jitter * (2 * math.random() - 1)))
    pause = math.min(pause * backoff.factor, backoff.max)
  end
end

-- REGISTER may still meet the dead session's registration: that, too, mends itself.
local function rejoin_once(self)
  local ok, e = pcall(bring_up, self)
  if ok then return end
  pcall(self._core.leave, self._core)
  self:_forget()
  if errors.is_error(e, errors.RemoteError) and e.uri == "wamp.error.procedure_already_exists" then
    errors.raise("ConnectionError", tostring(e))
  end
  error(e, 0)
end

function Client:_rejoin()
  local ok, e = pcall(self._retry, self, function() rejoin_once(self) end,
    self.config.reconnect)
  self._reconnecting = nil
  if not tasks.started[self] then return end
  if ok then
    core.log("info", ("%s: joined %s again"):format(self.name, self.realm))
    hook(self, "on_join", self.session.details)
  else
    self:_done()
    tasks.lost(e, self)
  end
end

-- Called by the core, as a task, when a session that was joined has ended.
function Client:_ended(class, reason, text, transport, code)
  local was = self.session
  stop_timers(self)
  self:_forget()
  if not tasks.started[self] then return end
  local e = end_error(class, reason, text, transport, code)
  e.after_join = true
  if was and e.uri then hook(self, "on_leave", reason, {}) end
  hook(self, "on_disconnect", e.message)
  if not tasks.started[self] or self._reconnecting then return end
  if self.config.reconnect and (not is_final(e) or class == "left") then
    core.log("warn", ("%s: %s; joining again"):format(self.name, e.message))
    self._reconnecting = tasks.spawn(self._rejoin, self)
  else
    self:_done()
    tasks.lost(e, self)
  end
end

function Client:_revoked(role, id, reason)
  local map = role == "registration" and self.registration_map or self.subscription_map
  map[id] = nil
  core.log("warn", ("%s: %s %d was revoked: %s"):format(self.name, role, id, reason or "?"))
  hook(self, "on_revoked", role, reason)
end

-- ---- roles ----------------------------------------------------------------------------------

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
  local sig = signature.of(fn, options.params)
  check_self(sig, method, uri)
  local params = sig.params
  if params and method and not sig.stated then params = table.move(params, 2, #params, 1, {}) end
  return core.handler {
    fn = fn, self = method and self or nil, method = method, params = params, stated = sig.stated,
    vararg = sig.vararg, callee = kind == "callee", label = sig.where, uri = uri,
    concurrency = options.concurrency,
  }, sig.where
end

-- Options that are ours and not sent.
local own_options = { params = true, topic = true, interval = true }

local function sent(options)
  local copy = {}
  for name, value in pairs(options) do
    if not own_options[name] then copy[name] = value end
  end
  return copy
end

-- Makes the handlers of all roles, so that a mistake is found before anything is sent.
function Client:_handlers()
  for _, entry in ipairs(self._roles) do
    if entry.kind ~= "timer" and not entry.handlers then
      local handlers = {}
      for i, uri in ipairs(entry.uris) do
          handlers[i], entry.where =
            handler(self, entry.kind, uri, entry.fn, entry.options, true)
      end
      entry.handlers = handlers
    end
  end
end

local function add(self, kind, uri, h, options)
  local limit = { timeout = self.config.connect_timeout }
  if kind == "callee" then
    local id = self._core:register(uri, h, sent(options), limit)
    self.registration_map[id] = uri
    return id
  end
  local id = self._core:subscribe(uri, h, sent(options), limit)
  local known = self.subscription_map[id] or { topic = uri, handlers = {} }
  known.handlers[#known.handlers + 1] = h
  self.subscription_map[id] = known
  return id
end

--- Registers and subscribes what the class declares; start does it.
function Client:register_roles()
  for _, entry in ipairs(self._roles or {}) do
    for i, uri in ipairs(entry.kind ~= "timer" and entry.uris or {}) do
      add(self, entry.kind, uri, entry.handlers[i], entry.options)
    end
  end
end

local Held = { __name = "wampy.Registration" } -- a live registration or subscription
Held.__index = Held

-- Registers or subscribes (again): at once, and in each new session.
function Held:restore()
  for i, uri in ipairs(self.uris) do
    self.ids[i] = add(self.client, self.kind, uri, self.handlers[i], self.options)
  end
  self.id = self.ids[1]
end

local function release(held)
  local client = held.client
  if core.wait_mode() == "never" then core.park(0) end -- raises, before anything is given up
  for i, h in ipairs(client._held) do
    if h == held then table.remove(client._held, i) break end
  end
  if not client.connected then return end
  for i, id in ipairs(held.ids) do
    if held.kind == "callee" then
      client._core:unregister(id)
      client.registration_map[id] = nil
    else
      client._core:unsubscribe(id, held.handlers[i])
      local known = client.subscription_map[id]
      for j, h in ipairs(known and known.handlers or {}) do
        if h == held.handlers[i] then table.remove(known.handlers, j) break end
      end
      if known and not known.handlers[1] then client.subscription_map[id] = nil end
    end
  end
end

--- Ends the registration.
function Held:unregister() release(self) end

--- Ends the subscription; other handlers of the topic go on.
function Held:unsubscribe() release(self) end

local function hold(self, kind, uri, fn, options)
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

--- Registers a function as a procedure, now; a new session after a lost link registers it again.
-- @param uri URI, or a list of URIs
-- @param fn function(args...), not called as a method
-- @param options { invoke, match, concurrency, ... }, or nil
-- @return Registration with `id`, `uri` and `:unregister()`; raises RemoteError when refused
function Client:register(uri, fn, options)
  return hold(self, "callee", uri, fn, options)
end

--- Subscribes a function to a topic, now. Several handlers on one topic all run.
-- @param topic URI, or a list of URIs
-- @param fn function(args...)
-- @param options { match, get_retained, ... }, or nil
-- @return Subscription with `id`, `topic` and `:unsubscribe()`
function Client:subscribe(topic, fn, options)
  local held = hold(self, "subscriber", topic, fn, options)
  held.topic = topic
  return held
end

-- ---- calling and publishing -------------------------------------------------------------------

--- Calls without waiting.
-- @param uri procedure
-- @param ... arguments, kwargs{}, options{}
-- @return Future: `:wait([timeout])`, `:cancel([mode])`, `:done()`
function Client:call_async(uri, ...)
  return self._core:call_async(uri, ...)
end

-- wampy's form: publish { topic = "foo", message = ..., options = { ... } }
local function publish_keywords(self, verb, t)
  local kwargs = {}
  for k, v in pairs(t) do kwargs[k] = v end
  local topic, options = kwargs.topic, kwargs.options
  kwargs.topic, kwargs.options = nil, nil
  if type(topic) ~= "string" then bad("publish needs a topic") end
  if not next(kwargs) then bad("publish needs at least one message") end
  if options ~= nil and type(options) ~= "table" then bad("publish: options must be a table") end
  return self._core[verb](self._core, topic, setmetatable(kwargs, core.kwargs_mt),
    values.options(options or {}))
end

function Client:_publish(verb, topic, ...)
  if type(topic) == "table" then return publish_keywords(self, verb, topic) end
  if type(topic) ~= "string" then bad("publish needs a topic") end
  return self._core[verb](self._core, topic, ...)
end

--- As publish, but returns false in place of waiting when the link cannot keep up.
function Client:try_publish(...)
  return self:_publish("try_publish", ...)
end

return Client
