-- cli_value.lua - what verbs that connect share: values in arguments, and values on stdout.

local cli_connect = require "wampy.cli_connect"
local cli_flags = require "wampy.cli_flags"
local core = require "wampy.core"
local values = require "wampy.values"

local cli_value = {}

-- ---- in -----------------------------------------------------------------------------------------

local MAX = 16 * 1024 * 1024 -- bytes of a value: no message is larger

local function source(path)
  local text, e
  if path == "-" then
    text, e = io.read(MAX + 1)
    if e then return nil, "-: " .. e end
    text = text or ""
  else
    text, e = cli_flags.read_file(path, MAX + 1)
  end
  if text and #text > MAX then return nil, ("%s: larger than any message"):format(path) end
  return text, e
end

local function json(text, where)
  local value, e = core.json_decode(text)
  if value == nil then return nil, ("%s: expected JSON: %s"):format(where, e) end
  return value
end

local function read_file(path)
  local content, e = source(path)
  if not content then return nil, e end
  return json(content, path == "-" and "stdin" or path)
end

-- A flag's JSON, which may be in a file, too.
local function read_json(text, flag)
  local path = text:match("^@(.+)$")
  if path then return read_file(path) end
  return json(text, flag)
end

--- The value of an argument: what is valid JSON is that, "@file" and "@-" are read as JSON,
-- anything else is a string.
-- @param text the argument
-- @param strings true: it is a string whatever it is
-- @return the value; or nil and what is wrong
function cli_value.read(text, strings)
  if strings then return text end
  local path = text:match("^@(.+)$")
  if path then return read_file(path) end
  local value = core.json_decode(text)
  if value == nil then return text end
  return value
end

-- Whether JSON gave a list.
local function is_list(value)
  return type(value) == "table" and getmetatable(value) == core.array_mt
end

