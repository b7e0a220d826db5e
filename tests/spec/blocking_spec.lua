-- blocking_spec: who may wait, and what happens where nobody may.
--
-- One rule: a task's own thread waits; where no loop runs, the call runs it; anywhere else it
-- raises, before anything is sent, and what stands around it goes on.
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"

describe("waiting", function()
  local p = pair.each(before_each, after_each)

  before_each(function()
    p.server:register("double", function(v) return v * 2 end)
  end)

  local function double(v) return p.client:call("double", v) end

  -- Every way to wait, in a place where one cannot: each must say so.
  local function all_refuse()
    local event, mutex = wampy.event(), wampy.mutex()
    mutex.locked = true
    local task = wampy.spawn(function() wampy.sleep(0) end)
    local future = p.client:call_async("double", 1)
    local ways = {
      call = function() double(1) end,
      rpc = function() p.client.rpc.double(1) end,
      sleep = function() wampy.sleep(0) end,
      wait = function() task:wait() end,
      future = function() future:wait() end,
      get = function() wampy.queue():get() end,
      event = function() event:wait(1) end,
      lock = function() mutex:lock() end,
      register = function() p.client:register("x", print) end,
      subscribe = function() p.client:subscribe("x", print) end,
      acknowledge = function() p.client:publish("x", 1, wampy.options { acknowledge = true }) end,
      readable = function() wampy.readable(0, 0) end,
      exec = function() wampy.exec { "true" } end,
      start = function() pair.client(p.router):start() end,
    }
    local wrong = {}
    for name, way in pairs(ways) do
      local ok, e = pcall(way)
      local text = type(e) == "table" and e.message or tostring(e)
      if ok or not text:find("cannot wait here: ", 1, true) then
        wrong[#wrong + 1] = name .. ": " .. (ok and "did not raise" or text)
      end
    end
    table.sort(wrong)
    return table.concat(wrong, "\n")
  end

  -- Runs `fn` in a handler; returns what it returns.
  local function in_handler(fn)
    local held = p.server:register("context", fn)
    local r = table.pack(p.client:call("context"))
    held:unregister()
    return table.unpack(r, 1, r.n)
  end

  local function in_sort(fn)
    local result
    table.sort({ 1, 2 }, function(a, b)
      result = result or fn()
      return a < b
    end)
    return result
  end

  local function in_gsub(fn)
    local result
    string.gsub("x", "x", function() result = fn() end)
    return result
  end

  local function in_required(fn)
    package.preload["spec.required"] = function()
      package.loaded["spec.required"] = nil
      return { fn() }
    end
    local result = require "spec.required"
    package.loaded["spec.required"] = nil
    return result[1]
  end

  local function in_coroutine(fn)
    return select(2, assert(coroutine.resume(coroutine.create(fn))))
  end

  describe("where no task runs, runs the loop", function()
    it("in busted's it", function()
      assert.equal(4, double(2))
    end)

    it("in a sort callback", function()
      assert.equal(4, in_sort(function() return double(2) end))
    end)

    it("in a gsub callback", function()
      assert.equal(4, in_gsub(function() return double(2) end))
    end)

    it("in a chunk being required", function()
      assert.equal(4, in_required(function() return double(2) end))
    end)

    it("in a coroutine of the app's own", function()
      assert.equal(4, in_coroutine(function() return double(2) end))
    end)

    it("in pcall, xpcall, a metamethod and a <close> variable", function()
      assert.equal(4, select(2, pcall(double, 2)))
      assert.equal(4, select(2, xpcall(double, print, 2)))
      local t = setmetatable({}, { __index = function(_, k) return double(k) end })
      assert.equal(4, t[2])
      local closed
      do local _ <close> = setmetatable({}, { __close = function() closed = double(2) end }) end
      assert.equal(4, closed)
    end)
  end)

  describe("in a task, waits", function()
    it("in a handler of a call", function()
      assert.equal(4, in_handler(function() return double(2) end))
    end)

    it("in a handler of an event", function()
      local q = wampy.queue()
      p.server:subscribe("topic", function(v) q:put(double(v)) end)
      p.client:publish("topic", 2)
      assert.equal(4, q:get(pair.PATIENCE))
    end)

    it("in a timer", function()
      local q = wampy.queue()
      wampy.after(0, function() q:put(double(2)) end)
      assert.equal(4, q:get(pair.PATIENCE))
      local timer = wampy.every(0.001, function() q:put(double(3)) end)
      assert.equal(6, q:get(pair.PATIENCE))
      timer:stop()
    end)

    it("in a hook", function()
      local q = wampy.queue()
      local App = wampy.Client:extend "App"
      function App:on_join() q:put(self:call("double", 2)) end
      local app <close> = App { router = p.router }:start()
      assert.equal(4, q:get(pair.PATIENCE))
      assert.is_true(app.connected)
    end)

    it("in a method overriding a role, in pcall, in an iterator, in a metamethod", function()
      assert.equal(4, in_handler(function()
        local ok, v = pcall(double, 1)
        assert(ok and v == 2)
        for w in function(_, last) return not last and double(1) or nil end do assert(w == 2) end
        return setmetatable({}, { __index = function(_, k) return double(k) end })[2]
      end))
    end)

    it("in a coroutine made by wampy.wrap", function()
      assert.equal(4, in_handler(function()
        return wampy.wrap(function() return double(2) end)()
      end))
    end)

    it("in wrapped coroutines within each other", function()
      assert.equal(4, in_handler(function()
        return wampy.wrap(function()
          return wampy.wrap(function() return double(2) end)()
        end)()
      end))
    end)
  end)

  describe("in a task, cannot happen, and says so,", function()
    for name, context in pairs {
      ["a sort callback"] = in_sort, ["a gsub callback"] = in_gsub,
      ["a chunk being required"] = in_required, ["a coroutine of the app's own"] = in_coroutine,
    } do
      it("in " .. name, function()
        assert.equal("", in_handler(function() return context(all_refuse) end))
        assert.equal(4, double(2))
        assert.is_true(p.client.connected)
      end)
    end

    it("in a finalizer", function()
      local result
      in_handler(function()
        setmetatable({}, { __gc = function() result = all_refuse() end })
        collectgarbage()
        collectgarbage()
      end)
      assert.equal("", result)
      assert.equal(4, double(2))
    end)
  end)

  it("in a finalizer of the main chunk runs the loop, or says that it cannot", function()
    local ok, v
    setmetatable({}, { __gc = function() ok, v = pcall(double, 2) end })
    collectgarbage()
    collectgarbage()
    assert.is_true(ok and v == 4 or tostring(v):find("cannot wait here", 1, true) ~= nil)
    assert.equal(6, double(3))
  end)

  it("in a finalizer that runs within the loop, between tasks, never enters it again", function()
    local outcome = {}
    local function litter()
      setmetatable({}, { __gc = function()
        local ok, v = pcall(double, 2)
        outcome[ok and v == 4 and "right" or tostring(v):match("cannot wait here")
          or tostring(v)] = true
      end })
    end
    p.server:register("big", function(list) return list end)
    local list = {}
    for i = 1, 200 do list[i] = { tostring(i) } end
    for _ = 1, 60 do
      litter()
      assert.equal("7", p.client:call("big", list)[7][1])
    end
    collectgarbage()
    collectgarbage()
    outcome["right"], outcome["cannot wait here"] = nil, nil
    assert.same({}, outcome)
    assert.equal(4, double(2))
  end)
end)
