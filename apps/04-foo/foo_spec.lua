local wampy = require "wampy"

describe("apps/04-foo", function()
  local router, service, client

  before_each(function()
    router = wampy.routers.Embedded { listen = false }:start()
    service = dofile("apps/04-foo/main.lua") { router = router }:start()
    client = wampy.Client { router = router, call_timeout = 5 }:start()
  end)

  after_each(function()
    client:stop()
    service:stop()
    router:stop()
  end)

  it("answers foo", function()
    assert.equal("foo", client.rpc.get_foo())
  end)
end)
