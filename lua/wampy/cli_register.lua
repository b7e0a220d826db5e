-- cli_register.lua - the verb register: a procedure from the command line, answered by a command, a
-- value, a piece of Lua, an error, or with what it was given.

local cli_flags = require "wampy.cli_flags"
local cli_value = require "wampy.cli_value"
local core = require "wampy.core"
local errors = require "wampy.errors"
local tasks = require "wampy.tasks"
local values = require "wampy.values"

local cli_register = {}

local AT_ONCE = 16 -- commands that run; further calls wait

--- Declares the verb.
function cli_register.command(parser)
  local c = parser:command("register reg")
  c:argument("uri", "URI of the procedure."):argname("URI")
  c:option("--value", "Answer with this value."):argname("JSON")
  c:flag("--echo", "Answer with what was given.")
  c:option("--lua", "Answer with this expression, or what this function body returns; ... are the "
    .. "arguments, kwargs and details are there."):argname("CODE")
  c:option("--fail", "Answer with an error of this URI."):argname("URI")
  c:option("--delay", "Answer that much later."):argname("TIME"):convert(cli_flags.duration)
  c:option("--count", "End after N calls."):argname("N"):convert(cli_value.count)
  c:option("--match", "How the URI matches: exact, prefix or wildcard."):argname("POLICY")
    :choices { "exact", "prefix", "wildcard" }
  c:option("--invoke", "How it is shared: single, roundrobin, random, first or last.")
    :argname("POLICY"):choices { "single", "roundrobin", "random", "first", "last" }
  cli_value.option_flag(c, "REGISTER")
  cli_value.common(c)
  c:epilog("Examples:\n  wampy-lua register com.example.answer --value 42\n"
    .. "  wampy-lua reg com.example.join --lua '(...) .. kwargs.tail'\n"
    .. "  wampy-lua reg com.example.sort -- jq '.args[0] | sort'\n"
    .. "A command behind -- gets args and kwargs as JSON on its stdin; it prints the answer.")
end

-- ---- ways to answer -----------------------------------------------------------------------------
-- Each makes a function(kwargs, details, arguments...) of what its flag was given; or nil and what
-- is wrong.

local ways = {}

--- Always the same value.
function ways.value(text)
  local value, e = cli_value.read(text)
  if e then return nil, "--value: " .. e end
  return function() return value end
end

--- What was given.
function ways.echo()
  return function(kwargs, _, ...)
    if not next(kwargs) then return ... end
    local r = table.pack(...)
    r[r.n + 1] = values.kwargs(kwargs)
    return table.unpack(r, 1, r.n + 1)
  end
end

--- What a piece of Lua makes of it: an expression, or the body of a function.
function ways.lua(code)
  local head = "return function(kwargs, details, ...) "
  local chunk = load(head .. "return " .. code .. "\nend", "=--lua", "t")
  local e
  if not chunk then chunk, e = load(head .. code .. "\nend", "=--lua", "t") end
  return chunk and chunk(), e
end

--- An error.
function ways.fail(uri)
  if not core.uri_ok(uri) then return nil, ("--fail: invalid URI '%s'"):format(uri) end
  return function() error(errors.error(uri), 0) end
end

--- What a command prints: JSON, or else a string; a failure is an error.
function ways.command(argv)
  local running = tasks.queue(AT_ONCE)
  return function(kwargs, _, ...)
    running:put(true)
    local _ <close> = setmetatable({}, { __close = function() running:get() end })
    local r = table.pack(...)
    r[r.n + 1], r.n = values.kwargs(kwargs), r.n + 1
    local code, out, err = require("wampy.process").exec(table.move(argv, 1, #argv, 1,
      { stdin = cli_value.line({ json = true }, r) .. "\n" }))
    if code ~= 0 then
      local said = err:gsub("%s+$", "")
      error(errors.error("wamp.error.runtime_error", said ~= "" and said
        or ("%s ended with %d"):format(argv[1], code), values.kwargs { exit_code = code }), 0)
    end
    return cli_value.read((out:gsub("\n$", "")), out:find("^@"))
  end
end

local ORDER = { "value", "echo", "lua", "fail", "command" }

-- The one way that the flags ask for; nil and what is wrong.
local function way_of(result, rest)
  result.command = rest[1] and rest or nil
  local chosen
  for _, name in ipairs(ORDER) do
    if result[name] and chosen then
      return nil, "give one of --value, --echo, --lua, --fail, and a command behind --"
    end
    chosen = result[name] and name or chosen
  end
  if not chosen then
    return nil, "how is it to answer? Give --value, --echo, --lua, --fail, or a command behind --"
  end
  return ways[chosen](result[chosen])
end

--- What the flags come to.
function cli_register.plan(result, rest)
  local match = result.match or "exact"
  if not core.uri_ok(result.uri, match) then
    return cli_flags.usage(("invalid URI '%s'"):format(result.uri))
  end
  local way, e = way_of(result, rest)
  if not way then return cli_flags.usage(e) end
  local options, fault = cli_value.options(result)
  if not options then return cli_flags.usage(fault) end
  options.match, options.invoke = result.match or options.match, result.invoke or options.invoke
  return cli_value.plan(result, "wampy.cli_register", { uri = result.uri, options = options,
    way = way, delay = result.delay, count = result.count })
end

-- ---- doing it -----------------------------------------------------------------------------------

-- The handler. When `count` calls have begun it sets `full`, and when they are answered `over`.
local function handler(plan, full, over)
  local begun, answered = 0, 0
  local function done()
    answered = answered + 1
    if answered == plan.count then over:set() end
  end
  return function(kwargs, details, ...)
    if begun == plan.count then error(errors.error("wamp.error.unavailable"), 0) end
    begun = begun + 1
    if begun == plan.count then full:set() end
    local _ <close> = setmetatable({}, { __close = done })
    if plan.delay then tasks.sleep(plan.delay) end
    return plan.way(kwargs, details, ...)
  end
end

--- Does it.
-- @return exit code
function cli_register.run(plan)
  return require("wampy.verb").run(plan, function(client)
    local full, over = tasks.event(), tasks.event()
    local registration = client:register(plan.uri, handler(plan, full, over), plan.options)
    core.log("info", "registered " .. plan.uri)
    full:wait()
    registration:unregister()
    over:wait()
  end)
end

return cli_register
