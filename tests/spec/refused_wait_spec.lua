-- refused_wait_spec: a request that raises "cannot wait here" has not been sent.
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"

describe("a request where nobody can wait", function()
  local p = pair.each(before_each, after_each)

  -- Runs `fn` in a task's sort callback; what it raised.
  local function refused(fn)
    return wampy.spawn(function()
      local raised
      table.sort({ 1, 2 }, function(a, b)
        local ok, e = pcall(fn)
        raised = raised or (ok and "nothing" or tostring(e))
        return a < b
      end)
      return raised
    end):wait()
  end

  local function check(fn)
    assert.match("cannot wait here", refused(fn), 1, true)
  end

  it("registers nothing", function()
    check(function() p.server:register("here", print) end)
    assert.equal("wamp.error.no_such_procedure", pair.failure(p.client.call, p.client, "here").uri)
  end)

  it("subscribes to nothing", function()
    check(function() p.server:subscribe("topic", print) end)
    p.client:publish("topic", 1, wampy.options { acknowledge = true })
    assert.equal(0, p.router:stats().subscriptions)
  end)

  it("publishes nothing with acknowledge", function()
    local q = wampy.queue()
    p.server:subscribe("topic", function(v) q:put(v) end)
    check(function() p.client:publish("topic", 1, wampy.options { acknowledge = true }) end)
    p.client:publish("topic", 2)
    assert.equal(2, q:get(pair.PATIENCE))
  end)

  it("keeps what it could not give back", function()
    local q = wampy.queue()
    local registration = p.server:register("there", function() return 7 end)
    local subscription = p.server:subscribe("topic", function(v) q:put(v) end)
    check(function() registration:unregister() end)
    check(function() subscription:unsubscribe() end)
    assert.equal(7, p.client:call("there"))
    p.client:publish("topic", 3)
    assert.equal(3, q:get(pair.PATIENCE))
  end)
end)
