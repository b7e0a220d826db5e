-- client_meta_spec: client.meta, the router's meta API in forms of Lua.
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local options = wampy.options

describe("client.meta", function()
  local p = pair.each(before_each, after_each)

  local function uris(list)
    local names = {}
    for i, each in ipairs(list) do
      names[i] = ("%s %s %d"):format(each.uri, each.match, each.count)
    end
    return names
  end

  it("tells of sessions", function()
    local meta, own = p.client.meta, p.server.session.id
    assert.equal(2, meta:count())
    assert.equal(2, meta:count { "anonymous" })
    assert.equal(0, meta:count { "nobody" })
    local ids = {}
    for _, s in ipairs(meta:sessions()) do ids[s.session] = s.authrole end
    assert.equal("anonymous", ids[own])
    assert.same({}, meta:sessions { "nobody" })
    assert.equal(own, meta:session(own).session)
    assert.is_nil(meta:session(1))
  end)

  it("tells of registrations", function()
    local own = p.server.session.id
    p.server:register("com.a", function() end)
    p.server:register("com.b.", function() end, { match = "prefix", invoke = "roundrobin" })
    assert.same({ "com.a exact 1", "com.b. prefix 1" }, uris(p.client.meta:registrations()))
    local one = p.client.meta:registration "com.a"
    assert.same({ "com.a", "exact", "single", { own } },
      { one.uri, one.match, one.invoke, { table.unpack(one.callees) } })
    assert.equal("roundrobin", p.client.meta:registration("com.b.", "prefix").invoke)
    assert.is_nil(p.client.meta:registration "com.none")
    assert.equal("com.b.", p.client.meta:serving("com.b.x").uri)
    assert.is_nil(p.client.meta:serving "com.c")
  end)

  it("tells of subscriptions", function()
    local own = p.server.session.id
    p.server:subscribe("com.t", function() end)
    p.client:subscribe("com.t", function() end)
    p.server:subscribe("com..w", function() end, { match = "wildcard" })
    assert.same({ "com..w wildcard 1", "com.t exact 2" }, uris(p.client.meta:subscriptions()))
    local one = p.client.meta:subscription("com..w", "wildcard")
    assert.same({ own }, { table.unpack(one.subscribers) })
    assert.is_nil(p.client.meta:subscription "com.u")
  end)

  it("reaches past the calls that may be under way at once", function()
    for i = 1, 150 do p.server:register(("com.many.%03d"):format(i), function() end) end
    local list = p.client.meta:registrations()
    assert.equal(150, #list)
    assert.equal("com.many.150", list[150].uri)
  end)

  it("leaves a testament, and takes it back", function()
    local heard = wampy.queue()
    p.client:subscribe("com.last", function(text, kwargs) heard:put { text, kwargs.k } end)
    p.server.meta:add_testament("com.last", { "gone" }, { k = "v" })
    assert.equal(1, p.server.meta:flush_testaments())
    p.server.meta:add_testament("com.last", { "gone for good" }, { k = "v" })
    p.server:stop()
    assert.same({ "gone for good", "v" }, heard:get(pair.PATIENCE))
  end)

  it("leaves out what is gone, and raises any other failure", function()
    local ask, refusal = p.client.call_async, nil
    p.server:register("fails", function(_) error(wampy.error(refusal)) end)
    function p.client.call_async(client, name, id)
      return ask(client, id == p.server.session.id and "fails" or name, id)
    end
    refusal = "wamp.error.no_such_session"
    local list = p.client.meta:sessions()
    assert.equal(1, #list)
    assert.equal(p.client.session.id, list[1].session)
    refusal = "com.example.no"
    assert.equal(refusal, pair.failure(p.client.meta.sessions, p.client.meta).uri)
  end)

  it("raises what the router refuses", function()
    local e = pair.failure(p.client.meta.kill, p.client.meta, p.server.session.id)
    assert.equal("wamp.error.not_authorized", e.uri)
  end)

  it("gives the history of a topic, where there is one", function()
    assert.matches("nothing is kept of com.log",
      pair.complaint(p.client.meta.history, p.client.meta, "com.log"))
    local permissions = wampy.array { { uri = "", match = "prefix", allow = { call = true,
      register = true, publish = true, subscribe = true } } }
    local router = wampy.routers.Embedded { listen = false, config = { version = 2,
      workers = wampy.array { { type = "router", realms = wampy.array { { name = "realm1",
        roles = wampy.array { { name = "anonymous", permissions = permissions } },
        store = { type = "memory", ["event-history"] = wampy.array { { uri = "com.log" } } } } },
        transports = wampy.array { { type = "websocket", endpoint = { type = "tcp", port = 0 } } },
      } } } }:start()
    local client = pair.client(router):start()
    for i = 1, 3 do client:publish("com.log", i, options { acknowledge = true }) end
    local seen = {}
    for i, event in ipairs(client.meta:history("com.log", { limit = 2, reverse = true })) do
      seen[i] = event.args[1]
    end
    assert.same({ 3, 2 }, seen)
    client:stop()
    router:stop()
  end)
end)
