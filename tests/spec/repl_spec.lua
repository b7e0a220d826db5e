-- The prompt without a terminal: what a line is, how values are shown, which names there are.
local evaluator = require "wampy.evaluator"
local pretty = require "wampy.pretty"
local members = require "wampy.members"
local wampy = require "wampy"

describe("the printer", function()
  local cases = {
    { "text is quoted, and stays readable", "grüß \"dich\"\n", [["grüß \"dich\"\n"]] },
    { "escapes cannot speak to the terminal", "\27[31m\u{9b}x\127", [["\x1B[31m\u{9B}x\x7F"]] },
    { "bytes that are no UTF-8 are escapes", "\xff\xfea\"", [["\xFF\xFEa\""]] },
    { "an integer", 42, "42" },
    { "a float that is whole stays a float", 1.0, "1.0" },
    { "a float has the digits that it needs", 0.1 + 0.2, "0.30000000000000004" },
    { "no number", 0 / 0, tostring(0 / 0) },
    { "nil", nil, "nil" },
    { "true", true, "true" },
    { "null", wampy.null, "null" },
    { "bytes", wampy.binary("\0\1é"), [[binary "\x00\x01é"]] },
    { "keyword arguments", wampy.kwargs { b = 2, a = 1 }, "kwargs { a = 1, b = 2 }" },
    { "options", wampy.options { timeout = 1 }, "options { timeout = 1 }" },
    { "a list that came in", wampy.array { 1, "x" }, "array { 1, \"x\" }" },
    { "an empty list", wampy.array {}, "array {}" },
    { "an empty dict", {}, "{}" },
    { "a dict by its keys, of which some need brackets", { a = 1, ["b-c"] = 2, ["end"] = 3 },
      [[{ a = 1, ["b-c"] = 2, ["end"] = 3 }]] },
    { "lists and keys", { 1, 2, [10] = 3, x = {} }, "{ 1, 2, [10] = 3, x = {} }" },
  }
  for _, case in ipairs(cases) do
    it("shows " .. case[1], function() assert.equal(case[3], pretty.text(case[2])) end)
  end

  it("takes lines apart that are too long", function()
    local text = pretty.text({ first = ("x"):rep(30), second = { 1, 2, 3 } }, { width = 40 })
    assert.equal('{\n  first = "' .. ("x"):rep(30) .. '",\n  second = { 1, 2, 3 }\n}', text)
  end)

  it("cuts what is too much, and says of how much", function()
    local limits = { bytes = 3, entries = 2 }
    assert.equal('"aé"... (6 bytes)', pretty.text("aébcd", limits))
    assert.equal("{ 1, 2, ... 2 more }", pretty.text({ 1, 2, 3, 4 }, limits))
  end)

  it("survives what contains itself, and what is too deep", function()
    local t = {}
    t.t = t
    assert.equal("{ t = <the same again> }", pretty.text(t))
    local deep = {}
    for _ = 1, 100 do deep = { deep } end
    assert.matches("{...}", pretty.text(deep), 1, true)
  end)

  it("shows the same table twice where it is not within itself", function()
    local t = { 1 }
    assert.equal("{ { 1 }, { 1 } }", pretty.text { t, t })
  end)

  it("shows objects by what they say of themselves", function()
    local object = setmetatable({}, { __tostring = function() return "one\27 thing" end })
    assert.equal("<one? thing>", pretty.text(object))
    local broken = setmetatable({}, { __tostring = error })
    assert.equal("<its __tostring failed>", pretty.text(broken))
    local made = setmetatable({ 1, id = 1, _secret = 2, parts = {} }, { __name = "com.Thing" })
    assert.equal("com.Thing { id = 1 }", pretty.text(made))
  end)

  it("calls nothing of a table", function()
    local t = setmetatable({}, { __index = error, __pairs = error, __len = error })
    assert.equal("{}", pretty.text(t))
  end)

  it("shows functions by their place", function()
    assert.matches("^<function .*repl_spec.lua:%d+>$", pretty.text(function() end))
    assert.equal("<function in C>", pretty.text(print))
  end)

  it("shows several values one below the other, and none not at all", function()
    assert.equal("1\nnil", pretty.all(table.pack(1, nil)))
    assert.is_nil(pretty.all(table.pack()))
  end)
end)

