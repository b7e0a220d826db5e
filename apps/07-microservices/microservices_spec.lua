local wampy = require "wampy"

describe("apps/07-microservices", function()
  local router, client, workers

  -- What `--workers 2` runs, in one process.
  local function worker()
    local services = {}
    for i, class in ipairs(dofile("apps/07-microservices/main.lua")) do
      services[i] = class { router = router, call_timeout = 5 }:start()
    end
    return services
  end

  local function stop(services)
    for _, service in ipairs(services) do service:stop() end
  end

  before_each(function()
    router = wampy.routers.Embedded { listen = false }:start()
    workers = { worker(), worker() }
    client = wampy.Client { router = router, call_timeout = 5 }:start()
  end)

  after_each(function()
    client:stop()
    for _, services in ipairs(workers) do stop(services) end
    router:stop()
  end)

  it("answers an order by asking the other services", function()
    assert.same({ item = "pear", cents = 90, left = 98 }, client.rpc.order("pear", 2))
  end)

  it("keeps one stock whichever worker takes the order", function()
    local left = {}
    for i = 1, 4 do left[i] = client.rpc.order("apple", 1).left end
    assert.same({ 99, 98, 97, 96 }, left)
  end)

  it("passes on what the other services refuse", function()
    for _, case in ipairs { { "rose", "no_such_item" }, { "quince", "sold_out" } } do
      local ok, e = pcall(client.rpc.order, case[1], 4)
      assert.is_false(ok)
      assert.equal("shop.error." .. case[2], e.uri)
    end
  end)

  it("goes on with the stock as it was when a worker leaves", function()
    client.rpc.order("apple", 10)
    stop(workers[1])
    assert.equal(89, client.rpc.order("apple", 1).left)
  end)

  it("tells what each worker sold", function()
    local sold = wampy.queue()
    client:subscribe("shop.sold", function(count) sold:put(count) end)
    client.rpc.order("apple", 3)
    client.rpc.order("apple", 4)
    local counts = { sold:get(5), sold:get(5) }
    table.sort(counts)
    assert.same({ 3, 4 }, counts)
  end)
end)
