-- meta_spec: the router's meta API through the public API: what its procedures return, and its
-- events. Every detail of it is in tests/talk/router/meta_*.talk.
local wampy = require "wampy"
local core = require "wampy.core"
local pair = dofile "tests/spec/pair.lua"
local kwargs, errors = wampy.kwargs, wampy.errors

local ISO = "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$"

local administered = core.json_decode [[ {
  "version": 2,
  "workers": [ {
    "type": "router",
    "realms": [ { "name": "realm1", "roles": [ { "name": "anonymous", "permissions": [
      { "uri": "", "match": "prefix", "allow": { "call": true } },
      { "uri": "wamp.session.kill", "allow": { "call": true } } ] } ] } ],
    "transports": [ { "type": "websocket", "endpoint": { "type": "tcp", "port": 9000 } } ]
  } ] } ]]

describe("the meta API:", function()
  local p = pair.each(before_each, after_each)

  local function meta(name, ...) return p.client:call("wamp." .. name, ...) end

  describe("registrations", function()
    it("are listed by policy", function()
      local one = p.server:register("com.one", function() end)
      local all = p.server:register("com.", function() end, { match = "prefix" })
      assert.same({ exact = { one.id }, prefix = { all.id }, wildcard = {} },
        meta "registration.list")
    end)

    it("are found by their URI, and nil where there is none", function()
      local all = p.server:register("com.", function() end, { match = "prefix" })
      assert.is_nil(meta("registration.lookup", "com.one"))
      assert.equal(all.id, meta("registration.lookup", "com.", { match = "prefix" }))
      assert.equal(all.id, meta("registration.match", "com.one"))
      assert.is_nil(meta("registration.match", "org.one"))
    end)

    it("have details, made now", function()
      local before = os.time()
      local one = p.server:register("com.one", function() end)
      local got = meta("registration.get", one.id)
      assert.matches(ISO, got.created)
      local y, mo, d, h, mi, s = got.created:match("(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)")
      local made = os.time { year = y, month = mo, day = d, hour = h, min = mi, sec = s }
      local utc = os.time(os.date("!*t", before))
      assert.is_true(math.abs(made - utc) <= 30, got.created)
      got.created = nil
      assert.same({ id = one.id, uri = "com.one", match = "exact", invoke = "single" }, got)
    end)

    it("have callees", function()
      local one = p.server:register("com.one", function() end, { invoke = "roundrobin" })
      p.client:register("com.one", function() end, { invoke = "roundrobin" })
      local ids = { p.server.session.id, p.client.session.id }
      table.sort(ids)
      assert.same(ids, meta("registration.list_callees", one.id))
      assert.equal(2, meta("registration.count_callees", one.id))
    end)
  end)

  describe("subscriptions", function()
    it("are listed, found and told of", function()
      local one = p.server:subscribe("com.one", function() end)
      local wild = p.server:subscribe("com..x", function() end, { match = "wildcard" })
      assert.same({ exact = { one.id }, prefix = {}, wildcard = { wild.id } },
        meta "subscription.list")
      assert.equal(one.id, meta("subscription.lookup", "com.one"))
      assert.same({ wild.id }, meta("subscription.match", "com.any.x"))
      assert.is_nil(meta("subscription.match", "org"))
      local got = meta("subscription.get", one.id)
      assert.matches(ISO, got.created)
      got.created = nil
      assert.same({ id = one.id, uri = "com.one", match = "exact" }, got)
      assert.same({ p.server.session.id }, meta("subscription.list_subscribers", one.id))
      assert.equal(1, meta("subscription.count_subscribers", one.id))
    end)
  end)

  describe("sessions", function()
    it("are counted, listed and told of", function()
      local ids = { p.server.session.id, p.client.session.id }
      table.sort(ids)
      assert.equal(2, meta "session.count")
      assert.equal(0, meta("session.count", { "admin" }))
      assert.same(ids, meta "session.list")
      local got = meta("session.get", p.server.session.id)
      assert.equal(p.server.session.id, got.session)
      assert.equal("anonymous", got.authrole)
      assert.equal("anonymous", got.authmethod)
    end)

    it("are heard to join and to leave", function()
      local heard = wampy.queue()
      p.client:subscribe("wamp.session.on_join", function(who) heard:put(who.session) end)
      p.client:subscribe("wamp.session.on_leave", function(id, authid, role)
        heard:put { id, type(authid), role }
      end)
      local third = pair.client(p.router):start()
      local id = third.session.id
      assert.equal(id, heard:get(pair.PATIENCE))
      third:stop()
      assert.same({ id, "string", "anonymous" }, heard:get(pair.PATIENCE))
    end)

    it("are ended by those only who have a permission for it", function()
      local e = pair.failure(meta, "session.kill", p.server.session.id)
      assert.equal("wamp.error.not_authorized", e.uri)
      assert.equal(2, meta "session.count")
    end)
  end)

  it("what is wrong is an error of its own", function()
    for name, want in pairs {
      ["registration.get"] = "wamp.error.no_such_registration",
      ["subscription.get"] = "wamp.error.no_such_subscription",
      ["session.get"] = "wamp.error.no_such_session",
    } do
      local e = pair.failure(meta, name, 99)
      assert.is_true(wampy.is_error(e, errors.RemoteError))
      assert.equal(want, e.uri)
      assert.equal("wamp.error.invalid_argument", pair.failure(meta, name, "x").uri)
    end
  end)

  it("what becomes of a registration is heard in order", function()
    local heard = wampy.queue()
    local function hear(event)
      p.client:subscribe("wamp.registration." .. event, function(session, what)
        heard:put { event, session, type(what) == "table" and what.id or what }
      end)
    end
    for _, event in ipairs { "on_create", "on_register", "on_unregister", "on_delete" } do
      hear(event)
    end
    local one, session = p.server:register("com.one", function() end), p.server.session.id
    one:unregister()
    for _, event in ipairs { "on_create", "on_register", "on_unregister", "on_delete" } do
      assert.same({ event, session, one.id }, heard:get(pair.PATIENCE))
    end
  end)

  it("a session that is killed is told why", function()
    local router <close> = wampy.routers.Embedded { listen = false, config = administered }:start()
    local admin, victim = pair.client(router):start(), pair.client(router)
    local ended = wampy.queue()
    function victim:on_disconnect(why) ended:put(why) end -- luacheck: ignore 212
    victim:start()
    admin:call("wamp.session.kill", victim.session.id,
      kwargs { reason = "com.enough", message = "go home" })
    assert.equal("go home (com.enough)", ended:get(pair.PATIENCE))
    pair.settle(victim, admin)
  end)
end)
