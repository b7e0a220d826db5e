-- cli_value.lua - what verbs that connect share: values in arguments, and values on stdout.

local cli_connect = require "wampy.cli_connect"
local cli_flags = require "wampy.cli_flags"
local core = require "wampy.core"
local values = require "wampy.values"

local cli_value = {}

-- ---- in -----------------------------------------------------------------------------------------

local function source(path)
  if path == "-" then return io.read("a") end
  local file, e = io.open(path, "rb")
  if not file then return nil, e end
  local text = file:read("a")
  file:close()
  return text
end

local function json(text, where)
  local value, e = core.json_decode(text)
  if value == nil then return nil, ("%s: expected JSON: %s"):format(where, e) end
  return value
end

--- The value of an argument: what is valid JSON is that, "@file" and "@-" are read as JSON,
-- anything else is a string.
-- @param text the argument
-- @param strings true: it is a string whatever it is
-- @return the value; or nil and what is wrong
function cli_value.read(text, strings)
  if strings then return text end
  local path = text:match("^@(.+)$")
  if path then
    local content, e = source(path)
    if not content then return nil, e end
    return json(content, path)
  end
  local value = core.json_decode(text)
  if value == nil then return text end
  return value
end

local function read_args(result, rest)
  local args = {}
  if result.args then
    local list, e = json(result.args, "--args")
    if e then return nil, e end
    if type(list) ~= "table" or getmetatable(list) ~= core.array_mt then
      return nil, "--args: expected a list"
    end
    for i = 1, #list do args[i] = list[i] end
  end
  local words = table.move(rest, 1, #rest, #result.arg + 1, table.move(result.arg, 1, #result.arg,
    1, {}))
  for _, word in ipairs(words) do
    local value, e = cli_value.read(word, result.strings)
    if e then return nil, e end
    args[#args + 1] = value
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
    local dict, e = json(result.kwargs, "--kwargs")
    if e then return nil, e end
    if type(dict) ~= "table" or getmetatable(dict) == core.array_mt then
      return nil, "--kwargs: expected an object"
    end
    for name, value in pairs(dict) do kwargs[name] = value end
  end
  local e = read_pairs(result.kwarg, kwargs, "--kwarg", result.strings)
  return not e and kwargs or nil, e
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
  c:option("-o --option", "Option of the message by its name in WAMP (may be repeated).")
    :argname("NAME=VALUE"):count("*")
  c:option("--args", "All positional arguments, as a JSON list."):argname("JSON")
  c:option("--kwargs", "All keyword arguments, as a JSON object."):argname("JSON")
  c:flag("-S --strings", "Every argument is a string.")
end

--- The payload of the flags above.
-- @param result as the parser has it
-- @param rest arguments behind "--"
-- @return { uri, args, kwargs, options }; or nil and what is wrong
function cli_value.payload(result, rest)
  if not core.uri_ok(result.uri) then return nil, ("invalid URI '%s'"):format(result.uri) end
  local args, e = read_args(result, rest)
  if not args then return nil, e end
  local kwargs, fault = read_kwargs(result)
  if not kwargs then return nil, fault end
  local options = {}
  fault = read_pairs(result.option, options, "--option")
  if fault then return nil, fault end
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

--- A result or event as one line.
-- @param form { json, raw } of the flags
-- @param r table.pack of the arguments, a kwargs table perhaps last
-- @param more further members of the whole object, or nil: then one argument alone is enough
-- @return text without a line end
function cli_value.line(form, r, more)
  local kwargs = r.n > 0 and getmetatable(r[r.n]) == core.kwargs_mt and r[r.n] or nil
  local n = kwargs and r.n - 1 or r.n
  if n == 1 and not kwargs and not more and not form.json then
    local value = r[1]
    if form.raw and type(value) == "string" then return value end
    if form.raw and getmetatable(value) == core.binary_mt then return tostring(value) end
    return core.json_encode(value == nil and core.null or value)
  end
  local whole = { args = values.array {}, kwargs = kwargs and values.dict(kwargs) or {} }
  for i = 1, n do whole.args[i] = r[i] == nil and core.null or r[i] end
  for name, value in pairs(more or {}) do whole[name] = value end
  return core.json_encode(whole)
end

--- Writes a line to stdout at once.
function cli_value.say(text)
  io.stdout:write(text, "\n")
  io.stdout:flush()
end

-- ---- plans --------------------------------------------------------------------------------------

--- What every verb's plan has: where and as whom to connect.
-- @param result as the parser has it
-- @param module that does it
-- @param more the verb's own members
-- @return the plan, or the result of a command line that is wrong
function cli_value.plan(result, module, more)
  local wrong = cli_connect.settle(result)
  if wrong then return wrong end
  local plan = { verb = result.verb, module = module, forced = cli_connect.fields(result),
    auth = cli_connect.auth(result), retries = result.retries or 0,
    json = result.json, raw = result.raw }
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
