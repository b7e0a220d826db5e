-- cli_spec: what the command lines of the verbs that connect come to, how values are read and
-- printed, and the small parts behind them. That the verbs do it is tested by tests/e2e.
local wampy = require "wampy"
local cli = require "wampy.cli"
local cli_value = require "wampy.cli_value"
local connection = require "wampy.connection"
local core = require "wampy.core"
local lines = require "wampy.lines"
local nearest = require "wampy.nearest"
local settings = require "wampy.settings"

local env, getenv = {}, os.getenv

-- The plan of a command line, with these variables and no others.
local function parse(line, variables, ...)
  env = variables or {}
  local args = {}
  for word in line:gmatch("%S+") do args[#args + 1] = word end
  for _, word in ipairs { ... } do args[#args + 1] = word end
  return cli.parse(args)
end

local function complaint(line, variables)
  local plan = parse(line, variables)
  assert.equal(2, plan.exit)
  return assert(plan.stderr:match("^([^\n]*) %[W%d%d%d%]\n"), plan.stderr)
end

local function in_environment()
  os.getenv = function(name) return env[name] end -- luacheck: ignore 122
end

local function back_again()
  os.getenv = getenv -- luacheck: ignore 122
end

describe("the flags of verbs that connect", function()
  before_each(in_environment)
  after_each(back_again)

  it("may stand before the verb and behind it", function()
    for _, line in ipairs {
      "-u ws://x:1/ -r com.r call com.f 1", "call com.f 1 --url ws://x:1/ --realm com.r",
      "--url=ws://x:1/ call -rcom.r com.f 1", "-v -uws://x:1/ call com.f -r com.r 1",
    } do
      local plan = parse(line)
      assert.equal("call", plan.verb)
      assert.equal("ws://x:1/", plan.forced.url)
      assert.equal("com.r", plan.forced.realm)
      assert.same({ 1 }, plan.payload.args)
    end
    core.log_level "info"
  end)

  it("want a verb", function()
    assert.equal("error: a verb is missing; try wampy-lua --help", complaint "-u ws://x:1/")
    assert.equal("error: a verb is missing; try wampy-lua --help", complaint "-q")
    assert.matches("unknown option '%-%-ulr'", complaint "--ulr ws://x call com.f")
  end)

  it("become fields that win over everything", function()
    local plan = parse("call com.f -s cbor,json --connect-timeout 500ms --ping 1m --insecure "
      .. "--server-name n --ca a --cert c --cert-key k --retries 3 --authid joe --key f", nil,
      "-H", "X-A: 1", "-H", "X-B: 2")
    assert.same({ serializers = { "cbor", "json" }, connect_timeout = 0.5, ping_interval = 60,
      cert_path = "a", headers = { "X-A: 1", "X-B: 2" },
      tls = { insecure = true, server_name = "n", cert = "c", key = "k" } }, plan.forced)
    assert.equal(3, plan.retries)
    assert.same({ authid = "joe", key = "f" }, plan.auth)
  end)

  it("try once, unless they say otherwise", function()
    assert.is_nil(parse("ping").retries)
    assert.equal(2, parse("ping", { WAMPY_RETRIES = "2" }).retries)
    assert.equal(math.huge, parse("ping --retries inf", { WAMPY_RETRIES = "2" }).retries)
    assert.equal("error: WAMPY_RETRIES: expected a number or inf, got 'x'",
      complaint("ping", { WAMPY_RETRIES = "x" }))
  end)

  it("that are wrong are named", function()
    assert.equal("error: --retries: expected a number or inf, got '-1'",
      complaint "ping --retries -1")
    assert.equal("error: --header: expected 'Name: value', got 'X'", complaint "ping -H X")
    assert.equal("error: --realm: invalid realm 'a..b'", complaint "ping -r a..b")
    assert.equal("error: give --secret-file or --ask-secret, not both",
      complaint "ping --ask-secret --secret-file f")
    assert.matches("^error: %-%-url: invalid url", complaint "ping -u http://x")
  end)
end)

describe("variables", function()
  local function fields(variables)
    env = variables
    return wampy.Client { headers = { "X: 1" } }.config
  end
  before_each(in_environment)
  after_each(back_again)

  it("are the twins of flags, and lose to what an app says", function()
    local c = fields { WAMPY_CONNECT_TIMEOUT = "3s", WAMPY_PING = "0", WAMPY_SERVER_NAME = "n",
      WAMPY_INSECURE = "1", WAMPY_HEADER = "Y: 2", WAMPY_CALL_TIMEOUT = "2.5", WAMPY_REALM = "" }
    assert.equal(3, c.connect_timeout)
    assert.equal(0, c.ping_interval)
    assert.equal(2.5, c.call_timeout)
    assert.equal("realm1", c.realm)
    assert.same({ server_name = "n", insecure = true }, c.tls)
    assert.same({ "X: 1" }, c.headers)
  end)

  it("that cannot be read are named", function()
    for variable, text in pairs { WAMPY_PING = "often", WAMPY_INSECURE = "perhaps",
      WAMPY_HEADER = "X: 1\nY", WAMPY_CALL_TIMEOUT = "5y", WAMPY_SERIALIZER = "xml" } do
      local ok, e = pcall(fields, { [variable] = text })
      assert.is_false(ok)
      assert.matches("^" .. variable .. ": ", e.message)
    end
  end)
end)

describe("a profile", function()
  local folder

  setup(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir -p " .. folder .. "/wampy-lua"))
  end)
  teardown(function() os.execute("rm -r " .. folder) end)
  before_each(in_environment)
  after_each(back_again)

  local function with(text, line, variables)
    local file <close> = assert(io.open(folder .. "/wampy-lua/profiles.json", "w"))
    file:write(text)
    file:flush()
    variables = variables or {}
    variables.XDG_CONFIG_HOME = folder
    return parse(line, variables)
  end

  it("says what nobody else does", function()
    local text = [[{"shop": {"url": "ws://shop:1/", "connect-timeout": "3s", "retries": 4,
      "header": ["A: 1", "B: 2"], "insecure": true, "ticket-file": "t", "authid": "joe"}}]]
    for _, plan in ipairs { with(text, "ping -p shop"),
      with(text, "ping", { WAMPY_PROFILE = "shop" }) } do
      assert.same({ url = "ws://shop:1/", connect_timeout = 3, headers = { "A: 1", "B: 2" },
        tls = { insecure = true }, given = { url = "profile shop: url",
          connect_timeout = "profile shop: connect_timeout", headers = "profile shop: header" } },
        plan.fallback)
      assert.same({ ticket_file = "t", authid = "joe" }, plan.profile_auth)
      assert.equal(4, plan.retries)
      assert.is_nil(plan.forced.url)
    end
    assert.equal(1, with(text, "ping -p shop --retries 1").retries)
    assert.equal(2, with(text, "ping -p shop", { WAMPY_RETRIES = "2" }).retries)
  end)

  it("that is wrong is named with its key", function()
    local function wrong(text)
      local plan = with(text, "ping -p shop")
      assert.equal(2, plan.exit)
      return plan.stderr:gsub(folder, "F"):gsub(" %[W%d%d%d%]", "")
    end
    assert.equal("error: profile shop: unknown key 'ulr'\n", wrong '{"shop": {"ulr": "x"}}')
    assert.equal("error: profile shop: ping: expected a time such as 5s or 500ms, got 'x'\n",
      wrong '{"shop": {"ping": "x"}}')
    assert.equal("error: profile shop: retries: expected a number or inf, got '-1'\n",
      wrong '{"shop": {"retries": -1}}')
    assert.equal("error: --profile: there is no profile 'shop' in F/wampy-lua/profiles.json "
      .. "(there are: a, b)\n", wrong '{"b": {}, "a": {}}')
    assert.equal("error: F/wampy-lua/profiles.json: expected an object of profiles\n", wrong "[]")
    assert.matches("expected an object of profiles: ", wrong "{")
  end)
end)

describe("help", function()
  it("has the names of a flag in one line, with its value behind them", function()
    local text = parse("help call").stdout
    assert.matches("\n   %-k, %-%-kwarg NAME=VALUE\n", text)
    assert.matches("\n   %-S, %-%-strings  ", text)
  end)

  it("is short with -h and whole with --help, wherever it stands", function()
    for _, verb in ipairs { "call", "publish", "sub", "reg", "ls", "ping", "run" } do
      local short, all = parse(verb .. " -h"), parse(verb .. " x --help")
      assert.equal(0, short.exit)
      assert.is_nil(short.stdout:find("--connect-timeout", 1, true), verb)
      assert.is_truthy(short.stdout:find("Examples:", 1, true), verb)
      assert.is_truthy(all.stdout:find("--connect-timeout", 1, true), verb)
      assert.equal(all.stdout, parse("help " .. verb).stdout)
    end
  end)

  it("names every verb", function()
    local text = parse("--help").stdout
    for _, verb in ipairs { "run", "router", "call", "publish, pub", "subscribe, sub",
      "register, reg", "ls", "ping" } do
      assert.is_truthy(text:find("\n   " .. verb .. " ", 1, true), verb)
    end
  end)
end)

describe("an argument", function()
  local function args(...) return parse("call com.f", nil, ...).payload.args end

  it("that is JSON is that value, and else a string", function()
    assert.same({ 1, 2.5, true, "text", "quoted", core.null, { a = { 1 } } },
      args("1", "2.5", "true", "text", '"quoted"', "null", '{"a": [1]}'))
    assert.same({ "1x", "", "{", "tru" }, args("1x", "", "{", "tru"))
  end)

  it("may be a number below zero", function()
    assert.same({ -1, -1.5e3, "-.5" }, args("-1", "-1.5e3", "-.5"))
    assert.same({ "-1" }, args("-1", "-S"))
    assert.same({ { -1 } }, args("[-1]"))
    assert.same({ x = -1 }, parse("call com.f -k x=-1").payload.kwargs)
  end)

  it("is a string with -S, whatever it looks like", function()
    assert.same({ "1", "null", "@file" }, args("1", "null", "@file", "-S"))
    assert.same({ k = "1" }, parse("call com.f -S -k k=1").payload.kwargs)
  end)

  it("behind -- is one, too", function()
    assert.same({ 1, "--raw", -2 }, args("1", "--", "--raw", "-2"))
  end)

  it("can be read from a file", function()
    local path = os.tmpname()
    local file <close> = assert(io.open(path, "w"))
    file:write(' {"from": "file"}\n')
    file:flush()
    assert.same({ { from = "file" } }, args("@" .. path))
    assert.same({ from = "file" }, parse("call com.f --kwargs @" .. path).payload.kwargs)
    os.remove(path)
    assert.matches(path .. ": No such file", complaint("call com.f @" .. path))
  end)

  it("can be given with all others", function()
    local payload = parse("call com.f", nil, "--args", "[1, null]", "--kwargs", '{"a": 1, "b": 2}',
      "-k", "b=3").payload
    assert.same({ 1, core.null }, payload.args)
    assert.same({ a = 1, b = 3 }, payload.kwargs)
    assert.equal("error: give arguments or --args, not both", complaint "call com.f 1 --args []")
    assert.equal("error: --kwargs: expected an object", complaint "call com.f --kwargs []")
    assert.matches("^error: %-%-args: expected JSON: ", complaint "call com.f --args [")
  end)
end)

describe("a verb's plan:", function()
  it("call", function()
    local plan = parse "call com.f --timeout 2s --repeat 5 --parallel 2 -o timeout=30 -o x_a=b"
    assert.same({ timeout = 2, timeout_ms = 30, x_a = "b" }, plan.payload.options)
    assert.equal(5, plan.times)
    assert.equal(2, plan.parallel)
    assert.equal("error: --repeat: expected a number from 1, got '0'",
      complaint "call com.f --repeat 0")
    assert.equal('[48,1,{"timeout_ms":30},"com.f",[],{}]\n',
      parse("call com.f -o timeout=30 --dry-run").stdout)
  end)

  it("publish", function()
    assert.same({ acknowledge = true, timeout = 10 }, parse("publish com.t").payload.options)
    assert.same({ acknowledge = true, timeout = 3, retain = true },
      parse("pub com.t --retain --connect-timeout 3").payload.options)
    assert.same({ acknowledge = false }, parse("pub com.t --no-ack").payload.options)
    assert.equal("error: give --ack or --no-ack, not both", complaint "pub com.t --ack --no-ack")
    assert.equal("error: give --lines or --repeat, not both",
      complaint "pub com.t --lines --repeat 2")
  end)

  it("subscribe", function()
    local plan = parse "sub com. com..b --match wildcard --count 2 --retained --timeout 1s"
    assert.same({ "com.", "com..b" }, plan.uris)
    assert.same({ match = "wildcard", get_retained = true }, plan.options)
    assert.equal("error: invalid URI 'com..b'", complaint "sub com..b")
  end)

  it("register", function()
    local plan = parse "reg com.f --echo --invoke roundrobin --count 3 --delay 10ms"
    assert.same({ invoke = "roundrobin" }, plan.options)
    assert.equal(0.01, plan.delay)
    assert.matches("^error: give one of", complaint "reg com.f --echo -- cat")
    assert.matches("^error: how is it to answer", complaint "reg com.f")
    assert.equal("error: --fail: invalid URI 'a b'",
      parse("reg com.f", nil, "--fail", "a b").stderr:match("^(.*) %[W208%]\n"))
  end)

  it("register answers with Lua, an expression or the body of a function", function()
    local function way(code) return parse("reg com.f", nil, "--lua", code).way end
    assert.equal(3, way "1 + ..." ({}, {}, 2))
    assert.equal(5, way "local a, b = ... return a + b" ({}, {}, 2, 3))
    assert.equal("v", way "kwargs.k" ({ k = "v" }, {}))
    assert.equal("joe", way "return details.caller_authid" ({}, { caller_authid = "joe" }))
    assert.matches("^error: %-%-lua:1: ", parse("reg com.f", nil, "--lua", "x x").stderr)
  end)

  it("ls", function()
    assert.equal("procedures", parse("ls").what)
    assert.equal("com.", parse("ls topics com.").prefix)
    assert.matches("must be one of 'procedures'", complaint "ls com.")
  end)
end)

describe("values are printed", function()
  local function line(form, ...) return cli_value.line(form, table.pack(...)) end
  local kwargs = wampy.kwargs { b = 1, a = { 2 } }

  it("alone as JSON, and else as a whole", function()
    assert.equal('"text"', line({}, "text"))
    assert.equal("null", line({}, nil))
    assert.equal('{"args":[1,null],"kwargs":{}}', line({}, 1, nil))
    assert.equal('{"args":[],"kwargs":{}}', line {})
    assert.equal('{"args":["x"],"kwargs":{"k":1}}', line({}, "x", wampy.kwargs { k = 1 }))
    assert.equal('{"args":[1],"kwargs":{}}', line({ json = true }, 1))
  end)

  it("bare with --raw", function()
    assert.equal("text", line({ raw = true }, "text"))
    assert.equal("\0\255", line({ raw = true }, wampy.binary "\0\255"))
    assert.equal('text\n[1]\nnull', line({ raw = true }, "text", { 1 }, nil))
    assert.matches('^{"args":%["text"%],"kwargs":{', line({ raw = true }, "text", kwargs))
  end)

  it("with topic and details", function()
    assert.equal('{"topic":"com.t","args":[1],"kwargs":{},"details":{"publication":7}}',
      cli_value.line({}, table.pack(1), { topic = "com.t", details = { publication = 7 } }))
  end)
end)

describe("lines", function()
  local function split(pieces, max)
    local i, list = 0, {}
    local function read()
      i = i + 1
      return pieces[i]
    end
    for text in lines(read, max) do list[#list + 1] = text end
    return list
  end

  it("come out of pieces", function()
    assert.same({ "one", "", "two" }, split({ "o", "ne\n\ntw", "o" }, 10))
    assert.same({ "one" }, split({ "one\n" }, 10))
    assert.same({}, split({}, 10))
  end)

  it("are cut when they are too long", function()
    assert.same({ "aaaa", "aa" }, split({ "aaa", "aaa\n" }, 4))
  end)
end)

describe("did you mean", function()
  local words = { "com.example.weather", "com.example.add2", "ls" }

  it("finds what differs little", function()
    assert.equal("com.example.weather", nearest.of("com.example.wether", words))
    assert.equal("com.example.add2", nearest.of("com.exmaple.add2", words))
    assert.equal("ls", nearest.of("sl", words))
    assert.is_nil(nearest.of("net.other", words))
    assert.is_nil(nearest.of("x", {}))
  end)

  it("does not compute for ever", function()
    assert.is_nil(nearest.of(("x"):rep(1e6), { ("y"):rep(1e6) }))
  end)
end)

describe("the exit code of an error", function()
  local function code(class, fields, joined)
    return connection.exit_code(wampy.errors.make(class, "x", fields), joined)
  end

  it("says whose fault it is", function()
    assert.equal(6, code("RemoteError", { uri = "com.no" }))
    assert.equal(5, code("AuthenticationError", { uri = "wamp.error.not_authorized" }))
    assert.equal(5, code("ConnectionError", { uri = "wamp.error.no_such_realm" }))
    assert.equal(4, code("ConnectionError"))
    assert.equal(4, code("WampProtocolError", { uri = "wamp.error.protocol_violation" }))
    assert.equal(7, code("TimeoutError"))
    assert.is_nil(code "WampyError")
  end)

  it("is 8 for a link that was there", function()
    assert.equal(8, code("ConnectionError", {}, true))
    assert.equal(8, code("TimeoutError", { after_join = true }))
    assert.equal(7, code("TimeoutError", {}, true))
    assert.equal(6, code("RemoteError", { uri = "com.no" }, true))
  end)
end)

describe("a time", function()
  it("is a number with a unit, or seconds", function()
    for text, seconds in pairs { ["5"] = 5, ["1.5s"] = 1.5, ["500ms"] = 0.5, ["2m"] = 120,
      ["1h"] = 3600 } do
      assert.equal(seconds, settings.duration(text))
    end
    for _, text in ipairs { "", "s", "5y", "-1", "1.2.3s" } do
      assert.is_nil((settings.duration(text)))
    end
  end)
end)
