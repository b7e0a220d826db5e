-- several_clients_spec: clients of one process are sessions of their own: equal request ids, and
-- answers that cross in time, and none gets what another one asked for.
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"

local NAMES, CALLS = { "first", "second" }, 20

describe("two clients of one process, at two routers,", function()
  local routers, callees, clients, running

  -- Answers with the router's name and what it was asked, when it is told to.
  local function slow(name)
    return function(n)
      local go = wampy.event()
      running:put { key = name .. n, go = go }
      go:wait(pair.PATIENCE)
      return name, n
    end
  end

  local function open(listen)
    for _, name in ipairs(NAMES) do
      routers[name] = wampy.routers.Embedded { listen = listen }:start()
      local where = listen and { url = routers[name].url } or { router = routers[name] }
      where.call_timeout = pair.PATIENCE
      callees[name], clients[name] = wampy.Client(where):start(), wampy.Client(where):start()
      callees[name]:register("com.slow", slow(name))
    end
  end

  -- The handlers of all calls, by router and number, once all of them run.
  local function handlers()
    local found = {}
    for _ = 1, #NAMES * CALLS do
      local handler = running:get(pair.PATIENCE)
      found[handler.key] = handler.go
    end
    return found
  end

  before_each(function() routers, callees, clients, running = {}, {}, {}, wampy.queue() end)

  after_each(function()
    for _, name in ipairs(NAMES) do
      clients[name]:stop()
      callees[name]:stop()
      routers[name]:stop()
    end
  end)

  for where, listen in pairs { ["in memory"] = false, ["over sockets"] = "127.0.0.1:0" } do
    it("never mix replies " .. where, function()
      open(listen)
      local futures = {}
      for n = 1, CALLS do
        for _, name in ipairs(NAMES) do
          futures[name .. n] = clients[name]:call_async("com.slow", n)
        end
      end
      assert.same(clients.first.request_ids, clients.second.request_ids)
      local go = handlers()
      for n = CALLS, 1, -1 do -- the last one first, the clients by turns
        for _, name in ipairs(NAMES) do
          go[name .. n]:set()
          assert.same({ name, n }, { futures[name .. n]:wait(pair.PATIENCE) })
        end
      end
    end)
  end

  it("do not hear each other's events, though the topic and its id are the same", function()
    open(false)
    local heard = wampy.queue()
    for _, name in ipairs(NAMES) do
      clients[name]:subscribe("com.topic", function(text) heard:put(name .. " heard " .. text) end)
    end
    for _, name in ipairs(NAMES) do
      callees[name]:publish("com.topic", name)
      assert.equal(("%s heard %s"):format(name, name), heard:get(pair.PATIENCE))
    end
    assert.equal(0, #heard)
  end)
end)
