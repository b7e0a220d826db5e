-- testing_router_spec: routers with a socket, the program, and which router it is.
local wampy = require "wampy"
local pair = dofile "tests/spec/pair.lua"
local testing = require "wampy.testing"
local errors = wampy.errors

local App = wampy.Client:extend("App")
App.double = wampy.callee "com.example.double" (function(_, n) return 2 * n end)

local CONFIG = [[{ "version": 2, "workers": [{ "type": "router",
  "realms": [{ "name": "com.example.realm", "roles": [{ "name": "anonymous", "permissions": [
    { "uri": "com.example.", "match": "prefix",
      "allow": { "call": true, "register": true } }] }] }],
  "transports": [{ "type": "websocket",
    "endpoint": { "type": "tcp", "interface": "127.0.0.1", "port": 8080 } }] }] }]]

-- A file with this text, gone when the value is closed.
local function file_of(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  return setmetatable({ path = path }, { __close = function() os.remove(path) end })
end

-- Runs `fn` with variables of the environment set.
local function with_env(vars, fn)
  local getenv = os.getenv
  os.getenv = function(name) -- luacheck: ignore 122
    if vars[name] ~= nil then return vars[name] end
    return getenv(name)
  end
  local r = table.pack(pcall(fn))
  os.getenv = getenv -- luacheck: ignore 122
  if not r[1] then error(r[2], 0) end
  return table.unpack(r, 2, r.n)
end

describe("a testing router", function()
  it("listens on a free port", function()
    local one, two = testing.router(), testing.router { realm = "com.example.other" }
    assert.matches("^ws://127%.0%.0%.1:%d+/$", one.url)
    assert.are_not.equal(one.url, two.url)
    assert.equal("com.example.other",
      testing.client { url = two.url, realm = "com.example.other" }.session.realm)
    testing.start(App, { router = one })
    assert.equal(4, testing.client { url = one.url }:call("com.example.double", 2))
    assert.equal(6, testing.client { router = one }:call("com.example.double", 3))
  end)

  it("reads a configuration, but keeps to its free port", function()
    local file <close> = file_of(CONFIG)
    local router = testing.router { config_path = file.path }
    assert.are_not.equal(8080, router.port)
    local client = testing.client { router = router }
    assert.equal("com.example.realm", client.session.realm)
    local e = pair.failure(client.call, client, "org.example.other")
    assert.equal("wamp.error.not_authorized", e.uri)
    assert.equal("wamp.error.no_such_procedure",
      pair.failure(client.call, client, "com.example.none").uri)
  end)

  it("says what is wrong", function()
    assert.matches("unknown field \"relm\"", pair.complaint(testing.router, { relm = "x" }))
    assert.matches("no/such/file", pair.complaint(testing.router, { config_path = "no/such/file" }))
    assert.equal('WAMPY_TEST_ROUTER: expected embedded or crossbar, got "nginx"',
      with_env({ WAMPY_TEST_ROUTER = "nginx" }, function()
        return pair.complaint(testing.router)
      end))
  end)

  it("is closed by stop_all, with its clients", function()
    local router = testing.router()
    local client = testing.client { url = router.url }
    testing.stop_all()
    assert.is_false(client.connected)
    assert.is_true(wampy.is_error(pair.failure(testing.client, { url = router.url }),
      errors.ConnectionError))
    testing.stop_all()
  end)

  describe("that is to be Crossbar.io", function()
    local function failing(t)
      return with_env({ WAMPY_TEST_ROUTER = "crossbar" }, function()
        return pair.complaint(testing.router, t)
      end)
    end

    it("takes only what Crossbar.io takes", function()
      assert.equal('testing.router: field "strict_ids" is not for Crossbar.io '
        .. "(WAMPY_TEST_ROUTER=crossbar)", failing { strict_ids = true })
      assert.equal("testing.router: config has no WebSocket transport on a tcp endpoint",
        failing { config = { workers = {} } })
    end)

    it("says when it is not there, and leaves no folder", function()
      local folders = io.popen("ls -d ${TMPDIR:-/tmp}/wampy-crossbar-* 2>&1"):read("a")
      assert.matches("no%-such%-crossbar", failing { command = "no-such-crossbar" })
      assert.equal(folders, io.popen("ls -d ${TMPDIR:-/tmp}/wampy-crossbar-* 2>&1"):read("a"))
    end)
  end)
end)

describe("without busted", function()
  it("what was opened is closed by stop_all", function()
    local file <close> = file_of [[
      local testing = require "wampy.testing"
      local net = testing.network()
      local client = net:client()
      net:callee("com.example.answer", 42)
      print(client:call("com.example.answer"), testing.router().url)
      testing.stop_all()
      print(client.connected, next(require("wampy.tasks").started))]]
    local code, out, err = testing.run { "wampy-lua", file.path }
    assert.matches("^42\tws://127.0.0.1:%d+/\nfalse\tnil\n$", out)
    assert.same({ 0, "" }, { code, err })
  end)
end)

describe("running the program", function()
  it("gives its exit code and both streams", function()
    local code, out, err = testing.run { "wampy-lua", "--version" }
    assert.same({ 0, "wampy-lua " .. wampy._VERSION:match("%S+$") .. "\n", "" },
      { code, out:match("^wampy%-lua %S+") .. "\n", err })
  end)

  it("against a router of the test", function()
    local router = testing.router()
    testing.start(App, { router = router })
    local file <close> = file_of [[
      local c <close> = require "wampy".Client { url = arg[1] }:start()
      print(c:call("com.example.double", 21))]]
    assert.same({ 0, "42\n", "" }, { testing.run { "wampy-lua", file.path, router.url } })
  end)

  it("gives other commands as well, and more fields", function()
    assert.same({ 3, "in", "err\n" },
      { testing.run { "sh", "-c", "cat; echo err >&2; exit 3", stdin = "in" } })
  end)

  it("takes WAMPY_LUA for it", function()
    assert.same({ 0, "call\n", "" }, { with_env({ WAMPY_LUA = "/bin/echo" }, function()
      return testing.run { "wampy-lua", "call" }
    end) })
  end)

  it("needs a command", function()
    assert.equal('testing.run: expected { "command", ... }, got string',
      pair.complaint(testing.run, "wampy-lua"))
  end)
end)
