-- kept_events_spec: events that outlive their moment, through the public API: retained ones, the
-- history, testaments; and subscriptions that the router takes back. Every detail of it is in
-- tests/talk/router: retain_*, history_*, testament_*, subscribe_revoked*.
local wampy = require "wampy"
local core = require "wampy.core"
local pair = dofile "tests/spec/pair.lua"
local kwargs, options = wampy.kwargs, wampy.options

-- A configuration whose realm keeps a history of com.log. and lets subscriptions be removed.
local function configuration()
  return core.json_decode [[ {
    "version": 2,
    "workers": [ {
      "type": "router",
      "realms": [ { "name": "realm1",
        "roles": [ { "name": "anonymous", "permissions": [
          { "uri": "", "match": "prefix", "allow": { "call": true, "register": true,
            "publish": true, "subscribe": true } },
          { "uri": "com.log.sure", "allow": { "publish": true, "subscribe": true }, "trust": 2 },
          { "uri": "wamp.subscription.remove_subscriber", "allow": { "call": true } } ] } ],
        "store": { "type": "memory",
          "event-history": [ { "uri": "com.log.", "match": "prefix", "limit": 3 } ] } } ],
      "transports": [ { "type": "websocket", "endpoint": { "type": "tcp", "port": 9000 } } ]
    } ] } ]]
end

describe("events that are kept:", function()
  local router, client, other, heard

  before_each(function()
    router = pair.router { config = configuration() }
    client = pair.client(router):start()
    other = pair.client(router):start()
    heard = wampy.queue()
  end)

  after_each(function()
    client:stop()
    other:stop()
    router:stop()
  end)

  local function put(value, details)
    heard:put { value, details.topic, details.retained, details.trustlevel }
  end

  local function next_heard() return assert(heard:get(pair.PATIENCE)) end

  describe("a retained event", function()
    before_each(function()
      client:publish("com.state", "on", options { retain = true, acknowledge = true })
    end)

    it("comes to who asks for it later, marked as retained", function()
      other:subscribe("com.state", put, { get_retained = true })
      assert.same({ "on", "com.state", true }, next_heard())
      client:publish("com.state", "off", options { acknowledge = true })
      assert.same({ "off", "com.state" }, next_heard())
    end)

    it("comes by a pattern, with its topic", function()
      other:subscribe("com.", put, { match = "prefix", get_retained = true })
      assert.same({ "on", "com.state", true }, next_heard())
    end)

    it("comes to the subscriber of an app", function()
      local App = wampy.Client:extend("App")
      App.state = wampy.subscriber { topic = "com.state", get_retained = true }(
        function(_, value, details) put(value, details) end)
      local app <close> = App { router = router, call_timeout = pair.PATIENCE }:start()
      assert.same({ "on", "com.state", true }, next_heard())
      app:stop()
    end)

    it("is not for whom it was not for", function()
      client:publish("com.state", "secret",
        options { retain = true, eligible_authrole = { "admin" }, acknowledge = true })
      other:subscribe("com.state", put, { get_retained = true })
      assert.same({ "on", "com.state", true }, next_heard())
    end)
  end)

  describe("a history", function()
    local id

    before_each(function()
      id = client:call("wamp.subscription.lookup", "com.log.", { match = "prefix" })
      for i = 1, 4 do
        client:publish("com.log.a", i, kwargs { k = i }, options { acknowledge = true })
      end
    end)

    local function numbers(...)
      local list = {}
      for i, event in ipairs { ... } do list[i] = event.args[1] end
      return list
    end

    local function get(...) return other:call("wamp.subscription.get_events", id, ...) end

    it("has the latest events in their order, as the results of the call", function()
      assert.same({ 2, 3, 4 }, numbers(get()))
      local event = get()
      assert.same({ k = 2 }, event.kwargs)
      assert.same({ topic = "com.log.a" }, event.details)
      assert.equal(id, event.subscription)
      assert.matches("^%d+%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$", event.timestamp)
    end)

    it("is read page by page", function()
      local event = get(kwargs { limit = 1 })
      local seen = {}
      while event do
        seen[#seen + 1] = event.args[1]
        event = get(kwargs { limit = 1, after_publication = event.publication })
      end
      assert.same({ 2, 3, 4 }, seen)
      assert.same({ 4, 3 }, numbers(get(kwargs { reverse = true, limit = 2 })))
    end)

    it("is asked for as Crossbar.io has it", function()
      assert.same({ 4, 3 }, numbers(table.unpack(get(2))))
    end)
  end)

  it("a trust level is told", function()
    other:subscribe("com.log.sure", put)
    client:publish("com.log.sure", "sure", options { acknowledge = true })
    assert.same({ "sure", "com.log.sure", nil, 2 }, next_heard())
  end)

  it("a testament is published when its session is gone", function()
    other:subscribe("com.last", put)
    client:call("wamp.session.add_testament", "com.last", { "forgotten" }, {})
    assert.equal(1, client:call "wamp.session.flush_testaments")
    client:call("wamp.session.add_testament", "com.last", { "farewell" }, {})
    client:stop()
    assert.same({ "farewell", "com.last" }, next_heard())
  end)

  it("a subscription that is taken back is told to on_revoked", function()
    local App = wampy.Client:extend("App")
    local told = wampy.queue()
    App.news = wampy.subscriber "com.news"(function() end)
    function App:on_revoked(role, reason) told:put { self.name, role, reason } end -- luacheck: ignore
    local app <close> = App { router = router, name = "app", call_timeout = pair.PATIENCE }:start()
    local id = client:call("wamp.subscription.lookup", "com.news")
    pair.logged(function()
      client:call("wamp.subscription.remove_subscriber", id, app.session.id,
        kwargs { reason = "com.enough" })
      assert.same({ "app", "subscription", "com.enough" }, assert(told:get(pair.PATIENCE)))
    end)
    assert.is_nil(client:call("wamp.subscription.lookup", "com.news"))
    app:stop()
  end)
end)
