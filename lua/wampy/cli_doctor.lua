-- cli_doctor.lua - the verb doctor: where on the way to a session it fails, why, and what to do.

local cli_value = require "wampy.cli_value"

local cli_doctor = {}

--- Declares the verb.
function cli_doctor.command(parser)
  local c = parser:command("doctor")
  c:flag("--json", "One JSON object.")
  cli_value.common(c)
  c:epilog("Examples:\n  wampy-lua doctor -u wss://router.example/ws -r shop\n"
    .. "  wampy-lua doctor --authid joe --ask-secret\n"
    .. "The exit code is that of the stage that fails: 4 up to subprotocol, then 5; 7 when the\n"
    .. "time is over.")
end

--- What the flags come to.
function cli_doctor.plan(result)
  return cli_value.plan(result, "wampy.doctor", {})
end

return cli_doctor
