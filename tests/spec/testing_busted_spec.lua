-- testing_busted_spec: what the kit does around the tests of busted. Each of these runs busted, on
-- a file of its own, in the program.
local testing = require "wampy.testing"

local HEAD = [[
local wampy, testing = require "wampy", require "wampy.testing"
local App = wampy.Client:extend("App")
App.answer = wampy.callee(function() return 42 end)
]]

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

describe("under busted", function()
  local folder

  before_each(function()
    folder = select(2, testing.run { "mktemp", "-d" }):match("[^\n]+")
    write(folder .. "/busted.lua", 'require "busted.runner" { standalone = false }')
  end)

  after_each(function() testing.run { "rm", "-r", folder } end)

  local function run(env, ...)
    local command = { "wampy-lua", folder .. "/busted.lua", "--ignore-lua", "-o", "plainTerminal",
      "--helper=" .. folder .. "/helper.lua", folder, ... }
    command.env = env
    local code, out, err = testing.run(command)
    return code, out .. err
  end

  -- Runs a spec file: exit code, and everything that was printed.
  local function busted(text, ...)
    write(folder .. "/app_spec.lua", HEAD .. text)
    return run({ TEST_TIMEOUT = "20", WAMPY_TEST_SEED = false }, ...)
  end

  local function helper(text)
    write(folder .. "/helper.lua", text)
  end

  before_each(function() helper "" end)

  it("what a test opened is closed when it is over, whoever forgets it", function()
    local code, out = busted [[
      describe("forgetful", function()
        local net, first
        before_each(function() net = testing.network() end)
        it("one", function()
          net:start(App)
          first = { net:client(), testing.router(), testing.peer(net) }
          net:callee("com.example.slow", testing.hang())
        end)
        it("two", function()
          assert.is_false(first[1].connected)
          assert.has_error(function() first[2]:server() end)
          assert.equal(0, net.router:stats().sessions)
        end)
      end)]]
    assert.matches("2 successes / 0 failures / 0 errors", out)
    assert.equal(0, code)
  end)

  it("what a setup opened lives as long as its describe block", function()
    local _, out = busted [[
      local first
      describe("outer", function()
        local router, app
        setup(function()
          router = testing.router()
          app = testing.start(App, { url = router.url })
        end)
        it("one", function()
          first = app
          assert.equal(42, testing.client { url = router.url }:call("answer"))
        end)
        describe("inner", function()
          it("two", function()
            assert.equal(42, testing.client { url = router.url }:call("answer"))
          end)
        end)
      end)
      it("three", function() assert.is_false(first.connected) end)]]
    assert.matches("3 successes / 0 failures / 0 errors", out)
  end)

  it("a test that leaves something behind fails, and it is named", function()
    local code, out = busted [[
      it("a client", function()
        wampy.Client { router = testing.network(), name = "forgotten" }:start()
      end)
      it("a task", function()
        wampy.spawn(function()
          wampy.sleep(1000)
        end)
      end)
      it("timers", function()
        wampy.after(1000, function() end)
        wampy.every(1000, function() end)
      end)
      local future
      it("a call", function()
        local net = testing.network()
        net:callee("com.example.slow", testing.hang())
        future = net:client { name = "asker" }:call_async("com.example.slow")
      end)
      local router
      it("a socket", function()
        router = wampy.routers.Embedded { listen = "127.0.0.1:0" }:start()
      end)
      it("nothing", function() return future, router end)]]
    assert.equal(1, code)
    assert.matches("6 successes / 0 failures / 5 errors", out)
    local function left(what) assert.matches("left behind by the test: " .. what, out) end
    left "client forgotten\n"
    left "task that waits at [^\n]*app_spec%.lua:9\n"
    left "timer with the function of [^\n]*app_spec%.lua:13; timer with [^\n]*app_spec%.lua:14\n"
    left "com%.example%.slow of client asker without an answer\n"
    left "socket 127%.0%.0%.1:%d+ %(descriptor %d+%)\n"
  end)

  it("what is left behind more than once is said once", function()
    local code, out = busted [[
      it("a loop", function()
        for _ = 1, 3 do wampy.spawn(function() wampy.sleep(1000) end) end
        wampy.spawn(function()
          wampy.sleep(1000)
        end)
      end)]]
    assert.equal(1, code)
    local told = out:match("left behind by the test: ([^\n]*)")
    assert.matches("3 x task that waits at [^;]*app_spec%.lua:5", told)
    assert.matches("[^x] task that waits at [^;]*app_spec%.lua:7", " " .. told)
    assert.equal(1, select(2, told:gsub(";", "")))
  end)

  it("a test that fails is blamed for nothing else", function()
    local code, out = busted [[
      it("fails", function()
        wampy.Client { router = testing.network() }:start()
        assert.is_true(false)
      end)
      it("goes on", function() assert.is_nil(next(require("wampy.tasks").started)) end)]]
    assert.equal(1, code)
    assert.matches("1 success / 1 failure / 0 errors", out)
    assert.is_nil(out:find("left behind", 1, true))
  end)

  it("a test that takes too long is interrupted, and the next one runs", function()
    helper 'require "wampy.testing"'
    write(folder .. "/app_spec.lua", HEAD .. [[
      it("waits for ever", function() wampy.sleep(1000) end)
      it("does not", function() end)]])
    local code, out = run { TEST_TIMEOUT = "0.2" }
    assert.matches("waits for ever: still running after 0.2 s", out)
    assert.matches("1 success / 0 failures / 1 error", out)
    assert.matches("Canceled", out)
    assert.equal(1, code)
  end)

  it("ids repeat themselves with the seed that a failure shows", function()
    local spec = [[
      describe("ids", function()
        local function id()
          local net = testing.network()
          return ("%d %d"):format(net:client().session.id, math.random(1 << 30))
        end
        it("one", function() error("one " .. id()) end)
        it("two", function() error("two " .. id()) end)
      end)]]
    local function ids(out) return out:match("one %d+ %d+"), out:match("two %d+ %d+") end
    local _, out = busted(spec)
    local seed = out:match("WAMPY_TEST_SEED=(%-?%d+)")
    local one, two = ids(out)
    assert.is_truthy(seed and one and two)
    assert.same({ one, two }, { ids(select(2, busted(spec, "--seed=" .. seed))) })
    write(folder .. "/app_spec.lua", HEAD .. spec)
    assert.same({ one, two }, { ids(select(2, run { WAMPY_TEST_SEED = seed })) })
    local _, alone = busted(spec, "--seed=" .. seed, "--filter=two")
    assert.equal(two, select(2, ids(alone)))
    assert.are_not.equal(one, (ids(select(2, busted(spec, "--seed=" .. seed + 1)))))
    assert.is_nil(select(2, busted [[it("is fine", function() end)]]):find("SEED", 1, true))
  end)

  for name, text in pairs { ["a helper"] = 'require "wampy.testing"', ["each file"] = "" } do
    it("it does not matter who requires the kit: " .. name, function()
      helper(text)
      write(folder .. "/other_spec.lua", HEAD .. [[
        it("leaves a client", function()
          wampy.Client { router = testing.network(), name = "other" }:start()
        end)]])
      local _, out = busted [[
        it("leaves a client", function()
          wampy.Client { router = testing.network(), name = "app" }:start()
        end)]]
      assert.matches("2 successes / 0 failures / 2 errors", out)
      assert.matches("left behind by the test: client other\n", out)
      assert.matches("left behind by the test: client app\n", out)
    end)
  end

  it("a run that is repeated is looked after each time", function()
    helper 'require "wampy.testing"'
    local _, out = busted([[
      it("leaves a client", function()
        wampy.Client { router = testing.network(), name = "app" }:start()
      end)]], "--repeat=2")
    assert.equal(2, select(2, out:gsub("left behind by the test: client app\n", "")))
  end)

  it("assertions can be negated and say so", function()
    local _, out = busted [[
      it("published", function()
        local net = testing.network()
        net:client():publish("com.example.topic", 1)
        assert.published("com.example.topic", 1)
        assert.is_not.published("com.example.topic", 1)
      end)]]
    assert.matches("app_spec.lua:8: Expected com.example.topic not to be published, but it was "
      .. "with:\n  %(1%)", out)
  end)
end)
