-- testing_faults_spec: a network's clock and its links: what an app sees of time and of bad links.
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local testing = require "wampy.testing"
local errors = wampy.errors

local Service = wampy.Client:extend("Service")
Service.answer = wampy.callee(function() return 42 end)
function Service:on_disconnect(reason)
  self.lost = reason
end

-- The error that wampy.run raises for a client whose link is lost.
local function loss()
  return pair.failure(wampy.run)
end

describe("a clock that is put forward", function()
  local net

  before_each(function() net = testing.network() end)

  it("runs what falls due, each at its own time, in order", function()
    local log, start = {}, wampy.now()
    local function note(name)
      return function() log[#log + 1] = ("%s %.0f"):format(name, wampy.now() - start) end
    end
    wampy.after(30, note "after")
    local timer = wampy.every(12, note "every")
    wampy.spawn(function()
      wampy.sleep(20)
      note "slept"()
      wampy.sleep(9)
      note "again"()
    end)
    net.clock:advance(31)
    assert.same({ "every 12", "slept 20", "every 24", "again 29", "after 30" }, log)
    timer:stop()
  end)

  it("does not run what is not due", function()
    local fired = false
    local timer = wampy.after(10, function() fired = true end)
    net.clock:advance(9.99)
    assert.is_false(fired)
    net.clock:advance(0.01)
    assert.is_true(fired)
    timer:stop()
  end)

  it("finishes what follows from it in memory before it goes on", function()
    local Ticker = wampy.Client:extend("Ticker")
    Ticker.tick = wampy.timer { interval = 60 } (function(self)
      self:publish("com.example.tick", self:call("count"))
    end)
    local n, heard = 0, {}
    net:callee("count", function()
      n = n + 1
      return n
    end)
    net:client():subscribe("com.example.tick", function(i) heard[#heard + 1] = i end)
    net:start(Ticker)
    net.clock:advance(3600)
    assert.equal(60, #heard)
    assert.equal(60, heard[60])
  end)

  it("makes timeouts pass", function()
    net:callee("slow", testing.hang())
    local future = net:client { call_timeout = 30 }:call_async("slow")
    net.clock:advance(29)
    assert.is_false(future:done())
    net.clock:advance(1)
    assert.is_true(wampy.is_error(pair.failure(future.wait, future), errors.TimeoutError))
  end)

  it("is wampy.now's", function()
    local before = wampy.now()
    net.clock:advance(1000)
    local gone = wampy.now() - before
    assert.is_true(gone > 999.9 and gone < 1010, tostring(gone))
    assert.is_true(math.abs(net.clock:now() - wampy.now()) < 10)
  end)

  it("is not held by a task that never rests", function()
    local stop = false
    local task = wampy.spawn(function() while not stop do wampy.sleep(0) end end)
    local fired = false
    wampy.after(0.5, function() fired = true end)
    net.clock:advance(0.5)
    assert.is_true(fired)
    stop = true
    task:wait(pair.PATIENCE)
  end)

  it("goes forward only, and only from the test itself", function()
    for _, wrong in ipairs { -1, 0 / 0, "1", math.huge } do
      assert.matches("clock:advance: expected seconds >= 0, got", pair.complaint(net.clock.advance,
        net.clock, wrong))
    end
    local task = wampy.spawn(pcall, net.clock.advance, net.clock, 1)
    local _, e = task:wait(pair.PATIENCE)
    assert.equal("the clock is put forward by the test itself, not by a task", e.message)
  end)
end)

describe("a link", function()
  local net, service, client

  before_each(function()
    net = testing.network()
    service = net:start(Service)
    client = net:client { name = "client" }
  end)

  it("that is dropped loses the connection at both ends", function()
    net:link(service):drop()
    wampy.sleep(0)
    assert.equal("the link broke", service.lost)
    assert.equal("wamp.error.no_such_procedure",
      pair.failure(client.call, client, "answer").uri)
    local e = loss()
    assert.is_true(wampy.is_error(e, errors.ConnectionError))
    assert.equal("lost", e.transport)
  end)

  it("that is dropped fails what is under way", function()
    local future = client:call_async("answer")
    net:link(client):drop()
    assert.is_true(wampy.is_error(pair.failure(future.wait, future), errors.ConnectionError))
  end)

  it("that is dropped is mended at once, if the client does that", function()
    local stubborn = net:client { reconnect = true }
    stubborn:register("com.example.mine", function() return "still here" end)
    net:link(stubborn):drop()
    wampy.sleep(0)
    testing.wait_for_session(stubborn)
    assert.equal("still here", client:call("com.example.mine"))
  end)

  it("that stands still holds everything up, and lets it go in order", function()
    local got = {}
    client:subscribe("com.example.n", function(n) got[#got + 1] = n end)
    local publisher = net:client()
    net:link(client):pause()
    for n = 1, 3 do publisher:publish("com.example.n", n) end
    local future = client:call_async("answer")
    net.clock:advance(1)
    assert.same({}, got)
    assert.is_false(future:done())
    net:link(client):resume()
    assert.equal(42, future:wait(pair.PATIENCE))
    assert.same({ 1, 2, 3 }, got)
  end)

  it("that stands still is found by pings, at both ends", function()
    local pinger = net:client { name = "pinger", ping_interval = 3, ping_timeout = 2 }
    local sessions = net.router:stats().sessions
    net:link(pinger):pause()
    net.clock:advance(4.9)
    assert.is_true(pinger.connected)
    net.clock:advance(0.2)
    assert.is_false(pinger.connected)
    assert.equal(sessions, net.router:stats().sessions)
    net.clock:advance(15)
    assert.equal(sessions - 1, net.router:stats().sessions)
    local e = loss()
    assert.is_true(wampy.is_error(e, errors.TimeoutError))
    assert.equal("the link: no answer to a ping within 2 s", e.message)
  end)

  it("that stands still is not found without pings", function()
    local silent = net:client { ping_interval = 0 }
    net:link(silent):pause()
    net.clock:advance(8)
    assert.is_true(silent.connected)
    net:link(silent):resume()
    assert.equal(42, silent:call("answer"))
  end)

  it("that moves again in time is kept", function()
    net:link(client):pause()
    net.clock:advance(15)
    net:link(client):resume()
    net.clock:advance(100)
    assert.is_true(client.connected)
    assert.equal(42, client:call("answer"))
  end)

  it("that stands still does not keep a client from stopping", function()
    net:link(client):pause()
    local stopping = wampy.spawn(client.stop, client)
    net.clock:advance(7)
    stopping:wait(pair.PATIENCE)
    assert.is_false(client.connected)
  end)

  it("that is slow takes its time, each way", function()
    net:link(client):delay(2)
    local future = client:call_async("answer")
    net.clock:advance(3.9)
    assert.is_false(future:done())
    net.clock:advance(0.2)
    assert.is_true(future:done())
    net:link(client):delay(0)
    assert.equal(42, client:call("answer"))
    assert.equal(42, future:wait())
  end)

  it("that is slower than a ping may be is lost", function()
    net:link(client):delay(6)
    net.clock:advance(21)
    assert.is_false(client.connected)
    assert.is_true(wampy.is_error(loss(), errors.TimeoutError))
  end)

  it("that is cut breaks inside a message", function()
    net:link(client):cut_after(10)
    local e = pair.failure(client.call, client, "answer")
    assert.is_true(wampy.is_error(e, errors.ConnectionError))
    e = loss()
    assert.is_true(wampy.is_error(e, errors.IncompleteFrameError))
    assert.equal("the link was lost in the middle of a message", e.message)
    assert.equal(#'[50,1,{},[42]]' - 10, e.required_bytes)
  end)

  it("that is cut between two messages is just lost", function()
    net:link(client):cut_after(#'[50,1,{},[42]]')
    assert.equal(42, client:call("answer"))
    wampy.sleep(0)
    assert.is_false(client.connected)
    assert.equal("lost", loss().transport)
  end)

  it("that is cut after nothing is cut at once", function()
    net:link(client):cut_after(0)
    wampy.sleep(0)
    assert.is_false(client.connected)
  end)

  it("is lost with the router, and back-off follows the clock until that is back", function()
    local stubborn = net:client { reconnect = { initial = 60, factor = 2, jitter = 0 } }
    net:down()
    wampy.sleep(0)
    assert.is_false(stubborn.connected)
    assert.is_false(client.connected)
    local e = pair.failure(net.client, net)
    assert.is_true(wampy.is_error(e, errors.ConnectionError))
    assert.equal("the network is down", e.message)
    net.clock:advance(61)
    net:up()
    net.clock:advance(118)
    assert.is_false(stubborn.connected)
    net.clock:advance(2)
    assert.is_true(stubborn.connected)
  end)

  it("is anew after the client has joined again", function()
    net:link(client):pause()
    client = net:client { reconnect = { initial = 1 }, ping_interval = 1, ping_timeout = 1 }
    net:link(client):pause()
    net.clock:advance(5)
    assert.is_true(client.connected)
    assert.equal(42, client:call("answer"))
  end)

  it("is asked for with a client that is joined in memory", function()
    assert.equal("net:link: expected a client, got nil", pair.complaint(net.link, net))
    local router = testing.router()
    local by_socket = testing.client { url = router.url, name = "far" }
    local link = net:link(by_socket)
    assert.equal("link: far has no link in memory (it is joined by a socket)",
      pair.complaint(link.drop, link))
    client:stop()
    link = net:link(client)
    assert.equal("link: client has no link in memory (it is not connected)",
      pair.complaint(link.pause, link))
    assert.equal("link:delay: expected seconds >= 0, got -1",
      pair.complaint(link.delay, link, -1))
    assert.matches("link:cut_after: expected a number of bytes >= 0, got 1.5",
      pair.complaint(link.cut_after, link, 1.5))
  end)
end)
