-- cli.lua - the command line: which verb it is, and what every verb shares.
--
-- Parsing, help and "did you mean" are lua-argparse's. A verb is a module with `command(parser)`,
-- which adds it to a parser with its arguments, and `plan(result, rest, worker)`, which says what
-- they come to: a plain table, or the exit code and the text of what is wrong.
-- Nothing is connected or started here. A plan with a `module` is done by that module's
-- `run(plan)`, which returns the exit code (src/main.c). What connects is loaded there, and not for
-- the help, which declares every verb.

local argparse = require "argparse"
local cli_flags = require "wampy.cli_flags"
local codes = require "wampy.codes"
local core = require "wampy.core"

local cli = {}

-- In the order of the help; a module is loaded when its verb is wanted.
local VERBS = {
  { names = "run", module = "wampy.cli_run", text = "Load apps and run them until they end." },
  { names = "router", module = "wampy.cli_router", text = "Serve as a WAMP router." },
  { names = "call", module = "wampy.cli_call", text = "Call a procedure and print its result." },
  { names = "publish pub", module = "wampy.cli_publish", text = "Publish an event." },
  { names = "subscribe sub", module = "wampy.cli_subscribe",
    text = "Print events as they come, a JSON line each." },
  { names = "register reg", module = "wampy.cli_register",
    text = "Register a procedure, and answer its calls." },
  { names = "repl", module = "wampy.cli_repl",
    text = "A prompt for Lua with a client that has joined." },
  { names = "ls", module = "wampy.cli_ls", text = "List procedures, topics or sessions." },
  { names = "ping", module = "wampy.cli_ping",
    text = "Join and leave, and say how long each stage took." },
  { names = "bench", module = "wampy.cli_bench",
    text = "Measure how many calls or events a second, and how long each takes." },
  { names = "doctor", module = "wampy.cli_doctor",
    text = "Find where on the way to a session it fails, why, and what to do." },
  { names = "check", module = "wampy.cli_check",
    text = "Find mistakes in apps or a configuration; nothing connects." },
  { names = "test", module = "wampy.cli_test", text = "Run specs, with busted." },
  { names = "new", module = "wampy.cli_new", text = "Make a small project in a new folder." },
  { names = "keygen", module = "wampy.cli_keygen", text = "Make a key pair for cryptosign." },
  { names = "passwd", module = "wampy.cli_passwd",
    text = "Make a router's entry for somebody with a secret." },
  { names = "completion", module = "wampy.cli_completion",
    text = "Print a script of completions for a shell." },
}

local EPILOG = "wampy-lua FILE [ARGS] runs a Lua script with the wampy module inside, as lua does."

local function verb_of(word)
  for _, verb in ipairs(VERBS) do
    for name in verb.names:gmatch("%S+") do
      if name == word then return verb end
    end
  end
end

