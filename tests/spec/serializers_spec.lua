-- serializers_spec: MsgPack and CBOR beside JSON: values, messages, and who speaks what.
local wampy = require "wampy"
local core = require "wampy.core"
local pair = dofile "tests/spec/pair.lua"

for _, formats in ipairs {
  { "msgpack", "msgpack" }, { "cbor", "cbor" }, { "json", "msgpack" }, { "msgpack", "cbor" },
  { "cbor", "json" },
} do
  loadfile("tests/spec/value_cases.lua", "t", _ENV)(table.unpack(formats))
end

describe("serializers:", function()
  local router, clients

  before_each(function()
    router, clients = pair.router(), {}
  end)

  after_each(function()
    for _, client in ipairs(clients) do client:stop() end
    router:stop()
  end)

  local function join(...)
    local client = pair.client(router, { serializers = { ... } }):start()
    clients[#clients + 1] = client
    return client
  end

  it("there are three", function()
    assert.same({ "json", "msgpack", "cbor" }, core.serializers)
  end)

  it("an event is the same for subscribers of all formats, whoever publishes", function()
    local heard, everybody = {}, { join "json", join "msgpack", join "cbor" }
    for i, client in ipairs(everybody) do
      heard[i] = wampy.queue()
      for _, topic in ipairs { "com.news", "com." } do
        client:subscribe(topic, function(kwargs, ...)
          heard[i]:put { args = { ... }, kwargs = wampy.dict(kwargs) }
        end, wampy.options { match = topic == "com." and "prefix" or "exact" })
      end
    end
    for _, publisher in ipairs(everybody) do
      publisher:publish("com.news", 1, 2.5, "ü", { a = wampy.array {}, b = {} },
        wampy.binary "\xff\0", wampy.kwargs { k = 1 << 53 },
        wampy.options { exclude_me = false, acknowledge = true })
      for i = 1, #everybody do
        for _ = 1, 2 do
          local event = heard[i]:get(pair.PATIENCE)
          local number, float, text, both, bytes = table.unpack(event.args)
          assert.same({ 1, 2.5, "ü", "\xff\0", { k = 1 << 53 } },
            { number, float, text, tostring(bytes), event.kwargs })
          assert.equal("float", math.type(float))
          assert.equal(wampy.array_mt, getmetatable(both.a))
          assert.is_nil(getmetatable(both.b))
        end
      end
    end
  end)

  it("an error crosses with its arguments", function()
    for _, formats in ipairs { { "json", "cbor" }, { "cbor", "msgpack" }, { "msgpack", "json" } } do
      local uri = "com." .. formats[1]
      join(formats[1]):register(uri, function()
        error(wampy.error("com.refused", "why", { 1, 2 }, wampy.kwargs { code = 7 }))
      end)
      local e = pair.failure(join(formats[2]).call, clients[#clients], uri)
      assert.same({ "com.refused", "why", { 1, 2 }, { code = 7 } },
        { e.uri, e.args[1], { table.unpack(e.args[2]) }, wampy.dict(e.kwargs) })
    end
  end)

  it("parts of a result cross, and an interrupt", function()
    join("cbor"):register("com.count", function(n, details)
      for i = 1, n do details:progress(i, { i = i }) end
      return "done"
    end)
    local parts = {}
    local result = join("msgpack"):call("com.count", 3, wampy.options {
      on_progress = function(i, t) parts[#parts + 1] = i + t.i end })
    assert.same({ "done", { 2, 4, 6 } }, { result, parts })
  end)

  it("meta procedures and meta events speak every format", function()
    for _, format in ipairs(core.serializers) do
      local client, joined = join(format), wampy.queue()
      client:subscribe("wamp.session.on_join", function(who) joined:put(who) end)
      local other = join "json"
      assert.equal(other.session.id, joined:get(pair.PATIENCE).session)
      assert.equal(#clients, client:call("wamp.session.count"))
      assert.equal(#clients, #client:call("wamp.session.list"))
      assert.equal(client.session.id, client:call("wamp.session.get", client.session.id).session)
      assert.matches("invalid_argument", pair.failure(client.call, client, "wamp.session.get").uri)
    end
  end)

  it("events that are kept cross: retained ones, and testaments", function()
    local acknowledge = { acknowledge = true, retain = true }
    for i, format in ipairs(core.serializers) do
      local topic, author = "com.state." .. format, join(format)
      author:publish(topic, wampy.binary "\xff", wampy.kwargs { n = 1.5 },
        wampy.options(acknowledge))
      author:call("wamp.session.add_testament", "com.gone", wampy.array { i }, { last = true })
      for _, other in ipairs(core.serializers) do
        local reader, heard = join(other), wampy.queue()
        reader:subscribe(topic, function(kwargs, bytes, details)
          heard:put { tostring(bytes), kwargs.n, details.retained }
        end, { get_retained = true })
        assert.same({ "\xff", 1.5, true }, heard:get(pair.PATIENCE))
        reader:subscribe("com.gone", function(kwargs, number)
          heard:put { number, kwargs.last }
        end)
        author:call("wamp.session.count")
        if other == "cbor" then
          author:stop()
          assert.same({ i, true }, heard:get(pair.PATIENCE))
        end
      end
    end
  end)

  it("messages made by hand are in the format that is spoken", function()
    for _, format in ipairs(core.serializers) do
      local client = join(format)
      local call = wampy.messages.Call { procedure = "wamp.session.count" }
      client:send_message(call)
      local answer = client:recv_message(pair.PATIENCE)
      assert.equal(1, #answer.args)
    end
  end)

  it("a message handler sees messages of every format as the same objects", function()
    for _, format in ipairs(core.serializers) do
      local seen = {}
      local Handler = wampy.MessageHandler:extend "Handler"
      function Handler:handle_message(m)
        seen[#seen + 1] = m.WAMP_NAME or m.__name or tostring(m.WAMP_CODE)
        return Handler.super.handle_message(self, m)
      end
      local client = pair.client(router, { serializers = { format }, message_handler = Handler() })
      clients[#clients + 1] = client:start()
      assert.is_true(client:call("wamp.session.count") >= 1)
      assert.is_true(#seen >= 2)
    end
  end)

  -- 13 MiB of bytes are a message in MsgPack, and 17 MiB of base64 in JSON.
  describe("what is too long in the other format", function()
    local LARGE = wampy.binary(("x"):rep(13 << 20))
    local EXCEEDED = "wamp.error.payload_size_exceeded"

    it("is an error for the caller whose arguments it is, and no more", function()
      join("json"):register("com.length", function(b) return #b end)
      join("cbor"):register("com.same", function(b) return #b end)
      local caller = join "msgpack"
      assert.equal(EXCEEDED, pair.failure(caller.call, caller, "com.length", LARGE).uri)
      assert.equal(3, caller:call("com.length", wampy.binary "abc"))
      assert.equal(13 << 20, caller:call("com.same", LARGE))
    end)

    it("is an error for the caller whose result it is, and no more", function()
      join("msgpack"):register("com.large", function(really) return really and LARGE or 1 end)
      local caller = join "json"
      assert.equal(EXCEEDED, pair.failure(caller.call, caller, "com.large", true).uri)
      assert.equal(1, caller:call("com.large", false))
      assert.equal(13 << 20, #join("cbor"):call("com.large", true))
    end)

    it("is an event that those do not get whose format it is", function()
      local heard, formats = {}, { "json", "msgpack", "cbor" }
      for _, format in ipairs(formats) do
        heard[format] = wampy.queue()
        join(format):subscribe("com.news", function(b) heard[format]:put(#b) end)
      end
      local publisher = join "cbor"
      publisher:publish("com.news", LARGE)
      publisher:publish("com.news", "next")
      for _, format in ipairs { "msgpack", "cbor" } do
        assert.equal(13 << 20, heard[format]:get(pair.PATIENCE))
        assert.equal(4, heard[format]:get(pair.PATIENCE))
      end
      assert.equal(4, heard.json:get(pair.PATIENCE))
    end)
  end)

  it("a value is encoded and decoded by name, or refused at its place", function()
    for _, format in ipairs(core.serializers) do
      assert.same({ a = 1 }, core.decode(format, core.encode(format, { a = 1 })))
      assert.matches("value.f: a function cannot be sent",
        pair.complaint(core.encode, format, { f = print }))
    end
    assert.same({ nil, "a key must be a string at byte 2" },
      { core.decode("msgpack", "\x81\1\1") })
    assert.same({ nil, "unexpected end at byte 1" }, { core.decode("cbor", "") })
    assert.matches("expected json, msgpack or cbor", pair.complaint(core.decode, "xml", ""))
  end)

  describe("a client", function()
    it("that names none speaks JSON", function()
      assert.same({ "json" }, pair.client(router).config.serializers)
    end)

    it("is refused formats that there are none of", function()
      local function refusal(list)
        return pair.complaint(wampy.Client, { router = router, serializers = list })
      end
      assert.equal('Client: field serializers: "xml" is not available (json, msgpack, cbor are; '
        .. "also as json.batched)", refusal { "json", "xml" })
      assert.matches('"xml.batched" is not available', refusal { "xml.batched" })
      assert.equal('Client: field serializers: "cbor" is named twice', refusal { "cbor", "cbor" })
      assert.matches("expected a list of names", refusal {})
      assert.matches("expected a list of names", refusal "json")
    end)
  end)

  for _, scheme in ipairs { "ws", "rs" } do
    it("the first of a list is spoken over " .. scheme .. "://", function()
      local listening = wampy.routers.Embedded { listen = scheme .. "://127.0.0.1:0" }:start()
      for _, list in ipairs {
        { "json" }, { "msgpack" }, { "cbor" }, { "cbor", "msgpack", "json" }, { "msgpack", "json" },
        { "json.batched" }, { "msgpack.batched" }, { "cbor.batched", "json" },
      } do
        local client = wampy.Client { url = listening.url, serializers = list }:start()
        client:register("com.echo", function(...) return ... end)
        assert.equal(wampy.binary "\xff", client:call("com.echo", wampy.binary "\xff"))
        client:stop()
      end
      listening:stop()
    end)
  end

  for _, format in ipairs(core.serializers) do
    it("many messages at once go as one batch of " .. format .. ", and arrive in order", function()
      local listening <close> = wampy.routers.Embedded { listen = "ws://127.0.0.1:0" }:start()
      local client <close> = wampy.Client { url = listening.url,
        serializers = { format .. ".batched" } }:start()
      local heard, long = wampy.queue(), ("ä"):rep(200000)
      client:register("com.echo", function(...) return ... end)
      client:subscribe("com.topic", function(i) heard:put(i) end)
      local calls = {}
      for i = 1, 100 do
        client:publish("com.topic", i, wampy.options { exclude_me = false })
        calls[i] = client:call_async("com.echo", i, i % 10 == 0 and long or "")
      end
      for i = 1, 100 do
        assert.same({ i, i % 10 == 0 and long or "" }, { calls[i]:wait() })
        assert.equal(i, heard:get(pair.PATIENCE))
      end
    end)
  end

  it("a batched form is spoken in plain where there are no batches: in memory", function()
    local client = join "cbor.batched"
    client:register("com.echo", function(...) return ... end)
    assert.equal("back", join("json.batched", "json"):call("com.echo", "back"))
  end)
end)
