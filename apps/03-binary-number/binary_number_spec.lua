local wampy = require "wampy"

describe("apps/03-binary-number", function()
  local router, service, client

  before_each(function()
    router = wampy.routers.Embedded { listen = false }:start()
    service = dofile("apps/03-binary-number/main.lua") { router = router }:start()
    client = wampy.Client { router = router, call_timeout = 5 }:start()
  end)

  after_each(function()
    client:stop()
    service:stop()
    router:stop()
  end)

  it("writes numbers in base two", function()
    assert.equal("0b1100100", client.rpc.get_binary_number(wampy.kwargs { number = 100 }))
    assert.equal("0b0", client.rpc.get_binary_number(0))
    assert.equal("-0b101", client.rpc.get_binary_number(-5))
  end)

  it("refuses what is not a whole number", function()
    local ok, e = pcall(client.rpc.get_binary_number, "many")
    assert.is_false(ok)
    assert.is_true(wampy.is_error(e, wampy.errors.RemoteError))
    assert.equal("com.example.not_a_whole_number", e.uri)
    assert.same({ "many" }, { table.unpack(e.args) })
  end)
end)
