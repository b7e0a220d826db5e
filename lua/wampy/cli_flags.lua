-- cli_flags.lua - what the verbs of the command line share: flags, values, and the words of errors.

local codes = require "wampy.codes"
local settings = require "wampy.settings"

local cli_flags = {}

cli_flags.duration = settings.duration

--- Declares flags that many verbs have: they are a group of their own in --help, and not in -h.
-- @param command of argparse
-- @param title of the group
-- @param declare function(command)
function cli_flags.group(command, title, declare)
  local first = #command._options + 1
  declare(command)
  command:group(title, table.unpack(command._options, first))
end

local function common(command)
  command:option("--log", "Level: error, warn, info, debug, trace (WAMPY_LOG)."):argname("LEVEL")
    :choices { "error", "warn", "info", "debug", "trace" }
  command:option("--log-format", "text or json (WAMPY_LOG_FORMAT)."):argname("FORMAT")
    :choices { "text", "json" }
  command:option("--color", "auto (the default), always or never (NO_COLOR)."):argname("WHEN")
    :choices { "auto", "always", "never" }
  command:option("--trace", "Show messages, as call,pub,... or uri:PREFIX (WAMPY_TRACE).")
    :argname("[=WHAT]")
  command:flag("-v --verbose", "As --log debug.")
  command:flag("-q --quiet", "As --log error.")
end

--- The flags of every verb that writes a log.
function cli_flags.common(command)
  cli_flags.group(command, "Log", common)
end

--- The beginning of a file that the command line names.
-- @param path of the file
-- @param most bytes of it
-- @return text; or nil and why not
function cli_flags.read_file(path, most)
  local file, e = io.open(path, "rb")
  if not file then return nil, e end
  local text, fault = file:read(most)
  file:close()
  if fault then return nil, path .. ": " .. fault end
  return text or ""
end

--- The result of a command line that is wrong.
function cli_flags.usage(text)
  return { exit = 2, stderr = codes.line(text, { message = text, exit = 2 }) }
end

--- What is wrong with the certificate of a command line; nil when nothing is.
function cli_flags.bad_identity(result)
  if (result.cert == nil) ~= (result.cert_key == nil) then
    return "a certificate needs its key: give --cert and --cert-key"
  end
end

return cli_flags
