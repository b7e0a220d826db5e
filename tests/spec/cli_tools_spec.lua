-- cli_tools_spec: what the command lines of the verbs for making, testing and looking come to. That
-- they do it is tested by tests/e2e/test_tools*.py.
local cli = require "wampy.cli"
local histogram = require "wampy.histogram"
local inspection = require "wampy.inspection"
local literals = require "wampy.literals"
local topics = require "wampy.topics"

local function parse(line)
  local args = {}
  for word in line:gmatch("%S+") do args[#args + 1] = word end
  return cli.parse(args)
end

local function complaint(line)
  local plan = parse(line)
  assert.equal(2, plan.exit)
  return assert(plan.stderr:match("^([^\n]*) %[W%d%d%d%]\n"), plan.stderr)
end

-- A file with this text, while `fn` runs with its path.
local function with_file(text, fn)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  local ok, e = pcall(fn, path)
  os.remove(path)
  if not ok then error(e, 0) end
end

describe("the verb", function()
  it("check wants something to check", function()
    assert.same({ verb = "check", module = "wampy.cli_check", apps = { "a.lua", "b:C" },
      json = true }, parse "check a.lua b:C --json")
    assert.equal("f.json", parse("check --config f.json").config)
    assert.equal("error: check: give an APP or --config FILE", complaint "check")
  end)

  it("new wants a name that can be a class", function()
    local plan = parse "new there/my-shop/ -t web"
    assert.equal("there/my-shop", plan.folder)
    assert.equal("my-shop", plan.name)
    assert.equal("web", plan.template)
    assert.equal("service", parse("new a").template)
    for _, name in ipairs { "1st", "..", "a.b", "a" .. ("b"):rep(60) } do
      assert.matches("expected a name such as shop", complaint("new " .. name))
    end
  end)

  it("test gives everything to busted", function()
    assert.same({ "spec", "--filter", "x", "-o", "TAP" },
      parse("test spec --filter x -o TAP").words)
  end)

  it("keygen and passwd know what goes together", function()
    assert.equal("wampy.key", parse("keygen").file)
    assert.equal("error: --role and --realm are of an entry: give --authid, too",
      complaint "keygen k --role user")
    assert.same({ kdf = "pbkdf2", iterations = 4096 }, parse("passwd joe").cost)
    assert.same({ iterations = 5 }, parse("passwd joe -m wampcra --iterations 5").cost)
    assert.equal("error: --iterations: not with ticket",
      complaint "passwd joe -m ticket --iterations 5")
    assert.equal("error: --iterations: expected a number from 1 to 1000000, got '0'",
      complaint "passwd joe --iterations 0")
  end)

  it("bench says what it measures, and for how long", function()
    local plan = parse "bench call com.f -u ws://x:1/"
    assert.same({ "call", 10, 1, 128, 10, 1, 10 }, { plan.what, plan.clients, plan.parallel,
      plan.size, plan.duration, plan.warmup, plan.timeout })
    plan = parse "bench publish com.t -n 10k -c 2 --parallel 3 --size 0 --no-ack --warmup 0"
    assert.same({ 10000, 2, 3, 0, true, 0 }, { plan.count, plan.clients, plan.parallel, plan.size,
      plan.no_ack, plan.warmup })
    assert.is_nil(plan.duration)
    assert.equal("error: invalid URI 'a#b'", complaint "bench call a#b")
    assert.equal("error: --no-ack: only with publish", complaint "bench call com.f --no-ack")
    assert.equal("error: --count: expected a number from 1 to 1000000000, such as 500 or 10k, "
      .. "got '1M'", complaint "bench call com.f -n 1M")
    assert.matches("must be one of 'call', 'publish'", complaint "bench subscribe com.f")
  end)

  it("doctor connects like the others", function()
    local plan = parse "doctor -u ws://x:1/ --json"
    assert.equal("ws://x:1/", plan.forced.url)
    assert.is_true(plan.json)
    assert.equal("wampy.doctor", plan.module)
  end)

  it("completion and help write to stdout", function()
    assert.matches("complete %-F", parse("completion bash").stdout)
    assert.equal(topics.find("uris").text, parse("help uris").stdout)
    assert.equal("error: no help for 'uri'; did you mean uris?", complaint "help uri")
    assert.matches("^W301  no such app\n\nCause:", parse("help w301").stdout)
    assert.equal("error: no help for 'W1000': there is no such code; wampy-lua help errors is "
      .. "about them", complaint "help W1000")
  end)
end)

describe("a histogram", function()
  it("has nothing at first", function()
    local h = histogram.new()
    assert.same({ 0, 0, 0 }, { h.count, h.most, h:quantile(0.5) })
  end)

  it("knows quantiles to one per cent, and the longest", function()
    local h = histogram.new()
    for i = 1, 1000 do h:add(i / 1000) end
    assert.equal(1000, h.count)
    assert.equal(1, h.most)
    for _, part in ipairs { 0.5, 0.9, 0.99, 0.999 } do
      local got = h:quantile(part)
      assert.is_true(got >= part and got <= part * 1.011, ("%g for %g"):format(got, part))
    end
    assert.equal(1, h:quantile(1))
  end)

  it("takes no room for more of the same, and any time", function()
    local h, n = histogram.new(), 0
    for i = 1, 10000 do h:add(0.001 + i % 10 * 1e-9) end
    h:add(0)
    h:add(1e6)
    for _ in pairs(h.buckets) do n = n + 1 end
    assert.is_true(n <= 4)
    assert.is_true(math.abs(h:quantile(0.00001) - 1e-6) < 1e-7)
    assert.equal(1e6, h:quantile(1))
  end)
end)

describe("literals", function()
  local function bad(text)
    local list
    with_file(text, function(path) list = literals.bad(path) end)
    for i, each in ipairs(list) do list[i] = each.where:match("%d+$") .. " " .. each.text end
    return list
  end

  it("finds URIs that no router takes", function()
    assert.same({ '1 call: invalid URI "a b"', '2 publish: invalid URI "a..b"' },
      bad "self:call('a b')\nmy_client.publish(\"a..b\", 1)\n")
  end)

  it("leaves alone what is none of ours, a pattern, or a comment", function()
    assert.same({}, bad [[
      -- self:call("a b")
      database:call("select 1")
      self:subscribe("com..x", fn, { match = "wildcard" })
      self:call("com.x", "two words")
      self:calls("a b")
    ]])
  end)
end)

describe("inspection", function()
  it("starts nothing, and leaves everything as it was", function()
    local wampy = require "wampy"
    local start, callee, exit = wampy.Client.start, wampy.callee, os.exit
    with_file([[
      local wampy = require "wampy"
      local App = wampy.Client:extend("App")
      App.f = wampy.callee "a b" (function(self) return self end)
      App { url = "ws://nowhere.invalid" }:start()
    ]], function(path)
      os.rename(path, path .. ".lua")
      local apps, findings = inspection.apps { path .. ".lua" }
      os.remove(path .. ".lua")
      assert.equal("starts a client of its own", apps[1].stopped)
      assert.equal('callee: invalid URI "a b"', findings[1].text)
    end)
    assert.equal(start, wampy.Client.start)
    assert.equal(callee, wampy.callee)
    assert.equal(exit, os.exit)
  end)
end)
