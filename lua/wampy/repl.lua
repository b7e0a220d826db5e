-- repl.lua - what a line at the prompt does: Lua is run and its values are printed, a word with a
-- dot before it is a command. Where lines come from is not known here: repl_terminal.lua edits
-- them, `piped` takes them from stdin.

local cli_value = require "wampy.cli_value"
local core = require "wampy.core"
local evaluator = require "wampy.evaluator"
local errors = require "wampy.errors"
local nearest = require "wampy.nearest"
local pretty = require "wampy.pretty"
local tasks = require "wampy.tasks"

local repl = {}

local Repl = { __name = "wampy.repl" }
Repl.__index = Repl

local MAX_LINE = 16 * 1024 * 1024 -- bytes
local LUA_ERROR = 1 -- exit code

--- A new one.
-- @param t { env = the globals, client = the one that has joined, or nil; form = { json, raw } of
-- the flags; say = function(text) that prints, with a line end; limits = of the printer }
-- @return Repl
function repl.new(t)
  local self = setmetatable({ env = t.env, client = t.client, form = t.form or {},
    say = t.say or cli_value.say, limits = t.limits, evaluator = evaluator.new(t.env) }, Repl)
  if t.client then require("wampy.repl_names").install(self) end
  return self
end

-- ---- Lua ----------------------------------------------------------------------------------------

--- The text of values that a line gave, or of an event; nil when there are none.
-- @param values table.pack of them
function Repl:text(values)
  if values.n == 0 then return nil end
  if self.form.json or self.form.raw then return cli_value.line(self.form, values) end
  return pretty.all(values, self.limits)
end

-- One line for what a chunk raised.
local function one_line(self, e)
  if errors.is_error(e, errors.Canceled) then return "interrupted" end
  if type(e) == "string" then return (self.evaluator:place(e):gsub("%c", " ")) end
  if type(e) == "table" and (errors.is_error(e) or e.exit) then
    return require("wampy.verb").text(e, self.client)
  end
  return "error object: " .. pretty.text(e, self.limits)
end

--- One line for what a chunk raised.
-- @return text, and what codes.of finds its code by
function Repl:fault(e)
  local text = one_line(self, e)
  return text, errors.is_error(e) and e or { message = text, exit = LUA_ERROR }
end

-- Runs a chunk in a task, which `interrupt` can end.
-- @return true and its values, packed; or false and what it raised
function Repl:run(chunk)
  self.task = tasks.spawn(function()
    return xpcall(function() return table.pack(chunk()) end, function(e)
      local trace = debug.traceback("", 2)
      self.trace = trace:gsub("^\n", "")
      if e == nil then return "error object: nil" end
      return type(e) == "string" and errors.at_home(e, trace) .. errors.meant(e) or e
    end)
  end)
  local ok, result = self.task:wait()
  self.task = nil
  return ok, result
end

--- Ends the chunk that runs, if one does: what it waits for raises Canceled.
-- @return whether one did
function Repl:interrupt()
  if not self.task then return false end
  self.task:cancel()
  return true
end

-- ---- commands -----------------------------------------------------------------------------------

local HELP = [[
Lua is run, and its values are printed: 1 + 2, client.session, x = call("com.example.add", 1, 2)
_ is the last value. A chunk that is not complete goes on in the next line; Ctrl-C leaves it.
%s
.help                              this
%s.trace                             where in Lua the last error came from
.quit                              leave; so does Ctrl-D

Tab completes names%s. Ctrl-C ends what runs.
Ctrl-R goes back to lines that begin like this one; a line that begins with a space is not kept.]]

local CONNECTED = [=[

client                             the client that has joined; wampy, kwargs, options, array, dict,
                                   binary and null as in an app
call(URI, ...)                     its result
pub(TOPIC, ...)                    publishes; the id of the publication (publish)
sub(TOPIC [, FN] [, OPTIONS])      prints events, or calls FN with each (subscribe)
reg(URI, FN [, OPTIONS])           answers calls (register)
ls([WHAT [, PREFIX]])              procedures, topics or sessions
]=]

local COMMANDS = [[
.ls [WHAT] [PREFIX]                procedures (the default), topics or sessions
.calls                             what waits for an answer, and what is registered and subscribed
]]

local commands = {}

--- Says what there is.
function commands.help(self)
  local joined = self.client ~= nil
  self.say(HELP:format(joined and CONNECTED or "", joined and COMMANDS or "",
    joined and ", and within quotes the URIs that there are" or ""))
end

--- Where in Lua the last error came from.
function commands.trace(self)
  self.say(self.trace or "there was no error")
end

--- Leaves.
function commands.quit()
  return true
end

commands.exit = commands.quit

local connected = {}

--- What there is at the router.
function connected.ls(self, ...)
  self.env.ls(...)
end

local function sorted(map, format)
  local ids, lines = {}, {}
  for id in pairs(map) do ids[#ids + 1] = id end
  table.sort(ids)
  for i, id in ipairs(ids) do lines[i] = format(id, map[id]) end
  return lines
end

--- What the client waits for, and what it has registered and subscribed.
function connected.calls(self)
  local client = self.client
  local lists = {
    sorted(client.request_ids, function(id, uri) return ("waits for  %d  %s"):format(id, uri) end),
    sorted(client.registration_map, function(id, uri)
      return ("registered  %d  %s"):format(id, uri)
    end),
    sorted(client.subscription_map, function(id, known)
      return ("subscribed  %d  %s"):format(id, known.topic)
    end),
  }
  for _, lines in ipairs(lists) do
    for _, line in ipairs(lines) do self.say(line) end
  end
end

--- The names of the commands that there are, sorted.
function Repl:commands()
  local names = {}
  for name in pairs(commands) do names[#names + 1] = name end
  for name in pairs(self.client and connected or {}) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- ---- lines --------------------------------------------------------------------------------------

local function command(self, name, words)
  local fn = commands[name] or self.client and connected[name]
  if fn then return fn(self, table.unpack(words)) end
  local near = nearest.of(name, self:commands())
  error(("no such command: .%s%s"):format(name, near and ("; did you mean .%s?"):format(near)
    or "; .help lists them"), 0)
end

-- The chunk of a line that is a command: it returns nothing, and leaving is noted.
local function command_of(self, line)
  local name, rest = line:match("^%s*%.(%a+)%s*(.-)%s*$")
  if not name then return nil end
  local words = {}
  for word in rest:gmatch("%S+") do words[#words + 1] = word end
  self.evaluator:pass(line)
  return function() self.leaving = command(self, name, words) end
end

-- What a line makes complete; nil, and what is wrong, if something is.
local function chunk_of(self, line)
  local chunk = not self.evaluator:is_open() and command_of(self, line)
  if chunk then return chunk end
  return self.evaluator:take(line)
end

--- Runs what a line makes complete.
-- @return nil; or what was raised
function Repl:feed(line)
  local chunk, fault = chunk_of(self, line)
  if not chunk then return fault end
  local ok, result = self:run(chunk)
  if not ok then return result end
  if result.n > 0 then self.env._ = result[1] end
  local text = self:text(result)
  if text then self.say(text) end
end

--- Lines from stdin, without a prompt. The first that fails ends it.
-- @return nil; or what was raised, and the line's number
function Repl:piped()
  self.evaluator.numbered = true
  local function read()
    tasks.readable(0)
    return core.read(0)
  end
  for line in require "wampy.lines"(read, MAX_LINE) do
    local e = self:feed(line)
    if e ~= nil then return e, self.evaluator.count end
    if self.leaving then return nil end
  end
  return self.evaluator:finish()
end

return repl
