-- testing_network_spec: networks in memory: made-up peers, spies and their assertions, and raw
-- messages.
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local testing = require "wampy.testing"
local errors, kwargs = wampy.errors, wampy.kwargs

local Greeter = wampy.Client:extend("Greeter")
Greeter.greet = wampy.callee "com.example.greet" (function(self, name)
  return "Hello " .. self:call("com.example.full_name", name)
end)
Greeter.renamed = wampy.subscriber "com.example.renamed" (function(self, name, from)
  self.last = name
  self:publish("com.example.noted", name, kwargs { from = from })
end)

describe("a network", function()
  local net

  before_each(function() net = testing.network() end)

  it("joins apps and clients in its realm", function()
    local app, client = net:start(Greeter), net:client { name = "asker" }
    assert.equal("realm1", app.session.realm)
    assert.equal("asker", client.name)
    assert.equal(2, net.router:stats().sessions)
    local other = testing.network { realm = "com.example.other" }
    assert.equal("com.example.other", other:client().session.realm)
    assert.equal(1, other.router:stats().sessions)
  end)

  it("stands for a router", function()
    local client = testing.client { router = net, name = "x" }
    assert.is_true(client.connected)
    assert.is_true(testing.start(Greeter, { router = net }).connected)
  end)

  it("refuses what cannot be", function()
    assert.matches("unknown field \"relm\"", pair.complaint(testing.network, { relm = "x" }))
    assert.equal("start: expected a class made by wampy.Client:extend, got nil",
      pair.complaint(net.start, net))
    assert.equal("start: expected a class made by wampy.Client:extend, got table",
      pair.complaint(net.start, net, net:client()))
    assert.equal("testing.client: expected { router = ... }", pair.complaint(testing.client))
    assert.equal("testing.start: expected { router = ... }",
      pair.complaint(testing.start, Greeter, {}))
  end)

  it("asks who it is where that is said", function()
    local strict = testing.network { auth = { ticket = { principals = {
      joe = { ticket = "friend", role = "user" } } } } }
    strict:callee("com.example.open", "yes")
    local joe = strict:client { auth = { authid = "joe", ticket = "friend" } }
    assert.equal("user", joe.session.authrole)
    assert.equal("yes", joe:call("com.example.open"))
    local e = pair.failure(strict.client, strict, { auth = { authid = "joe", ticket = "foe" } })
    assert.is_true(wampy.is_error(e, errors.AuthenticationError), tostring(e))
    e = pair.failure(strict.client, strict)
    assert.is_true(wampy.is_error(e, errors.AuthenticationError), tostring(e))
    assert.matches("auth", pair.complaint(testing.network, { auth = { tickets = {} } }))
  end)

  it("can be closed before the test is over, and twice", function()
    local client = net:client()
    net:callee("com.example.hang", testing.hang())
    net:close()
    net:close()
    assert.is_false(client.connected)
    assert.matches("not started", pair.complaint(net.client, net))
  end)

  describe("makes up callees", function()
    local client

    before_each(function() client = net:client() end)

    it("that return a value", function()
      net:callee("com.example.list", { 1, 2 })
      net:callee("com.example.nil", nil)
      assert.same({ 1, 2 }, { table.unpack(client:call("com.example.list", "any", "thing")) })
      assert.is_nil(client:call("com.example.nil", kwargs { any = 1 }))
    end)

    it("that work", function()
      net:callee("com.example.add", function(a, b) return a + b end)
      assert.equal(3, client:call("com.example.add", 1, 2))
    end)

    it("that fail", function()
      net:callee("com.example.user", testing.fail("com.example.no_such_user", 42,
        kwargs { name = "joe" }))
      local e = pair.failure(client.call, client, "com.example.user")
      assert.equal("com.example.no_such_user", e.uri)
      assert.same({ 42 }, { table.unpack(e.args) })
      assert.equal("joe", e.kwargs.name)
      assert.matches('invalid URI "no good"', pair.complaint(testing.fail, "no good"))
    end)

    it("that hang", function()
      net:callee("com.example.slow", testing.hang())
      local future = client:call_async("com.example.slow", wampy.options { timeout = 20 })
      net.clock:advance(19)
      assert.is_false(future:done())
      net.clock:advance(1)
      assert.is_true(wampy.is_error(pair.failure(future.wait, future), errors.TimeoutError))
    end)

    it("one after another of the same name", function()
      net:callee("com.example.value", 1)
      net:callee("com.example.value", 2)
      assert.equal(2, client:call("com.example.value"))
    end)

    it("with options of the registration", function()
      net:callee("com.example", "any", { match = "prefix" })
      assert.equal("any", client:call("com.example.what.ever"))
    end)
  end)

  describe("keeps what went through it:", function()
    it("calls", function()
      net:callee("com.example.full_name", "Jo Doe")
      net:start(Greeter)
      local client = net:client()
      client:call("com.example.greet", kwargs { name = "jo" })
      assert.equal(1, #net.calls["com.example.greet"])
      local call = net.calls["com.example.greet"][1]
      assert.equal(0, call.args.n)
      assert.equal("jo", call.kwargs.name)
      assert.equal(client.session.id, call.details.caller)
      assert.equal("jo", net.calls["com.example.full_name"][1].args[1])
      assert.same({}, net.calls["com.example.other"])
    end)

    it("calls that nobody answered", function()
      local client = net:client()
      pair.failure(client.call, client, "com.example.nobody", 1)
      assert.equal(1, net.calls["com.example.nobody"][1].args[1])
    end)

    it("publications, with their options", function()
      local client = net:client()
      client:publish("com.example.topic", 1, "two", wampy.options { exclude_me = false })
      local entry = net.published["com.example.topic"][1]
      assert.same({ 1, "two", n = 2 }, entry.args)
      assert.is_false(entry.details.exclude_me)
      assert.equal(client.session.id, entry.details.publisher)
    end)

    it("by all names", function()
      local client = net:client()
      client:publish("com.example.b", 1)
      client:publish("com.example.a", 1)
      local names = {}
      for uri in pairs(net.published) do names[#names + 1] = uri end
      table.sort(names)
      assert.same({ "com.example.a", "com.example.b" }, names)
    end)

    it("what raw peers sent", function()
      local peer = testing.peer(net)
      peer:send { 1, "realm1", { roles = { publisher = {} } } }
      peer:recv()
      peer:send { 16, 1, {}, "com.example.raw", { "x" } }
      wampy.sleep(0)
      assert.equal("x", net.published["com.example.raw"][1].args[1])
    end)

    it("to the end, after it was closed", function()
      net:client():publish("com.example.topic", 1)
      net:close()
      assert.equal(1, #net.published["com.example.topic"])
    end)

    it("but not without limit", function()
      local client = net:client()
      for i = 1, 10010 do client:publish("com.example.flood", i) end
      assert.matches("too many to keep", pair.complaint(function()
        return net.published["com.example.flood"]
      end))
    end)
  end)

  describe("has assertions", function()
    local client

    before_each(function() client = net:client() end)

    it("that something was published", function()
      client:publish("com.example.topic", 1, { a = { 2 } }, kwargs { k = "v" })
      assert.published("com.example.topic")
      assert.published("com.example.topic", 1, { a = { 2 } }, kwargs { k = "v" })
      assert.published("com.example.topic", match.is_number(), match._, kwargs { k = match._ })
      assert.is_not.published("com.example.topic", 1)
      assert.is_not.published("com.example.topic", 1, { a = { 2, 3 } }, kwargs { k = "v" })
      assert.is_not.published("com.example.topic", 1, { a = { 2 } }, kwargs { k = "v", l = 1 })
      assert.is_not.published("com.example.other")
    end)

    it("that something was called", function()
      net:callee("com.example.f", 1)
      client:call("com.example.f", nil, "x")
      assert.called_remote("com.example.f", nil, "x")
      assert.is_not.called_remote("com.example.f", "x")
    end)

    it("that say what was there", function()
      client:publish("com.example.topic", 1, "two")
      client:publish("com.example.topic", kwargs { k = "v" })
      assert.equal('Expected com.example.topic to be published with (3).\n'
        .. 'It was published with:\n  (1, "two")\n  (kwargs {"k":"v"})',
        pair.complaint(assert.published, "com.example.topic", 3):match("Expected.*"))
      assert.equal("Expected com.example.other to be published.\n"
        .. "It was not: only com.example.topic was published.",
        pair.complaint(assert.published, "com.example.other"):match("Expected.*"))
      assert.equal("Expected com.example.f to be called with ().\nIt was not: nothing was called.",
        pair.complaint(assert.called_remote, "com.example.f", kwargs {}):match("Expected.*"))
      assert.equal('Expected com.example.topic not to be published, but it was with:\n  (1, "two")',
        pair.complaint(assert.is_not.published, "com.example.topic"):match("Expected.*"))
      assert.matches("expected a URI, got number", pair.complaint(assert.published, 1))
    end)

    it("that show ten entries at most", function()
      for i = 1, 12 do client:publish("com.example.topic", i) end
      assert.matches("%(10%)\n  and 2 more",
        pair.complaint(assert.published, "com.example.topic", 0))
    end)

    it("over all networks of the test", function()
      local other = testing.network { realm = "com.example.other" }
      other:client():publish("com.example.elsewhere", 1)
      assert.published("com.example.elsewhere", 1)
    end)
  end)
end)

describe("a raw peer", function()
  local net, peer

  before_each(function()
    net = testing.network()
    peer = testing.peer(net)
  end)

  it("joins nothing by itself", function()
    wampy.sleep(0)
    assert.equal(0, net.router:stats().sessions)
    assert.same({ nil, "timeout" }, { peer:recv(0) })
  end)

  it("speaks lists, both ways", function()
    peer:send { 1, "realm1", { roles = { caller = {} } } }
    local welcome = peer:recv()
    assert.equal(2, welcome[1])
    assert.is_truthy(welcome[3].roles.dealer)
    peer:send { 48, 1, {}, "com.example.nobody" }
    local answer = peer:recv()
    assert.same({ 8, 48, 1 }, { answer[1], answer[2], answer[3] })
    assert.equal("wamp.error.no_such_procedure", answer[5])
  end)

  it("says what no client would", function()
    peer:send "this is not JSON"
    local abort = peer:recv()
    assert.same({ 3, "wamp.error.protocol_violation" }, { abort[1], abort[3] })
    local message, why = peer:recv()
    assert.is_nil(message)
    assert.matches("closed", why)
    assert.is_true(wampy.is_error(pair.failure(peer.send, peer, { 1 }), errors.ConnectionError))
  end)

  it("waits for a message in a task", function()
    local task = wampy.spawn(function() return peer:recv()[1] end)
    peer:send { 1, "realm1", { roles = { caller = {} } } }
    assert.equal(2, task:wait(pair.PATIENCE))
  end)

  it("is closed once and for all", function()
    peer:close()
    peer:close()
    assert.same({ nil, "closed" }, { peer:recv() })
  end)

  it("needs to know where", function()
    assert.equal("testing.peer: expected a router, a network or a URL",
      pair.complaint(testing.peer))
    assert.matches('invalid url "nonsense"', pair.complaint(testing.peer, "nonsense"))
  end)

  it("speaks over a socket, too", function()
    local over_socket <close> = testing.peer(testing.router().url)
    over_socket:send { 1, "realm1", { roles = { caller = {} } } }
    assert.equal(2, over_socket:recv()[1])
  end)
end)
