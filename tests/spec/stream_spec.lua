-- stream_spec: client:stream, a call whose result comes in parts.
local testing = require "wampy.testing"
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local options = wampy.options

describe("a stream", function()
  local p = pair.each(before_each, after_each)

  -- A callee that sends numbers up to n, and notes how it ended. Its name is a new one each time.
  local count, serial = nil, 0
  local function counting(rest)
    local ended = wampy.queue()
    serial = serial + 1
    count = "count" .. serial
    p.server:register(count, function(n, details)
      local _ <close> = setmetatable({}, { __close = function(_, e)
        ended:put(e and e.name or "done")
      end })
      for i = 1, n do
        wampy.progress(i, "part")
        if rest then wampy.sleep(0) end
      end
      return "end", wampy.kwargs { asked = details ~= nil }
    end)
    return ended
  end

  it("gives the parts in order, counted, and ends with the final result", function()
    counting()
    local seen = {}
    for i, value, word in p.client:stream(count, 3) do seen[#seen + 1] = { i, value, word } end
    assert.same({ { 1, 1, "part" }, { 2, 2, "part" }, { 3, 3, "part" } }, seen)
  end)

  it("can be asked for the final result, and is nil for ever then", function()
    counting()
    local s = p.client:stream(count, 2)
    assert.equal(1, (s()))
    local word, more = s:result()
    assert.equal("end", word)
    assert.is_true(more.asked)
    assert.is_nil(s())
    assert.is_nil(s())
    assert.equal("end", (s:result()))
  end)

  it("has keyword arguments in its parts", function()
    p.server:register("pairs", function() wampy.progress(1, wampy.kwargs { k = "v" }) end)
    for _, one, kw in p.client:stream("pairs") do assert.same({ 1, "v" }, { one, kw.k }) end
  end)

  it("of a procedure without parts is empty", function()
    p.server:register("plain", function() return 7 end)
    for _ in p.client:stream("plain") do error("there are none") end
    assert.equal(7, p.client:stream("plain"):result())
  end)

  it("raises in the loop what the callee raises", function()
    p.server:register("breaks", function()
      wampy.progress(1)
      error(wampy.error("com.broken", "half way"))
    end)
    local seen = 0
    local e = pair.failure(function()
      for _ in p.client:stream("breaks") do seen = seen + 1 end
    end)
    assert.equal("com.broken", e.uri)
    assert.equal(1, seen)
  end)

  it("cancels the call when the loop is left", function()
    local ended = counting(true)
    for i in p.client:stream(count, 1000000) do
      if i == 2 then break end
    end
    assert.equal("Canceled", ended:get(pair.PATIENCE))
  end)

  it("cancels the call when nobody holds it any more", function()
    local ended = counting(true)
    local s = p.client:stream(count, 1000000)
    s()
    s = nil -- luacheck: ignore 311
    collectgarbage()
    collectgarbage()
    assert.equal("Canceled", ended:get(pair.PATIENCE))
  end)

  it("ends quietly when it is cancelled, and its final result is the error", function()
    local ended = counting(true)
    local s = p.client:stream(count, 1000000)
    s()
    s:cancel()
    for _ in s do end
    assert.equal("Canceled", ended:get(pair.PATIENCE))
    assert.is_true(wampy.is_error(pair.failure(s.result, s)))
    s:cancel()
  end)

  it("whose loop does not keep up is cancelled, and says which option to change", function()
    counting()
    local e = pair.failure(function()
      for _ in p.client:stream(count, 100, options { buffer = 10 }) do wampy.sleep(0.05) end
    end)
    assert.is_true(wampy.is_error(e, wampy.errors.StreamOverflow))
    assert.equal(count .. ": more than 10 parts wait for the loop; options { buffer = 20 } "
      .. "lets more wait", e.message)
    p.server:register("still", function() return "there" end)
    assert.equal("there", p.client:call("still"))
  end)

  it("keeps to its buffer's rule", function()
    assert.matches("buffer: expected a whole number > 0",
      pair.complaint(p.client.stream, p.client, count or "count", options { buffer = 0 }))
  end)

  it("waits at the callee while his link is full", function()
    local net = testing.network()
    local callee, caller = net:client(), net:client { max_message_size = 16 * 1024 * 1024 }
    local sent, mebibyte = 0, ("x"):rep(1024 * 1024)
    callee:register("large", function(n)
      for i = 1, n do
        if i == 3 then net:link(callee):pause() end
        wampy.progress(mebibyte)
        sent = i
      end
    end)
    local s = caller:stream("large", 60)
    net.clock:advance(1)
    local before = sent
    assert.is_true(before >= 2 and before < 60, tostring(before))
    net:link(callee):resume() -- a queue of 33 MiB at once is too much for the router
    assert.equal("wamp.error.unavailable", pair.failure(s.result, s).uri)
    assert.is_true(sent > before)
  end)

  it("goes on beside other calls of the client", function()
    counting(true)
    p.server:register("quick", function(x) return x end)
    local n = 0
    for i in p.client:stream(count, 20) do
      n = n + p.client:call("quick", i)
    end
    assert.equal(210, n)
  end)
end)
