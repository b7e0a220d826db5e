-- Authentication on a real Crossbar.io: each method that it has, with the right secret and without
-- it. The secrets are those of AUTH in crossbar.py.
local node = dofile "tests/e2e/node.lua"
local wampy = require "wampy"
local core = require "wampy.core"

local KEY = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"

describe("Crossbar.io lets in", function()
  local url

  setup(function()
    url = node.start "auth"
  end)

  teardown(node.stop)

  -- Joins, and calls itself: an authenticated session is a session like others.
  local function joins(auth, roles)
    local client <close> = wampy.Client { url = url, auth = auth, roles = roles }:start()
    client:register("com.example.echo", function(x) return x end)
    assert.equal(7, client:call("com.example.echo", 7))
    local s = client.session
    return { s.authid, s.authrole, s.authmethod, s.authprovider }
  end

  local function refused(auth, roles)
    local client = wampy.Client { url = url, auth = auth, roles = roles }
    local ok, e = pcall(client.start, client)
    assert.is_false(ok)
    assert.is_true(wampy.is_error(e, wampy.errors.AuthenticationError), tostring(e))
    assert.is_string(e.uri) -- it was the router who refused
  end

  it("who has the ticket", function()
    assert.same({ "joe", "user", "ticket", "static" },
      joins { authid = "joe", ticket = "ticket of joe" })
    refused { authid = "joe", ticket = "ticket of ann" }
    refused { authid = "ann", ticket = "ticket of joe" }
  end)

  it("who has the secret of wampcra, plain or salted", function()
    assert.same({ "joe", "user", "wampcra", "static" },
      joins { authid = "joe", secret = "secret of joe" })
    assert.same({ "sally", "user", "wampcra", "static" },
      joins { authid = "sally", secret = "secret of sally" })
    refused { authid = "joe", secret = "secret of sally" }
    refused { authid = "sally", secret = "secret of joe" }
  end)

  it("who has the secret, with roles as wampy writes them", function()
    local roles = { authmethods = { "wampcra" }, authid = "sally", roles = { subscriber = {},
      publisher = {}, callee = { shared_registration = true }, caller = {} } }
    assert.same({ "sally", "user", "wampcra", "static" },
      joins({ secret = "secret of sally" }, roles))
    refused({ secret = "secret of joe" }, roles)
  end)

  it("who has the private key of cryptosign", function()
    assert.same({ "joe", "user", "cryptosign", "static" }, joins { private_key = KEY })
    assert.same({ "joe", "user", "cryptosign", "static" },
      joins { authid = "joe", private_key = KEY })
    refused { authid = "joe", private_key = KEY:reverse() }
  end)

  it("who has the password of scram, its own kind", function()
    if not core.auth_has_argon2 then return pending("this build has no Argon2") end
    assert.same({ "user", "user", "scram", "static" },
      joins { authid = "user", password = "pencil", methods = { "scram" } })
    refused { authid = "user", password = "pen", methods = { "scram" } }
  end)

  it("who has the ticket among the methods that it offers", function()
    assert.same({ "joe", "user", "ticket", "static" }, joins {
      authid = "joe", ticket = "ticket of joe", methods = { "ticket", "wampcra" } })
  end)

  it("nobody else", function()
    refused()
    refused(nil, { authmethods = { "anonymous" } })
  end)
end)
