-- session_spec: the Session object of a client.
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"

describe("a session", function()
  local p = pair.each(before_each, after_each)

  it("says what was agreed on", function()
    local session = p.client.session
    assert.equal("integer", math.type(session.id))
    assert.same({ "realm1", "anonymous", "anonymous", "string" },
      { session.realm, session.authrole, session.authmethod, type(session.authid) })
    assert.is_table(session.roles.broker)
    assert.is_table(session.roles.dealer)
    assert.matches("realm realm1", tostring(session))
  end)

  it("knows host and port of a router with an address", function()
    local router <close> = wampy.routers.Embedded { listen = "127.0.0.1:0" }:start()
    local client <close> = wampy.Client { url = router.url }:start()
    local url = wampy.parse_url(router.url)
    assert.same({ url.host, url.port }, { client.session.host, client.session.port })
  end)

  it("sends and receives messages", function()
    p.server:register("f", function() return 1 end)
    p.client.session:send_message(wampy.messages.Call { procedure = "f" })
    assert.same({ 1 }, p.client.session:recv_message(pair.PATIENCE).args)
    assert.same({ nil, "timeout" }, { p.client.session:recv_message(0) })
  end)

  it("ends with finish, and begins again", function()
    local session = p.client.session
    local id = session.id
    session:finish()
    assert.is_nil(p.client.session)
    assert.is_false(p.client.connected)
    assert.is_true(pair.failure(session.recv_message, session):is(wampy.errors.ConnectionError))
    assert.equal(session, session:begin())
    assert.equal(session, p.client.session)
    assert.not_equal(id, session.id)
    session["end"](session)
    assert.is_nil(p.client.session)
    session:finish()
    p.client:start()
    assert.equal(session, p.client.session)
  end)

  it("brings the roles back when it begins again", function()
    local held = p.client:register("com.mine", function() return "mine" end)
    local session = p.client.session
    session:finish()
    assert.is_false(pcall(p.server.call, p.server, "com.mine"))
    session:begin()
    assert.equal("mine", p.server:call("com.mine"))
    held:unregister()
  end)

  it("does not begin without a router", function()
    local client = pair.client(p.router, { connect_timeout = 1 }):start()
    local session = client.session
    session:finish()
    p.client:stop()
    p.server:stop()
    p.router:stop()
    assert.is_false(pcall(session.begin, session))
    assert.is_nil(client.session)
  end)
end)
