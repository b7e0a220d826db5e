-- message_handler_spec: what sees, changes and keeps back the messages of a client on their way.
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local MessageHandler, messages, kwargs = wampy.MessageHandler, wampy.messages, wampy.kwargs

describe("a message handler", function()
  local client

  before_each(function() client = nil end)
  after_each(function() if client then client:stop() end end) -- before the router stops
  local p = pair.each(before_each, after_each)

  -- A started client with an instance of a handler that has these methods.
  local function start(methods, fields)
    local Handler = MessageHandler:extend("Handler")
    for name, fn in pairs(methods) do Handler[name] = fn end
    fields = fields or {}
    fields.message_handler = Handler()
    client = pair.client(p.router, fields)
    client:start()
    return client, Handler
  end

  -- Methods that note the names of what they see, in two lists, and pass everything on.
  local function watcher()
    local came, went = {}, {}
    return {
      handle_message = function(self, message)
        came[#came + 1] = message.name
        MessageHandler.handle_message(self, message)
      end,
      send_message = function(self, message)
        went[#went + 1] = message.name
        MessageHandler.send_message(self, message)
      end,
    }, came, went
  end

  it("of the default class sees nothing and changes nothing", function()
    client = pair.client(p.router, { message_handler = MessageHandler() }):start()
    assert.equal(client, client.message_handler.client)
    assert.same({ false, false }, { MessageHandler.overrides(client.message_handler) })
    assert.same({ false, false }, { MessageHandler.overrides(MessageHandler:extend()()) })
    p.server:register("f", function(x) return x end)
    assert.equal(1, client:call("f", 1))
  end)

  -- wampy: The MessageHandler Class
  it("that is a subclass sees the WELCOME, and goes on by its super", function()
    local CustomHandler = MessageHandler:extend("CustomHandler")
    local seen = {}
    function CustomHandler:handle_welcome(message)
      seen[#seen + 1] = message.session -- maybe do some auth stuff here
      CustomHandler.super.handle_welcome(self, message)
      seen[#seen + 1] = self.client.realm
    end
    client = wampy.Client { router = p.router, message_handler = CustomHandler() }:start()
    assert.same({ client.session.id, "realm1" }, seen)
  end)

  it("sees every message, both ways, in order", function()
    local methods, came, went = watcher()
    start(methods)
    p.server:register("f", function(x) return x end)
    local held = client:register("g", function() return 1 end)
    local subscription = client:subscribe("t", function() end)
    client:call("f", 1)
    pcall(client.call, client, "nobody")
    p.server:call("g")
    p.server:publish("t", 1, wampy.options { acknowledge = true })
    client:publish("t", 1, wampy.options { acknowledge = true })
    held:unregister()
    subscription:unsubscribe()
    client:stop()
    assert.same({ "hello", "register", "subscribe", "call", "call", "yield", "publish",
      "unregister", "unsubscribe", "goodbye" }, went)
    assert.same({ "welcome", "registered", "subscribed", "result", "error", "invocation", "event",
      "published", "unregistered", "unsubscribed", "goodbye" }, came)
  end)

  it("has a method for each message that it accepts", function()
    local names = {}
    for i, class in ipairs(MessageHandler.messages) do
      names[i] = class.name
      assert.is_function(MessageHandler["handle_" .. class.name])
    end
    assert.equal("abort challenge error event goodbye interrupt invocation published registered "
      .. "result subscribed unregistered unsubscribed welcome", table.concat(names, " "))
  end)

  it("changes what comes", function()
    start {
      handle_result = function(self, message)
        message.args = { message.args[1] + 1 }
        message.kwargs = { added = true }
        MessageHandler.handle_result(self, message)
      end,
      handle_event = function(self, message)
        message.args[1] = message.args[1]:upper()
        MessageHandler.handle_event(self, message)
      end,
    }
    p.server:register("f", function(x) return x end)
    local n, kw = client:call("f", 1)
    assert.same({ 2, true }, { n, kw.added })
    local got = wampy.queue()
    client:subscribe("t", function(x) got:put(x) end)
    p.server:publish("t", "text")
    assert.equal("TEXT", got:get(pair.PATIENCE))
  end)

  it("changes what goes", function()
    start {
      send_message = function(self, message)
        if message.name == "call" then message.procedure = "real." .. message.procedure end
        if message.name == "yield" then message.result_kwargs = { by = "handler" } end
        MessageHandler.send_message(self, message)
      end,
    }
    p.server:register("real.f", function(x) return x end)
    assert.equal(1, client:call("f", 1))
    client:register("g", function() return 2 end)
    local n, kw = p.server:call("g")
    assert.same({ 2, "handler" }, { n, kw.by })
  end)

  it("sees what is sent by hand, and the answers to that", function()
    local methods, came, went = watcher()
    start(methods)
    client:send_message(messages.Call { procedure = "nobody" })
    assert.equal("error", client:recv_message(pair.PATIENCE).name)
    assert.same({ "call", "error" }, { went[#went], came[#came] })
  end)

  it("may wait, while other messages pass it", function()
    local gate = wampy.event()
    start {
      handle_result = function(self, message)
        if message.args[1] == "slow" then gate:wait(pair.PATIENCE) end
        MessageHandler.handle_result(self, message)
      end,
    }
    p.server:register("f", function(x) return x end)
    local slow = client:call_async("f", "slow")
    assert.equal("quick", client:call("f", "quick"))
    assert.is_false(slow:done())
    gate:set()
    assert.equal("slow", slow:wait(pair.PATIENCE))
  end)

  it("may make a call of its own", function()
    p.server:register("key", function() return 7 end)
    p.server:register("f", function(x) return x end)
    start {
      handle_result = function(self, message)
        if message.args[1] == "f" then message.args[2] = self.client:call("key") end
        MessageHandler.handle_result(self, message)
      end,
    }
    assert.same({ "f", 7 }, { client:call("f", "f") })
  end)

  it("is the same in each session", function()
    local methods, came = watcher()
    start(methods)
    client:stop()
    client:start()
    assert.same({ "welcome", "goodbye", "welcome" }, came)
  end)

  it("sees why it was refused", function()
    local seen
    local e = pair.failure(start, {
      handle_abort = function(self, message)
        seen = message.reason
        MessageHandler.handle_abort(self, message)
      end,
    }, { realm = "com.nowhere" })
    assert.equal("wamp.error.no_such_realm", seen)
    assert.equal("wamp.error.no_such_realm", e.uri)
  end)

  it("sees how the client authenticates, and why it was refused", function()
    local router <close> = pair.router { auth = { ticket = { principals = {
      joe = { ticket = "t", role = "anonymous" } } } } }
    local function join(ticket, change)
      local methods, came, went = watcher()
      for name, fn in pairs(change or {}) do methods[name] = fn end
      local Handler = MessageHandler:extend("Handler")
      for name, fn in pairs(methods) do Handler[name] = fn end
      local c = pair.client(router, { message_handler = Handler(),
        auth = { authid = "joe", ticket = ticket } })
      local ok, e = pcall(c.start, c)
      c:stop()
      return ok or e, came, went
    end
    local ok, came, went = join "t"
    assert.same({ true, { "challenge", "welcome", "goodbye" },
      { "hello", "authenticate", "goodbye" } }, { ok, came, went })
    ok, came, went = join "other"
    assert.is_true(ok:is(wampy.errors.AuthenticationError))
    assert.same({ { "challenge", "abort" }, { "hello", "authenticate" } }, { came, went })
    pair.logged(function()
      local e = join("t", { handle_challenge = function() error("boom", 0) end })
      assert.equal("wampy.error.message_handler", e.uri)
    end)
  end)

  it("sees the last message of a connection that is closed behind it", function()
    local router <close> = wampy.routers.Embedded { listen = "127.0.0.1:0" }:start()
    local Handler = MessageHandler:extend("Handler")
    function Handler:handle_abort(message)
      wampy.sleep(0.02) -- the socket is gone by then
      Handler.super.handle_abort(self, message)
    end
    local e = pair.failure(function()
      wampy.Client { url = router.url, realm = "com.nowhere", message_handler = Handler() }:start()
    end)
    assert.equal("wamp.error.no_such_realm", e.uri)
  end)

  it("that does not keep up with what comes ends the session, and says why", function()
    local gate = wampy.event()
    start { handle_event = function() gate:wait() end }
    client:subscribe("t", function() end)
    local left = wampy.queue()
    function client.on_disconnect(_, reason) left:put(reason) end
    for i = 1, 10000 do p.server:publish("t", i) end -- as many as are let in at once
    local mebibyte = ("x"):rep(1024 * 1024)
    for _ = 1, 36 do p.server:publish("t", mebibyte) end
    assert.matches("the message handler does not keep up", left:get(pair.PATIENCE))
    gate:set()
    pair.settle(client, p.client, p.server)
  end)

  describe("that does not pass a message on", function()
    it("leaves a call to its time limit", function()
      start { handle_result = function() end }
      -- A name of its own: Crossbar.io may keep it, when a cancelled call's callee leaves.
      p.server:register("f.cancelled", function() end)
      local e = pair.failure(client.call, client, "f.cancelled", wampy.options { timeout = 0.02 })
      assert.is_true(e:is(wampy.errors.TimeoutError))
    end)

    it("leaves joining to its time limit", function()
      for _, name in ipairs { "handle_welcome", "send_message" } do
        local e = pair.failure(start, { [name] = function() end }, { connect_timeout = 0.05 })
        assert.is_true(e:is(wampy.errors.TimeoutError))
      end
    end)

    it("keeps an event back", function()
      local got = wampy.queue()
      start {
        handle_event = function(self, message)
          if message.args[1] ~= "secret" then MessageHandler.handle_event(self, message) end
        end,
      }
      client:subscribe("t", function(x) got:put(x) end)
      p.server:publish("t", "secret")
      p.server:publish("t", "open")
      assert.equal("open", got:get(pair.PATIENCE))
    end)

    it("may answer an invocation by hand, at once or later", function()
      local later = wampy.queue()
      start {
        handle_invocation = function(self, message)
          local yield = messages.Yield { invocation_request_id = message.request,
            result_args = { "by hand" } }
          if message.args then later:put(yield) else self.client:send_message(yield) end
        end,
      }
      client:register("f", function() return "by its handler" end)
      assert.equal("by hand", p.server:call("f"))
      local future = p.server:call_async("f", "later")
      client:send_message(later:get(pair.PATIENCE))
      assert.equal("by hand", future:wait(pair.PATIENCE))
    end)
  end)

  describe("that raises", function()
    local heard

    -- As start; what on_error hears is in `heard`, and the log stays quiet.
    local function broken(methods)
      heard = wampy.queue()
      local Handler = MessageHandler:extend("Broken")
      for name, fn in pairs(methods) do Handler[name] = fn end
      client = pair.client(p.router, { message_handler = Handler() })
      function client:on_error(e, where) heard:put { tostring(e), where } end
      return client:start()
    end

    local function on(name, text)
      return function(self, message)
        if message.name == name then error(text or "boom", 0) end
        MessageHandler.send_message(self, message)
      end
    end

    it("fails the request whose answer it had, and is heard of", function()
      broken { handle_result = function() error("boom", 0) end }
      p.server:register("f", function() end)
      local e
      local lines = pair.logged(function()
        e = pair.failure(client.call, client, "f")
        assert.same({ "boom", "message_handler RESULT" }, heard:get(pair.PATIENCE))
      end)
      assert.equal("wampy.error.message_handler", e.uri)
      assert.matches("^error: .*the message handler failed on RESULT: boom %[W903%]\nstack trace",
        lines[1])
      assert.equal(1, (select(5, client._core:stats())))
      assert.is_false(pcall(client.call, client, "nobody")) -- ERROR has a method of its own
    end)

    it("fails the request that it should send", function()
      broken { send_message = on("call") }
      pair.logged(function()
        local e = pair.failure(client.call, client, "f")
        assert.equal("wampy.error.message_handler", e.uri)
        heard:get(pair.PATIENCE)
      end)
      assert.is_table(client.session)
    end)

    it("answers the invocation that it had, or the result of which it should send", function()
      for _, methods in ipairs {
        { handle_invocation = function() error("boom", 0) end }, { send_message = on("yield") },
        { send_message = on("error") },
      } do
        broken(methods)
        client:register("f", function(x) if x then error("oh") end end)
        pair.logged(function()
          local e = pair.failure(p.server.call, p.server, "f", methods.send_message and "x" or nil)
          if not e.uri:find "message_handler" then -- one that sends: only one of two fails
            e = pair.failure(p.server.call, p.server, "f")
          end
          assert.equal("wampy.error.message_handler", e.uri)
          assert.not_matches("boom", tostring(e))
        end)
        client:stop()
      end
    end)

    it("ends joining", function()
      for _, methods in ipairs {
        { handle_welcome = function() error("boom", 0) end }, { send_message = on("hello") },
      } do
        pair.logged(function()
          local e = pair.failure(broken, methods)
          assert.equal("wampy.error.message_handler", e.uri)
          assert.is_true(e:is(wampy.errors.ConnectionError))
        end)
      end
    end)

    it("loses an event, and the next one is handled", function()
      local got = wampy.queue()
      broken {
        handle_event = function(self, message)
          if message.args[1] == 1 then error("boom", 0) end
          MessageHandler.handle_event(self, message)
        end,
      }
      client:subscribe("t", function(x) got:put(x) end)
      pair.logged(function()
        p.server:publish("t", 1)
        p.server:publish("t", 2)
        assert.equal(2, got:get(pair.PATIENCE))
        assert.same({ "boom", "message_handler EVENT" }, heard:get(pair.PATIENCE))
      end)
    end)

    -- What on_error hears when a handler passes on a RESULT (or sends a CALL) that `change` made.
    local function verdict(method, change)
      broken {
        [method] = function(self, message)
          if message.name == "result" or message.name == "call" then
            message = change(message) or message
          end
          MessageHandler[method](self, message)
        end,
      }
      local told
      pair.logged(function()
        local e = pair.failure(client.call, client, "f", "x")
        told = heard:get(pair.PATIENCE)[1]
        assert.equal("wampy.error.message_handler", e.uri)
      end)
      assert.is_table(client.session)
      client:stop()
      told = told:gsub("^WampyError: ", "")
      return (told:gsub("^the message handler passed on a broken message: ", "> "))
    end

    it("is told what is broken in the message that it passes on", function()
      p.server:register("f", function(x) return x end)
      local came, went = "handle_result", "send_message"
      assert.equal("> RESULT: element 4 (arguments) must be a list",
        verdict(came, function(m) m.args = { k = 1 } end))
      assert.equal("Result: field args: expected a table, got integer",
        verdict(came, function(m) rawset(m, "args", 1) end))
      assert.equal("> RESULT is not on its way (passed on already, or its id changed)",
        verdict(came, function(m) m.request = m.request + 1 end))
      assert.equal("> EVENT is not on its way (passed on already, or its id changed)",
        verdict(came, function() return messages.Event { subscription = 1, publication = 1 } end))
      assert.matches("^> RESULT: progress must be",
        verdict(came, function(m) m.details = { progress = "yes" } end))
      assert.equal("args[1]: a function cannot be sent",
        verdict(came, function(m) m.args = { print } end))
      assert.matches("not a valid URI", verdict(went, function(m) m.procedure = "not a uri" end))
      assert.equal("> RESULT is not on its way (passed on already, or its id changed)",
        verdict(went, function() return messages.Result { request = 1 } end))
      assert.equal("> CALL is not for a router to send",
        verdict(came, function() return messages.Call { request = 1, procedure = "f" } end))
    end)

    it("cannot pass a message on twice", function()
      broken {
        handle_result = function(self, message)
          MessageHandler.handle_result(self, message)
          MessageHandler.handle_result(self, message)
        end,
      }
      p.server:register("f", function(x) return x end)
      pair.logged(function()
        assert.equal(1, client:call("f", 1))
        assert.matches("passed on already", heard:get(pair.PATIENCE)[1])
      end)
    end)

    it("does not accept what is not in its list of messages", function()
      broken { messages = { messages.Welcome, messages.Goodbye } }
      pair.logged(function()
        assert.is_false(pcall(client.call, client, "nobody"))
        assert.equal("WampyError: Broken does not accept Error", heard:get(pair.PATIENCE)[1])
      end)
    end)
  end)

  it("must be an instance, of this class, and of one client", function()
    local function complaint(handler)
      return pair.complaint(wampy.Client, { message_handler = handler })
    end
    local Handler = MessageHandler:extend("Handler")
    local prefix = "Client: field message_handler: expected an instance"
    assert.equal(prefix .. ", got the class Handler (call it)", complaint(Handler))
    assert.equal(prefix .. ", got the class wampy.MessageHandler (call it)",
      complaint(MessageHandler))
    assert.equal(prefix .. " of wampy.MessageHandler, got a function", complaint(print))
    assert.equal(prefix .. " of wampy.MessageHandler, got another table", complaint({}))
    local handler = Handler()
    wampy.Client { message_handler = handler }
    assert.equal(prefix .. " of the client's own, this one belongs to another client",
      complaint(handler))
  end)

  it("gets what it is called with in init", function()
    local Handler = MessageHandler:extend()
    function Handler:init(key) self.key = key end
    assert.equal("k", Handler("k").key)
  end)

  it("holds nothing when the session ends under it", function()
    local gate = wampy.event()
    start {
      handle_event = function(self, message)
        gate:wait(pair.PATIENCE)
        MessageHandler.handle_event(self, message)
      end,
    }
    client:subscribe("t", function() end)
    p.server:publish("t", 1, kwargs { k = 1 })
    p.server:publish("t", 2, wampy.options { acknowledge = true })
    wampy.sleep(0)
    client:stop()
    local lines = pair.logged(function()
      gate:set()
      wampy.sleep(0.01)
    end)
    assert.is_nil(client.session)
    assert.same({}, lines)
  end)
end)
