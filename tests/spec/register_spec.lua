-- register_spec: procedures, live and declared by classes.
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local callee, subscriber = wampy.callee, wampy.subscriber

describe("registering", function()
  local p = pair.each(before_each, after_each)

  local function missing(uri)
    return pair.failure(p.client.call, p.client, uri).uri == "wamp.error.no_such_procedure"
  end

  describe("a function", function()
    it("serves until it is unregistered", function()
      local held = p.server:register("f", function() return 1 end)
      assert.equal("f", held.uri)
      assert.equal("f", p.server.registration_map[held.id])
      assert.equal(1, p.client:call("f"))
      held:unregister()
      assert.is_nil(p.server.registration_map[held.id])
      assert.is_true(missing "f")
      p.server:register("f", function() return 2 end)
      assert.equal(2, p.client:call("f"))
    end)

    it("under several URIs", function()
      local held = p.server:register({ "f", "com.g" }, function(meta)
        return meta.procedure_name
      end)
      assert.equal("f", p.client:call("f"))
      assert.equal("com.g", p.client:call("com.g"))
      held:unregister()
      assert.is_true(missing "f")
      assert.is_true(missing "com.g")
      assert.same({}, p.server.registration_map)
    end)

    it("twice raises procedure_already_exists, and the first one stays", function()
      p.server:register("f", function() return 1 end)
      for _, c in ipairs { p.server, p.client } do
        local e = pair.failure(c.register, c, "f", function() return 2 end)
        assert.equal("wamp.error.procedure_already_exists", e.uri)
        assert.is_true(e:is(wampy.errors.RemoteError))
      end
      assert.equal(1, p.client:call("f"))
    end)

    it("that is shared goes round", function()
      local other <close> = pair.client(p.router):start()
      p.server:register("f", function() return "server" end, { invoke = "roundrobin" })
      other:register("f", function() return "other" end, { invoke = "roundrobin" })
      local seen = {}
      for _ = 1, 4 do
        local who = p.client:call("f")
        seen[who] = (seen[who] or 0) + 1
      end
      assert.same({ server = 2, other = 2 }, seen)
    end)

    it("for a prefix, with the procedure in details", function()
      p.server:register("com.any", function(details) return details.procedure end,
        { match = "prefix" })
      assert.equal("com.any.thing", p.client:call("com.any.thing"))
    end)

    it("with a limit to its concurrency, which the router keeps", function()
      local release, started, running, most = wampy.event(), wampy.event(), 0, 0
      p.server:register("f", function()
        running = running + 1
        most = math.max(most, running)
        started:set()
        release:wait(pair.PATIENCE)
        running = running - 1
        return "done"
      end, { concurrency = 1 })
      local first, second = p.client:call_async("f"), p.client:call_async("f")
      assert.is_true(started:wait(pair.PATIENCE))
      release:set()
      assert.equal("done", first:wait(pair.PATIENCE))
      assert.equal("done", second:wait(pair.PATIENCE))
      assert.equal(1, most)
    end)

    it("with a limit to its concurrency, which holds for calls that were given up, too", function()
      local release, started = wampy.event(), wampy.event()
      p.server:register("f", function()
        started:set()
        release:wait(pair.PATIENCE)
        return "done"
      end, { concurrency = 1 })
      local first = p.client:call_async("f")
      assert.is_true(started:wait(pair.PATIENCE))
      first:cancel("skip")
      local e = pair.failure(p.client.call, p.client, "f")
      assert.equal("wamp.error.unavailable", e.uri)
      release:set()
    end)

    it("with a limit to its concurrency, and the next call waits for one that is ending", function()
      local release, ended, first = wampy.event(), wampy.queue(), true
      p.server:register("f", function(n)
        if not first then return n end
        first = false
        local mark <close> = setmetatable({}, { __close = function()
          release:wait(pair.PATIENCE)
          ended:put(n)
        end })
        wampy.progress(n)
        wampy.sleep(60)
        return mark
      end, { concurrency = 1 })
      do
        local stream <close> = p.client:stream("f", 1)
        assert.equal(1, stream())
      end
      local given_up = p.client:call_async("f", 2)
      p.client:call("wamp.session.count") -- both have gone out
      given_up:cancel()
      local last = p.client:call_async("f", 3)
      p.client:call("wamp.session.count")
      assert.is_false(last:done())
      release:set()
      assert.equal(3, last:wait(pair.PATIENCE))
      assert.equal(1, ended:get(pair.PATIENCE))
    end)

    it("carries a payload that the router does not look into", function()
      local sealed = wampy.binary("\0\1\255")
      p.server:register("f", function(details, payload)
        return details.ppt_scheme, details.ppt_keyid, payload == sealed
      end)
      assert.same({ "x_own", "k1", true }, { p.client:call("f", sealed,
        wampy.options { ppt_scheme = "x_own", ppt_keyid = "k1" }) })
    end)

    it("within a handler", function()
      p.server:register("grow", function(name)
        p.server:register(name, function() return "grown " .. name end)
      end)
      p.client:call("grow", "leaf")
      assert.equal("grown leaf", p.client:call("leaf"))
    end)

    it("unregistered within itself still answers", function()
      local held
      held = p.server:register("once", function()
        held:unregister()
        return "once"
      end)
      assert.equal("once", p.client:call("once"))
      assert.is_true(missing "once")
    end)

    it("answers a call that was on its way when it was unregistered", function()
      local held = p.server:register("f", function() return "just in time" end)
      local asked = p.client:call_async("f")
      held:unregister()
      assert.equal("just in time", asked:wait(5))
      assert.is_true(missing "f")
    end)

    it("that is none is refused", function()
      assert.matches("register: expected a function",
        pair.complaint(p.server.register, p.server, "f", {}))
      assert.matches("register: expected a function",
        pair.complaint(p.server.register, p.server, "f"))
    end)

    it("under a bad URI is refused before anything is sent", function()
      for _, uri in ipairs { "a..b", "", "a b" } do
        assert.is_true(wampy.is_error(pair.failure(p.server.register, p.server, uri, print)))
      end
      assert.is_true(p.server.connected)
    end)
  end)

  describe("a class", function()
    local function start(class)
      local app = class { router = p.router }:start()
      finally(function() app:stop() end)
      return app
    end

    it("its roles in the order of their declaration, parents first", function()
      local Base = wampy.Client:extend "Base"
      Base.zeta = callee(function(_) return "zeta" end)
      Base.alpha = callee(function(_) return "alpha" end)
      local App = Base:extend "App"
      App.beta = callee(function(_) return "beta" end)
      App.aleph = callee(function(_) return "aleph" end)
      local order = {}
      for id, uri in pairs(start(App).registration_map) do order[#order + 1] = { id, uri } end
      table.sort(order, function(a, b) return a[1] < b[1] end)
      local uris = {}
      for i, pair_of in ipairs(order) do uris[i] = pair_of[2] end
      assert.same({ "zeta", "alpha", "beta", "aleph" }, uris)
      for _, uri in ipairs(uris) do assert.equal(uri, p.client:call(uri)) end
    end)

    it("under given URIs and with options", function()
      local App = wampy.Client:extend "App"
      App.f = callee "com.example.f" (function(_) return "f" end)
      App.g = callee { "com.a.g", "com.b.g" } (function(_) return "g" end)
      App.h = callee { uri = "com.h", match = "prefix" } (function(_, details)
        return details.procedure
      end)
      start(App)
      assert.equal("f", p.client:call("com.example.f"))
      assert.equal("g", p.client:call("com.a.g"))
      assert.equal("g", p.client:call("com.b.g"))
      assert.equal("com.h.x", p.client:call("com.h.x"))
      assert.is_true(missing "f")
    end)

    it("that overrides with a role replaces it", function()
      local Base = wampy.Client:extend "Base"
      Base.f = callee "com.base.f" (function(_) return "base" end)
      local App = Base:extend "App"
      App.f = callee(function(_) return "app" end)
      start(App)
      assert.equal("app", p.client:call("f"))
      assert.is_true(missing "com.base.f")
    end)

    it("that overrides with a function keeps URI and options", function()
      local Base = wampy.Client:extend "Base"
      Base.f = callee "com.base.f" (function(_) return "base" end)
      local App = Base:extend "App"
      function App:f() return "app, " .. Base.f(self) .. ", " .. App.super.f(self) end
      start(App)
      assert.equal("app, base, base", p.client:call("com.base.f"))
    end)

    it("that overrides with false removes it", function()
      local Base = wampy.Client:extend "Base"
      Base.f = callee(function(_) return "base" end)
      Base.g = callee(function(_) return "g" end)
      local App = Base:extend "App"
      App.f = false
      local app = start(App)
      assert.is_true(missing "f")
      assert.equal("g", p.client:call("g"))
      local n = 0
      for _ in pairs(app.registration_map) do n = n + 1 end
      assert.equal(1, n)
    end)

    it("whose grandparent was overridden in between", function()
      local A = wampy.Client:extend "A"
      A.f = callee(function(_) return "a" end)
      local B = A:extend "B"
      B.f = false
      local C = B:extend "C"
      C.f = callee(function(_) return "c" end)
      start(C)
      assert.equal("c", p.client:call("f"))
    end)

    it("its methods stay callable as methods", function()
      local App = wampy.Client:extend "App"
      App.f = callee(function(self, n) return self.name .. n end)
      local app = start(App)
      assert.equal("App7", app:f(7))
      assert.equal("App7", p.client:call("f", 7))
    end)

    it("metamethods go down to its children", function()
      local Base = wampy.Client:extend "Base"
      Base.__len = function() return 42 end
      local App = Base:extend "App"
      assert.equal(42, #App { router = p.router })
      assert.equal(Base, App.super)
    end)

    it("with two roles for one procedure is refused, naming both lines", function()
      local App = wampy.Client:extend "App"
      App.f = callee "com.same" (function(_) end)
      App.g = callee "com.same" (function(_) end)
      local app = App { router = p.router }
      local text = pair.complaint(app.start, app)
      assert.matches("register_spec%.lua:%d+: procedure \"com%.same\" is declared twice", text)
      assert.matches("also at .*register_spec%.lua:%d+", text)
      assert.is_false(app.connected)
    end)

    it("with a role named like a member of Client is refused", function()
      for _, name in ipairs { "start", "stop", "register", "subscribe", "extend", "call_async" } do
        local App = wampy.Client:extend "App"
        App[name] = callee(function(_) end)
        local app = setmetatable({}, { __index = App { router = p.router } })
        local text = pair.complaint(wampy.Client.start, getmetatable(app).__index)
        assert.matches("cannot be named \"" .. name .. "\"", text)
      end
    end)

    it("with a role named like a field of every client is refused, too", function()
      for _, name in ipairs { "call", "rpc", "publish", "session", "connected", "name" } do
        local App = wampy.Client:extend "App"
        App[name] = callee(function(_) end)
        local app = App { router = p.router }
        local ok, e = pcall(app.start, app)
        app:stop()
        assert.is_false(ok, name)
        assert.matches("cannot be named \"" .. name .. "\"", e.message)
      end
    end)

    it("its start fails as a whole when one procedure is taken", function()
      p.server:register("taken", function() end)
      local App = wampy.Client:extend "App"
      App.free = callee(function(_) return 1 end)
      App.taken = callee(function(_) return 2 end)
      local app = App { router = p.router }
      assert.equal("wamp.error.procedure_already_exists", pair.failure(app.start, app).uri)
      assert.is_false(app.connected)
      assert.is_true(missing "free")
    end)

    it("its subscriptions, too", function()
      local heard = wampy.queue()
      local App = wampy.Client:extend "App"
      App.one = subscriber "com.topic" (function(_, v) heard:put(v) end)
      App.two = subscriber { topic = { "com.a", "com.b" } } (function(_, v) heard:put(v) end)
      App.three = wampy.subscribe { topic = "net.", match = "prefix" } (function(_, v)
        heard:put(v)
      end)
      local app = start(App)
      for i, topic in ipairs { "com.topic", "com.a", "com.b", "net.x" } do
        p.client:publish(topic, i)
        assert.equal(i, heard:get(pair.PATIENCE))
      end
      local topics = {}
      for _, s in pairs(app.subscription_map) do topics[#topics + 1] = s.topic end
      table.sort(topics)
      assert.same({ "com.a", "com.b", "com.topic", "net." }, topics)
    end)

    it("its timers run while it is joined", function()
      local ticks = wampy.queue()
      local App = wampy.Client:extend "App"
      App.tick = wampy.timer { interval = 0.005 } (function(self) ticks:put(self.name) end)
      local app = App { router = p.router }:start()
      assert.equal("App", ticks:get(pair.PATIENCE))
      assert.equal("App", ticks:get(pair.PATIENCE))
      app:stop()
      while #ticks > 0 do ticks:get() end
      assert.is_nil((ticks:get(0.03)))
    end)

    it("two instances have each their own self", function()
      local App = wampy.Client:extend "App"
      App.who = callee { "who", invoke = "roundrobin" } (function(self) return self.name end)
      local one <close> = App { router = p.router, name = "one" }:start()
      local two <close> = App { router = p.router, name = "two" }:start()
      local names = { p.client:call("who"), p.client:call("who") }
      table.sort(names)
      assert.same({ "one", "two" }, names)
      assert.are_not.equal(one, two)
    end)
  end)

  describe("decorators refuse", function()
    local function refuses(pattern, fn, ...)
      assert.matches(pattern, pair.complaint(fn, ...))
    end

    it("unknown and mistyped options", function()
      refuses('callee: unknown option "invok"', callee, { "f", invok = "single" })
      refuses("callee: option invoke must be one of first, last", callee, { "f", invoke = "all" })
      refuses("callee: option match must be one of", callee, { "f", match = "suffix" })
      refuses("callee: option concurrency must be a number", callee, { "f", concurrency = "1" })
      refuses('subscriber: unknown option "invoke"', subscriber, { topic = "t", invoke = "single" })
      refuses("timer: expected", wampy.timer, {})
      refuses("timer: expected", wampy.timer, { interval = 0 })
    end)

    it("bad URIs and what is no function", function()
      refuses('callee: invalid URI "a%.%.b"', callee, "a..b")
      refuses("callee: invalid URI", callee, { "f", "" })
      refuses("subscriber: invalid URI", subscriber, "a b")
      refuses("subscriber: needs a topic", subscriber, {})
      refuses("callee: expected a function", callee "f", 7)
      refuses("callee: expected a function, a URI or a table", callee, 7)
      refuses("subscriber: expected a topic", subscriber, 7)
    end)
  end)
end)
