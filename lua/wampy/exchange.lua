-- exchange.lua - gives a client that serves another class: roles of the same URI and options keep
-- their registration and get the new function, in one step; then what is new is registered, and
-- what is gone unregistered.
--
-- `prepare` finds what is wrong with the class, and changes nothing; `apply` cannot fail and does
-- not wait; `settle` talks to the router.

local bindings = require "wampy.bindings"
local Client = require "wampy.client"
local core = require "wampy.core"
local roles = require "wampy.roles"
local tasks = require "wampy.tasks"

local exchange = {}

-- Two roles of the same key can follow each other in one registration.
local function key_of(entry, i)
  local parts = {}
  for name, value in pairs(bindings.sent(entry.options)) do
    parts[#parts + 1] = ("%s=%s"):format(name, value)
  end
  table.sort(parts)
  return ("%s %s %s"):format(entry.kind, entry.uris[i], table.concat(parts, " "))
end

-- Every URI of roles: a list of { entry, i, key }.
local function places(list)
  local result = {}
  for _, entry in ipairs(list) do
    for i in ipairs(entry.kind ~= "timer" and entry.uris or {}) do
      result[#result + 1] = { entry = entry, i = i, key = key_of(entry, i) }
    end
  end
  return result
end

local function by_key(list)
  local found = {}
  for _, place in ipairs(list) do
    found[place.key] = found[place.key] or {}
    table.insert(found[place.key], place)
  end
  return found
end

--- Works out what a client of another class would be.
-- @param client the client
-- @param class its class to be
-- @return plan; raises WampyError for what is wrong with the class
function exchange.prepare(client, class)
  local list = roles.collect(class, Client)
  bindings.prepare(client, list)
  local before = by_key(places(client._roles or {}))
  local plan = { client = client, class = class, roles = list, same = {}, new = {}, gone = {} }
  for _, place in ipairs(places(list)) do
    local old = before[place.key] and table.remove(before[place.key], 1)
    if old then
      plan.same[#plan.same + 1] = { old, place }
    else
      plan.new[#plan.new + 1] = place
    end
  end
  for _, old in ipairs(places(client._roles or {})) do
    for _, left in ipairs(before[old.key]) do
      if left.entry == old.entry and left.i == old.i then plan.gone[#plan.gone + 1] = left end
    end
  end
  return plan
end

--- Carries a plan out, as far as the client itself goes.
function exchange.apply(plan)
  for _, pair in ipairs(plan.same) do
    local old, new = pair[1], pair[2]
    local handler = old.entry.handlers[old.i]
    core.handler_renew(handler, new.entry.handlers[new.i])
    new.entry.handlers[new.i], new.entry.ids[new.i] = handler, old.entry.ids[old.i]
  end
  plan.client:_become(plan.class, plan.roles)
end

-- Each request in a task of its own: they go out together, in this order.
local function request(list, fn, client, failures)
  local asked = {}
  for _, place in ipairs(list) do
    asked[#asked + 1] = tasks.spawn(function()
      local ok, e = pcall(fn, client, place.entry, place.i)
      if not ok then failures[#failures + 1] = { place = place, error = e } end
    end)
  end
  return asked
end

--- Tells the router what has changed. Without a session there is nothing to tell: the next one
-- begins with the roles as they are then.
-- @return list of { place, error } of what the router refused
function exchange.settle(plan)
  local failures = {}
  if not plan.client.connected then return failures end
  local gone = request(plan.gone, bindings.unbind, plan.client, failures)
  local new = request(plan.new, bindings.bind, plan.client, failures)
  for _, task in ipairs(table.move(new, 1, #new, #gone + 1, gone)) do task:wait() end
  return failures
end

return exchange
