-- messages_spec: the classes of wampy.messages, and messages made and sent by hand.
local wampy = require "wampy"
local core = require "wampy.core"
local pair = dofile "tests/spec/pair.lua"
local messages, errors, kwargs = wampy.messages, wampy.errors, wampy.kwargs

-- One message of each class: its fields, and the list that they make.
local examples = {
  { "Hello", { realm = "realm1", roles = { roles = { caller = {} } } },
    { 1, "realm1", { roles = { caller = {} } } } },
  { "Welcome", { session = 7, details = {} }, { 2, 7, {} } },
  { "Abort", { reason = "com.no" }, { 3, {}, "com.no" } },
  { "Challenge", { authmethod = "ticket" }, { 4, "ticket", {} } },
  { "Authenticate", { signature = "s" }, { 5, "s", {} } },
  { "Goodbye", {}, { 6, {}, "wamp.close.normal" } },
  { "Error", { request_type = 48, request = 1, error = "com.no", args = { "x" } },
    { 8, 48, 1, {}, "com.no", { "x" } } },
  { "Publish", { request = 1, topic = "com.t", kwargs = { k = 1 } },
    { 16, 1, {}, "com.t", {}, { k = 1 } } },
  { "Published", { request = 1, publication = 2 }, { 17, 1, 2 } },
  { "Subscribe", { request = 1, topic = "com.t" }, { 32, 1, {}, "com.t" } },
  { "Subscribed", { request = 1, subscription = 2 }, { 33, 1, 2 } },
  { "Unsubscribe", { request = 1, subscription = 2 }, { 34, 1, 2 } },
  { "Unsubscribed", { request = 1 }, { 35, 1 } },
  { "Event", { subscription = 1, publication = 2, args = { 3 } }, { 36, 1, 2, {}, { 3 } } },
  { "Call", { request = 1, procedure = "com.p", args = {} }, { 48, 1, {}, "com.p", {} } },
  { "Cancel", { request = 1, options = { mode = "kill" } }, { 49, 1, { mode = "kill" } } },
  { "Result", { request = 1, args = { 2 } }, { 50, 1, {}, { 2 } } },
  { "Register", { request = 1, procedure = "com.p" }, { 64, 1, {}, "com.p" } },
  { "Registered", { request = 1, registration = 2 }, { 65, 1, 2 } },
  { "Unregister", { request = 1, registration = 2 }, { 66, 1, 2 } },
  { "Unregistered", { request = 0, details = { registration = 2 } },
    { 67, 0, { registration = 2 } } },
  { "Invocation", { request = 1, registration = 2 }, { 68, 1, 2, {} } },
  { "Interrupt", { request = 1 }, { 69, 1, {} } },
  { "Yield", { invocation_request_id = 1, result_args = { 2 }, result_kwargs = { k = 3 } },
    { 70, 1, {}, { 2 }, { k = 3 } } },
}

