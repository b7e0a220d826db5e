-- The apps, and what a client can do, on a real Crossbar.io.
local node = dofile "tests/e2e/node.lua"
local wampy = require "wampy"

describe("on Crossbar.io", function()
  local url
  local clients

  setup(function()
    url = node.start()
  end)

  teardown(node.stop)

  before_each(function() clients = {} end)

  after_each(function()
    for _, client in ipairs(clients) do client:stop() end
  end)

  local function started(client)
    clients[#clients + 1] = client:start()
    return client
  end

  local function client()
    return started(wampy.Client { url = url, call_timeout = 10 })
  end

  local function app(path)
    return started(dofile(path) { url = url, call_timeout = 10 })
  end

  it("announces what docs/PROTOCOL.md says that it does", function()
    local announced, told = {}, {}
    local one = client()
    for role, letter in pairs { broker = "b", dealer = "d" } do
      for name in pairs(one.session.details.roles[role].features) do
        announced[name .. " " .. letter] = true
      end
    end
    for line in io.lines "docs/PROTOCOL.md" do
      local name, roles, theirs = line:match("^| `([%w_]+)` | ([bd, ]+) | %w+ | (%w+) |")
      for letter in (theirs == "yes" and roles or ""):gmatch("%a") do
        told[name .. " " .. letter] = true
      end
    end
    assert.same(announced, told)
  end)

  it("carries a payload with enc_algo as our router does", function()
    local sealed, one = wampy.binary("\0\1\255"), client()
    client():register("com.sealed", function(details, payload)
      return payload == sealed, details.enc_algo, details.enc_key
    end)
    assert.same({ true, "cryptobox", "k1" }, { one:make_rpc(wampy.messages.Call {
      procedure = "com.sealed", args = sealed,
      options = { enc_algo = "cryptobox", enc_key = "k1" } }) })
  end)

  it("gives a result in parts to a loop, and ends it when the loop is left", function()
    local ended = wampy.queue()
    client():register("com.parts", function(n)
      local _ <close> = setmetatable({}, { __close = function(_, e)
        ended:put(e and e.name or "done")
      end })
      for i = 1, n do
        wampy.progress(i)
        wampy.sleep(0.01)
      end
    end)
    local caller, sum = client(), 0
    for _, part in caller:stream("com.parts", 3) do sum = sum + part end
    assert.equal(6, sum)
    assert.equal("done", ended:get(20))
    for _, part in caller:stream("com.parts", 10000) do
      if part == 2 then break end
    end
    assert.equal("Canceled", ended:get(20))
  end)

  it("the hello app greets", function()
    app "apps/01-hello/main.lua"
    assert.equal("Hello wampy", client().rpc.say_hello(wampy.kwargs { name = "wampy" }))
  end)

  it("the weather app calls and publishes", function()
    app "apps/06-weather/main.lua"
    local c, heard = client(), wampy.queue()
    c:subscribe("wampy-weather", function(message) heard:put(message) end)
    assert.same({ city = "Quito", degrees = 15 }, c.rpc.get_weather("Quito"))
    c:publish { topic = "global-weather", message = { wind = "calm" } }
    assert.same({ wind = "calm" }, heard:get(10))
  end)

  it("an error keeps its URI, arguments and keywords", function()
    local a, b = client(), client()
    a:register("com.example.fail", function()
      error(wampy.error("com.example.refused", 42, wampy.kwargs { why = "because" }))
    end)
    local ok, e = pcall(b.call, b, "com.example.fail")
    assert.is_false(ok)
    assert.equal("com.example.refused", e.uri)
    assert.same({ 42 }, e.args)
    assert.equal("because", e.kwargs.why)
  end)

  it("a handler of an event is told its topic, and its keywords by name", function()
    local a, b, got = client(), client(), wampy.queue()
    a:subscribe("com.example.news", function(first, tag, details)
      got:put { first, tag, details.publication }
    end)
    local id = b:publish("com.example.news", 1, wampy.kwargs { tag = "x" },
      wampy.options { acknowledge = true })
    assert.same({ 1, "x", id }, got:get(10))
  end)

  it("a procedure is registered once, and free again when it is unregistered", function()
    local a, b = client(), client()
    local registration = a:register("com.example.one", function() return 1 end)
    local ok, e = pcall(b.register, b, "com.example.one", function() return 2 end)
    assert.is_false(ok)
    assert.equal("wamp.error.procedure_already_exists", e.uri)
    registration:unregister()
    b:register("com.example.one", function() return 2 end)
    assert.equal(2, a:call("com.example.one"))
  end)

  it("messages made by hand are answered", function()
    local messages, a, b = wampy.messages, client(), client()
    local function answer(message)
      b:send_message(message)
      return (assert(b:recv_message(10)))
    end
    a:register("com.example.echo", function(...) return ... end)
    assert.same({ 1 }, answer(messages.Call { procedure = "com.example.echo", args = { 1 } }).args)
    assert.equal(2, b:make_rpc(messages.Call { procedure = "com.example.echo", args = { 2 } }))
    assert.equal("subscribed", answer(messages.Subscribe { topic = "com.example.news" }).name)
    a:publish("com.example.news", 3)
    assert.same({ 3 }, b:recv_message(10).args)
    assert.equal("registered", answer(messages.Register { procedure = "com.example.hand" }).name)
    local future = a:call_async("com.example.hand")
    b:send_message(messages.Yield { invocation_request_id = b:recv_message(10).request,
      result_args = { 4 } })
    assert.equal(4, future:wait(10))
    b:send_message(messages.Goodbye {})
    assert.is_nil(b.session)
  end)

  it("a message handler encrypts what Crossbar.io carries", function()
    local Notes, heard = dofile "apps/08-encrypted-payloads/main.lua", wampy.queue()
    local key = ("k"):rep(32)
    local function sealing(class)
      return started(class { url = url, call_timeout = 10, message_handler = Notes.Sealing(key) })
    end
    sealing(Notes)
    local c = sealing(wampy.Client)
    c:subscribe("com.example.notes.added", function(n, text) heard:put { n, text } end)
    client():subscribe("com.example.notes.added", function(...) heard:put { select("#", ...) } end)
    assert.equal(1, c:call("com.example.notes.add", "milk"))
    local first, second = heard:get(10), heard:get(10)
    if #first == 1 then first, second = second, first end
    assert.same({ { 1, "milk" }, { 1 } }, { first, second })
  end)

  it("ten callers of a thousand calls each get their own answers", function()
    local service = client()
    service:register("com.example.echo", function(...) return ... end)
    local tasks = {}
    for n = 1, 10 do
      local caller = client()
      tasks[n] = wampy.spawn(function()
        for i = 1, 1000 do
          local a, b = caller:call("com.example.echo", n, i)
          if a ~= n or b ~= i then error(("%d, %d answered with %d, %d"):format(n, i, a, b)) end
        end
        return true
      end)
    end
    for _, task in ipairs(tasks) do assert.is_true(task:wait()) end
  end)

  -- Registers what does not answer: the event of its being called, and the one that lets it go on.
  local function register_hanging(callee, uri)
    local called, release = wampy.event(), wampy.event()
    callee:register(uri, function()
      called:set()
      release:wait()
    end)
    return called, release
  end

  it("a callee that is gone leaves its caller an error", function()
    local a, b = client(), client()
    local called, release = register_hanging(a, "com.example.hang")
    local future = b:call_async("com.example.hang")
    called:wait(10)
    a:stop()
    local ok, e = pcall(future.wait, future, 10)
    assert.is_false(ok)
    assert.is_true(wampy.is_error(e, wampy.errors.RemoteError))
    release:set()
  end)

  -- Crossbar.io keeps the registration for ever when it is told nothing of the call and the caller,
  -- who has canceled it, closes its link in the same moment: hence the many moments.
  it("a callee that leaves with a call under way can come back", function()
    for i = 1, 200 do
      local a, b = client(), client()
      local called, release = register_hanging(a, "com.example.again")
      local future = b:call_async("com.example.again")
      assert.is_true(called:wait(10))
      future:cancel("skip")
      local leaving = wampy.spawn(function() b:stop() end)
      wampy.sleep(i % 20 * 0.0002)
      a:stop()
      leaving:wait(10)
      release:set()
    end
  end)
end)
