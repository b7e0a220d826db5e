local wampy = require "wampy"

describe("apps/01-hello", function()
  local router, service, client

  before_each(function()
    router = wampy.routers.Embedded { listen = false }:start()
    service = dofile("apps/01-hello/main.lua") { router = router }:start()
    client = wampy.Client { router = router, call_timeout = 5 }:start()
  end)

  after_each(function()
    client:stop()
    service:stop()
    router:stop()
  end)

  it("greets by position and by keyword", function()
    assert.equal("Hello wampy", client.rpc.say_hello("wampy"))
    assert.equal("Hello wampy", client.rpc.say_hello(wampy.kwargs { name = "wampy" }))
  end)

  it("greets a stranger", function()
    assert.equal("Hello stranger", client.rpc.say_hello())
  end)
end)
