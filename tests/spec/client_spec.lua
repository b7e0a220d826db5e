-- client_spec: the life of a client: its fields, starting, stopping, losing and regaining the link.
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local errors = wampy.errors

describe("a client", function()
  describe("is not made", function()
    local function refusal(t) return pair.complaint(wampy.Client, t) end

    it("with a field that it does not know", function()
      assert.equal('Client: unknown field "relm"; did you mean realm?', refusal { relm = "x" })
      assert.equal('Client: unknown field "1"', refusal { "ws://x" })
      assert.equal("Client: expected a table of fields, got string", refusal "ws://localhost")
    end)

    it("with a value of the wrong type", function()
      assert.equal("Client: field url: expected a string, got 1", refusal { url = 1 })
      assert.equal("Client: field realm: expected a string, got table", refusal { realm = {} })
      assert.matches('^Client: field call_timeout: expected a number of seconds .*, got "1"$',
        refusal { call_timeout = "1" })
      assert.equal('Client: field router: expected a Router object, got "ws://x"',
        refusal { router = "ws://x" })
      assert.equal("Client: field router: expected a Router object, got table",
        refusal { router = {} })
      assert.equal("Client: field reconnect: expected true, false or a table, got 1",
        refusal { reconnect = 1 })
      assert.matches('^Client: field headers: expected .*, got "x"$', refusal { headers = "x" })
    end)

    it("with a value that cannot be", function()
      assert.matches("connect_timeout: expected a number of seconds",
        refusal { connect_timeout = -1 })
      assert.matches("call_timeout: expected a number of seconds", refusal { call_timeout = 0 / 0 })
      assert.matches("ping_timeout: expected a number of seconds", refusal { ping_timeout = 1 / 0 })
      assert.matches("max_message_size: expected a number of bytes",
        refusal { max_message_size = 0 })
      assert.matches("max_message_size: expected a number of bytes",
        refusal { max_message_size = 1.5 })
      assert.matches("max_tasks: expected a whole number > 0", refusal { max_tasks = 0 })
      assert.matches("serializers: expected a list of names", refusal { serializers = {} })
      assert.matches('serializers: "xml" is not available', refusal { serializers = { "xml" } })
      assert.matches('field realm: invalid URI "a b"', refusal { realm = "a b" })
      assert.matches("field realm: invalid URI", refusal { realm = "" })
      assert.matches('^invalid url "nonsense"', refusal { url = "nonsense" })
      assert.matches('^invalid url "http://x"', refusal { url = "http://x" })
      assert.matches("invalid url", refusal { url = "ws://x:99999" })
    end)

    it("with headers that are none", function()
      for _, headers in ipairs { { "no colon" }, { "A: b\r\nC: d" }, { ["A b"] = "c" }, { 5 },
        { A = "b\n" } } do
        assert.matches("^Client: field headers: expected", refusal { headers = headers })
      end
      local many = {}
      for i = 1, 32 do many[i] = ("X-%d: y"):format(i) end
      assert.matches("at most 31", refusal { headers = many })
      assert.same({ "A: b" }, wampy.Client { headers = { A = "b" } }.config.headers)
      assert.same({ "A: b", "C:" }, wampy.Client { headers = { "A: b", "C:" } }.config.headers)
    end)

    it("with a back-off that is none", function()
      assert.equal('Client: reconnect: unknown field "intial"; did you mean initial?',
        refusal { reconnect = { intial = 1 } })
      assert.matches("field initial: expected a number of seconds",
        refusal { reconnect = { initial = "x" } })
      assert.matches("field factor: expected a number >= 1", refusal { reconnect = { factor = 0 } })
      assert.matches("field jitter: expected a number from 0 to 1",
        refusal { reconnect = { jitter = 2 } })
      assert.matches("field tries: expected", refusal { reconnect = { tries = -1 } })
    end)

    it("with url and router", function()
      local router = wampy.routers.Router { url = "ws://localhost:1" }
      assert.equal("Client: give url or router, not both",
        refusal { url = "ws://localhost:1", router = router })
    end)
  end)

  describe("gets its settings", function()
    it("from nothing: the defaults", function()
      local c = wampy.Client()
      assert.equal(wampy.constants.DEFAULT_REALM, c.realm)
      assert.is_false(c.connected)
      assert.is_nil(c.session)
      assert.same({}, c.registration_map)
      assert.same({}, c.subscription_map)
      assert.same({}, c.request_ids)
    end)

    it("from its class, and over it from the constructor", function()
      local App = wampy.Client:extend "App"
      App.defaults = { realm = "from.class", url = "ws://class.example:1" }
      local c = App()
      assert.equal("from.class", c.realm)
      assert.matches("class%.example", c.url)
      assert.equal("App", c.name)
      c = App { realm = "from.constructor", url = "ws://constructor.example:1", name = "n" }
      assert.equal("from.constructor", c.realm)
      assert.matches("constructor%.example", c.url)
      assert.equal("n", c.name)
    end)

    it("a router over a url of the class, and the other way round", function()
      local router = wampy.routers.Router { url = "ws://router.example:1" }
      local App = wampy.Client:extend "App"
      App.defaults = { url = "ws://class.example:1" }
      assert.is_nil(App { router = router }.config.url)
      App.defaults = { router = router }
      assert.is_nil(App { url = "ws://x.example:1" }.config.router)
    end)

    it("checked in the class, too", function()
      local App = wampy.Client:extend "App"
      App.defaults = { relm = "x" }
      assert.equal('Client: unknown field "relm"; did you mean realm?', pair.complaint(App))
    end)
  end)

  describe("that starts", function()
    local router

    before_each(function() router = pair.router { realm = { "realm1", "other.realm" } } end)
    after_each(function() router:stop() end)

    it("has a session", function()
      local c <close> = pair.client(router):start()
      assert.is_true(c.connected)
      assert.equal("integer", math.type(c.session.id))
      assert.is_true(c.session.id >= 1 and c.session.id <= 1 << 53)
      assert.equal("realm1", c.session.realm)
      assert.is_table(c.session.roles.dealer)
      assert.is_table(c.session.roles.broker)
      assert.matches(tostring(c.session.id), tostring(c))
    end)

    it("returns itself, and twice is once", function()
      local c = pair.client(router)
      assert.equal(c, c:start())
      local id = c.session.id
      assert.equal(c, c:start())
      assert.equal(id, c.session.id)
      assert.equal(1, router:stats().sessions)
      c:stop()
    end)

    it("joins the realm that it is given", function()
      local one <close> = pair.client(router):start()
      local two <close> = pair.client(router, { realm = "other.realm" }):start()
      assert.equal("other.realm", two.session.realm)
      one:register("f", function() return 1 end)
      assert.equal("wamp.error.no_such_procedure", pair.failure(two.call, two, "f").uri)
    end)

    it("raises when there is no such realm, and can be stopped", function()
      local c = pair.client(router, { realm = "nowhere" })
      local e = pair.failure(c.start, c)
      assert.is_true(wampy.is_error(e))
      assert.equal("wamp.error.no_such_realm", e.uri)
      assert.is_false(c.connected)
      c:stop()
      assert.equal(0, router:stats().sessions)
    end)

    it("raises when its router is not started", function()
      local idle = wampy.routers.Embedded { listen = false }
      local c = pair.client(idle)
      assert.matches("not started", pair.complaint(c.start, c))
      c:stop()
    end)

    it("raises ConnectionError when nobody listens", function()
      local listening = wampy.routers.Embedded { listen = "127.0.0.1:0" }:start()
      local url = listening.url
      listening:stop()
      local c = wampy.Client { url = url }
      local e = pair.failure(c.start, c)
      assert.is_true(e:is(errors.ConnectionError))
      assert.is_false(c.connected)
      c:stop()
    end)

    it("starts and stops many times", function()
      local App = wampy.Client:extend "App"
      App.f = wampy.callee(function(self) return self.session.id end)
      local app, other <close> = App { router = router }, pair.client(router):start()
      local seen = {}
      for _ = 1, 30 do
        app:start()
        local id = other:call("f")
        assert.equal(app.session.id, id)
        assert.is_nil(seen[id])
        seen[id] = true
        app:stop()
        assert.is_false(app.connected)
        assert.is_nil(app.session)
        assert.same({}, app.registration_map)
      end
      assert.equal(0, router:stats().registrations)
    end)

    it("is over a socket what it is in memory", function()
      local listening <close> = wampy.routers.Embedded { listen = "127.0.0.1:0" }:start()
      local c <close> = wampy.Client { url = listening.url, call_timeout = pair.PATIENCE }:start()
      c:register("f", function(v) return v end)
      assert.equal(7, c:call("f", 7))
      assert.equal("127.0.0.1", c.session.host)
      assert.equal(listening.port, c.session.port)
    end)
  end)

  describe("that is started keeps", function()
    local p = pair.each(before_each, after_each)

    it("registration_map, from id to procedure", function()
      local App = wampy.Client:extend("App")
      App.one = wampy.callee(function() end)
      App.two = wampy.callee "com.example.two" (function() end)
      local app <close> = App { router = p.router }:start()
      local live = app:register("com.example.three", function() end)
      local names = {}
      for id, name in pairs(app.registration_map) do
        assert.equal("integer", math.type(id))
        names[#names + 1] = name
      end
      table.sort(names)
      assert.same({ "com.example.three", "com.example.two", "one" }, names)
      assert.equal("com.example.three", app.registration_map[live.id])
      live:unregister()
      assert.is_nil(app.registration_map[live.id])
    end)

    it("subscription_map, from id to topic and handlers", function()
      local App = wampy.Client:extend("App")
      App.heard = wampy.subscriber "com.example.topic" (function() end)
      local app <close> = App { router = p.router }:start()
      local id, known = next(app.subscription_map)
      assert.equal("integer", math.type(id))
      assert.equal("com.example.topic", known.topic)
      assert.equal(1, #known.handlers)
      local live = app:subscribe("com.example.topic", function() end)
      assert.equal(id, live.id)
      assert.equal(2, #app.subscription_map[id].handlers)
      live:unsubscribe()
      assert.equal(1, #app.subscription_map[id].handlers)
    end)

    it("request_ids, of what is under way", function()
      local begun, release = wampy.event(), wampy.event()
      p.server:register("hang", function()
        begun:set()
        release:wait()
      end)
      local future = p.client:call_async("hang")
      begun:wait(pair.PATIENCE)
      local id, uri = next(p.client.request_ids)
      assert.equal("integer", math.type(id))
      assert.equal("hang", uri)
      release:set()
      future:wait()
      assert.same({}, p.client.request_ids)
    end)

    it("its roles registered by register_roles, once", function()
      local App = wampy.Client:extend("App")
      App.one = wampy.callee(function() return 1 end)
      local calls, register_roles = 0, App.register_roles
      function App:register_roles()
        calls = calls + 1
        register_roles(self)
      end
      local app <close> = App { router = p.router }:start()
      assert.equal(1, calls)
      assert.equal(1, p.client:call("one"))
      assert.equal(app.realm, "realm1")
    end)
  end)

  describe("that stops", function()
    local p = pair.each(before_each, after_each)

    it("is safe twice, and before the start", function()
      p.client:stop()
      p.client:stop()
      pair.client(p.router):stop()
      assert.equal(1, p.router:stats().sessions)
    end)

    it("is safe on a dead link", function()
      p.client._core:drop()
      p.client:stop()
      assert.is_false(p.client.connected)
      p.client:start()
      assert.is_true(p.client.connected)
    end)

    it("is safe in two tasks at once", function()
      local one = wampy.spawn(function() p.client:stop() end)
      local two = wampy.spawn(function() p.client:stop() end)
      one:wait(pair.PATIENCE)
      two:wait(pair.PATIENCE)
      assert.is_false(p.client.connected)
    end)

    it("fails its calls under way", function()
      local release = wampy.event()
      p.server:register("hang", function() release:wait(pair.PATIENCE) end)
      local f = p.client:call_async("hang")
      p.client:stop()
      assert.is_true(wampy.is_error(pair.failure(f.wait, f, pair.PATIENCE), errors.ConnectionError))
      release:set()
    end)

    it("from its own handler", function()
      p.server:register("bye", function()
        wampy.spawn(function() p.server:stop() end)
        return "bye"
      end)
      assert.equal("bye", p.client:call("bye"))
      p.server:wait_stopped()
      assert.is_false(p.server.connected)
    end)

    it("directly in its handler", function()
      p.server:register("bye", function() p.server:stop() end)
      local e = pair.failure(p.client.call, p.client, "bye")
      assert.is_true(wampy.is_error(e, errors.RemoteError), tostring(e))
      assert.is_false(p.server.connected)
    end)

    it("when the router does", function()
      local left = wampy.queue()
      function p.client.on_leave(_, reason) left:put(reason) end
      p.router:stop()
      assert.equal("wamp.close.system_shutdown", left:get(pair.PATIENCE))
      p.client:wait_stopped()
      assert.is_false(p.client.connected)
    end)
  end)

  describe("with hooks", function()
    local p = pair.each(before_each, after_each)

    local function hooked(log)
      local App = wampy.Client:extend "App"
      function App:on_join(details) log:put { "join", details.session == self.session.id } end
      function App.on_leave(_, reason) log:put { "leave", reason } end
      function App.on_disconnect(_, reason) log:put { "disconnect", type(reason) } end
      return App { router = p.router }
    end

    it("calls on_join and on_leave", function()
      local log = wampy.queue()
      local app = hooked(log):start()
      assert.same({ "join", true }, log:get(pair.PATIENCE))
      app:stop()
      assert.same({ "leave", "wamp.close.normal" }, log:get(pair.PATIENCE))
    end)

    it("calls on_error with what a handler, a timer or another hook raised, and where", function()
      local App = wampy.Client:extend("Failing")
      local told = wampy.queue()
      App.fails = wampy.callee(function() error("in a callee, on purpose") end)
      App.heard = wampy.subscriber "topic" (function() error(wampy.error("com.example.odd")) end)
      App.tick = wampy.timer { interval = 0.01 } (function() error("in a timer, on purpose") end)
      function App.on_join() error("in a hook, on purpose") end
      function App:on_error(e, where) told:put { self.name, tostring(e), where } end
      local app = App { router = p.router }
      local seen = {}
      pair.logged(function()
        app:start()
        pcall(app.call, app, "fails")
        app:publish("topic", 1, wampy.options { exclude_me = false })
        while not (seen.on_join and seen["timer tick"] and seen.fails and seen.topic) do
          local one = assert(told:get(pair.PATIENCE))
          assert.equal("Failing", one[1])
          seen[one[3]:match("^(%S+) %(") or one[3]] = one[2]
        end
        app:stop()
      end)
      assert.match("in a hook, on purpose", seen.on_join)
      assert.match("in a timer, on purpose", seen["timer tick"])
      assert.match("in a callee, on purpose", seen.fails)
      assert.match("com.example.odd", seen.topic)
    end)

    it("calls on_disconnect when the link is lost", function()
      local log = wampy.queue()
      local app = hooked(log):start()
      assert.same({ "join", true }, log:get(pair.PATIENCE))
      app._core:drop()
      assert.same({ "disconnect", "string" }, log:get(pair.PATIENCE))
      app:wait_stopped()
      pair.settle(p.client, p.server)
    end)

    it("goes on when a hook raises", function()
      local App = wampy.Client:extend "App"
      App.f = wampy.callee(function(_) return 1 end)
      function App.on_join() error("in a hook, on purpose") end
      function App.on_leave() error("in a hook, on purpose") end
      local app = App { router = p.router }:start()
      assert.equal(1, p.client:call("f"))
      app:stop()
      assert.is_false(app.connected)
    end)
  end)

  describe("whose link drops", function()
    local p = pair.each(before_each, after_each)

    it("fails its calls under way with ConnectionError, and later ones", function()
      local started, release = wampy.event(), wampy.event()
      p.server:register("hang", function()
        started:set()
        release:wait(pair.PATIENCE)
      end)
      local f = p.client:call_async("hang")
      local task = wampy.spawn(function() return p.client:call("hang") end)
      assert.is_true(started:wait(pair.PATIENCE))
      p.client._core:drop()
      assert.is_true(wampy.is_error(pair.failure(f.wait, f, pair.PATIENCE), errors.ConnectionError))
      assert.is_true(wampy.is_error(pair.failure(task.wait, task, pair.PATIENCE),
        errors.ConnectionError))
      assert.is_true(wampy.is_error(pair.failure(p.client.call, p.client, "x"),
        errors.ConnectionError))
      assert.same({}, p.client.request_ids)
      release:set()
      pair.settle(p.client, p.server)
    end)

    it("joins again, with everything that it served", function()
      local heard, joined = wampy.queue(), wampy.queue()
      local App = wampy.Client:extend "App"
      App.f = wampy.callee(function(_) return "class" end)
      App.t = wampy.subscriber "com.class" (function(_, v) heard:put { "class", v } end)
      function App:on_join() joined:put(self.session.id) end
      local app = App { router = p.router, reconnect = { initial = 0.001, max = 0.01 } }:start()
      local held = app:register("live", function() return "live" end)
      app:subscribe("com.live", function(v) heard:put { "live", v } end)
      local gone = app:register("gone", function() return "gone" end)
      gone:unregister()
      local first = joined:get(pair.PATIENCE)
      for round = 1, 3 do
        app._core:drop()
        local id = joined:get(pair.PATIENCE)
        assert.is_true(id ~= nil and id ~= first)
        assert.equal("class", p.client:call("f"))
        assert.equal("live", p.client:call("live"))
        local e = pair.failure(p.client.call, p.client, "gone")
        assert.equal("wamp.error.no_such_procedure", e.uri)
        p.client:publish("com.class", round)
        assert.same({ "class", round }, heard:get(pair.PATIENCE))
        p.client:publish("com.live", round)
        assert.same({ "live", round }, heard:get(pair.PATIENCE))
        assert.equal("live", app.registration_map[held.id])
      end
      held:unregister()
      assert.is_false((pcall(p.client.call, p.client, "live")))
      app:stop()
      assert.equal(0, #heard)
    end)

    it("joins once, however long the hooks of the losses before take", function()
      local App = wampy.Client:extend "App"
      local joins, losses = wampy.queue(), 0
      App.f = wampy.callee(function(_) return 1 end)
      function App:on_join() joins:put(self.session.id) end
      function App:on_disconnect() -- luacheck: ignore self
        losses = losses + 1
        wampy.sleep(0.1)
      end
      local starts = 0
      function App:register_roles()
        starts = starts + 1
        if starts == 2 then self._core:drop() end -- lost while it joins again
        App.super.register_roles(self)
      end
      local app = App { router = p.router, reconnect = { initial = 0.01, jitter = 0 } }:start()
      joins:get(pair.PATIENCE)
      pair.logged(function()
        app._core:drop()
        local id = assert(joins:get(pair.PATIENCE))
        wampy.sleep(0.2) -- all hooks are over
        assert.equal(2, losses)
        assert.equal(id, app.session and app.session.id)
        assert.equal(1, p.client:call("f"))
      end)
      app:stop()
    end)

    it("can be stopped while it tries to join again", function()
      local trying = wampy.event()
      local c = pair.client(p.router, { reconnect = { initial = 60 } })
      function c.on_disconnect() trying:set() end
      c:start()
      p.router:stop()
      assert.is_true(trying:wait(pair.PATIENCE))
      c:stop()
      assert.is_false(c.connected)
      pair.settle(p.client, p.server)
    end)

    it("gives up after its tries", function()
      local c = pair.client(p.router, { reconnect = { initial = 0.001, max = 0.001, tries = 2 } })
      c:start()
      p.router:stop()
      c:wait_stopped()
      assert.is_false(c.connected)
      pair.settle(p.client, p.server)
    end)

    it("is not joined again without reconnect", function()
      p.server._core:drop()
      p.server:wait_stopped()
      assert.is_false(p.server.connected)
      assert.equal(1, p.router:stats().sessions)
      pair.settle(p.client, p.server)
    end)
  end)

  describe("with max_tasks", function()
    local p = pair.each(before_each, after_each)

    it("answers wamp.error.unavailable past it", function()
      local release = wampy.event()
      local App = wampy.Client:extend "App"
      App.hang = wampy.callee(function(_)
        release:wait(pair.PATIENCE)
        return "done"
      end)
      local app <close> = App { router = p.router, max_tasks = 12 }:start()
      local futures = {}
      for i = 1, 30 do futures[i] = p.client:call_async("hang") end
      local refused = 0
      local e = pair.failure(futures[30].wait, futures[30], pair.PATIENCE)
      assert.equal("wamp.error.unavailable", e.uri)
      release:set()
      for i = 1, 30 do
        local ok = pcall(futures[i].wait, futures[i], pair.PATIENCE)
        if not ok then refused = refused + 1 end
      end
      assert.is_true(refused > 0 and refused < 30)
      assert.is_true(app.connected)
      wampy.Client { router = p.router, max_tasks = 10000 }
      assert.equal("done", p.client:call("hang"))
    end)
  end)
end)
