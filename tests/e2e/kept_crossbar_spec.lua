-- One scenario of retained events, event history, testaments and revocation on the embedded router
-- and on a real Crossbar.io: what comes of it must be the same. Ids are replaced by names first.
-- Where the two differ on purpose is in docs/PROTOCOL.md, and left out here.
local node = dofile "tests/e2e/node.lua"
local wampy = require "wampy"
local core = require "wampy.core"
local kwargs, options = wampy.kwargs, wampy.options

local PATIENCE = 10

-- The same of ours as crossbar.py writes of Crossbar.io with `history`; and the rule that the
-- revoking procedure needs here.
local function configuration()
  return core.json_decode [[ {
    "version": 2,
    "workers": [ {
      "type": "router",
      "realms": [ { "name": "realm1",
        "roles": [ { "name": "anonymous", "permissions": [
          { "uri": "", "match": "prefix", "allow": { "call": true, "register": true,
            "publish": true, "subscribe": true } },
          { "uri": "wamp.subscription.remove_subscriber", "allow": { "call": true } } ] } ],
        "store": { "type": "memory",
          "event-history": [ { "uri": "com.log.", "match": "prefix", "limit": 3 } ] } } ],
      "transports": [ { "type": "websocket", "endpoint": { "type": "tcp", "port": 0 } } ]
    } ] } ]]
end

-- What came of the scenario on the router at `url`: a list of { what, value }.
local function play(url)
  local seen, revoked = {}, {} -- what another session hears has no place among the rest

  local App = wampy.Client:extend("App")
  function App.on_revoked(_, role, reason) revoked[#revoked + 1] = { role, reason } end

  local function client() return App { url = url, call_timeout = PATIENCE }:start() end

  local function note(...) seen[#seen + 1] = { ... } end

  local function ask(c, procedure, ...)
    local ok, got = pcall(c.call, c, "wamp." .. procedure, ...)
    if not ok then got = got.uri end
    note(procedure, ok, got)
  end

  local a, b, last = client(), client(), client()

  -- Events come in order: once the last has come, all have.
  local function settle(c)
    local over = wampy.event()
    local subscription = c:subscribe("com.over", function() over:set() end)
    last:publish("com.over", options { exclude_me = false })
    assert(over:wait(PATIENCE), "the last event did not arrive")
    subscription:unsubscribe()
  end

  local function retained(c, topic, what)
    local subscription = c:subscribe(topic, function(value, k, details)
      note(what, value, k, details.retained)
    end, { get_retained = true })
    settle(c)
    subscription:unsubscribe()
  end

  local function publish(topic, value, opts)
    opts.acknowledge = true
    return a:publish(topic, value, kwargs { k = value }, options(opts))
  end

  -- retained events
  publish("com.state", "first", { retain = true })
  publish("com.state", "second", { retain = true })
  publish("com.state", "not retained", {})
  retained(b, "com.state", "the latest")
  publish("com.state", "for b", { retain = true, eligible = { b.session.id }, exclude = { 1 } })
  retained(b, "com.state", "one for b")
  retained(last, "com.state", "none of it for another")
  publish("com.state", "third", { retain = true })
  retained(b, "com.state", "replaced for b")
  retained(b, "com.state.none", "nothing")

  -- the history
  local log = a:call("wamp.subscription.lookup", "com.log.", { match = "prefix" })
  local publications = {}
  note("there from the start", log ~= nil)
  -- Crossbar.io stores an event for each subscriber, and none without.
  b:subscribe("com.log.", function(k) return k end, { match = "prefix" })
  for i = 1, 4 do publications[publish("com.log.x", i, {})] = i end
  settle(b)
  local function history(limit)
    for _, event in ipairs(b:call("wamp.subscription.get_events", log, limit)) do
      note("history", publications[event.publication], event.args, event.kwargs,
        event.topic or event.details.topic)
    end
  end
  history(2)
  history(99)
  ask(b, "subscription.get_events", 123456, 1)
  local other = b:subscribe("com.other", function() end)
  ask(b, "subscription.get_events", other.id, 1)

  -- testaments
  b:subscribe("com.last", function(value) note("testament", value) end)
  local function add(c, value, ...)
    return math.type(c:call("wamp.session.add_testament", "com.last", { value }, {}, ...))
  end
  local t, flushed = client(), client()
  note("add", add(t, "destroyed"))
  note("add", add(t, "detached", kwargs { scope = "detached" }))
  note("add", add(t, "destroyed again", kwargs { publish_options = { acknowledge = true } }))
  add(flushed, "never")
  add(flushed, "only this", kwargs { scope = "detached" })
  ask(flushed, "session.add_testament", "com.last", { 1 }, {}, kwargs { scope = "other" })
  ask(flushed, "session.flush_testaments", kwargs { scope = "other" })
  ask(flushed, "session.flush_testaments")
  ask(flushed, "session.flush_testaments")
  t:stop()
  settle(b)
  flushed:stop()
  settle(b)

  -- revocation
  local news = b:subscribe("com.news", function() end)
  ask(a, "subscription.remove_subscriber", news.id, b.session.id, kwargs { reason = "com.why" })
  ask(a, "subscription.lookup", "com.news")
  ask(a, "subscription.remove_subscriber", 123456, b.session.id)
  ask(a, "subscription.remove_subscriber", other.id, 123456)
  ask(a, "subscription.remove_subscriber", other.id, a.session.id)
  settle(b)
  note("revoked", revoked)
  for _, c in ipairs { a, b, last } do c:stop() end
  return seen
end

describe("kept events and Crossbar.io's", function()
  local url
  local ours, theirs

  setup(function()
    url = node.start "history"
    theirs = play(url)
    local router <close> = wampy.routers.Embedded { config = configuration() }:start()
    ours = play(router.url)
  end)

  teardown(node.stop)

  it("come to the same", function()
    assert.is_true(#ours > 25)
    for i, what in ipairs(theirs) do assert.same(what, ours[i]) end
    assert.equal(#theirs, #ours)
  end)
end)
