local wampy = require "wampy"

describe("apps/06-weather", function()
  local router, service, client

  before_each(function()
    router = wampy.routers.Embedded { listen = false }:start()
    service = dofile("apps/06-weather/main.lua") { router = router }:start()
    client = wampy.Client { router = router, call_timeout = 5 }:start()
  end)

  after_each(function()
    client:stop()
    service:stop()
    router:stop()
  end)

  it("calls another procedure to answer", function()
    assert.same({ city = "Quito", degrees = 15 }, client.rpc.get_weather("Quito"))
  end)

  it("passes the error of the procedure it calls on", function()
    local ok, e = pcall(client.rpc.get_weather, "Atlantis")
    assert.is_false(ok)
    assert.equal("com.example.weather.no_such_city", e.uri)
  end)

  it("publishes what it hears", function()
    local heard = wampy.queue()
    client:subscribe("wampy-weather", function(message) heard:put(message) end)
    client:publish { topic = "global-weather", message = { wind = "calm" } }
    assert.same({ wind = "calm" }, heard:get(5))
  end)
end)
