-- pair.lua: what most specs stand on: an embedded router in memory, a client that serves and one
-- that asks. Each spec file says `local pair = dofile "tests/spec/pair.lua"`.
--
-- No fixed port, no waiting for a time: what a spec waits for comes through a queue or an event,
-- each with PATIENCE seconds.
local testing = require "wampy.testing"
local wampy = require "wampy"

local pair = { PATIENCE = 30 }

--- A started router in memory, of realm1 unless `t` says otherwise; with WAMPY_TEST_ROUTER=crossbar
-- a real Crossbar.io, which the tests share.
function pair.router(t)
  t = t or {}
  if os.getenv "WAMPY_TEST_ROUTER" == "crossbar" and not next(t) then
    return setmetatable({ stop = function() end }, { __index = testing.router {} })
  end
  t.listen = false
  return wampy.routers.Embedded(t):start()
end

--- A client of the router, not started.
function pair.client(router, t)
  t = t or {}
  t.router = router
  t.call_timeout = t.call_timeout or pair.PATIENCE
  return wampy.Client(t)
end

--- Opens all three before each test of the describe block that calls it, and closes them after it.
-- @param fields of the two, besides: { server = {}, client = {} }; may be nil
-- @return a table with router, server and client, anew for each test
function pair.each(before_each, after_each, fields)
  local p = {}
  local function client(name)
    local t = { name = name }
    for key, value in pairs(fields and fields[name] or {}) do t[key] = value end
    return pair.client(p.router, t):start()
  end
  before_each(function()
    p.router = pair.router()
    p.server = client "server"
    p.client = client "client"
  end)
  after_each(function()
    p.server:stop() -- while the client is there: see session_decline_open of what Crossbar.io does
    p.client:stop()
    p.router:stop()
  end)
  return p
end

--- What `fn` raises; raises itself when it raises nothing.
function pair.failure(fn, ...)
  local ok, e = pcall(fn, ...)
  if ok then error("expected an error, but the call succeeded", 2) end
  return e
end

--- The message of what `fn` raises.
function pair.complaint(fn, ...)
  local ok, e = pcall(fn, ...)
  if ok then error("expected an error, but the call succeeded", 2) end
  return type(e) == "table" and e.message or tostring(e)
end

--- Stops the clients and lets wampy.run raise what became of a link that a test has cut, so that no
-- later run does.
function pair.settle(...)
  for _, client in ipairs { ... } do client:stop() end
  pcall(wampy.run)
end

--- What is logged while a function runs: a list of "level: text". What a router in a process of
-- its own prints meanwhile is not ours.
function pair.logged(fn, ...)
  local core = require "wampy.core"
  local lines, log = {}, core.log
  core.log = function(level, text)
    if not text:find("^crossbar: ") then lines[#lines + 1] = level .. ": " .. text end
  end
  local ok, e = pcall(fn, ...)
  core.log = log
  if not ok then error(e, 0) end
  return lines
end

return pair
