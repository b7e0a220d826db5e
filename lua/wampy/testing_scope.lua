-- testing_scope.lua - who owns what a test opens, and what is left when the test is over.
--
-- Everything that the testing kit opens is added to a scope with the way to close it, and a scope
-- is closed as a whole, last opened first. Which scope it is decides `scope.pick`: there is one,
-- unless the kit's border to busted (testing_busted.lua) knows better: what a test and its
-- before_each open ends with the test, what a setup opens with its describe block.
--
-- The second half looks for what nobody closed: `snapshot` before a test, `leftovers` behind it.

local core = require "wampy.core"
local errors = require "wampy.errors"
local tasks = require "wampy.tasks"

local scope = {
  PATIENCE = 1, -- seconds that what is ending may take to end (on the system's clock)
}

-- ---- owning -----------------------------------------------------------------------------------

local scopes = {} -- key -> list of { thing =, close = }

--- The key of the scope that gets what is opened now.
function scope.pick() return "all" end

--- Puts a thing under the scope of this moment.
-- @param thing what was opened
-- @param close function(thing), harmless twice
-- @return thing
function scope.add(thing, close)
  local key = scope.pick()
  scopes[key] = scopes[key] or {}
  table.insert(scopes[key], { thing = thing, close = close })
  return thing
end

--- Closes what stands under a scope, last opened first.
-- @param key of the scope
-- @return list of what went wrong, as texts
function scope.close(key)
  local list, wrong = scopes[key] or {}, {}
  scopes[key] = nil
  for i = #list, 1, -1 do
    local ok, e = pcall(list[i].close, list[i].thing)
    if not ok then wrong[#wrong + 1] = ("closing %s: %s"):format(list[i].thing, e) end
  end
  return wrong
end

--- Stops a client, also behind a link that stands still.
function scope.stop_client(client)
  core.test.link(client._core, "heal")
  client:stop()
end

--- Puts a started client under the scope of this moment.
-- @param client a Client, started here
-- @return client
function scope.client(client)
  return scope.add(client:start(), scope.stop_client)
end

-- ---- what is left -----------------------------------------------------------------------------

-- The system's clock: tests put ours forward.
local function real_now()
  return core.now() - core.test.ahead()
end
scope.real_now = real_now

--- Lets the loop run until nothing is under way in memory; where nothing can run it, does nothing.
function scope.settle()
  if core.wait_mode() == "pump" then core.test.advance(0) end
end

--- What there is now, to compare with later.
function scope.snapshot()
  local s = { clients = {}, tasks = {}, sockets = core.test.sockets() }
  for client in pairs(tasks.started) do s.clients[client] = true end
  for _, number in pairs(core.test.threads()) do s.tasks[number] = true end
  return s
end

local function upvalue(fn, wanted)
  for i = 1, 255 do
    local name, value = debug.getupvalue(fn, i)
    if not name then return nil end
    if name == wanted then return value end
  end
end

-- Where a task stands: the line of the app that waits, or else the function that a timer or spawn
-- of ours was given.
local function place(thread)
  local given
  for level = 0, 100 do
    local info = debug.getinfo(thread, level, "Slf")
    if not info then break end
    if info.what ~= "C" then
      if not errors.is_ours(info.source) then
        return ("task that waits at %s:%d"):format(info.short_src, info.currentline)
      end
      local fn = not given and upvalue(info.func, "fn")
      if type(fn) == "function" then given = { fn = fn, timer = upvalue(info.func, "timer") } end
    end
  end
  if not given then return "task that has not begun" end
  local info = debug.getinfo(given.fn, "S")
  return ("%s with the function of %s:%d"):format(given.timer and "timer" or "task", info.short_src,
    info.linedefined)
end

local kept = {} -- numbers of tasks that outlive a test by the kit's own wish

--- Runs a function whose tasks go on when the test is over.
-- @return what it returns
function scope.keep(fn)
  local before = scope.snapshot()
  local result = fn()
  for _, number in pairs(core.test.threads()) do
    if not before.tasks[number] then kept[number] = true end
  end
  return result
end

-- What there is that was not there before, as texts.
local function compare(before)
  local found = {}
  for thread, number in pairs(core.test.threads()) do
    if not before.tasks[number] and not kept[number] then found[#found + 1] = place(thread) end
  end
  for fd, name in pairs(core.test.sockets()) do
    if before.sockets[fd] ~= name then found[#found + 1] = "socket " .. name end
  end
  table.sort(found)
  return found
end

local function is_owned(thing)
  for _, list in pairs(scopes) do
    for _, entry in ipairs(list) do
      if entry.thing == thing then return true end
    end
  end
  return false
end

--- Stops the clients that run, were not there before, and belong to nobody.
-- @param before a snapshot
-- @return list of texts
function scope.strays(before)
  local found = {}
  for _, client in ipairs(tasks.clients()) do
    if not before.clients[client] and not is_owned(client) then
      found[#found + 1] = "client " .. client.name
      scope.stop_client(client)
    end
  end
  return found
end

-- Runs the loop until `look` finds nothing, for PATIENCE seconds at most: what it found last.
local function wait_until_none(look)
  local limit = real_now() + scope.PATIENCE
  scope.settle()
  local found = look()
  while found[1] and real_now() < limit do
    core.turn(0.01)
    found = look()
  end
  return found
end

--- What was opened since a snapshot and is still there, when it had its time to end.
-- @param before a snapshot
-- @return list of texts, empty when nothing is left
function scope.leftovers(before)
  return wait_until_none(function() return compare(before) end)
end

--- Calls without an answer, of clients that a snapshot does not know.
-- @param before a snapshot
-- @return list of texts
function scope.open_calls(before)
  return wait_until_none(function()
    local found = {}
    for client in pairs(tasks.started) do
      for _, uri in pairs(before.clients[client] and {} or client.request_ids) do
        found[#found + 1] = ("%s of client %s without an answer"):format(uri, client.name)
      end
    end
    table.sort(found)
    return found
  end)
end

--- Cancels the tasks that began since a snapshot.
function scope.sweep(before)
  for number in pairs(kept) do before.tasks[number] = true end
  core.test.cancel(before.tasks)
  wait_until_none(function() return compare(before) end)
end

return scope
