local wampy = require "wampy"

describe("apps/02-date-service", function()
  local router, service, client

  before_each(function()
    router = wampy.routers.Embedded { listen = false }:start()
    service = dofile("apps/02-date-service/main.lua") { router = router }:start()
    client = wampy.Client { router = router, call_timeout = 5 }:start()
  end)

  after_each(function()
    client:stop()
    service:stop()
    router:stop()
  end)

  it("tells the date", function()
    assert.matches("^%d%d%d%d%-%d%d%-%d%d$", client:call("get_todays_date"))
  end)
end)