describe("a line", function()
  local env, e
  before_each(function()
    env = setmetatable({ client = { call = print, publish = print } }, { __index = _G })
    e = evaluator.new(env)
  end)

  it("is an expression, which gives its values", function()
    assert.same({ 1, 2 }, { e:take("1, 2")() })
    assert.same({ "x" }, { e:take("= 'x'")() })
    assert.same({ 3 }, { e:take(" =3")() })
  end)

  it("is a statement, which sets globals", function()
    assert.same({}, { e:take("x = 5")() })
    assert.equal(5, e:take("x")())
  end)

  it("is empty, and nothing happens", function() assert.same({}, { e:take("")() }) end)

  it("is continued where it is not complete", function()
    assert.is_nil(e:take("for i = 1, 3 do"))
    assert.is_true(e:is_open())
    assert.is_nil(e:take("  x = i"))
    e:take("end")()
    assert.equal(3, env.x)
    assert.is_false(e:is_open())
  end)

  it("is continued within an expression and a string", function()
    assert.is_nil(e:take("{"))
    assert.same({ 1 }, e:take("1 }")())
    assert.is_nil(e:take("[["))
    assert.equal("= 1", e:take("= 1]]")())
  end)

  it("that is wrong is forgotten, and says where", function()
    local fn, fault = e:take("x = = 1")
    assert.is_nil(fn)
    assert.equal("unexpected symbol near '='", e:place(fault))
    assert.equal("unexpected symbol near '*'", e:place(select(2, e:take("1 +* 2"))))
    assert.equal(1, e:take("1")())
  end)

  it("that is wrong later on says the line of the chunk", function()
    e:take("if x then")
    assert.equal("line 2: unexpected symbol near ')'", e:place(select(2, e:take(")"))))
  end)

  it("of a file says its line of the file", function()
    e.numbered = true
    e:take("x = 1")
    e:take("do")
    local fn = e:take("error 'no' end")
    assert.equal("stdin:3: no", e:place(select(2, pcall(fn))))
    e:take("do")
    assert.equal("stdin:4: 'end' expected near <eof>", e:place(e:finish()))
    assert.is_nil(e:finish())
  end)

  it("with code for the virtual machine is refused", function()
    local fn, e_of_lua = e:take(string.dump(function() end))
    assert.is_nil(fn)
    assert.matches("^attempt to load a binary chunk", e_of_lua)
  end)
end)

describe("names that can be typed", function()
  local class = { __name = "Class", start = print, _private = print }
  class.__index = function(self, key) return class[key] end
  local env = { t = { name = 1, ["no-name"] = 2, narrow = { deep = true } },
    object = setmetatable({ url = "x" }, class) }

  it("are those of a path", function()
    assert.same({ "name", "narrow" }, members.names(members.resolve(env, "t"), "na"))
    assert.same({ "deep" }, members.names(members.resolve(env, "t.narrow"), ""))
    assert.is_nil(members.resolve(env, "t.nothing.more"))
  end)

  it("are those of an object and its class, private ones when asked for", function()
    assert.same({ "start", "url" }, members.names(env.object, ""))
    assert.same({ "__index", "__name", "_private" }, members.names(env.object, "_"))
  end)

  it("are those of a string", function()
    assert.same({ "rep", "reverse" }, members.names("x", "re"))
  end)
end)

describe("Tab", function()
  local repl_complete = require "wampy.repl_complete"
  local known = { procedures = { "com.a.read", "com.a.write" }, topics = { "com.t" } }
  local real = repl_complete.uris
  local repl = { env = { client = { call = 1 }, count = 1 },
    commands = function() return { "help", "ls" } end }

  before_each(function() repl_complete.uris = function(_, kind) return known[kind] end end)
  after_each(function() repl_complete.uris = real end)

  local function offers(before, word, words)
    local got, list = repl_complete.of(before, repl)
    assert.same({ word, words }, { got, list })
  end

  it("offers names and members", function()
    offers("1 + cou", "cou", { "count" })
    offers("client:ca", "ca", { "call" })
    offers("nothing.at", "at", {})
    offers("1 + ", "", {})
  end)

  it("offers commands at the start of a line alone", function()
    offers(".", "", { "help", "ls" })
    offers("  .he", "he", { "help" })
  end)

  it("offers procedures within quotes, and topics where one is wanted", function()
    offers("call('com.a.", "com.a.", known.procedures)
    offers("client:call( \"com.a.w", "com.a.w", { "com.a.write" })
    offers("pub 'com", "com", known.topics)
    offers("client:publish { topic = \"", "", known.topics)
    offers("x = 'done' .. sub('c", "c", known.topics)
    offers("call('it\\'s com", "it\\'s com", {})
  end)

  it("offers URIs behind the proxies", function()
    offers("client.call.com.a.r", "com.a.r", { "com.a.read" })
    offers("client.publish.c", "c", known.topics)
  end)

  it("knows what all words begin with", function()
    assert.equal("com.a.", repl_complete.common(known.procedures))
    assert.equal("", repl_complete.common {})
  end)
end)
