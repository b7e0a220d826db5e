-- verb.lua - how a verb that connects is done: a client from the flags, what it does, GOODBYE, and
-- an exit code with one line when something goes wrong.

local backoff = require "wampy.backoff"
local Client = require "wampy.client"
local codes = require "wampy.codes"
local connection = require "wampy.connection"
local core = require "wampy.core"
local errors = require "wampy.errors"
local tasks = require "wampy.tasks"
local values = require "wampy.values"

local verb = {
  TIMED_OUT = 7, -- exit code of a verb whose time is over
}

local LUA_ERROR, USAGE, SIGNALLED = 1, 2, 128 -- exit codes
local PATIENCE = 2 -- seconds for finding out what was meant
local ENOUGH = 1000 -- procedures that are looked at for that

-- ---- what is said -------------------------------------------------------------------------------

local function contains(list, word)
  for _, each in ipairs(list) do
    if each == word then return true end
  end
end

-- The text for a procedure that there is not, with what may have been meant where the router tells
-- what there is; nil when it is there, and misses another one.
local function missing(e, client)
  local meta, nearest = require("wampy.meta").of(client, PATIENCE), require "wampy.nearest"
  local ok, names = pcall(meta.procedures, meta, ENOUGH)
  if ok and contains(names, e.procedure) then return nil end
  local found = ok and nearest.of(e.procedure, names)
  local hint = found and ("; did you mean %s?"):format(found)
    or ok and "; wampy-lua ls shows what there is" or ""
  return ("no such procedure: %s (%s)%s"):format(e.procedure, e.uri, hint)
end

-- What an ERROR carries besides its text.
local function rest_of(e)
  local plain = not next(e.kwargs) and (#e.args == 0 or #e.args == 1 and e.args[1] == e.message)
  if plain then return "" end
  local ok, text = pcall(function()
    return (' {"args":%s,"kwargs":%s}'):format(core.json_encode(values.array(e.args)),
      core.json_encode(e.kwargs))
  end)
  return ok and text or ""
end

local function remote_text(e, client)
  local text = e.uri == "wamp.error.no_such_procedure" and e.procedure and missing(e, client)
  return text or tostring(e):gsub("^RemoteError: ", "") .. rest_of(e)
end

--- The line for an error. What peers say cannot break it, nor speak to the terminal.
-- @param e what was raised
-- @param client that may be asked what was meant; nil: there is none
-- @return text
function verb.text(e, client)
  local text
  if not errors.is_error(e) then
    text = tostring(e)
  elseif e:is(errors.RemoteError) then
    text = remote_text(e, client)
  else
    text = e.message
  end
  return (text:gsub("%s+", " "):gsub("%c", "?"))
end

--- The exit code that what a verb raised stands for.
-- @param e what was raised
-- @param joined whether the client had joined before
function verb.exit_code(e, joined)
  if type(e) == "table" and e.exit then return e.exit end
  if not errors.is_error(e) then return LUA_ERROR end
  return connection.exit_code(e, joined) or USAGE -- what the command line gave cannot be done
end

-- ---- doing --------------------------------------------------------------------------------------

local function connect(plan)
  local tries = plan.retries or 0
  connection.apply(plan, tries > 0 and { tries = tries } or plan.rejoin and not plan.retries)
  local client = Client { name = "wampy-lua", message_handler = plan.message_handler }
  backoff.retry(function() client:start() end, { tries = tries }, client.name)
  return client
end

local LINK_LOST = 8 -- exit code

-- Runs the body in a task, until it has ended, the link is lost for good, or a signal came; a body
-- that stops the client itself goes on to its end. One that failed for a lost link does not know
-- why it was lost; one that has ended does not care.
local function work(client, body)
  local code, failure
  local task = tasks.spawn(function()
    local ok, result = pcall(body, client)
    if ok then
      code = result or 0
    else
      failure = { error = result, text = verb.text(result, client) }
    end
    tasks.stop()
  end)
  local ok, lost = pcall(tasks.run)
  if ok and core.signals() == 0 then task:wait() end
  local ended = code or failure and verb.exit_code(failure.error, true) ~= LINK_LOST
  if not ok and not ended then error(lost, 0) end
  return code, failure
end

local function do_it(plan, body)
  local client
  local ok, code, failure = pcall(function()
    client = connect(plan)
    return work(client, body)
  end)
  if not ok then failure = { error = code, text = verb.text(code) } end
  local signals, number = core.signals()
  if signals > 0 then return SIGNALLED + number end
  if not failure then return code end
  if failure.text ~= "" then codes.complain(failure.text, failure.error) end
  return verb.exit_code(failure.error, client ~= nil)
end

--- Does what a plan says with a client that has joined, and says GOODBYE.
-- @param plan what cli_connect.settle returns; message_handler = the client's, or nil; rejoin =
-- a link that is lost is joined again without end, where --retries does not say how often
-- @param body function(client) -> exit code, or nil for 0; it runs in a task. What it raises ends
-- the verb with one line, and the exit code that it stands for
-- @return exit code
function verb.run(plan, body)
  core.watch_signals(true)
  local code = do_it(plan, body)
  core.clear_signals()
  tasks.stop_all()
  return code
end

--- Ends the verb with an exit code of its own.
-- @param code exit code
-- @param text the line for stderr; none when it is empty
function verb.fail(code, text)
  error(setmetatable({ exit = code }, { __tostring = function() return text end }), 0)
end

return verb
