-- transports_spec: what a client and a router may be asked for on the way of their messages:
-- compression, proxies, cookies. tests/unit has the bytes, tests/e2e test_proxy.py and
-- test_transports.py the sockets.
local wampy = require "wampy"
local cli = require "wampy.cli"
local cookies = require "wampy.cookies"
local core = require "wampy.core"
local proxy = require "wampy.proxy"
local pair = dofile "tests/spec/pair.lua"

describe("compression", function()
  -- Asks a router with these fields for an echo, by a client with those.
  local function echo(router_fields, client_fields)
    router_fields.listen = "ws://127.0.0.1:0"
    local router <close> = wampy.routers.Embedded(router_fields):start()
    client_fields.url = router.url
    local client <close> = wampy.Client(client_fields):start()
    client:register("com.echo", function(...) return ... end)
    for _, text in ipairs { "", ("much of the same; "):rep(100000), ("ä"):rep(63) } do
      assert.equal(text, client:call("com.echo", text))
    end
  end

  it("is a field of either side, and nothing is lost where the other does not know it", function()
    for _, format in ipairs { "json", "cbor", "json.batched" } do
      echo({ compress = true }, { compress = true, serializers = { format } })
    end
    echo({}, { compress = true })
    echo({ compress = true }, { compress = false })
  end)

  it("of a client is true or false", function()
    assert.equal('Client: field compress: expected a boolean, got "yes"',
      pair.complaint(wampy.Client, { compress = "yes" }))
  end)

  it("of a router without Lua is a flag, for whatever speaks HTTP", function()
    local plan = cli.parse { "router", "--compress", "--listen", "0", "--listen",
      "rs://127.0.0.1:0" }
    assert.is_true(plan.listen[1].compress)
    assert.is_nil(plan.listen[2].compress)
    assert.is_nil(cli.parse { "router", "--listen", "0" }.listen[1].compress)
  end)
end)

describe("the proxy of a client", function()
  it("is an URL of http, with or without what may be left out", function()
    assert.same({ host = "p", port = 3128 }, proxy.parse "http://p:3128")
    assert.same({ host = "p.example", port = 80 }, proxy.parse "HTTP://p.example/")
    assert.same({ host = "::1", port = 8080, user = "joe:p@ss:word" },
      proxy.parse "joe:p%40ss:word@[::1]:8080")
    assert.same({ host = "p", port = 80, user = "joe:" }, proxy.parse "http://joe@p")
  end)

  it("is refused where it is none, without showing a password", function()
    for _, text in ipairs { "", "http://", "http://p:0", "http://p:65536", "http://p:x", "p/path",
      "http://a b", "http://joe:secret@", "http://joe:secret@p:p", "::1",
    } do
      local result, fault = proxy.parse(text)
      assert.is_nil(result, text)
      assert.matches("^invalid proxy .* %(expected http://%[user:password@%]host%[:port%]%)", fault)
      assert.is_nil(fault:find("secret", 1, true))
    end
    assert.matches("spoken to by http, not https", select(2, proxy.parse "https://p"))
    assert.matches("too long", select(2, proxy.parse(("x"):rep(501) .. "@p")))
    assert.equal("Client: field proxy: expected a URL http://[user:password@]host[:port], or false,"
      .. ' got "socks5://p"', pair.complaint(wampy.Client, { proxy = "socks5://p" }))
  end)

  describe("by the environment", function()
    local getenv, environment = os.getenv, {}
    before_each(function()
      os.getenv = function(name) return environment[name] end -- luacheck: ignore
    end)
    after_each(function() os.getenv = getenv end) -- luacheck: ignore

    -- The host of the proxy for a URL; false for none.
    local function host(url, given)
      local found = proxy.of(core.parse_url(url), given)
      return found and found.host or false
    end

    it("is that of the scheme", function()
      environment = { http_proxy = "plain:1", HTTPS_PROXY = "secure:1", HTTP_PROXY = "evil:1" }
      assert.same({ "plain", "secure", "plain", "secure", false },
        { host "ws://r", host "wss://r", host "rs://r", host "rss://r", host "ws+unix:///s" })
      environment = { HTTP_PROXY = "evil:1", http_proxy = "" }
      assert.is_false(host "ws://r")
    end)

    it("loses to the field", function()
      environment = { http_proxy = "plain:1", no_proxy = "*" }
      assert.same({ "own", false }, { host("ws://localhost", "own"), host("ws://r", false) })
    end)

    it("is not for this machine, nor for what no_proxy has", function()
      environment = { http_proxy = "p",
        no_proxy = "a.example,.b.example, c.example:81 ::2 [::3]:9" }
      for _, url in ipairs { "ws://localhost", "ws://127.1.2.3:9", "ws://[::1]:9", "ws://A.example",
        "ws://x.a.example", "ws://b.example", "ws://x.b.example:80", "ws://c.example:81",
        "ws://[::2]", "ws://[::3]:9" } do
        assert.is_false(host(url), url)
      end
      for _, url in ipairs { "ws://xa.example", "ws://example", "ws://c.example:82",
        "ws://[::3]:8", "ws://localhost.example" } do
        assert.equal("p", host(url), url)
      end
    end)

    it("is named with its variable where it is wrong", function()
      environment = { https_proxy = "socks5://p" }
      assert.matches("^https_proxy: a proxy is spoken to by http, not socks5",
        pair.complaint(proxy.of, core.parse_url "wss://r"))
    end)
  end)
end)

describe("cookies", function()
  local a, b = core.parse_url "ws://a:1/x", core.parse_url "ws://a:2/x"

  it("are said to the router that set them, until it takes them back", function()
    local jar = {}
    cookies.keep(jar, a, { "id=1; Path=/; Secure", " k = v v ; HttpOnly", "no cookie", "=x", "e=" })
    assert.equal("Cookie: e=; id=1; k=v v", cookies.header(jar, a))
    assert.is_nil(cookies.header(jar, b))
    cookies.keep(jar, a, { "id=2", "k=; max-age=0", "unknown=; Max-Age=-5" })
    assert.equal("Cookie: e=; id=2", cookies.header(jar, a))
    cookies.keep(jar, a, { "id=; Max-Age=0", "e=1;Max-Age=0" })
    assert.is_nil(cookies.header(jar, a))
  end)

  it("are taken back by a date that has passed, unless an age says otherwise", function()
    local jar = {}
    cookies.keep(jar, a, { "a=1; Expires=Wed, 09 Jun 2999 10:18:14 GMT", "b=2", "c=3", "d=4" })
    cookies.keep(jar, a, { "a=2; expires=Tue, 09-Jun-2998 10:18:14 GMT; Path=/",
      "b=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly",
      "c=; Expires=Thu, 01-Jan-1970 00:00:01 GMT",
      "d=6; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60",
      "e=7; Expires=yesterday" })
    assert.equal("Cookie: a=2; d=6; e=7", cookies.header(jar, a))
  end)

  it("are not kept without limit", function()
    local jar, lines = {}, {}
    for i = 1, 1000 do lines[i] = ("name%d=1"):format(i) end
    cookies.keep(jar, a, lines)
    assert.equal(49, select(2, cookies.header(jar, a):gsub(";", "")))
    cookies.keep(jar, a, { "name1=; Max-Age=0", "name2=2", "other=1" })
    assert.matches("name2=2", cookies.header(jar, a))
    assert.matches("other=1$", cookies.header(jar, a))
  end)
end)
