-- saying.lua - what `wampy-lua run` prints on stdout: a word and its columns, a line each.
--
-- Before "ready." there are six lines at most: of many roles the first are shown, and how many
-- more there are. With --log debug (-v) all of them are.

local core = require "wampy.core"

local saying = {}

local MAX_LINES = 6

local quiet = false
local shown = 0 -- lines so far
local held = {} -- lines that wait for `ready`: whether they fit is known then

local function write(line)
  if quiet then return end
  io.stdout:write(line, "\n")
  io.stdout:flush()
  shown = shown + 1
end

local function format(what, ...)
  return ("%-12s "):format(what) .. table.concat({ ... }, "  ")
end

--- From now on nothing is printed: another process says the same.
function saying.hush()
  quiet = true
end

--- Prints a line.
-- @param what the word in front
-- @param ... further columns
function saying.say(what, ...)
  write(format(what, ...))
end

--- Prints what has been registered or subscribed at the start, if there is room for it.
function saying.role(what, uri, where)
  local line = format(what, ("%-20s"):format(uri), where)
  local all = core.log_level() == "debug" or core.log_level() == "trace"
  if all or shown < MAX_LINES - 1 and not held[1] then
    write(line)
  else
    held[#held + 1] = line
  end
end

--- Prints how many more roles there are; the last line before "ready."
function saying.roles_end()
  if #held == 1 then
    write(held[1])
  elseif held[1] then
    write(format("and", #held .. " more"))
  end
  held = {}
end

return saying
