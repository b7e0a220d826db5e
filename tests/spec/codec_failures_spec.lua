-- codec_failures_spec: what a codec raises reaches whoever it concerns, and nobody else; calls that
-- come later are as they were.
local pair = dofile "tests/spec/pair.lua"
local reversed = dofile "tests/spec/reversed.lua"
local wampy = require "wampy"

local options, binary = wampy.options, wampy.binary
local PATIENCE = pair.PATIENCE

describe("a codec that raises", function()
  local p = pair.each(before_each, after_each)
  local USED = options { ppt_scheme = "x_c" }
  local good = reversed "json"
  local broken = { encode = good.encode, decode = function() error("bad key", 0) end }
  local mute = { encode = function() error("no key", 0) end, decode = good.decode }

  local function is_payload_error(e, what)
    assert.is_true(wampy.is_error(e, wampy.errors.PayloadError), tostring(e))
    assert.matches(what, e.message, 1, true)
  end

  -- Calls go on, and nothing is left of what failed.
  local function is_well()
    p.server:codec("x_c", good)
    p.client:codec("x_c", good)
    local held = p.server:register("well", function(x) return x end)
    assert.equal("yes", p.client:call("well", "yes", USED))
    held:unregister()
    assert.same({}, p.client.request_ids)
  end

  it("in encode: the caller, and the publisher, get the error; nothing is sent", function()
    local calls = 0
    p.server:register("f", function() calls = calls + 1 end)
    p.client:codec("x_c", mute)
    for _, verb in ipairs { "call", "call_async", "stream", "open", "publish" } do
      local e = pair.failure(p.client[verb], p.client, "f", 1, USED)
      is_payload_error(e, "f: encode of x_c: no key")
    end
    p.server:codec("x_c", good)
    is_well()
    assert.equal(0, calls)
  end)

  it("or does not, after the session is over: nobody waits for the answer", function()
    local started, release, ended = wampy.event(), wampy.event(), wampy.event()
    p.server:codec("x_c", good)
    p.client:codec("x_c", good)
    p.server:register("f", function()
      started:set()
      release:wait(PATIENCE)
      wampy.after(0, function() ended:set() end)
      return 1
    end)
    local future = p.client:call_async("f", USED)
    assert.is_true(started:wait(PATIENCE))
    p.server:stop()
    release:set()
    assert.is_true(ended:wait(PATIENCE))
    assert.is_true(pair.failure(future.wait, future, PATIENCE):is(wampy.errors.RemoteError))
    p.server:start()
    is_well()
  end)

  it("in encode of a part: the rest of the call is as it was", function()
    local fail = false
    p.server:codec("x_c", good)
    p.client:codec("x_c", { encode = function(...)
      if fail then error("no key", 0) end
      return good.encode(...)
    end, decode = good.decode })
    p.server:register("sum", function(n, details)
      for _, m in details:chunks() do n = n + m end
      return n
    end)
    local up = p.client:open("sum", 1, USED)
    fail = true
    is_payload_error(pair.failure(up.send, up, 100), "sum: encode of x_c: no key")
    fail = false
    assert.equal(3, up:finish(2))
    is_well()
  end)

  it("in encode of an answer: the caller gets an error that says no more", function()
    p.client:codec("x_c", good)
    p.server:codec("x_c", mute)
    p.server:register("f", function() return "secret" end)
    p.server:register("e", function() error("secret", 0) end)
    local lines = pair.logged(function()
      local e = pair.failure(p.client.call, p.client, "f", USED)
      assert.equal("wampy.error.payload", e.uri)
      assert.same({ "the payload cannot be sealed or opened" }, e.args)
      e = pair.failure(p.client.call, p.client, "e", USED)
      assert.is_nil(tostring(e):find("secret", 1, true))
    end)
    assert.matches("encode of x_c: no key", lines[1])
    is_well()
  end)

  it("in decode of a call: an error for the caller, one line for the callee", function()
    p.client:codec("x_c", good)
    p.server:codec("x_c", broken)
    local calls, told = 0, wampy.queue()
    p.server:register("f", function() calls = calls + 1 end)
    p.server.on_error = function(_, e, where) told:put { e, where } end
    local lines = pair.logged(function()
      for _ = 1, 3 do
        local e = pair.failure(p.client.call, p.client, "f", 1, USED)
        assert.equal("wampy.error.payload", e.uri)
        assert.same({ "the payload cannot be opened" }, e.args)
        local heard = told:get(PATIENCE)
        is_payload_error(heard[1], "f: decode of x_c: bad key")
        assert.equal("f", heard[2])
      end
    end)
    assert.same({ "warn: server: dropped: f: decode of x_c: bad key" },
      { lines[1], (lines[2] or ""):find("^warn") and lines[2] })
    assert.equal(0, calls)
    is_well()
  end)

  it("in decode of a part of the arguments: the handler is interrupted", function()
    local ended = wampy.queue()
    p.client:codec("x_c", good)
    p.server:codec("x_c", good)
    p.server:register("sum", function(_, details)
      local ok, e = pcall(function() for _ in details:chunks() do end end)
      ended:put(ok or e.name)
      error(e, 0)
    end)
    local up = p.client:open("sum", 1, USED)
    p.client:codec("x_c", { encode = function() return "garbage" end, decode = good.decode })
    pair.logged(function()
      up:send(2)
      assert.equal("Canceled", ended:get(PATIENCE))
      local e = pair.failure(up.finish, up, 3)
      assert.equal("wampy.error.payload", e.uri)
    end)
    is_well()
  end)

  it("in decode of a result: the error is raised where the call is", function()
    p.client:codec("x_c", broken)
    p.server:codec("x_c", good)
    p.server:register("f", function() return 1 end)
    p.server:register("e", function() error(wampy.error("com.error.own", 1)) end)
    local e = pair.failure(function() p.client:call("f", USED) end)
    is_payload_error(e, "f: decode of x_c: bad key")
    assert.matches("codec_failures_spec.lua:%d+", e.where)
    is_payload_error(pair.failure(p.client.call, p.client, "e", USED), "e: decode of x_c: bad key")
    local future = p.client:call_async("f", USED)
    is_payload_error(pair.failure(future.wait, future, PATIENCE), "f: decode of x_c: bad key")
    is_well()
  end)

  it("in decode of a part of a result: the parts before it come, and the call is over", function()
    local stopped = wampy.event()
    p.server:codec("x_c", good)
    p.server:register("count", function(details)
      local _ <close> = setmetatable({}, { __close = function() stopped:set() end })
      for i = 1, 1000 do
        details:progress(i)
        wampy.sleep(0)
      end
      wampy.sleep(1000)
    end)
    p.client:codec("x_c", { encode = good.encode, decode = function(bytes)
      local args = good.decode(bytes)
      if args[1] == 3 then error("three", 0) end
      return args
    end })
    local seen = {}
    is_payload_error(pair.failure(function()
      for _, n in p.client:stream("count", USED) do seen[#seen + 1] = n end
    end), "count: decode of x_c: three")
    assert.same({ 1, 2 }, seen)
    assert.is_true(stopped:wait(PATIENCE))
    is_well()
  end)

  it("in decode of an event: it is dropped, once for all handlers", function()
    local heard, told = wampy.queue(), wampy.queue()
    p.client:codec("x_c", good)
    p.server:codec("x_c", broken)
    p.server.on_error = function(_, e) told:put(e.message) end
    for _ = 1, 2 do p.server:subscribe("com.news", function(x) heard:put(x) end) end
    local lines = pair.logged(function()
      p.client:publish("com.news", "lost", USED)
      p.client:publish("com.news", "lost", USED)
      p.client:publish("com.news", "in the clear")
      assert.equal("in the clear", heard:get(PATIENCE))
      assert.equal("com.news: decode of x_c: bad key", told:get(PATIENCE))
      assert.equal("com.news: decode of x_c: bad key", told:get(PATIENCE))
    end)
    assert.equal("warn: server: dropped: com.news: decode of x_c: bad key", lines[1])
    assert.matches("^debug: ", lines[2])
    assert.is_nil(lines[3])
    is_well()
  end)

  it("or gives what is no payload is told so", function()
    p.server:register("f", function(x) return x end)
    p.server:codec("x_c", good)
    local function gives(field, fn)
      p.client:codec("x_c", { encode = good.encode, decode = good.decode, [field] = fn })
      return pair.failure(p.client.call, p.client, "f", 1, USED)
    end
    is_payload_error(gives("encode", function() end), "expected bytes (a string), got nil")
    is_payload_error(gives("encode", function() return "", 7 end),
      "expected a table of options, got number")
    is_payload_error(gives("decode", function() return "text" end),
      "expected a list and a table, got string and nil")
    is_payload_error(gives("decode", function() return { "\255" } end),
      "what decode returned: args[1]: invalid UTF-8")
    is_payload_error(gives("decode", function() return { print } end),
      "what decode returned: args[1]: a function cannot be sent")
    is_payload_error(gives("decode", function() return {}, { "list" } end), "keys must be strings")
    assert.matches("options.ppt_x: a function cannot be sent",
      gives("encode", function() return "", { ppt_x = print } end).message)
    is_well()
  end)

  it("because it waits is told that it cannot", function()
    p.server:codec("x_c", good)
    p.server:register("f", function() return 1 end)
    p.client:codec("x_c", { encode = function() wampy.sleep(0) return "" end, decode = print })
    is_payload_error(pair.failure(p.client.call, p.client, "f", USED), "cannot wait here")
    wampy.spawn(function()
      is_payload_error(pair.failure(p.client.call, p.client, "f", USED), "cannot wait here")
    end):wait()
    p.client:codec("x_c", { encode = good.encode, decode = function() wampy.sleep(0) end })
    is_payload_error(pair.failure(p.client.call, p.client, "f", USED), "cannot wait here")
    is_well()
  end)

  it("or makes too much of it: an error that names the limit, and nothing is sent", function()
    p.server:codec("x_c", good)
    p.server:register("big", function(n) return ("x"):rep(n) end)
    local small <close> = pair.client(p.router, { max_message_size = 1000,
      codecs = { x_c = good } }):start()
    assert.matches("larger than max_message_size",
      pair.complaint(small.call, small, "big", ("x"):rep(2000), USED))
    small:register("f", function(n) return ("x"):rep(n) end)
    pair.logged(function()
      p.client:codec("x_c", good)
      assert.matches("larger than max_message_size",
        pair.complaint(p.client.call, p.client, "f", 2000, USED))
    end)
    assert.equal(500, #p.client:call("f", 500, USED))
    is_well()
  end)

  it("because there is not one argument is never asked", function()
    p.server:codec("x_c", good)
    p.server:register("f", function(x) return x end)
    pair.logged(function()
      for _, args in ipairs { {}, { binary "1", binary "2" } } do
        args[#args + 1] = USED
        assert.equal("wampy.error.payload",
          pair.failure(p.client.call, p.client, "f", table.unpack(args)).uri)
      end
    end)
    is_well()
  end)
end)
