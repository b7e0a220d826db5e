-- value_cases.lua: what a value is on the far side of a call, and which values cannot be sent.
-- A spec runs it as a chunk: loadfile("tests/spec/value_cases.lua", "t", _ENV)(caller, callee), the
-- formats that the caller and the callee speak to the router.
local caller, callee = ...
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local kwargs = wampy.kwargs

describe(("values, %s to %s,"):format(caller, callee), function()
  local p = pair.each(before_each, after_each, { client = { serializers = { caller } },
    server = { serializers = { callee } } })
  local arrived -- what the callee got, and how often it was called

  before_each(function()
    arrived = { calls = 0 }
    p.server:register("echo", function(...)
      arrived = { calls = arrived.calls + 1, n = select("#", ...), ... }
      return ...
    end)
  end)

  local function echo(...)
    return p.client:call("echo", ...)
  end

  -- The value must be the same at the callee and back at the caller.
  local function both_ways(value, same)
    local back = echo(value)
    assert.is_true(same(value, arrived[1]), "at the callee: " .. tostring(arrived[1]))
    assert.is_true(same(value, back), "back at the caller: " .. tostring(back))
  end

  -- The message of the refusal of `...`; nothing may have been sent.
  local function refusal(...)
    local e = pair.failure(echo, ...)
    assert.is_true(wampy.is_error(e), tostring(e))
    assert.same({}, p.client.request_ids)
    assert.equal(0, arrived.calls)
    assert.equal("next", (echo("next")))
    assert.equal(1, arrived.calls)
    arrived.calls = 0
    return e.message
  end

  describe("numbers", function()
    local function same_number(a, b)
      return math.type(a) == math.type(b) and a == b
    end

    it("are integers of 64 bits, exactly", function()
      for _, i in ipairs {
        0, 1, -1, 2 ^ 31 | 0, -2 ^ 31 | 0, (1 << 53) - 1, 1 << 53, (1 << 53) + 1, -(1 << 53) - 1,
        math.maxinteger, math.maxinteger - 1, math.mininteger, math.mininteger + 1,
      } do
        both_ways(i, same_number)
      end
    end)

    it("are floats that read back the same, integral ones, too", function()
      for _, x in ipairs {
        1.0, -1.0, 0.0, 0.1, 1 / 3, -2.5, 1e15, 1e16, 1e17, 1e21, 1e22, 1e-7, 1e300, 5e-324,
        2.2250738585072014e-308, 1.7976931348623157e308, 2.0 ^ 53, 2.0 ^ 53 + 2, 2.0 ^ 63,
        -2.0 ^ 63, 9007199254740993.0, 123456789012345680.0, math.pi,
      } do
        both_ways(x, same_number)
      end
    end)

    it("keep the sign of zero", function()
      assert.equal(-math.huge, 1 / echo(-0.0))
      assert.equal(math.huge, 1 / echo(0.0))
    end)

    it("that are none cannot be sent", function()
      assert.matches("^args%[1%]: .*NaN", refusal(0 / 0))
      assert.matches("^args%[1%]: .*infinite", refusal(math.huge))
      assert.matches("^args%[1%]: .*infinite", refusal(-math.huge))
    end)
  end)

  describe("text", function()
    it("is UTF-8", function()
      for _, s in ipairs {
        "", " ", "plain", "\" \\ / \b \f \n \r \t", "\x01\x1f\x7f", "ä", "€", "𝄞", "\u{10FFFF}",
        "\u{FFFF}", "\u{2028}", "in the middle \0 of it", ("long "):rep(20000), "\\u0041", "null",
      } do
        both_ways(s, rawequal)
      end
    end)

    it("that is not UTF-8 cannot be sent", function()
      for _, s in ipairs {
        "\xff", "a\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80",
      } do
        assert.matches("^args%[1%]: invalid UTF%-8", refusal(s))
      end
    end)

    it("that begins with U+0000 is text where a format can say so", function()
      if caller == "json" then
        return assert.matches("^args%[1%]: .*wampy%.binary", refusal("\0abc"))
      elseif callee ~= "json" then
        return both_ways("\0abc", rawequal)
      end
      assert.equal(wampy.binary "\0abc", (echo("\0abc"))) -- bytes, rather than something else
      assert.equal(wampy.binary "\0abc", arrived[1])
    end)

    it("is a key, whatever is in it", function()
      local t = { [""] = 1, ["a.b"] = 2, ["\0"] = 3, ["ä"] = 4, ["1"] = 5 }
      assert.same(t, (echo(t)))
    end)
  end)

  describe("bytes", function()
    it("arrive as wampy.binary", function()
      local all = {}
      for i = 0, 255 do all[#all + 1] = string.char(i) end
      for _, s in ipairs { "", "\0", "\xff", "text", table.concat(all), ("\xfe"):rep(10000) } do
        local back = echo(wampy.binary(s))
        assert.equal(getmetatable(wampy.binary ""), getmetatable(back))
        assert.equal(s, tostring(back))
        assert.equal(s, tostring(arrived[1]))
        assert.equal(#s, #back)
        assert.is_true(back == wampy.binary(s))
      end
    end)

    it("may be nested", function()
      local back = echo { list = { wampy.binary "\xff\0" } }
      assert.equal("\xff\0", tostring(back.list[1]))
    end)

    it("are made from a string only", function()
      assert.matches("expected a string", pair.complaint(wampy.binary, 7))
    end)
  end)

  it("are booleans", function()
    both_ways(true, rawequal)
    both_ways(false, rawequal)
  end)

  describe("lists and dicts", function()
    local function is_list(t) return getmetatable(t) == wampy.array_mt end

    it("are told apart by their keys", function()
      local list, dict = echo({ 1, 2, 3 }, { a = 1, b = { c = 2 } })
      assert.same({ 1, 2, 3 }, { table.unpack(list) })
      assert.is_true(is_list(list))
      assert.is_true(is_list(arrived[1]))
      assert.same({ a = 1, b = { c = 2 } }, dict)
      assert.is_nil(getmetatable(dict))
    end)

    it("that are empty stay what they are", function()
      local list, dict, nested = echo(wampy.array {}, {}, { l = wampy.array(), d = {} })
      assert.is_true(is_list(list))
      assert.is_nil(next(list))
      assert.is_nil(getmetatable(dict))
      assert.is_nil(next(dict))
      assert.is_true(is_list(nested.l))
      assert.is_nil(getmetatable(nested.d))
    end)

    it("may be marked by setmetatable", function()
      assert.is_true(is_list(echo(setmetatable({}, wampy.array_mt))))
    end)

    it("lose the mark when they are copied", function()
      local copy = table.move(wampy.array {}, 1, 0, 1, {})
      assert.is_nil(getmetatable(echo(copy)))
    end)

    it("are not dicts when marked with other keys", function()
      assert.matches("^args%[1%]: marked as a list", refusal(wampy.array { a = 1 }))
      assert.matches("^args%[1%]: marked as a list", refusal(wampy.array { 1, nil, 3 }))
    end)

    it("know the marks of cjson where it has them", function()
      local ok, cjson = pcall(require, "cjson")
      if not ok then return pending("no cjson here") end
      assert.equal(wampy.null, cjson.null)
      assert.equal(wampy.null, echo({ x = cjson.null }).x)
      if cjson.empty_array then assert.is_true(is_list(echo(cjson.empty_array))) end
      if cjson.array_mt then assert.is_true(is_list(echo(setmetatable({}, cjson.array_mt)))) end
      if cjson.empty_array_mt then
        assert.is_true(is_list(echo(setmetatable({}, cjson.empty_array_mt))))
      end
    end)

    it("that are neither cannot be sent", function()
      for _, t in ipairs {
        { 1, 2, nil, 4 }, { [2] = "x" }, { 1, a = 2 }, { [1.5] = 1 }, { [true] = 1 },
        { [0] = 1, 2 }, { [-1] = 1 }, { [print] = 1 }, { [math.maxinteger] = 1 },
      } do
        assert.matches("^args%[1%]: a table must be a list .* or a dict", refusal(t))
      end
    end)

    it("have keys of UTF-8", function()
      assert.matches("the key is invalid UTF%-8", refusal { ["\xff"] = 1 })
    end)

    -- The message and its list of arguments are two levels of the 128 that a message may have.
    it("nest 126 deep in a message, and not deeper", function()
      for _, wrap in ipairs {
        function(t) return { t } end, function(t) return { k = t } end,
      } do
        local deep = wrap(1)
        for _ = 2, 126 do deep = wrap(deep) end
        local back, depth = echo(deep), 0
        while type(back) == "table" do
          back, depth = back[1] or back.k, depth + 1
        end
        assert.equal(126, depth)
        assert.equal(127, select(2, pcall(function()
          local kw, n = echo(kwargs { k = deep }), 0
          while type(kw) == "table" do
            kw, n = kw[1] or kw.k, n + 1
          end
          return n
        end)))
        arrived.calls = 0
        deep = wrap(deep)
        assert.matches("would nest deeper than 128", refusal(deep))
        assert.matches("would nest deeper than 128", refusal(kwargs { k = deep }))
        assert.matches("would nest deeper than 128", refusal(wrap(deep)))
      end
    end)

    it("that go round in a circle cannot be sent", function()
      local t = {}
      t.t = t
      assert.matches("cycle", refusal(t))
      local l = {}
      l[1] = l
      assert.matches("cycle", refusal(l))
    end)

    it("may hold one table twice", function()
      local t = { 1 }
      local back = echo { t, t }
      assert.same({ 1 }, { table.unpack(back[2]) })
      assert.are_not.equal(back[1], back[2])
    end)
  end)

  describe("null", function()
    it("is wampy.null inside of tables", function()
      local back = echo { l = { wampy.null, 2, wampy.null }, d = wampy.null }
      assert.equal(wampy.null, back.d)
      assert.equal(wampy.null, back.l[1])
      assert.equal(wampy.null, back.l[3])
      assert.equal(3, #back.l)
    end)

    it("is nil as an argument", function()
      local r = table.pack(echo(wampy.null, 2, nil, 4))
      assert.equal(4, arrived.n)
      assert.is_nil(arrived[1])
      assert.equal(4, r.n)
      assert.is_nil(r[1])
      assert.is_nil(r[3])
      assert.equal(4, r[4])
    end)

    it("at the end is left off when it is nil, and sent when it is wampy.null", function()
      echo(1, nil, nil)
      assert.equal(1, arrived.n)
      echo(nil)
      assert.equal(0, arrived.n)
      echo(1, wampy.null)
      assert.equal(2, arrived.n)
    end)

    it("is wampy.null among keyword arguments", function()
      local kw = echo(kwargs { x = wampy.null })
      assert.equal(wampy.null, kw.x)
    end)
  end)

  describe("that cannot be sent", function()
    it("are functions, threads and objects", function()
      assert.equal("args[1]: a function cannot be sent", refusal(print))
      assert.equal("args[1]: a thread cannot be sent", refusal(coroutine.create(print)))
      assert.matches("^args%[1%]: a .* cannot be sent", refusal(io.stderr))
    end)

    it("are named by their path", function()
      assert.equal("args[2].users[1].name: invalid UTF-8 (wampy.binary sends bytes)",
        refusal(1, { users = { { name = "\xff" } } }))
      assert.equal("args[1][2][3].x: a function cannot be sent",
        refusal { 1, { 1, 2, { x = print } } })
      assert.equal("kwargs.users[2]: a function cannot be sent",
        refusal(kwargs { users = { "a", print } }))
    end)

    it("are keywords that are no strings", function()
      assert.equal("kwargs: keys must be strings", refusal(kwargs { 1, 2 }))
      assert.equal("kwargs: keys must be strings", refusal(kwargs { [1.5] = 2 }))
    end)

    it("are not published either", function()
      local heard = wampy.queue()
      p.server:subscribe("topic", function(v) heard:put(v) end)
      assert.matches("^args%[1%]%.f: ", pair.complaint(p.client.publish, "topic", { f = print }))
      assert.matches("^kwargs%.message: ",
        pair.complaint(p.client.publish, { topic = "topic", message = print }))
      p.client:publish("topic", "good")
      assert.equal("good", heard:get(pair.PATIENCE))
      assert.equal(0, #heard)
    end)
  end)

  it("are read without their metamethods", function()
    local function never() error("a metamethod ran") end
    local mt = {
      __index = never, __len = never, __pairs = never, __eq = never, __tostring = never,
      __call = never, __newindex = never, __close = never, __name = "X", __metatable = "locked",
    }
    local back, list = echo(setmetatable({ a = 1 }, mt), setmetatable({ 1, 2 }, mt))
    assert.same({ a = 1 }, back)
    assert.same({ 1, 2 }, { table.unpack(list) })
  end)

  it("are copied by kwargs, options and dict, not shared", function()
    local t = { a = 1 }
    local k = kwargs(t)
    k.a = 2
    assert.equal(1, t.a)
    assert.is_nil(getmetatable(t))
    assert.is_nil(getmetatable(wampy.dict(k)))
    assert.equal(2, wampy.dict(k).a)
    for _, mark in ipairs { "kwargs", "options", "dict" } do
      assert.matches(mark .. ": expected a table", pair.complaint(wampy[mark], 1))
    end
  end)

  it("marked as kwargs in the middle are plain dicts", function()
    local a, b = echo(kwargs { x = 1 }, 2)
    assert.same({ x = 1 }, a)
    assert.equal(2, b)
  end)
end)
