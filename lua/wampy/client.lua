-- client.lua - wampy.Client: classes of apps, their life, and the calls that apps make
-- (lua-api: Client).
--
-- A client object is a Lua table; what talks to the session is the core's client userdata in its
-- field `_core`. Joining again after a lost link is a loop here (Client:_rejoin); what a session
-- is and how messages travel is not known here.

local core = require "wampy.core"
local auth = require "wampy.auth"
local backoff = require "wampy.backoff"
local bindings = require "wampy.bindings"
local codecs = require "wampy.codecs"
local codes = require "wampy.codes"
local credentials = require "wampy.credentials"
local errors = require "wampy.errors"
local fields = require "wampy.fields"
local message_handler = require "wampy.message_handler"
local messages = require "wampy.messages"
local Meta = require "wampy.meta"
local proxies = require "wampy.proxies"
local roles = require "wampy.roles"
local session = require "wampy.session"
local tasks = require "wampy.tasks"
local trial = require "wampy.trial"
local values = require "wampy.values"

-- A client of a router. Apps are classes made with extend.
-- @object wampy.Client
-- @overload fun(fields?: wampy.ClientFields): self
-- @tfield wampy.CallProxy call calls and waits: client:call(uri, ...), client.call.com.add2(...)
-- @tfield table<string,function> rpc calls procedures of one name: client.rpc.add2(...)
-- @tfield wampy.PublishProxy publish publishes: client:publish(topic, ...)
-- @tfield wampy.Meta meta what the router says of its sessions, registrations and subscriptions
-- @tfield wampy.Session? session while joined
-- @tfield boolean connected
-- @tfield string name for logs
-- @tfield string? url
-- @tfield string realm
-- @tfield table config the fields that it was made with, and what stood for missing ones
-- @tfield table<integer,string> registration_map URI by registration
-- @tfield table<integer,table> subscription_map { topic, handlers } by subscription
-- @tfield table<integer,string> request_ids URI by request under way
-- @tfield wampy.MessageHandler? message_handler
-- @tfield wampy.ClientFields? defaults fields that the class gives
-- @tfield fun(self,details:table)? on_join hook
-- @tfield fun(self,reason:string,details:table)? on_leave hook
-- @tfield fun(self,reason:string)? on_disconnect hook
-- @tfield fun(self,error:any,where:string)? on_error hook
-- @tfield fun(self,role:string,reason:string?)? on_revoked hook
-- @tfield any [string] whatever a class declares
local Client = { __name = "wampy.Client" }

local function bad(fmt, ...)
  errors.raise("WampyError", fmt:format(...))
end

-- ---- construction ---------------------------------------------------------------------------

local function construct(class, given)
  trial.forbid("makes its own clients")
  if given ~= nil and type(given) ~= "table" then
    bad("Client: expected a table of fields, got %s", type(given))
  end
  Client.latest = nil
  local self = setmetatable({}, class)
  self.config = fields.settle(class, given or {})
  auth.check(credentials.settle(self, class, given or {}))
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
  tasks.guard()
  codecs.start(self)
  self._held = {} -- live registrations and subscriptions that a new session restores
  self._gate = tasks.mutex() -- who brings a session up, or exchanges what it has
  self.call = proxies.CallProxy(self, function(...) return self._core:call(...) end)
  self.rpc = proxies.RpcProxy(function(...) return self._core:call(...) end)
  self.publish = proxies.PublishProxy(self, function(...) return self:_publish("publish", ...) end)
  self.message_handler = self.config.message_handler
  if self.message_handler ~= nil then message_handler.attach(self.message_handler, self) end
  if self.config.max_tasks then core.set_max_tasks(self.config.max_tasks) end
  return self
end

-- What every client has besides the methods of Client, or may be given as a hook: no role can be
-- named so.
Client._taken = {}
for _, name in ipairs {
  "call", "rpc", "publish", "session", "connected", "name", "url", "realm", "config",
  "registration_map", "subscription_map", "request_ids", "on_join", "on_leave", "on_disconnect",
  "on_error", "on_revoked", "meta", "super", "is_class", "defaults", "message_handler",
} do
  Client._taken[name] = true
end

-- These are computed; everything else comes from the class.
local computed = { request_ids = function(self) return self._core:pending() end, meta = Meta.of }

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
  Client.latest = class -- of which no client has been made yet: loader.lua
  return setmetatable(class, { __call = construct, __index = self })
end

function Client.__close(self)
  self:stop()
end

function Client.__tostring(self)
  return ("%s (%s, %s)"):format(self.name, self.url or "embedded router",
    self.connected and "session " .. self.session.id or "not connected")
end

-- ---- another class ----------------------------------------------------------------------------

