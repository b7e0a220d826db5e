-- config_auth_spec: who may join a router, by a Crossbar.io configuration or the field `auth` of
-- the embedded one.
local wampy = require "wampy"
local config = require "wampy.config"
local core = require "wampy.core"
local pair = dofile "tests/spec/pair.lua"

local KEY = ("ab"):rep(32)

-- What follows the path of the section in the error about it.
local function refusal(auth)
  local text = pair.complaint(wampy.routers.Embedded, { auth = auth })
  return (text:gsub("^auth%.?", ""))
end

local function principals(auth)
  local list = wampy.routers.Embedded { auth = auth }.config.principals
  for _, p in ipairs(list) do p.path = nil end
  return list
end

describe("an auth section", function()
  it("is read, method by method", function()
    assert.same({
      { method = "anonymous", role = "guest" },
      { method = "cryptosign", authid = "bob", role = "user", realm = "realm1",
        secret = ("\xab"):rep(64) },
      { method = "wamp-scram", authid = "amy", role = "user", iterations = 4096,
        salt = "\x01\x02", secret = ("\xab"):rep(64) },
      { method = "wamp-scram", authid = "sue", role = "user", iterations = 3, memory = 512,
        salt = "saltsalt", secret = ("\xab"):rep(64) },
      { method = "ticket", authid = "joe", role = "user", secret = "x" },
      { method = "wampcra", authid = "ann", role = "user", secret = "y" },
      { method = "wampcra", authid = "eve", role = "user", secret = "z", salt = "s",
        iterations = 1000, keylen = 32 },
      { method = "wampcra", authid = "kim", role = "user", secret = "z", salt = "s",
        iterations = 100, keylen = 16 },
    }, principals {
      anonymous = { type = "static", role = "guest" },
      ticket = { type = "static", principals = { joe = { ticket = "x", role = "user" } } },
      wampcra = { users = { ann = { secret = "y", role = "user" },
        eve = { secret = "z", role = "user", salt = "s" },
        kim = { secret = "z", role = "user", salt = "s", iterations = 100, keylen = 16 } } },
      cryptosign = { principals = { bob = { authorized_keys = { KEY, KEY:upper() }, role = "user",
        realm = "realm1" } } },
      scram = { principals = {
        amy = { kdf = "pbkdf2", iterations = 4096, memory = 0, salt = "0102", role = "user",
          ["stored-key"] = KEY, ["server-key"] = KEY },
        sue = { kdf = "argon2id-13", iterations = 3, memory = 512, salt = "73616c7473616c74",
          role = "user", ["stored-key"] = KEY, ["server-key"] = KEY } } },
    })
  end)

  it("takes a secret from the environment", function()
    local path = assert(os.getenv("PATH"))
    assert.equal(path, principals {
      ticket = { principals = { joe = { ticket = "$PATH", role = "user" } } } }[1].secret)
    assert.equal("ticket.principals.joe.ticket: the environment variable WAMPY_NO_SUCH is not set",
      refusal { ticket = { principals = { joe = { ticket = "$WAMPY_NO_SUCH", role = "user" } } } })
  end)

  it("makes keys of a password, under a salt of their own", function()
    local scram = { principals = { a = { password = "pencil", role = "user" },
      b = { password = "pencil", role = "user" },
      c = { password = "pencil", role = "user", iterations = 4096, salt = "0102" } } }
    local a, b, c = table.unpack(principals { scram = scram })
    assert.equal(4096, a.iterations)
    assert.equal(16, #a.salt)
    assert.are_not.equal(a.salt, b.salt)
    assert.are_not.equal(a.secret, b.secret)
    assert.equal(core.auth_scram_keys(core.auth_pbkdf2("pencil", "\1\2", 4096)), c.secret)
  end)

  describe("is refused, with the path and without the value,", function()
    local function ticket(t) return { ticket = { principals = { joe = t } } } end
    local function cra(t) return { wampcra = { users = { ann = t } } } end
    local function sign(t) return { cryptosign = { principals = { bob = t } } } end
    local function scram(t)
      local all = { kdf = "pbkdf2", iterations = 4096, memory = 0, salt = "0102", role = "user",
        ["stored-key"] = KEY, ["server-key"] = KEY }
      for k, v in pairs(t) do all[k] = v end
      return { scram = { principals = { amy = all } } }
    end
    local at_joe, at_ann = "ticket.principals.joe", "wampcra.users.ann"
    local at_bob, at_amy = "cryptosign.principals.bob", "scram.principals.amy"
    local methods = "anonymous, cryptosign, scram, ticket, wampcra"
    local cases = {
      { ": expected an object, got string", "ticket" },
      { ": expected an object, got a list", wampy.array {} },
      { ": nobody may join: expected at least one principal", {} },
      { ": nobody may join: expected at least one principal", { ticket = { principals = {} } } },
      { ': unknown key "tiket", expected one of ' .. methods, { tiket = {} } },
      { ': unknown key "cookie", expected one of ' .. methods, { cookie = {} } },
      { "ticket: expected an object, got boolean", { ticket = true } },
      { "ticket.authenticator: expected the URI of a procedure",
        { ticket = { type = "dynamic" } } },
      { "anonymous.type: expected static or dynamic, got function",
        { anonymous = { type = "function", create = "x" } } },
      { 'ticket: unknown key "users", expected one of principals, type',
        { ticket = { users = {} } } },
      { "ticket.principals: expected an object, got nothing", { ticket = {} } },
      { "ticket.principals: expected an object, got a list",
        { ticket = { principals = wampy.array {} } } },
      { "ticket.principals: expected authids as keys, got 1",
        { ticket = { principals = { { ticket = "x", role = "user" } } } } },
      { "ticket.principals.: an authid has 1 to 1024 bytes of UTF-8 without NUL",
        { ticket = { principals = { [""] = { ticket = "x", role = "user" } } } } },
      { at_joe .. ": expected an object, got string", ticket "x" },
      { at_joe .. ".ticket: expected a string, got nothing", ticket { role = "user" } },
      { at_joe .. ".ticket: expected a string, got number", ticket { ticket = 1, role = "user" } },
      { at_joe .. ".ticket: expected a string that is not empty",
        ticket { ticket = "", role = "user" } },
      { at_joe .. ".role: expected a string, got nothing", ticket { ticket = "x" } },
      { at_joe .. ': unknown key "secret", expected one of realm, role, ticket',
        ticket { secret = "x", role = "user" } },
      { at_joe .. '.realm: there is no realm "realm2"',
        ticket { ticket = "x", role = "user", realm = "realm2" } },
      { at_ann .. ".secret: expected a string, got nothing", cra { role = "user" } },
      { at_ann .. ": iterations and keylen need a salt",
        cra { role = "user", secret = "x", iterations = 5 } },
      { at_ann .. ".iterations: expected an integer from 1 to 1000000",
        cra { role = "user", secret = "x", salt = "s", iterations = 0 } },
      { at_ann .. ".iterations: expected an integer from 1 to 1000000",
        cra { role = "user", secret = "x", salt = "s", iterations = "100" } },
      { at_ann .. ".keylen: expected an integer from 1 to 64",
        cra { role = "user", secret = "x", salt = "s", keylen = 65 } },
      { at_ann .. ".salt: expected a string that is not empty",
        cra { role = "user", secret = "x", salt = "" } },
      { at_bob .. ".authorized_keys: expected a list of public keys", sign { role = "user" } },
      { at_bob .. ".authorized_keys: expected a list of public keys",
        sign { role = "user", authorized_keys = {} } },
      { at_bob .. ".authorized_keys[1]: expected 64 hexadecimal digits",
        sign { role = "user", authorized_keys = { KEY, KEY .. "ab" } } },
      { at_bob .. ".authorized_keys[0]: expected 64 hexadecimal digits",
        sign { role = "user", authorized_keys = { 7 } } },
      { at_amy .. ".kdf: expected pbkdf2 or argon2id-13", scram { kdf = "scrypt" } },
      { at_amy .. ".iterations: expected an integer from 4096 to 1000000",
        scram { iterations = 4095 } },
      { at_amy .. ".memory: expected an integer from 8 to 262144", scram { kdf = "argon2id-13" } },
      { at_amy .. ".iterations: expected an integer from 1 to " .. core.auth_limits.work // 1000,
        scram { kdf = "argon2id-13", memory = 1000, iterations = 5000 } },
      { at_amy .. ".salt: expected 16 hexadecimal digits or more",
        scram { kdf = "argon2id13", memory = 64, iterations = 1 } },
      { at_amy .. ".salt: expected 2 to 128 hexadecimal digits", scram { salt = "012" } },
      { at_amy .. ".salt: expected 2 to 128 hexadecimal digits", scram { salt = "" } },
      { at_amy .. ".stored-key: expected 64 hexadecimal digits",
        scram { ["stored-key"] = KEY:sub(2) .. "g" } },
      { at_amy .. ".server-key: expected 64 hexadecimal digits", scram { ["server-key"] = false } },
      { at_amy .. ".password: give a password or its keys, not both", scram { password = "x" } },
      { "scram.principals.x.password: has a character that no password may have (RFC 4013)",
        { scram = { principals = { x = { password = "a\tb", role = "user" } } } } },
    }
    for i, case in ipairs(cases) do
      it(("case %d: %s"):format(i, case[1]), function() assert.equal(case[1], refusal(case[2])) end)
    end
  end)
end)

describe("a configuration with auth", function()
  -- A configuration with one role, and what the transport and its auth are.
  local function read(transport, warnings)
    local t = core.json_decode [[ { "version": 2, "workers": [ { "type": "router",
      "realms": [ { "name": "realm1", "roles": [ { "name": "user", "permissions": [] } ] },
                  { "name": "realm2", "roles": [ { "name": "admin", "permissions": [] } ] } ],
      "transports": [ 0 ] } ] } ]]
    t.workers[1].transports[1] = core.json_decode(transport)
    return config.read(t, "f.json", function(text) table.insert(warnings or {}, text) end)
  end
  local endpoint = '"endpoint": { "type": "tcp", "port": 9000 }'
  local function websocket(auth, warnings)
    return read(('{ "type": "websocket", %s, "auth": %s }'):format(endpoint, auth), warnings)
  end
  local at = "f.json.workers[0].transports[0]"

  it("is read, of a transport and of a path", function()
    local warnings = {}
    local auth = '{ "ticket": { "type": "static", "principals": { "joe": { "ticket": "x", '
      .. '"role": "user" } } } }'
    assert.equal("joe", websocket(auth, warnings).principals[1].authid)
    assert.same({}, warnings)
    local web = ('{ "type": "web", %s, "paths": { "/": { "type": "static" }, "ws": '
      .. '{ "type": "websocket", "auth": %s }, "ws2": { "type": "websocket" } } }'):format(
      endpoint, auth)
    assert.equal(at .. ".paths.ws.auth.ticket.principals.joe",
      read(web, warnings).principals[1].path)
    assert.same({ at .. ".paths./ (type static) is not supported and ignored" }, warnings)
    assert.same({}, read(('{ "type": "websocket", %s }'):format(endpoint)).principals)
  end)

  it("is each transport's own, and each part's; the same people are a store once", function()
    local function ticket(name)
      return ('"auth": { "ticket": { "principals": { %q: { "ticket": "x", "role": "user" } } } }')
        :format(name)
    end
    local result = read(('{ "type": "universal", %s, "rawsocket": { %s }, "websocket": { '
      .. '"a": { "type": "websocket", %s }, "b": { "type": "websocket", %s } }, '
      .. '"web": { "paths": { "c": { "type": "websocket" } } } }'):format(endpoint, ticket "joe",
        ticket "ann", ticket "joe"))
    local names = {}
    for i, p in ipairs(result.principals) do names[i] = { p.authid, p.store } end
    assert.same({ { "ann", 0 }, { "joe", 1 } }, names)
    assert.same({ { name = "127.0.0.1:9000/a", store = 0 },
      { name = "127.0.0.1:9000/b", store = 1 }, { name = "127.0.0.1:9000/c", store = 2 },
      { name = "127.0.0.1:9000 rawsocket", store = 1 },
    }, result.doors)
    local t = result.transports[1]
    assert.same({ parts = { { door = 1 }, { door = 2 }, { door = 3 } }, raw_part = 3,
      listen = "universal+ws://127.0.0.1:9000/a", url = "ws://127.0.0.1:9000/a", routes = {
        { kind = "websocket", path = "/a" }, { kind = "websocket", path = "/b", part = 1 },
        { kind = "websocket", path = "/c", part = 2 } } }, t)
  end)

  it("has ways in with names of their own, also where any free port is taken", function()
    local any = '{ "type": "rawsocket", "endpoint": { "type": "tcp", "port": 0 } }'
    local t = core.json_decode(([[ { "workers": [ { "type": "router",
      "realms": [ { "name": "realm1", "roles": [] } ],
      "transports": [ %s, %s ] } ] } ]]):format(any, any))
    assert.same({ { name = "127.0.0.1:0 rawsocket", store = 0 },
      { name = "127.0.0.1:0 rawsocket #2", store = 0 } }, config.read(t, "f.json", print).doors)
  end)

  it("gives way to what the fields of the embedded router say, at all ways in", function()
    local t = core.json_decode [[ { "version": 2, "workers": [ { "type": "router",
      "realms": [ { "name": "realm1", "roles": [] } ],
      "transports": [ { "type": "universal", "endpoint": { "type": "tcp", "port": 0 },
        "rawsocket": {}, "websocket": { "a": { "type": "websocket" }, "b": { "type": "websocket",
          "auth": { "anonymous": { "role": "anonymous" } } } } } ] } ] } ]]
    local router <close> = wampy.routers.Embedded { config = t, auth = { ticket = { principals = {
      joe = { ticket = "x", role = "user" } } } } }:start()
    for _, url in ipairs { router.url, (router.url:gsub("/a$", "/b")),
      (router.url:gsub("^ws(.*)/a$", "rs%1")) } do
      local client <close> = wampy.Client { url = url, auth = { authid = "joe", ticket = "x" } }
      assert.equal("user", client:start().session.authrole)
      assert.matches("offers: ticket", pair.complaint(wampy.Client { url = url }.start,
        wampy.Client { url = url }))
    end
  end)

  it("is refused with its path in the file", function()
    local function complaint(auth) return pair.complaint(websocket, auth) end
    assert.equal(at .. '.auth: unknown key "tiket", expected one of anonymous, cryptosign, scram, '
      .. "ticket, wampcra", complaint '{ "tiket": {} }')
    assert.equal(at .. ".auth: expected an object, got a list", complaint "[]")
    assert.equal(at .. '.auth.anonymous.role: there is no role "anonymous" in any realm',
      complaint '{ "anonymous": { "type": "static" } }')
    local joe = '{ "ticket": { "principals": { "joe": { "ticket": "x", "role": %q, '
      .. '"realm": %q } } } }'
    local at_joe = at .. ".auth.ticket.principals.joe"
    assert.equal(at_joe .. '.role: there is no role "user" in realm "realm2"',
      complaint(joe:format("user", "realm2")))
    assert.equal(at_joe .. '.realm: there is no realm "realm3"',
      complaint(joe:format("user", "realm3")))
    assert.equal(at .. ".auth: belongs to a path of type websocket",
      pair.complaint(read, ('{ "type": "web", %s, "auth": {}, "paths": {} }'):format(endpoint)))
  end)
end)

describe("the embedded router with auth", function()
  local PRIVATE = ("4d"):rep(32)
  local PUBLIC = core.auth_hex(core.auth_public_key(core.auth_unhex(PRIVATE, 32)))
  local auth = {
    anonymous = { role = "guest" },
    ticket = { principals = { joe = { ticket = "t1", role = "user" } } },
    wampcra = { users = { ann = { secret = "s1", role = "user" },
      eve = { secret = "s2", role = "admin", salt = "salt123", iterations = 100, keylen = 16 } } },
    cryptosign = { principals = { bob = { authorized_keys = { PUBLIC }, role = "user" } } },
    scram = { principals = { amy = { password = "pencil", role = "user" },
      sue = { password = "pencil", role = "user", kdf = "argon2id-13", iterations = 1,
        memory = 64 } } },
  }
  local router
  before_each(function() router = pair.router { auth = auth } end)
  after_each(function() router:stop() end)

  local function joined(t)
    local c <close> = pair.client(router, { auth = t }):start()
    local s = c.session
    return { s.authid, s.authrole, s.authmethod }
  end

  it("lets principals join by every method", function()
    assert.same({ "joe", "user", "ticket" }, joined { authid = "joe", ticket = "t1" })
    assert.same({ "ann", "user", "wampcra" }, joined { authid = "ann", secret = "s1" })
    assert.same({ "eve", "admin", "wampcra" }, joined { authid = "eve", secret = "s2" })
    assert.same({ "bob", "user", "cryptosign" }, joined { authid = "bob", private_key = PRIVATE })
    assert.same({ "bob", "user", "cryptosign" }, joined { private_key = PRIVATE })
    assert.same({ "amy", "user", "wamp-scram" }, joined { authid = "amy", password = "pencil" })
    assert.same({ "sue", "user", "wamp-scram" }, joined { authid = "sue", password = "pencil" })
    assert.same("guest", joined(nil)[2])
  end)

  it("refuses all others alike", function()
    local function refused(t)
      local c = pair.client(router, { auth = t })
      local e = pair.failure(c.start, c)
      assert.is_true(wampy.is_error(e, wampy.errors.AuthenticationError))
      return e.uri
    end
    for _, t in ipairs {
      { authid = "joe", ticket = "t2" }, { authid = "nobody", ticket = "t1" },
      { authid = "ann", secret = "s2" }, { authid = "nobody", secret = "s1" },
      { authid = "eve", secret = "s1" }, { authid = "amy", password = "pen" },
      { authid = "nobody", password = "pencil" }, { authid = "ann", private_key = PRIVATE },
      { private_key = ("4e"):rep(32) },
    } do
      assert.equal("wamp.error.authentication_failed", refused(t))
    end
  end)

  it("makes the roles of a realm that has none", function()
    local c <close> = pair.client(router, { auth = { authid = "joe", ticket = "t1" } }):start()
    c:register("com.f", function() return 1 end)
    assert.equal(1, c:call("com.f"))
  end)
end)
