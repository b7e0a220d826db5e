-- errors.lua - the family of errors that the public API raises (lua-api: Errors).
--
-- Every error is a table with `name`, `message`, `where` (the app's file:line), `traceback`, and
-- `is`. C raises them through the constructors that are handed in at the end of this file.

local core = require "wampy.core"

local errors = {}

-- What the public API raises; the classes of wampy.errors inherit from it.
-- @object wampy.errors.WampyError
-- @tfield string name of its class
-- @tfield string message
-- @tfield string? where the app's file:line
-- @tfield string traceback
-- @tfield any [string] fields of one class: code, uri, args, kwargs, details, procedure ...
local base = { name = "WampyError" }
base.__index = base
base.__tostring = function(e) return e.name .. ": " .. e.message end

--- Whether the error is of a class, or of one that inherits from it.
-- @param class a class of this module, such as wampy.errors.TimeoutError
-- @return boolean
function base:is(class)
  local c = getmetatable(self)
  while c do
    if c == class then return true end
    c = c.super
  end
  return false
end

errors.WampyError = base

local function derive(name)
  local class = setmetatable({ name = name, super = base }, { __index = base })
  class.__index = class
  class.__tostring = base.__tostring
  errors[name] = class
  return class
end

for _, name in ipairs {
  "ConnectionError", "IncompleteFrameError", "WebsocketProtocolError", "WampProtocolError",
  "TimeoutError", "AuthenticationError", "Canceled", "QueueFull", "StreamOverflow", "PayloadError",
} do
  derive(name)
end

local RemoteError = derive("RemoteError")
RemoteError.__tostring = function(e)
  local text = e.procedure and (e.procedure .. ": " .. e.message) or e.message
  return ("RemoteError: %s (%s)"):format(text, e.uri)
end

-- Where our files are: nowhere when they are built in, else the folder that wampy.lua is in.
local HOME = debug.getinfo(1, "S").source:match("^@(.*)wampy/errors%.lua$") or ""

--- Whether a function's source (debug.getinfo) is of this module, not of an app, which may have a
-- folder wampy or a file my_wampy.lua, too.
-- @param source of debug.getinfo, or a file as messages and tracebacks have it
function errors.is_ours(source)
  local path = source:gsub("^@", "")
  local file = path:match("wampy/[%w_]+%.lua$") or path:match("wampy%.lua$")
  local module = file and file:gsub("%.lua$", ""):gsub("/", ".")
  if not module or not (package.loaded[module] or package.preload[module]) then return false end
  return path == HOME .. file or path:find("^%.%.%.") ~= nil -- Lua cuts what is long
end

--- Leaves the frames of the app in a traceback: ours and C's say nothing to who wrote the app.
-- @param text of debug.traceback; a message may stand in front
-- @return text; the message alone, when no frame is the app's
function errors.app_frames(text)
  local message, frames = text:match("^(.-)stack traceback:\n(.*)$")
  if not message then return text end
  local kept = {}
  for line in frames:gmatch("[^\n]+") do
    local source = line:match("^\t(.-):%d+: in ")
    if source and not errors.is_ours(source) then kept[#kept + 1] = line end
  end
  if not kept[1] then return (message:gsub("\n$", "")) end
  return ("%sstack traceback:\n%s"):format(message, table.concat(kept, "\n"))
end

--- What was raised, in words: an address says nothing to anybody, and to a caller too much.
-- @param e any
-- @treturn string
function errors.words(e)
  local mt, kind = debug.getmetatable(e), type(e)
  local bare = kind == "table" or kind == "userdata" or kind == "function" or kind == "thread"
  if not bare or mt and mt.__tostring then return tostring(e) end
  return ("(error object is a %s value)"):format(kind)
end

--- A text that Lua raised, with the app's line in front where it names one of ours: what Lua says
-- of a wrong argument has the place in our file that passed it on.
-- @tparam string text what was raised
-- @tparam string trace of debug.traceback, when it was raised
-- @treturn string
function errors.at_home(text, trace)
  local place, rest = text:match("^([^\n]-%.lua):%d+: (.*)$")
  if not place or not errors.is_ours(place) then return text end
  local line = errors.app_frames(trace):match("stack traceback:\n\t([^\n]-:%d+): in ")
  return (line and line .. ": " or "") .. rest
end

--- The first frame of the stack that is neither C nor ours.
-- @treturn string? "app.lua:7"
function errors.app_line()
  for level = 2, 40 do -- who calls us by a tail call leaves no frame
    local info = debug.getinfo(level, "Sl")
    if not info then return nil end
    if info.what ~= "C" and not errors.is_ours(info.source) then
      return ("%s:%d"):format(info.short_src, info.currentline)
    end
  end
end

local function make(class, fields)
  fields.where = errors.app_line()
  fields.traceback = debug.traceback("", 2)
  return setmetatable(fields, class)
end

local function placed(e)
  return (e.where and e.where .. ": " or "") .. tostring(e)
end

--- Words for the end of an error's text, in a message handler.
-- @param e what was raised
-- @return "; did you mean client:publish?", or ""
function errors.meant(e)
  local found = require("wampy.scope").meant(e)
  return found and ("; did you mean %s?"):format(found) or ""
end

--- For a message handler: how it came there, behind a line with what may have been meant.
-- @param e what was raised
-- @return text for errors.told
function errors.trace(e)
  return errors.meant(e) .. debug.traceback("", 2)
end

--- An error as it is logged: where it is and what, and how it came there in the app.
-- @param e what was raised
-- @param trace of errors.trace
-- @return text of several lines
function errors.told(e, trace)
  local hint, frames = (trace or ""):match("^([^\n]*)(.*)$")
  local text = errors.is_error(e) and placed(e) or errors.at_home(errors.words(e), frames)
  return text .. hint .. errors.app_frames(frames)
end

--- Makes an error object of a class of this module.
-- @param class name of the class, "TimeoutError"
-- @param message text
-- @param fields further fields, or nil
-- @return the error, to be given to error()
function errors.make(class, message, fields)
  fields = fields or {}
  fields.message = message
  return make(errors[class] or base, fields)
end

--- Raises an error of a class of this module.
function errors.raise(class, message, fields)
  error(errors.make(class, message, fields), 0)
end

--- Whether a value is an error of ours.
-- @param e any value
-- @param class a class of this module; any of them when nil
-- @return boolean
function errors.is_error(e, class)
  if type(e) ~= "table" or type(e.is) ~= "function" then return false end
  local mt = getmetatable(e)
  if not mt or mt.is ~= base.is then return false end
  return e:is(class or base)
end

local link_classes = { "ConnectionError", "WebsocketProtocolError", "IncompleteFrameError",
  "WampProtocolError" }

--- Whether an error of ours says that the link, or what is spoken over it, has failed.
-- @param e error of ours
-- @return boolean
function errors.is_link(e)
  for _, name in ipairs(link_classes) do
    if e:is(errors[name]) then return true end
  end
  return false
end

local function readable(args, kwargs, uri)
  if type(kwargs.message) == "string" then return kwargs.message end
  if type(args[1]) == "string" then return args[1] end
  return uri
end

--- Makes the error that a callee raises to choose what its caller gets.
-- @param uri error URI, "com.app.no_such_user"
-- @param ... arguments, and a kwargs{} at the end
-- @return the error, to be given to error()
function errors.error(uri, ...)
  if type(uri) ~= "string" or not core.uri_ok(uri) then
    errors.raise("WampyError", ("wampy.error: invalid URI %q"):format(tostring(uri)))
  end
  local args, kwargs = table.pack(...), {}
  if getmetatable(args[args.n]) == core.kwargs_mt then
    kwargs = args[args.n]
    args[args.n] = nil
    args.n = args.n - 1
  end
  local n = args.n
  args.n = nil
  for i = 1, n do
    if args[i] == nil then args[i] = core.null end
  end
  return make(RemoteError, {
    uri = uri, args = args, kwargs = kwargs, details = {}, message = readable(args, kwargs, uri),
    exc_type = uri, raised_here = true,
  })
end

local function remote(uri, args, kwargs, details, procedure, request_id)
  return make(RemoteError, {
    uri = uri, args = args, kwargs = kwargs, details = details, procedure = procedure,
    request_id = request_id, message = readable(args, kwargs, uri),
    exc_type = type(kwargs.exc_type) == "string" and kwargs.exc_type or uri,
  })
end

-- What a caller is told: no path, no traceback; of a payload that could not be sealed, nothing.
local function to_wire(e)
  if errors.is_error(e, RemoteError) then return e.uri, e.args, e.kwargs end
  if errors.is_error(e, errors.PayloadError) then
    return "wampy.error.payload", { "the payload cannot be sealed or opened" }, {}
  end
  local uri, class, text = "wamp.error.runtime_error", "RuntimeError"
  if errors.is_error(e) then
    class, text = e.name, e.message
    if e:is(errors.Canceled) then uri = "wamp.error.canceled" end
  else
    text = errors.words(e):gsub("^[^\n]-:%d+: ", "", 1)
  end
  if not utf8.len(text) then text = "(error message is not UTF-8)" end
  return uri, { text }, { exc_type = class, message = text }
end

-- Which call or event it was: the name that a pattern stood for, and who made it, if that is told.
local function occasion(details)
  local name, who = details.procedure or details.topic, details.caller or details.publisher
  local authid = details.caller_authid or details.publisher_authid
  return (name and (" for %s"):format(name) or "") .. (who and (" from session %d%s"):format(who,
    authid and (" (%s)"):format(authid) or "") or "")
end

-- A handler of a client failed. What was raised on purpose for the caller is no news; the rest is.
local function report(client, is_call, e, trace, uri, label, details)
  local where = errors.is_ours(label:gsub(":%d+$", "")) and "" or (" (%s)"):format(label)
  if is_call and errors.is_error(e, RemoteError) then
    core.log("debug", ("%s answers with %s"):format(uri, tostring(e)))
  elseif errors.is_error(e, errors.Canceled) then
    core.log("debug", ("%s%s: canceled"):format(uri, where))
  else
    require("wampy.codes").log(("in the handler of %s%s%s: %s"):format(uri, where,
      occasion(details), errors.told(e, trace)), "W901")
    client:_failed(e, uri .. where)
  end
end

local function names(t)
  local list = {}
  for name in pairs(t) do list[#list + 1] = name end
  table.sort(list)
  return list[1] and table.concat(list, ", ") or "none"
end

-- A subscriber that takes none of an event's keywords is likely a misspelt one.
local function unfit(topic, label, keywords, parameters)
  require("wampy.codes").warn(("subscriber of %s (%s): the event's keywords (%s) fit none of its "
    .. "parameters (%s)"):format(topic, label, names(keywords), names(parameters)), "W911")
end

--- The text for an error that nobody caught, with its code when it is one of ours.
function errors.uncaught(e)
  if not errors.is_error(e) then
    local text, trace = errors.words(e), debug.traceback("", 3)
    local told = errors.at_home(text, trace)
    if told ~= text then return told .. errors.app_frames(trace) end
    return text .. errors.meant(e) .. trace
  end
  return require("wampy.codes").mark(placed(e), e) .. errors.app_frames(e.traceback or "")
end

core.set_errors {
  new = function(class, message) return errors.make(class, message) end,
  error = errors.error, remote = remote, to_wire = to_wire, report = report,
  unfit = unfit, trace = errors.trace,
}

return errors
