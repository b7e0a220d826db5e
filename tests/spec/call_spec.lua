-- call_spec: the ways to call, what comes back, and what happens when nothing does.
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local kwargs, options, errors = wampy.kwargs, wampy.options, wampy.errors

describe("a call", function()
  local p = pair.each(before_each, after_each)

  local function add(a, b) return a + b end

  -- A procedure that answers only once the test says so.
  local function hanging(uri)
    local release = wampy.event()
    p.server:register(uri, function()
      release:wait(pair.PATIENCE)
      return "late"
    end)
    return release
  end

  describe("is written", function()
    before_each(function()
      p.server:register({ "com.example.math.add2", "add2", "a-b" }, add)
    end)

    it("with the URI first", function()
      assert.equal(3, p.client:call("com.example.math.add2", 1, 2))
      assert.equal(3, p.client.call("com.example.math.add2", 1, 2))
    end)

    it("as a dotted name", function()
      assert.equal(3, p.client.call.com.example.math.add2(1, 2))
      assert.equal(3, p.client.call.add2(1, 2))
    end)

    it("through rpc, in brackets for names that are none in Lua", function()
      assert.equal(3, p.client.rpc.add2(1, 2))
      assert.equal(3, p.client.rpc["a-b"](1, 2))
      assert.equal(3, p.client.rpc["com.example.math.add2"](1, 2))
    end)

    it("not with a colon after rpc", function()
      local e = pair.failure(function() return p.client.rpc:add2(1, 2) end)
      assert.equal("rpc:add2(...): use a dot, rpc.add2(...)", e.message)
    end)
  end)

  describe("carries", function()
    local got
    before_each(function()
      p.server:register("take", function(...)
        got = table.pack(...)
      end)
    end)

    it("positional and keyword arguments", function()
      p.client:call("take", 1, "two", kwargs { three = 3 })
      assert.equal(3, got.n)
      assert.same({ 1, "two" }, { got[1], got[2] })
      assert.equal(3, got[3].three)
    end)

    it("the two marks at the end in either order", function()
      p.client:call("take", 1, kwargs { k = 1 }, options { timeout = 5 })
      assert.equal(2, got.n)
      assert.equal(1, got[2].k)
      p.client:call("take", 1, options { timeout = 5 }, kwargs { k = 2 })
      assert.equal(2, got.n)
      assert.equal(2, got[2].k)
      p.client:call("take", options { timeout = 5 })
      assert.equal(0, got.n)
    end)

    it("an empty kwargs as nothing", function()
      p.client:call("take", 1, kwargs {})
      assert.equal(1, got.n)
    end)

    it("a thousand arguments", function()
      local many = {}
      for i = 1, 1000 do many[i] = i end
      p.client:call("take", table.unpack(many))
      assert.equal(1000, got.n)
      assert.equal(1000, got[1000])
    end)
  end)

  describe("returns", function()
    it("nothing, one or several results", function()
      p.server:register("n", function(n) return table.unpack({ 1, 2, 3 }, 1, n) end)
      assert.equal(0, select("#", p.client:call("n", 0)))
      assert.same({ 1 }, { p.client:call("n", 1) })
      assert.same({ 1, 2, 3 }, { p.client:call("n", 3) })
    end)

    it("keyword results at the end, as a table that can be sent on", function()
      p.server:register("kw", function(a) return a, kwargs { b = 2 } end)
      local a, kw = p.client:call("kw", 1)
      assert.equal(1, a)
      assert.equal(2, kw.b)
      assert.equal(getmetatable(kwargs {}), getmetatable(kw))
      p.server:register("on", function(b) return b end)
      assert.equal(2, p.client:call("on", kw))
    end)

    it("keyword results alone", function()
      p.server:register("kw", function() return kwargs { b = 2 } end)
      local r = table.pack(p.client:call("kw"))
      assert.equal(1, r.n)
      assert.equal(2, r[1].b)
    end)
  end)

  describe("that is not answered", function()
    it("raises TimeoutError, and the next one is right", function()
      local release = hanging "hang"
      p.server:register("add2", add)
      local e = pair.failure(p.client.call, p.client, "hang", options { timeout = 0.02 })
      assert.is_true(e:is(errors.TimeoutError))
      assert.matches("hang", e.message)
      assert.equal(3, p.client:call("add2", 1, 2))
      release:set()
      assert.equal(7, p.client:call("add2", 3, 4))
      assert.same({}, p.client.request_ids)
    end)

    it("uses the client's call_timeout", function()
      local release = hanging "hang"
      local hasty <close> = pair.client(p.router, { call_timeout = 0.02 }):start()
      assert.is_true(pair.failure(hasty.call, hasty, "hang"):is(errors.TimeoutError))
      release:set()
    end)

    it("cancels the handler at the callee", function()
      local canceled = wampy.queue()
      p.server:register("hang", function()
        local mark <close> = setmetatable({}, { __close = function(_, e)
          canceled:put(e or "none")
        end })
        wampy.sleep(60)
        return mark
      end)
      assert.is_true(pair.failure(p.client.call, p.client, "hang",
        options { timeout = 0.02 }):is(errors.TimeoutError))
      local e = canceled:get(pair.PATIENCE)
      assert.is_true(wampy.is_error(e, errors.Canceled), tostring(e))
    end)

    it("takes a time that is one", function()
      for _, bad in ipairs { "1", -1, 0 / 0, true } do
        assert.matches("options%.timeout: expected seconds",
          pair.complaint(p.client.call, p.client, "x", options { timeout = bad }))
      end
    end)
  end)

  describe("that fails", function()
    it("raises a RemoteError with what the callee gave", function()
      p.server:register("fail", function()
        error(wampy.error("com.app.no_such_user", 42, "x",
          kwargs { name = "joe", message = "no joe" }))
      end)
      local e = pair.failure(p.client.call, p.client, "fail")
      assert.is_true(e:is(errors.RemoteError))
      assert.equal("RemoteError", e.name)
      assert.equal("com.app.no_such_user", e.uri)
      assert.equal("fail", e.procedure)
      assert.equal("integer", math.type(e.request_id))
      assert.equal("com.app.no_such_user", e.exc_type)
      assert.equal("no joe", e.message)
      assert.same({ 42, "x" }, { table.unpack(e.args) })
      assert.same({ name = "joe", message = "no joe" }, e.kwargs)
      assert.equal("table", type(e.details))
      assert.equal("RemoteError: fail: no joe (com.app.no_such_user)", tostring(e))
    end)

    it("leaves nothing behind", function()
      p.server:register("fails", function() error(wampy.error("com.example.no")) end)
      p.server:register("slow", function() wampy.sleep(1) end)
      for _ = 1, 20 do pcall(p.client.call, p.client, "fails") end
      pcall(p.client.call, p.client, "slow", options { timeout = 0.001 })
      pcall(p.client.register, p.client, "fails", function() end)
      assert.equal(0, (select(4, p.client._core:stats())))
    end)

    it("raises a RemoteError when nobody serves the procedure", function()
      local e = pair.failure(p.client.call, p.client, "nobody.here")
      assert.equal("wamp.error.no_such_procedure", e.uri)
      assert.equal("nobody.here", e.procedure)
    end)
  end)

  describe("is refused before it is sent", function()
    it("when the URI is none", function()
      for _, uri in ipairs { "a..b", "a b", "", ".a", "a.", "a#b", "a\xff" } do
        local e = pair.failure(p.client.call, p.client, uri)
        assert.is_true(wampy.is_error(e), uri)
        assert.is_false(e:is(errors.RemoteError), uri)
      end
      assert.same({}, p.client.request_ids)
      assert.is_true(p.client.connected)
    end)

    it("when the URI is no string", function()
      for _, uri in ipairs { {}, true, print } do
        assert.is_false((pcall(p.client.call, p.client, uri)))
      end
      assert.is_false((pcall(p.client.call, p.client)))
    end)

    it("when an option has the wrong type", function()
      assert.matches("disclose_me", pair.complaint(p.client.call, p.client, "x",
        options { disclose_me = "yes" }))
      assert.matches("on_progress", pair.complaint(p.client.call, p.client, "x",
        options { on_progress = 1 }))
      assert.matches("keys must be strings", pair.complaint(p.client.call, p.client, "x",
        options { 1 }))
    end)

    it("when the client is not started", function()
      local idle = pair.client(p.router)
      for _, verb in ipairs { "call", "call_async" } do
        local e = pair.failure(idle[verb], idle, "x")
        assert.is_true(wampy.is_error(e, errors.ConnectionError))
        assert.matches("start the client first", e.message)
      end
      assert.is_true(wampy.is_error(pair.failure(idle.rpc.x), errors.ConnectionError))
      assert.is_true(wampy.is_error(pair.failure(idle.register, idle, "x", add),
        errors.ConnectionError))
      assert.is_true(wampy.is_error(pair.failure(idle.publish, "x", 1), errors.ConnectionError))
    end)
  end)

  it("sends an option of the spec as an integer when it is integral", function()
    local release = hanging "hang"
    local e = pair.failure(p.client.call, p.client, "hang", options { timeout_ms = 20.0 })
    assert.is_true(e:is(errors.RemoteError))
    assert.matches("^wamp%.error%.", e.uri)
    release:set()
  end)

  describe("made without waiting", function()
    it("is a future", function()
      local release = hanging "hang"
      local f = p.client:call_async("hang")
      assert.is_false(f:done())
      assert.same({ "hang" }, { select(2, next(p.client.request_ids)) })
      release:set()
      assert.equal("late", f:wait())
      assert.is_true(f:done())
      assert.equal("late", f:wait())
      assert.same({}, p.client.request_ids)
    end)

    it("can be waited for with a limit, and again", function()
      local release = hanging "hang"
      local f = p.client:call_async("hang")
      assert.is_true(pair.failure(f.wait, f, 0.01):is(errors.TimeoutError))
      assert.is_false(f:done())
      release:set()
      assert.equal("late", f:wait(pair.PATIENCE))
    end)

    it("raises in wait", function()
      local f = p.client:call_async("nobody.here")
      assert.equal("wamp.error.no_such_procedure", pair.failure(f.wait, f).uri)
      assert.equal("wamp.error.no_such_procedure", pair.failure(f.wait, f).uri)
    end)

    it("can be canceled", function()
      for _, mode in ipairs { "skip", "kill", "killnowait" } do
        local release = hanging("hang." .. mode)
        local f = p.client:call_async("hang." .. mode)
        f:cancel(mode)
        local e = pair.failure(f.wait, f, pair.PATIENCE)
        assert.is_true(wampy.is_error(e), mode)
        assert.is_false(e:is(errors.TimeoutError), mode)
        assert.is_true(f:done())
        f:cancel()
        release:set()
      end
      assert.is_false((pcall(function()
        return p.client:call_async("nobody.here"):cancel("gently")
      end)))
    end)

    it("may be forgotten", function()
      p.server:register("add2", add)
      for i = 1, 20 do p.client:call_async("add2", i, i) end
      collectgarbage()
      collectgarbage()
      assert.equal(3, p.client:call("add2", 1, 2))
      assert.same({}, p.client.request_ids)
    end)

    it("is gathered in order", function()
      p.server:register("add2", add)
      local a, b, c = wampy.gather(p.client:call_async("add2", 1, 1),
        p.client:call_async("add2", 2, 2), p.client:call_async("add2", 3, 3))
      assert.same({ 2, 4, 6 }, { a, b, c })
      local e = pair.failure(wampy.gather, p.client:call_async("add2", 1, 1),
        p.client:call_async("nobody.one"), p.client:call_async("nobody.two"))
      assert.equal("nobody.one", e.procedure)
    end)

    it("is waited for by several tasks", function()
      local release = hanging "hang"
      local f = p.client:call_async("hang")
      local one = wampy.spawn(function() return f:wait() end)
      local two = wampy.spawn(function() return f:wait() end)
      release:set()
      assert.equal("late", one:wait(pair.PATIENCE))
      assert.equal("late", two:wait(pair.PATIENCE))
    end)
  end)

  it("of ten tasks at once gets each its own answers", function()
    p.server:register("twin", function(who, i)
      if (who + i) % 3 == 0 then wampy.sleep(0) end
      return who, i
    end)
    local tasks = {}
    for who = 1, 10 do
      tasks[who] = wampy.spawn(function()
        for i = 1, 100 do
          local w, n = p.client:call("twin", who, i)
          if w ~= who or n ~= i then return ("%d.%d got %d.%d"):format(who, i, w, n) end
        end
        return "right"
      end)
    end
    for who = 1, 10 do assert.equal("right", tasks[who]:wait(pair.PATIENCE)) end
  end)

  it("may be made by a callee", function()
    p.server:register("inner", function(n) return n * 2 end)
    p.server:register("outer", function(n) return p.server:call("inner", n) + 1 end)
    assert.equal(21, p.client:call("outer", 10))
  end)

  it("may go back to the caller, and deep", function()
    p.client:register("down", function(n)
      if n == 0 then return 0 end
      return p.client:call("down", n - 1) + 1
    end)
    assert.equal(50, p.client:call("down", 50))
  end)

  it("of an error in the middle is passed on as it is", function()
    p.server:register("inner", function() error(wampy.error("com.inner.bad", 7)) end)
    p.server:register("outer", function() return p.server:call("inner") end)
    local e = pair.failure(p.client.call, p.client, "outer")
    assert.equal("com.inner.bad", e.uri)
    assert.equal(7, e.args[1])
    assert.equal("outer", e.procedure)
  end)

  it("with on_progress keeps its function, and gets the result", function()
    p.server:register("add2", add)
    assert.equal(3, p.client:call("add2", 1, 2, options { on_progress = function() end }))
  end)

  it("does not hold up other tasks", function()
    local release = hanging "hang"
    local other = wampy.spawn(function()
      release:set()
      return "went on"
    end)
    assert.equal("late", p.client:call("hang"))
    assert.equal("went on", other:wait(pair.PATIENCE))
  end)
end)
