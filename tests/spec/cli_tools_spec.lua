-- cli_tools_spec: what the command lines of the verbs for making, testing and looking come to. That
-- they do it is tested by tests/e2e/test_tools*.py.
local cli = require "wampy.cli"
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
  return (plan.stderr:gsub("\n$", ""))
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

  it("completion and help write to stdout", function()
    assert.matches("complete %-F", parse("completion bash").stdout)
    assert.equal(topics.find("uris").text, parse("help uris").stdout)
    assert.equal("error: no help for 'uri'; did you mean uris?", complaint "help uri")
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
      assert.is_true(apps[1].stopped)
      assert.equal('callee: invalid URI "a b"', findings[1].text)
    end)
    assert.equal(start, wampy.Client.start)
    assert.equal(callee, wampy.callee)
    assert.equal(exit, os.exit)
  end)
end)
