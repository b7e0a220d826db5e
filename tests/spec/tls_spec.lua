-- tls_spec: the fields and flags of TLS: what they may be, and which of several places wins. That
-- connections obey them is tested by tests/e2e/test_tls.py.
local wampy = require "wampy"
local cli = require "wampy.cli"
local pair = dofile "tests/spec/pair.lua"
local tls = require "wampy.tls"

describe("TLS settings of a client", function()
  local function refusal(t) return pair.complaint(wampy.Client, t) end

  it("are refused when they are not known, or of the wrong type", function()
    assert.equal('Client: tls: unknown field "ca"', refusal { tls = { ca = "x" } })
    assert.equal("Client: tls: field cert: expected a string, got true",
      refusal { tls = { cert = true } })
    assert.equal('Client: tls: field insecure: expected a boolean, got "yes"',
      refusal { tls = { insecure = "yes" } })
    assert.equal("Client: field tls: expected a table, got \"x\"", refusal { tls = "x" })
    assert.equal("Client: field cert_path: expected a string, got table",
      refusal { cert_path = {} })
  end)

  it("need a certificate and its key", function()
    assert.equal("Client: tls: cert without key; give both", refusal { tls = { cert = "c" } })
    assert.equal("Client: tls: key without cert; give both", refusal { tls = { key = "k" } })
  end)

  it("are settled one by one, with a certificate and its key together", function()
    local App = wampy.Client:extend "App"
    App.defaults = { tls = { cert = "class.pem", key = "class.key", server_name = "class" },
      cert_path = "class.ca" }
    local c = App { tls = { insecure = true, server_name = "object" } }
    assert.same({ cert = "class.pem", key = "class.key", server_name = "object", insecure = true },
      c.config.tls)
    assert.equal("class.ca", c.config.cert_path)
    assert.same({ cert = "object.pem", key = "object.key", server_name = "class" },
      App { tls = { cert = "object.pem", key = "object.key" } }.config.tls)
  end)

  it("become what the core takes", function()
    assert.same({ cas = {} }, tls.client(nil, nil))
    assert.same({ cas = { "a", "b" }, server_name = "n" },
      tls.client("a", { ca_path = "b", server_name = "n" }))
    assert.same({ cas = { "b" }, insecure = true },
      tls.client(nil, { ca_path = "b", insecure = true }))
  end)

  it("may stand in a Router object", function()
    local router = wampy.routers.Router { url = "wss://router.example", cert_path = "ca.pem" }
    assert.equal("ca.pem", router.cert_path)
    assert.equal(443, router.port)
    assert.is_true(router:can_use_tls())
    assert.equal("Router: field cert_path: expected a string, got 1",
      pair.complaint(wampy.routers.Router, { cert_path = 1 }))
  end)

  it("that name files which are not there end the first attempt", function()
    local c = wampy.Client { url = "wss://127.0.0.1:1/", cert_path = "/nonexistent/ca.pem" }
    local ok, e = pcall(c.start, c)
    assert.is_false(ok)
    assert.is_true(wampy.is_error(e, wampy.errors.ConnectionError))
    assert.equal("tls", e.transport)
    assert.equal("wss://127.0.0.1:1/: CA file /nonexistent/ca.pem: No such file or directory",
      e.message)
  end)
end)

describe("TLS settings of an embedded router", function()
  it("are checked", function()
    local function refusal(t) return pair.complaint(wampy.routers.Embedded, { tls = t }) end
    assert.equal('Embedded: tls: unknown field "insecure"', refusal { insecure = true })
    assert.equal("Embedded: tls: cert without key; give both", refusal { cert = "c" })
  end)

  it("are needed where it listens on wss", function()
    local router = wampy.routers.Embedded { listen = "wss://127.0.0.1:0/" }
    local ok, e = pcall(router.start, router)
    assert.is_false(ok)
    assert.equal("cannot listen on wss://127.0.0.1:0/: TLS needs a certificate and its key "
      .. "(two PEM files)", e.message)
    assert.has_error(function() router:server() end)
  end)
end)

describe("the flags of TLS", function()
  it("are the client's", function()
    local r = cli.parse { "run", "app.lua", "--ca", "ca", "--cert", "c", "--cert-key", "k",
      "--insecure", "--server-name", "n" }
    assert.equal("ca", r.forced.cert_path)
    assert.same({ cert = "c", key = "k", insecure = true, server_name = "n" }, r.forced.tls)
    assert.is_nil(r.router_tls)
  end)

  it("are not for workers, whose router is plain", function()
    local r = cli.parse { "run", "app.lua", "--workers", "2", "--router=wss://127.0.0.1:0/",
      "--cert", "c", "--cert-key", "k" }
    assert.equal(2, r.exit)
    assert.matches("^error: %-%-workers: their router listens on ws://", r.stderr)
  end)

  it("are the router's where run starts one on wss", function()
    local r = cli.parse { "run", "app.lua", "--router=wss://127.0.0.1:0/", "--cert", "c",
      "--cert-key", "k" }
    assert.same({ cert = "c", key = "k" }, r.router_tls)
    assert.same({}, r.forced.tls)
  end)

  it("go with router", function()
    local r = cli.parse { "router", "--listen", "wss://127.0.0.1:0/", "--cert", "c", "--cert-key",
      "k", "--ca", "ca" }
    assert.same({ cert = "c", key = "k", cas = { "ca" } }, r.listen[1].tls)
  end)

  it("want a key with a certificate", function()
    for _, verb in ipairs { { "run", "app.lua" }, { "router" } } do
      table.move({ "--cert", "c" }, 1, 2, #verb + 1, verb)
      local r = cli.parse(verb)
      assert.equal(2, r.exit)
      assert.matches("give %-%-cert and %-%-cert%-key", r.stderr)
    end
  end)
end)
