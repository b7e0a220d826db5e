-- errors_spec: the family of errors, and what a caller is told about a failed handler.
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local errors, kwargs = wampy.errors, wampy.kwargs

describe("errors", function()
  local p = pair.each(before_each, after_each)

  -- What a caller gets from a handler, which is called exactly once.
  local function answer(fn)
    local held = p.server:register("f", fn)
    local e = pair.failure(p.client.call, p.client, "f")
    held:unregister()
    assert.is_true(e:is(errors.RemoteError))
    assert.same({}, p.client.request_ids)
    return e
  end

  it("are one family", function()
    for _, name in ipairs {
      "ConnectionError", "IncompleteFrameError", "WebsocketProtocolError", "WampProtocolError",
      "TimeoutError", "AuthenticationError", "Canceled", "QueueFull", "StreamOverflow",
      "RemoteError",
    } do
      local e = errors.make(name, "text")
      assert.equal(name, e.name)
      assert.equal("text", e.message)
      assert.is_true(e:is(errors[name]))
      assert.is_true(e:is(errors.WampyError))
      assert.equal(name == "TimeoutError", e:is(errors.TimeoutError))
      assert.is_true(wampy.is_error(e))
      assert.is_true(wampy.is_error(e, errors[name]))
    end
  end)

  it("are told from anything else", function()
    for _, v in ipairs { "text", 1, true, {}, print, { is = print }, { message = "x" },
      setmetatable({}, { __index = function() return print end }) } do
      assert.is_false(wampy.is_error(v))
      assert.is_false(wampy.is_error(v, errors.TimeoutError))
    end
    assert.is_false(wampy.is_error(nil))
  end)

  it("know the app's line, read well, and have a traceback", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local _, e = pcall(function() p.client:publish {} end)
    assert.matches("errors_spec%.lua:" .. line .. "$", e.where)
    assert.matches("errors_spec%.lua:" .. line, e.traceback)
    assert.equal("WampyError: publish needs a topic", tostring(e))
  end)

  it("of a call know the line of the call", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local _, e = pcall(function() p.client:call("nobody.here") end)
    assert.matches("errors_spec%.lua:" .. line .. "$", e.where)
  end)

  describe("that a callee chooses", function()
    it("reach the caller as they are", function()
      local e = answer(function()
        error(wampy.error("com.app.no_such_user", 42, kwargs { name = "joe" }))
      end)
      assert.equal("com.app.no_such_user", e.uri)
      assert.same({ 42 }, { table.unpack(e.args) })
      assert.same({ name = "joe" }, e.kwargs)
      assert.equal("com.app.no_such_user", e.message)
    end)

    it("may have no arguments, or nil among them", function()
      local e = answer(function() error(wampy.error("com.app.bare")) end)
      assert.equal(0, #e.args)
      assert.same({}, e.kwargs)
      e = answer(function() error(wampy.error("com.app.nils", nil, 2)) end)
      assert.equal(wampy.null, e.args[1])
      assert.equal(2, e.args[2])
    end)

    it("need a URI", function()
      assert.matches("wampy%.error: invalid URI", pair.complaint(wampy.error, "not a uri"))
      assert.matches("wampy%.error: invalid URI", pair.complaint(wampy.error))
      assert.matches("wampy%.error: invalid URI", pair.complaint(wampy.error, {}))
    end)

    it("whose arguments cannot be sent still answer once", function()
      local e = answer(function() error(wampy.error("com.app.bad", print)) end)
      assert.matches("^wamp%.error%.runtime_error$", e.uri)
    end)
  end)

  describe("of Lua in a handler", function()
    it("become runtime_error with the message, without the path", function()
      local e = answer(function() error("no such file") end)
      assert.equal("wamp.error.runtime_error", e.uri)
      assert.equal("no such file", e.message)
      assert.equal("RuntimeError", e.exc_type)
      assert.same({ "no such file" }, { table.unpack(e.args) })
      assert.is_nil(tostring(e.message):find("spec.lua", 1, true))
      assert.is_nil(tostring(e.message):find("traceback", 1, true))
    end)

    it("of the language itself, too", function()
      local e = answer(function() return nil + 1 end)
      assert.matches("^attempt to perform arithmetic", e.message)
      e = answer(function() return ("x"):no_such_method() end)
      assert.matches("^attempt to call a nil value", e.message)
    end)

    it("may be any value", function()
      for kind, value in pairs { table = { code = 1 }, ["function"] = print } do
        assert.equal(("(error object is a %s value)"):format(kind),
          answer(function() error(value) end).message)
      end
      assert.equal("nil", answer(function() error(nil) end).message)
      assert.equal("42", answer(function() error(42) end).message)
      assert.equal("false", answer(function() error(false) end).message)
      assert.equal("readable", answer(function()
        error(setmetatable({}, { __tostring = function() return "readable" end }))
      end).message)
    end)

    it("that cannot even be read still answer", function()
      local e = answer(function()
        error(setmetatable({}, { __tostring = function() error("nested") end }))
      end)
      assert.equal("wamp.error.runtime_error", e.uri)
      e = answer(function() error("bytes \xff\xfe") end)
      assert.equal("(error message is not UTF-8)", e.message)
    end)

    it("as a stack overflow", function()
      local e = answer(function()
        local function deeper() return 1 + deeper() end
        return deeper()
      end)
      assert.matches("stack overflow", e.message)
    end)
  end)

  it("of ours that escape a handler keep their class", function()
    local e = answer(function() p.server:call("f", wampy.options { timeout = "x" }) end)
    assert.equal("wamp.error.runtime_error", e.uri)
    assert.equal("WampyError", e.exc_type)
    assert.matches("^options%.timeout", e.message)
  end)

  it("of a result that cannot be sent reach the caller, with the path", function()
    local e = answer(function() return 1, { x = print } end)
    assert.equal("wamp.error.runtime_error", e.uri)
    assert.equal("args[2].x: a function cannot be sent", e.message)
    e = answer(function() return kwargs { x = 0 / 0 } end)
    assert.matches("^kwargs%.x: ", e.message)
  end)

  it("of a result that is too large reach the caller", function()
    local e = answer(function() return ("x"):rep(17 * 1024 * 1024) end)
    assert.matches("max_message_size", e.message)
    assert.is_true(p.server.connected)
  end)

  it("never stop the client", function()
    p.server:register("good", function() return "good" end)
    p.server:register("bad", function() error("bad") end)
    for _ = 1, 20 do
      assert.is_false((pcall(p.client.call, p.client, "bad")))
      assert.equal("good", p.client:call("good"))
    end
  end)

  it("run the <close> variables of the handler, which may wait", function()
    local closed = wampy.event()
    answer(function()
      local mark <close> = setmetatable({}, { __close = function()
        wampy.sleep(0.001)
        closed:set()
      end })
      error("out of " .. type(mark))
    end)
    assert.is_true(closed.is_set)
  end)

  it("say what is wrong with a URL", function()
    local e = pair.failure(wampy.parse_url, "http://x")
    assert.is_true(wampy.is_error(e))
    assert.matches('^invalid url "http://x": .* %(expected ws://', e.message)
    local url = wampy.parse_url("ws://router.example:9000/ws")
    assert.same({ scheme = "ws", host = "router.example", port = 9000, path = "/ws" }, url)
  end)
end)
