-- testing_handlers_spec: waiting for what apps do, and one handler alone.
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local testing = require "wampy.testing"
local errors, kwargs = wampy.errors, wampy.kwargs

local App = wampy.Client:extend("App")
App.greet = wampy.callee "com.example.greet" (function(_, name, greeting)
  return ("%s %s"):format(greeting or "Hello", name), kwargs { length = #name }
end)
App.refuse = wampy.callee "com.example.refuse" (function()
  error(wampy.error("com.example.refused", 7))
end)
App.noted = wampy.subscriber "com.example.note" (function(self, text)
  wampy.sleep(0.001)
  if text == "fail" then error("cannot note that", 0) end
  self.text = text
end)
App.family = wampy.subscriber { topic = "com.family", match = "prefix" } (function(self, n)
  self.sum = (self.sum or 0) + n
end)
App.pattern = wampy.subscriber { topic = "com..born", match = "wildcard" } (function(self, n)
  self.born = n
end)

-- What `fn` raises when its limit of 5 seconds has passed, in no time.
local function times_out(net, fn, ...)
  local task = wampy.spawn(pcall, fn, ...)
  net.clock:advance(5.1)
  local ok, e = task:wait(pair.PATIENCE)
  assert.is_false(ok)
  assert.is_true(wampy.is_error(e, errors.TimeoutError), tostring(e))
  return e.message
end

describe("waiting", function()
  local net

  before_each(function() net = testing.network() end)

  it("for a session", function()
    local client = wampy.Client { router = net, name = "late" }
    assert.equal("wait_for_session: late has not joined realm1 within 5 s (not started)",
      times_out(net, testing.wait_for_session, client))
    local waiting = wampy.spawn(testing.wait_for_session, client)
    client:start()
    assert.equal(client.session.id, waiting:wait(pair.PATIENCE).id)
    client:stop()
  end)

  it("for registrations", function()
    local app = net:start(App)
    testing.wait_for_registrations(app, 2)
    testing.wait_for_registrations(app, 1)
    assert.equal("wait_for_registrations: App has 2 of 3 within 5 s: com.example.greet, "
      .. "com.example.refuse", times_out(net, testing.wait_for_registrations, app, 3))
    assert.equal("wait_for_registrations: wampy.Client has 0 of 1 within 5 s",
      times_out(net, testing.wait_for_registrations, net:client(), 1))
  end)

  it("for subscriptions", function()
    local app = net:start(App)
    testing.wait_for_subscriptions(app, 3)
    assert.equal("wait_for_subscriptions: App has 3 of 9 within 5 s: com..born, com.example.note, "
      .. "com.family", times_out(net, testing.wait_for_subscriptions, app, 9))
  end)

  it("for messages", function()
    local collector = testing.CollectingMessageHandler()
    local client = net:client { message_handler = collector }
    client:subscribe("com.example.topic", function() end)
    net:client():publish("com.example.topic", 1)
    local messages = testing.wait_for_messages(client, 3)
    assert.same({ "welcome", "subscribed", "event" },
      { messages[1].name, messages[2].name, messages[3].name })
    assert.equal(collector.messages, messages)
    assert.equal("wait_for_messages: wampy.Client has received 3 of 4 within 5 s: welcome, "
      .. "subscribed, event", times_out(net, testing.wait_for_messages, client, 4))
    assert.equal("wait_for_messages: plain has no CollectingMessageHandler",
      pair.complaint(testing.wait_for_messages, net:client { name = "plain" }, 1))
  end)

  it("needs a client and a number", function()
    for _, name in ipairs { "session", "registrations", "subscriptions", "messages" } do
      assert.equal(("wait_for_%s: expected a client, got nil"):format(name),
        pair.complaint(testing["wait_for_" .. name]))
    end
    assert.equal("wait_for_registrations: expected a number >= 0, got many",
      pair.complaint(testing.wait_for_registrations, net:client(), "many"))
  end)

  it("until a function stops raising", function()
    local tries = 0
    local function third()
      tries = tries + 1
      if tries < 3 then error(errors.make("TimeoutError", "not yet")) end
      return "done", tries
    end
    assert.same({ "done", 3 }, { testing.assert_stops_raising(third, { interval = 0.001 }) })
    tries = 0
    assert.equal("done", (testing.assert_stops_raising(third,
      { exception = errors.TimeoutError, interval = 0.001 })))
    tries = 0
    assert.equal("done", (testing.assert_stops_raising(third,
      { exception = "not yet", interval = 0.001 })))
    tries = 0
    assert.equal("not yet", pair.complaint(testing.assert_stops_raising, third,
      { exception = errors.ConnectionError }))
    assert.equal(1, tries)
  end)

  it("but not for ever", function()
    local tries = 0
    local task = wampy.spawn(pcall, testing.assert_stops_raising, function()
      tries = tries + 1
      error("never", 0)
    end)
    net.clock:advance(6)
    assert.same({ false, "never" }, { task:wait(pair.PATIENCE) })
    assert.equal(51, tries)
  end)
end)

describe("expecting an event", function()
  local net, app, client

  before_each(function()
    net = testing.network()
    app, client = net:start(App), net:client()
  end)

  it("waits until the handler has run to its end", function()
    local e <close> = testing.expect_event(App, "com.example.note", 2)
    client:publish("com.example.note", "one")
    client:publish("com.example.note", "two")
    assert.equal(0, e.count)
    assert.equal(2, e:wait())
    assert.equal("two", app.text)
  end)

  it("looks at one client of several", function()
    local Other = wampy.Client:extend("Other") -- another app, the same handler
    Other.family = App.family
    local other = net:start(Other)
    local mine <close> = testing.expect_event(app, "com.family.new")
    local others <close> = testing.expect_event(Other, "com.family")
    client:publish("com.family.new", 3)
    assert.same({ 1, 1 }, { mine:wait(), others:wait() })
    assert.same({ 3, 3 }, { app.sum, other.sum })
  end)

  it("keeps what the handler raised", function()
    local e <close> = testing.expect_event(App, "com.example.note")
    client:publish("com.example.note", "fail")
    e:wait()
    assert.same({ "cannot note that" }, e.errors)
  end)

  it("says how far it came", function()
    local e <close> = testing.expect_event(App, "com.example.note", 2)
    client:publish("com.example.note", "one")
    assert.equal("expect_event: the handler of com.example.note of App has run 1 of 2 times within "
      .. "0.2 s", pair.complaint(e.wait, e, 0.2))
  end)

  it("counts no more when it is closed", function()
    local e = testing.expect_event(App, "com.family.new")
    e:close()
    client:publish("com.family.new", 1)
    assert.equal(0, e.count)
  end)

  it("needs a class and a topic", function()
    assert.equal("expect_event: expected a class or client, and a topic",
      pair.complaint(testing.expect_event, "App", "com.x"))
  end)
end)

describe("one handler", function()
  it("is called as over the wire", function()
    local text, kw = testing.invoke(App, "com.example.greet", "wampy")
    assert.same({ "Hello wampy", 5 }, { text, kw.length })
    assert.equal("Hi wampy",
      (testing.invoke(App, "com.example.greet", "wampy", kwargs { greeting = "Hi" })))
    local e = pair.failure(testing.invoke, App, "com.example.greet", 1, 2, 3)
    assert.equal("wamp.error.invalid_argument", e.uri)
    assert.matches("takes 2 positional arguments, got 3", e.message)
  end)

  it("fails as over the wire", function()
    local e = pair.failure(testing.invoke, App, "com.example.refuse")
    assert.same({ "com.example.refused", 7 }, { e.uri, e.args[1] })
    e = pair.failure(testing.invoke, App, "com.example.nothing")
    assert.equal("wamp.error.no_such_procedure", e.uri)
  end)

  it("gets an event, and has run when that returns", function()
    assert.equal("hello", testing.event(App, "com.example.note", "hello").text)
    assert.equal(4, testing.event(App, "com.family.four", 4).sum)
    assert.equal(5, testing.event(App, "com.x.born", 5).born)
  end)

  it("raises here what it raises", function()
    assert.equal("cannot note that", pair.failure(testing.event, App, "com.example.note", "fail"))
  end)

  it("is missed by name", function()
    assert.equal("testing.event: App has no handler for com.x: it subscribes to com..born, "
      .. "com.example.note, com.family", pair.complaint(testing.event, App, "com.x"))
  end)

  it("of a client that is started already, with what it calls made up", function()
    local net = testing.network()
    local Caller = wampy.Client:extend("Caller")
    Caller.ask = wampy.callee(function(self) return self.rpc.answer() end)
    net:callee("answer", 42)
    local app = net:start(Caller)
    assert.equal(42, testing.invoke(app, "ask"))
    app:subscribe("com.example.live", function(n) app.live = n end)
    assert.equal(1, testing.event(app, "com.example.live", 1).live)
    assert.is_true(app.connected)
    app:stop()
    assert.equal("testing.invoke: the client Caller is not started",
      pair.complaint(testing.invoke, app, "ask"))
  end)

  it("needs an app", function()
    assert.equal("testing.invoke: expected a class or a started client, got string",
      pair.complaint(testing.invoke, "App", "com.x"))
  end)
end)
