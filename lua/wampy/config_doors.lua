-- config_doors.lua - the ways into a router, each with those who may join by it.
--
-- Each transport of a configuration has an `auth` of its own, and so has each part of one: a
-- WebSocket among the paths of a web, the RawSocket of a universal. Each is a door of the router
-- (src/router/doors.c), known by its number; those whose `auth` says the same share a store of
-- principals. A door has a name, so that it is the same one when the configuration is read again.

local checks = require "wampy.config_check"

local config_doors = {}

-- The store of a part's principals, from 0; a new one unless there is one of the same `auth`.
local function store_of(part, seen, principals)
  for i, auth in ipairs(seen) do
    if checks.same(auth, part.auth or false) then return i - 1 end
  end
  seen[#seen + 1] = part.auth or false
  for _, p in ipairs(part.principals or {}) do
    p.store = #seen - 1
    principals[#principals + 1] = p
  end
  return #seen - 1
end

-- A name may come twice where any free port is asked for twice.
local function unique(name, names)
  names[name] = (names[name] or 0) + 1
  return names[name] > 1 and ("%s #%d"):format(name, names[name]) or name
end

--- What is spoken at a transport: itself, which has the rules of its first part, and the others.
-- @param t of config_transport.read
-- @return list of parts
function config_doors.parts(t)
  return { t, table.unpack(t.parts or {}) }
end

--- Numbers the doors of transports: each part gets `door`, as src/lua/listen_options.h has it, in
-- place of auth, principals and way; nil for the first.
-- @param transports of config_transport.read
-- @return list of principals, each with his store; list of doors { name, store }; as core.router
-- takes them
function config_doors.assign(transports)
  local seen, names, principals, doors = {}, {}, {}, {}
  for _, t in ipairs(transports) do
    for _, part in ipairs(t.files_only and {} or config_doors.parts(t)) do
      doors[#doors + 1] = { name = unique(t.at .. part.way, names),
        store = store_of(part, seen, principals) }
      part.door = doors[2] and #doors - 1 or nil
      part.auth, part.principals, part.way = nil, nil, nil
    end
    t.at = nil
  end
  return principals, doors
end

--- All ways lead to the first door: somebody else says who may join.
-- @param transports that are numbered
function config_doors.join(transports)
  for _, t in ipairs(transports) do
    for _, part in ipairs(config_doors.parts(t)) do part.door = nil end
  end
end

return config_doors
