-- routers_spec: routers as objects. Crossbar.io itself is tested in tests/e2e; here a program of
-- the spec stands for it, which listens, or fails, as told.
--
-- It listens at a socket in the spec's folder, which nobody else can have taken.
local wampy = require "wampy"
local core = require "wampy.core"
local pair = dofile "tests/spec/pair.lua"
local Router, Crossbar, Embedded = wampy.routers.Router, wampy.routers.Crossbar,
  wampy.routers.Embedded

local complaint, failure, PATIENCE = pair.complaint, pair.failure, pair.PATIENCE

local folder

local function in_folder(name, text)
  local path = folder .. "/" .. name
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
  return path
end

local function config(endpoint)
  return ([[ { "version": 2, "workers": [ { "type": "router", "transports": [
    { "type": "websocket", "endpoint": { %s } } ] } ] } ]]):format(endpoint)
end

local function at_port(port)
  return config(('"type": "tcp", "port": %d'):format(port))
end

local function at_socket()
  return config(('"type": "unix", "path": "%s/socket"'):format(folder))
end

-- A program that is started as Crossbar.io is: `text` in sh.
local function program(text)
  local path = in_folder("fake", "#!/bin/sh\n" .. text)
  assert(os.execute("chmod +x " .. path))
  return path
end

-- One that listens at its configuration's socket until it is told to end.
local function listening()
  local script = in_folder("fake.lua", [[
    local wampy = require "wampy"
    local file = io.open(arg[5]):read("a")
    io.stdout:setvbuf("line")
    print("arguments", table.concat(arg, " "))
    local router <close> = wampy.routers.Embedded {
      listen = "ws+unix://" .. file:match('"path": "(.-)"') }:start()
    wampy.sleep(60)
  ]])
  return program(('exec "%s" "%s" "$@"'):format(core.real_path("/proc/self/exe"), script))
end

local function crossbar(command, t)
  t = t or {}
  t.command = command
  t.config_path = t.config_path or in_folder("config.json", at_socket())
  return Crossbar(t)
end

before_each(function()
  folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir " .. folder))
end)

after_each(function()
  os.execute("rm -rf " .. folder)
end)

