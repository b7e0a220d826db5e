-- bind_spec: how the arguments of a call or an event become the parameters of a handler.
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local named = wampy.kwargs

describe("the arguments of", function()
  local p = pair.each(before_each, after_each)

  -- Calls `fn` with the arguments, through the router; its results are what it was given.
  local function through(fn, ...)
    local held = p.server:register("bound", fn)
    local r = table.pack(pcall(p.client.call, p.client, "bound", ...))
    held:unregister()
    if not r[1] then error(r[2], 0) end
    return table.unpack(r, 2, r.n)
  end

  local function refusal(fn, ...)
    local e = pair.failure(through, fn, ...)
    assert.equal("wamp.error.invalid_argument", e.uri)
    return e.message
  end

  describe("a callee", function()
    local function two(a, b) return { a = a, b = b } end

    it("are bound by position", function()
      assert.same({ a = 1, b = 2 }, through(two, 1, 2))
      assert.same({ a = 1 }, through(two, 1))
      assert.same({ b = 2 }, through(two, nil, 2))
      assert.same({}, through(two))
    end)

    it("are bound by name", function()
      assert.same({ a = 1, b = 2 }, through(two, named { a = 1, b = 2 }))
      assert.same({ b = 2 }, through(two, named { b = 2 }))
    end)

    it("are bound by both", function()
      assert.same({ a = 1, b = 2 }, through(two, 1, named { b = 2 }))
    end)

    it("cannot be given twice", function()
      assert.equal("got 'a' twice, by position and by keyword",
        refusal(two, 1, named { a = 1 }))
    end)

    it("cannot be more than it takes", function()
      assert.equal("takes 2 positional arguments, got 3", refusal(two, 1, 2, 3))
      assert.equal("takes 1 positional argument, got 2", refusal(function(a) return a end, 1, 2))
      assert.equal("takes 0 positional arguments, got 1", refusal(function() end, 1))
      assert.equal("takes 2 positional arguments, got 3",
        refusal(function(a, details, b) return a, b, details end, 1, 2, 3))
    end)

    it("cannot be keywords that it does not know", function()
      assert.equal("got an unexpected keyword 'c'", refusal(two, named { c = 1 }))
    end)

    it("that are null keywords are nil in a parameter, null in kwargs", function()
      assert.same({}, through(two, named { a = wampy.null }))
      local a, x = through(function(a, kwargs) return a, kwargs.x == wampy.null end,
        named { a = wampy.null, x = wampy.null })
      assert.is_nil(a)
      assert.is_true(x)
    end)

    it("go into `...` behind the parameters", function()
      local function f(a, ...)
        return { a = a, n = select("#", ...), rest = wampy.array { ... } }
      end
      local r = through(f, 1, 2, 3)
      assert.equal(2, r.n)
      assert.same({ 2, 3 }, { table.unpack(r.rest) })
      assert.equal(0, through(f, 1).n)
      assert.equal(0, through(f).n)
    end)

    it("that are unbound keywords end `...` as one table", function()
      local a, n, kw = through(function(a, ...)
        return a, select("#", ...), (select(-1, ...))
      end, named { a = 1, x = 2, y = 3 })
      assert.equal(1, a)
      assert.equal(1, n)
      assert.equal(2, kw.x)
      assert.equal(3, kw.y)
    end)

    it("pass on whole through `...`", function()
      p.server:register("inner", function(a, b, c) return { a = a, b = b, c = c } end)
      local function outer(...) return p.server:call("inner", ...) end
      assert.same({ a = 1, b = 2, c = 3 }, through(outer, 1, 2, named { c = 3 }))
      assert.same({ b = 2 }, through(outer, named { b = 2 }))
      assert.same({}, through(outer))
    end)

    it("that are unbound keywords fill a parameter named kwargs", function()
      local function f(a, kwargs) return { a = a, kw = wampy.dict(kwargs) } end
      assert.same({ a = 1, kw = { x = 2 } }, through(f, named { a = 1, x = 2 }))
      assert.same({ a = 1, kw = {} }, through(f, 1))
    end)

    it("leave kwargs callable under that name", function()
      local kw = through(function(kwargs) return kwargs { seen = kwargs.x } end,
        named { x = 5 })
      assert.equal(5, kw.seen)
    end)

    it("do not fill kwargs, details or meta from the wire", function()
      local function f(a, kwargs, details, meta)
        return a, type(kwargs), type(details), type(meta)
      end
      assert.same({ 1, "table", "table", "table" }, { through(f, 1) })
      local kw = through(function(kwargs, details) return { kwargs.details, type(details) } end,
        named { details = "mine" })
      assert.same({ "mine", "table" }, { table.unpack(kw) })
    end)

    it("skip the special parameters, wherever they stand", function()
      local function f(details, a, kwargs, b, meta)
        return { a = a, b = b, ok = details.procedure ~= nil and meta.request_id ~= nil
          and kwargs ~= nil }
      end
      assert.same({ a = 1, b = 2, ok = true }, through(f, 1, 2))
      assert.same({ a = 1, b = 2, ok = true }, through(f, 1, named { b = 2 }))
      assert.equal("got 'a' twice, by position and by keyword",
        refusal(f, 1, named { a = 2 }))
    end)

    it("come with details and meta", function()
      local details, meta = through(function(details, meta) return details, meta end)
      assert.equal("bound", details.procedure)
      assert.equal("bound", meta.procedure_name)
      assert.equal(p.server.session.id, meta.session_id)
      assert.equal("integer", math.type(meta.request_id))
    end)

    it("come with the caller in details when it is disclosed", function()
      p.server:register("who", function(details) return details.caller end,
        { disclose_caller = true })
      assert.equal(p.client.session.id, p.client:call("who"))
    end)

    it("of a method begin with self", function()
      local App = wampy.Client:extend "App"
      App.greet = wampy.callee(function(self, name) return self.name, name end)
      App.ignore = wampy.callee(function(_, name) return name end)
      App.all = wampy.callee(function(...) return select("#", ...), (...).name end)
      local app <close> = App { router = p.router }:start()
      assert.same({ "App", "joe" }, { p.client:call("greet", "joe") })
      assert.same({ "App", "joe" }, { p.client:call("greet", named { name = "joe" }) })
      assert.equal("joe", p.client:call("ignore", named { name = "joe" }))
      assert.same({ 2, "App" }, { p.client:call("all", 1) })
      assert.is_true(app.connected)
      assert.equal("got an unexpected keyword 'self'",
        pair.complaint(p.client.call, p.client, "greet", named { self = 1 }))
    end)
  end)

  describe("a function whose names are stated", function()
    it("are bound by them", function()
      p.server:register("stated", function(...) return select("#", ...), ... end,
        { params = { "a", "b" } })
      assert.same({ 2, 1, 2 }, { p.client:call("stated", named { a = 1, b = 2 }) })
      assert.same({ 2, 1, 2 }, { p.client:call("stated", 1, named { b = 2 }) })
    end)

    it("may be called kwargs and details", function()
      p.server:register("stated", function(a, b) return a, b end,
        { params = { "kwargs", "details" } })
      assert.same({ 1, 2 }, { p.client:call("stated", named { kwargs = 1, details = 2 }) })
    end)

    it("may be a C function", function()
      p.server:register("max", math.max, { params = { "x", "y" } })
      assert.equal(7, p.client:call("max", 3, 7))
      assert.equal(7, p.client:call("max", named { x = 7, y = 3 }))
    end)

    it("may be a class's", function()
      local App = wampy.Client:extend "App"
      App.f = wampy.callee { "f", params = { "a" } } (function(...)
        return select("#", ...), select(2, ...)
      end)
      local _ <close> = App { router = p.router }:start()
      assert.same({ 2, 5 }, { p.client:call("f", named { a = 5 }) })
    end)
  end)

  it("a C function without names are positional only", function()
    p.server:register("max", math.max)
    assert.equal(7, p.client:call("max", 3, 7))
    local e = pair.failure(p.client.call, p.client, "max", named { x = 7 })
    assert.equal("wamp.error.invalid_argument", e.uri)
    assert.equal("has no parameter names; give params = {...} (keyword 'x')", e.message)
  end)

  it("a wrapper are named by wampy.wraps", function()
    local function original(a, b) return a - b end
    local wrapper = wampy.wraps(function(...) return original(...) * 10 end, original)
    p.server:register("wrapped", wrapper)
    assert.equal(-10, p.client:call("wrapped", named { b = 2, a = 1 }))
    local e = pair.failure(p.client.call, p.client, "wrapped", named { c = 2 })
    assert.is_true(wampy.is_error(e))
  end)

  describe("a subscriber", function()
    -- Publishes the arguments, and returns what `fn` (given a queue) has put.
    local function heard(fn, ...)
      local q = wampy.queue()
      local held = p.server:subscribe("topic", fn(q))
      p.client:publish("topic", ...)
      local got = q:get(pair.PATIENCE)
      held:unsubscribe()
      return got
    end

    it("are bound by position and name", function()
      local function fn(q) return function(a, b) q:put { a = a, b = b } end end
      assert.same({ a = 1, b = 2 }, heard(fn, 1, 2))
      assert.same({ a = 1, b = 2 }, heard(fn, 1, named { b = 2 }))
      assert.same({}, heard(fn))
    end)

    it("that it does not take are dropped", function()
      local function fn(q) return function(a) q:put { a = a } end end
      assert.same({ a = 1 }, heard(fn, 1, 2, 3))
      assert.same({ a = 1 }, heard(fn, 1, named { x = 1 }))
      assert.same({ a = 1 }, heard(fn, named { a = 1, x = 1 }))
    end)

    it("that are the keyword message alone fill the first parameter", function()
      assert.same({ x = 1 }, heard(function(q)
        return function(weather) q:put(weather) end
      end, named { message = { x = 1 } }))
    end)

    it("that are the keyword message alone end `...` where there is no parameter", function()
      assert.same({ 1, "hi" }, heard(function(q)
        return function(...) q:put { select("#", ...), (...).message } end
      end, named { message = "hi" }))
    end)

    it("that are the keyword message alone skip special parameters", function()
      assert.same({ "table", "hi" }, heard(function(q)
        return function(details, text) q:put { type(details), text } end
      end, named { message = "hi" }))
    end)

    it("that are the keyword message fill one of that name", function()
      assert.same({ a = "none", m = "hi" }, heard(function(q)
        return function(a, message) q:put { a = a or "none", m = message } end
      end, named { message = "hi" }))
    end)

    it("that are the keyword message stay in kwargs where it is taken", function()
      assert.same({ a = "none", m = "hi" }, heard(function(q)
        return function(a, kwargs) q:put { a = a or "none", m = kwargs.message } end
      end, named { message = "hi" }))
    end)

    it("that are message and another are no special case", function()
      assert.same({ a = "none" }, heard(function(q)
        return function(a) q:put { a = a or "none" } end
      end, named { message = "hi", other = 1 }))
    end)

    it("come with details and meta", function()
      local r = heard(function(q)
        return function(details, meta) q:put { d = details, m = meta } end
      end, 1)
      assert.equal("topic", r.d.topic)
      assert.equal("integer", math.type(r.d.publication))
      assert.equal("topic", r.m.topic)
      assert.equal("integer", math.type(r.m.subscription_id))
    end)

    it("come in `...` with the keywords at the end", function()
      local r = heard(function(q)
        return function(...) q:put { n = select("#", ...), kw = (select(-1, ...)).k } end
      end, 1, named { k = 2 })
      assert.same({ n = 2, kw = 2 }, r)
    end)
  end)

  describe("a function with the wrong first parameter", function()
    it("is refused at registration, with file and line", function()
      local line = debug.getinfo(1, "l").currentline + 1
      local function method(self, a) return self, a end
      local text = pair.complaint(p.server.register, p.server, "x", method)
      assert.matches("bind_spec%.lua:" .. line .. ": ", text)
      assert.matches("not called as a method", text)
      assert.matches("bind_spec%.lua:" .. line .. ": ",
        pair.complaint(p.server.subscribe, p.server, "x", method))
    end)

    it("is refused in a class at start, with file and line", function()
      local App = wampy.Client:extend "App"
      local line = debug.getinfo(1, "l").currentline + 1
      App.f = wampy.callee(function(name) return name end)
      local app = App { router = p.router }
      local text = pair.complaint(app.start, app)
      assert.matches("bind_spec%.lua:" .. line .. ": ", text)
      assert.matches("must be self, not name", text)
      assert.is_false(app.connected)
    end)

    it("may be stated", function()
      p.server:register("x", function(self) return self end, { params = { "self" } })
      assert.equal(1, p.client:call("x", named { self = 1 }))
    end)
  end)

  it("results leave trailing nils off", function()
    p.server:register("nils", function() return 1, nil, nil end)
    assert.equal(1, select("#", p.client:call("nils")))
    p.server:register("inner", function() return nil, 2, nil end)
    assert.equal(2, select("#", p.client:call("inner")))
    assert.equal(2, (select(2, p.client:call("inner"))))
  end)
end)
