-- cli_ping.lua - the verb ping: whether a router lets us in and out again, and how long each stage
-- takes. Its exit code is a health check.

local cli_value = require "wampy.cli_value"
local core = require "wampy.core"

local cli_ping = {}

--- Declares the verb.
function cli_ping.command(parser)
  local c = parser:command("ping")
  c:flag("--json", "As one JSON object, in seconds.")
  cli_value.common(c)
  c:epilog("Examples:\n  wampy-lua ping\n"
    .. "  wampy-lua ping -u wss://router.example/ws -q && echo up\n"
    .. "The exit code is 0 when a session was joined and left.")
end

--- What the flags come to.
function cli_ping.plan(result)
  return cli_value.plan(result, "wampy.cli_ping", { quiet = result.quiet })
end

-- A message handler that notes when the client says HELLO: the transport has opened.
local function watcher(times)
  local MessageHandler = require "wampy.message_handler"
  local Watcher = MessageHandler:extend("ping")
  function Watcher:send_message(message)
    if message.name == "hello" then times.open = core.clock() end
    MessageHandler.send_message(self, message)
  end
  return Watcher()
end

local function report(plan, times, url)
  local format = plan.json and '{"connect":%.6f,"welcome":%.6f,"goodbye":%.6f}'
    or url:gsub("%%", "%%%%") .. "  connect %.2f ms  welcome %.2f ms  goodbye %.2f ms"
  local unit = plan.json and 1 or 1000
  cli_value.say(format:format((times.open - times.begin) * unit,
    (times.joined - times.open) * unit, (times.over - times.joined) * unit))
end

--- Does it.
-- @return exit code
function cli_ping.run(plan)
  local times = { begin = core.clock() }
  plan.message_handler = watcher(times)
  return require("wampy.verb").run(plan, function(client)
    times.joined = core.clock()
    client:stop()
    times.over = core.clock()
    if not plan.quiet then report(plan, times, client.url) end
  end)
end

return cli_ping
