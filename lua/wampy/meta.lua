-- meta.lua - `client.meta`: what the router says of its sessions, registrations and subscriptions,
-- by WAMP's meta API. Each method calls one or more of the router's procedures and waits; what it
-- refuses is raised as a RemoteError. Nothing is remembered between two calls.

local core = require "wampy.core"
local errors = require "wampy.errors"
local values = require "wampy.values"

-- What a router says of itself, to a client.
-- @object wampy.Meta
local Meta = { __name = "wampy.Meta" }
Meta.__index = Meta

local AT_ONCE = 64 -- calls under way

--- The meta API of a client, which is its field `meta`.
-- @param client that has joined
-- @param timeout seconds that each answer is waited for; nil: as for every call of the client
function Meta.of(client, timeout)
  local options = timeout and values.options { timeout = timeout }
  return setmetatable({ client = client, options = options }, Meta)
end

-- What a procedure is called with: arguments that are not given are not sent.
local function arguments(self, ...)
  local list = table.pack(...)
  while list.n > 0 and list[list.n] == nil do list.n = list.n - 1 end
  list[list.n + 1] = self.options
  return table.unpack(list, 1, list.n + (self.options and 1 or 0))
end

local function call(self, name, ...)
  return self.client:call("wamp." .. name, arguments(self, ...))
end

-- What is null in an answer is nil here.
local function known(value)
  if value == core.null then return nil end
  return value
end

