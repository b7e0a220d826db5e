-- wampy.routers.Crossbar with a real Crossbar.io: started, called, stopped, killed.
--
-- Each node lives in a folder of its own and listens at a port that was free a moment ago; when
-- somebody else has taken it meanwhile, another one is tried.
local wampy = require "wampy"
local core = require "wampy.core"

local PROGRAM = core.real_path "build/peers/crossbar/bin/crossbar"
local PATIENCE = 30

local json = [[ {
  "version": 2, "controller": {},
  "workers": [ {
    "type": "router",
    "realms": [ { "name": "realm1", "roles": [ { "name": "anonymous", "permissions": [
      { "uri": "", "match": "prefix",
        "allow": { "call": true, "register": true, "publish": true, "subscribe": true } } ] } ] } ],
    "transports": [ { "type": "websocket",
      "endpoint": { "type": "tcp", "interface": "127.0.0.1", "port": %d } } ]
  } ]
} ]]

local yaml = [[
version: 2
controller: {}
workers:
- type: router
  realms:
  - name: realm1
    roles:
    - name: anonymous
      permissions:
      - uri: ""
        match: prefix
        allow: {call: true, register: true, publish: true, subscribe: true}
  transports:
  - type: universal
    endpoint: {type: tcp, interface: 127.0.0.1, port: %d}
    websocket:
      ws: {type: websocket}
]]

describe("Crossbar.io, started by wampy.routers.Crossbar,", function()
  local folder

  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
  end)

  after_each(function()
    os.execute("rm -rf " .. folder)
  end)

  local function closed_port()
    local router <close> = wampy.routers.Embedded { listen = "127.0.0.1:0" }:start()
    return router.port
  end

  local function crossbar(name, text)
    local path = folder .. "/" .. (name or "config.json")
    local file = assert(io.open(path, "w"))
    file:write((text or json):format(closed_port()))
    file:close()
    return wampy.routers.Crossbar { config_path = path, command = PROGRAM, start_timeout = 60 }
  end

  local function started(...)
    for _ = 1, 5 do
      local c = crossbar(...)
      local ok, e = pcall(c.start, c)
      if ok then return c end
      if not e.message:find("port is taken") and not e.message:find("already in use") then
        error(e, 0)
      end
    end
    error("five free ports were taken")
  end

  local function answers(router)
    local client <close> = wampy.Client { router = router, call_timeout = PATIENCE }:start()
    client:register("add", function(a, b) return a + b end)
    return client:call("add", 1, 2) == 3
  end

  it("is called through, stopped, and started again", function()
    local c <close> = started()
    assert.is_true(c:alive())
    assert.is_true(c:try_connection())
    assert.is_true(answers(c))
    assert.equal("Crossbar: Router already started", select(2, pcall(c.start, c)).message)
    local second = wampy.routers.Crossbar { config_path = c.config_path, command = PROGRAM }
    local message = select(2, pcall(second.start, second)).message
    assert.is_truthy(message:find("already running as process %d+ in "), message)
    c:stop()
    assert.is_false(c:alive())
    assert.is_false(c:try_connection())
    c:start()
    assert.is_true(answers(c))
  end)

  it("may have its configuration in YAML, and ends with its block", function()
    local process
    do
      local c <close> = started("config.yaml", yaml)
      assert.equal("/ws", c.path)
      assert.is_true(answers(c))
      process = c._process
    end
    assert.is_false(process:alive())
  end)

  it("is known to have died when it was killed, with its workers", function()
    local c <close> = started()
    c._process:kill("KILL")
    c._keeper:wait(PATIENCE)
    assert.is_false(c:alive())
    c:start() -- its workers have let go of the port
    assert.is_true(answers(c))
  end)

  it("says what it does not like about its configuration", function()
    local c <close> = crossbar("config.json", (json:gsub('"version": 2', '"version": 99')))
    local ok, e = pcall(c.start, c)
    assert.is_false(ok)
    assert.is_truthy(e.message:find("ended with code %d+ at its start; its last lines:\n  "),
      e.message)
  end)
end)
