-- cli_subscribe.lua - the verb subscribe: events on stdout, a line each, or each to a command.

local cli_flags = require "wampy.cli_flags"
local cli_value = require "wampy.cli_value"
local codes = require "wampy.codes"
local core = require "wampy.core"
local tasks = require "wampy.tasks"
local values = require "wampy.values"
local verb = require "wampy.verb"

local cli_subscribe = {}

local MOST = 1000 -- events that wait for stdout or a command; then their handlers wait

--- Declares the verb.
function cli_subscribe.command(parser)
  local c = parser:command("subscribe sub")
  c:argument("uri", "URIs of topics."):args("+"):argname("URI")
  c:option("--match", "How the URIs match: exact, prefix or wildcard."):argname("POLICY")
    :choices { "exact", "prefix", "wildcard" }
  c:flag("--retained", "Also what the router has kept.")
  c:option("--count", "End after N events."):argname("N"):convert(cli_value.count)
  c:option("--timeout", "End after this time; with --count, exit code 7 when fewer came.")
    :argname("TIME"):convert(cli_flags.duration)
  c:flag("--details", "The whole event, with topic and details.")
  c:option("--exec", "Run a command for each event, which is on its stdin."):argname("CMD")
  cli_value.option_flag(c, "SUBSCRIBE")
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
  local options, e = cli_value.options(result)
  if not options then return cli_flags.usage(e) end
  options.match = result.match or options.match
  options.get_retained = result.retained or options.get_retained
  return cli_value.plan(result, "wampy.cli_subscribe", { uris = result.uri, options = options,
    count = result.count, timeout = result.timeout, details = result.details,
    command = result.exec })
end

-- The members of the whole event that --details asks for.
local function more_of(plan, details, topic)
  if not plan.details then return nil end
  return { topic = details.topic or topic, details = values.dict(details) }
end

-- Runs the command, which has our stdout and stderr, for an event.
local function run_command(command, line)
  local child <close> = require("wampy.process").spawn { "/bin/sh", "-c", command,
    stdin = "pipe", stdout = "inherit", stderr = "inherit" }
  child:write(line .. "\n")
  child:close_stdin()
  local code = child:wait()
  if code ~= 0 then core.log("warn", ("--exec: %s ended with %d"):format(command, code)) end
end

local function subscribe(client, plan, events)
  for _, topic in ipairs(plan.uris) do
    client:subscribe(topic, function(details, ...)
      events:put(cli_value.line(plan, table.pack(...), more_of(plan, details, topic)))
    end, plan.options)
    core.log("info", "subscribed " .. topic)
  end
end

local function too_few(plan, n)
  codes.complain(("%d of %d events came in %g s"):format(n, plan.count, plan.timeout), "W700")
  return verb.TIMED_OUT
end

--- Does it.
-- @return exit code
function cli_subscribe.run(plan)
  return verb.run(plan, function(client)
    local events = tasks.queue(MOST)
    subscribe(client, plan, events)
    local limit = plan.timeout and core.now() + plan.timeout
    for n = 1, plan.count or math.maxinteger do
      local line = events:get(limit and math.max(0, limit - core.now()))
      if not line then return plan.count and too_few(plan, n - 1) or 0 end
      if plan.command then run_command(plan.command, line) else cli_value.say(line) end
    end
  end)
end

return cli_subscribe