describe("a Router", function()
  it("has the parts of its address", function()
    local r = Router { url = "ws://router.example:8081/ws", cert_path = "ca.pem" }
    assert.same({ "ws", "router.example", 8081, "/ws", 4, "ca.pem" },
      { r.scheme, r.host, r.port, r.path, r.ipv, r.cert_path })
    assert.equal("ws://localhost:8080/", Router().url)
    assert.equal(6, Router({ url = "ws://[::1]:1" }).ipv)
    assert.equal(6, Router({ ipv = 6 }).ipv)
  end)

  it("knows whether it speaks TLS", function()
    assert.is_true(Router({ url = "wss://router.example" }):can_use_tls())
    assert.is_true(Router({ url = "rss://router.example" }):can_use_tls())
    assert.is_false(Router({ url = "ws://router.example" }):can_use_tls())
    assert.is_false(Router({ url = "ws+unix:///wss" }):can_use_tls())
  end)

  it("refuses fields that it does not know or cannot use", function()
    local function says(text, t) assert.equal(text, complaint(Router, t)) end
    says('Router: unknown field "uri"; did you mean url?', { uri = "ws://x" })
    says('Router: unknown field "1"', { "ws://x" })
    says("Router: field url: expected a string, got 8080", { url = 8080 })
    says("Router: field cert_path: expected a string, got true", { cert_path = true })
    says("Router: field ipv: expected 4 or 6, got 5", { ipv = 5 })
    says('Router: field ipv: expected 4 or 6, got "6"', { ipv = "6" })
    says("Router: expected a table of fields, got string", "ws://x")
    assert.is_truthy(complaint(Router, { url = "http://x" }):find('invalid url "http://x"', 1,
      true))
  end)

  it("says whether something listens there", function()
    local embedded <close> = Embedded { listen = "127.0.0.1:0" }:start()
    assert.is_true(Router({ url = embedded.url }):try_connection())
    local nobody = Router { url = "ws://127.0.0.1:1" }
    assert.same({ false, "Connection refused" }, { nobody:try_connection() })
  end)

  it("looks at sockets of the file system", function()
    local path = folder .. "/socket"
    local router = Router { url = "ws+unix://" .. path }
    assert.same({ false, "No such file or directory" }, { router:try_connection() })
    local embedded <close> = Embedded { listen = "ws+unix://" .. path }:start()
    assert.is_true(router:try_connection())
    assert.is_truthy(embedded.url)
  end)

  it("looks at addresses of the family that was asked for", function()
    local embedded <close> = Embedded { listen = "127.0.0.1:0" }:start()
    local url = "ws://127.0.0.1:" .. embedded.port
    assert.is_true(Router({ url = url, ipv = 4 }):try_connection())
    local ok, why = Router({ url = url, ipv = 6 }):try_connection()
    assert.is_false(ok)
    assert.is_truthy(why:find("unknown host 127.0.0.1", 1, true), why)
  end)

  it("says that a host is unknown", function()
    local ok, why = Router({ url = "ws://no-such-host.invalid" }):try_connection()
    assert.is_false(ok)
    assert.is_truthy(why:find("unknown host no-such-host.invalid", 1, true), why)
  end)

  it("looks while others go on", function()
    local embedded <close> = Embedded { listen = "127.0.0.1:0" }:start()
    local router = Router { url = embedded.url }
    local task = wampy.spawn(router.try_connection, router)
    assert.is_true(task:wait(PATIENCE))
    task = wampy.spawn(function()
      return complaint(table.sort, { 1, 2 }, function() router:try_connection() end)
    end)
    assert.is_truthy(task:wait(PATIENCE):find("cannot wait here", 1, true))
  end)

  it("takes a client where it points", function()
    local embedded <close> = Embedded { listen = "127.0.0.1:0" }:start()
    local client <close> = wampy.Client { router = Router { url = embedded.url } }:start()
    assert.equal(embedded.port, client.session.port)
  end)
end)

