-- time_limits_spec: calls whose time is over, at the callee, which keeps the time that its caller
-- gave; and handlers that outlive their session. They put the clock forward.
local testing = require "wampy.testing"
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local errors, options = wampy.errors, wampy.options

describe("a callee that keeps its caller's time", function()
  local net, service, client, ended

  before_each(function()
    net = testing.network()
    service, client = net:client(), net:client()
    ended = wampy.queue()
  end)

  it("is told it, and answers when it is over, whatever its handler does then", function()
    local timeout, late
    service:register("slow", function(details)
      timeout = details.timeout
      local ok, e = pcall(wampy.sleep, 60)
      assert.is_true(details:is_canceled())
      late = e
      ended:put(ok)
      return "late"
    end, { forward_timeout = true })
    local f = client:call_async("slow", options { timeout_ms = 2000 })
    net.clock:advance(1.9)
    assert.equal(2000, timeout)
    assert.is_false(f:done())
    net.clock:advance(0.2)
    local e = pair.failure(f.wait, f)
    assert.equal("wamp.error.timeout", e.uri)
    assert.equal("the callee did not answer in time", e.message)
    assert.is_false(ended:get(pair.PATIENCE))
    assert.is_true(wampy.is_error(late, errors.Canceled))
  end)

  it("has it anew after each part of the result", function()
    service:register("parts", function(details)
      for i = 1, 4 do
        wampy.sleep(i)
        details:progress(i)
      end
    end, { forward_timeout = true })
    local seen = {}
    local f = client:call_async("parts", options { timeout_ms = 3500,
      on_progress = function(i) seen[#seen + 1] = i end })
    net.clock:advance(20)
    assert.equal("wamp.error.timeout", pair.failure(f.wait, f).uri)
    assert.same({ 1, 2, 3 }, seen)
  end)

  it("answers in time as ever, and each call has its own", function()
    service:register("slow", function(seconds)
      wampy.sleep(seconds)
      return seconds
    end, { forward_timeout = true })
    local quick = client:call_async("slow", 1, options { timeout_ms = 2000 })
    local slow = client:call_async("slow", 3, options { timeout_ms = 2000 })
    local free = client:call_async("slow", 5)
    net.clock:advance(10)
    assert.equal(1, quick:wait())
    assert.equal("wamp.error.timeout", pair.failure(slow.wait, slow).uri)
    assert.equal(5, free:wait())
  end)

  it("does not answer a call of its next session with what was meant for the last", function()
    local App = wampy.Client:extend("App")
    local first = true
    App.ask = wampy.callee(function()
      if not first then
        wampy.sleep(20)
        return "second"
      end
      first = false
      wampy.sleep(10)
      return "first"
    end)
    local app = net:start(App, { reconnect = { initial = 1, factor = 1, jitter = 0 } })
    local one = client:call_async("ask")
    net.clock:advance(1)
    net:link(app):drop()
    net.clock:advance(5)
    assert.is_true(wampy.is_error(pair.failure(one.wait, one)))
    local two = client:call_async("ask")
    net.clock:advance(30)
    assert.equal("second", two:wait())
  end)
end)
