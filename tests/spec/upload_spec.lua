-- upload_spec: client:open and details:chunks(), arguments in parts: what arrives, what ends it,
-- and who cannot keep up.
local exchange = require "wampy.exchange"
local testing = require "wampy.testing"
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local errors, kwargs, options = wampy.errors, wampy.kwargs, wampy.options

-- Arguments in parts are no feature of Crossbar.io: there they are refused, and that is all.
if os.getenv "WAMPY_TEST_ROUTER" == "crossbar" then
  describe("a call in parts at a router that has not announced them", function()
    local p = pair.each(before_each, after_each)

    it("is refused before anything is sent", function()
      local e = pair.failure(p.client.open, p.client, "sum", 1)
      assert.equal("the router did not announce progressive_call_invocations "
        .. "(needed by progress)", e.message)
      assert.same({}, p.client.request_ids)
    end)
  end)
  return
end

describe("a call in parts", function()
  local p = pair.each(before_each, after_each)
  local ended

  -- Adds up all parts.
  local function sum(details)
    local n = 0
    for _, value in details:chunks() do n = n + value end
    return n
  end

  before_each(function()
    ended = wampy.queue()
    p.server:register("sum", sum)
  end)

  -- A procedure that reads until something ends it, and tells what.
  local function reader(uri)
    local begun = wampy.event()
    p.server:register(uri, function(details)
      local mark <close> = setmetatable({}, { __close = function(_, e) ended:put(e or "none") end })
      begun:set()
      for _ in details:chunks() do assert(mark) end
    end)
    return begun
  end

  local function canceled()
    local e = ended:get(pair.PATIENCE)
    return wampy.is_error(e, errors.Canceled), tostring(e)
  end

  describe("is read by the callee", function()
    it("in a loop, counted from 1, with what open, send and finish gave", function()
      local seen = {}
      p.server:register("list", function(details)
        for i, value in details:chunks() do seen[i] = value end
        return #seen
      end)
      local up = p.client:open("list", "a")
      assert.is_true(up:send("b"))
      assert.is_true(up:send("c"))
      assert.equal(4, up:finish("d"))
      assert.same({ "a", "b", "c", "d" }, seen)
      assert.same({}, p.client.request_ids)
    end)

    it("without the parts that have no values", function()
      local up = p.client:open("sum")
      up:send()
      up:send(4)
      up:send()
      assert.equal(4, up:finish())
    end)

    it("with all the values of a part, keywords at the end", function()
      local seen = {}
      p.server:register("rich", function(details)
        for i, a, b, kw in details:chunks() do seen[i] = { a, b, kw } end
      end)
      local up = p.client:open("rich", 1, 2)
      up:send("x", nil, kwargs { k = 1 })
      assert.equal(0, select("#", up:finish(kwargs { k = 2 })))
      assert.same({ 1, 2 }, seen[1])
      assert.same("x", seen[2][1])
      assert.same({ k = 2 }, seen[3][1])
    end)

    it("behind the arguments that its parameters take", function()
      local got
      p.server:register("save", function(name, mode, details)
        local parts = {}
        for _, text in details:chunks() do parts[#parts + 1] = text end
        got = { name, mode, table.concat(parts) }
      end)
      local up = p.client:open("save", "a.txt", kwargs { mode = "w" })
      up:send("hel")
      up:finish("lo")
      assert.same({ "a.txt", "w", "hello" }, got)
      local more = p.client:open("save", "b.txt", "a", "first ")
      more:finish("second")
      assert.same({ "b.txt", "a", "first second" }, got)
    end)

    it("as it began, when a reload has given its handler other parameters meanwhile", function()
      local begun, go = wampy.event(), wampy.event()
      local Old, New = wampy.Client:extend("App"), wampy.Client:extend("App")
      Old.save = wampy.callee(function(_, name, details)
        begun:set()
        go:wait(pair.PATIENCE)
        local parts = { name }
        for _, text in details:chunks() do parts[#parts + 1] = text end
        return table.concat(parts, " ")
      end)
      New.save = wampy.callee(function() return "new" end)
      local app <close> = Old { router = p.router }:start()
      local up = p.client:open("save", "a", "b")
      assert.is_true(begun:wait(pair.PATIENCE))
      exchange.apply(exchange.prepare(app, New))
      go:set()
      up:send("c")
      assert.equal("a b c d", up:finish("d"))
      assert.equal("new", p.client:call("save"))
    end)

    it("as a method of a class", function()
      local App = wampy.Client:extend("App")
      App.total = wampy.callee(function(self, details)
        self.calls = (self.calls or 0) + 1
        return sum(details)
      end)
      local app <close> = App { router = p.router }:start()
      local up = p.client:open("total", 1)
      assert.equal(3, up:finish(2))
      assert.equal(1, app.calls)
    end)

    it("while it answers in parts", function()
      p.server:register("running", function(details)
        local n = 0
        for _, value in details:chunks() do
          n = n + value
          details:progress(n)
        end
        return "total", n
      end)
      local seen = {}
      local up = p.client:open("running", 1, options { on_progress = function(n)
        seen[#seen + 1] = n
      end })
      up:send(2)
      assert.same({ "total", 6 }, { up:finish(3) })
      assert.same({ 1, 3, 6 }, seen)
    end)

    it("in a task of its own that the handler has spawned", function()
      p.server:register("spawned", function(details)
        local task = wampy.spawn(sum, details)
        return task:wait(pair.PATIENCE)
      end)
      local up = p.client:open("spawned", 1)
      up:send(2)
      assert.equal(6, up:finish(3))
    end)

    it("or not at all: the first part is an ordinary call", function()
      p.server:register("first", function(a) return a end)
      local up = p.client:open("first", 7)
      up:send(8)
      assert.equal(7, up:finish(9))
    end)

    it("beside others, each its own", function()
      local ups = {}
      for i = 1, 10 do ups[i] = p.client:open("sum", i) end
      for _ = 1, 5 do
        for i = 1, 10 do ups[i]:send(i) end
      end
      for i = 10, 1, -1 do assert.equal(i * 6, ups[i]:finish()) end
    end)
  end)

  it("of one part alone is one", function()
    assert.equal(5, p.client:open("sum", 5):finish())
  end)

  it("in a plain call has no parts to read", function()
    assert.equal(0, p.client:call("sum"))
    local e = pair.failure(p.client.call, p.client, "sum", 1)
    assert.equal("wamp.error.invalid_argument", e.uri)
  end)

  describe("that the callee has answered", function()
    it("takes no more: send returns false, finish the result", function()
      p.server:register("enough", function() return "enough" end)
      local up = p.client:open("enough")
      while up:send(1) do wampy.sleep(0) end
      assert.is_false(up:send(1))
      assert.equal("enough", up:finish(2))
    end)

    it("with an error raises it, in send and in finish", function()
      p.server:register("refuses", function() error(wampy.error("com.example.no")) end)
      local up = p.client:open("refuses")
      local e = pair.failure(function() while up:send(1) do wampy.sleep(0) end end)
      assert.equal("com.example.no", e.uri)
      assert.equal("com.example.no", pair.failure(up.finish, up).uri)
      assert.equal("wamp.error.no_such_procedure",
        pair.failure(function() p.client:open("nobody.here"):finish() end).uri)
    end)
  end)

  describe("that is given up", function()
    it("by cancel ends the callee's loop, and raises", function()
      for _, mode in ipairs { "killnowait", "kill", "skip" } do
        local begun = reader("read." .. mode)
        local up = p.client:open("read." .. mode)
        assert.is_true(begun:wait(pair.PATIENCE))
        up:cancel(mode)
        assert.is_true(wampy.is_error(pair.failure(up.send, up, 1), errors.Canceled))
        assert.is_true(wampy.is_error(pair.failure(up.finish, up, 1)))
        assert(canceled())
      end
    end)

    it("by a kill, after which finish waits for what the callee answers", function()
      local begun = wampy.event()
      p.server:register("saves", function(details)
        begun:set()
        pcall(function() for _ in details:chunks() do assert(details) end end)
        return "saved"
      end)
      local up = p.client:open("saves")
      assert.is_true(begun:wait(pair.PATIENCE))
      up:cancel("kill")
      assert.is_true(wampy.is_error(pair.failure(up.send, up, 1), errors.Canceled))
      assert.equal("saved", up:finish())
    end)

    it("by leaving its scope, or forgetting it", function()
      reader "read"
      do
        local up <close> = p.client:open("read", 1)
        up:send(2)
      end
      assert(canceled())
      p.client:open("read"):send(1)
      collectgarbage()
      collectgarbage()
      assert(canceled())
      assert.same({}, p.client.request_ids)
    end)

    it("by a finalizer that comes after its own", function()
      reader "read"
      local complaint
      setmetatable({}, { __gc = function(t)
        complaint = pair.complaint(t.up.send, t.up, 1)
      end }).up = p.client:open("read")
      collectgarbage()
      collectgarbage()
      assert.equal("the call was let go of, and has ended with that", complaint)
      assert(canceled())
    end)

    it("by the task that waits for its result", function()
      local begun, answer = wampy.event(), wampy.event()
      p.server:register("slow", function(details)
        for _ in details:chunks() do begun:set() end
        local mark <close> = setmetatable({}, { __close = function(_, e) ended:put(e or 0) end })
        answer:wait(60)
        return mark
      end)
      local task = wampy.spawn(function()
        local up = p.client:open("slow")
        return up:finish(1)
      end)
      assert.is_true(begun:wait(pair.PATIENCE))
      task:cancel()
      assert.is_true(pair.failure(task.wait, task, pair.PATIENCE):is(errors.Canceled))
      assert(canceled())
    end)

    it("not by finishing it, whatever happens to it afterwards", function()
      do
        local up <close> = p.client:open("sum", 1)
        assert.equal(1, up:finish())
      end
      assert.equal(0, p.client:call("sum"))
    end)
  end)

  describe("refuses", function()
    it("a part behind the last one", function()
      local up = p.client:open("sum", 1)
      assert.equal(1, up:finish())
      assert.equal("send: the arguments of sum are finished already",
        pair.complaint(up.send, up, 2))
      assert.equal("finish: the arguments of sum are finished already",
        pair.complaint(up.finish, up, 2))
    end)

    it("options that are not the first part's", function()
      local up = p.client:open("sum", 1)
      assert.equal("send: options are those of client:open, for all parts",
        pair.complaint(up.send, up, 2, options { disclose_me = true }))
      assert.equal(3, up:finish(2))
    end)

    it("a value that cannot be sent, and goes on", function()
      local up = p.client:open("sum", 1)
      assert.matches("args%[1%]: a function cannot be sent", pair.complaint(up.send, up, print))
      assert.equal(3, up:finish(2))
    end)

    it("options.progress in a plain call, and names client:open", function()
      for _, verb in ipairs { "call", "call_async", "stream" } do
        assert.matches("options%.progress: client:open", pair.complaint(p.client[verb], p.client,
          "sum", 1, options { progress = true }))
      end
    end)

    it("a client that did not announce it", function()
      local plain <close> = pair.client(p.router, { roles = { roles = { caller = { features = {
        call_canceling = true } } } } }):start()
      assert.equal("this client did not announce progressive_call_invocations "
        .. "(needed by progress)", pair.complaint(plain.open, plain, "sum", 1))
      assert.is_true(plain.connected)
    end)

    it("what is no details, and no buffer", function()
      assert.matches("the details of a call expected", pair.complaint(function()
        p.server:register("dots", function(details) return details.chunks() end)
        return p.client:call("dots")
      end))
      for _, bad in ipairs { 0, 1.5, "9" } do
        assert.matches("buffer must be an integer >= 1", pair.complaint(p.server.register, p.server,
          "x", sum, { buffer = bad }))
      end
    end)
  end)

  it("lasts until its time is over, which each part starts again", function()
    local net <close> = testing.network()
    local service, client = net:client(), net:client()
    service:register("sum", sum)
    local up = client:open("sum", 1, options { timeout = 5 })
    for _ = 1, 3 do
      net.clock:advance(4)
      up:send(1)
    end
    net.clock:advance(6)
    assert.is_true(pair.failure(up.send, up, 1):is(errors.TimeoutError))
    assert.is_true(pair.failure(up.finish, up, 1):is(errors.TimeoutError))
  end)

  describe("whose reader does not keep up", function()
    -- A procedure with a buffer of 3 that begins to read when told to.
    local function slow(uri)
      local go = wampy.event()
      p.server:register(uri, function(details)
        go:wait(pair.PATIENCE)
        local ok, e = pcall(sum, details)
        ended:put(e)
        return ok and e
      end, { buffer = 3 })
      return go
    end

    it("is kept for it, as much as its buffer holds", function()
      local go = slow "slow"
      local up = p.client:open("slow", 1)
      for _ = 1, 3 do up:send(1) end
      p.client:call("sum")
      go:set()
      assert.equal(4, up:finish())
    end)

    it("fails, at both ends", function()
      local go = slow "slow"
      local up = p.client:open("slow", 1)
      for _ = 1, 4 do up:send(1) end
      p.client:call("sum")
      local e = pair.failure(up.finish, up)
      assert.equal("wamp.error.unavailable", e.uri)
      assert.equal("the callee does not read the call's arguments (its buffer of 3 parts is full)",
        e.message)
      go:set()
      local seen = ended:get(pair.PATIENCE)
      assert.is_true(wampy.is_error(seen, errors.StreamOverflow), tostring(seen))
      assert.matches("option buffer = 3 ", seen.message)
      assert.equal(0, p.client:call("sum"))
    end)

    it("is no reader who has not had his turn since he was woken", function()
      p.server:register("brisk", sum, { buffer = 1 })
      local up = p.client:open("brisk")
      for _ = 1, 20000 do up:send(1) end
      assert.equal(20000, up:finish())
    end)
  end)

  it("waits while its own link's queue is full", function()
    local net <close> = testing.network()
    local service, client = net:client(), net:client()
    service:register("sum", sum)
    local up = client:open("sum")
    net:link(client):pause()
    local sent, done = 0, nil
    wampy.spawn(function()
      for i = 1, 20000 do
        up:send(1)
        sent = i
      end
      done = up:finish()
    end)
    net.clock:advance(0)
    assert.is_true(sent > 100 and sent < 20000, "sent " .. sent)
    net:link(client):resume()
    net.clock:advance(1)
    assert.equal(20000, done)
  end)

  describe("when the session ends", function()
    it("raises ConnectionError at the caller", function()
      local other <close> = pair.client(p.router):start()
      local up = other:open("sum", 1)
      other:stop()
      assert.is_true(pair.failure(up.send, up, 1):is(errors.ConnectionError))
      assert.is_true(pair.failure(up.finish, up, 1):is(errors.ConnectionError))
      up:cancel()
    end)

    it("raises in the callee's loop when the caller has left", function()
      local begun = reader "read"
      local other <close> = pair.client(p.router):start()
      local up = other:open("read", 1)
      assert.is_true(begun:wait(pair.PATIENCE))
      other:stop()
      assert(canceled())
      assert.is_true(wampy.is_error(pair.failure(up.send, up)))
    end)

    it("raises ConnectionError in the loop of a callee whose own session it is", function()
      local service <close> = pair.client(p.router):start()
      local begun = wampy.event()
      service:register("read", function(details)
        begun:set()
        ended:put(pair.failure(sum, details))
        assert.is_false(pcall(details.progress, details, 1))
      end)
      local up = p.client:open("read", 1)
      assert.is_true(begun:wait(pair.PATIENCE))
      service:stop()
      local e = ended:get(pair.PATIENCE)
      assert.is_true(wampy.is_error(e, errors.ConnectionError), tostring(e))
      assert.is_true(wampy.is_error(pair.failure(up.finish, up)))
    end)
  end)
end)
