-- verb.lua - how a verb that connects is done: a client from the flags, what it does, GOODBYE, and
-- an exit code with one line when something goes wrong.

local backoff = require "wampy.backoff"
local core = require "wampy.core"
local credentials = require "wampy.credentials"
local errors = require "wampy.errors"
local fields = require "wampy.fields"
local nearest = require "wampy.nearest"
local tasks = require "wampy.tasks"
local Client = require "wampy.client"

local verb = {}

local signal_base = 128

local LINK = { "ConnectionError", "WebsocketProtocolError", "IncompleteFrameError",
  "WampProtocolError" }

local function is_link(e)
  for _, name in ipairs(LINK) do
    if e:is(errors[name]) then return true end
  end
  return false
end

--- The exit code that an error stands for (docs/CLI.md).
-- @param e what was raised
-- @param joined whether a session had been joined
function verb.exit_code(e, joined)
  if not errors.is_error(e) then return 1 end
  if e:is(errors.RemoteError) then return 6 end
  if e:is(errors.AuthenticationError) then return 5 end
  if e:is(errors.TimeoutError) then return 7 end
  if is_link(e) and (joined or e.after_join) then return 8 end
  if e.uri and not e:is(errors.WampProtocolError) then return 5 end
  return is_link(e) and 4 or 2 -- anything else is what the command line gave
end

-- The URIs of procedures that can be called just now; none when the router does not tell.
local function procedures(client)
  local ok, names = pcall(require("wampy.directory").procedures, client)
  return ok and names or {}
end

local function missing(e, client)
  local found = client and client.connected and nearest.of(e.procedure, procedures(client))
  return ("no such procedure: %s (%s)%s"):format(e.procedure, e.uri,
    found and ("; did you mean %s?"):format(found) or "; wampy-lua ls shows what there is")
end

local function text_of(e, client)
  if not errors.is_error(e) then return tostring(e) end
  if not e:is(errors.RemoteError) then
    if e.transport == "http_status" then return e.message .. "; perhaps the path is /ws" end
    return e.message
  end
  if e.uri == "wamp.error.no_such_procedure" and e.procedure then return missing(e, client) end
  return (tostring(e):gsub("^RemoteError: ", ""))
end

local function interrupted()
  local count, number = core.signals()
  return count > 0 and signal_base + number or nil
end

--- Raises what became of the link, when it is gone.
function verb.check(client)
  if client.connected then return end
  tasks.run()
  errors.raise("ConnectionError", "the session has ended")
end

local function connect(plan)
  fields.forced = plan.forced
  credentials.force(plan.auth)
  fields.fallback = { reconnect = false }
  local client = Client { name = "wampy-lua" }
  backoff.retry(function() client:start() end, { tries = plan.retries }, "wampy-lua")
  return client
end

--- Does what a plan says with a client that has joined, and says GOODBYE.
-- @param plan { forced, auth, retries }
-- @param body function(client) -> exit code, or nil for 0
-- @return exit code
function verb.run(plan, body)
  local client
  core.watch_signals(true)
  local ok, code = pcall(function()
    client = connect(plan)
    return body(client) or 0
  end)
  local e = not ok and code or nil
  if e then code = interrupted() or verb.exit_code(e, client ~= nil) end
  if e and not interrupted() then
    local said, text = pcall(text_of, e, client)
    core.log("error", said and text or tostring(e))
  end
  core.clear_signals()
  tasks.stop_all()
  return code
end

return verb
