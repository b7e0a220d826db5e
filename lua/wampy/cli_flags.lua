-- cli_flags.lua - what the verbs of the command line share: flags, values, and the words of errors.

local cli_flags = {}

--- A time: "5", "5s", "500ms", "2m".
-- @return seconds; or nil and what was expected
function cli_flags.duration(text)
  local n, unit = text:match("^([%d.]+)(%a*)$")
  local factor = ({ [""] = 1, s = 1, ms = 0.001, m = 60, h = 3600 })[unit or ""]
  if not tonumber(n) or not factor then
    return nil, ("expected a time such as 5s or 500ms, got '%s'"):format(text)
  end
  return tonumber(n) * factor
end

--- The flags of every verb that runs for long.
function cli_flags.common(command)
  command:option("--log", "Level: error, warn, info, debug, trace (WAMPY_LOG)."):argname("LEVEL")
    :choices { "error", "warn", "info", "debug", "trace" }
  command:option("--log-format", "text or json (WAMPY_LOG_FORMAT)."):argname("FORMAT")
    :choices { "text", "json" }
  command:option("--color", "Color in the log: auto (default; terminals), always or never "
    .. "(NO_COLOR)."):argname("WHEN"):choices { "auto", "always", "never" }
  command:option("--trace", "Show messages, as call,pub,... or uri:PREFIX (WAMPY_TRACE).")
    :argname("[=WHAT]")
  command:flag("-v --verbose", "As --log debug.")
  command:flag("-q --quiet", "As --log error.")
end

--- The result of a command line that is wrong.
function cli_flags.usage(text)
  return { exit = 2, stderr = "error: " .. text .. "\n" }
end

--- What is wrong with the certificate of a command line; nil when nothing is.
function cli_flags.bad_identity(result)
  if (result.cert == nil) ~= (result.cert_key == nil) then
    return "a certificate needs its key: give --cert and --cert-key"
  end
end

return cli_flags
