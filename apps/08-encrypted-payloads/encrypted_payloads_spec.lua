local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local Notes = dofile "apps/08-encrypted-payloads/main.lua"

local KEY, OTHER_KEY = ("k"):rep(32), ("o"):rep(32)

describe("apps/08-encrypted-payloads", function()
  local router, service, client, eavesdropper

  local function start(class, key)
    return class { router = router, call_timeout = 5,
      message_handler = key and Notes.Sealing(key) }:start()
  end

  before_each(function()
    router = wampy.routers.Embedded { listen = false }:start()
    service = start(Notes, KEY)
    client = start(wampy.Client, KEY)
    eavesdropper = start(wampy.Client)
  end)

  after_each(function()
    for _, each in ipairs { eavesdropper, client, service, router } do each:stop() end
  end)

  it("passes calls, results and events between those who have the key", function()
    local heard = wampy.queue()
    client:subscribe("com.example.notes.added", function(n, text) heard:put { n, text } end)
    assert.equal(1, client:call("com.example.notes.add", "milk"))
    assert.equal(2, client:call("com.example.notes.add", wampy.kwargs { text = "bread" }))
    assert.same({ 1, "milk" }, heard:get(5))
    assert.same({ 2, "bread" }, heard:get(5))
  end)

  it("shows others nothing of it", function()
    local heard = wampy.queue()
    eavesdropper:subscribe("com.example.notes.added", function(...) heard:put { ... } end)
    client:call("com.example.notes.add", "milk")
    local seen = heard:get(5)
    assert.equal(1, #seen)
    assert.is_nil(tostring(seen[1].sealed):find("milk", 1, true))
  end)

  it("refuses what is not sealed, or with another key", function()
    local stranger = start(wampy.Client, OTHER_KEY)
    for _, each in ipairs { eavesdropper, stranger } do
      pair.logged(function()
        local e = pair.failure(each.call, each, "com.example.notes.add", "milk")
        assert.is_true(e:is(wampy.errors.RemoteError))
      end)
    end
    stranger:stop()
    assert.equal(1, client:call("com.example.notes.add", "milk"))
  end)

  it("passes errors, those of the router too", function()
    local function message(uri) return pair.complaint(client.call, client, uri, 1, 2) end
    assert.matches("takes 1", message("com.example.notes.add"))
    assert.matches("no callee", message("nobody.here"))
  end)
end)
