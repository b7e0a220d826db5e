-- cli.lua - the command line: which verb it is, and what every verb shares.
--
-- Parsing, help and "did you mean" are lua-argparse's. A verb is a module with `command(parser)`,
-- which declares its arguments and returns argparse's command, and `plan(result, rest, worker)`,
-- which says what they come to: a plain table, or the exit code and the text of what is wrong.
-- Nothing is connected or started here. A plan with a `module` is done by that module's
-- `run(plan)`, which returns the exit code (src/main.c).

local argparse = require "argparse"
local cli_flags = require "wampy.cli_flags"
local core = require "wampy.core"

local cli = {}

-- In the order of the help; a module is loaded when its verb is wanted, or all of them are.
local VERBS = {
  { names = "run", module = "wampy.cli_run" },
  { names = "router", module = "wampy.cli_router" },
  { names = "call", module = "wampy.cli_call" },
  { names = "publish pub", module = "wampy.cli_publish" },
  { names = "subscribe sub", module = "wampy.cli_subscribe" },
  { names = "register reg", module = "wampy.cli_register" },
  { names = "ls", module = "wampy.cli_ls" },
  { names = "ping", module = "wampy.cli_ping" },
}

local EPILOG = "wampy-lua FILE [ARGS] runs a Lua script with the wampy module inside, as lua does."

local function verb_of(word)
  for _, verb in ipairs(VERBS) do
    for name in verb.names:gmatch("%S+") do
      if name == word then return verb end
    end
  end
end

-- With the flags of the verb that is asked for; every verb's, when it is none.
local function new_parser(verb)
  local parser = argparse("wampy-lua", "WAMP applications in Lua.", EPILOG)
  parser:add_help("-h --help")
  parser:flag("--version -V", "Print the version.")
  parser:command_target("verb"):require_command(false)
  for _, each in ipairs(verb and { verb } or VERBS) do require(each.module).command(parser) end
  parser:command("help", "Print help."):argument("topic", "A verb."):args("?")
  parser:command("version", "Print the version."):flag("--json", "As JSON.")
  return parser
end

-- Flags that take a value only with "=", so that an app may follow them.
local optional = { ["--router"] = true, ["--access-log"] = true, ["--metrics"] = true }

-- `--` ends our arguments.
local function prepare(args)
  local ours, rest = {}, {}
  local list = ours
  for _, a in ipairs(args) do
    if a == "--" and list == ours then
      list = rest
    else
      list[#list + 1] = list == ours and optional[a] and a .. "=default" or a
    end
  end
  return ours, rest
end

local function first_lines(text, n)
  local lines = {}
  for line in text:gmatch("[^\n]+") do
    if #lines < n then lines[#lines + 1] = line end
  end
  return table.concat(lines, " ")
end

local function version_text(json)
  if json then
    return core.json_encode { name = "wampy-lua", version = core.version, lua = _VERSION } .. "\n"
  end
  return ("wampy-lua %s (%s)\n"):format(core.version, _VERSION)
end

local function log_format(result)
  local format = result.log_format or os.getenv("WAMPY_LOG_FORMAT")
  if format and format ~= "text" and format ~= "json" then
    return cli_flags.usage(("WAMPY_LOG_FORMAT: expected text or json, got '%s'"):format(format))
  end
  core.log_json(format == "json")
end

local function log_level(result)
  local level = result.verbose and "debug" or result.quiet and "error" or result.log
    or os.getenv("WAMPY_LOG")
  if not level then return end
  if not pcall(core.log_level, level) then
    return cli_flags.usage(
      ("WAMPY_LOG: expected error, warn, info, debug or trace, got '%s'"):format(level))
  end
end

local function help(parser, topic)
  if not topic then return { exit = 0, stdout = parser:get_help() .. "\n" } end
  for _, c in ipairs(parser._commands) do
    for _, name in ipairs(c._aliases) do
      if name == topic then return { exit = 0, stdout = c:get_help() .. "\n" } end
    end
  end
  return cli_flags.usage(("no help for '%s'"):format(topic))
end

--- Parses the command line.
-- @param args list of arguments, without the program's name
-- @param worker what a process of `run --workers` was told: the result is then for that process
-- @return the plan of the verb: { verb, module, ... }; or { exit = code, stdout =, stderr = }
function cli.parse(args, worker)
  local ours, rest = prepare(args)
  local verb = verb_of(ours[1])
  local parser = new_parser(verb)
  if not ours[1] then
    return { exit = 2, stderr = parser:get_usage() .. "\n\n" .. EPILOG .. "\n" }
  end
  if ours[1] == "--help" or ours[1] == "-h" then return help(parser) end
  if ours[1] == "help" then return help(parser, ours[2]) end
  local ok, result = parser:pparse(ours)
  if not ok then return cli_flags.usage(first_lines(tostring(result), 2)) end
  if result.version and not result.verb then return { exit = 0, stdout = version_text() } end
  local bad = log_level(result) or log_format(result)
  if bad then return bad end
  if result.verb == "version" then return { exit = 0, stdout = version_text(result.json) } end
  if not result.verb then return cli_flags.usage("a verb is missing; try wampy-lua --help") end
  return require(verb_of(result.verb).module).plan(result, rest, worker)
end

return cli