describe("a Crossbar's configuration", function()
  local function url_of(transport, name)
    return Crossbar({ config_path = in_folder(name or "config.json",
      ([[ { "workers": [ { "type": "container" },
        { "transports": [ { "type": "rawsocket" }, %s ] } ] } ]]):format(transport)) }).url
  end

  it("says where it listens", function()
    local endpoint = '"endpoint": { "type": "tcp", "port": 9000 %s }'
    local function websocket(more)
      return url_of('{ "type": "websocket", ' .. endpoint:format(more) .. ' }')
    end
    assert.equal("ws://127.0.0.1:9000/", websocket "")
    assert.equal("ws://127.0.0.1:9000/", websocket ', "interface": "0.0.0.0"')
    assert.equal("ws://router.example:9000/", websocket ', "interface": "router.example"')
    assert.equal("ws://[::1]:9000/", websocket ', "interface": "::"')
    assert.equal("ws://[::1]:9000/", websocket ', "version": 6')
    assert.equal("wss://localhost:9000/", websocket ', "tls": {}')
    endpoint = endpoint:format("")
    assert.equal("ws://127.0.0.1:9000/ws", url_of('{ "type": "web", ' .. endpoint .. [[,
      "paths": { "/": { "type": "static" }, "ws": { "type": "websocket" } } }]]))
    assert.equal("ws://127.0.0.1:9000/a", url_of('{ "type": "universal", ' .. endpoint .. [[,
      "websocket": { "b": { "type": "websocket" }, "a": { "type": "websocket" } } }]]))
    assert.equal("ws://127.0.0.1:9000/", url_of('{ "type": "universal", ' .. endpoint .. [[,
      "web": { "paths": { "/": { "type": "websocket" } } } }]]))
    assert.equal("ws+unix:///run/x", url_of [[ { "type": "websocket",
      "endpoint": { "type": "unix", "path": "/run/x" } } ]])
  end)

  it("may be YAML", function()
    assert.equal("ws://127.0.0.1:9000/", Crossbar({ config_path = in_folder("config.yaml", [[
workers:
- type: router
  transports:
  - type: websocket
    endpoint: {type: tcp, port: 9000}
]]) }).url)
  end)

  it("that is YAML names the module that reads it, where it is missing", function()
    local loaded, searchers = package.loaded.lyaml, package.searchers
    package.loaded.lyaml = nil
    package.searchers = { function() return "not there" end }
    local path = folder .. "/config.yml"
    local message = complaint(Crossbar, { config_path = path })
    package.loaded.lyaml, package.searchers = loaded, searchers
    assert.equal(path .. ": reading YAML needs the Lua module lyaml (Debian package lua-yaml)",
      message)
  end)

  it("is refused, by its name, when it is of no use", function()
    local function says(text, name, content)
      local path = content and in_folder(name, content) or folder .. "/" .. name
      local message = complaint(Crossbar, { config_path = path })
      assert.is_truthy(message:find(path, 1, true), message)
      assert.is_truthy(message:find(text, 1, true), message)
    end
    says("No such file or directory", "none.json")
    says("No such file or directory", "none.yaml")
    says("not JSON", "config.json", "workers: []")
    says("not YAML", "config.yaml", "workers: [")
    says("expected an object, got a string", "config.yaml", "workers")
    says("expected an object, got nothing", "config.yaml", "")
    says("cannot be read", ".")
    local nothing = "no worker has a transport that speaks WebSocket"
    says(nothing, "config.json", "{}")
    says(nothing, "config.json", '{ "workers": 5 }')
    says(nothing, "config.json",
      '{ "workers": [ { "transports": [ 1, { "type": "rawsocket" }, { "type": "web" } ] } ] }')
    says("workers[0].transports[0].endpoint.type: expected tcp or unix, got nil", "config.json",
      '{ "workers": [ { "transports": [ { "type": "websocket" } ] } ] }')
    says("endpoint.port: expected a port from 1 to 65535, got 0", "config.json", at_port(0))
  end)

  it("is not read where the address is given, until it is started", function()
    local c = Crossbar { url = "ws://router.example:1", config_path = folder .. "/none.json" }
    assert.equal("router.example", c.host)
    assert.is_false(c:alive())
    assert.is_truthy(complaint(c.start, c):find("none.json: No such file", 1, true))
    assert.equal('Crossbar: unknown field "config"', complaint(Crossbar, { config = {} }))
  end)
end)