describe("a message class", function()
  it("exists for each message of WAMP, and makes its list", function()
    assert.equal(#core.messages, #examples)
    for i, example in ipairs(examples) do
      local name, fields, list = table.unpack(example)
      local class = messages[name]
      assert.equal(core.messages[i].code, class.WAMP_CODE)
      assert.equal(list[1], class.WAMP_CODE)
      assert.equal(name:lower(), class.name)
      local message = class(fields)
      assert.same(list, message.message)
      for field, value in pairs(fields) do assert.same(value, message[field]) end
    end
  end)

  it("is what parse makes of such a list", function()
    for _, example in ipairs(examples) do
      local message = messages.parse(example[3])
      assert.equal(messages[example[1]], getmetatable(message))
      assert.same(example[3], message.message)
      assert.is_true(messages.is_message(message))
    end
  end)

  it("computes the list from the fields as they are now", function()
    local call = messages.Call { procedure = "com.a" }
    assert.same({ 48, wampy.null, {}, "com.a" }, call.message)
    call.procedure, call.args = "com.b", { 1 }
    call.request = 5
    assert.same({ 48, 5, {}, "com.b", { 1 } }, call.message)
  end)

  it("sends arguments as a list and keywords as a dict, also empty ones", function()
    local call = messages.Call { request = 1, procedure = "com.a", args = {}, kwargs = {} }
    assert.equal('[48,1,{},"com.a",[],{}]', tostring(call))
    assert.equal('[48,1,{},"com.a",[],{"k":1}]',
      tostring(messages.Call { request = 1, procedure = "com.a", kwargs = { k = 1 } }))
  end)

  it("does not show a signature, which may be a secret, as text", function()
    local message = messages.Authenticate { signature = "a ticket" }
    assert.equal('[5,"(hidden)",{}]', tostring(message))
    assert.equal("a ticket", message.signature)
  end)

  it("has wampy's default reason for Goodbye", function()
    assert.equal("wamp.close.normal", messages.Goodbye.DEFAULT_REASON)
    assert.equal("com.bye", messages.Goodbye { reason = "com.bye" }.reason)
  end)

  it("refuses what is not one of its fields", function()
    local function complaint(class, fields) return pair.complaint(class, fields) end
    assert.equal("Call: field topic: unknown (the fields are request, options, procedure, args, "
      .. "kwargs)", complaint(messages.Call, { topic = "com.a" }))
    assert.equal("Call: field procedure: missing, expected a string", complaint(messages.Call, {}))
    assert.equal("Call: field procedure: expected a string, got integer",
      complaint(messages.Call, { procedure = 1 }))
    assert.equal("Call: field args: expected a table, got string",
      complaint(messages.Call, { procedure = "com.a", args = "x" }))
    assert.equal("Result: field request: expected an integer, got float",
      complaint(messages.Result, { request = 1.5 }))
    assert.equal("Yield: field invocation_request_id: missing, expected an integer",
      complaint(messages.Yield, {}))
    assert.equal("Call: expected a table of fields, got string", complaint(messages.Call, "com.a"))
    assert.equal("args[1]: a function cannot be sent",
      complaint(messages.Call, { procedure = "com.a", args = { print } }))
    local call = messages.Call { procedure = "com.a" }
    assert.equal("Call: field kwarg: unknown (the fields are request, options, procedure, args, "
      .. "kwargs)", pair.complaint(function() call.kwarg = {} end))
    call.procedure = 5
    assert.equal("Call: field procedure: expected a string, got integer",
      pair.complaint(function() return call.message end))
  end)

  it("is not made of what is not a message", function()
    assert.matches("got 99$", pair.complaint(messages.parse, { 99 }))
    assert.matches("got string$", pair.complaint(messages.parse, "[48]"))
    for _, v in ipairs { 1, "x", {}, messages.Call, setmetatable({}, { WAMP_CODE = 48 }) } do
      assert.is_false(messages.is_message(v))
    end
  end)
end)

describe("a message sent by hand", function()
  local p = pair.each(before_each, after_each)

  local function receive() return (assert(p.client:recv_message(pair.PATIENCE))) end

  -- wampy: Sending a Message
  it("calls, and its result is received", function()
    p.server:register("foobar", function(...) return select("#", ...), "foo" end)
    local message = messages.Call { procedure = "foobar", args = {}, kwargs = {} }
    local id = p.client:send_message(message)
    assert.equal(id, message.request)
    local result = receive()
    assert.equal("result", result.name)
    assert.equal(id, result.request)
    assert.same({ 0, "foo" }, result.args)
  end)

  it("may leave before the answer comes", function()
    p.server:register("foobar", function() wampy.sleep(0) end)
    wampy.with(pair.client(p.router), function(client)
      client:send_message(messages.Call { procedure = "foobar", args = {}, kwargs = {} })
    end)
  end)

  it("shares the ids of the client's own requests", function()
    p.server:register("f", function(x) return x end)
    assert.equal(1, p.client:call("f", 1))
    assert.equal(2, p.client:send_message(messages.Call { procedure = "f", args = { 2 } }))
    assert.equal(3, p.client:call("f", 3))
    assert.same({ 2 }, receive().args)
    assert.equal(4, p.client:send_message(messages.Call { request = 4, procedure = "f" }))
    assert.equal(4, receive().request)
  end)

  it("gets each progressive result, and errors, in the order of arrival", function()
    p.server:register("f", function() wampy.progress(1) wampy.progress(2) return 3 end)
    p.client:send_message(messages.Call { procedure = "f", options = { receive_progress = true } })
    for i = 1, 3 do assert.same({ i }, receive().args) end
    p.client:send_message(messages.Call { procedure = "nobody" })
    local e = receive()
    assert.same({ "error", 48, "wamp.error.no_such_procedure" },
      { e.name, e.request_type, e.error })
  end)

  it("subscribes, and gets the events", function()
    p.client:send_message(messages.Subscribe { topic = "com.t" })
    local subscription = receive().subscription
    p.server:publish("com.t", 1, kwargs { k = 2 })
    local event = receive()
    assert.same({ "event", subscription, 1, 2 },
      { event.name, event.subscription, event.args[1], event.kwargs.k })
    p.client:send_message(messages.Unsubscribe { subscription = subscription })
    assert.equal("unsubscribed", receive().name)
  end)

  it("subscribes beside a handler", function()
    local got = wampy.queue()
    p.client:subscribe("com.t", function(x) got:put(x) end)
    p.client:send_message(messages.Subscribe { topic = "com.t" })
    local subscription = receive().subscription
    p.server:publish("com.t", 1)
    assert.same({ 1 }, receive().args)
    assert.equal(1, got:get(pair.PATIENCE))
    assert.matches("has handlers besides", pair.complaint(p.client.send_message, p.client,
      messages.Unsubscribe { subscription = subscription }))
  end)

  it("registers, and answers the invocations", function()
    p.client:send_message(messages.Register { procedure = "com.p" })
    local registration = receive().registration
    local future = p.server:call_async("com.p", "x")
    local invocation = receive()
    assert.same({ "invocation", registration, "x" },
      { invocation.name, invocation.registration, invocation.args[1] })
    p.client:send_message(messages.Yield { invocation_request_id = invocation.request,
      result_args = { "y" } })
    assert.equal("y", future:wait(pair.PATIENCE))
    future = p.server:call_async("com.p")
    p.client:send_message(messages.Error { request_type = 68, request = receive().request,
      error = "com.no" })
    assert.equal("com.no", pair.failure(future.wait, future, pair.PATIENCE).uri)
    p.client:send_message(messages.Unregister { registration = registration })
    assert.equal("unregistered", receive().name)
  end)

  it("publishes, acknowledged or not", function()
    local got = wampy.queue()
    p.server:subscribe("com.t", function(x) got:put(x) end)
    p.client:send_message(messages.Publish { topic = "com.t", args = { 1 } })
    p.client:send_message(messages.Publish { topic = "com.t", args = { 2 },
      options = { acknowledge = true } })
    assert.equal("published", receive().name)
    assert.same({ 1, 2 }, { got:get(pair.PATIENCE), got:get(pair.PATIENCE) })
    assert.same({ nil, "timeout" }, { p.client:recv_message(0) })
  end)

  it("leaves with GOODBYE or ABORT; start may follow", function()
    for _, message in ipairs { messages.Goodbye {}, messages.Abort { reason = "com.enough" } } do
      p.client:send_message(message)
      assert.is_nil(p.client.session)
      p.client:start()
      assert.is_table(p.client.session)
    end
  end)

  it("is checked before anything is sent", function()
    local function complaint(message)
      return pair.complaint(p.client.send_message, p.client, message)
    end
    assert.equal("HELLO is not allowed in an established session",
      complaint(messages.Hello { realm = "realm1", roles = {} }))
    assert.equal("WELCOME is not for a client to send", complaint(messages.Welcome { session = 1 }))
    assert.equal("CALL: request id 9, but the next one is 1",
      complaint(messages.Call { request = 9, procedure = "f" }))
    assert.matches("not a valid URI", complaint(messages.Call { procedure = "not a uri" }))
    assert.matches("acknowledge", complaint(messages.Publish { topic = "com.t",
      options = { acknowledge = "yes" } }))
    assert.equal("CALL: element 5 (arguments) must be a list",
      complaint(messages.Call { procedure = "f", args = { k = 1 } }))
    assert.equal("CALL: element 6 (keyword arguments) must be a dict",
      complaint(messages.Call { procedure = "f", kwargs = { 1 } }))
    assert.equal("YIELD: no invocation 1 waits to be answered by hand",
      complaint(messages.Yield { invocation_request_id = 1 }))
    assert.equal("send_message: expected a message of wampy.messages, got a table",
      complaint({ 48, 1, {}, "f" }))
    local refused = messages.Call { procedure = "not a uri" }
    complaint(refused)
    assert.is_nil(refused.request)
    assert.equal(1, p.client:send_message(messages.Call { procedure = "f" }))
  end)

  it("needs a session", function()
    p.client:stop()
    local e = pair.failure(p.client.send_message, p.client, messages.Call { procedure = "f" })
    assert.is_true(e:is(errors.ConnectionError))
  end)
end)

describe("recv_message", function()
  local p = pair.each(before_each, after_each, { server = { call_timeout = 60 } }) -- slow routers

  it("gives nil and timeout when nothing comes", function()
    assert.same({ nil, "timeout" }, { p.client:recv_message(0.01) })
    assert.same({ nil, "timeout" }, { p.client:recv_message(0) })
  end)

  it("raises when the session ends, and after that", function()
    local waiting = wampy.spawn(pair.failure, p.client.recv_message, p.client, pair.PATIENCE)
    wampy.sleep(0)
    p.client:stop()
    assert.is_true(waiting:wait():is(errors.ConnectionError))
    assert.is_true(pair.failure(p.client.recv_message, p.client):is(errors.ConnectionError))
  end)

  it("forgets what was not read when the session ends", function()
    p.client:send_message(messages.Call { procedure = "nobody" })
    p.client:call_async("nobody")
    assert.is_false(pcall(p.client.call, p.client, "nobody"))
    p.client:stop()
    p.client:start()
    assert.same({ nil, "timeout" }, { p.client:recv_message(0) })
  end)

  it("may wait in several tasks", function()
    p.server:register("f", function(x) return x end)
    local tasks = {}
    for i = 1, 3 do
      tasks[i] = wampy.spawn(function() return p.client:recv_message(pair.PATIENCE).args[1] end)
    end
    wampy.sleep(0)
    for i = 1, 3 do p.client:send_message(messages.Call { procedure = "f", args = { i } }) end
    local sum = 0
    for i = 1, 3 do sum = sum + tasks[i]:wait() end
    assert.equal(6, sum)
  end)

  it("keeps no more than its limit of unread messages", function()
    p.client:send_message(messages.Subscribe { topic = "com.t" })
    assert.equal("subscribed", p.client:recv_message(pair.PATIENCE).name)
    local level = core.log_level("error")
    for i = 1, 10010 do p.server:publish("com.t", i) end
    p.server:publish("com.t", "last", wampy.options { acknowledge = true })
    pcall(p.client.call, p.client, "nobody") -- its answer comes behind the events
    core.log_level(level)
    local n = 0
    while p.client:recv_message(0) do n = n + 1 end
    assert.equal(10000, n)
  end)
end)

describe("make_rpc", function()
  local p = pair.each(before_each, after_each)

  it("sends a Call and returns its results, each time", function()
    p.server:register("f", function(a, k) return a, kwargs { k = k } end)
    local message = messages.Call { procedure = "f", args = { 1 }, kwargs = { k = 2 } }
    for _ = 1, 2 do
      local a, kw = p.client:make_rpc(message)
      assert.same({ 1, 2 }, { a, kw.k })
    end
  end)

  it("raises the callee's error, and what is wrong with the message", function()
    local function failure(message) return pair.failure(p.client.make_rpc, p.client, message) end
    local e = failure(messages.Call { procedure = "nobody" })
    assert.is_true(e:is(errors.RemoteError))
    assert.same({ "wamp.error.no_such_procedure", "nobody" }, { e.uri, e.procedure })
    assert.matches("not a valid URI", failure(messages.Call { procedure = "not a uri" }).message)
    assert.matches("request id 9, but the next one is 2",
      failure(messages.Call { request = 9, procedure = "f" }).message)
    assert.matches("must be a list",
      failure(messages.Call { procedure = "f", args = { k = 1 } }).message)
    assert.equal("make_rpc: expected a wampy.messages.Call, got Goodbye",
      failure(messages.Goodbye {}).message)
    assert.equal("make_rpc: expected a wampy.messages.Call, got a string", failure("f").message)
  end)

  it("ends after call_timeout", function()
    local ended = wampy.event()
    p.server:register("f", function()
      local mark <close> = setmetatable({}, { __close = function() ended:set() end })
      wampy.sleep(pair.PATIENCE)
      return mark
    end)
    local client = pair.client(p.router, { call_timeout = 0.01 }):start()
    local e = pair.failure(client.make_rpc, client, messages.Call { procedure = "f" })
    assert.is_true(e:is(errors.TimeoutError))
    -- Crossbar.io's own timer fails on a caller who has gone, and then keeps the registration: the
    -- call is over there, too, before he goes.
    assert.is_true(ended:wait(pair.PATIENCE))
    p.server:publish("com.example.over", wampy.options { acknowledge = true })
    client:stop()
  end)
end)
