-- config_web_spec: what becomes of the keys of a Crossbar.io configuration; web transports, options
-- of transports and realms; all mistakes of a file at once.
local wampy = require "wampy"
local config = require "wampy.config"
local core = require "wampy.core"
local keys = require "wampy.config_keys"
local pair = dofile "tests/spec/pair.lua"

local at = "f.json.workers[0].transports[0]"

-- Reads a configuration with one transport and one realm: what is read, and the warnings.
local function read(transport, realm)
  local warnings = {}
  local t = { version = 2, workers = wampy.array { { type = "router",
    realms = wampy.array { realm or { name = "realm1", roles = wampy.array {} } },
    transports = wampy.array { transport } } } }
  local result = config.read(t, "f.json", function(line) warnings[#warnings + 1] = line end)
  return result, warnings
end

local function websocket(options)
  return { type = "websocket", endpoint = { type = "tcp", port = 9 }, options = options }
end

local function web(paths)
  return { type = "web", endpoint = { type = "tcp", port = 9 }, paths = paths }
end

local function complaint(transport, realm) return pair.complaint(read, transport, realm) end

describe("the table of keys", function()
  it("says of each key what becomes of it", function()
    for object, known in pairs(keys) do
      for key, status in pairs(type(known) == "table" and known or {}) do
        assert.is_true(status == keys.USED or status == keys.FINE or status == keys.WARNED
          or type(status) == "string" or type(status) == "table" and status.fixed ~= nil,
          object .. "." .. key)
      end
    end
  end)

  it("is followed: what has no effect is named, or refused where it would be missed", function()
    local _, warnings = read(websocket { fail_by_drop = true, validate_utf8 = true,
      require_masked_client_frames = true, auto_ping_size = 12 })
    assert.same({}, warnings)
    _, warnings = read(websocket { max_frame_size = 65536, strange = 1, validate_utf8 = false,
      compression = { deflate = {}, bzip2 = {} } })
    assert.same({ at .. ".options.max_frame_size is ignored: it is always 0 here",
      at .. ".options.strange is not supported and ignored",
      at .. ".options.validate_utf8 is ignored: it is always true here",
      at .. ".options.compression.bzip2 is not supported and ignored" }, warnings)
    assert.equal("f.json.workers[0].realms[0].roles[0].permissions[0].validate: is not supported: "
      .. "what it would refuse would be let through", complaint(websocket(), { name = "realm1",
        roles = wampy.array { { name = "a", permissions = wampy.array { { uri = "",
          match = "prefix", validate = {} } } } } }))
  end)
end)

describe("options of a WebSocket", function()
  local function options(t)
    local found = read(websocket(t)).transports[1]
    found.listen, found.url = nil, nil
    return found
  end

  it("are in force", function()
    assert.same({}, options {})
    assert.same({ ping_interval = 0, ping_timeout = 5000, connect_timeout = 2500,
      close_timeout = 700, max_message_size = 4096 }, options { auto_ping_interval = 0,
      auto_ping_timeout = 5000, open_handshake_timeout = 2500, close_handshake_timeout = 700,
      max_message_size = 4096 })
    assert.same({ delay = true, any_subprotocol = true },
      options { tcp_nodelay = false, require_websocket_subprotocol = false })
    assert.same({}, options { tcp_nodelay = true, require_websocket_subprotocol = true,
      max_message_size = 0 })
    assert.same({ origins = { "https://*.example:*" }, null_origin = true },
      options { allowed_origins = wampy.array { "https://*.example:*" },
        allow_null_origin = true })
    assert.same({}, options { allowed_origins = wampy.array { "*" } })
    assert.same({ compress = true }, options { compression = { deflate = {
      request_no_context_takeover = false, max_window_bits = 11, memory_level = 4 } } })
    assert.same({}, options { compression = {} })
  end)

  it("are refused where they are wrong", function()
    local cases = {
      { ".auto_ping_interval: expected an integer from 0 to 86400000, got -1",
        { auto_ping_interval = -1 } },
      { ".open_handshake_timeout: expected an integer from 0 to 86400000, got 2.5",
        { open_handshake_timeout = 2.5 } },
      { ".tcp_nodelay: expected a boolean, got number", { tcp_nodelay = 1 } },
      { ".allowed_origins: expected a list", { allowed_origins = "*" } },
      { ".allowed_origins[0]: expected a string, got number",
        { allowed_origins = wampy.array { 1 } } },
    }
    for _, case in ipairs(cases) do
      assert.equal(at .. ".options" .. case[1], complaint(websocket(case[2])))
    end
  end)

  it("are those of a RawSocket where there are fewer", function()
    local _, warnings = read { type = "rawsocket", endpoint = { type = "tcp", port = 9 },
      options = { max_message_size = 512, auto_ping_interval = 5 } }
    assert.same({ at .. ".options.auto_ping_interval is not supported and ignored" }, warnings)
  end)
end)

describe("a port", function()
  it("may be in the environment", function()
    local transport = websocket()
    transport.endpoint.port = "$WAMPY_NO_SUCH_PORT"
    assert.equal(at .. ".endpoint.port: the environment variable WAMPY_NO_SUCH_PORT is not set",
      complaint(transport))
    transport.endpoint.port = "$PATH"
    assert.matches("expected a port from 0 to 65535", complaint(transport))
  end)
end)

describe("options of a realm", function()
  local function realm(options)
    return { name = "realm1", roles = wampy.array {}, options = options }
  end

  it("are read", function()
    local found, warnings = read(websocket(), realm { uri_check = "strict", enable_meta_api = false,
      event_dispatching_chunk_size = 100, bridge_meta_api = true })
    assert.is_true(found.realms[1].strict_uris)
    assert.is_true(found.realms[1].no_meta)
    assert.same({ "f.json.workers[0].realms[0].options.bridge_meta_api is ignored: it is always "
      .. "false here" }, warnings)
    found = read(websocket(), realm { uri_check = "loose", enable_meta_api = true })
    assert.is_nil(found.realms[1].strict_uris)
    assert.is_nil(found.realms[1].no_meta)
    assert.equal("f.json.workers[0].realms[0].options.uri_check: expected strict or loose, got lax",
      complaint(websocket(), realm { uri_check = "lax" }))
  end)

  it("are in force", function()
    local r <close> = wampy.routers.Embedded { listen = false, config = { version = 2,
      workers = wampy.array { { type = "router", realms = wampy.array { realm {
        uri_check = "strict", enable_meta_api = false } },
        transports = wampy.array { websocket() } } } } }
    r:start()
    local c <close> = wampy.Client { router = r }:start()
    assert.matches("not a valid URI", pair.complaint(c.register, c, "com.Upper", print))
    assert.matches("has no such procedure", pair.complaint(c.call, c, "wamp.session.count"))
  end)
end)

describe("a web transport", function()
  it("has files, WebSockets and metrics by their paths", function()
    local found, warnings = read(web { ["/"] = { type = "static", directory = "/tmp" },
      ["ws"] = { type = "websocket" }, ["/docs/"] = { type = "static", directory = "tests",
        options = { default_file = "a.html", cache_timeout = 60 } },
      ["metrics"] = { type = "metrics" } })
    assert.same({}, warnings)
    assert.same({ { listen = "ws://127.0.0.1:9/ws", url = "ws://127.0.0.1:9/ws", routes = {
      { kind = "files", path = "/", directory = "/tmp" },
      { kind = "files", path = "/docs", directory = "tests", index = "a.html", max_age = 60 },
      { kind = "report", path = "/metrics" },
      { kind = "websocket", path = "/ws" } } } }, found.transports)
  end)

  it("answers several WebSockets, each by its own rules", function()
    local found, warnings = read(web { a = { type = "websocket" }, b = { type = "websocket",
      serializers = wampy.array { "cbor" } }, c = { type = "websocket",
        options = { tcp_nodelay = false } } })
    assert.same({}, warnings)
    local t = found.transports[1]
    assert.same({ { kind = "websocket", path = "/a" },
      { kind = "websocket", path = "/b", part = 1 },
      { kind = "websocket", path = "/c", part = 2 } }, t.routes)
    assert.same({ { serializers = { "cbor" }, door = 1 }, { delay = true, door = 2 } }, t.parts)
  end)

  it("with files only is no place for an app", function()
    local path = "f.json: no transport of type websocket, web, rawsocket or universal"
    assert.equal(path, complaint(web { ["/"] = { type = "static", directory = "/tmp" } }))
  end)

  it("ignores services that are not ours, each with a warning", function()
    local _, warnings = read(web { ws = { type = "websocket" }, lp = { type = "longpoll" },
      call = { type = "caller" }, old = { type = "static", package = "p", resource = "r" } })
    assert.same({ at .. ".paths.call (type caller) is not supported and ignored",
      at .. ".paths.lp (type longpoll) is not supported and ignored",
      at .. ".paths.old.package is not supported and ignored",
      at .. ".paths.old.resource is not supported and ignored",
      at .. ".paths.old (type static) is not supported and ignored" }, warnings)
  end)

  it("is refused where it is wrong", function()
    local cases = {
      { ".paths: expected an object, got nothing", nil },
      { ".paths.x: expected an object, got string", { x = "static" } },
      { ".paths.x.directory: there is no folder /nowhere/at/all",
        { x = { type = "static", directory = "/nowhere/at/all" } } },
      { ".paths.x.directory: expected a string, got number",
        { x = { type = "static", directory = 1 } } },
      { ".paths.x.options.cache_timeout: expected an integer from 0 to 2147483647, got -1",
        { x = { type = "static", directory = "/tmp", options = { cache_timeout = -1 } } } },
      { ".paths.a/../b: expected a path of a URL, such as \"ws\"",
        { ["a/../b"] = { type = "websocket" } } },
    }
    for _, case in ipairs(cases) do
      assert.equal(at .. case[1], complaint(web(case[2])))
    end
  end)
end)

describe("a file", function()
  local path
  local function write(name, text)
    path = os.tmpname() .. name
    local file = assert(io.open(path, "wb"))
    file:write(text)
    file:close()
  end
  after_each(function() if path then os.remove(path) end end)

  it("is judged as a whole: each mistake in a part of its own is named", function()
    write(".json", core.json_encode { version = 2, workers = wampy.array { { type = "router",
      realms = wampy.array { { name = "a b" }, { name = "realm1", roles = wampy.array {
        { name = 1 }, { name = "r", permissions = wampy.array { { uri = 1 }, { uri = "",
          match = "x" } } } } } },
      transports = wampy.array { { type = "websocket", endpoint = { type = "udp" } } } } } })
    local result, mistakes = config.judge(path)
    assert.is_nil(result)
    for i, line in ipairs(mistakes) do mistakes[i] = line:sub(#path + 1) end
    assert.same({ '.workers[0].realms[0].name: invalid realm "a b"',
      ".workers[0].realms[1].roles[0].name: expected a string, got number",
      ".workers[0].realms[1].roles[1].permissions[0].uri: expected a string, got number",
      ".workers[0].realms[1].roles[1].permissions[1].match: expected exact, prefix or wildcard, "
        .. "got x",
      ".workers[0].transports[0].endpoint.type: expected tcp or unix, got udp" }, mistakes)
    -- and afterwards the first is raised again
    assert.matches("invalid realm", pair.complaint(config.load, path))
  end)

  it("may be YAML", function()
    write(".yaml", [[
version: 2
workers:
- type: router
  realms:
  - name: realm1
    roles:
    - name: anonymous
      permissions:
      - {uri: "", match: prefix, allow: {call: true, register: true}}
    - {name: none, permissions: []}
  transports:
  - {type: websocket, endpoint: {type: tcp, port: 9}}
]])
    local result, mistakes = config.judge(path)
    assert.same({}, mistakes)
    assert.equal("ws://127.0.0.1:9/", result.transports[1].listen)
    assert.is_true(result.realms[1].roles[1].permissions[1].call)
    write(".yml", "a: [")
    assert.matches("not YAML", select(2, config.judge(path))[1])
  end)
end)
