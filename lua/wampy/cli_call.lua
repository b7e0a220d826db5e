-- cli_call.lua - the verb call: a procedure from the command line, its result on stdout.

local cli_flags = require "wampy.cli_flags"
local cli_value = require "wampy.cli_value"
local core = require "wampy.core"
local values = require "wampy.values"

local cli_call = {}

--- Declares the verb.
function cli_call.command(parser)
  local c = parser:command("call", "Call a procedure and print its result.")
  cli_value.flags(c, "the procedure")
  c:option("--timeout", "How long the answer may take."):argname("TIME"):convert(cli_flags.duration)
  c:flag("--progress", "Print the parts of a progressive result as they come, a line each.")
  c:option("--repeat", "Call N times."):argname("N"):convert(cli_value.count)
  c:option("--parallel", "Up to N calls at once."):argname("N"):convert(cli_value.count)
  c:flag("--time", "Say on stderr how long each answer took.")
  c:flag("--dry-run", "Print the message that would be sent, and do not connect.")
  cli_value.output_flags(c)
  cli_value.common(c)
  c:epilog("Examples:\n  wampy-lua call com.example.add 1 2\n"
    .. "  wampy-lua call com.example.order -k item=tea -k count=2 --timeout 5s\n"
    .. "  echo '{\"a\": 1}' | wampy-lua call com.example.store @-\n"
    .. "What follows -- are arguments, -1 for instance.")
end

-- The CALL that would be sent.
local function dry(payload)
  local message = values.array { 48, 1, payload.options, payload.uri,
    values.array(payload.args), payload.kwargs }
  return { exit = 0, stdout = core.json_encode(message) .. "\n" }
end

--- What the flags come to.
function cli_call.plan(result, rest)
  local payload, e = cli_value.payload(result, rest)
  if not payload then return cli_flags.usage(e) end
  if result.dry_run then return dry(payload) end
  payload.options.timeout = result.timeout or payload.options.timeout
  return cli_value.plan(result, "wampy.cli_call", { payload = payload,
    progress = result.progress, times = result["repeat"] or 1, parallel = result.parallel or 1,
    time = result.time })
end

local function begin(client, plan)
  local payload = plan.payload
  if plan.progress then
    payload.options.on_progress = function(...)
      cli_value.say(cli_value.line(plan, table.pack(...)))
    end
  end
  return { since = core.clock(),
    future = client:call_async(payload.uri, cli_value.unpack(payload)) }
end

local function finish(call, plan)
  cli_value.say(cli_value.line(plan, table.pack(call.future:wait())))
  if plan.time then
    io.stderr:write(("%.2f ms\n"):format((core.clock() - call.since) * 1000))
  end
end

--- Does it.
-- @return exit code
function cli_call.run(plan)
  return require("wampy.verb").run(plan, function(client)
    local under_way = {}
    for _ = 1, plan.times do
      if #under_way == plan.parallel then finish(table.remove(under_way, 1), plan) end
      under_way[#under_way + 1] = begin(client, plan)
    end
    for _, call in ipairs(under_way) do finish(call, plan) end
  end)
end

return cli_call