-- Of the list `_former` of a client, { class, last }: tasks that began up to that number go on
-- seeing that class. What no task can see any more is left off.
local function still_seen(list)
  local kept, from, living = {}, 0, core.all_begun()
  for _, former in ipairs(list) do
    for _, begun in ipairs(living) do
      if begun > from and begun <= former.last then
        kept[#kept + 1] = former
        break
      end
    end
    from = former.last
  end
  return kept
end

-- As index, for objects that had other classes before.
local function index_by_task(class)
  local current = index(class)
  return function(self, key)
    local begun = core.begun()
    for _, former in ipairs(rawget(self, "_former") or {}) do
      if begun <= former.last then
        return computed[key] and computed[key](self) or former.class[key]
      end
    end
    return current(self, key)
  end
end

--- Gives a client another class, with its roles, methods, hooks and timers. Tasks that run already
-- go on with the one that they began with. Requests are not sent here.
-- @param class made by extend
-- @param list of roles.collect, prepared
function Client:_become(class, list)
  local _, last = core.all_begun()
  self._former = still_seen(self._former or {})
  table.insert(self._former, { class = getmetatable(self), last = last })
  class.__index = index_by_task(class)
  setmetatable(self, class)
  self._roles = list
  if self._timers then self:_start_timers() end
end

-- ---- life -----------------------------------------------------------------------------------

-- Runs a function of the app that nobody waits for: an error in it is logged and told to on_error.
local function guarded(self, where, fn, ...)
  local trace
  local ok, e = xpcall(fn, function(e)
    trace = errors.trace(e)
    return e
  end, self, ...)
  if ok then return end
  if errors.is_error(e, errors.Canceled) then
    core.log("debug", ("%s of %s: canceled"):format(where, self.name))
    return
  end
  codes.log(("in %s of %s: %s"):format(where, self.name, errors.told(e, trace)), "W902")
  if where ~= "on_error" then self:_failed(e, where) end
end

local function hook(self, name, ...)
  if self[name] then guarded(self, name, self[name], ...) end
end

-- Tells the app's on_error, if it has one, what failed and where. Called by the core, too.
function Client:_failed(e, where)
  if self.on_error then tasks.spawn(hook, self, "on_error", e, where) end
end

-- The one that goes on for a timer of the class, though with other code; else a new one.
local function timer_for(self, entry, going)
  local interval = entry.options.interval
  if going and going.entry.options.interval == interval then
    going.entry = entry
    return going
  end
  local new = { entry = entry }
  new.timer = tasks.every(interval, function()
    guarded(self, "timer " .. new.entry.name, new.entry.fn)
  end)
  return new
end

-- By the names in the class; what goes on already and is still declared keeps its beat.
function Client:_start_timers()
  local before = self._timers or {}
  self._timers = {}
  for _, entry in ipairs(self._roles) do
    if entry.kind == "timer" then
      self._timers[entry.name] = timer_for(self, entry, before[entry.name])
    end
  end
  for name, going in pairs(before) do
    if self._timers[name] ~= going then going.timer:finish() end
  end
end

local function stop_timers(self)
  for _, going in pairs(self._timers or {}) do going.timer:stop() end
  self._timers = nil
end

local function bring_up(self)
  local _ <close> = self._gate:lock()
  session.join(self)
  self:register_roles()
  for _, held in ipairs(self._held) do held:restore() end
  self:_start_timers()
  tasks.link_changed()
end

local starts = 0

--- Connects, joins the realm, registers and subscribes what the class declares.
-- @return self; raises ConnectionError, TimeoutError, AuthenticationError, RemoteError ...
function Client:start()
  if tasks.started[self] then return self end
  self._roles = self._roles or roles.collect(getmetatable(self), Client)
  bindings.prepare(self, self._roles)
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
  tasks.link_changed()
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
  local ok, e = pcall(backoff.retry, function() rejoin_once(self) end, self.config.reconnect,
    self.name)
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
  local e = session.end_error(class, reason, text, transport, code)
  e.after_join = true
  if was and e.uri then hook(self, "on_leave", reason, {}) end
  hook(self, "on_disconnect", e.message)
  -- the hooks may have taken so long that the client has joined again meanwhile
  if not tasks.started[self] or self._reconnecting or self.connected then return end
  if self.config.reconnect and (not backoff.is_final(e) or class == "left") then
    codes.warn(("%s: %s; joining again"):format(self.name, e.message), e)
    self._reconnecting = tasks.spawn(self._rejoin, self)
  else
    self:_done()
    tasks.lost(e, self)
  end
end

-- Called by the core, as a task, when the router wants to know who joins.
function Client:_challenge(method, extra)
  session.challenged(self, method, extra)
end

function Client:_revoked(role, id, reason)
  local map = role == "registration" and self.registration_map or self.subscription_map
  map[id] = nil
  codes.warn(("%s: %s %d was revoked: %s"):format(self.name, role, id, reason or "?"), "W912")
  hook(self, "on_revoked", role, reason)
end

-- ---- roles ----------------------------------------------------------------------------------

--- Registers and subscribes what the class declares; start does it.
function Client:register_roles()
  bindings.register_roles(self)
end

--- Registers a function as a procedure, now; a new session after a lost link registers it again.
-- @param uri URI, or a list of URIs
-- @param fn function(args...), not called as a method
-- @param options { invoke, match, concurrency, ... }, or nil
-- @return Registration with `id`, `uri` and `:unregister()`; raises RemoteError when refused
function Client:register(uri, fn, options)
  return bindings.hold(self, "callee", uri, fn, options)
end

--- Subscribes a function to a topic, now. Several handlers on one topic all run.
-- @param topic URI, or a list of URIs
-- @param fn function(args...)
-- @param options { match, get_retained, ... }, or nil
-- @return Subscription with `id`, `topic` and `:unsubscribe()`
function Client:subscribe(topic, fn, options)
  local held = bindings.hold(self, "subscriber", topic, fn, options)
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

--- Calls for a result that comes in parts, to be read in a loop:
-- `for i, chunk in client:stream("uri") do ... end`. Leaving the loop early cancels the call.
-- @param uri procedure
-- @param ... arguments, kwargs{}, options{}; options { buffer = n } is how many parts may wait to
-- be read (1000)
-- @return Stream: callable, `:result()` gives the final result, `:cancel([mode])`; and what else a
-- generic `for` takes. The loop raises the call's error, or StreamOverflow
function Client:stream(uri, ...)
  return self._core:stream(uri, ...)
end

--- Calls with arguments that go out in parts.
-- @param uri procedure
-- @param ... the first part; kwargs{}, options{}
-- @return `up`: `up:send(...)` sends another part and returns false when the callee has answered
-- already, `up:finish(...)` sends the last and returns the results, `up:cancel([mode])`
function Client:open(uri, ...)
  return self._core:open(uri, ...)
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
-- @return true, or false when the queue is full
function Client:try_publish(...)
  return self:_publish("try_publish", ...)
end

--- Sets how payloads of a scheme are sealed and opened (WAMP: payload passthru mode). Calls, events
-- and registrations with options { ppt_scheme = scheme } use it, and what comes in that scheme.
-- @tparam string scheme "wamp", "mqtt" or "x_..."
-- @param codec { encode = function(args, kwargs, options, about) -> bytes [, more options],
-- decode = function(bytes, options, about) -> args, kwargs, strict = whether nothing else is taken
-- where the scheme was asked for }, or nil: none from now on. `about` is { kind =, uri = }, the
-- same at both ends. Neither function can wait
function Client:codec(scheme, codec)
  codecs.set(self, scheme, codec)
end

Client._seal, Client._open, Client._unopened = codecs.seal, codecs.open, codecs.unopened

-- ---- messages by hand ---------------------------------------------------------------------------

--- Sends a message that the app made itself, after checking it as the client's own are checked.
-- GOODBYE and ABORT end the session, and wait for that as stop does.
-- @param message object of wampy.messages; a request gets its id, unless it has the next one
-- @return the id of a request; raises when the message is wrong, or wrong now
function Client:send_message(message)
  if not messages.is_message(message) then
    bad("send_message: expected a message of wampy.messages, got a %s", type(message))
  end
  local id = self._core:send(message)
  if message.name == "goodbye" or message.name == "abort" then self:stop() end
  if not message.numbered then return nil end
  message.request = id
  return id
end

--- The next message that came for one sent by hand: its answer, or what comes for a subscription
-- or registration made by hand. In order of arrival.
-- @param timeout seconds, 5 when nil
-- @return object of wampy.messages | nil, "timeout"; raises ConnectionError after the session's end
function Client:recv_message(timeout)
  return self._core:receive(timeout or 5)
end

--- Sends a Call and waits for its result.
-- @param message object of wampy.messages.Call; it keeps no id, so it can be made again
-- @return the results, as call returns them; raises RemoteError, TimeoutError after call_timeout
function Client:make_rpc(message)
  if not messages.is_message(message) or message.name ~= "call" then
    bad("make_rpc: expected a wampy.messages.Call, got %s",
      messages.is_message(message) and message.title or "a " .. type(message))
  end
  return self._core:call_message(message)
end

-- Called by the core, as a task, when the message handler has raised.
function Client:_message_failed(e, trace, name)
  codes.log(("%s: the message handler failed on %s: %s"):format(self.name, name,
    errors.told(e, trace)), "W903")
  self:_failed(e, "message_handler " .. name)
end

return Client