describe("a Crossbar", function()
  it("is started, called, stopped and started again", function()
    local c <close> = crossbar(listening())
    for _ = 1, 2 do
      assert.equal(c, c:start())
      assert.is_true(c:alive())
      local client <close> = wampy.Client { router = c }:start()
      client:register("add", function(a, b) return a + b end)
      assert.equal(3, client:call("add", 1, 2))
      client:stop()
      c:stop()
      assert.is_false(c:alive())
      assert.is_false(c:try_connection())
      c:stop() -- harmless
    end
  end)

  it("is told its directory and its configuration", function()
    assert(os.execute("mkdir " .. folder .. "/node"))
    local c = crossbar(program 'echo "$@"; exit 1', { crossbar_directory = folder .. "/node" })
    assert.is_truthy(complaint(c.start, c):find(
      ("start --cbdir %s/node --config %s/config.json"):format(folder, folder), 1, true))
    c.crossbar_directory = folder .. "/none"
    assert.is_truthy(complaint(c.start, c):find("none\": no such directory", 1, true))
  end)

  it("is stopped at the end of its block", function()
    local process
    do
      local c <close> = crossbar(listening()):start()
      process = c._process
    end
    assert.is_false(process:alive())
  end)

  it("is not started twice", function()
    local c <close> = crossbar(listening()):start()
    assert.equal("Crossbar: Router already started", complaint(c.start, c))
    assert.is_true(c:alive())
  end)

  it("is not started by two tasks at once", function()
    local c <close> = crossbar(listening())
    local first = wampy.spawn(c.start, c)
    local second = wampy.spawn(function() return complaint(c.start, c) end)
    assert.equal("Crossbar: Router already started", second:wait(PATIENCE))
    assert.equal(c, first:wait(PATIENCE))
  end)

  it("is not started where something listens already", function()
    local embedded <close> = Embedded { listen = "127.0.0.1:0" }:start()
    local c = crossbar("true", { config_path = in_folder("c.json", at_port(embedded.port)) })
    assert.equal(("Crossbar: something listens at %s already: it is running, or the port is taken")
      :format(c.url), complaint(c.start, c))
  end)

  it("is not started in the directory of one that runs", function()
    local node <close> = wampy.process.spawn { "sh", "-c", "read x # crossbar", stdin = "pipe" }
    in_folder("node.pid", ('{ "pid": %d }'):format(node.pid))
    local c <close> = crossbar(listening())
    assert.equal(("Crossbar: already running as process %d in %s"):format(node.pid, folder),
      complaint(c.start, c))
    node:stop()
    c:start() -- what is left of a dead one does not matter
  end)

  it("shows what it printed when it ends at its start", function()
    local c = crossbar(program "i=0; while [ $i -lt 12 ]; do i=$((i+1)); echo $i; done; exit 3")
    local e = failure(c.start, c)
    assert.is_true(e:is(wampy.errors.WampyError))
    assert.equal("Crossbar: ended with code 3 at its start; its last lines:"
      .. "\n  3\n  4\n  5\n  6\n  7\n  8\n  9\n  10\n  11\n  12", e.message)
    assert.is_false(c:alive())
    c = crossbar(program "exit 0")
    assert.equal("Crossbar: ended with code 0 at its start; it printed nothing",
      complaint(c.start, c))
  end)

  it("that never listens is given up, and ended", function()
    local timeout, pid = 0.05
    repeat -- until it had the time to print its line
      timeout = timeout * 2
      local c = crossbar(program "echo $$; exec sleep 60", { start_timeout = timeout })
      local e = failure(c.start, c)
      assert.is_true(e:is(wampy.errors.TimeoutError))
      local text = ("Crossbar: does not listen at %s after %g s (No such file or directory); ")
        :format(c.url, timeout)
      assert.equal(text, e.message:sub(1, #text))
      pid = e.message:match("its last lines:\n  (%d+)$")
    until pid
    assert.is_nil(io.open(("/proc/%s/stat"):format(pid)))
  end)

  it("that is not installed says where it was looked for", function()
    local c = crossbar "no-such-crossbar"
    assert.equal('Crossbar: cannot run "no-such-crossbar": no such command in PATH; the program is '
      .. "the field command, else $WAMPY_CROSSBAR, else crossbar in PATH", complaint(c.start, c))
  end)

  it("that dies is noticed, named in the log, and can be started again", function()
    local lines, log = {}, core.log
    core.log = function(level, text)
      if level == "error" then lines[#lines + 1] = text end
    end
    local c <close> = crossbar(listening()):start()
    local pid = c._process.pid
    c._process:kill("KILL")
    c._keeper:wait(PATIENCE)
    core.log = log
    assert.same({ ("Crossbar.io at %s (process %d) has died with code 137 [W907]"):format(c.url,
      pid) }, lines)
    assert.is_false(c:alive())
    c:start()
    assert.is_true(c:alive())
  end)

  it("whose start is canceled is ended", function()
    local c = crossbar(program "exec sleep 60")
    local task = wampy.spawn(c.start, c)
    while not c._process do wampy.sleep(0) end
    local process = c._process
    task:cancel()
    assert.is_true(failure(task.wait, task, PATIENCE):is(wampy.errors.Canceled))
    assert.is_false(process:alive())
  end)
end)
