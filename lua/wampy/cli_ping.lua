-- cli_ping.lua - the verb ping: whether a router lets us in and out again, and how long each stage
-- takes. Its exit code is a health check.

local cli_value = require "wampy.cli_value"
local core = require "wampy.core"
local verb = require "wampy.verb"

local cli_ping = {}

--- Declares the verb.
function cli_ping.command(parser)
  local c = parser:command("ping", "Join and leave, and say how long each stage took.")
  c:flag("--json", "As one JSON object, in seconds.")
  cli_value.common(c)
  c:epilog("Examples:\n  wampy-lua ping\n  wampy-lua ping -u wss://router.example/ws -q && echo up")
end

--- What the flags come to.
function cli_ping.plan(result)
  return cli_value.plan(result, "wampy.cli_ping", { quiet = result.quiet })
end

--- Does it.
-- @return exit code
function cli_ping.run(plan)
  local began, joined, asked, url = core.clock()
  local code = verb.run(plan, function(client)
    joined, url = core.clock(), client.url
    client:call("wamp.session.count")
    asked = core.clock()
    client:stop()
  end)
  local over = core.clock()
  if code ~= 0 or plan.quiet then return code end
  local times = { welcome = joined - began, call = asked - joined, goodbye = over - asked }
  if plan.json then
    cli_value.say(core.json_encode(times))
  else
    cli_value.say(("%s  welcome %.2f ms  call %.2f ms  goodbye %.2f ms"):format(url,
      times.welcome * 1000, times.call * 1000, times.goodbye * 1000))
  end
  return 0
end

return cli_ping
