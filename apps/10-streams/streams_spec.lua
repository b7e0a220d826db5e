local testing = require "wampy.testing"
local wampy = require "wampy"
local Streams = dofile "apps/10-streams/main.lua"

describe("apps/10-streams", function()
  local client

  before_each(function()
    local net = testing.network()
    net:start(Streams)
    client = net:client()
  end)

  it("sends primes as they are found, and at the end how many", function()
    local seen = {}
    local stream = client:stream("com.example.primes", 30)
    for i, prime in stream do seen[i] = prime end
    assert.same({ 2, 3, 5, 7, 11, 13, 17, 19, 23, 29 }, seen)
    assert.equal(10, stream:result())
  end)

  it("stops looking for them when the loop is left: no handler goes on", function()
    local third
    for i, prime in client:stream("com.example.primes", 1e9) do
      third = prime
      if i == 3 then break end
    end
    assert.equal(5, third)
  end)

  it("takes numbers in parts, and tells their mean so far", function()
    local seen = {}
    local up = client:open("com.example.mean", 1, wampy.options {
      on_progress = function(mean) seen[#seen + 1] = mean end })
    up:send(2)
    assert.same({ 2.0, 3 }, { up:finish(3) })
    assert.same({ 1.0, 1.5, 2.0 }, seen)
  end)

  it("has no mean of nothing", function()
    local ok, e = pcall(function() return client:open("com.example.mean"):finish() end)
    assert.is_false(ok)
    assert.equal("com.example.no_numbers", e.uri)
  end)

  it("gives up a search that is canceled", function()
    local search = client:call_async("com.example.search")
    search:cancel()
    assert.is_false(pcall(search.wait, search))
  end)
end)