-- A procedure's first result for each id, in the same order; nil where it failed: what the id is
-- of may be gone by now.
local function ask_all(self, name, ids)
  local results = {}
  for first = 1, #ids, AT_ONCE do
    local last, futures = math.min(first + AT_ONCE - 1, #ids), {}
    for i = first, last do
      futures[i] = self.client:call_async("wamp." .. name, arguments(self, ids[i]))
    end
    for i = first, last do
      local ok, answer = pcall(futures[i].wait, futures[i])
      results[i] = ok and answer or nil
    end
  end
  return results
end

-- ---- sessions -------------------------------------------------------------------------------

--- How many sessions there are.
-- @param authroles list of roles that count; all when nil
-- @return number
function Meta:count(authroles)
  return call(self, "session.count", authroles and values.array(authroles))
end

--- The sessions of the realm.
-- @param authroles list of roles; all when nil
-- @return list of their details, as session(id) gives them, by their ids
function Meta:sessions(authroles)
  local list, ids = {}, call(self, "session.list", authroles and values.array(authroles))
  local details = ask_all(self, "session.get", ids)
  for i = 1, #ids do list[#list + 1] = details[i] end
  table.sort(list, function(a, b) return a.session < b.session end)
  return list
end

--- A session.
-- @param id of the session
-- @return { session, authid, authrole, authmethod, authprovider, ... }; nil when there is none
function Meta:session(id)
  local ok, details = pcall(call, self, "session.get", id)
  if ok then return details end
  if errors.is_error(details, errors.RemoteError)
    and details.uri == "wamp.error.no_such_session" then
    return nil
  end
  error(details, 0)
end

-- reason and message of a kill
local function farewell(t)
  return values.kwargs { reason = t and t.reason, message = t and t.message }
end

--- Ends a session, which gets GOODBYE. Routers allow it to few.
-- @param id of the session
-- @param t { reason = URI, message = text }, or nil
function Meta:kill(id, t)
  call(self, "session.kill", id, farewell(t))
end

--- Ends all sessions of a name.
-- @return how many, or a list of their ids, as the router has it
function Meta:kill_by_authid(authid, t)
  return call(self, "session.kill_by_authid", authid, farewell(t))
end

--- Ends all sessions of a role.
-- @return how many, or a list of their ids, as the router has it
function Meta:kill_by_authrole(authrole, t)
  return call(self, "session.kill_by_authrole", authrole, farewell(t))
end

-- ---- registrations and subscriptions ------------------------------------------------------------

local kinds = {
  registration = { holders = "list_callees", count = "count_callees", as = "callees" },
  subscription = { holders = "list_subscribers", count = "count_subscribers", as = "subscribers" },
}

-- The ids of all matching policies, as one list.
local function ids_of(lists)
  local ids = {}
  for _, match in ipairs { "exact", "prefix", "wildcard" } do
    for _, id in ipairs(lists[match] or {}) do ids[#ids + 1] = id end
  end
  return ids
end

-- All of a kind: the details of each, with how many hold it; by URI.
local function list_all(self, kind)
  local ids = ids_of(call(self, kind .. ".list"))
  local details = ask_all(self, kind .. ".get", ids)
  local counts = ask_all(self, ("%s.%s"):format(kind, kinds[kind].count), ids)
  local list = {}
  for i = 1, #ids do
    if details[i] then
      details[i].count = counts[i]
      list[#list + 1] = details[i]
    end
  end
  table.sort(list, function(a, b) return a.uri < b.uri end)
  return list
end

-- The URIs of a kind that are no patterns.
local function list_uris(self, kind, most)
  local ids = call(self, kind .. ".list").exact
  local details = ask_all(self, kind .. ".get",
    table.move(ids, 1, math.min(#ids, most or #ids), 1, {}))
  local uris = {}
  for i = 1, #ids do uris[#uris + 1] = details[i] and details[i].uri end
  return uris
end

-- The one of a URI, with who holds it.
local function look_up(self, kind, uri, match)
  local id = known(call(self, kind .. ".lookup", uri, match and { match = match } or nil))
  if not id then return nil end
  local details = call(self, kind .. ".get", id)
  details[kinds[kind].as] = call(self, ("%s.%s"):format(kind, kinds[kind].holders), id)
  return details
end

--- The procedures that are registered.
-- @return list of { id, uri, match, invoke, created, count = callees }, by URI
function Meta:registrations()
  return list_all(self, "registration")
end

--- The URIs of procedures that are registered by their whole name.
-- @param most how many are looked at, at most; all when nil
-- @return list of URIs
function Meta:procedures(most)
  return list_uris(self, "registration", most)
end

--- A registration.
-- @param uri of the procedure, or its pattern
-- @param match "exact" (default), "prefix" or "wildcard"
-- @return { id, uri, match, invoke, created, callees = list of session ids }; nil: there is none
function Meta:registration(uri, match)
  return look_up(self, "registration", uri, match)
end

--- The registration that a call of a URI would reach.
-- @return { id, uri, match, invoke, created }; nil: a call would find no procedure
function Meta:serving(uri)
  local id = known(call(self, "registration.match", uri))
  return id and call(self, "registration.get", id)
end

--- The topics that are subscribed to.
-- @return list of { id, uri, match, created, count = subscribers }, by URI
function Meta:subscriptions()
  return list_all(self, "subscription")
end

--- The URIs of topics that are subscribed to by their whole name.
-- @param most how many are looked at, at most; all when nil
-- @return list of URIs
function Meta:topics(most)
  return list_uris(self, "subscription", most)
end

--- A subscription.
-- @param topic its URI, or its pattern
-- @param match "exact" (default), "prefix" or "wildcard"
-- @return { id, uri, match, created, subscribers = list of session ids }; nil: there is none
function Meta:subscription(topic, match)
  return look_up(self, "subscription", topic, match)
end

--- The last events of a topic, where the router's configuration keeps them (WAMP: event history).
-- @param topic its URI, or the pattern that is kept
-- @param t { match, limit, reverse, from_time ... }, or nil
-- @return list of events: { timestamp, publication, topic, args, kwargs, ... }
function Meta:history(topic, t)
  local filters = values.dict(t or {})
  filters.match = nil
  local id = known(call(self, "subscription.lookup", topic, t and t.match
    and { match = t.match } or nil))
  if not id then
    errors.raise("WampyError", ("history: nothing is kept of %s"):format(topic))
  end
  local events = table.pack(call(self, "subscription.get_events", id, values.kwargs(filters)))
  if getmetatable(events[events.n]) == core.kwargs_mt then events[events.n] = nil end
  events.n = nil
  return events
end

-- ---- testaments -----------------------------------------------------------------------------

--- Has the router publish an event when this session is gone (WAMP: testaments).
-- @param topic URI
-- @param args list, or nil
-- @param kwargs table, or nil
-- @param t { scope = "destroyed" or "detached", publish_options = table }, or nil
-- @return nothing, as a rule: what the router answers
function Meta:add_testament(topic, args, kwargs, t)
  return call(self, "session.add_testament", topic, values.array(args or {}), kwargs or {},
    values.kwargs(t or {}))
end

--- Takes this session's testaments back.
-- @param scope "destroyed" (default) or "detached"
-- @return how many there were
function Meta:flush_testaments(scope)
  return call(self, "session.flush_testaments", values.kwargs { scope = scope })
end

return Meta
