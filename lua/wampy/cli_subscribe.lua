-- cli_subscribe.lua - the verb subscribe: events on stdout, a line each, or each to a command.

local cli_flags = require "wampy.cli_flags"
local cli_value = require "wampy.cli_value"
local core = require "wampy.core"
local tasks = require "wampy.tasks"
local verb = require "wampy.verb"

local cli_subscribe = {}

local TIMED_OUT = 7
local MOST = 1000 -- events that wait for stdout or a command; then their handlers wait

--- Declares the verb.
function cli_subscribe.command(parser)
  local c = parser:command("subscribe sub", "Print events as they come, a JSON line each.")
  c:argument("uri", "URIs of topics."):args("+"):argname("URI")
  c:option("--match", "How the URIs match: exact, prefix or wildcard."):argname("POLICY")
    :choices { "exact", "prefix", "wildcard" }
  c:flag("--retained", "Also what the router has kept.")
  c:option("--count", "End after N events."):argname("N"):convert(cli_value.count)
  c:option("--timeout", "End after this time; with --count, exit code 7 when fewer came.")
    :argname("TIME"):convert(cli_flags.duration)
  c:flag("--details", "The whole event, with topic and details.")
  c:option("--exec", "Run a command for each event, which is on its stdin."):argname("CMD")
  c:option("-o --option", "Option of SUBSCRIBE by its name in WAMP (may be repeated).")
    :argname("NAME=VALUE"):count("*")
  cli_value.output_flags(c)
  cli_value.common(c)
  c:epilog("Examples:\n  wampy-lua subscribe com.example.news\n"
    .. "  wampy-lua sub com.example. --match prefix --details\n"
    .. "  wampy-lua sub com.example.job --exec ./work.sh")
end

--- What the flags come to.
function cli_subscribe.plan(result)
  for _, uri in ipairs(result.uri) do
    if not core.uri_ok(uri, result.match or "exact") then
      return cli_flags.usage(("invalid URI '%s'"):format(uri))
    end
  end
  local payload, e = cli_value.payload({ uri = "a", arg = {}, kwarg = {}, option = result.option },
    {})
  if not payload then return cli_flags.usage(e) end
  local options = payload.options
  options.match = result.match or options.match
  options.get_retained = result.retained or options.get_retained
  return cli_value.plan(result, "wampy.cli_subscribe", { uris = result.uri, options = options,
    count = result.count, timeout = result.timeout, details = result.details,
    command = result.exec })
end

-- The members of the whole event that --details asks for.
local function more_of(plan, details, topic)
  if not plan.details then return nil end
  local shown = {}
  for name, value in pairs(details) do
    if type(value) ~= "function" then shown[name] = value end
  end
  return { topic = details.topic or topic, details = shown }
end

local function subscribe(client, plan, topic, lines)
  client:subscribe(topic, function(details, ...)
    lines:put(cli_value.line(plan, table.pack(...), more_of(plan, details, topic)))
  end, plan.options)
end

local function run_command(command, line)
  local code, out, err = require("wampy.process").exec { "/bin/sh", "-c", command,
    stdin = line .. "\n" }
  io.stdout:write(out)
  io.stdout:flush()
  io.stderr:write(err)
  if code ~= 0 then core.log("warn", ("--exec: %s ended with %d"):format(command, code)) end
end

-- The next line; nil when the time is over. A lost link is raised.
local function next_line(client, lines, limit)
  while true do
    local left = limit and math.max(0, limit - core.now())
    local line = lines:get(math.min(left or 1, 1))
    if line then return line end
    verb.check(client)
    if left == 0 then return nil end
  end
end

--- Does it.
-- @return exit code
function cli_subscribe.run(plan)
  return verb.run(plan, function(client)
    local lines = tasks.queue(MOST)
    for _, topic in ipairs(plan.uris) do subscribe(client, plan, topic, lines) end
    local limit, n = plan.timeout and core.now() + plan.timeout, 0
    while n < (plan.count or math.huge) do
      local line = next_line(client, lines, limit)
      if not line then return plan.count and TIMED_OUT or 0 end
      n = n + 1
      if plan.command then run_command(plan.command, line) else cli_value.say(line) end
    end
  end)
end

return cli_subscribe