local function read_args(result, rest)
  local args, n = {}, #result.arg
  local words = table.move(rest, 1, #rest, n + 1, table.move(result.arg, 1, n, 1, {}))
  if result.args then
    if words[1] then return nil, "give arguments or --args, not both" end
    local list, e = read_json(result.args, "--args")
    if not e and not is_list(list) then e = "--args: expected a list" end
    return not e and list or nil, e
  end
  for i, word in ipairs(words) do
    local value, e = cli_value.read(word, result.strings)
    if e then return nil, e end
    args[i] = value
  end
  return args
end

local function read_pairs(list, into, flag, strings)
  for _, text in ipairs(list) do
    local name, word = text:match("^([^=]+)=(.*)$")
    if not name then return ("%s: expected NAME=VALUE, got '%s'"):format(flag, text) end
    local value, e = cli_value.read(word, strings)
    if e then return ("%s %s: %s"):format(flag, name, e) end
    into[name] = value
  end
end

local function read_kwargs(result)
  local kwargs = {}
  if result.kwargs then
    local dict, e = read_json(result.kwargs, "--kwargs")
    if e then return nil, e end
    if type(dict) ~= "table" or is_list(dict) then return nil, "--kwargs: expected an object" end
    for name, value in pairs(dict) do kwargs[name] = value end
  end
  local e = read_pairs(result.kwarg, kwargs, "--kwarg", result.strings)
  return not e and kwargs or nil, e
end

--- Declares the options of a message.
-- @param c command of argparse
-- @param message what it is called, for the help
function cli_value.option_flag(c, message)
  c:option("-o --option", ("Option of %s by its name in WAMP (may be repeated)."):format(message))
    :argname("NAME=VALUE"):count("*")
end

--- Declares what a call and an event are made of.
-- @param c command of argparse
-- @param what "the procedure" or "the topic"
function cli_value.flags(c, what)
  c:argument("uri", "URI of " .. what .. "."):argname("URI")
  c:argument("arg", "An argument: JSON, or else a string; @FILE and @- are read as JSON.")
    :args("*"):argname("ARG")
  c:option("-k --kwarg", "Keyword argument, NAME=VALUE (may be repeated)."):argname("NAME=VALUE")
    :count("*")
  cli_value.option_flag(c, "the message")
  c:option("--args", "All positional arguments, as a JSON list."):argname("JSON")
  c:option("--kwargs", "All keyword arguments, as a JSON object."):argname("JSON")
  c:flag("-S --strings", "Every argument is a string.")
end

--- The options of a message, by their names in WAMP.
-- @param result as the parser has it, with the list `option`
-- @return table; or nil and what is wrong
function cli_value.options(result)
  local options = {}
  local e = read_pairs(result.option, options, "--option")
  if e then return nil, e end
  options.timeout, options.timeout_ms = nil, options.timeout -- ours is in seconds, and not sent
  return options
end

--- The payload of the flags above.
-- @param result as the parser has it
-- @param rest arguments behind "--"
-- @return { uri, args, kwargs, options }; or nil and what is wrong
function cli_value.payload(result, rest)
  if not core.uri_ok(result.uri) then return nil, ("invalid URI '%s'"):format(result.uri) end
  local args, bad_args = read_args(result, rest)
  local kwargs, bad_kwargs = read_kwargs(result)
  local options, bad_options = cli_value.options(result)
  local e = bad_args or bad_kwargs or bad_options
  if e then return nil, e end
  return { uri = result.uri, args = args, kwargs = kwargs, options = options }
end

--- The payload as arguments of call and publish.
function cli_value.unpack(payload)
  local list = table.move(payload.args, 1, #payload.args, 1, {})
  if next(payload.kwargs) then list[#list + 1] = values.kwargs(payload.kwargs) end
  list[#list + 1] = values.options(payload.options)
  return table.unpack(list)
end

-- ---- out ----------------------------------------------------------------------------------------

--- Declares how values are shown.
function cli_value.output_flags(c)
  c:flag("--json", "Always the whole object, with args and kwargs.")
  c:flag("--raw", "Strings and bytes bare, without quotes.")
end

--- An object as one line, its members in this order and then by name.
-- @param t table with string keys
-- @param first list of names
function cli_value.object(t, first)
  local names, members, placed = {}, {}, {}
  for i, name in ipairs(first) do names[i], placed[name] = name, true end
  local rest = {}
  for name in pairs(t) do rest[#rest + 1] = not placed[name] and name or nil end
  table.sort(rest)
  for _, name in ipairs(table.move(rest, 1, #rest, #names + 1, names)) do
    if t[name] ~= nil then
      members[#members + 1] = core.json_encode(name) .. ":" .. core.json_encode(t[name])
    end
  end
  return "{" .. table.concat(members, ",") .. "}"
end

local function bare(value, form)
  if form.raw and type(value) == "string" then return value end
  if form.raw and getmetatable(value) == core.binary_mt then return tostring(value) end
  return core.json_encode(value == nil and core.null or value)
end

-- Whether the last of some values are keyword arguments: how many come before, and those.
local function split(r)
  local last = r[r.n]
  if r.n > 0 and getmetatable(last) == core.kwargs_mt then return r.n - 1, values.dict(last) end
  return r.n, {}
end

--- A result or event as one line.
-- @param form { json, raw } of the flags
-- @param r table.pack of the arguments, a kwargs table perhaps last
-- @param more { topic, details } for the whole object, or nil: then one argument alone is enough
-- @return text without a line end
function cli_value.line(form, r, more)
  local n, kwargs = split(r)
  if not more and not form.json and not next(kwargs) and (n == 1 or form.raw and n > 0) then
    local words = {}
    for i = 1, n do words[i] = bare(r[i], form) end
    return table.concat(words, "\n")
  end
  local args = values.array {}
  for i = 1, n do args[i] = r[i] == nil and core.null or r[i] end
  local whole = more or {}
  whole.args, whole.kwargs = args, kwargs
  return cli_value.object(whole, { "topic", "args", "kwargs", "details" })
end

local OUTPUT_FAILED = 1 -- exit code

--- Writes a line to stdout at once. When nobody reads it any more, the verb ends.
function cli_value.say(text)
  local ok, e = io.stdout:write(text, "\n")
  if ok then ok, e = io.stdout:flush() end
  if ok then return end
  local verb = require "wampy.verb"
  verb.fail(OUTPUT_FAILED, e:find("Broken pipe", 1, true) and "" or "stdout: " .. e)
end

-- ---- plans --------------------------------------------------------------------------------------

--- What every verb's plan has: where and as whom to connect, and how to print.
-- @param result as the parser has it
-- @param module that does it
-- @param more the verb's own members
-- @return the plan, or the result of a command line that is wrong
function cli_value.plan(result, module, more)
  local plan, fault = cli_connect.settle(result)
  if not plan then return cli_flags.usage(fault) end
  plan.verb, plan.module, plan.json, plan.raw = result.verb, module, result.json, result.raw
  for name, value in pairs(more) do plan[name] = value end
  return plan
end

--- Declares the flags of every verb that connects, and the common ones.
function cli_value.common(c)
  cli_connect.flags(c, "0")
  cli_flags.common(c)
end

--- A number of things, from 1.
function cli_value.count(text)
  local n = math.tointeger(tonumber(text))
  if not n or n < 1 then return nil, ("expected a number from 1, got '%s'"):format(text) end
  return n
end

return cli_value
