-- Forwards calls and events between the routers of two clients. A URI that ends in a dot stands
-- for all that begin with it. What was registered comes back with its client by itself.
local wampy = require "wampy"

local bridge = {}

local forwarded = {} -- list of { from, to, uri }: the calls that are

local function policy(uri)
  return { match = uri:find("%.$") and "prefix" or "exact" }
end

local function begins_with(uri, other)
  return uri == other or (other:find("%.$") and uri:sub(1, #other) == other)
end

-- A call that were forwarded both ways would go round for ever.
local function refuse_loop(from, to, uri)
  for _, other in ipairs(forwarded) do
    if other.from == to and other.to == from
      and (begins_with(uri, other.uri) or begins_with(other.uri, uri)) then
      error(("%s: %s is forwarded the other way already"):format(uri, other.uri), 3)
    end
  end
  forwarded[#forwarded + 1] = { from = from, to = to, uri = uri }
end

-- Each part as it comes, then the result. A caller who leaves closes the stream, which cancels.
local function in_parts(to, details, ...)
  local stream <close> = to:stream(...)
  local part = table.pack(stream())
  while part[1] do
    details:progress(table.unpack(part, 2, part.n))
    part = table.pack(stream())
  end
  return stream:result()
end

-- What the other side answers is raised as it came; that there is no other side has a URI, too.
local function answer(ok, e, ...)
  if ok then return e, ... end
  if wampy.is_error(e, wampy.errors.ConnectionError) then
    e = wampy.error("wamp.error.unavailable", "the other router is away: " .. e.message)
  end
  error(e, 0)
end

--- Calls of a procedure that are made at one router are answered by who has it at the other.
-- @param from client that registers it
-- @param to client that calls it
-- @param uri of the procedure, or the beginning of URIs
-- @return the Registration
function bridge.calls(from, to, uri)
  refuse_loop(from, to, uri)
  return from:register(uri, function(details, ...)
    local procedure = details.procedure or uri
    if details.receive_progress then return answer(pcall(in_parts, to, details, procedure, ...)) end
    return answer(pcall(to.call, to, procedure, ...))
  end, policy(uri))
end

--- Events of a topic that are published at one router are published at the other, too. The other
-- way may be bridged as well: a router does not give a client what that has published itself.
-- While the other router is away they are lost, as for any subscriber.
-- @param from client that subscribes
-- @param to client that publishes
-- @param topic or the beginning of topics
-- @return the Subscription
function bridge.events(from, to, topic)
  return from:subscribe(topic, function(details, ...)
    if to.connected then to:publish(details.topic or topic, ...) end
  end, policy(topic))
end

return bridge
