-- scope_spec.lua - "did you mean" for names that are nil: what the failing line could have meant.

local codes = require "wampy.codes"
local core = require "wampy.core"
local errors = require "wampy.errors"
local pair = dofile "tests/spec/pair.lua"
local scope = require "wampy.scope"
local wampy = require "wampy"

local function meant(fn, ...)
  local _, found = xpcall(fn, scope.meant, ...)
  return found
end

describe("what may have been meant", function()
  it("is a method of a client, of its class or of the parents of that", function()
    local Shop = wampy.Client:extend "Shop"
    function Shop.restock() end
    local shop = Shop()
    assert.equal("shop:publish", meant(function() shop:pubilsh() end))
    assert.equal("shop:subscribe", meant(function() shop:subscrbe() end))
    assert.equal("self:restock", meant(function(self) self:restok() end, shop))
  end)

  it("is a field of the module, or of a library", function()
    assert.equal("wampy.Client", meant(function() return wampy.clinet {} end))
    assert.equal("wampy.sleep", meant(function() wampy.slep(1) end))
    assert.equal("string.format", meant(function() string.formt("x") end)) -- luacheck: ignore 143
    assert.equal("text:upper", meant(function(text) return text:uper() end, "x"))
  end)

  it("is a member of a global, whose table has no name of its own", function()
    local env = setmetatable({ subscribe = print, there = wampy.Client() }, { __index = _G })
    assert.equal("there:subscribe", meant(load("there:subscrib()", "=chunk", "t", env)))
    assert.is_nil(meant(load("there:pritn()", "=chunk", "t", env)))
    assert.equal("there", meant(load("tehre.x()", "=chunk", "t", env)))
  end)

  it("is a variable or a global", function()
    local counter = { true }
    assert.equal("counter", meant(function()
      return counter[1] and cuonter[1] -- luacheck: ignore 113
    end))
    assert.equal("print", meant(function() pritn("x") end)) -- luacheck: ignore 113
  end)

  it("is a module that was not required", function()
    local loaded = load 'return wampy.Client {}'
    assert.equal('local wampy = require "wampy"', meant(loaded))
  end)

  it("is nothing when no name is near, or the error is another one", function()
    assert.is_nil(meant(function() return wampy.entirely.other end))
    assert.is_nil(meant(function() error "no pritn" end))
    assert.is_nil(meant(function() error { } end))
    assert.is_nil(scope.meant("x.lua:1: attempt to call a nil value (global 'pritn')"))
  end)

  it("is found beside a large table, and not looked for twice", function()
    local large = {}
    for i = 1, 100000 do large["key" .. i] = i end
    local function fails() return wampy.slep(large) end
    assert.equal("wampy.sleep", meant(fails))
    collectgarbage "stop"
    local before = collectgarbage "count"
    local found = meant(fails)
    local used = collectgarbage "count" - before
    collectgarbage "restart"
    assert.equal("wampy.sleep", found)
    assert.is_true(used < 10, used) -- KiB: nothing was compared again
  end)

  it("is looked for in objects whatever their metatables do", function()
    local odd = setmetatable({}, { __index = function() error "asked" end, __pairs = error })
    assert.is_nil(meant(function() local _ = odd; return wampy.entirely.other end))
    local round = setmetatable({}, {})
    getmetatable(round).__index = round
    assert.is_nil(meant(function() round:entirely_other() end))
  end)
end)

describe("an error that is logged", function()
  local lines, log

  before_each(function()
    lines, log = {}, core.log
    core.log = function(_, text) lines[#lines + 1] = text end -- luacheck: ignore 122
  end)

  after_each(function() core.log = log end) -- luacheck: ignore 122

  it("names the app's line first, and shows no frames but the app's", function()
    wampy.spawn(function() wampy.slep(1) end)
    wampy.sleep(0)
    assert.equal(1, #lines)
    assert.matches("^in a spawned task: tests/spec/scope_spec.lua:%d+: .*slep'%); did you mean "
      .. "wampy%.sleep%? %[W900%]\nstack traceback:\n\ttests/spec/scope_spec.lua:%d+: in [^\n]+$",
      lines[1])
  end)

  it("names the place of an error of ours", function()
    wampy.after(0, function() errors.raise("TimeoutError", "too late") end)
    wampy.sleep(0.01)
    assert.matches("^in a timer: tests/spec/scope_spec.lua:%d+: TimeoutError: too late %[W902%]",
      lines[1])
  end)

  it("has no code but that of its occasion, whatever its words are", function()
    wampy.spawn(function() error("the port is in use", 0) end)
    wampy.sleep(0)
    assert.matches("^in a spawned task: the port is in use %[W900%]", lines[1])
    assert.equal("W900", codes.of "W900")
  end)

  describe("for a handler", function()
    local p = pair.each(before_each, after_each)

    it("names the caller who let it be known, and the name that a pattern stood for", function()
      p.server:register("com.", function() return wampy.slep() end,
        { match = "prefix", disclose_caller = true })
      assert.is_false(pcall(p.client.call, p.client, "com.shop"))
      assert.matches(("^in the handler of com%%. %%(.-%%) for com%%.shop from session %d .*slep")
        :format(p.client.session.id), lines[1])
      assert.matches("; did you mean wampy.sleep%? %[W901%]\n", lines[1])
    end)
  end)
end)
