-- wampy_tests_spec: the tests of Python wampy that go through its public API, each with the same
-- promise here. tests/WAMPY_TESTS.md has the whole list, with those that are proven elsewhere.
--
-- Times are a tenth of wampy's: what is compared is the order, not the length.
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local kwargs, errors = wampy.kwargs, wampy.errors

local DateService = wampy.Client:extend("DateService")
DateService.get_todays_date = wampy.callee(function(_) return os.date("!%Y-%m-%d") end)

local HelloService = wampy.Client:extend("HelloService")
HelloService.say_hello = wampy.callee(function(_, name) return "Hello " .. name end)
HelloService.say_greeting = wampy.callee(function(_, name, greeting)
  return ("%s to %s"):format(greeting or "hola", name)
end)

local Slow = wampy.Client:extend("Slow")
Slow.take = wampy.callee(function(_, seconds)
  wampy.sleep(seconds)
  return seconds
end)

describe("a wampy test:", function()
  local router, client, started

  before_each(function()
    router, started = pair.router(), {}
    client = pair.client(router):start()
  end)

  after_each(function()
    for _, c in ipairs(started) do c:stop() end
    client:stop()
    router:stop()
  end)

  local function start(class, t)
    t = t or {}
    t.router = router
    started[#started + 1] = class(t):start()
    return started[#started]
  end

  describe("test_callers", function()
    it("call with no args or kwargs", function()
      start(DateService)
      assert.equal(os.date("!%Y-%m-%d"), client:call("get_todays_date"))
    end)

    it("call with args but no kwargs", function()
      start(HelloService)
      assert.equal("Hello Simon", client:call("say_hello", "Simon"))
    end)

    it("call with args and kwargs", function()
      start(HelloService)
      assert.equal("watcha to Simon",
        client:call("say_greeting", "Simon", kwargs { greeting = "watcha" }))
    end)

    it("rpc with no args but a default kwarg", function()
      start(HelloService)
      assert.equal("hola to Simon", client.rpc.say_greeting("Simon"))
    end)

    it("rpc with args but no kwargs", function()
      start(HelloService)
      assert.equal("Hello Simon", client.rpc.say_hello("Simon"))
    end)

    it("rpc with no args but a kwarg", function()
      start(HelloService)
      assert.equal("goodbye to Simon",
        client.rpc.say_greeting("Simon", kwargs { greeting = "goodbye" }))
    end)

    for _, one in ipairs { { 0.1, 0.5, false }, { 0.5, 0.01, true }, { 0.09, 0.5, false },
      { 0.1, 0.6, false } } do
      it(("timeout of %g s, callee takes %g s"):format(one[1], one[2]), function()
        start(Slow)
        local caller = start(wampy.Client, { call_timeout = one[1] })
        local ok, answer = pcall(caller.call, caller, "take", one[2])
        assert.equal(one[3], ok)
        if not ok then assert.is_true(wampy.is_error(answer, errors.TimeoutError)) end
        -- in wampy every later call gets the answer of the call before
        assert.equal(0, caller:call("take", 0))
      end)
    end
  end)

  describe("test_publishing", function()
    local heard

    before_each(function()
      heard = wampy.queue()
      local Listener = wampy.Client:extend("Listener")
      Listener.topic = wampy.subscriber "foo" (function(_, kwargs, meta) -- luacheck: ignore
        heard:put { kwargs = kwargs, meta = meta }
      end)
      start(Listener)
    end)

    it("cannot publish nothing to a topic", function()
      assert.equal("publish needs at least one message",
        pair.complaint(client.publish, client, { topic = "foo" }))
      client:publish { topic = "foo", message = "the first that is heard" }
      assert.equal("the first that is heard", heard:get(pair.PATIENCE).kwargs.message)
    end)

    it("a positional topic and payload are a form of their own", function()
      client:publish("foo", "payload", kwargs { message = "beside it" })
      assert.equal("beside it", heard:get(pair.PATIENCE).kwargs.message)
      assert.match("topic", pair.complaint(client.publish, client, 42, "payload"))
    end)

    it("publish kwargs to a topic, four times", function()
      for i = 1, 4 do client:publish { topic = "foo", message = i } end
      for i = 1, 4 do assert.equal(i, heard:get(pair.PATIENCE).kwargs.message) end
    end)

    it("kwargs are received, and meta", function()
      client:publish { topic = "foo", message = "foobar", spam = "ham" }
      local got = heard:get(pair.PATIENCE)
      assert.same({ message = "foobar", spam = "ham" }, wampy.dict(got.kwargs))
      assert.equal("foo", got.meta.topic)
      assert.equal("integer", math.type(got.meta.subscription_id))
    end)

    it("a published keyword named meta is not overwritten", function()
      client:publish { topic = "foo", message = 1, meta = "mine" }
      local got = heard:get(pair.PATIENCE)
      assert.equal("mine", got.kwargs.meta)
      assert.equal("foo", got.meta.topic)
    end)
  end)

  describe("test_clients", function()
    it("a client connects to a router by url, and has a session meanwhile", function()
      local embedded <close> = wampy.routers.Embedded {}:start()
      local c = wampy.Client { url = embedded.url }
      assert.is_nil(c.session)
      c:start()
      assert.equal("integer", math.type(c.session.id))
      c:stop()
      assert.is_nil(c.session)
    end)

    it("a url without protocol is refused", function()
      assert.match('invalid url "localhost:8080"',
        pair.complaint(wampy.Client, { url = "localhost:8080" }))
    end)

    it("a url without port uses 8080", function()
      assert.equal(8080, wampy.parse_url("ws://localhost").port)
      assert.equal("ws://localhost:8080/", wampy.Client { url = "ws://localhost" }.url)
    end)

    it("a client connects to a router by instance", function()
      local embedded <close> = wampy.routers.Embedded {}:start()
      local where = wampy.routers.Router { url = embedded.url }
      local c <close> = wampy.Client { router = where }:start()
      assert.equal(embedded.port, c.session.port)
    end)

    it("two clients in one process, and their answers never mix", function()
      local one, two = start(wampy.Client), start(wampy.Client)
      assert.not_equal(one.session.id, two.session.id)
      start(Slow)
      local later, soon = one:call_async("take", 0.05), two:call_async("take", 0.001)
      assert.equal(0.001, soon:wait())
      assert.equal(0.05, later:wait())
    end)

    it("a client calls a procedure that it registered itself", function()
      local service = start(HelloService)
      assert.equal("Hello me", service:call("say_hello", "me"))
    end)

    it("stop, then start again", function()
      client:stop()
      client:start()
      start(HelloService)
      assert.equal("Hello again", client.rpc.say_hello("again"))
    end)
  end)

  describe("test_authentication", function()
    local guarded

    -- The users of wampy's own configuration: role "wampy" may do everything but call get_foo.
    before_each(function()
      guarded = wampy.routers.Embedded {
        listen = false, config = wampy.dict {
          version = 2, workers = wampy.array { wampy.dict {
            type = "router",
            realms = wampy.array { wampy.dict { name = "realm1", roles = wampy.array {
              wampy.dict { name = "wampy", permissions = wampy.array {
                wampy.dict { uri = "", match = "prefix", allow = wampy.dict { call = true,
                  register = true, publish = true, subscribe = true } },
                wampy.dict { uri = "get_foo", allow = wampy.dict { register = true } },
              } } } } },
            transports = wampy.array { wampy.dict { type = "websocket",
              endpoint = wampy.dict { type = "tcp", port = 0 },
              auth = wampy.dict {
                wampcra = wampy.dict { type = "static", users = wampy.dict {
                  ["foo-service"] = wampy.dict { secret = "prq7+YkJ1", role = "wampy" },
                  peter = wampy.dict { secret = "secret1", role = "wampy", salt = "salt123",
                    iterations = 100, keylen = 16 },
                } },
                ticket = wampy.dict { type = "static", principals = wampy.dict {
                  martin = wampy.dict { ticket = "wEx9TPFtHdRr2Zg7rtRE", role = "wampy" } } },
              } } },
          } } },
      }:start()
    end)
    after_each(function() guarded:stop() end)

    local function join(class, method, authid, auth)
      local c = class { router = guarded, auth = auth,
        roles = { roles = { caller = {}, callee = {} }, authmethods = { method },
          authid = authid } }
      started[#started + 1] = c
      return c:start()
    end

    local function refusal(...)
      local e = pair.failure(join, ...)
      assert.is_true(wampy.is_error(e, errors.AuthenticationError))
      started[#started]:stop()
      return e
    end

    it("a connection is aborted when the authid is unknown, and stop is safe", function()
      local e = refusal(wampy.Client, "wampcra", "not-a-user", { secret = "secret1" })
      assert.equal("wamp.error.authentication_failed", e.uri)
    end)

    it("a connection without the secret names WAMPYSECRET", function()
      assert.match("WAMPYSECRET", refusal(wampy.Client, "wampcra", "peter").message)
    end)

    it("a connection is challenged, by wampcra and by ticket", function()
      local Handler = wampy.MessageHandler:extend("Handler")
      local seen = {}
      function Handler:handle_message(message)
        seen[#seen + 1] = message.name
        Handler.super.handle_message(self, message)
      end
      for _, one in ipairs { { "wampcra", "peter", { secret = "secret1" } },
        { "ticket", "martin", { ticket = "wEx9TPFtHdRr2Zg7rtRE" } } } do
        local c = wampy.Client { router = guarded, auth = one[3], message_handler = Handler(),
          roles = { roles = { caller = {} }, authmethods = { one[1] }, authid = one[2] } }
        c:start()
        assert.equal(one[2], c.session.authid)
        assert.equal("wampy", c.session.authrole)
        c:stop()
        assert.same({ "challenge", "welcome", "goodbye" }, seen)
        seen = {}
      end
    end)

    it("an incorrect secret", function()
      local e = refusal(wampy.Client, "wampcra", "peter", { secret = "incorrect" })
      assert.equal("wamp.error.authentication_failed", e.uri)
      assert.is_nil(e.message:find("incorrect", 1, true))
    end)

    it("an incorrect ticket", function()
      local e = refusal(wampy.Client, "ticket", "martin", { ticket = "incorrect" })
      assert.equal("wamp.error.authentication_failed", e.uri)
      assert.is_nil(e.message:find("incorrect", 1, true))
    end)

    it("peter cannot call get_foo, which another user may register", function()
      local Foo = wampy.Client:extend("Foo")
      Foo.get_foo = wampy.callee(function() return "foo" end)
      Foo.get_bar = wampy.callee(function() return "bar" end)
      join(Foo, "wampcra", "foo-service", { secret = "prq7+YkJ1" })
      local peter = join(wampy.Client, "wampcra", "peter", { secret = "secret1" })
      assert.equal("bar", peter.rpc.get_bar())
      local e = pair.failure(peter.rpc.get_foo)
      assert.equal("wamp.error.not_authorized", e.uri)
      assert.equal("get_foo", e.procedure)
    end)
  end)

  describe("test_exception_handling", function()
    it("a remote error has its message and what the callee gave", function()
      local Failing = wampy.Client:extend("Failing")
      Failing.raises = wampy.callee(function(_, ...)
        error(wampy.error("com.example.value_error", "i do not like this value", ...))
      end)
      start(Failing)
      local e = pair.failure(client.rpc.raises, 1, 2, kwargs { three = 3 })
      assert.is_true(wampy.is_error(e, errors.RemoteError))
      assert.equal("i do not like this value", e.message)
      assert.equal("raises", e.procedure)
      assert.equal("integer", math.type(e.request_id))
      assert.equal("com.example.value_error", e.exc_type)
      assert.same({ "i do not like this value", 1, 2 }, { table.unpack(e.args) })
      assert.equal(3, e.kwargs.three)
    end)

    it("a callee that raises answers once, and the next call is right", function()
      local Failing = wampy.Client:extend("Failing")
      Failing.raises = wampy.callee(function() error("on purpose") end)
      start(Failing)
      start(HelloService)
      pair.logged(function()
        assert.match("on purpose", pair.failure(client.rpc.raises).message)
      end)
      assert.equal("Hello after", client.rpc.say_hello("after"))
    end)
  end)

  describe("test_really_long_strings", function()
    for _, n in ipairs { 1000, 32767, 32768, 40000, 65535, 65536, 178000 } do
      it(("a string of %d characters comes back"):format(n), function()
        start(HelloService)
        local name = ("x"):rep(n)
        assert.is_true(client.rpc.say_hello(name) == "Hello " .. name)
      end)
    end
  end)

  it("test_unicode: text that is not ASCII", function()
    start(HelloService)
    assert.equal("Hello Sîmön 狗", client.rpc.say_hello("Sîmön 狗"))
  end)
end)
