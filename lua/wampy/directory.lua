-- directory.lua - what a router says that there is, by its meta API: procedures, topics, sessions.

local core = require "wampy.core"

local directory = {}

local AT_ONCE = 64 -- calls under way
local MOST = 1000  -- procedures that a suggestion looks at

-- A procedure's first result for each id, in the same order; nil where it failed: what the id was
-- of may be gone by now.
local function ask_all(client, procedure, ids)
  local results = {}
  for first = 1, #ids, AT_ONCE do
    local last, futures = math.min(first + AT_ONCE - 1, #ids), {}
    for i = first, last do futures[i] = client:call_async(procedure, ids[i]) end
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
    for _, id in ipairs(lists[match] or {}) do ids[#ids + 1] = id end
  end
  return ids
end

-- Registrations or subscriptions: { uri, match, invoke, created, count }, by URI.
local function held(client, kind, count)
  local ids = ids_of(client:call("wamp." .. kind .. ".list"))
  local details = ask_all(client, "wamp." .. kind .. ".get", ids)
  local counts = ask_all(client, "wamp." .. kind .. "." .. count, ids)
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
  local details = ask_all(client, "wamp.session.get", ids)
  for i = 1, #ids do
    if details[i] then list[#list + 1] = details[i] end
  end
  return list
end

--- The URIs of procedures that are registered by their whole name; of a thousand, where there are
-- more.
function directory.procedures(client)
  local exact = client:call("wamp.registration.list").exact
  local ids = table.move(exact, 1, math.min(#exact, MOST), 1, {})
  local details = ask_all(client, "wamp.registration.get", ids)
  local uris = {}
  for i = 1, #ids do
    if details[i] and details[i].uri ~= core.null then uris[#uris + 1] = details[i].uri end
  end
  return uris
end

return directory
