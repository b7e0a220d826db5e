-- transports_spec: what a client and a router may be asked for on the way of their messages:
-- compression. tests/unit has the bytes, tests/e2e/test_transports.py other people's peers.
local wampy = require "wampy"
local cli = require "wampy.cli"
local pair = dofile "tests/spec/pair.lua"

describe("compression", function()
  -- Asks a router with these fields for an echo, by a client with those.
  local function echo(router_fields, client_fields)
    router_fields.listen = "ws://127.0.0.1:0"
    local router <close> = wampy.routers.Embedded(router_fields):start()
    client_fields.url = router.url
    local client <close> = wampy.Client(client_fields):start()
    client:register("com.echo", function(...) return ... end)
    for _, text in ipairs { "", ("much of the same; "):rep(100000), ("ä"):rep(63) } do
      assert.equal(text, client:call("com.echo", text))
    end
  end

  it("is a field of either side, and nothing is lost where the other does not know it", function()
    for _, format in ipairs { "json", "cbor", "json.batched" } do
      echo({ compress = true }, { compress = true, serializers = { format } })
    end
    echo({}, { compress = true })
    echo({ compress = true }, { compress = false })
  end)

  it("of a client is true or false", function()
    assert.equal('Client: field compress: expected a boolean, got "yes"',
      pair.complaint(wampy.Client, { compress = "yes" }))
  end)

  it("of a router without Lua is a flag, for whatever speaks HTTP", function()
    local plan = cli.parse { "router", "--compress", "--listen", "0", "--listen",
      "rs://127.0.0.1:0" }
    assert.is_true(plan.listen[1].compress)
    assert.is_nil(plan.listen[2].compress)
    assert.is_nil(cli.parse { "router", "--listen", "0" }.listen[1].compress)
  end)
end)
