-- cli_register.lua - the verb register: a procedure from the command line, answered by a command, a
-- value, a piece of Lua, an error, or with what it was given.

local cli_flags = require "wampy.cli_flags"
local cli_value = require "wampy.cli_value"
local core = require "wampy.core"
local errors = require "wampy.errors"
local tasks = require "wampy.tasks"
local values = require "wampy.values"
local verb = require "wampy.verb"

local cli_register = {}

--- Declares the verb.
function cli_register.command(parser)
  local c = parser:command("register reg", "Register a procedure, and answer its calls.")
  c:argument("uri", "URI of the procedure."):argname("URI")
  c:option("--value", "Answer with this value."):argname("JSON")
  c:flag("--echo", "Answer with what was given.")
  c:option("--lua", "Answer with what this function body returns; ... are the arguments.")
    :argname("CODE")
  c:option("--fail", "Answer with an error of this URI."):argname("URI")
  c:option("--delay", "Answer that much later."):argname("TIME"):convert(cli_flags.duration)
  c:option("--count", "End after N calls."):argname("N"):convert(cli_value.count)
  c:option("--match", "How the URI matches: exact, prefix or wildcard."):argname("POLICY")
    :choices { "exact", "prefix", "wildcard" }
  c:option("--invoke", "How it is shared: single, roundrobin, random, first or last.")
    :argname("POLICY"):choices { "single", "roundrobin", "random", "first", "last" }
  c:option("-o --option", "Option of REGISTER by its name in WAMP (may be repeated).")
    :argname("NAME=VALUE"):count("*")
  cli_value.common(c)
  c:epilog("Examples:\n  wampy-lua register com.example.answer --value 42\n"
    .. "  wampy-lua reg com.example.add --lua 'local a, b = ... return a + b'\n"
    .. "  wampy-lua reg com.example.sort -- jq '.args[0] | sort'\n"
    .. "A command behind -- gets args and kwargs as JSON on its stdin; it prints the answer.")
end

-- ---- ways to answer -----------------------------------------------------------------------------
-- Each makes the handler from what its flag was given; or gives nil and what is wrong with that.

local ways = {}

--- Always the same value.
function ways.value(text)
  local value, e = cli_value.read(text)
  if e then return nil, "--value: " .. e end
  return function() return value end
end

--- What was given.
function ways.echo()
  return function(...) return ... end
end

--- What a function body returns.
function ways.lua(code)
  local fn, e = load(code, "=--lua", "t")
  return fn, e
end

--- An error.
function ways.fail(uri)
  if not core.uri_ok(uri) then return nil, ("--fail: invalid URI '%s'"):format(uri) end
  return function() error(errors.error(uri), 0) end
end

--- What a command prints: JSON, or else a string; a failure is an error.
function ways.command(argv)
  return function(...)
    local given = cli_value.line({ json = true }, table.pack(...))
    local command = table.move(argv, 1, #argv, 1, { stdin = given .. "\n" })
    local code, out, err = require("wampy.process").exec(command)
    if code ~= 0 then
      local text = err ~= "" and err:gsub("%s+$", "") or ("ended with %d"):format(code)
      error(errors.error("wamp.error.runtime_error", text), 0)
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
  local payload, fault = cli_value.payload({ uri = "a", arg = {}, kwarg = {},
    option = result.option }, {})
  if not payload then return cli_flags.usage(fault) end
  local options = payload.options
  options.match, options.invoke = result.match or options.match, result.invoke or options.invoke
  return cli_value.plan(result, "wampy.cli_register", { uri = result.uri, options = options,
    way = way, delay = result.delay, count = result.count })
end

-- ---- doing it -----------------------------------------------------------------------------------

--- Does it.
-- @return exit code
function cli_register.run(plan)
  return verb.run(plan, function(client)
    local answered, n = tasks.queue(), 0
    client:register(plan.uri, function(...)
      local _ <close> = setmetatable({}, { __close = function() answered:put(true) end })
      if plan.delay then tasks.sleep(plan.delay) end
      return plan.way(...)
    end, values.dict(plan.options))
    core.log("info", "registered " .. plan.uri)
    while n < (plan.count or math.huge) do
      if answered:get(1) then n = n + 1 else verb.check(client) end
    end
    core.turn(0) -- the last answer goes out
  end)
end

return cli_register
