-- cli_publish.lua - the verb publish: an event from the command line, or one for each line of
-- stdin.

local cli_flags = require "wampy.cli_flags"
local cli_value = require "wampy.cli_value"
local core = require "wampy.core"
local tasks = require "wampy.tasks"

local cli_publish = {}

--- Declares the verb.
function cli_publish.command(parser)
  local c = parser:command("publish pub", "Publish an event.")
  cli_value.flags(c, "the topic")
  c:flag("--ack", "Wait for the router's word (the default).")
  c:flag("--no-ack", "Do not wait: nobody says whether it was allowed.")
  c:flag("--retain", "The router keeps it for those who come later.")
  c:option("--repeat", "Publish N times."):argname("N"):convert(cli_value.count)
  c:option("--interval", "Pause between two events."):argname("TIME"):convert(cli_flags.duration)
  c:flag("--lines", "One event for each line of stdin, which is its last argument.")
  c:flag("--json", "Print {\"publication\": id} for each.")
  cli_value.common(c)
  c:epilog("Examples:\n  wampy-lua publish com.example.news 'it rains'\n"
    .. "  wampy-lua publish com.example.state on --retain\n"
    .. "  tail -f log | wampy-lua pub com.example.log --lines")
end

--- What the flags come to.
function cli_publish.plan(result, rest)
  local payload, e = cli_value.payload(result, rest)
  if not payload then return cli_flags.usage(e) end
  if result.ack and result.no_ack then
    return cli_flags.usage("give --ack or --no-ack, not both")
  end
  payload.options.acknowledge = not result.no_ack
  payload.options.retain = result.retain or payload.options.retain
  return cli_value.plan(result, "wampy.cli_publish", { payload = payload, lines = result.lines,
    strings = result.strings, times = result["repeat"] or 1, interval = result.interval })
end

local function publish(client, plan, ...)
  local id = client:publish(plan.payload.uri, ...)
  if plan.json then
    cli_value.say(core.json_encode { publication = id or core.null })
  end
end

-- The lines of stdin, waiting for each without keeping the link from its pings.
local function lines()
  io.stdin:setvbuf("no")
  return function()
    tasks.readable(0)
    return io.read("l")
  end
end

local function publish_lines(client, plan)
  local payload, n = plan.payload, #plan.payload.args
  for line in lines() do
    payload.args[n + 1] = cli_value.read(line, plan.strings or line:find("^@"))
    publish(client, plan, cli_value.unpack(payload))
    if plan.interval then tasks.sleep(plan.interval) end
  end
end

--- Does it.
-- @return exit code
function cli_publish.run(plan)
  return require("wampy.verb").run(plan, function(client)
    if plan.lines then return publish_lines(client, plan) end
    for i = 1, plan.times do
      if i > 1 and plan.interval then tasks.sleep(plan.interval) end
      publish(client, plan, cli_value.unpack(plan.payload))
    end
  end)
end

return cli_publish
