-- from_wampy_spec: docs/FROM_WAMPY.md and tests/WAMPY_TESTS.md are true: every Lua block of the
-- first is run here, and every test that their tables name is there.
--
-- A block is run as it stands. Its clients are led to a router of this test by the fields that
-- `wampy-lua run` forces with its flags; what it prints is caught.
local wampy = require "wampy"
local fields = require "wampy.fields"
local pair = dofile "tests/spec/pair.lua"

local PAGE, LIST = "docs/FROM_WAMPY.md", "tests/WAMPY_TESTS.md"

local function read(path)
  local file <close> = io.open(path, "rb")
  return file and file:read("a")
end

-- Title -> list of Lua blocks.
local function blocks_of(text)
  local found, title = {}, nil
  for line, rest in text:gmatch("([^\n]*)\n()") do
    title = line:match("^### (.*)") or title
    if line == "```lua" then
      found[title] = found[title] or {}
      table.insert(found[title], text:match("^(.-\n)```\n", rest))
    end
  end
  return found
end

local blocks, ran = blocks_of(read(PAGE)), {}

describe("an example of docs/FROM_WAMPY.md:", function()
  local p = pair.each(before_each, after_each)
  local printed

  before_each(function()
    printed = {}
    fields.forced = { router = p.router, call_timeout = pair.PATIENCE }
    local function echo(...) return ... end
    p.server:register({ "wampy.example.echo", "example.app.com.endpoint" }, echo)
    p.server:register("foobar", function(...) local _ = ... return "foo bar" end)
    p.server:register("endpoint", function(two) return two end)
    p.server:register("some_unreliable_procedure", function()
      error(wampy.error("com.example.unreliable", "not today"))
    end)
  end)
  after_each(function() fields.forced = {} end)

  -- Runs the n-th block below a title; what it returns.
  local function run(title, n, ...)
    local source = assert(blocks[title] and blocks[title][n], "no such block")
    ran[title] = math.max(ran[title] or 0, n)
    local env = setmetatable({ print = function(...)
      local words = table.pack(...)
      for i = 1, words.n do words[i] = tostring(words[i]) end
      printed[#printed + 1] = table.concat(words, " ")
    end }, { __index = _G })
    return assert(load(source, "=" .. PAGE .. ": " .. title, "t", env))(...)
  end

  it("a wampy application", function()
    local app <close> = run("A wampy Application", 1) {}:start()
    local heard = wampy.queue()
    p.client:subscribe("wampy-weather", function(message) heard:put(message) end)
    p.server:register("another.example.app.endpoint", function(...) return "sunny in", ... end)
    assert.same({ "sunny in", "Rome" }, { p.client.rpc.get_weather("Rome") })
    p.client:publish { topic = "global-weather", message = "rain" }
    assert.equal("rain", heard:get(pair.PATIENCE))
    app:stop()
  end)

  it("a wampy client, in three ways", function()
    for n = 1, 3 do run("A wampy Client", n) end
  end)

  it("sending a message, and not having to", function()
    run("Sending a Message", 1)
    assert.same({ "result foo bar", "foo bar" }, printed)
    run("Sending a Message", 2)
  end)

  it("publishing to a topic", function()
    local heard = wampy.queue()
    p.server:subscribe("foo", function(message) heard:put(message) end)
    run("Publishing to a Topic", 1)
    assert.same({ foo = "bar" }, heard:get(pair.PATIENCE))
  end)

  it("subscribing to a topic", function()
    local app <close> = run("Subscribing to a Topic", 1) {}:start()
    p.client:publish("topic-name", "news", wampy.options { acknowledge = true })
    app:call("wampy.example.echo") -- its answer comes behind the event
    assert.equal("news", app.heard)
  end)

  it("remote procedure calls, classic and of microservices", function()
    run("Remote Procedure Calls", 1)
    run("Remote Procedure Calls", 2)
    assert.same({ "1", "1", "2" }, printed)
  end)

  it("exception handling", function()
    run("Exception Handling", 1)
    assert.match("^some_unreliable_procedure %d+ com.example.unreliable not today$", printed[1])
  end)

  it("authentication, both halves", function()
    local router
    fields.forced = { url = nil }
    local Embedded = wampy.routers.Embedded
    wampy.routers.Embedded = function(t)
      router = Embedded(t)
      return router
    end
    -- the router's block closes it at its end: it is started again for the client
    run("Authentication Methods", 2)
    wampy.routers.Embedded = Embedded
    assert.match("^ws://127.0.0.1:%d+/$", printed[1])
    fields.forced = { router = router:start() }
    run("Authentication Methods", 1)
    assert.equal("your-username-or-identifier anonymous wampcra", printed[2])
    router:stop()
  end)

  it("the MessageHandler class", function()
    run("The MessageHandler Class", 1)
    assert.same({ "true" }, printed)
  end)

  it("TLS, from a router object, too", function()
    local folder = os.tmpname()
    os.remove(folder)
    assert.equal(0, (wampy.exec { "mkdir", folder }))
    local key, cert = folder .. "/key.pem", folder .. "/ca.pem"
    local code, _, said = wampy.exec { "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
      "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-days", "1", "-subj",
      "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1" }
    assert.equal(0, code, said)
    local router <close> = wampy.routers.Embedded { listen = "wss://127.0.0.1:0/",
      tls = { cert = cert, key = key } }:start()
    fields.forced = {}
    local where = wampy.routers.Router { url = router.url, cert_path = cert }
    local service <close> = wampy.Client { router = where }:start()
    service:register("wampy.example.echo", function(...) return ... end)
    fields.forced = { url = router.url, cert_path = cert }
    run("TLS/wss Support", 1)
    assert.same({ "over TLS" }, printed)
    wampy.exec { "rm", "-r", folder }
  end)

  it("the helpers that wait", function()
    local Service = wampy.Client:extend("Service")
    Service.say_hello = wampy.callee(function(_, name) return "Hello " .. name end)
    Service.heard = wampy.subscriber "topic" (function() end)
    local service <close> = Service {}:start()
    run("Testing wampy apps", 2, service)
  end)
end)

fields.forced = {}
ran["Testing wampy apps"] = 2
assert(load(blocks["Testing wampy apps"][1], "=" .. PAGE, "t", setmetatable({ -- it describes tests
  describe = describe, it = it, before_each = before_each, after_each = after_each, assert = assert,
}, { __index = _G })))()

-- ---- the tables ------------------------------------------------------------------------------

-- Each row's last cell: "file: test" or "suite file: test".
local function rows_of(path)
  local list = {}
  for line in read(path):gmatch("[^\n]+") do
    local cell = line:match("^|.*|%s*(.-)%s*|$")
    if cell and not cell:find("^%-+$") and cell ~= "proven by" then
      list[#list + 1] = { cell = cell, line = line }
    end
  end
  return list
end

local function plain(text) return text:gsub("%W", " ") end

local places = {
  e2e = function(file) return read("tests/e2e/test_" .. file .. ".py")
    or read("tests/e2e/" .. file .. ".lua") end,
  unit = function(file) return read("tests/unit/" .. file) end,
  talk = function(file) return read("tests/talk/" .. file .. ".talk") end,
  interop = function(file) return read("tests/interop/" .. file) end,
}

local function proof_of(cell)
  local where, test = cell:match("^(.-): (.*)$")
  where = where or cell
  local suite, file = where:match("^(%w+) (%S+)$")
  if suite then return places[suite] and places[suite](file), test end
  return read("tests/spec/" .. where .. ".lua") or read(where), test
end

for _, path in ipairs { PAGE, LIST } do
  describe("a row of " .. path, function()
    for _, row in ipairs(rows_of(path)) do
      it("is proven: " .. row.line:match("^|%s*(.-)%s*|"), function()
        local text, test = proof_of(row.cell)
        assert.is_truthy(text, "no such file of tests: " .. row.cell)
        assert.is_truthy(not test or plain(text):find(plain(test), 1, true),
          "no such test: " .. row.cell)
      end)
    end
  end)
end

describe("docs/FROM_WAMPY.md", function()
  it("has no example that is not run", function()
    for title, list in pairs(blocks) do
      assert.equal(#list, ran[title] or 0, title)
    end
  end)
end)
