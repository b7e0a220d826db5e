local testing = require "wampy.testing"
local wampy = require "wampy"
local kwargs, options = wampy.kwargs, wampy.options

describe("apps/12-bridge", function()
  local bridge, nets, near, far, caller, callee

  before_each(function()
    bridge = dofile "apps/12-bridge/bridge.lua"
    nets = { near = testing.network(), far = testing.network() }
    local again = { reconnect = { initial = 1, jitter = 0 } }
    near, far = nets.near:start(wampy.Client, again), nets.far:start(wampy.Client, again)
    caller, callee = nets.near:client(), nets.far:client()
  end)

  local function failure(uri, ...)
    local ok, e = pcall(caller.call, caller, uri, ...)
    assert.is_false(ok)
    return e
  end

  describe("forwards calls", function()
    it("with arguments and results, by position and by keyword", function()
      bridge.calls(near, far, "com.shop.price")
      callee:register("com.shop.price", function(item, quantity)
        return item .. "!", kwargs { quantity = quantity }
      end)
      local item, more = caller:call("com.shop.price", "tea", kwargs { quantity = 2 })
      assert.same({ "tea!", 2 }, { item, more.quantity })
    end)

    it("of all URIs with a prefix, and of no others", function()
      bridge.calls(near, far, "com.shop.")
      callee:register("com.shop.b", function() return "b" end)
      callee:register("com.other", function() return "other" end)
      assert.equal("b", caller:call("com.shop.b"))
      assert.equal("wamp.error.no_such_procedure", failure("com.shop.none").uri)
      assert.equal("wamp.error.no_such_procedure", failure("com.other").uri)
    end)

    it("with errors as they are", function()
      bridge.calls(near, far, "com.shop.")
      callee:register("com.shop.fails", function(n)
        error(wampy.error("com.shop.error", n, "text", kwargs { limit = 3 }))
      end)
      local e = failure("com.shop.fails", 7)
      assert.same({ "com.shop.error", { 7, "text" }, 3 },
        { e.uri, { table.unpack(e.args) }, e.kwargs.limit })
    end)

    it("with results in parts, in their order", function()
      bridge.calls(near, far, "com.shop.")
      callee:register("com.shop.list", function(n, details)
        for i = 1, n do details:progress(i, kwargs { twice = 2 * i }) end
        return "done"
      end)
      local seen = {}
      local stream = caller:stream("com.shop.list", 4)
      for i, part, more in stream do seen[i] = part .. "/" .. more.twice end
      assert.same({ "1/2", "2/4", "3/6", "4/8" }, seen)
      assert.equal("done", stream:result())
      assert.equal("done", caller:call("com.shop.list", 4))
    end)

    it("and their cancellation, with and without parts", function()
      bridge.calls(near, far, "com.shop.")
      local ended = wampy.queue()
      callee:register("com.shop.hangs", function(details)
        local mark <close> = setmetatable({}, { __close = function(_, e) ended:put(e.name) end })
        details:progress("begun")
        wampy.sleep(60)
        return mark
      end)
      local future = caller:call_async("com.shop.hangs")
      future:cancel()
      assert.is_false(pcall(future.wait, future))
      assert.equal("Canceled", ended:get(10))
      local stream = caller:stream("com.shop.hangs")
      assert.same({ 1, "begun" }, { stream() })
      stream:cancel()
      assert.equal("Canceled", ended:get(10))
    end)

    it("never round in a circle", function()
      bridge.calls(near, far, "com.shop.")
      assert.error_matches(function() bridge.calls(far, near, "com.shop.price") end,
        "com.shop.price: com.shop. is forwarded the other way already")
      assert.error_matches(function() bridge.calls(far, near, "com.") end, "the other way already")
      bridge.calls(far, near, "com.shops")
    end)
  end)

  describe("forwards events", function()
    local heard

    before_each(function()
      heard = wampy.queue()
      for name, client in pairs { near = caller, far = callee } do
        client:subscribe("com.news.", function(text, details, k)
          heard:put(("%s: %s %s %s"):format(name, details.topic, text, tostring(k)))
        end, { match = "prefix" })
      end
      bridge.events(near, far, "com.news.")
      bridge.events(far, near, "com.news.")
    end)

    it("both ways, each once", function()
      caller:publish("com.news.a", "hello", kwargs { k = 1 })
      assert.equal("far: com.news.a hello 1", heard:get(10))
      callee:publish("com.news.b", "there", kwargs { k = 2 })
      assert.equal("near: com.news.b there 2", heard:get(10))
      caller:publish("com.news.c", "to all", options { exclude_me = false })
      local both = { heard:get(10), heard:get(10) }
      table.sort(both)
      assert.same({ "far: com.news.c to all nil", "near: com.news.c to all nil" }, both)
      assert.equal(2, #nets.near.published["com.news.a"] + #nets.far.published["com.news.a"])
    end)

    it("in their order", function()
      for i = 1, 20 do caller:publish("com.news.n", i) end
      for i = 1, 20 do
        assert.equal(("far: com.news.n %d nil"):format(i), heard:get(10))
      end
    end)
  end)

  it("says when a side is away, and goes on when it is back", function()
    bridge.calls(near, far, "com.shop.")
    local function serve() callee:register("com.shop.now", function() return "now" end) end
    serve()
    assert.equal("now", caller:call("com.shop.now"))
    nets.far:down()
    assert.equal("wamp.error.unavailable", failure("com.shop.now").uri)
    nets.far:up()
    nets.far.clock:advance(5)
    callee = nets.far:client()
    serve()
    assert.equal("now", caller:call("com.shop.now"))
    nets.near:link(near):drop()
    nets.near.clock:advance(5)
    testing.wait_for_session(near)
    assert.equal("now", caller:call("com.shop.now"))
  end)
end)
