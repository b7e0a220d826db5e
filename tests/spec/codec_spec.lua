-- codec_spec: payload passthru mode. Codecs seal arguments, results, errors and events, and open
-- them.
local pair = dofile "tests/spec/pair.lua"
local reversed = dofile "tests/spec/reversed.lua"
local wampy = require "wampy"

local kwargs, options, binary = wampy.kwargs, wampy.options, wampy.binary
local PATIENCE = pair.PATIENCE

local SEALED = options { ppt_scheme = "x_rev", ppt_serializer = "cbor", ppt_keyid = "k1" }

for _, serializer in ipairs { "json", "msgpack", "cbor" } do
  describe("a codec, in a session that speaks " .. serializer, function()
    local fields = { serializers = { serializer } }
    local p = pair.each(before_each, after_each, { server = fields, client = fields })

    before_each(function()
      p.server:codec("x_rev", reversed "cbor")
      p.client:codec("x_rev", reversed "cbor")
    end)

    -- A client without any codec.
    local function stranger()
      return pair.client(p.router, { serializers = { serializer } }):start()
    end

    it("seals arguments and results of a call, with every kind of value", function()
      p.server:register("f", function(...) return ... end)
      local sent = { 1, -2.5, "täxt", true, binary "\0\255", wampy.array {}, { a = { b = "c" } } }
      sent[8] = kwargs { k = "v", list = wampy.array { 1, 2 } }
      sent[9] = SEALED
      local got = table.pack(p.client:call("f", table.unpack(sent, 1, 9)))
      assert.equal(8, got.n)
      sent[9] = nil
      assert.same(sent, { table.unpack(got, 1, 8) })
    end)

    it("seals a call and a result of nothing, and nils within", function()
      p.server:register("f", function(...) return select("#", ...) end)
      p.server:register("none", function() end)
      assert.equal(0, p.client:call("f", SEALED))
      assert.equal(3, p.client:call("f", nil, nil, 3, SEALED))
      assert.equal(0, select("#", p.client:call("none", SEALED)))
    end)

    it("takes text that JSON alone cannot say", function()
      p.server:register("f", function(text) return text end)
      assert.equal("\0text", p.client:call("f", "\0text", SEALED))
    end)

    it("lets the handler see the keys, and not the bytes", function()
      p.server:register("f", function(a, details)
        return a, details.ppt_scheme, details.ppt_serializer, details.ppt_keyid
      end)
      assert.same({ 7, "x_rev", "cbor", "k1" }, { p.client:call("f", 7, SEALED) })
    end)

    it("shows who has no codec the bytes as they are", function()
      local other = stranger()
      other:register("raw", function(payload, details) return #details.ppt_scheme, #payload end)
      assert.same({ 5, #wampy.pack("cbor", { "x" }, {}) }, { p.client:call("raw", "x", SEALED) })
      p.server:register("f", function(x) return x == "x" and "back" end)
      local payload = other:call("f", binary(wampy.pack("cbor", { "x" }):reverse()), SEALED)
      assert.same({ "back" }, (wampy.unpack("cbor", tostring(payload):reverse())))
      other:stop()
    end)

    it("takes bytes from who has no codec, sealed by hand, in both directions", function()
      local other = stranger()
      other:register("raw", function(payload)
        return payload, options { ppt_scheme = "x_rev", ppt_keyid = "mine" }
      end)
      assert.equal("there and back", p.client:call("raw", "there and back", SEALED))
      other:stop()
    end)

    it("seals events", function()
      local heard = wampy.queue()
      p.server:subscribe("com.news", function(text, kw, details)
        heard:put { text, kw, details.ppt_scheme }
      end)
      p.server:subscribe("com.news", function(text, kw) heard:put { text, kw, 2 } end)
      p.client:publish("com.news", "hello", kwargs { kw = 1 }, SEALED)
      p.client:publish { topic = "com.news", message = "again",
        options = { ppt_scheme = "x_rev", acknowledge = true } }
      assert.same({ "hello", 1, "x_rev" }, heard:get(PATIENCE))
      assert.same({ "hello", 1, 2 }, heard:get(PATIENCE))
      assert.same({ "again", [3] = "x_rev" }, heard:get(PATIENCE))
    end)

    it("seals the parts of a result, and of arguments", function()
      p.server:register("sum", function(first, details)
        local sum = first
        for _, n in details:chunks() do
          sum = sum + n
          details:progress(sum, kwargs { so = "far" })
        end
        return sum
      end)
      local seen = {}
      local up = p.client:open("sum", 1, options { ppt_scheme = "x_rev",
        on_progress = function(n) seen[#seen + 1] = n end })
      up:send(2)
      up:send(3)
      assert.equal(10, up:finish(4))
      assert.same({ 3, 6, 10 }, seen)
    end)

    it("seals a stream", function()
      p.server:register("count", function(n, details)
        for i = 1, n do details:progress(i, "of", n) end
        return "done"
      end)
      local seen = {}
      local stream = p.client:stream("count", 3, SEALED)
      for i, n, of, limit in stream do seen[i] = ("%d %s %d"):format(n, of, limit) end
      assert.same({ "1 of 3", "2 of 3", "3 of 3" }, seen)
      assert.equal("done", stream:result())
    end)

    it("seals errors", function()
      local spy = {}
      p.client:codec("x_rev", {
        encode = reversed("cbor").encode,
        decode = function(bytes, details, about)
          spy[#spy + 1] = about.kind .. " " .. about.uri .. " " .. details.ppt_scheme
          return reversed("cbor").decode(bytes)
        end,
      })
      p.server:register("f", function(code)
        error(wampy.error("com.error.own", code, kwargs { why = "because" }))
      end)
      local e = pair.failure(p.client.call, p.client, "f", 42, SEALED)
      assert.equal("com.error.own", e.uri)
      assert.same({ 42 }, e.args)
      assert.same({ why = "because" }, e.kwargs)
      assert.same({ "error f x_rev" }, spy)
      e = pair.failure(p.client.call, p.client, "f", 1, 2, SEALED)
      assert.matches("takes 1 positional argument, got 2", e.message)
    end)

    it("passes what is not sealed as before", function()
      p.server:register("f", function(a, details) return a, details.ppt_scheme end)
      assert.same({ 1 }, { p.client:call("f", 1) })
      local e = pair.failure(p.client.call, p.client, "nobody.here", SEALED)
      assert.equal("wamp.error.no_such_procedure", e.uri)
    end)
  end)
end

describe("a codec", function()
  local p = pair.each(before_each, after_each)

  local function both(codec, scheme)
    p.server:codec(scheme or "x_c", codec)
    p.client:codec(scheme or "x_c", codec)
  end

  local USED = options { ppt_scheme = "x_c" }

  it("hears of what it seals: the keys, the kind and the URI, the same at both ends", function()
    local log = {}
    local function note(way, keys, about)
      log[#log + 1] = ("%s %s %s %s"):format(way, about.kind, about.uri, keys.ppt_keyid)
    end
    both {
      encode = function(args, kw, keys, about)
        note("seal", keys, about)
        return wampy.pack("json", args, kw), { ppt_keyid = keys.ppt_keyid or "drawn" }
      end,
      decode = function(bytes, details, about)
        note("open", details, about)
        return wampy.unpack("json", bytes)
      end,
    }
    local heard = wampy.event()
    p.server:register("com.f", function() return 1 end)
    p.server:register("com.f.any", function() end, { match = "prefix" })
    p.server:subscribe("com..news", function() heard:set() end, { match = "wildcard" })
    p.client:call("com.f", USED)
    p.client:call("com.f.any.thing", options { ppt_scheme = "x_c", ppt_keyid = "k" })
    p.client:publish("com.big.news", USED)
    assert.is_true(heard:wait(PATIENCE))
    assert.same({
      "seal call com.f nil", "open call com.f drawn", "seal result com.f drawn",
      "open result com.f drawn",
      "seal call com.f.any.thing k", "open call com.f.any.thing k",
      "seal result com.f.any.thing k", "open result com.f.any.thing k",
      "seal event com.big.news nil", "open event com.big.news drawn",
    }, log)
  end)

  it("may be a field of a client, or the default of its class", function()
    local App = wampy.Client:extend("App")
    App.defaults = { codecs = { x_c = reversed "json" } }
    App.echo = wampy.callee "com.echo" (function(_, x) return x end)
    local app = App { router = p.router }:start()
    local client = pair.client(p.router, { codecs = { x_c = reversed "json" } }):start()
    assert.equal("x", client:call("com.echo", "x", USED))
    client:stop()
    app:stop()
  end)

  it("stays for a later session, until it is taken away", function()
    p.client:codec("x_c", reversed "json")
    p.server:codec("x_c", reversed "json")
    p.client:stop()
    p.client:start()
    p.server:register("f", function(x) return type(x) end)
    assert.equal("number", p.client:call("f", 1, USED))
    p.server:codec("x_c", nil)
    assert.equal("table", p.client:call("f", 1, USED)) -- a wampy.binary
    p.client:codec("x_c", nil)
    assert.equal("number", p.client:call("f", 1, USED))
  end)

  it("seals answers by the registration's own options, or the handler's, or not at all", function()
    both(reversed "json", "x_a")
    both(reversed "cbor", "x_b")
    local seen = {}
    local inner = reversed "cbor"
    p.client:codec("x_b", { encode = inner.encode, decode = function(bytes, details)
      seen[#seen + 1] = details.ppt_keyid .. tostring(details.ppt_serializer)
      return inner.decode(bytes)
    end })
    p.server:register("fixed", function() return 1 end, { ppt_scheme = "x_b", ppt_keyid = "r" })
    p.server:register("own", function()
      return 2, options { ppt_scheme = "x_b", ppt_keyid = "h" }
    end)
    p.server:register("open", function()
      return 3, kwargs { k = 1 }, options { ppt_scheme = false }
    end)
    local A = options { ppt_scheme = "x_a", ppt_serializer = "json" }
    assert.equal(1, p.client:call("fixed", A))
    assert.equal(1, p.client:call("fixed"))
    assert.equal(2, p.client:call("own", A))
    assert.same({ 3, { k = 1 } }, { p.client:call("open", A) })
    assert.same({ "rnil", "rnil", "hnil" }, seen)
  end)

  it("of the format native keeps arguments as values", function()
    both {
      encode = function(args, kw, keys) return wampy.pack(keys.ppt_serializer, args, kw) end,
      decode = function(form, keys) return wampy.unpack(keys.ppt_serializer, form) end,
    }
    p.server:register("f", function(...) return ... end)
    assert.same({ 1, { 2 }, { k = "v" } },
      { p.client:call("f", 1, { 2 }, kwargs { k = "v" }, USED) })
  end)

  it("must be whole", function()
    local function complaint(...) return pair.complaint(p.client.codec, p.client, ...) end
    assert.matches('scheme "wamp", "mqtt" or "x_...", got "y_own"', complaint("y_own", {}))
    assert.matches("got nil", complaint())
    assert.matches("codec x_c: needs a field decode", complaint("x_c", { encode = print }))
    assert.matches("codec x_c: field encode: expected a function, got 1",
      complaint("x_c", { encode = 1 }))
    assert.matches('codec x_c: unknown field "seal"', complaint("x_c", { seal = print }))
    assert.matches("codec x_c: expected a table", complaint("x_c", 7))
    assert.matches("field codecs: expected a table",
      pair.complaint(wampy.Client, { codecs = "x_c" }))
    assert.matches('callee: option ppt_scheme must be a string, got boolean',
      pair.complaint(wampy.callee, { "f", ppt_scheme = true }))
  end)

  it("sends nothing where the router did not announce the mode, and says so", function()
    local Deaf = wampy.MessageHandler:extend("Deaf")
    function Deaf:handle_welcome(message)
      for _, role in pairs(message.details.roles) do role.features.payload_passthru_mode = nil end
      Deaf.super.handle_welcome(self, message)
    end
    local sent = {}
    function Deaf:send_message(message)
      sent[#sent + 1] = message.name
      Deaf.super.send_message(self, message)
    end
    local client = pair.client(p.router, { message_handler = Deaf(),
      codecs = { x_c = reversed "json" } }):start()
    for _, verb in ipairs { "call", "publish" } do
      assert.equal("the router did not announce payload_passthru_mode (needed by ppt_scheme)",
        pair.complaint(client[verb], client, "f", 1, USED))
    end
    client:register("g", function() return 1 end, { ppt_scheme = "x_c" })
    local lines = pair.logged(function()
      local e = pair.failure(p.client.call, p.client, "g")
      assert.equal("wamp.error.runtime_error", e.uri)
      assert.same({}, e.args)
    end)
    assert.matches("did not announce payload_passthru_mode", lines[1])
    assert.same({ "hello", "register", "error" }, sent)
    client:stop()
  end)
end)

describe("a strict codec", function()
  local p = pair.each(before_each, after_each)
  local USED = options { ppt_scheme = "x_c" }
  local strict = reversed "json"
  strict.strict = true

  before_each(function()
    p.server:codec("x_c", strict)
    p.client:codec("x_c", strict)
    p.client:codec("x_weak", reversed "json")
    p.server:codec("x_weak", reversed "json")
  end)

  it("takes no result in the clear, or by another codec, for a sealed call", function()
    p.server:register("clear", function() return 1, options { ppt_scheme = false } end)
    p.server:register("weak", function() return 1, options { ppt_scheme = "x_weak" } end)
    for _, name in ipairs { "clear", "weak" } do
      local e = pair.failure(p.client.call, p.client, name, USED)
      assert.is_true(e:is(wampy.errors.PayloadError))
      assert.matches("the result is not sealed by x_c", e.message)
    end
    assert.equal(1, p.client:call("clear"))
  end)

  it("takes errors in the clear: the router's own are so", function()
    local e = pair.failure(p.client.call, p.client, "nobody.here", USED)
    assert.equal("wamp.error.no_such_procedure", e.uri)
  end)

  it("takes no call in the clear, or by another codec, where a registration has it", function()
    p.server:register("f", function() return 1 end, { ppt_scheme = "x_c" })
    pair.logged(function()
      for _, o in ipairs { options {}, options { ppt_scheme = "x_weak" } } do
        assert.equal("wampy.error.payload", pair.failure(p.client.call, p.client, "f", o).uri)
      end
    end)
    assert.equal(1, p.client:call("f", USED))
  end)

  it("takes no event in the clear where a subscription has it", function()
    local heard = wampy.queue()
    p.server:subscribe("com.news", function(x) heard:put(x) end, { ppt_scheme = "x_c" })
    local lines = pair.logged(function()
      p.client:publish("com.news", "clear")
      p.client:publish("com.news", "sealed", USED)
      assert.equal("sealed", heard:get(PATIENCE))
    end)
    assert.matches("com.news: the event is not sealed by x_c", lines[1])
  end)
end)

describe("wampy.pack and unpack", function()
  for _, format in ipairs { "json", "msgpack", "cbor", "native" } do
    it("are each other's inverse in " .. format, function()
      local args, kw = wampy.unpack(format, wampy.pack(format, { 1, "two", { 3.5 } }, { k = {} }))
      assert.same({ 1, "two", { 3.5 } }, args)
      assert.same({ k = {} }, kw)
      args, kw = wampy.unpack(format, wampy.pack(format))
      assert.same({}, args)
      assert.same({}, kw)
    end)
  end

  it("are the form that other libraries have", function()
    assert.equal('{"args":[1]}', wampy.pack("json", { 1 }))
    assert.equal('{"args":[]}', wampy.pack("json", {}))
    local args, kw = wampy.unpack("json", binary '{"kwargs":{"k":1},"args":null,"more":0}')
    assert.same({}, args)
    assert.same({ k = 1 }, kw)
  end)

  it("refuse what is cut short, at each length", function()
    for _, format in ipairs { "json", "msgpack", "cbor" } do
      local bytes = wampy.pack(format, { 1, "two", { 3.5, binary "\0" } }, { k = { a = "b" } })
      for n = 0, #bytes - 1 do
        local e = pair.failure(wampy.unpack, format, bytes:sub(1, n))
        assert.is_true(e:is(wampy.errors.PayloadError))
      end
    end
  end)

  it("refuse what is not of that form", function()
    for bytes, what in pairs { ["{"] = "not json: ", ["7"] = "expected { args = list",
      ['{"args":7}'] = "expected", ['{"args":{"k":1}}'] = "expected",
      ['{"kwargs":""}'] = "expected" } do
      local e = pair.failure(wampy.unpack, "json", bytes)
      assert.is_true(e:is(wampy.errors.PayloadError), bytes)
      assert.matches(what, e.message, 1, true)
    end
    assert.is_true(pair.failure(wampy.unpack, "native", 7):is(wampy.errors.PayloadError))
    assert.matches("expected json, msgpack or cbor", pair.complaint(wampy.pack, "xml", {}))
  end)
end)
