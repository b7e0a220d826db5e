-- directory.lua - what a router says that there is, by its meta API: procedures, topics, sessions.

local core = require "wampy.core"

local directory = {}

local AT_ONCE = 64 -- calls under way

-- fn(item) -> Future for each item; their first results in the same order, nil where one failed: it
-- may be gone by now.
local function ask_all(items, fn)
  local results = {}
  for first = 1, #items, AT_ONCE do
    local futures = {}
    for i = first, math.min(first + AT_ONCE - 1, #items) do futures[i] = fn(items[i]) end
    for i = first, math.min(first + AT_ONCE - 1, #items) do
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
    for _, id in ipairs(lists[match] or {}) do ids[#ids + 1] = id end
  end
  return ids
end

-- Registrations or subscriptions: { uri, match, invoke, created, count }, by URI.
local function held(client, kind, count)
  local ids = ids_of(client:call("wamp." .. kind .. ".list"))
  local details = ask_all(ids, function(id)
    return client:call_async("wamp." .. kind .. ".get", id)
  end)
  local counts = ask_all(ids, function(id)
    return client:call_async("wamp." .. kind .. "." .. count, id)
  end)
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
-- @return list of { uri, match, invoke, created, count = callees }, by URI; raises RemoteError
function directory.registrations(client)
  return held(client, "registration", "count_callees")
end

--- The topics that are subscribed to. See registrations; count = subscribers.
function directory.subscriptions(client)
  return held(client, "subscription", "count_subscribers")
end

--- The sessions of the realm.
-- @return list of what wamp.session.get says
function directory.sessions(client)
  local list, ids = {}, client:call("wamp.session.list")
  local details = ask_all(ids, function(id) return client:call_async("wamp.session.get", id) end)
  for i = 1, #ids do
    if details[i] then list[#list + 1] = details[i] end
  end
  return list
end

--- The URIs of procedures that are registered by their whole name.
function directory.procedures(client)
  local lists = client:call("wamp.registration.list")
  local details = ask_all(table.move(lists.exact, 1, math.min(#lists.exact, 1000), 1, {}),
    function(id) return client:call_async("wamp.registration.get", id) end)
  local uris = {}
  for i = 1, #lists.exact do
    if details[i] and details[i].uri ~= core.null then uris[#uris + 1] = details[i].uri end
  end
  return uris
end

return directory
