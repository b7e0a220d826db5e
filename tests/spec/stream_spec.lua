-- stream_spec: client:stream, results in parts as a loop: what comes out, what ends it, and who
-- cannot keep up.
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local errors, kwargs, options = wampy.errors, wampy.kwargs, wampy.options

describe("a stream", function()
  local p = pair.each(before_each, after_each)
  local ended -- how the handler of "forever" ended

  -- Sends 1 to n, then "done" and n.
  local function count(n, details)
    for i = 1, n do details:progress(i) end
    return "done", n
  end

  -- Sends 1, 2, 3 ... without haste (a router that is slow would have to work it all off), and
  -- tells how it ended.
  local function forever()
    local mark <close> = setmetatable({}, { __close = function(_, e) ended:put(e or "none") end })
    local i = 0
    while mark do
      i = i + 1
      wampy.progress(i)
      wampy.sleep(0.001)
    end
  end

  -- Sends 1, and nothing after it.
  local function stalls()
    local mark <close> = setmetatable({}, { __close = function(_, e) ended:put(e or "none") end })
    wampy.progress(1)
    wampy.sleep(60)
    return mark
  end

  before_each(function()
    ended = wampy.queue()
    p.server:register("count", count)
    p.server:register("forever", forever)
    p.server:register("stalls", stalls)
  end)

  local function canceled()
    local e = ended:get(pair.PATIENCE)
    return wampy.is_error(e, errors.Canceled), tostring(e)
  end

  describe("is read", function()
    it("by a loop, counted from 1", function()
      local seen = {}
      for i, chunk in p.client:stream("count", 5) do seen[i] = chunk end
      assert.same({ 1, 2, 3, 4, 5 }, seen)
      assert.same({}, p.client.request_ids)
    end)

    it("by calling it, and its result with :result()", function()
      local s = p.client:stream("count", 2)
      assert.same({ 1, 1 }, { s() })
      assert.same({ 2, 2 }, { s() })
      assert.is_nil(s())
      assert.is_nil(s())
      assert.same({ "done", 2 }, { s:result() })
      assert.same({ "done", 2 }, { s:result() })
    end)

    it("without a loop by :result(), which drops the parts", function()
      assert.same({ "done", 5000 }, { p.client:stream("count", 5000):result() })
    end)

    it("with all the values of a part, keywords at the end", function()
      p.server:register("rich", function(details)
        details:progress(1, nil, "three", kwargs { k = "v" })
        details:progress()
        details:progress(kwargs { only = true })
      end)
      local seen = {}
      for i, a, b, c, kw in p.client:stream("rich") do seen[i] = { a, b, c, kw } end
      assert.same({ 1, nil, "three", { k = "v" } }, seen[1])
      assert.same({}, seen[2])
      assert.same({ { only = true } }, seen[3])
    end)

    it("of a callee that sends no parts", function()
      p.server:register("plain", function() return 42 end)
      for _ in p.client:stream("plain") do error "no part was sent" end
      assert.equal(42, p.client:stream("plain"):result())
    end)

    it("in one task while another goes on", function()
      local other = wampy.spawn(function() return p.client:call("count", 0) end)
      local n = 0
      for _ in p.client:stream("count", 100) do
        wampy.sleep(0)
        n = n + 1
      end
      assert.equal(100, n)
      assert.equal("done", other:wait(pair.PATIENCE))
    end)

    it("by two tasks, each part by one of them", function()
      local s = p.client:stream("count", 1000)
      local seen = {}
      local function read()
        for i, chunk in s do
          seen[i] = (seen[i] or 0) + chunk
          wampy.sleep(0)
        end
      end
      local one, two = wampy.spawn(read), wampy.spawn(read)
      one:wait(pair.PATIENCE)
      two:wait(pair.PATIENCE)
      assert.equal(1000, #seen)
      for i = 1, 1000 do assert.equal(i, seen[i]) end
    end)
  end)

  describe("raises in the loop", function()
    local function read(...)
      local seen = {}
      local e = pair.failure(function(...)
        for i, chunk in p.client:stream(...) do seen[i] = chunk end
      end, ...)
      return e, seen
    end

    it("the callee's error, behind the parts that came before it", function()
      p.server:register("breaks", function()
        for i = 1, 3 do wampy.progress(i) end
        error(wampy.error("com.example.broken", 7))
      end)
      local e, seen = read("breaks")
      assert.equal("com.example.broken", e.uri)
      assert.equal("breaks", e.procedure)
      assert.same({ 1, 2, 3 }, seen)
    end)

    it("that nobody serves the procedure", function()
      assert.equal("wamp.error.no_such_procedure", read("nobody.here").uri)
    end)

    it("TimeoutError when parts stop coming", function()
      local e, seen = read("stalls", options { timeout = 1 })
      assert.is_true(e:is(errors.TimeoutError))
      assert.same({ 1 }, seen)
      assert.is_true(canceled())
    end)

    it("ConnectionError when the session ends, behind the parts", function()
      local other <close> = pair.client(p.router):start()
      local s = other:stream("stalls")
      assert.equal(1, s())
      other:stop()
      assert.is_true(pair.failure(s):is(errors.ConnectionError))
      assert.is_true(pair.failure(s.result, s):is(errors.ConnectionError))
      s:cancel()
      assert.is_true(canceled())
    end)

    it("what the loop's body raises, and cancels the call", function()
      local e = pair.failure(function()
        for i in p.client:stream("forever") do
          if i == 10 then error({ mine = true }) end
        end
      end)
      assert.same({ mine = true }, e)
      assert(canceled())
    end)
  end)

  describe("that is left early", function()
    it("cancels the call", function()
      for i in p.client:stream("forever") do
        if i == 10 then break end
      end
      assert(canceled())
      assert.same({}, p.client.request_ids)
    end)

    it("as a <close> variable, too", function()
      do
        local s <close> = p.client:stream("forever")
        assert.equal(1, s())
      end
      assert(canceled())
    end)

    it("or forgotten", function()
      assert.equal(1, (p.client:stream("forever"))())
      collectgarbage()
      collectgarbage()
      assert(canceled())
    end)

    it("or in the hands of a finalizer that comes after its own", function()
      local complaints = {}
      local function finalizer(use)
        return setmetatable({}, { __gc = function(t)
          complaints[#complaints + 1] = pair.complaint(t.call[use], t.call)
        end })
      end
      finalizer "result".call = p.client:stream("forever")
      finalizer "wait".call = p.client:call_async("forever")
      collectgarbage()
      collectgarbage()
      local text = "the call was let go of, and has ended with that"
      assert.same({ text, text }, complaints)
    end)

    it("or canceled, which raises in the loop", function()
      local s = p.client:stream("forever")
      local e = pair.failure(function()
        for i in s do
          if i == 10 then s:cancel() end
        end
      end)
      assert.is_true(e:is(errors.Canceled))
      assert.is_true(pair.failure(s.result, s):is(errors.Canceled))
      assert(canceled())
      s:cancel("skip")
      assert.matches("gently", pair.complaint(s.cancel, s, "gently"))
    end)

    it("with its task", function()
      local reached = wampy.event()
      local task = wampy.spawn(function()
        for i in p.client:stream("forever") do
          if i == 10 then reached:set() end
        end
      end)
      assert.is_true(reached:wait(pair.PATIENCE))
      task:cancel()
      assert.is_true(pair.failure(task.wait, task, pair.PATIENCE):is(errors.Canceled))
      assert(canceled())
    end)
  end)

  describe("whose reader does not keep up", function()
    -- A stream whose procedure has sent `n` parts; then it says so and waits.
    local function behind(n, ...)
      local sent = wampy.event()
      local r = p.server:register("floods", function(details)
        for i = 1, n do details:progress(i) end
        sent:set()
        wampy.sleep(60)
      end)
      local s = p.client:stream("floods", ...)
      assert.is_true(sent:wait(pair.PATIENCE))
      r:unregister()
      p.client:call("count", 0) -- all that came before has come
      return s
    end

    it("ends with StreamOverflow, which names the option", function()
      local s = behind(1001)
      local e = pair.failure(s)
      assert.is_true(e:is(errors.StreamOverflow))
      assert.equal("floods: 1000 results wait to be read, which is all that "
        .. "options { buffer = 1000 } allows; the call is canceled", e.message)
      assert.is_true(pair.failure(s.result, s):is(errors.StreamOverflow))
      assert.same({}, p.client.request_ids)
    end)

    it("keeps as many parts as the option says", function()
      local s = behind(3, options { buffer = 3 })
      for i = 1, 3 do assert.same({ i, i }, { s() }) end
      s:cancel()
      local over = behind(4, options { buffer = 3 })
      assert.is_true(pair.failure(over):is(errors.StreamOverflow))
    end)

    it("leaves other calls, streams and both sessions alone", function()
      local other = p.client:stream("count", 10)
      behind(2000)
      local n = 0
      for i, chunk in other do
        assert.equal(i, chunk)
        n = n + 1
      end
      assert.equal(10, n)
      assert.equal("done", p.client:call("count", 0))
      assert.is_true(p.client.connected and p.server.connected)
    end)

    it("is no reader who has not had his turn since he was woken", function()
      local n = 0
      for i, chunk in p.client:stream("count", 20000, options { buffer = 1 }) do
        assert.equal(i, chunk)
        n = n + 1
      end
      assert.equal(20000, n)
    end)
  end)

  describe("is refused", function()
    it("with a buffer that is none, or an on_progress beside the loop", function()
      for _, bad in ipairs { 0, -1, 1.5, "10", true } do
        assert.matches("options%.buffer: expected an integer >= 1",
          pair.complaint(p.client.stream, p.client, "count", options { buffer = bad }))
      end
      assert.matches("on_progress: a stream gives its results to the loop",
        pair.complaint(p.client.stream, p.client, "count", 1,
          options { on_progress = function() end }))
      assert.same({}, p.client.request_ids)
    end)

    it("before the client is started, and for what is no URI", function()
      local idle = pair.client(p.router)
      assert.is_true(pair.failure(idle.stream, idle, "count"):is(errors.ConnectionError))
      assert.is_true(wampy.is_error(pair.failure(p.client.stream, p.client, "a..b")))
      assert.is_false((pcall(p.client.stream, p.client)))
    end)

    it("a wait where nobody can wait, and is good after it", function()
      local s = p.client:stream("count", 1)
      wampy.spawn(function()
        local e = pair.complaint(table.sort, { 2, 1 }, function() return s() end)
        assert.matches("cannot wait here", e)
      end):wait(pair.PATIENCE)
      assert.equal(1, s())
    end)
  end)

  it("of a hundred thousand parts keeps memory as it is", function()
    local parts = os.getenv "WAMPY_TEST_ROUTER" == "crossbar" and 20000 or 100000 -- it takes longer
    local n, at = 0, 0
    for i in p.client:stream("count", parts) do
      n = n + 1
      if i == 10000 then
        collectgarbage()
        at = collectgarbage("count")
      end
    end
    collectgarbage()
    assert.equal(parts, n)
    assert.is_true(collectgarbage("count") - at < 256)
  end)
end)

describe("what a callee sends in parts", function()
  local testing = require "wampy.testing"

  it("waits while its own link's queue is full", function()
    local net <close> = testing.network()
    local service, client = net:client(), net:client()
    local sent, step = 0, wampy.event()
    service:register("floods", function(details)
      details:progress(0)
      step:wait(pair.PATIENCE)
      for i = 1, 20000 do
        details:progress(i)
        sent = i
      end
    end)
    local s = client:stream("floods")
    assert.equal(1, s())
    net:link(service):pause()
    step:set()
    net.clock:advance(0)
    assert.is_true(sent > 100 and sent < 20000, "sent " .. sent)
    local queued = select(3, service._core:stats())
    assert.is_true(queued > 64 * 1024 and queued < 128 * 1024, "queued " .. queued)
    net:link(service):resume()
    local n = 0
    for _ in s do n = n + 1 end
    assert.equal(20000, n)
    assert.equal(20000, sent)
  end)

  it("raises QueueFull only where nobody can wait", function()
    local net <close> = testing.network()
    local service, client = net:client(), net:client()
    local e, step = nil, wampy.event()
    service:register("floods", function(details)
      details:progress(0)
      step:wait(pair.PATIENCE)
      local mega = ("x"):rep(1 << 20)
      e = pair.failure(table.sort, { 2, 1 }, function()
        for _ = 1, 40 do details:progress(mega) end
      end)
    end)
    local s = client:stream("floods", options { buffer = 100 })
    assert.equal(1, s())
    net:link(service):pause()
    step:set()
    net.clock:advance(0)
    assert.is_true(wampy.is_error(e, errors.QueueFull), tostring(e))
    net:link(service):resume()
    s:cancel()
  end)
end)
