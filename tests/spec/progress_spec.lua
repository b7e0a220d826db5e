-- progress_spec: a callee's progressive results, and the caller that asked for them.
local testing = require "wampy.testing"
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"

describe("progressive results", function()
  local p = pair.each(before_each, after_each)

  local function ask(...)
    local seen = {}
    local options = wampy.options { on_progress = function(v) seen[#seen + 1] = v end }
    local result = p.client:call("count", ..., options)
    return result, seen
  end

  it("come in order, and the final one ends the call", function()
    p.server:register("count", function(n)
      for i = 1, n do assert(wampy.progress(i)) end
      return "done"
    end)
    local result, seen = ask(5)
    assert.equal("done", result)
    assert.same({ 1, 2, 3, 4, 5 }, seen)
  end)

  it("go out by details:progress, too", function()
    p.server:register("count", function(n, details)
      for i = 1, n do details:progress(i * 10) end
      return n
    end)
    local result, seen = ask(2)
    assert.equal(2, result)
    assert.same({ 10, 20 }, seen)
  end)

  it("are not sent to a caller that asked for none", function()
    local sent
    p.server:register("count", function() sent = wampy.progress(1) return "plain" end)
    assert.equal("plain", p.client:call("count"))
    assert.is_false(sent)
  end)

  it("have keyword arguments, too", function()
    p.server:register("count", function(n, details)
      details:progress(n, nil, 3, wampy.kwargs { k = "v" })
      return details:progress(wampy.kwargs { only = true })
    end)
    local seen = {}
    p.client:call("count", 1, wampy.options { on_progress = function(...)
      seen[#seen + 1] = table.pack(...)
    end })
    assert.same({ { 1, nil, 3, { k = "v" }, n = 4 }, { { only = true }, n = 1 } }, seen)
  end)

  it("may keep their function waiting", function()
    p.server:register("count", function(n) wampy.progress(n) return n end)
    local seen = wampy.queue()
    p.client:call("count", 1, wampy.options { on_progress = function(n)
      wampy.sleep(0)
      seen:put(n)
    end })
    assert.equal(1, seen:get(pair.PATIENCE))
  end)

  it("are reported when their function fails, and the call goes on", function()
    local heard
    function p.client.on_error(_, e, where) heard = { e, where } end
    p.server:register("count", function(n) wampy.progress(n) return n end)
    local lines = pair.logged(function()
      assert.equal(7, p.client:call("count", 7, wampy.options { on_progress = function(n)
        error("no " .. n, 0)
      end }))
      wampy.sleep(0)
    end)
    assert.matches("^error: in the handler of count %(on_progress%): no 7", lines[1])
    assert.same({ "no 7", "count (on_progress)" }, heard)
  end)

  it("of more values than a function can be given are an error of their own", function()
    local peer <close> = testing.peer(p.router)
    peer:send { 1, "realm1", { roles = { callee = {
      features = { progressive_call_results = true } } } } }
    assert.equal(2, peer:recv()[1])
    peer:send { 64, 1, {}, "com.many" }
    assert.equal(65, peer:recv()[1])
    local lines = pair.logged(function()
      local f = p.client:call_async("com.many", wampy.options { on_progress = error })
      local invocation = peer:recv()[2]
      peer:send(('[70,%d,{"progress":true},[%s0]]'):format(invocation, ("0,"):rep(1000000)))
      peer:send { 70, invocation, {}, { "done" } }
      assert.equal("done", f:wait(pair.PATIENCE))
    end)
    assert.matches("in the handler of com.many %(on_progress%): stack overflow", lines[1])
  end)

  it("for which no task is left are lost, and the call goes on", function()
    p.server:register("count", function(n)
      for i = 1, n do wampy.progress(i) end
      return n
    end)
    wampy.Client { router = p.router, max_tasks = 12 }
    local seen = 0
    assert.equal(50, p.client:call("count", 50, wampy.options { on_progress = function()
      seen = seen + 1
    end }))
    wampy.Client { router = p.router, max_tasks = 10000 }
    assert.is_true(seen > 0 and seen < 50)
  end)

  it("belong to a callee's task", function()
    assert.matches("only in the task of a callee", pair.failure(wampy.progress, 1))
  end)
end)
