-- directory.lua - what a router says that there is, by its meta API: procedures, topics, sessions.
--
-- What goes away between two questions is left out. Each answer is waited for `timeout` seconds.

local values = require "wampy.values"

local directory = {}

local AT_ONCE = 64    -- calls under way
local ENOUGH = 1000   -- procedures that are looked at for a suggestion

-- Asks about each item: a list of first results, nil where the call failed.
local function ask_all(client, uri, items, options)
  local results = {}
  for first = 1, #items, AT_ONCE do
    local last, futures = math.min(first + AT_ONCE - 1, #items), {}
    for i = first, last do futures[i] = client:call_async(uri, items[i], options) end
    for i = first, last do
      local ok, answer = pcall(futures[i].wait, futures[i])
      results[i] = ok and answer or nil
    end
  end
  return results
end

-- The ids of all matching policies, as one list.
local function ids_of(lists)
  local ids = {}
  for _, match in ipairs { "exact", "prefix", "wildcard" } do
    table.move(lists[match] or {}, 1, #(lists[match] or {}), #ids + 1, ids)
  end
  return ids
end

-- Registrations or subscriptions: { uri, match, invoke, created, count }, by URI.
local function held(client, kind, count, timeout)
  local options = values.options { timeout = timeout }
  local ids = ids_of(client:call(kind .. ".list", options))
  local details = ask_all(client, kind .. ".get", ids, options)
  local counts = ask_all(client, kind .. "." .. count, ids, options)
  local list = {}
  for i = 1, #ids do
    local d = details[i]
    if d then
      list[#list + 1] = { uri = d.uri, match = d.match, invoke = d.invoke, created = d.created,
        count = counts[i] }
    end
  end
  table.sort(list, function(a, b) return a.uri < b.uri end)
  return list
end

--- The procedures that are registered.
-- @param client that has joined
-- @param timeout seconds
-- @return list of { uri, match, invoke, created, count = callees }, by URI; raises RemoteError,
-- TimeoutError
function directory.registrations(client, timeout)
  return held(client, "wamp.registration", "count_callees", timeout)
end

--- The topics that are subscribed to. See registrations; count = subscribers.
function directory.subscriptions(client, timeout)
  return held(client, "wamp.subscription", "count_subscribers", timeout)
end

--- The sessions of the realm.
-- @return list of what wamp.session.get says, by session
function directory.sessions(client, timeout)
  local options = values.options { timeout = timeout }
  local ids = client:call("wamp.session.list", options)
  local details, list = ask_all(client, "wamp.session.get", ids, options), {}
  for i = 1, #ids do list[#list + 1] = details[i] end
  table.sort(list, function(a, b) return a.session < b.session end)
  return list
end

--- The URIs of procedures that are registered by their whole name; of the first thousand.
function directory.procedures(client, timeout)
  local options = values.options { timeout = timeout }
  local ids = client:call("wamp.registration.list", options).exact
  local details = ask_all(client, "wamp.registration.get",
    table.move(ids, 1, math.min(#ids, ENOUGH), 1, {}), options)
  local uris = {}
  for i = 1, #ids do uris[#uris + 1] = details[i] and details[i].uri end
  return uris
end

return directory
