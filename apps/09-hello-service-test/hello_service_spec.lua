local testing = require "wampy.testing"
local wampy = require "wampy"

local HelloService = dofile "apps/09-hello-service-test/main.lua"

describe("hello service", function()
  local router, service, client

  before_each(function()
    router  = testing.router()
    service = testing.start(HelloService, { router = router })
    client  = testing.client { router = router }
    testing.wait_for_registrations(service, 1)
  end)

  after_each(testing.stop_all)

  it("says hello", function()
    assert.equal("Hello wampy", client.rpc.say_hello(wampy.kwargs { name = "wampy" }))
  end)
end)
