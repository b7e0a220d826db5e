-- tasks_spec: tasks, time, and what orders them.
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local errors = wampy.errors

describe("tasks:", function()
  describe("spawn", function()
    it("runs a function later, with its arguments", function()
      local ran = false
      local task = wampy.spawn(function(...)
        ran = true
        return select("#", ...), ...
      end, 1, nil, 3, nil)
      assert.is_false(ran)
      assert.same({ 4, 1, nil, 3 }, { task:wait() })
      assert.is_true(task.done)
    end)

    it("wait raises the error of the function, each time", function()
      local task = wampy.spawn(function() error({ code = 7 }) end)
      for _ = 1, 2 do assert.same({ code = 7 }, pair.failure(task.wait, task)) end
      task = wampy.spawn(function() error("text", 0) end)
      assert.equal("text", pair.failure(task.wait, task))
    end)

    it("wait has a limit", function()
      local release = wampy.event()
      local task = wampy.spawn(function() return release:wait() end)
      assert.is_true(pair.failure(task.wait, task, 0.01):is(errors.TimeoutError))
      release:set()
      assert.is_true(task:wait(pair.PATIENCE))
    end)

    it("wait of many tasks for one", function()
      local release = wampy.event()
      local task = wampy.spawn(function()
        release:wait()
        return "x"
      end)
      local waiters = {}
      for i = 1, 5 do waiters[i] = wampy.spawn(function() return task:wait() end) end
      release:set()
      for i = 1, 5 do assert.equal("x", waiters[i]:wait(pair.PATIENCE)) end
    end)

    it("cancel raises Canceled, and runs the <close> variables, which may wait", function()
      local started, closed = wampy.event(), wampy.event()
      local task = wampy.spawn(function()
        local mark <close> = setmetatable({}, { __close = function(_, e)
          wampy.sleep(0.001)
          closed.why = e
          closed:set()
        end })
        started:set()
        wampy.sleep(60)
        return mark
      end)
      assert.is_true(started:wait(pair.PATIENCE))
      task:cancel()
      assert.is_true(wampy.is_error(pair.failure(task.wait, task), errors.Canceled))
      assert.is_true(closed.is_set)
      assert.is_true(wampy.is_error(closed.why, errors.Canceled))
    end)

    it("cancel before the start, and after the end", function()
      local task = wampy.spawn(function()
        wampy.sleep(60)
      end)
      task:cancel()
      assert.is_true(wampy.is_error(pair.failure(task.wait, task, pair.PATIENCE), errors.Canceled))
      task:cancel()
      local done = wampy.spawn(function() return 1 end)
      assert.equal(1, done:wait())
      done:cancel()
      assert.equal(1, done:wait())
    end)

    it("cancel can be caught, once", function()
      local started = wampy.event()
      local task = wampy.spawn(function()
        started:set()
        local ok, e = pcall(wampy.sleep, 60)
        wampy.sleep(0)
        return ok, wampy.is_error(e, errors.Canceled)
      end)
      started:wait(pair.PATIENCE)
      task:cancel()
      assert.same({ false, true }, { task:wait(pair.PATIENCE) })
    end)

    it("a task may cancel itself: its next wait raises", function()
      local task
      task = wampy.spawn(function()
        task:cancel()
        return pcall(wampy.sleep, 0)
      end)
      assert.is_false((task:wait(pair.PATIENCE)))
    end)

    it("within a task, and thousands", function()
      local sum = 0
      local outer = wampy.spawn(function()
        local inner = {}
        for i = 1, 3000 do
          inner[i] = wampy.spawn(function()
            wampy.sleep(0)
            sum = sum + i
          end)
        end
        for i = 1, 3000 do inner[i]:wait() end
      end)
      outer:wait(pair.PATIENCE)
      assert.equal(3000 * 3001 // 2, sum)
    end)

    it("refuses what is no function", function()
      for name, arguments in pairs { spawn = { 7 }, after = { 1 }, every = { 1, "x" } } do
        local ok, e = pcall(function() wampy[name](table.unpack(arguments)) end)
        assert.is_false(ok)
        assert.matches("tasks_spec.lua:%d+: ?" .. name .. ": expected a function, got", e)
      end
      local e = select(2, pcall(wampy.after, print, 1))
      assert.matches("after: expected seconds, got function", e)
    end)
  end)

  describe("sleep", function()
    it("takes its time, and lets others run", function()
      local order = {}
      local slow = wampy.spawn(function()
        wampy.sleep(0.03)
        order[#order + 1] = "slow"
      end)
      local fast = wampy.spawn(function()
        wampy.sleep(0.001)
        order[#order + 1] = "fast"
      end)
      slow:wait()
      fast:wait()
      assert.same({ "fast", "slow" }, order)
      local before = wampy.now()
      wampy.sleep(0.02)
      assert.is_true(wampy.now() - before >= 0.019)
    end)

    it("of 0 gives others a turn", function()
      local log = {}
      local a = wampy.spawn(function()
        for _ = 1, 3 do
          log[#log + 1] = "a"
          wampy.sleep(0)
        end
      end)
      local b = wampy.spawn(function()
        for _ = 1, 3 do
          log[#log + 1] = "b"
          wampy.sleep(0)
        end
      end)
      a:wait()
      b:wait()
      assert.equal("ababab", table.concat(log))
    end)

    it("refuses what is no number", function()
      assert.is_false((pcall(wampy.sleep, "soon")))
      assert.is_false((pcall(wampy.sleep)))
    end)
  end)

  describe("timers:", function()
    it("after calls once, in a task", function()
      local q = wampy.queue()
      wampy.after(0.001, function()
        wampy.sleep(0)
        q:put "rang"
      end)
      assert.equal("rang", q:get(pair.PATIENCE))
    end)

    it("after stopped does not call", function()
      local called = false
      local timer = wampy.after(0.005, function() called = true end)
      timer:stop()
      timer:stop()
      wampy.sleep(0.02)
      assert.is_false(called)
    end)

    it("every calls again and again until stopped, by itself, too", function()
      local q, n, timer = wampy.queue(), 0, nil
      timer = wampy.every(0.001, function()
        n = n + 1
        if n == 3 then
          timer:stop()
          q:put "stopped"
        end
      end)
      assert.equal("stopped", q:get(pair.PATIENCE))
      wampy.sleep(0.01)
      assert.equal(3, n)
    end)

    it("every goes on after an error", function()
      local q, n = wampy.queue(), 0
      local timer = wampy.every(0.001, function()
        n = n + 1
        q:put(n)
        if n == 1 then error("on purpose") end
      end)
      assert.equal(1, q:get(pair.PATIENCE))
      assert.equal(2, q:get(pair.PATIENCE))
      timer:stop()
    end)

    it("every needs an interval", function()
      for _, bad in ipairs { 0, -1, "x", false } do
        assert.is_false((pcall(wampy.every, bad, print)))
      end
    end)
  end)

  describe("mutex", function()
    it("lets one in at a time, in the order of their coming", function()
      local m, log, inside = wampy.mutex(), {}, 0
      local tasks = {}
      for i = 1, 5 do
        tasks[i] = wampy.spawn(function()
          local _ <close> = m:lock()
          inside = inside + 1
          assert(inside == 1)
          wampy.sleep(0)
          log[#log + 1] = i
          inside = inside - 1
        end)
      end
      for i = 1, 5 do tasks[i]:wait(pair.PATIENCE) end
      assert.same({ 1, 2, 3, 4, 5 }, log)
      local _ <close> = m:lock()
    end)

    it("is freed by an error, and by a cancellation", function()
      local m, held = wampy.mutex(), wampy.event()
      assert.is_false((pcall(function()
        local _ <close> = m:lock()
        error("x")
      end)))
      local holder = wampy.spawn(function()
        local _ <close> = m:lock()
        held:set()
        wampy.sleep(60)
      end)
      assert.is_true(held:wait(pair.PATIENCE))
      local waiter = wampy.spawn(function()
        local _ <close> = m:lock()
        return "mine"
      end)
      local given_up = wampy.spawn(function() m:lock() end)
      wampy.sleep(0)
      given_up:cancel()
      holder:cancel()
      assert.equal("mine", waiter:wait(pair.PATIENCE))
      pcall(given_up.wait, given_up)
      m:lock()
      m:unlock()
    end)

    it("unlocked by hand, and when it is free", function()
      local m = wampy.mutex()
      m:unlock()
      m:lock()
      m:unlock()
      m:lock()
      m:unlock()
    end)

    it("passes on when the one woken is canceled", function()
      local m = wampy.mutex()
      m:lock()
      local first = wampy.spawn(function() m:lock() end)
      local second = wampy.spawn(function()
        m:lock()
        return "second"
      end)
      wampy.sleep(0)
      wampy.sleep(0)
      m:unlock()
      first:cancel()
      assert.equal("second", second:wait(pair.PATIENCE))
      pcall(first.wait, first)
    end)
  end)

  describe("queue", function()
    it("hands over in order", function()
      local q = wampy.queue()
      local reader = wampy.spawn(function()
        local list = {}
        for i = 1, 100 do list[i] = q:get() end
        return list
      end)
      for i = 1, 100 do q:put(i) end
      local list = reader:wait(pair.PATIENCE)
      for i = 1, 100 do assert.equal(i, list[i]) end
      assert.equal(0, #q)
    end)

    it("waits for room", function()
      local q, log = wampy.queue(2), {}
      local writer = wampy.spawn(function()
        for i = 1, 5 do
          q:put(i)
          log[#log + 1] = #q
        end
      end)
      for i = 1, 5 do assert.equal(i, q:get(pair.PATIENCE)) end
      writer:wait(pair.PATIENCE)
      for _, n in ipairs(log) do assert.is_true(n <= 2) end
    end)

    it("gets with a limit", function()
      local q = wampy.queue()
      assert.same({ nil, "timeout" }, { q:get(0.005) })
      assert.same({ nil, "timeout" }, { q:get(0) })
      q:put(false)
      assert.is_false((q:get(0)))
    end)

    it("takes no nil", function()
      assert.is_false((pcall(function() wampy.queue():put(nil) end)))
    end)

    it("serves many readers and writers", function()
      local q, sum, tasks = wampy.queue(3), 0, {}
      for w = 1, 5 do
        tasks[#tasks + 1] = wampy.spawn(function()
          for i = 1, 20 do q:put(w * 100 + i) end
        end)
        tasks[#tasks + 1] = wampy.spawn(function()
          for _ = 1, 20 do
            local value = q:get()
            sum = sum + value
          end
        end)
      end
      for _, t in ipairs(tasks) do t:wait(pair.PATIENCE) end
      local want = 0
      for w = 1, 5 do
        for i = 1, 20 do want = want + w * 100 + i end
      end
      assert.equal(want, sum)
    end)

    it("loses nothing when the reader woken is canceled", function()
      local q = wampy.queue()
      local first = wampy.spawn(function() return q:get() end)
      local second = wampy.spawn(function() return q:get() end)
      wampy.sleep(0)
      wampy.sleep(0)
      q:put("value")
      first:cancel()
      local ok = pcall(first.wait, first)
      if ok then second:cancel() end
      assert.equal(not ok, pcall(second.wait, second, pair.PATIENCE))
    end)
  end)

  describe("event", function()
    it("wakes all, and stays set", function()
      local e, tasks = wampy.event(), {}
      for i = 1, 5 do tasks[i] = wampy.spawn(function() return e:wait() end) end
      wampy.sleep(0)
      e:set()
      for i = 1, 5 do assert.is_true(tasks[i]:wait(pair.PATIENCE)) end
      assert.is_true(e:wait())
      assert.is_true(e:wait(0))
      e:clear()
      assert.is_false(e:wait(0))
      assert.is_false(e:wait(0.005))
    end)
  end)

  describe("clients in tasks:", function()
    local p = pair.each(before_each, after_each)

    it("a task waits for a call", function()
      p.server:register("add2", function(a, b) return a + b end)
      local task = wampy.spawn(function() return p.client:call("add2", 1, 2) end)
      assert.equal(3, task:wait(pair.PATIENCE))
    end)

    it("a canceled task cancels its call", function()
      local started, canceled = wampy.event(), wampy.event()
      p.server:register("hang", function()
        started:set()
        local ok, e = pcall(wampy.sleep, 60)
        if not ok and wampy.is_error(e, errors.Canceled) then canceled:set() end
      end)
      local task = wampy.spawn(function() return p.client:call("hang") end)
      assert.is_true(started:wait(pair.PATIENCE))
      task:cancel()
      assert.is_true(wampy.is_error(pair.failure(task.wait, task), errors.Canceled))
      assert.is_true(canceled:wait(pair.PATIENCE))
      assert.same({}, p.client.request_ids)
    end)

    it("a storm of canceled and timed-out calls leaves nothing, and answers go on", function()
      p.server:register("echo", function(v)
        if v % 3 == 0 then wampy.sleep(0.001) end
        return v
      end)
      local tasks = {}
      for i = 1, 600 do
        tasks[i] = wampy.spawn(function()
          if i % 5 == 0 then return p.client:call_async("echo", i):wait(0.001) end
          if i % 7 == 0 then return p.client:call("echo", i, wampy.options { timeout = 0.001 }) end
          return p.client:call("echo", i)
        end)
        if i % 4 == 0 then tasks[i - 2]:cancel() end
        if i % 50 == 0 then
          wampy.sleep(0)
          tasks[i - 7]:cancel()
          collectgarbage()
        end
      end
      local right = 0
      for i = 1, 600 do
        local ok, v = pcall(tasks[i].wait, tasks[i], pair.PATIENCE)
        if ok then assert.equal(i, v) else assert.is_true(wampy.is_error(v), tostring(v)) end
        right = right + (ok and 1 or 0)
      end
      assert.is_true(right > 200)
      collectgarbage()
      collectgarbage()
      assert.same({}, p.client.request_ids)
      assert.equal(9, p.client:call("echo", 9))
    end)

    it("a client starts and stops in a task", function()
      local id = wampy.spawn(function()
        local c <close> = pair.client(p.router):start()
        return c.session.id
      end):wait(pair.PATIENCE)
      assert.equal("integer", math.type(id))
      assert.equal(2, p.router:stats().sessions)
    end)

    it("with starts, runs, and always stops", function()
      local c = pair.client(p.router)
      assert.equal(7, wampy.with(c, function(client)
        assert.is_true(client.connected)
        return 7
      end))
      assert.is_false(c.connected)
      assert.matches("inside", pair.complaint(wampy.with, c, function() error("inside") end))
      assert.is_false(c.connected)
    end)

    it("<close> stops a client when an error passes", function()
      local c
      assert.is_false((pcall(function()
        local client <close> = pair.client(p.router):start()
        c = client
        error("x")
      end)))
      assert.is_false(c.connected)
    end)

    it("run returns when stop is called, with its code, and stops all", function()
      wampy.after(0.001, function() wampy.stop(3) end)
      assert.equal(3, wampy.run())
      assert.is_false(p.client.connected)
      assert.is_false(p.server.connected)
    end)

    it("run returns when all clients have stopped", function()
      wampy.spawn(function()
        p.client:stop()
        p.server:stop()
      end)
      assert.equal(0, wampy.run())
    end)

    it("run returns at once when no client is started", function()
      p.client:stop()
      p.server:stop()
      assert.equal(0, wampy.run())
    end)

    it("run raises when a link is lost for good, and stops the other clients", function()
      wampy.after(0.001, function() p.client._core:drop() end)
      local e = pair.failure(wampy.run)
      assert.is_true(wampy.is_error(e, errors.ConnectionError))
      assert.is_false(p.server.connected)
      assert.equal(0, wampy.run())
    end)

    it("run does not raise a loss that the app has mended", function()
      p.client._core:drop()
      p.client:wait_stopped()
      p.client:start()
      wampy.after(0.001, wampy.stop)
      assert.equal(0, wampy.run())
    end)

    it("run is for the main chunk", function()
      local task = wampy.spawn(wampy.run)
      assert.matches("only from the main chunk", pair.failure(task.wait, task))
    end)

    it("wait_stopped", function()
      wampy.after(0.001, function() p.client:stop() end)
      p.client:wait_stopped()
      assert.is_false(p.client.connected)
    end)

    it("a coroutine made by wrap passes waits on, and yields as ever", function()
      p.server:register("double", function(v) return v * 2 end)
      local function body()
        local generate = wampy.wrap(function(a)
          local b = coroutine.yield(p.client:call("double", a))
          wampy.sleep(0)
          coroutine.yield(p.client:call("double", b))
          return "end"
        end)
        return generate(1), generate(5), generate()
      end
      assert.same({ 2, 10, "end" }, { wampy.spawn(body):wait(pair.PATIENCE) })
      assert.same({ 2, 10, "end" }, { body() })
    end)

    it("an error in a wrapped coroutine comes out of it", function()
      local function body()
        local f = wampy.wrap(function()
          wampy.sleep(0)
          error("inner", 0)
        end)
        return select(2, pcall(f))
      end
      assert.equal("inner", wampy.spawn(body):wait(pair.PATIENCE))
    end)

    it("a foreign yield in a task is an error with its line, for who waits", function()
      local line = debug.getinfo(1, "l").currentline + 1
      local task = wampy.spawn(function() coroutine.yield(1) end)
      assert.matches("tasks_spec%.lua:" .. line .. ": coroutine%.yield outside of a coroutine",
        pair.failure(task.wait, task, pair.PATIENCE))
    end)

    it("a foreign yield can be caught, and what it is in goes on", function()
      local task = wampy.spawn(function()
        local caught = pcall(function() coroutine.yield(1, 2, 3) end)
        wampy.sleep(0)
        return caught, pcall(function() coroutine.yield() end)
      end)
      local first, second = task:wait(pair.PATIENCE)
      assert.is_false(first)
      assert.is_false(second)
    end)

    it("a foreign yield in a handler is an error that names it", function()
      p.server:register("yields", function() coroutine.yield(1) end)
      p.server:register("good", function() return "good" end)
      local e = pair.failure(p.client.call, p.client, "yields")
      assert.matches("coroutine%.yield outside of a coroutine", e.message)
      assert.equal("good", p.client:call("good"))
    end)
  end)
end)
