-- pubsub_spec: publishing and subscribing.
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local kwargs, options, errors = wampy.kwargs, wampy.options, wampy.errors

describe("publish and subscribe:", function()
  local p = pair.each(before_each, after_each)
  local heard

  before_each(function() heard = wampy.queue() end)

  local function listen(topic, tag, opts)
    return p.server:subscribe(topic, function(...)
      heard:put { tag = tag, n = select("#", ...), ... }
    end, opts)
  end

  local function next_heard()
    return assert(heard:get(pair.PATIENCE))
  end

  -- What has been heard up to now: a last event goes the same way behind all others.
  local function drain()
    local last = wampy.event()
    local held = p.server:subscribe("the.end", function() last:set() end)
    p.client:publish("the.end")
    assert.is_true(last:wait(pair.PATIENCE))
    held:unsubscribe()
    local list = {}
    while #heard > 0 do list[#list + 1] = heard:get() end
    return list
  end

  describe("the positional form", function()
    it("carries arguments and keywords", function()
      listen "topic"
      p.client:publish("topic", 1, "two", kwargs { k = "v" })
      local e = next_heard()
      assert.equal(3, e.n)
      assert.same({ 1, "two" }, { e[1], e[2] })
      assert.equal("v", e[3].k)
    end)

    it("may be written with dots", function()
      listen "com.x"
      p.client.publish.com.x(7)
      assert.equal(7, next_heard()[1])
      p.client.publish("com.x", 8)
      assert.equal(8, next_heard()[1])
    end)

    it("may carry nothing", function()
      listen "topic"
      p.client:publish("topic")
      assert.equal(0, next_heard().n)
    end)

    it("returns nothing without acknowledge", function()
      assert.equal(0, select("#", p.client:publish("topic", 1)))
    end)
  end)

  it("a handler none of whose parameters an event fits is named once", function()
    local app = p.server
    local heard_by = 0
    app:subscribe("weather", function(degrees, _wind) heard_by = heard_by + 1 return degrees end)
    local lines = pair.logged(function()
      for _ = 1, 3 do p.client:publish("weather", kwargs { temp = 1, city = "Oslo" }) end
      p.client:publish("weather", kwargs { degrees = 2, sky = "blue" }) -- fits: no word about sky
      drain()
    end)
    assert.equal(4, heard_by)
    assert.equal(1, #lines)
    assert.match("^warn: subscriber of weather %(.*pubsub_spec.lua:%d+%): the event's keywords "
      .. "%(city, temp%) fit none of its parameters %(_wind, degrees%) %[W911%]$", lines[1])
  end)

  describe("wampy's keyword form", function()
    it("carries its keywords", function()
      listen "topic"
      p.client:publish { topic = "topic", message = { foo = "bar" }, more = 1 }
      local e = next_heard()
      assert.equal(1, e.n)
      assert.same({ foo = "bar" }, e[1].message)
      assert.equal(1, e[1].more)
      assert.is_nil(e[1].topic)
    end)

    it("takes options", function()
      local id = p.client:publish { topic = "topic", message = 1, options = { acknowledge = true } }
      assert.equal("integer", math.type(id))
    end)

    it("leaves the table as it is", function()
      local t = { topic = "topic", message = 1, options = { acknowledge = true } }
      p.client:publish(t)
      assert.same({ topic = "topic", message = 1, options = { acknowledge = true } }, t)
      assert.is_nil(getmetatable(t.options))
    end)

    it("needs a topic and a message", function()
      assert.equal("publish needs a topic", pair.complaint(p.client.publish, { message = 1 }))
      assert.equal("publish needs a topic", pair.complaint(p.client.publish, {}))
      assert.equal("publish needs at least one message",
        pair.complaint(p.client.publish, { topic = "topic" }))
      assert.equal("publish needs at least one message",
        pair.complaint(p.client.publish, { topic = "topic", options = {} }))
      assert.equal("publish: options must be a table",
        pair.complaint(p.client.publish, { topic = "topic", message = 1, options = 1 }))
      assert.equal("publish needs a topic", pair.complaint(p.client.publish))
      assert.equal("publish needs a topic", pair.complaint(p.client.publish, 7))
    end)
  end)

  it("acknowledge returns the id that the subscriber sees", function()
    local seen = wampy.queue()
    p.server:subscribe("topic", function(details) seen:put(details.publication) end)
    local id = p.client:publish("topic", options { acknowledge = true })
    assert.equal(id, seen:get(pair.PATIENCE))
  end)

  it("acknowledge raises on refusal", function()
    local e = pair.failure(p.client.publish, "wamp.reserved", 1, options { acknowledge = true })
    assert.is_true(wampy.is_error(e))
  end)

  it("a bad topic is refused before it is sent", function()
    for _, topic in ipairs { "a..b", "a b", "" } do
      assert.is_true(wampy.is_error(pair.failure(p.client.publish, topic, 1)), topic)
      local e = pair.failure(p.server.subscribe, p.server, topic, print)
      assert.is_true(wampy.is_error(e), topic)
    end
    assert.is_true(p.client.connected)
  end)

  it("the publisher does not hear itself, unless exclude_me is false", function()
    listen "topic"
    p.server:publish("topic", "excluded")
    p.server:publish("topic", "included", options { exclude_me = false })
    assert.equal("included", next_heard()[1])
    p.server:publish { topic = "topic", message = "m", options = { exclude_me = false } }
    assert.equal("m", next_heard()[1].message)
    assert.equal(0, #heard)
  end)

  it("all handlers of a topic run in the order of subscribing", function()
    for i = 1, 3 do listen("topic", i) end
    p.client:publish("topic", "x")
    local tags = {}
    for i = 1, 3 do tags[i] = next_heard().tag end
    assert.same({ 1, 2, 3 }, tags)
    assert.equal(1, p.router:stats().subscriptions)
  end)

  it("unsubscribe takes one handler, the last one the subscription", function()
    local one, two = listen("topic", 1), listen("topic", 2)
    assert.equal(one.id, two.id)
    one:unsubscribe()
    p.client:publish("topic", "x")
    local list = drain()
    assert.equal(1, #list)
    assert.equal(2, list[1].tag)
    assert.equal(1, #p.server.subscription_map[two.id].handlers)
    two:unsubscribe()
    assert.is_nil(p.server.subscription_map[two.id])
    assert.equal(0, p.router:stats().subscriptions)
    p.client:publish("topic", "x")
    assert.same({}, drain())
  end)

  it("unsubscribe within the handler", function()
    local held
    held = p.server:subscribe("topic", function(v)
      held:unsubscribe()
      heard:put { v }
    end)
    p.client:publish("topic", 1)
    assert.equal(1, next_heard()[1])
    p.client:publish("topic", 2)
    assert.same({}, drain())
  end)

  it("unsubscribe twice is harmless or says what is wrong", function()
    local held = listen "topic"
    held:unsubscribe()
    local ok, e = pcall(held.unsubscribe, held)
    assert.is_true(ok or wampy.is_error(e))
    assert.is_true(p.server.connected)
  end)

  it("a list of topics", function()
    local held = listen { "topic.a", "topic.b" }
    assert.same({ "topic.a", "topic.b" }, held.topic)
    p.client:publish("topic.a", "a")
    p.client:publish("topic.b", "b")
    assert.equal("a", next_heard()[1])
    assert.equal("b", next_heard()[1])
    assert.equal(2, p.router:stats().subscriptions)
    held:unsubscribe()
    assert.equal(0, p.router:stats().subscriptions)
  end)

  it("patterns, with the topic in details", function()
    p.server:subscribe("com.", function(v, details) heard:put { "prefix", v, details.topic } end,
      { match = "prefix" })
    p.server:subscribe("com..end", function(v, details) heard:put { "wild", v, details.topic } end,
      { match = "wildcard" })
    p.client:publish("com.x.end", 1)
    local got = {}
    for _ = 1, 2 do
      local e = next_heard()
      got[e[1]] = e
    end
    assert.same({ "prefix", 1, "com.x.end" }, got.prefix)
    assert.same({ "wild", 1, "com.x.end" }, got.wild)
  end)

  it("events of one publisher arrive in order", function()
    p.server:subscribe("topic", function(i) heard:put(i) end)
    for i = 1, 500 do p.client:publish("topic", i) end
    for i = 1, 500 do assert.equal(i, heard:get(pair.PATIENCE)) end
  end)

  it("a subscriber publishes", function()
    p.server:subscribe("in", function(v) p.server:publish("out", v + 1) end)
    p.client:subscribe("out", function(v) heard:put(v) end)
    p.client:publish("in", 1)
    assert.equal(2, heard:get(pair.PATIENCE))
  end)

  it("a subscriber calls, and subscribes", function()
    p.client:register("double", function(v) return v * 2 end)
    p.server:subscribe("in", function(v)
      p.server:subscribe("more", function(w) heard:put(w) end)
      p.client:publish("more", p.server:call("double", v))
    end)
    p.client:publish("in", 4)
    assert.equal(8, heard:get(pair.PATIENCE))
  end)

  it("a handler that raises stops nothing", function()
    p.server:subscribe("topic", function(v) error("on purpose " .. v) end)
    listen "topic"
    p.server:register("alive", function() return true end)
    for i = 1, 3 do p.client:publish("topic", i) end
    for i = 1, 3 do assert.equal(i, next_heard()[1]) end
    assert.is_true(p.client:call("alive"))
    assert.is_true(p.server.connected)
  end)

  it("a handler that waits does not hold up the next event", function()
    local release = wampy.event()
    p.server:subscribe("topic", function(v)
      if v == "slow" then release:wait(pair.PATIENCE) end
      heard:put(v)
    end)
    p.client:publish("topic", "slow")
    p.client:publish("topic", "fast")
    assert.equal("fast", heard:get(pair.PATIENCE))
    release:set()
    assert.equal("slow", heard:get(pair.PATIENCE))
  end)

  it("eligible and exclude choose who hears", function()
    listen("topic", "server")
    local other <close> = pair.client(p.router):start()
    other:subscribe("topic", function(v) heard:put { tag = "other", v } end)
    p.client:publish("topic", 1, options { exclude = { other.session.id } })
    p.client:publish("topic", 2, options { eligible = { other.session.id } })
    local got = { next_heard(), next_heard() }
    table.sort(got, function(a, b) return a[1] < b[1] end)
    assert.same({ "server", "other" }, { got[1].tag, got[2].tag })
    assert.same({}, drain())
  end)

  it("try_publish says that it was sent", function()
    listen "topic"
    assert.is_true(p.client:try_publish("topic", 1))
    assert.equal(1, next_heard()[1])
    assert.is_true(p.client:try_publish { topic = "topic", message = 2 })
    assert.equal(2, next_heard()[1].message)
  end)

  it("a link that cannot keep up: try_publish returns false, publish waits", function()
    local q = wampy.queue()
    p.server:subscribe("big", function(i) q:put(i) end)
    local big, sent, full = ("x"):rep(4 * 1024 * 1024), 0, false
    for i = 1, 40 do
      if not p.client:try_publish("big", i, big) then
        full = true
        break
      end
      sent = i
    end
    assert.is_true(full)
    p.client:publish("big", sent + 1, big)
    p.client:publish("big", sent + 2)
    local last
    repeat last = q:get(pair.PATIENCE) until not last or last == sent + 2
    assert.equal(sent + 2, last)
    assert.is_true(p.client.connected)
  end)

  it("a message that is too large raises, and the session goes on", function()
    local e = pair.failure(p.client.publish, "topic", ("x"):rep(17 * 1024 * 1024))
    assert.is_true(wampy.is_error(e))
    assert.matches("max_message_size", e.message)
    listen "topic"
    p.client:publish("topic", 1)
    assert.equal(1, next_heard()[1])
  end)

  it("only functions subscribe", function()
    for _, bad in ipairs { {}, "f", 1 } do
      assert.matches("subscribe: expected a function",
        pair.complaint(p.server.subscribe, p.server, "topic", bad))
    end
    assert.is_true(wampy.is_error(pair.failure(p.server.subscribe, p.server, "topic"),
      errors.WampyError))
  end)
end)
