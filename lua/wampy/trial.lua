-- trial.lua - a file of an app is loaded on trial: what only a first load may do raises.
--
-- A trial must leave nothing behind when it comes to nothing, and its classes get the clients
-- that are there. So a file that makes clients, tasks or routers of its own, or waits, cannot be
-- tried: the first of these is noted, even if the file catches the error.

local core = require "wampy.core"
local errors = require "wampy.errors"

local trial = {}

local running = false
local refused -- what the file wanted to do

--- Raises when a trial runs.
-- @param what the file would do: "makes its own clients"
function trial.forbid(what)
  if not running then return end
  refused = refused or what
  errors.raise("WampyError", "the file " .. what .. " while it is loaded on trial")
end

--- Calls a function as a trial. Nothing else runs meanwhile.
-- @param fn function
-- @param ... its arguments
-- @return what fn returned, or nil; its error; what the trial was refused for, or nil
function trial.run(fn, ...)
  local exit = os.exit
  running, refused = true, nil
  rawset(os, "exit", function() trial.forbid("ends the process") end)
  local waits, ok, result = core.atomic(fn, ...)
  rawset(os, "exit", exit)
  running = false
  if waits then refused = refused or "waits" end
  if ok and not refused then return result end
  return nil, result, refused
end

return trial
