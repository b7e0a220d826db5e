-- config_spec: Crossbar.io configurations, and the embedded router that follows them.
local wampy = require "wampy"
local config = require "wampy.config"
local core = require "wampy.core"
local pair = dofile "tests/spec/pair.lua"
local options = wampy.options

-- A configuration that is right, as text; `edit` changes it.
local function example(edit)
  local t = core.json_decode [[ {
    "version": 2,
    "workers": [ {
      "type": "router",
      "realms": [ { "name": "realm1", "roles": [
        { "name": "anonymous", "permissions": [
          { "uri": "com.open.", "match": "prefix",
            "allow": { "call": true, "register": true, "publish": true, "subscribe": true } },
          { "uri": "com.listen", "match": "exact", "allow": { "subscribe": true } },
          { "uri": "com.short.*", "allow": { "call": true, "register": true } } ] } ] } ],
      "transports": [ { "type": "websocket", "endpoint": { "type": "tcp", "port": 9000 } } ]
    } ] } ]]
  if edit then edit(t, t.workers[1]) end
  return t
end

local function read(edit, name)
  local warnings = {}
  local result = config.read(example(edit), name or "f.json", function(text)
    warnings[#warnings + 1] = text
  end)
  return result, warnings
end

local function refusal(edit)
  return pair.complaint(read, edit)
end

describe("a configuration", function()
  it("is read", function()
    local result, warnings = read()
    assert.same({}, warnings)
    assert.same({ { listen = "ws://127.0.0.1:9000/", url = "ws://127.0.0.1:9000/" } },
      result.transports)
    assert.equal("realm1", result.realms[1].name)
    local role = result.realms[1].roles[1]
    assert.equal("anonymous", role.name)
    assert.same({ uri = "com.open.", match = "prefix", call = true, register = true, publish = true,
      subscribe = true, force_reregister = true }, role.permissions[1])
    assert.same({ uri = "com.listen", match = "exact", subscribe = true }, role.permissions[2])
    assert.same({ uri = "com.short.", match = "prefix", call = true, register = true,
      force_reregister = true }, role.permissions[3])
  end)

  it("gives force_reregister with register, unless it says otherwise", function()
    local function permission(allow)
      return read(function(_, w)
        w.realms[1].roles[1].permissions[1] = { uri = "com.a", allow = allow }
      end).realms[1].roles[1].permissions[1].force_reregister
    end
    assert.is_true(permission { register = true })
    assert.is_nil(permission { call = true })
    assert.is_false(permission { register = true, force_reregister = false })
  end)

  it("says where to listen, and where an app finds it", function()
    local function transport(t)
      return read(function(_, w) w.transports[1] = t end).transports[1]
    end
    assert.same({ listen = "ws://0.0.0.0:9/", url = "ws://127.0.0.1:9/" }, transport {
      type = "websocket", endpoint = { type = "tcp", interface = "0.0.0.0", port = 9 } })
    assert.same({ listen = "ws://127.0.0.1:9/", url = "ws://public.example/ws" }, transport {
      type = "websocket", url = "ws://public.example/ws", endpoint = { type = "tcp", port = 9 } })
    assert.same({ listen = "ws://[::1]:9/", url = "ws://[::1]:9/" }, transport {
      type = "websocket", endpoint = { type = "tcp", interface = "::1", port = 9 } })
    assert.same({ listen = "ws://127.0.0.1:9/ws", url = "ws://127.0.0.1:9/ws",
      routes = { { kind = "websocket", path = "/ws" } } }, transport {
      type = "web", endpoint = { type = "tcp", port = 9 },
      paths = { ws = { type = "websocket" } } })
    assert.same({ listen = "ws+unix:///tmp/x.sock", url = "ws+unix:///tmp/x.sock" }, transport {
      type = "websocket", endpoint = { type = "unix", path = "/tmp/x.sock" } })
  end)

  it("may keep histories, of a hundred events each unless it says otherwise", function()
    local function histories(store)
      return read(function(_, w) w.realms[1].store = store end).realms[1].histories
    end
    assert.same({}, histories { type = "memory" })
    assert.same({ { uri = "com.a", match = "exact", limit = 100 },
      { uri = "com.", match = "prefix", limit = 7 } }, histories { type = "memory",
      ["event-history"] = wampy.array { { uri = "com.a" },
        { uri = "com.", match = "prefix", limit = 7 } } })
    assert.equal(9, histories { type = "memory", limit = 9,
      ["event-history"] = wampy.array { { uri = "com.a" } } }[1].limit)
  end)

  it("may give permissions a trust level", function()
    local result = read(function(_, w) w.realms[1].roles[1].permissions[1].trust = 0 end)
    assert.equal(0, result.realms[1].roles[1].permissions[1].trust)
    assert.is_nil(result.realms[1].roles[1].permissions[2].trust)
  end)

  it("gives a transport with TLS, whose files are beside it", function()
    local result = read(function(_, w)
      w.transports[1].endpoint.tls = { certificate = "c.pem", key = "/etc/k.pem",
        chain_certificates = wampy.array { "chain/1.pem" }, ca_certificates = wampy.array { "ca" } }
    end, "conf/f.json")
    assert.matches("^wss://", result.transports[1].listen)
    assert.matches("^wss://", result.transports[1].url)
    assert.same({ cert = "conf/c.pem", key = "/etc/k.pem", chain = { "conf/chain/1.pem" },
      cas = { "conf/ca" } }, result.transports[1].tls)
  end)

  it("warns of what it ignores", function()
    local _, warnings = read(function(t, w)
      t.extra = 1
      w.options = {}
      w.realms[1].bridges = {}
      w.realms[1].store = { type = "memory", cache = 1 }
      w.realms[1].roles[1].permissions[1].strange = true
      w.transports[1].endpoint.tls = { certificate = "c", key = "k", dhparam = "d" }
      w.transports[2] = { type = "mqtt" }
      t.workers[2] = { type = "guest" }
    end)
    table.sort(warnings)
    assert.same({
      "f.json.extra is not supported and ignored",
      "f.json.workers[0].options is not supported and ignored",
      "f.json.workers[0].realms[0].bridges is not supported and ignored",
      "f.json.workers[0].realms[0].roles[0].permissions[0].strange is not supported and ignored",
      "f.json.workers[0].realms[0].store.cache is not supported and ignored",
      "f.json.workers[0].transports[0].endpoint.tls.dhparam is not supported and ignored",
      "f.json.workers[0].transports[1] (type mqtt) is not supported and ignored",
      "f.json.workers[1] (type guest) is not supported and ignored",
    }, warnings)
  end)

  describe("is refused, with the path,", function()
    local function first_permission(w) return w.realms[1].roles[1].permissions[1] end
    local function trust(value)
      return function(_, w) first_permission(w).trust = value end
    end
    local function store(t) return function(_, w) w.realms[1].store = t end end
    local function history(...)
      return store { type = "memory", ["event-history"] = wampy.array { ... } }
    end
    local at = "f.json.workers[0].realms[0].store"
    local cases = {
      { "f.json.workers[0].realms[0].roles[0].permissions[0].trust: expected an integer from 0 to "
        .. "2147483647, got -1", trust(-1) },
      { "f.json.workers[0].realms[0].roles[0].permissions[0].trust: expected an integer from 0 to "
        .. "2147483647, got high", trust "high" },
      { at .. ": expected an object, got string", store "memory" },
      { at .. ".type: expected memory, got nil", store {} },
      { at .. ".type: expected memory, got zlmdb", store { type = "zlmdb" } },
      { at .. ".limit: expected an integer from 1 to 100000, got 0",
        store { type = "memory", limit = 0 } },
      { at .. ".event-history: expected a list",
        store { type = "memory", ["event-history"] = { uri = "x" } } },
      { at .. ".event-history[0]: expected an object, got string", history "com.a" },
      { at .. ".event-history[0].uri: expected a string, got nothing", history {} },
      { at .. '.event-history[0].uri: invalid URI "a b"', history { uri = "a b" } },
      { at .. ".event-history[0].uri: the router's own events have no history",
        history { uri = "wamp.session.", match = "prefix" } },
      { at .. ".event-history[0].match: expected exact, prefix or wildcard, got 1",
        history { uri = "com.a", match = 1 } },
      { at .. ".event-history[1].limit: expected an integer from 1 to 100000, got 100001",
        history({ uri = "com.a" }, { uri = "com.b", limit = 100001 }) },
      { at .. ".event-history[0].limit: expected an integer from 1 to 100000, got 1.5",
        history { uri = "com.a", limit = 1.5 } },
      { at .. ".event-history[1]: is there twice, also as [0]",
        history({ uri = "com.a" }, { uri = "com.a", match = "exact" }) },
      { "f.json.version: expected 2, got 3", function(t) t.version = 3 end },
      { "f.json.workers: expected a list", function(t) t.workers = nil end },
      { "f.json.workers: expected a list", function(t) t.workers = {} end },
      { "f.json.workers[0]: expected an object, got number", function(t) t.workers[1] = 7 end },
      { "f.json.workers[0]: expected an object, got a list",
        function(t) t.workers[1] = wampy.array {} end },
      { "f.json.workers[0].realms: expected a list", function(_, w) w.realms = nil end },
      { "f.json.workers[0].realms[0].name: expected a string, got nothing",
        function(_, w) w.realms[1].name = nil end },
      { 'f.json.workers[0].realms[0].name: invalid realm "a b"',
        function(_, w) w.realms[1].name = "a b" end },
      { "f.json.workers[0].realms[0].roles: expected a list",
        function(_, w) w.realms[1].roles = nil end },
      { "f.json.workers[0].realms[0].roles[0].name: expected a string, got number",
        function(_, w) w.realms[1].roles[1].name = 1 end },
      { "f.json.workers[0].realms[0].roles[0].permissions: expected a list",
        function(_, w) w.realms[1].roles[1].permissions = "all" end },
      { "f.json.workers[0].realms[0].roles[0].permissions[0].uri: expected a string, got nothing",
        function(_, w) first_permission(w).uri = nil end },
      { "f.json.workers[0].realms[0].roles[0].permissions[0].match: expected exact, prefix or "
        .. "wildcard, got suffix", function(_, w) first_permission(w).match = "suffix" end },
      { 'f.json.workers[0].realms[0].roles[0].permissions[0].allow: unknown action "cal"',
        function(_, w) first_permission(w).allow.cal = true end },
      { "f.json.workers[0].realms[0].roles[0].permissions[0].allow.call: expected a boolean, got "
        .. "string", function(_, w) first_permission(w).allow.call = "yes" end },
      { "f.json.workers[0].transports: expected a list", function(_, w) w.transports = nil end },
      { "f.json.workers[0].transports[0].endpoint: expected an object, got nothing",
        function(_, w) w.transports[1].endpoint = nil end },
      { "f.json.workers[0].transports[0].endpoint.tls.key: expected a string, got nothing",
        function(_, w) w.transports[1].endpoint.tls = { certificate = "c" } end },
      { "f.json.workers[0].transports[0].endpoint.tls.chain_certificates: expected a list",
        function(_, w)
          w.transports[1].endpoint.tls = { certificate = "c", key = "k", chain_certificates = "x" }
        end },
      { "f.json.workers[0].transports[0].endpoint.type: expected tcp or unix, got udp",
        function(_, w) w.transports[1].endpoint.type = "udp" end },
      { "f.json.workers[0].transports[0].endpoint.port: expected a port from 0 to 65535, got 70000",
        function(_, w) w.transports[1].endpoint.port = 70000 end },
      { "f.json.workers[0].transports[0].endpoint.port: expected a port from 0 to 65535, got 1.0",
        function(_, w) w.transports[1].endpoint.port = 1.0 end },
      { "f.json: no realm in any worker of type router", function(_, w) w.type = "proxy" end },
      { "f.json: no realm in any worker of type router",
        function(_, w) w.realms = wampy.array {} end },
      { "f.json: no transport of type websocket, web, rawsocket or universal",
        function(_, w) w.transports[1].type = "mqtt" end },
    }
    for i, case in ipairs(cases) do
      it(("case %d: %s"):format(i, case[1]), function()
        assert.equal(case[1], refusal(case[2]))
      end)
    end

    it("when it is no object", function()
      assert.matches("^f%.json: expected an object",
        pair.complaint(config.read, "text", "f.json", print))
      assert.matches("^f%.json: expected an object, got a list",
        pair.complaint(config.read, wampy.array {}, "f.json", print))
    end)
  end)

  describe("file", function()
    local path
    before_each(function() path = os.tmpname() end)
    after_each(function() os.remove(path) end)

    local function write(text)
      local file = assert(io.open(path, "wb"))
      file:write(text)
      file:close()
    end

    it("is loaded", function()
      write(core.json_encode(example()))
      assert.equal("realm1", config.load(path).realms[1].name)
    end)

    it("that is no JSON is refused, with its name and the place", function()
      write('{ "version": 2, }')
      local text = pair.complaint(config.load, path)
      assert.equal(path .. ": not JSON: ", text:sub(1, #path + 11 + 1))
      assert.matches("at byte %d+$", text)
      write("")
      assert.matches("not JSON", pair.complaint(config.load, path))
    end)

    it("that is not there is refused, with its name", function()
      local text = pair.complaint(config.load, path .. ".none")
      assert.is_truthy(text:find(path .. ".none", 1, true))
    end)
  end)
end)

describe("the transports of a configuration", function()
  local tcp = { type = "tcp", port = 9 }
  local at = "f.json.workers[0].transports[0]"

  -- All of them, and what was warned of.
  local function transports(...)
    local given = wampy.array { ... }
    local result, warnings = read(function(_, w)
      w.transports = given
      w.realms[1].roles[2] = { name = "user" }
    end)
    return result.transports, warnings, result.principals
  end

  -- The only one, with nothing else to say.
  local function only(t)
    local found, warnings = transports(t)
    assert.same({}, warnings)
    assert.equal(1, #found)
    return found[1]
  end

  it("have Unix sockets beside the file, as Crossbar.io has", function()
    local found = only { type = "rawsocket", endpoint = { type = "unix", path = "router.sock" } }
    assert.equal("rs+unix://" .. core.real_path(".") .. "/router.sock", found.listen)
    local result, e = pcall(transports, { type = "rawsocket",
      endpoint = { type = "unix", path = "no/such/router.sock" } })
    assert.is_false(result)
    assert.matches("endpoint.path: there is no folder no/such/$", e.message or e)
  end)

  it("may be of RawSocket, on tcp, TLS and unix", function()
    assert.same({ listen = "rs://127.0.0.1:9", url = "rs://127.0.0.1:9" },
      only { type = "rawsocket", endpoint = tcp })
    assert.same({ listen = "rs+unix:///s", url = "rs+unix:///s", serializers = { "cbor", "json" },
      max_message_size = 4096 }, only { type = "rawsocket", endpoint = { type = "unix",
        path = "/s" }, serializers = wampy.array { "cbor", "ubjson", "json" },
        options = { max_message_size = 4096 } })
    assert.equal("rss://0.0.0.0:9", only { type = "rawsocket", endpoint = { type = "tcp",
      interface = "0.0.0.0", port = 9, tls = { certificate = "c", key = "k" } } }.listen)
  end)

  it("may be universal: both on one port", function()
    local function route(path) return { { kind = "websocket", path = path } } end
    assert.same({ listen = "universal+ws://127.0.0.1:9/ws", url = "ws://127.0.0.1:9/ws",
      routes = route "/ws", parts = { { door = 1 } }, raw_part = 1 },
      only { type = "universal", endpoint = tcp, rawsocket = {},
        websocket = { ws = { type = "websocket" } } })
    assert.same({ listen = "universal+ws+unix:///s", url = "ws+unix:///s", routes = route "/",
      parts = { { door = 1 } }, raw_part = 1 },
      only { type = "universal", endpoint = { type = "unix", path = "/s" }, rawsocket = {},
        web = { paths = { ["/"] = { type = "websocket" } } } })
    assert.equal("rs://127.0.0.1:9", only { type = "universal", endpoint = tcp, rawsocket = {} }
      .listen)
    assert.equal("ws://127.0.0.1:9/x", only { type = "universal", endpoint = tcp,
      websocket = { x = { type = "websocket" } } }.listen)
    assert.same({ listen = "universal+ws://127.0.0.1:9/", url = "rs://127.0.0.1:9",
      routes = { { kind = "files", path = "/", directory = "/tmp" } } }, only { type = "universal",
        endpoint = tcp, rawsocket = {}, web = { paths = { ["/"] = { type = "static",
          directory = "/tmp" } } } })
  end)

  it("have rules for each part of a port", function()
    local found = only { type = "universal", endpoint = tcp,
      rawsocket = { options = { max_message_size = 1000 } },
      websocket = { x = { type = "websocket", options = { max_message_size = 2000 } } } }
    assert.equal(2000, found.max_message_size)
    assert.equal(1000, found.parts[found.raw_part].max_message_size)
  end)

  it("may be several, each for its own people", function()
    local function auth(role) return { anonymous = { type = "static", role = role } } end
    local found, warnings, principals = transports(
      { type = "websocket", endpoint = tcp, auth = auth "user" },
      { type = "rawsocket", endpoint = { type = "tcp", port = 10 }, auth = auth "user" },
      { type = "rawsocket", endpoint = { type = "tcp", port = 11 }, auth = auth "anonymous" },
      { type = "rawsocket", endpoint = { type = "tcp", port = 12 } })
    assert.same({}, warnings)
    local doors, stores = {}, {}
    for i, place in ipairs(found) do doors[i] = place.door or 0 end
    assert.same({ 0, 1, 2, 3 }, doors)
    for i, p in ipairs(principals) do stores[i] = { p.method, p.role, p.store } end
    assert.same({ { "anonymous", "user", 0 }, { "anonymous", "anonymous", 1 } }, stores)
  end)

  it("may bound their connections", function()
    local function limited(n)
      return only { type = "websocket", endpoint = tcp, max_connections = n }
    end
    assert.equal(7, limited(7).max_connections)
    assert.is_nil(limited(nil).max_connections)
    assert.equal(at .. ".max_connections: expected an integer from 1 to 2147483647, got 0",
      pair.complaint(limited, 0))
  end)

  it("are not opened for serializers that there are not", function()
    local found, warnings = transports({ type = "rawsocket", endpoint = tcp,
      serializers = wampy.array { "ubjson" } }, { type = "websocket", endpoint = tcp })
    assert.equal(1, #found)
    assert.equal(at .. ".serializers: none of these is available", warnings[1])
  end)

  it("are refused for wrong options, with the path", function()
    local function says(text, t)
      assert.equal(at .. text, pair.complaint(transports, t))
    end
    says(".options.max_message_size: expected bytes from 0 to 67108864, got -1",
      { type = "rawsocket", endpoint = tcp, options = { max_message_size = -1 } })
    says(".serializers: expected a list", { type = "rawsocket", endpoint = tcp,
      serializers = "json" })
    says(".rawsocket: expected an object, got number", { type = "universal", endpoint = tcp,
      rawsocket = 1 })
    says(".endpoint: expected an object, got nothing", { type = "rawsocket" })
  end)

  it("are all opened by the embedded router, with their limits", function()
    local router <close> = wampy.routers.Embedded { config = example(function(_, w)
      w.transports = wampy.array {
        { type = "rawsocket", endpoint = { type = "tcp", port = 0 },
          options = { max_message_size = 8192 } },
        { type = "universal", endpoint = { type = "tcp", port = 0 }, rawsocket = {},
          websocket = { ws = { type = "websocket" } } } }
    end) }:start()
    assert.matches("^rs://", router.urls[1])
    assert.matches("^ws://.*/ws$", router.urls[2])
    local raw = router.urls[2]:gsub("^ws(.*)/ws$", "rs%1")
    for _, url in ipairs { router.urls[1], router.urls[2], raw } do
      local c <close> = wampy.Client { url = url }:start()
      c:register("com.open.f", function(text) return #text end)
      assert.equal(5, c:call("com.open.f", "hello"))
    end
    local c <close> = wampy.Client { url = router.urls[1] }:start()
    assert.matches("larger than", pair.complaint(c.call, c, "com.open.f", ("x"):rep(8192)))
  end)
end)

describe("the embedded router", function()
  it("refuses fields and realms that cannot be", function()
    assert.equal('Embedded: unknown field "relm"; did you mean realm?',
      pair.complaint(wampy.routers.Embedded, { relm = "x" }))
    assert.matches("invalid realm", pair.complaint(wampy.routers.Embedded, { realm = "a b" }))
  end)

  it("starts twice as once, stops twice, and starts again", function()
    local router = pair.router()
    assert.equal(router, router:start())
    router:stop()
    router:stop()
    assert.matches("not started", pair.complaint(router.server, router))
    router:start()
    local c <close> = pair.client(router):start()
    assert.equal(1, router:stats().sessions)
    c:stop()
    router:stop()
  end)

  it("listens on a free port, on several, and says what is wrong with a bad one", function()
    local router <close> = wampy.routers.Embedded { listen = { "127.0.0.1:0", "127.0.0.1:0" } }
      :start()
    assert.equal(2, #router.urls)
    assert.are_not.equal(router.urls[1], router.urls[2])
    assert.equal(router.url, router.urls[1])
    local second = wampy.routers.Embedded { listen = "127.0.0.1:" .. router.port }
    local e = pair.failure(second.start, second)
    assert.is_true(wampy.is_error(e, wampy.errors.ConnectionError))
    local bad = wampy.routers.Embedded { listen = "nonsense:port:x" }
    assert.is_true(wampy.is_error(pair.failure(bad.start, bad)))
  end)

  describe("with permissions", function()
    local router, server, client

    before_each(function()
      router = pair.router { config = example() }
      server = pair.client(router):start()
      client = pair.client(router):start()
    end)
    after_each(function()
      client:stop()
      server:stop()
      router:stop()
    end)

    local function not_authorized(fn, ...)
      local e = pair.failure(fn, ...)
      assert.equal("wamp.error.not_authorized", e.uri)
      assert.is_true(e:is(wampy.errors.RemoteError))
    end

    it("allows what is allowed", function()
      server:register("com.open.f", function() return 1 end)
      assert.equal(1, client:call("com.open.f"))
      local heard = wampy.queue()
      server:subscribe("com.open.t", function(v) heard:put(v) end)
      client:publish("com.open.t", 5)
      assert.equal(5, heard:get(pair.PATIENCE))
      server:subscribe("com.listen", print)
      server:register("com.short.x", function() return 2 end)
      assert.equal(2, client:call("com.short.x"))
    end)

    it("refuses everything else, and the session goes on", function()
      not_authorized(client.call, client, "com.closed.f")
      not_authorized(server.register, server, "com.closed.f", print)
      not_authorized(server.subscribe, server, "com.closed.t", print)
      not_authorized(client.publish, "com.closed.t", 1, options { acknowledge = true })
      not_authorized(client.publish, "com.listen", 1, options { acknowledge = true })
      not_authorized(client.call, client, "com.listen")
      not_authorized(server.subscribe, server, "com.short.x", print)
      client:publish("com.closed.t", 1)
      server:register("com.open.f", function() return 1 end)
      assert.equal(1, client:call("com.open.f"))
      assert.is_true(client.connected)
    end)

    it("knows only the realms of its configuration", function()
      local other = pair.client(router, { realm = "realm2" })
      assert.equal("wamp.error.no_such_realm", pair.failure(other.start, other).uri)
    end)
  end)
end)
