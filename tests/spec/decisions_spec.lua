-- Functions and procedures that decide for the embedded router: who somebody is, and what he may.
local wampy = require "wampy"
local core = require "wampy.core"
local pair = dofile "tests/spec/pair.lua"

local KEY = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
local PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

local function hex(bytes)
  return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local function scram(password)
  local keys = core.auth_scram_keys(core.auth_pbkdf2(password, "saltsalt", 4096))
  return { role = "user", iterations = 4096, salt = hex "saltsalt",
    ["stored-key"] = hex(keys:sub(1, 32)), ["server-key"] = hex(keys:sub(33)) }
end

local function refusal(router, auth)
  local client = pair.client(router, { auth = auth })
  local e = pair.failure(client.start, client)
  assert.is_true(wampy.is_error(e, wampy.errors.AuthenticationError), tostring(e))
  return e.message
end

local function name_of(router, auth)
  local client <close> = pair.client(router, { auth = auth }):start()
  local s = client.session
  return ("%s %s %s %s"):format(s.authid, s.authrole, s.authmethod, s.authprovider)
end

-- What deciders say that is no answer is warned about.
local level = core.log_level()
setup(function() core.log_level "error" end)
teardown(function() core.log_level(level) end)

describe("an authenticator that is a function", function()
  local router, asked

  local people = {
    joe = { role = "user", secret = "s3", extra = { team = "red" } },
    sally = { role = "admin", secret = "s3", salt = "salt123", iterations = 100, keylen = 16 },
    key = { role = "user", pubkey = PUBLIC },
    amy = scram "pencil",
    renamed = { role = "user", authid = "other", secret = "s3" },
    lost = { role = "nobody", secret = "s3" },
    nonsense = 7,
  }

  before_each(function()
    asked = {}
    router = pair.router { realm = "realm1", roles = { "user", "admin" },
      authenticator = function(realm, authid, details)
        wampy.sleep(0) -- it may wait
        asked[#asked + 1] = { realm, authid, details }
        if authid == "broken" then error "out of order" end
        if details.authextra and details.authextra.pubkey == PUBLIC then return people.key end
        return people[authid]
      end }
  end)
  after_each(function() router:stop() end)

  it("says whom a secret proves, by every method", function()
    assert.equal("joe user ticket function", name_of(router, { authid = "joe", ticket = "s3" }))
    assert.equal("joe user wampcra function", name_of(router, { authid = "joe", secret = "s3" }))
    assert.equal("sally admin wampcra function",
      name_of(router, { authid = "sally", secret = "s3" }))
    assert.equal("bob user cryptosign function",
      name_of(router, { authid = "bob", private_key = KEY }))
    assert.equal("amy user wamp-scram function",
      name_of(router, { authid = "amy", password = "pencil" }))
    assert.equal("other user wampcra function",
      name_of(router, { authid = "renamed", secret = "s3" }))
  end)

  it("is told who asks, and how", function()
    name_of(router, { authid = "joe", ticket = "s3" })
    assert.equal("realm1", asked[1][1])
    assert.equal("joe", asked[1][2])
    local details = asked[1][3]
    assert.equal("ticket", details.authmethod)
    assert.equal("s3", details.ticket)
    assert.is_nil(details.authextra)
    assert.equal("integer", math.type(details.session))
    assert.equal("json", details.transport.channel_serializer)
  end)

  it("gives what WELCOME says to the client", function()
    local client <close> = pair.client(router, { auth = { authid = "joe", secret = "s3" } }):start()
    assert.same({ team = "red" }, client.session.details.authextra)
  end)

  it("cannot be told apart, whatever the reason for a no", function()
    local wrong = refusal(router, { authid = "joe", secret = "s4" })
    for _, authid in ipairs { "nobody", "lost", "nonsense" } do
      assert.equal(wrong, refusal(router, { authid = authid, secret = "s3" }))
      assert.equal(wrong, refusal(router, { authid = authid, ticket = "s3" }))
    end
    refusal(router, { authid = "bob", private_key = KEY:reverse() })
    refusal(router, { authid = "amy", password = "pen" })
    refusal(router, { authid = "nobody", password = "pencil" })
  end)

  it("that fails is logged, and lets nobody in", function()
    local lines = pair.logged(function() refusal(router, { authid = "broken", secret = "s3" }) end)
    assert.matches("in the authenticator of the router: .*out of order", table.concat(lines, "\n"))
  end)

  it("can be asked about some methods only, and others be in the configuration", function()
    local mixed <close> = pair.router { roles = { "user" }, auth = { wampcra = { type = "dynamic" },
      ticket = { principals = { ann = { ticket = "t", role = "user" } } } },
      authenticator = function(_, authid) return people[authid] end }
    assert.equal("joe user wampcra function", name_of(mixed, { authid = "joe", secret = "s3" }))
    assert.equal("ann user ticket static", name_of(mixed, { authid = "ann", ticket = "t" }))
    assert.equal(refusal(mixed, { authid = "joe", ticket = "s3" }),
      refusal(mixed, { authid = "ann", ticket = "u" }))
  end)

  it("may still be at it when the router is closed", function()
    local gone = wampy.queue()
    local slow = pair.router { roles = { "user" }, authenticator = function()
      gone:put(true)
      wampy.sleep(0.01)
      return { role = "user", secret = "s3" }
    end }
    local client = pair.client(slow, { auth = { authid = "joe", secret = "s3" } })
    local task = wampy.spawn(function() return pcall(client.start, client) end)
    gone:get(pair.PATIENCE)
    slow:stop(0)
    assert.is_false(task:wait(pair.PATIENCE))
  end)
end)

describe("an authorizer that is a function", function()
  local router, client, asked, answer

  before_each(function()
    asked = {}
    router = pair.router { authorizer = function(session, uri, action, options)
      wampy.sleep(0)
      asked[#asked + 1] = { session, uri, action, options }
      if answer == "error" then error "out of order" end
      return answer
    end }
    answer = true
    client = pair.client(router):start()
  end)
  after_each(function()
    client:stop()
    router:stop()
  end)

  it("allows what it returns true for", function()
    client:register("com.a", function(x) return x end)
    assert.equal(5, client:call("com.a", 5))
    assert.equal("com.a", asked[1][2])
    assert.equal("register", asked[1][3])
    assert.same({ "anonymous", client.session.id, "realm1" },
      { asked[2][1].authrole, asked[2][1].session, asked[2][1].realm })
    assert.equal("call", asked[2][3])
  end)

  it("denies what it returns false for, and whatever is no answer", function()
    local failed = "wamp.error.authorization_failed"
    for reply, uri in pairs { [false] = "wamp.error.not_authorized", [7] = failed,
      error = failed } do
      answer = reply
      pair.logged(function()
        assert.equal(uri, pair.failure(client.call, client, "com.a").uri)
      end)
    end
    answer = nil
    assert.equal("wamp.error.authorization_failed",
      pair.failure(client.call, client, "com.a").uri)
  end)

  it("is asked once for what it wants kept", function()
    answer = { allow = true, cache = true }
    client:register("com.a", function() end)
    client:call("com.a")
    client:call("com.a")
    assert.equal(2, #asked)
  end)

  it("does not let anything overtake", function()
    local got = wampy.queue()
    client:subscribe("com.t", function(n) got:put(n) end)
    for i = 1, 50 do client:publish("com.t", i, wampy.options { exclude_me = false }) end
    for i = 1, 50 do assert.equal(i, got:get(pair.PATIENCE)) end
  end)

  it("leaves roles alone that have permissions", function()
    local mixed <close> = pair.router { authorizer = function() return false end,
      roles = { "anonymous", { name = "user", permissions = { { uri = "com.*",
        allow = { call = true, register = true } } } } },
      auth = { anonymous = {},
        ticket = { principals = { joe = { ticket = "t", role = "user" } } } } }
    local joe <close> = pair.client(mixed, { auth = { authid = "joe", ticket = "t" } }):start()
    joe:register("com.a", function() return "yes" end)
    assert.equal("yes", joe:call("com.a"))
    local guest <close> = pair.client(mixed):start()
    assert.equal("wamp.error.not_authorized", pair.failure(guest.call, guest, "com.a").uri)
  end)
end)

describe("a procedure", function()
  it("decides as a function does, and its app has a role with permissions", function()
    local router <close> = pair.router { authenticator = "com.who", authorizer = "com.may",
      auth = { wampcra = { type = "dynamic" },
        ticket = { principals = { app = { ticket = "t", role = "service" } } } },
      roles = { "user", { name = "service", permissions = { { uri = "", match = "prefix",
        allow = { call = true, register = true } } } } } }
    local app <close> = pair.client(router, { auth = { authid = "app", ticket = "t" } }):start()
    app:register("com.who", function(_, authid, _)
      if authid ~= "joe" then error(wampy.error "com.no_such_user") end
      return { role = "user", secret = "s3" }
    end)
    app:register("com.may", function(session, uri, action, _)
      return { allow = session.authid == "joe" and action == "call" and uri == "com.a" }
    end)
    app:register("com.a", function() return "yes" end)
    local joe <close> = pair.client(router, { auth = { authid = "joe", secret = "s3" } }):start()
    assert.equal("dynamic", joe.session.authprovider)
    assert.equal("yes", joe:call("com.a"))
    assert.equal("wamp.error.not_authorized", pair.failure(joe.call, joe, "com.b").uri)
    refusal(router, { authid = "ann", secret = "s3" })
  end)
end)

describe("the fields of a router that others decide for", function()
  local function complaint(t)
    t.listen = false
    return pair.complaint(wampy.routers.Embedded, t)
  end
  local function nobody() end

  it("are checked, each with its name", function()
    assert.equal("Embedded: field authenticator: expected a function or the URI of a procedure, "
      .. "got number", complaint { authenticator = 7 })
    assert.equal("Embedded: field authorizer: expected the URI of a procedure",
      complaint { authorizer = "no uri" })
    assert.matches("an authenticator needs the field roles", complaint { authenticator = nobody })
    assert.equal("roles: expected a list", complaint { roles = {} })
    assert.equal("roles[1].name: expected a string, got nothing", complaint { roles = { {} } })
    assert.equal("auth.ticket.authenticator: expected the URI of a procedure",
      complaint { auth = { ticket = { type = "dynamic" } } })
    assert.equal("auth.ticket.type: expected static or dynamic, got other",
      complaint { auth = { ticket = { type = "other" } } })
    assert.matches('^auth.ticket: unknown key "principals"',
      complaint { roles = { "user" }, authenticator = nobody,
        auth = { ticket = { type = "dynamic", principals = {} } } })
  end)

  it("of a role are permissions or an authorizer", function()
    assert.equal("roles[1]: give permissions or an authorizer, not both",
      complaint { roles = { { name = "x", authorizer = "com.may", permissions = {} } } })
    assert.equal("roles[1].authorizer: expected the URI of a procedure",
      complaint { roles = { { name = "x", authorizer = "wamp.may" } } })
    assert.equal('roles[1].permissions[0].disclose: unknown key "me"', complaint { roles = {
      { name = "x", permissions = { { uri = "com.a", disclose = { me = true } } } } } })
    assert.equal("roles[1].permissions[0].disclose.caller: expected a boolean, got string",
      complaint { roles = { { name = "x",
        permissions = { { uri = "com.a", disclose = { caller = "yes" } } } } } })
  end)
end)