-- What is wrong with a value is said with its flag.
local function name_faults(command)
  for _, option in ipairs(command._options) do
    local read, name = option._convert, option._aliases[#option._aliases]
    if read then
      option:convert(function(text)
        local value, fault = read(text)
        return value, fault and name .. ": " .. fault
      end)
    end
  end
end

local function add_verb(parser, verb)
  require(verb.module).command(parser)
  local command = parser._commands[#parser._commands]
  command:description(verb.text)
  name_faults(command)
end

-- With the verb that is asked for and its flags; with every verb's name, when it is none.
local function new_parser(verb)
  local parser = argparse("wampy-lua", "WAMP applications in Lua.", EPILOG)
  parser:add_help(false)
  parser:flag("--help -h", "Print help; VERB -h is short, VERB --help says everything.")
  parser:flag("--version -V", "Print the version.")
  parser:command_target("verb"):require_command(false)
  if verb then add_verb(parser, verb) end
  for _, each in ipairs(verb and {} or VERBS) do parser:command(each.names, each.text) end
  parser:command("help", "Print help.")
    :argument("topic", "A verb, a topic, or a code such as W301."):args("?")
  parser:command("version", "Print the version."):flag("--json", "As JSON.")
  return parser
end

--- A parser of all verbs with their flags.
function cli.parser()
  local parser = new_parser(VERBS[1])
  for i = 2, #VERBS do add_verb(parser, VERBS[i]) end
  return parser
end

-- Flags that take a value only with "=", so that an app may follow them.
local optional = { ["--router"] = true, ["--access-log"] = true, ["--metrics"] = true,
  ["--trace"] = true }

-- A number below zero is no flag: this byte, which no argument can have, goes before it.
local NUMBER = "\0"

local function unmark(value)
  if type(value) == "string" then return (value:gsub(NUMBER, "")) end
  for i, each in ipairs(type(value) == "table" and value or {}) do value[i] = unmark(each) end
  return value
end

-- How many words the flags of all verbs take, by their names.
local function global_flags()
  local c, takes = argparse("-"):add_help(false), {}
  require("wampy.cli_connect").flags(c, "")
  cli_flags.common(c)
  for _, option in ipairs(c._options) do
    for _, name in ipairs(option._aliases) do takes[name] = option._maxargs end
  end
  return takes
end

local helps = { ["-h"] = true, ["--help"] = true, ["-V"] = true, ["--version"] = true }

-- Puts flags that stand before the verb behind it; nil when there is no verb.
local function verb_first(args)
  if not (args[1] or ""):find("^%-") or helps[args[1]] then return args end
  local takes, at = global_flags(), 1
  if not takes[args[1]:match("^%-%-[^=]+") or args[1]:sub(1, 2)] then return args end -- what is it?
  while args[at] and args[at]:find("^%-") do
    local short = args[at]:find("^%-%w.") -- its value, or another flag, is in the same word
    at = at + 1 + (short and 0 or takes[args[at]] or 0)
  end
  if not args[at] then return nil end
  local ordered = { args[at] }
  table.move(args, 1, at - 1, 2, ordered)
  return table.move(args, at + 1, #args, at + 1, ordered)
end

-- `--` ends our arguments.
local function prepare(args)
  local ours, rest = {}, {}
  local list = ours
  for _, a in ipairs(args) do
    if a == "--" and list == ours then
      list = rest
    elseif list == ours and a:find("^%-%.?%d") then
      list[#list + 1] = NUMBER .. a
    else
      list[#list + 1] = list == ours and optional[a] and a .. "=default" or a
    end
  end
  return verb_first(ours), rest
end

local function first_lines(text, n)
  local lines = {}
  for line in text:gmatch("[^\n]+") do
    if #lines < n then lines[#lines + 1] = line end
  end
  return table.concat(lines, " ")
end

-- What argparse says is wrong. Of one letter it proposes all others.
local function fault_of(text)
  local line = first_lines(text, 2)
  return line:find("^unknown option '%-.'") and line:gsub(" Did you mean .*", "") or line
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

-- Without a word the process has decided by what stderr is (src/main.c).
local function log_color(result)
  if result.color and result.color ~= "auto" then core.log_color(result.color == "always") end
end

local function trace(result)
  local wanted = result.trace == "default" and "all" or result.trace or os.getenv("WAMPY_TRACE")
  local ok, fault = core.trace(wanted)
  if ok == nil then
    return cli_flags.usage(("%s: %s"):format(result.trace and "--trace" or "WAMPY_TRACE", fault))
  end
end

-- Names of a flag in one line: argparse gives each its own, beside the value of all.
local function label(option)
  local value = table.concat(option:_get_argument_list(), " ")
  return { ((table.concat(option._public_aliases, ", ") .. " " .. value):gsub(" $", "")) }
end

-- The help of a verb: its own flags first; those that many verbs have, when all of it is wanted.
local function help_of(command, all)
  local groups, global = command._groups, {}
  for _, group in ipairs(groups) do
    for _, option in ipairs(group) do global[#global + 1] = option:hidden(true) end
  end
  command:usage(command:get_usage() .. (global[1] and " [GLOBAL FLAGS]" or ""))
  local own = { name = "Options" }
  for _, option in ipairs(command._options) do
    option._get_label_lines = label
    if not option._hidden then own[#own + 1] = option end
  end
  table.insert(groups, 1, own)
  for _, option in ipairs(global) do option:hidden(not all) end
  return command:get_help() .. (global[1] and not all and "\nGlobal flags: --help" or "") .. "\n"
end

local function list_of_topics()
  local lines = { "Topics of help:" }
  for i, topic in ipairs(require "wampy.topics") do
    lines[i + 1] = ("   %-20s  %s"):format(topic.name, topic.summary)
  end
  return table.concat(lines, "\n") .. "\n"
end

-- What is said of a word that is neither a verb nor a topic.
local function no_help(word)
  local words = {}
  for _, verb in ipairs(VERBS) do
    for name in verb.names:gmatch("%S+") do words[#words + 1] = name end
  end
  for _, topic in ipairs(require "wampy.topics") do words[#words + 1] = topic.name end
  local near = require("wampy.nearest").of(word, words)
  return cli_flags.usage(("no help for '%s'%s"):format(word,
    near and ("; did you mean %s?"):format(near) or "; wampy-lua help lists what there is"))
end

-- What a code of an error means.
local function help_of_code(word)
  local text = require("wampy.codes").help(word)
  if text then return { exit = 0, stdout = text } end
  return cli_flags.usage(("no help for '%s': there is no such code; wampy-lua help errors is about "
    .. "them"):format(word))
end

local function help(parser, word, all)
  if not word then return { exit = 0, stdout = parser:get_help() .. "\n\n" .. list_of_topics() } end
  local topic = require("wampy.topics").find(word)
  if topic then return { exit = 0, stdout = topic.text } end
  if word:find("^[Ww]%d+$") then return help_of_code(word) end
  for _, c in ipairs(parser._commands) do
    for _, name in ipairs(c._aliases) do
      if name == word then return { exit = 0, stdout = help_of(c, all) } end
    end
  end
  return no_help(word)
end

-- The help that is asked for; nil when none is.
local function wanted_help(parser, args)
  if args[1] == "help" then return help(parser, not helps[args[2]] and args[2] or nil, true) end
  if args[1] == "--help" or args[1] == "-h" then return help(parser) end
  for _, word in ipairs(args) do
    if word == "--help" or word == "-h" then return help(parser, args[1], word == "--help") end
  end
end

local function bad_settings(result)
  if result.env_file then
    local bad = require("wampy.cli_profile").take_variables(result.env_file)
    if bad then return cli_flags.usage(bad) end
  end
  log_color(result)
  return log_level(result) or log_format(result) or trace(result)
end

--- Parses the command line.
-- @param args list of arguments, without the program's name
-- @param worker what a process of `run --workers` was told: the result is then for that process
-- @return the plan of the verb: { verb, module, ... }; or { exit = code, stdout =, stderr = }
function cli.parse(args, worker)
  local ours, rest = prepare(args)
  if not ours then return cli_flags.usage("a verb is missing; try wampy-lua --help") end
  local verb = verb_of(ours[ours[1] == "help" and 2 or 1])
  local parser = new_parser(verb)
  codes.verb = verb and ours[1] ~= "help" and ours[1] or nil
  if not ours[1] then
    return { exit = 2, stderr = parser:get_usage() .. "\n\n" .. EPILOG .. "\n" }
  end
  local asked = wanted_help(parser, ours)
  if asked then return asked end
  local ok, result = parser:pparse(ours)
  if not ok then return cli_flags.usage(fault_of(unmark(tostring(result)))) end
  for name, value in pairs(result) do result[name] = unmark(value) end
  if result.version and not result.verb then return { exit = 0, stdout = version_text() } end
  local bad = bad_settings(result)
  if bad then return bad end
  if result.verb == "version" then return { exit = 0, stdout = version_text(result.json) } end
  if not result.verb then return cli_flags.usage("a verb is missing; try wampy-lua --help") end
  return require(verb_of(result.verb).module).plan(result, rest, worker)
end

return cli
