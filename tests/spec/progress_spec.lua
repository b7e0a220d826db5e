-- progress_spec: a callee's progressive results, and the caller that asked for them.
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"

describe("progressive results", function()
  local p = pair.each(before_each, after_each)

  local function ask(...)
    local seen = {}
    local options = wampy.options { on_progress = function(v) seen[#seen + 1] = v end }
    local result = p.client:call("count", ..., options)
    return result, seen
  end

  it("come in order, and the final one ends the call", function()
    p.server:register("count", function(n)
      for i = 1, n do assert(wampy.progress(i)) end
      return "done"
    end)
    local result, seen = ask(5)
    assert.equal("done", result)
    assert.same({ 1, 2, 3, 4, 5 }, seen)
  end)

  it("go out by details:progress, too", function()
    p.server:register("count", function(n, details)
      for i = 1, n do details:progress(i * 10) end
      return n
    end)
    local result, seen = ask(2)
    assert.equal(2, result)
    assert.same({ 10, 20 }, seen)
  end)

  it("are not sent to a caller that asked for none", function()
    local sent
    p.server:register("count", function() sent = wampy.progress(1) return "plain" end)
    assert.equal("plain", p.client:call("count"))
    assert.is_false(sent)
  end)

  it("belong to a callee's task", function()
    assert.matches("only in the task of a callee", pair.failure(wampy.progress, 1))
  end)
end)
