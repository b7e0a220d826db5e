local wampy = require "wampy"

describe("apps/05-subscribing", function()
  local router, service, client

  before_each(function()
    router = wampy.routers.Embedded { listen = false }:start()
    service = dofile("apps/05-subscribing/main.lua") { router = router }:start()
    client = wampy.Client { router = router, call_timeout = 5 }:start()
  end)

  after_each(function()
    client:stop()
    service:stop()
    router:stop()
  end)

  it("counts the events of its topic", function()
    local printed = {}
    local real = print
    _G.print = function(text) printed[#printed + 1] = text end
    client:publish("foo", "bar", wampy.options { acknowledge = true })
    client:publish { topic = "foo", message = "baz", options = { acknowledge = true } }
    local limit = wampy.now() + 5
    while client.rpc.get_foo_count() < 2 and wampy.now() < limit do wampy.sleep(0) end
    _G.print = real
    assert.equal(2, client.rpc.get_foo_count())
    assert.equal("foo message received: bar", printed[1])
  end)
end)
