-- Authentication between a client and the embedded router: all methods, with the right secret and
-- with wrong ones, and what becomes of the session.
local wampy = require "wampy"
local auth = require "wampy.auth"
local core = require "wampy.core"
local pair = dofile "tests/spec/pair.lua"

local KEY = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
local PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

local WHO = {
  ticket = { principals = { joe = { ticket = "ticket of joe", role = "user" } } },
  wampcra = { users = {
    joe = { secret = "secret of joe", role = "user" },
    sally = { secret = "secret of sally", role = "user", salt = "salt123", iterations = 1000,
      keylen = 32 },
  } },
  cryptosign = { principals = { joe = { role = "user", authorized_keys = { PUBLIC } } } },
  scram = { principals = { user = { password = "pencil", role = "user" } } },
}

if core.auth_has_argon2 then
  WHO.scram.principals.argon = { password = "pencil", role = "user", kdf = "argon2id-13",
    iterations = 1, memory = 512, salt = "30313233343536373839616263646566" }
end

describe("the embedded router lets in", function()
  local router

  setup(function() router = pair.router { auth = WHO } end)
  teardown(function() router:stop() end)

  local function joins(given, roles)
    local client <close> = pair.client(router, { auth = given, roles = roles }):start()
    client:register("com.example.echo", function(x) return x end)
    assert.equal(7, client:call("com.example.echo", 7))
    local s = client.session
    assert.equal("user", s.authrole)
    assert.equal("static", s.authprovider)
    return s.authid .. " by " .. s.authmethod
  end

  local function refused(given, roles)
    local client = pair.client(router, { auth = given, roles = roles })
    local e = pair.failure(client.start, client)
    assert.is_true(wampy.is_error(e, wampy.errors.AuthenticationError), tostring(e))
    return e.message
  end

  it("who has the ticket", function()
    assert.equal("joe by ticket", joins { authid = "joe", ticket = "ticket of joe" })
    refused { authid = "joe", ticket = "ticket of ann" }
    refused { authid = "ann", ticket = "ticket of joe" }
  end)

  it("who has the secret of wampcra, plain or salted", function()
    assert.equal("joe by wampcra", joins { authid = "joe", secret = "secret of joe" })
    assert.equal("sally by wampcra", joins { authid = "sally", secret = "secret of sally" })
    refused { authid = "joe", secret = "secret of sally" }
    refused { authid = "sally", secret = "secret of joe" }
    refused { authid = "nobody", secret = "secret of joe" }
  end)

  it("who has the private key of cryptosign", function()
    assert.equal("joe by cryptosign", joins { private_key = KEY })
    assert.equal("joe by cryptosign", joins { authid = "joe", private_key = KEY })
    refused { private_key = KEY:reverse() }
    refused { authid = "ann", private_key = KEY }
  end)

  it("who has the password of wamp-scram, whatever the derivation", function()
    assert.equal("user by wamp-scram", joins { authid = "user", password = "pencil" })
    refused { authid = "user", password = "pen" }
    if not core.auth_has_argon2 then return end
    assert.equal("argon by wamp-scram", joins { authid = "argon", password = "pencil" })
    refused { authid = "argon", password = "pen" }
  end)

  it("who answers by a function of his own", function()
    local function answer(method, extra)
      wampy.sleep(0) -- it may wait
      return core.auth_cra_sign("secret of joe", extra.challenge), { method = method }
    end
    local roles = { authid = "joe", authmethods = { "wampcra" } }
    assert.equal("joe by wampcra", joins(answer, roles))
    assert.matches("the function auth failed: .*no such luck", refused(function()
      error("no such luck")
    end, roles))
  end)

  it("nobody without a name or a method", function()
    refused()
    refused { authid = "joe" }
    refused { secret = "secret of joe" }
    refused(nil, { authmethods = { "anonymous" } })
  end)

  it("nobody without a secret, whom it tells where that is looked for", function()
    assert.matches("WAMPYSECRET", refused(nil, { authid = "joe", authmethods = { "wampcra" } }))
  end)

  it("a client again after it was refused, and once it has left", function()
    local client = pair.client(router, { auth = { authid = "user", password = "pencil" } })
    for _ = 1, 3 do
      client:start()
      assert.equal("user", client.session.authid)
      client:stop()
    end
  end)

  it("nobody by what was signed for an earlier challenge", function()
    local earlier
    local roles = { authid = "joe", authmethods = { "wampcra" } }
    assert.equal("joe by wampcra", joins(function(_, extra)
      earlier = core.auth_cra_sign("secret of joe", extra.challenge)
      return earlier
    end, roles))
    refused(function() return earlier end, roles)
  end)

  it("nobody whose answer is no answer", function()
    local roles = { authid = "joe", authmethods = { "wampcra" } }
    for _, signature in ipairs { "", "=", ("A"):rep(100000) } do
      refused(function() return signature end, roles)
    end
  end)
end)

describe("a client that meets a router with another key", function()
  it("ends the session before anything is registered", function()
    local App = wampy.Client:extend("App")
    App.echo = wampy.callee(function(_, x) return x end)
    local joined = false
    function App.on_join() joined = true end
    local router = pair.router { auth = WHO }
    local client = App { router = router, auth = { authid = "user", password = "pencil" } }
    local answer = auth.answer
    auth.answer = function(attempt, ...) -- as if the router had signed with something else
      local signature, extra = answer(attempt, ...)
      attempt.verifier = ("A"):rep(43) .. "="
      return signature, extra
    end
    local message = pair.complaint(client.start, client)
    auth.answer = answer
    assert.matches("the router does not know the password", message)
    assert.is_nil(client.session)
    assert.is_false(joined)
    assert.equal(0, router:stats().registrations)
    assert.equal(0, router:stats().sessions)
    router:stop()
  end)
end)
