-- Authentication from the client's side: what is accepted as a credential, what HELLO offers, how
-- challenges are answered, and which routers are not believed.
local wampy = require "wampy"
local auth = require "wampy.auth"
local core = require "wampy.core"
local pair = dofile "tests/spec/pair.lua"

local KEY = "4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510"
local PUBLIC = "1adfc8bfe1d35616e64dffbd900096f23b066f914c8c2ffbb66f6075b96e116d"
local OPEN = core.parse_url("ws://router.example/")

local function client(t)
  t.url = t.url or "ws://127.0.0.1:1/"
  return wampy.Client(t)
end

-- What HELLO says, and the attempt that it begins.
local function begin(t, url)
  local c = client(t)
  local details = auth.begin(c, url)
  return details, auth.attempt(c)
end

local function attempt(t)
  return select(2, begin(t))
end

local function refusal(fn, ...)
  local e = pair.failure(fn, ...)
  assert.is_true(wampy.is_error(e, wampy.errors.AuthenticationError), tostring(e))
  return e.message
end

describe("the field auth", function()
  local function wrong(value, roles)
    return pair.complaint(client, { auth = value, roles = roles })
  end

  it("names what is wrong and what was expected", function()
    assert.matches("field auth: expected a table or a function, got string", wrong("joe"))
    assert.matches('field auth: unknown field "scret"', wrong { scret = "x" })
    assert.matches("authid, methods, allow_insecure, and one of ticket", wrong { scret = 1 })
    assert.matches("auth.secret: expected a string, got number", wrong { secret = 123456 })
    assert.matches("auth.ticket: expected a text that is not empty", wrong { ticket = "" })
    assert.matches("auth.password: expected a text", wrong { password = "\xff" })
    assert.matches("auth.allow_insecure: expected a boolean", wrong { allow_insecure = 1 })
    assert.matches("auth.methods: expected a list of methods, got string", wrong { methods = "x" })
    assert.matches("auth.methods: .* empty", wrong { methods = {} })
    assert.matches('unknown authentication method "kerberos"', wrong { methods = { "kerberos" } })
  end)

  it("takes one secret, which the methods must serve", function()
    assert.matches("give one of ticket, secret, password, private_key; .* were given",
      wrong { ticket = "a", secret = "b" })
    assert.matches("a ticket serves none of the methods wampcra",
      wrong({ ticket = "a" }, { authmethods = { "wampcra" } }))
    assert.matches("a function needs roles.authmethods", wrong(function() end))
    assert.matches("roles.authid or auth.authid, not both",
      wrong({ authid = "a" }, { authid = "b" }))
    assert.matches("roles.authmethods or auth.methods, not both",
      wrong({ methods = { "ticket" } }, { authmethods = { "ticket" } }))
  end)

  it("takes a private key as digits, as a key file's text or as its path", function()
    local path = os.tmpname()
    local text = "Crossbar.io private key\n\npublic-key-ed25519: " .. PUBLIC
      .. "\nprivate-key-ed25519: " .. KEY .. "\n"
    assert(io.open(path, "w")):write(text):close()
    for _, value in ipairs { KEY, KEY:upper(), KEY .. "\n", text, path } do
      assert.equal(PUBLIC, begin({ auth = { private_key = value } }).authextra.pubkey)
    end
    assert(io.open(path, "w")):write(KEY, "\n"):close()
    assert.equal(PUBLIC, begin({ auth = { private_key = path } }).authextra.pubkey)
    os.remove(path)
    assert.matches("do not belong together",
      wrong { private_key = "public-key-ed25519: " .. KEY .. "\nprivate-key-ed25519: " .. KEY })
  end)

  it("says what a private key may be, and not what was given", function()
    for _, value in ipairs { "12ab", KEY .. "00", KEY:sub(1, 63) .. "g", "/no/such/file", "/" } do
      local message = wrong { private_key = value }
      assert.matches("auth.private_key: ", message)
      assert.is_nil(message:find(value, 1, true) and #value > 1 or nil)
    end
  end)

  it("lets no secret into a message, the client, its config or its text", function()
    local c = client { auth = { authid = "joe", secret = "s3cr3t-of-joe" } }
    auth.begin(c)
    local seen = {}
    local function search(value, path)
      if type(value) == "string" then
        assert.is_nil(value:find("s3cr3t", 1, true), path)
      elseif type(value) == "table" and not seen[value] then
        seen[value] = true
        for k, v in next, value do
          search(k, path)
          search(v, path .. "." .. tostring(k))
        end
      end
    end
    search(c, "client")
    search(tostring(c), "tostring")
    assert.is_nil(c.config.auth)
    for _, bad in ipairs { { secret = "s3cr3t", ticket = "s3cr3t" }, { private_key = "s3cr3t" },
      { secret = "s3cr3t\xff" }, { ticket = "s3cr3t", methods = { "wampcra" } } } do
      search(wrong(bad), "message")
    end
  end)
end)

describe("the field roles", function()
  local function wrong(roles)
    return pair.complaint(client, { roles = roles })
  end

  it("is taken as wampy writes it", function()
    local details = begin { roles = {
      roles = { subscriber = {}, publisher = {}, callee = { shared_registration = true },
        caller = {} },
      authmethods = { "wampcra" }, authid = "peter",
    } }
    assert.same({ authid = "peter", authmethods = { "wampcra" } }, details)
  end)

  it("names an unknown role, feature, method or field", function()
    assert.matches('roles: unknown field "authrole"', wrong { authrole = "admin" })
    assert.matches('roles.roles: unknown role "broker"', wrong { roles = { broker = {} } })
    assert.matches('callee.features: unknown feature "telepathy"',
      wrong { roles = { callee = { features = { telepathy = true } } } })
    assert.matches('caller: unknown field "shared_registration"',
      wrong { roles = { caller = { shared_registration = true } } })
    assert.matches("roles.roles: expected a table, got string", wrong { roles = "callee" })
    assert.matches("roles.roles.callee: expected a table", wrong { roles = { callee = true } })
    assert.matches("features: expected a table", wrong { roles = { callee = { features = 1 } } })
    assert.matches("call_canceling: expected a boolean",
      wrong { roles = { callee = { features = { call_canceling = 1 } } } })
    assert.matches("at least one of", wrong { roles = {} })
    assert.matches("roles.authid: expected a string", wrong { authid = 7 })
    assert.matches("roles.authmethods%[1%]: expected a string", wrong { authmethods = { 7 } })
    assert.matches("roles.authmethods: expected a list", wrong { authmethods = "wampcra" })
  end)

  it("decides what is announced", function()
    local announce = require "wampy.announce"
    assert.is_nil(announce.roles(nil))
    assert.is_nil(announce.roles { authid = "joe" })
    local all = announce.roles { roles = { callee = {}, caller = {} } }
    assert.same(core.client_features.callee, all.callee.features)
    assert.is_nil(all.subscriber)
    local some = announce.roles { roles = { callee = { shared_registration = true,
      features = { call_canceling = true, caller_identification = false } } } }
    assert.same({ callee = { features = { call_canceling = true, shared_registration = true } } },
      some)
    assert.is_nil(announce.roles { roles = { callee = { shared_registration = false } } }
      .callee.features.shared_registration)
  end)
end)

describe("what is offered", function()
  local function offered(t)
    return begin(t).authmethods
  end

  it("follows from what is given", function()
    assert.is_nil(offered {})
    assert.is_nil(offered { auth = { authid = "joe" } })
    assert.same({ "ticket" }, offered { auth = { ticket = "x" } })
    assert.same({ "wampcra" }, offered { auth = { secret = "x" } })
    assert.same({ "wamp-scram", "wampcra" }, offered { auth = { authid = "joe", password = "x" } })
    assert.same({ "cryptosign" }, offered { auth = { private_key = KEY } })
    assert.same({ "scram" }, offered { auth = { authid = "joe", password = "x",
      methods = { "scram" } } })
    assert.same({ "anonymous" }, offered { roles = { authmethods = { "anonymous" } } })
  end)

  it("is what a class says unless the constructor does", function()
    local App = wampy.Client:extend("App")
    App.defaults = { auth = { authid = "app", secret = "of the class" } }
    local one, two = App { url = "ws://127.0.0.1:1/" },
      App { url = "ws://127.0.0.1:1/", auth = { ticket = "mine" } }
    assert.same({ authid = "app", authmethods = { "wampcra" } }, auth.begin(one))
    assert.same({ authid = "app", authmethods = { "ticket" } }, auth.begin(two))
  end)

  it("needs an authid for SCRAM and a key for cryptosign", function()
    assert.matches("SCRAM needs an authid", refusal(begin, { auth = { password = "x" } }))
    assert.matches("WAMPY_PRIVATE_KEY",
      refusal(begin, { roles = { authmethods = { "cryptosign" } } }))
  end)

  it("has a fresh nonce in each HELLO", function()
    local c = client { auth = { authid = "joe", password = "x" } }
    local one, two = auth.begin(c).authextra.nonce, auth.begin(c).authextra.nonce
    assert.not_equal(one, two)
    assert.equal(16, #core.auth_unbase64(one))
  end)

  it("has no ticket for a router in the open", function()
    local message = refusal(begin, { auth = { ticket = "t1cket" } }, OPEN)
    assert.matches("travel unencrypted to router.example: use wss://.*allow_insecure", message)
    assert.is_nil(message:find("t1cket", 1, true))
    begin({ auth = { ticket = "x", allow_insecure = true } }, OPEN)
    begin({ auth = { authid = "joe", secret = "x" } }, OPEN)
    for _, url in ipairs { "wss://router.example/", "ws://localhost/", "ws://127.0.0.2:80/",
      "ws://[::1]/", "ws+unix:///tmp/x.sock" } do
      local parsed = core.parse_url(url) -- a build without TLS does not know wss
      if parsed then begin({ auth = { ticket = "x" } }, parsed) end
    end
    assert.matches("unencrypted", refusal(begin,
      { auth = function() end, roles = { authmethods = { "ticket" } } }, OPEN))
  end)
end)

describe("an answer to a challenge", function()
  it("is given for a method that was offered only, and if there is a secret", function()
    assert.matches('asks for "ticket", which was not offered',
      refusal(auth.answer, attempt { auth = { secret = "x" } }, "ticket", {}))
    assert.matches("not offered", refusal(auth.answer, attempt {}, "wampcra", { challenge = "x" }))
    assert.matches("asks for wampcra, and there is no secret: .*WAMPYSECRET", refusal(auth.answer,
      attempt { roles = { authmethods = { "wampcra" } } }, "wampcra", { challenge = "x" }))
    assert.matches("no secret", refusal(auth.answer,
      attempt { roles = { authmethods = { "anonymous" } } }, "anonymous", {}))
  end)

  it("is the ticket itself", function()
    assert.equal("s", auth.answer(attempt { auth = { ticket = "s" } }, "ticket", {}))
  end)

  it("signs the challenge of wampcra, with the secret or what is derived from it", function()
    local a = attempt { auth = { secret = "L3L1YUE8Txlw" } }
    assert.equal("1njQtmmeYO41N5EWEzD2kAjjEKRZ5kPZt/TzpYXOzR0=",
      auth.answer(a, "wampcra", { challenge = "[1, 2, 3]" }))
    assert.equal("1njQtmmeYO41N5EWEzD2kAjjEKRZ5kPZt/TzpYXOzR0=",
      auth.answer(a, "wampcra", { challenge = "[1, 2, 3]", salt = core.null }))
    local salted = auth.answer(a, "wampcra", { challenge = "x", salt = "salt123" })
    assert.equal(salted, auth.answer(a, "wampcra", { challenge = "x", salt = "salt123",
      iterations = 1000, keylen = 32 }))
    assert.equal(core.auth_cra_sign("qzcdsr9uu/L5hnss3kjNTRe490ETgA70ZBaB5rvnJ5Y=", "x"), salted)
  end)

  it("signs 32 bytes with cryptosign, and nothing else", function()
    local a, ff = attempt { auth = { private_key = KEY } }, ("ff"):rep(32)
    assert.equal("b32675b221f08593213737bef8240e7c15228b07028e19595294678c90d11c0c"
      .. "ae80a357331bfc5cc9fb71081464e6e75013517c2cf067ad566a6b7b728e5d03" .. ff,
      auth.answer(a, "cryptosign", { challenge = ff, channel_binding = core.null }))
    for _, extra in ipairs { { challenge = "ff" }, { challenge = ff .. "00" },
      { challenge = ("gg"):rep(32) } } do
      assert.matches("not 64 hex digits", refusal(auth.answer, a, "cryptosign", extra))
    end
    assert.matches("binds to a channel", refusal(auth.answer, a, "cryptosign",
      { challenge = ff, channel_binding = "tls-unique" }))
  end)

  it("is the application's own where auth is a function", function()
    local a = attempt { roles = { authmethods = { "ticket", "x-own" } },
      auth = function(method, extra) return method .. extra.n, { tag = 1 } end }
    local signature, extra = auth.answer(a, "x-own", { n = 7 })
    assert.equal("x-own7", signature)
    assert.same({ tag = 1 }, extra)
    local function answers(fn)
      return refusal(auth.answer, attempt { roles = { authmethods = { "ticket" } }, auth = fn },
        "ticket", {})
    end
    assert.matches("function auth failed: .*broken", answers(function() error("broken") end))
    assert.matches("return a signature, got nil", answers(function() end))
    assert.matches("return a table of extra, got number", answers(function() return "s", 1 end))
  end)

  it("is refused for a challenge of wampcra that lacks something, or costs too much", function()
    local a = attempt { auth = { secret = "s3cr3t" } }
    local function cra(extra)
      local message = refusal(auth.answer, a, "wampcra", extra)
      assert.is_nil(message:find("s3cr3t", 1, true))
      return message
    end
    assert.matches("has no challenge", cra {})
    assert.matches("challenge is of type integer, not string", cra { challenge = 1 })
    assert.matches("salt is of type %w+, not string", cra { challenge = "x", salt = {} })
    assert.matches("iterations is of type float, not integer", cra { challenge = "x",
      salt = "s", iterations = 1.5 })
    assert.matches("iterations = 1000001, which is not in 1 ... 1000000", cra { challenge = "x",
      salt = "s", iterations = 1000001 })
    assert.matches("iterations = 0", cra { challenge = "x", salt = "s", iterations = 0 })
    assert.matches("keylen = 65", cra { challenge = "x", salt = "s", keylen = 65 })
    assert.matches("keylen = %-1", cra { challenge = "x", salt = "s", keylen = -1 })
  end)
end)

describe("SCRAM", function()
  local NONCE = "egVDf3DMJh0="
  local function scram(t)
    local a = attempt { auth = { authid = t and t.authid or "user", password = "pencil",
      methods = t and t.methods } }
    a.nonce = NONCE
    return a
  end
  local function challenge(t)
    local extra = { nonce = NONCE .. "SBmkFIh7sSo=", salt = "aBc+fx0NAVA=", kdf = "pbkdf2",
      iterations = 4096, memory = core.null, channel_binding = core.null }
    for k, v in pairs(t or {}) do extra[k] = v end
    return extra
  end
  local function refused(t)
    local message = refusal(auth.answer, scram(), "wamp-scram", challenge(t))
    assert.is_nil(message:find("pencil", 1, true))
    return message
  end

  it("proves that the client knows the password, and checks that the router does", function()
    local a = scram()
    local proof, extra = auth.answer(a, "wamp-scram", challenge())
    assert.equal("L1uwjEEL7BdbtlWMKxNcQ1A/CmNjct+7xdAguB/rpnA=", proof)
    assert.same({ nonce = NONCE .. "SBmkFIh7sSo=", channel_binding = core.null,
      cbind_data = core.null }, extra)
    auth.verify(a, { authextra = { verifier = "AyTAljdPHv74Zx+gn+6DqiFnl4XOZUXpC7k/pSkjBOg=" } })
    auth.verify(a, { authextra = { verifier = "v=AyTAljdPHv74Zx+gn+6DqiFnl4XOZUXpC7k/pSkjBOg=" } })
  end)

  it("derives with Argon2id where the build has it", function()
    local argon = challenge { kdf = "argon2id13", salt = "MTIzNDU2Nzg5MGFiY2RlZg==",
      iterations = 3, memory = 4096 }
    if core.auth_has_argon2 then
      assert.equal("5zLEEsBeKs8Rw1c4/wc2YoW4xS5TsXZPOBCX0Lag/JU=",
        auth.answer(scram(), "wamp-scram", argon))
    else
      assert.matches("this build does not have", refusal(auth.answer, scram(), "wamp-scram", argon))
    end
  end)

  it("does not believe a router that proves nothing, or the wrong thing", function()
    local a = scram()
    assert.matches("proves nothing: WELCOME without a challenge",
      refusal(auth.verify, scram { methods = { "wamp-scram" } }, {}))
    auth.verify(scram(), {}) -- wampcra was offered, too: it proves nothing anyway
    auth.answer(a, "wamp-scram", challenge())
    assert.matches("WELCOME has no verifier", refusal(auth.verify, a, {}))
    assert.matches("WELCOME has no verifier", refusal(auth.verify, a, { authextra = core.null }))
    assert.matches("WELCOME has no verifier", refusal(auth.verify, a, { authextra = {} }))
    assert.matches("wrong verifier", refusal(auth.verify, a,
      { authextra = { verifier = "ByTAljdPHv74Zx+gn+6DqiFnl4XOZUXpC7k/pSkjBOg=" } }))
    assert.matches("wrong verifier", refusal(auth.verify, a, { authextra = { verifier = "" } }))
  end)

  it("is refused for a nonce that is not ours continued", function()
    assert.matches("does not continue ours", refused { nonce = "other" .. NONCE })
    assert.matches("does not continue ours", refused { nonce = NONCE })
    assert.matches("does not continue ours", refused { nonce = "" })
    assert.matches("nonce is of type %w+, not string", refused { nonce = 7 })
  end)

  it("is refused for costs that are too low or too high, without paying them", function()
    assert.matches("iterations = 4095, which is not in 4096", refused { iterations = 4095 })
    assert.matches("iterations = 1000001", refused { iterations = 1000001 })
    assert.matches("has no iterations", refused { iterations = core.null })
    assert.matches("unknown kdf \"md5\"", refused { kdf = "md5" })
    assert.matches("has no kdf", refused { kdf = core.null })
    assert.matches("salt is not Base64", refused { salt = "a" })
    assert.matches("binds to a channel", refused { channel_binding = "tls-unique" })
    if not core.auth_has_argon2 then return end
    assert.matches("has no memory", refused { kdf = "argon2id13", iterations = 1 })
    assert.matches("memory = 262145", refused { kdf = "argon2id13", iterations = 1,
      memory = 262145 })
    assert.matches("iterations = 9,", refused { kdf = "argon2id13", iterations = 9,
      memory = 262144 })
    assert.matches("salt is shorter", refused { kdf = "argon2id13", iterations = 1, memory = 8,
      salt = "MTIz" })
  end)

  it("is not done for texts that SASLprep would change", function()
    assert.matches("the authid has a character that SASLprep does not allow",
      refusal(auth.answer, scram { authid = "a\tb" }, "wamp-scram", challenge()))
    assert.matches('an authid with "," or "="', refusal(auth.answer,
      scram { authid = "a,b", methods = { "scram" } }, "scram", challenge()))
  end)
end)
