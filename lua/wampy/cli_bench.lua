-- cli_bench.lua - the verb bench: how many calls or events a second, and how long each takes.

local cli_flags = require "wampy.cli_flags"
local cli_value = require "wampy.cli_value"
local core = require "wampy.core"

local cli_bench = {}

local LARGEST = 15 * 1024 * 1024 -- bytes of the argument: what fits into a message
local MOST_CLIENTS = 1000

local function number(least, most)
  return function(text)
    local digits, k = text:match("^(%d+)(k?)$")
    local n = math.tointeger(tonumber(digits))
    n = n and k == "k" and n * 1000 or n
    if n and n >= least and n <= most then return n end
    return nil, ("expected a number from %d to %d, such as 500 or 10k, got '%s'")
      :format(least, most, text)
  end
end

--- Declares the verb.
function cli_bench.command(parser)
  local c = parser:command("bench")
  c:argument("what", "call or publish."):choices { "call", "publish" }:argname("WHAT")
  c:argument("uri", "URI of a procedure or topic."):argname("URI")
  c:option("-n --count", "End after N of them, 10k is 10000 (default: no limit)."):argname("N")
    :convert(number(1, 10 ^ 9 // 1))
  c:option("-c --clients", "Clients, each with a connection of its own (default 10).")
    :argname("N"):convert(number(1, MOST_CLIENTS))
  c:option("--parallel", "Requests of each client under way at once (default 1)."):argname("N")
    :convert(number(1, MOST_CLIENTS))
  c:option("--size", "Bytes of the string that is sent; 0 sends nothing (default 128).")
    :argname("N"):convert(number(0, LARGEST))
  c:option("--duration", "How long to measure (default 10s; with -n no limit)."):argname("TIME")
    :convert(cli_flags.duration)
  c:option("--warmup", "Before that, what is not counted (default 1s)."):argname("TIME")
    :convert(cli_flags.duration)
  c:option("--timeout", "How long one answer may take (default 10s)."):argname("TIME")
    :convert(cli_flags.duration)
  c:flag("--no-ack", "publish: do not wait for the router's word.")
  c:flag("--json", "One JSON object, in seconds.")
  cli_value.common(c)
  c:epilog("Examples:\n  wampy-lua register com.example.echo --echo &\n"
    .. "  wampy-lua bench call com.example.echo -n 10k -c 10\n"
    .. "  wampy-lua bench publish com.example.news --size 1000 --duration 5s")
end

--- What the flags come to.
function cli_bench.plan(result)
  if not core.uri_ok(result.uri) then
    return cli_flags.usage(("invalid URI '%s'"):format(result.uri))
  elseif result.no_ack and result.what == "call" then
    return cli_flags.usage("--no-ack: only with publish")
  elseif result.duration == 0 then
    return cli_flags.usage("--duration: expected a time that is longer than 0")
  end
  return cli_value.plan(result, "wampy.bench", { what = result.what, uri = result.uri,
    count = result.count, clients = result.clients or 10, parallel = result.parallel or 1,
    size = result.size or 128, duration = result.duration or not result.count and 10 or nil,
    warmup = result.warmup or 1, timeout = result.timeout or 10, no_ack = result.no_ack })
end

return cli_bench
