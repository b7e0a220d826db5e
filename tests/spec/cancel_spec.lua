-- cancel_spec: calls that end early: the three modes of a cancel, and what the handler hears of it.
local testing = require "wampy.testing"
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local errors, options = wampy.errors, wampy.options

describe("a call that is canceled", function()
  local p = pair.each(before_each, after_each)
  local begun, ended

  -- Registers a procedure that tells when it begins and how it ends.
  local function serve(uri, fn)
    p.server:register(uri, function(details)
      local mark <close> = setmetatable({}, { __close = function(_, e)
        ended:put(e or "returned")
      end })
      begun:put(true)
      return fn(details, mark)
    end)
  end

  -- Calls it, and waits until its handler runs.
  local function start(uri)
    local f = p.client:call_async(uri)
    assert.is_true(begun:get(pair.PATIENCE))
    return f
  end

  local function canceled(e)
    return wampy.is_error(e, errors.Canceled), tostring(e)
  end

  before_each(function() begun, ended = wampy.queue(), wampy.queue() end)

  describe("by mode", function()
    before_each(function() serve("hangs", function() wampy.sleep(60) end) end)

    it("killnowait, or none, ends at once, and so does its handler", function()
      for _, mode in ipairs { "killnowait", false } do
        local f = start "hangs"
        f:cancel(mode or nil)
        assert(canceled(pair.failure(f.wait, f, pair.PATIENCE)))
        assert(canceled(ended:get(pair.PATIENCE)))
      end
    end)

    it("kill ends with what its handler answers", function()
      local f = start "hangs"
      f:cancel("kill")
      assert.is_false(f:done())
      assert.equal("wamp.error.canceled", pair.failure(f.wait, f, pair.PATIENCE).uri)
      assert(canceled(ended:get(pair.PATIENCE)))
      serve("saves", function()
        local ok = pcall(wampy.sleep, 60)
        return "saved", ok
      end)
      local g = start "saves"
      g:cancel("kill")
      assert.same({ "saved", false }, { g:wait(pair.PATIENCE) })
    end)

    it("skip ends at once, and its handler goes on", function()
      local go = wampy.event()
      serve("waits", function() return go:wait(pair.PATIENCE) end)
      local f = start "waits"
      f:cancel("skip")
      assert(canceled(pair.failure(f.wait, f, pair.PATIENCE)))
      pcall(p.client.call, p.client, "nobody.here") -- a round trip: no INTERRUPT came
      go:set()
      assert.equal("returned", ended:get(pair.PATIENCE))
    end)
  end)

  describe("raises Canceled in its handler", function()
    local blocks = 0

    local function interrupted(fn)
      blocks = blocks + 1
      serve("blocks" .. blocks, fn)
      local f = start("blocks" .. blocks)
      f:cancel()
      assert(canceled(ended:get(pair.PATIENCE)))
    end

    it("in a sleep", function() interrupted(function() wampy.sleep(60) end) end)

    it("in a wait for an event, a queue, a lock, a task", function()
      local mutex = wampy.mutex()
      local held <close> = mutex:lock()
      local task = wampy.spawn(wampy.sleep, 60)
      for _, fn in ipairs {
        function() wampy.event():wait() end,
        function() wampy.queue():get() end,
        function() return mutex:lock() end,
        function() task:wait() end,
      } do
        interrupted(fn)
      end
      task:cancel()
      assert.truthy(held)
    end)

    it("in a call of its own, which is canceled, too", function()
      local inner = wampy.queue()
      p.client:register("inner", function()
        local mark <close> = setmetatable({}, { __close = function(_, e) inner:put(e or 0) end })
        begun:put(mark)
        wampy.sleep(60)
      end)
      serve("outer", function() return p.server:call("inner") end)
      local f = start "outer"
      assert.truthy(begun:get(pair.PATIENCE))
      f:cancel()
      assert(canceled(ended:get(pair.PATIENCE)))
      assert(canceled(inner:get(pair.PATIENCE)))
    end)

    it("where it sends a part of the result", function()
      serve("parts", function(details)
        while true do details:progress(1) end
      end)
      local f = p.client:call_async("parts", options { on_progress = function() end })
      assert.truthy(begun:get(pair.PATIENCE))
      f:cancel()
      assert(canceled(ended:get(pair.PATIENCE)))
    end)

    it("once: <close> variables that run then may wait", function()
      local saved = wampy.queue()
      p.server:register("tidies", function()
        local tidy <close> = setmetatable({}, { __close = function()
          wampy.sleep(0.001)
          saved:put("saved")
        end })
        begun:put(tidy)
        wampy.sleep(60)
      end)
      local f = p.client:call_async("tidies")
      assert.truthy(begun:get(pair.PATIENCE))
      f:cancel()
      assert.equal("saved", saved:get(pair.PATIENCE))
    end)
  end)

  describe("while its handler computes", function()
    it("is seen by details:is_canceled(), which does not raise", function()
      local turns, after
      serve("computes", function(details)
        turns = 0
        repeat turns = turns + 1 until details:is_canceled()
        assert(details:is_canceled())
        after = pair.failure(wampy.sleep, 0) -- the next blocking point does
      end)
      local f = start "computes"
      f:cancel()
      assert.equal("returned", ended:get(pair.PATIENCE))
      assert.is_true(turns >= 1)
      assert(canceled(after))
    end)

    it("lets others run meanwhile", function()
      p.server:register("ping", function() return "pong" end)
      serve("computes", function(details)
        while not details:is_canceled() do assert(details) end
      end)
      local f = start "computes"
      assert.equal("pong", p.client:call("ping"))
      f:cancel()
      assert.equal("returned", ended:get(pair.PATIENCE))
    end)

    it("is not, when it never asks: its answer falls on nobody", function()
      local f
      serve("deaf", function()
        f:cancel()
        return "ready"
      end)
      f = p.client:call_async("deaf")
      assert(canceled(pair.failure(f.wait, f, pair.PATIENCE)))
      assert.equal("returned", ended:get(pair.PATIENCE))
      assert.equal("wamp.error.no_such_procedure",
        pair.failure(p.client.call, p.client, "nobody.here").uri)
    end)

    it("is also that the session is over, or that the task that asks is to end", function()
      serve("computes", function(details)
        while not details:is_canceled() do assert(details) end
      end)
      start "computes"
      p.server:stop()
      assert.equal("returned", ended:get(pair.PATIENCE))
      p.server:start()
      local kept
      serve("hangs", function(details)
        kept = details
        wampy.sleep(60)
      end)
      local f = start "hangs"
      local task = wampy.spawn(function() while not kept:is_canceled() do assert(kept) end end)
      wampy.sleep(0)
      task:cancel()
      task:wait(pair.PATIENCE)
      assert.is_false(kept:is_canceled())
      f:cancel()
      assert(canceled(ended:get(pair.PATIENCE)))
    end)

    it("is false before, in any task, and when the call is over", function()
      local kept
      p.server:register("plain", function(details)
        kept = details
        assert.is_false(details:is_canceled())
        return wampy.spawn(details.is_canceled, details):wait(pair.PATIENCE)
      end)
      assert.is_false(p.client:call("plain"))
      assert.is_false(kept:is_canceled())
      assert.is_false(kept:progress(1))
      assert.is_nil(kept:chunks()(kept, 0))
      serve("hangs", function(details)
        kept = details
        wampy.sleep(60)
      end)
      start("hangs"):cancel()
      assert(canceled(ended:get(pair.PATIENCE)))
      assert.is_true(kept:is_canceled())
    end)
  end)
end)

describe("a cancel that crosses the result", function()
  it("is a cancel, and the result is dropped", function()
    local net <close> = testing.network()
    local service, client = net:client(), net:client()
    local go = wampy.event()
    service:register("answer", function()
      go:wait(pair.PATIENCE)
      return 42
    end)
    service:register("echo", function(x) return x end)
    local f = client:call_async("answer")
    net.clock:advance(0)
    net:link(client):pause()
    go:set()
    net.clock:advance(0)
    f:cancel()
    net:link(client):resume()
    net.clock:advance(0)
    assert.is_true(wampy.is_error(pair.failure(f.wait, f), errors.Canceled))
    assert.equal(7, client:call("echo", 7))
    assert.same({}, client.request_ids)
  end)
end)
